"""What each transport fault does to the socket, seen by a client that sees bytes; and that the server is well after it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cfmock import CloudFlow
from cfmock.api.client import signed_request
from cfmock.server import http_edge
from tests.support.calls import echo_flow
from tests.support.raw import connect, exchange, length_of, parsed, read_answer
from tests.support.waiting import PATIENCE, until

HEAD_ONLY = b"\r\n\r\n"


@pytest.fixture
def cf(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudFlow]:
    monkeypatch.setattr(http_edge, "DRIP", 0.5)
    with CloudFlow({"cfmock": 1, **echo_flow({})}) as server:
        yield server
        assert server.call("ListFlows")["Flows"], "the server is well"


def start(cf: CloudFlow, name: str = "e") -> bytes:
    """The bytes of a StartExecution."""
    request = signed_request(
        "StartExecution", {"FlowName": "echo", "ExecutionName": name},
        access_key_id=cf.access_key_id, access_key_secret=cf.access_key_secret,
    )  # fmt: skip
    head = f"POST {request.target} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(request.body)}\r\n\r\n".encode() + request.body


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    received = b""
    while more := connection.recv(65536):
        received += more
    return received


def executions(cf: CloudFlow) -> list[str]:
    return [each.name for each in cf.executions("echo")]


def last_call(cf: CloudFlow) -> tuple[int, str | None]:
    call = cf.calls("StartExecution")[-1]
    return call.status, call.transport


@pytest.mark.parametrize("after", [False, True])
def test_reset_is_a_reset(cf: CloudFlow, after: bool) -> None:
    cf.fault(transport="reset", after_operation=after, when={"operation": "StartExecution"}, times=1)
    with connect(cf.url) as connection:
        connection.sendall(start(cf))
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert executions(cf) == (["e"] if after else [])
    assert last_call(cf) == (0, "reset")
    assert parsed(exchange(cf.url, start(cf)))[0] == (400 if after else 200)


@pytest.mark.parametrize("after", [False, True])
def test_close_ends_the_connection_without_a_byte(cf: CloudFlow, after: bool) -> None:
    cf.fault(transport="close", after_operation=after, when={"operation": "StartExecution"}, times=1)
    with connect(cf.url) as connection:
        connection.sendall(start(cf))
        assert everything(connection) == b""
    assert executions(cf) == (["e"] if after else [])
    assert last_call(cf) == (0, "close")


@pytest.mark.parametrize("after", [False, True])
def test_hang_keeps_the_connection_and_says_nothing(cf: CloudFlow, after: bool) -> None:
    cf.fault(transport="hang", after_operation=after, when={"operation": "StartExecution"}, times=1)
    with connect(cf.url, timeout=0.3) as connection:
        connection.sendall(start(cf))
        cf.wait_for_calls("StartExecution", timeout=PATIENCE)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert executions(cf) == (["e"] if after else [])
    assert last_call(cf) == (0, "hang")


def test_whoever_hangs_is_let_go_when_the_server_stops() -> None:
    with CloudFlow({"cfmock": 1, **echo_flow({})}) as cf:
        cf.fault(transport="hang")
        connection = connect(cf.url)
        connection.sendall(start(cf))
        cf.wait_for_calls("StartExecution", timeout=PATIENCE)
        began = time.monotonic()
    assert time.monotonic() - began < 20
    with connection:
        assert everything(connection) == b""


def test_truncate_promises_more_than_it_sends(cf: CloudFlow) -> None:
    cf.fault(transport="truncate", when={"operation": "StartExecution"}, times=1)
    with connect(cf.url) as connection:
        connection.sendall(start(cf))
        head, _, body = everything(connection).partition(HEAD_ONLY)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert 0 < len(body) < length_of(head)
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert executions(cf) == ["e"]
    assert last_call(cf) == (200, "truncate")


def test_garbage_is_a_whole_answer_that_nobody_can_read(cf: CloudFlow) -> None:
    cf.fault(transport="garbage", when={"operation": "StartExecution"}, times=1)
    with connect(cf.url) as connection:
        connection.sendall(start(cf))
        head, _, body = everything(connection).partition(HEAD_ONLY)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert len(body) == length_of(head)
    with pytest.raises(ValueError, match="utf"):
        json.loads(body)
    assert executions(cf) == ["e"]


def test_slow_drips_the_whole_answer(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause lasts here until the client has read what came before it."""
    pauses, pieces, read = [], [], threading.Semaphore()

    async def until_read(edge: http_edge.HttpEdge, seconds: float) -> None:
        pauses.append(seconds)
        while not read.acquire(blocking=False):
            await asyncio.sleep(0.001)

    monkeypatch.setattr(http_edge.HttpEdge, "_sleep", until_read)
    cf.fault(transport="slow", when={"operation": "StartExecution"}, times=1)
    with connect(cf.url) as connection:
        connection.sendall(start(cf))
        while piece := connection.recv(65536):
            pieces.append(piece)
            read.release()
    status, _, body = parsed(b"".join(pieces))
    assert (status, body["Name"]) == (200, "e")
    assert len(pieces) == len(pauses) > 10
    assert sum(pauses) == pytest.approx(http_edge.DRIP, rel=0.1)


def test_a_slow_answer_takes_its_time(cf: CloudFlow) -> None:
    cf.fault(transport="slow", when={"operation": "StartExecution"}, times=1)
    began = time.monotonic()
    assert parsed(exchange(cf.url, start(cf)))[0] == 200
    assert time.monotonic() - began >= 0.4


