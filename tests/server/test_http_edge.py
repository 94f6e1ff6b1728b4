"""What only a socket shows: heads, odd requests, long polls, shutdown."""

from __future__ import annotations

import json
import socket
import ssl
import time
import urllib.parse
from collections.abc import Iterator

import pytest

from cfmock import CloudFlow
from cfmock.api.client import signed_request
from cfmock.server import connections, http_edge, lifecycle
from cfmock.server.admin import http as admin_http
from tests.support.calls import echo_flow
from tests.support.raw import connect, exchange, parsed, read_answer
from tests.support.waiting import until


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow({"cfmock": 1, **echo_flow({"when": {"execution": "open*"}, "status": "Running"}, {})}) as server:
        yield server


def query(cf: CloudFlow, operation: str = "ListFlows", **parameters: str) -> str:
    """A signed query string; the operation must be one that is asked by GET."""
    target = signed_request(
        operation, parameters, access_key_id=cf.access_key_id, access_key_secret=cf.access_key_secret
    ).target
    return target[2:]


def get(target: str, host: str = "127.0.0.1", **headers: str) -> bytes:
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode()


def test_a_success_has_the_gateways_headers_and_none_for_browsers(cf: CloudFlow) -> None:
    status, headers, body = parsed(exchange(cf.url, get(f"/?{query(cf)}")))
    assert status == 200
    assert headers["content-type"] == "application/json;charset=utf-8"
    assert headers["x-acs-request-id"] == body["RequestId"]
    assert headers.keys() == {"date", "content-type", "content-length", "connection", "x-acs-request-id"}
    assert "Code" not in body


@pytest.mark.parametrize("host", ["http://127.0.0.1:80", "cn-hangzhou.fnf.aliyuncs.com", "[::1]:80", "a b", ""])
def test_any_host_is_served(cf: CloudFlow, host: str) -> None:
    assert parsed(exchange(cf.url, get(f"/?{query(cf)}", host=host)))[0] == 200


@pytest.mark.parametrize(
    "start", ["http://cn-hangzhou.fnf.aliyuncs.com/?", "http://cn-hangzhou.fnf.aliyuncs.com?", "/?"]
)
def test_a_target_may_be_absolute(cf: CloudFlow, start: str) -> None:
    assert parsed(exchange(cf.url, get(start + query(cf))))[0] == 200


def test_a_query_may_have_many_kilobytes(cf: CloudFlow) -> None:
    wide = query(cf, "DescribeFlow", Name="echo", Padding="x" * 200_000)
    assert parsed(exchange(cf.url, get(f"/?{wide}")))[0] == 200


def test_a_query_over_the_size_limit_is_too_large(cf: CloudFlow) -> None:
    wide = query(cf, "DescribeFlow", Name="echo", Padding="x" * 1_100_000)
    status, _, body = parsed(exchange(cf.url, get(f"/?{wide}")))
    assert (status, body["Code"]) == (400, "EntityTooLarge")
    assert body["Message"] == "The payload size exceeds maximum allowed size (1048576 bytes)."


def test_a_body_over_the_size_limit_is_read_and_then_refused(cf: CloudFlow) -> None:
    size = 3_000_000
    head = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
    status, _, body = parsed(exchange(cf.url, head.encode() + b"x" * size))
    assert (status, body["Code"]) == (400, "EntityTooLarge")


def test_a_long_line_that_is_no_http_costs_no_more_than_a_short_one(cf: CloudFlow) -> None:
    """Looked through twice over, it would take a minute."""
    before = time.process_time()
    for line in (b"FOO /" + b"a" * 60_000 + b" HTTX/1.1", b"FOO /?" + b"a" * 60_000 + b" HTTX/1.1"):
        status, _, body = parsed(exchange(cf.url, line + b"\r\nHost: h\r\n\r\n"))
        assert (status, body["Code"]) == (400, "InvalidArgument")
    assert time.process_time() - before < 5


def test_a_client_that_speaks_https_is_warned_of_once(cf: CloudFlow) -> None:
    for _ in range(3):
        with pytest.raises(ssl.SSLError), connect(cf.url) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")
    assert list(cf.warnings) == [connections.SPEAKS_HTTPS]
    assert not cf.calls()
    cf.reset()
    assert not cf.warnings


def test_a_chunked_body_is_a_body(cf: CloudFlow) -> None:
    form = query(cf, "ListFlows").encode()
    # ListFlows is signed as a GET; as a form it is a POST, so its signature must not match: the form was read.
    half = len(form) // 2
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (form[:half], form[half:], b""))
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, _, body = parsed(exchange(cf.url, head + chunks))
    assert (status, body["Code"]) == (403, "SignatureNotMatch")


def test_who_expects_100_continue_is_told_to_go_on(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"A=1")
        assert parsed(read_answer(connection))[2]["Code"] == "MissingRequiredParams"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"PUT / HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"DELETE /?Action=ListFlows HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"BREW /?Action=ListFlows HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"get / HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: http://evil\r\n\r\n", "AccessDenied"),
        (b"OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"GET /_cfmockery HTTP/1.1\r\nHost: h\r\n\r\n", "ActionNotSupported"),
        (b"GET / HTTP/1.1\r\n\r\n", "InvalidArgument"),
        (b"nonsense\r\n\r\n", "InvalidArgument"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", "InvalidArgument"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n", "InvalidArgument"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "InvalidArgument"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "MissingRequiredParams"),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx",
            "UnsupportedMediaType",
        ),
    ],
)
def test_every_refusal_is_a_json_object_with_a_code(cf: CloudFlow, data: bytes, code: str) -> None:
    status, headers, body = parsed(exchange(cf.url, data))
    assert status >= 400
    assert body["Code"] == code
    assert all(isinstance(body[name], str) for name in ("RequestId", "HostId", "Message"))
    assert headers["x-acs-request-id"] == body["RequestId"]
    assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize("late", [False, True])
def test_a_body_that_cannot_be_unpacked_is_an_invalid_argument(
    cf: CloudFlow, caplog: pytest.LogCaptureFixture, late: bool
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 11\r\n"
    with connect(cf.url) as connection:
        if late:
            connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"not gzipped")
        else:
            connection.sendall(head + b"\r\nnot gzipped")
        status, _, body = parsed(read_answer(connection))
        assert (status, body["Code"]) == (400, "InvalidArgument")
        assert connection.recv(1) == b""
    assert not caplog.records