def test_it_drips_for_five_seconds() -> None:
    assert http_edge.DRIP == 5.0


@pytest.mark.parametrize("transport", ["truncate", "garbage", "slow"])
def test_an_error_answer_is_spoilt_like_any_other(cf: CloudFlow, transport: str) -> None:
    cf.fault(transport=transport, times=1, when={"operation": "StartExecution"})
    with connect(cf.url) as connection:
        connection.sendall(start(cf, "1st"))
        assert everything(connection).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("transport", ["reset", "close"])
def test_a_delay_comes_before_the_break(cf: CloudFlow, transport: str) -> None:
    cf.fault(transport=transport, delay="300ms", times=1)
    began = time.monotonic()
    with connect(cf.url) as connection:
        connection.sendall(start(cf))
        try:
            assert everything(connection) == b""
        except ConnectionResetError:
            assert transport == "reset"
    assert time.monotonic() - began >= 0.3


def test_one_connection_that_breaks_leaves_the_others_alone(cf: CloudFlow) -> None:
    cf.fault(transport="reset", when={"execution": "broken"})
    with connect(cf.url) as good, connect(cf.url) as bad:
        for number in range(3):
            good.sendall(start(cf, f"good-{number}"))
            assert parsed(read_answer(good))[0] == 200
            if number == 0:
                bad.sendall(start(cf, "broken"))
                with pytest.raises(ConnectionResetError):
                    bad.recv(1)


def test_many_broken_connections_leave_nothing_behind(cf: CloudFlow) -> None:
    for transport in ("reset", "close", "truncate", "garbage", "hang"):
        fault = cf.fault(transport=transport, when={"operation": "StartExecution"})
        for number in range(20):
            with connect(cf.url, timeout=0.05) as connection:
                connection.sendall(start(cf, f"{transport}-{number}"))
                try:
                    everything(connection)
                except (ConnectionResetError, TimeoutError):
                    continue
        fault.remove()
    until(lambda: _connections(cf) == 0)
    assert parsed(exchange(cf.url, start(cf, "after-all")))[0] == 200


# -- clients that leave ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "transport"),
    [({"delay": "20s"}, "left"), ({"transport": "slow", "delay": "20s"}, "slow"), ({"transport": "hang"}, "hang")],
    ids=str,
)
def test_a_client_that_gives_up_has_no_answer_and_its_retry_is_audited(
    cf: CloudFlow, fault: dict[str, Any], transport: str
) -> None:
    cf.fault(**fault, when={"operation": "StartExecution"}, times=1)
    with connect(cf.url, timeout=0.3) as connection:
        connection.sendall(start(cf))
        cf.wait_for_calls("StartExecution", timeout=PATIENCE)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    until(lambda: last_call(cf) == (0, transport) and cf._do(lambda c: not c.emulator.monitor._late))
    status = parsed(exchange(cf.url, start(cf, "other")))[0]
    assert status == 200
    assert [each.kind for each in cf.violations] == ["start under a new name"]
    (group,) = cf.retries()
    assert group.codes == (transport, None)
    assert 0.25 < group.spacing[0] < 15
    call = cf._do(lambda control: control.show_call(group.request_ids[0]))
    assert 0.25 < call["delay"] < 15, "how long the client waited"


# -- what an error answer says of coming again -------------------------------------------------------------------------


def headers_of(cf: CloudFlow) -> dict[str, str]:
    return parsed(exchange(cf.url, start(cf)))[1]


@pytest.mark.parametrize(("wish", "told"), [("1500ms", "1500"), (2.007, "2007"), ("0.4ms", "1"), (0, "0")])
def test_retry_after_is_told_in_milliseconds_and_never_shorter(cf: CloudFlow, wish: str | float, told: str) -> None:
    cf.fault(error="InternalServerError", retry_after=wish, times=1)
    headers = headers_of(cf)
    assert headers["x-acs-retry-after"] == told
    assert "x-ratelimit-user" not in headers


def test_a_throttled_call_is_told_the_limit_as_the_gateway_tells_it(cf: CloudFlow) -> None:
    cf.fault(error="ResourceThrottled", retry_after="2s", times=1)
    headers = headers_of(cf)
    assert headers["x-acs-retry-after"] == "2000"
    assert headers["x-ratelimit-user-api"] == headers["x-ratelimit-user"] == "Limit:1,Remain:0,TimeLeft:2000,Reset:2000"
    cf.fault(when={"operation": "StartExecution"}, rate_limit={"per_second": 0.05, "burst": 1})
    headers_of(cf)
    headers = headers_of(cf)
    assert headers["x-ratelimit-user"].startswith("Limit:1,Remain:0,TimeLeft:1")  # of 20 seconds
    assert "x-acs-retry-after" not in headers


def test_the_documented_limits_tell_the_same() -> None:
    with CloudFlow({"cfmock": 1, **echo_flow({})}, rate_limits="documented", clock="virtual") as cf:
        for _ in range(101):
            headers = headers_of(cf)
    assert headers["x-ratelimit-user-api"] == "Limit:100,Remain:0,TimeLeft:10,Reset:10"


def test_an_error_without_a_wish_tells_none(cf: CloudFlow) -> None:
    cf.fault(error="ResourceThrottled", times=1)
    assert not {name for name in headers_of(cf) if name.startswith(("x-acs-retry", "x-ratelimit"))}


def _connections(cf: CloudFlow) -> int:
    def count(control: Any) -> int:
        http = cf._running.server._http
        return len(http.connections) if http is not None else 0

    return cf._do(count)