def test_a_head_request_gets_no_body(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        received = b""
        while more := connection.recv(65536):
            received += more
    assert received.startswith(b"HTTP/1.1 400")
    assert received.endswith(b"\r\n\r\n")


def test_a_mistake_of_ours_is_an_internal_server_error_and_the_next_call_is_answered(
    cf: CloudFlow, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from cfmock.service import dispatch

    def broken(world: object, **arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(dispatch, "HANDLERS", {**dispatch.HANDLERS, "ListFlows": broken})
    status, _, body = parsed(exchange(cf.url, get(f"/?{query(cf)}")))
    assert (status, body["Code"]) == (500, "InternalServerError")
    assert "bug" not in json.dumps(body)
    assert "a bug" in caplog.text
    monkeypatch.undo()
    assert parsed(exchange(cf.url, get(f"/?{query(cf)}")))[0] == 200


def test_a_connection_is_kept(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        for _ in range(3):
            connection.sendall(get(f"/?{query(cf)}"))
            assert parsed(read_answer(connection))[0] == 200


def test_pipelined_requests_are_answered_in_order(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        connection.sendall(get("/one") + get("/two"))
        received = b""
        while received.count(b'"Code"') < 2:
            received += connection.recv(65536)
    assert received.index(b"GET /one") < received.index(b"GET /two")


def test_a_long_poll_is_answered_before_its_time_is_over(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a little: which is made most of its time here, so that a poll of a minute is answered in a moment."""
    assert http_edge.EARLY > 0
    monkeypatch.setattr(http_edge, "EARLY", 59.9)
    cf.call("StartExecution", FlowName="echo", ExecutionName="open")
    found = cf.call("DescribeExecution", FlowName="echo", ExecutionName="open", WaitTimeSeconds=60)
    assert found["Status"] == "Running"
    assert 0.05 < cf.calls("DescribeExecution")[0].duration < 50


def asking(cf: CloudFlow, connection: socket.socket) -> None:
    """Ask for an execution that has not ended, with a wait of a minute; back when the server lets it wait."""
    cf.call("StartExecution", FlowName="echo", ExecutionName="open")
    asked = query(cf, "DescribeExecution", FlowName="echo", ExecutionName="open", WaitTimeSeconds="60")
    connection.sendall(get(f"/?{asked}"))
    until(lambda: _waiting(cf) == 1)


def test_a_long_poll_ends_with_the_execution(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        asking(cf, connection)
        cf.call("StopExecution", FlowName="echo", ExecutionName="open")
        assert parsed(read_answer(connection))[2]["Status"] == "Stopped"
    assert cf.calls("DescribeExecution")[0].duration < 50


def test_a_client_that_leaves_a_long_poll_is_forgotten(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        asking(cf, connection)
    until(lambda: _waiting(cf) == 0)


def test_stopping_answers_a_long_poll_at_once() -> None:
    with CloudFlow({"cfmock": 1, **echo_flow({"status": "Running"})}) as cf:
        connection = connect(cf.url)
        asking(cf, connection)
    with connection:  # all that came, it came before the server had stopped
        assert parsed(read_answer(connection))[2]["Status"] == "Running"


def test_stopping_answers_who_waits_for_calls_and_gives_up_on_half_a_request() -> None:
    with CloudFlow() as cf:
        waiting, half = connect(cf.url), connect(cf.url)
        waiting.sendall(get("/_cfmock/calls?wait=60s&count=9"))
        half.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx")
        until(lambda: cf._do(lambda control: len(control.emulator.journal.listeners) == 1))
        cf.call("ListFlows")
        begun = time.monotonic()
    with waiting, half:
        assert time.monotonic() - begun < 20, "an open connection is kept for 75 seconds"
        assert [call["operation"] for call in parsed(read_answer(waiting))[2]["calls"]] == ["ListFlows"]
        assert half.recv(1) == b""


def test_so_many_may_wait_for_calls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_http, "MAX_WAITING", 1)
    with CloudFlow() as cf, connect(cf.url) as first, connect(cf.url) as second:
        first.sendall(get("/_cfmock/calls?wait=60s"))
        until(lambda: cf._do(lambda control: len(control.emulator.journal.listeners) == 1))
        second.sendall(get("/_cfmock/calls?wait=60s"))
        status, _, answer = parsed(read_answer(second))
        assert (status, answer) == (503, {"error": "1 requests wait for calls already"})
        cf.call("ListFlows")
        assert parsed(read_answer(first))[0] == 200
        second.sendall(get("/_cfmock/calls?wait=60s"))
        assert parsed(read_answer(second))[0] == 200


def test_what_is_in_flight_gets_less_than_the_two_seconds_that_stopping_may_take() -> None:
    assert 2 * lifecycle.DRAIN < 2


def test_a_port_in_use_is_said_plainly(cf: CloudFlow) -> None:
    from cfmock import SettingsError

    port = urllib.parse.urlsplit(cf.url).port
    with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1 port {port}"), CloudFlow(port=port or 0):
        pass


def test_it_listens_on_loopback_only(cf: CloudFlow) -> None:
    addresses = {address[4][0] for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    port = urllib.parse.urlsplit(cf.url).port or 0
    for address in addresses - {"127.0.0.1"}:
        if not str(address).startswith("127."):
            with pytest.raises(OSError):
                socket.create_connection((str(address), port), timeout=1)


def _waiting(cf: CloudFlow) -> int:
    return cf._do(
        lambda control: sum(bool(live.waiters) for world in control.emulator.worlds for live in world.lives())
    )


def test_a_long_execution_on_a_virtual_clock_is_served_in_slices_to_its_end() -> None:
    """The clock stands still; the server still gets to answer in between, and the execution to go on."""
    loop = "{Type: StateMachine, SpecVersion: v1, Name: f, StartAt: A, States: [{Type: Pass, Name: A, Next: A}]}"
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f", "definition": loop}]}, clock="virtual") as cf:
        cf.call("StartExecution", FlowName="f", ExecutionName="e1")
        until(lambda: cf.call("DescribeExecution", FlowName="f", ExecutionName="e1")["Status"] != "Running")
        (execution,) = cf.executions("f")
        assert (execution.status, len(execution.events)) == ("Failed", 5000)
