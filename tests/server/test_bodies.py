"""Bodies, and clients that send more than they read: what a server keeps of them is bounded."""

from __future__ import annotations

import contextlib
import gc
import gzip
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cfmock import CloudFlow
from cfmock.emulator.pipeline import Pipeline
from cfmock.protocol.wire.messages import Request
from cfmock.server import bodies, descriptors
from cfmock.server.admin import http
from tests.support.calls import echo_flow, make_service
from tests.support.raw import connect, exchange, parsed, read_answer
from tests.support.waiting import until

ECHO = "version: v1\ntype: flow\nsteps: [{type: pass, name: P}]\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
LIMIT = 1_048_576


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that come to the emulator."""
    found: list[Request] = []
    handle = Pipeline.handle

    def noted(self: Pipeline, request: Request, *more: Any) -> Any:
        found.append(request)
        return handle(self, request, *more)

    monkeypatch.setattr(Pipeline, "handle", noted)
    return found


@pytest.fixture
def cf(handled: list[Request]) -> Iterator[CloudFlow]:
    with CloudFlow({"cfmock": 1, **echo_flow({})}, auth="off") as server:
        yield server


def head(size: int, extra: str = FORM) -> bytes:
    return f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n{extra}\r\n".encode()


def chunked(size: int, extra: str = FORM) -> Iterator[bytes]:
    yield f"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n{extra}\r\n".encode()
    for start in range(0, size, 60_000):
        part = b"x" * min(60_000, size - start)
        yield f"{len(part):x}\r\n".encode() + part + b"\r\n"
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("size", [LIMIT + 1, 3_000_000])
@pytest.mark.parametrize("encoding", ["length", "chunked", "gzip"])
def test_of_a_body_over_the_limit_nothing_is_kept(
    cf: CloudFlow, handled: list[Request], size: int, encoding: str
) -> None:
    if encoding == "chunked":
        data = b"".join(chunked(size))
    else:
        body = b"x" * size if encoding == "length" else gzip.compress(b"x" * size)
        data = head(len(body), FORM + ("Content-Encoding: gzip\r\n" if encoding == "gzip" else "")) + body
    status, headers, answer = parsed(exchange(cf.url, data))
    assert (status, answer["Code"], headers["connection"]) == (400, "EntityTooLarge", "keep-alive")
    (request,) = handled
    assert (request.body, request.dropped) == (b"", size)


def test_a_body_of_the_limit_is_kept_whole(cf: CloudFlow, handled: list[Request]) -> None:
    size = LIMIT - len("/")
    exchange(cf.url, head(size) + b"x" * size)
    (request,) = handled
    assert (len(request.body), request.dropped) == (size, 0)


def test_a_body_without_end_is_cut_off(cf: CloudFlow, handled: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_COUNTED", 2_000_000)
    from cfmock.server import http_edge

    monkeypatch.setattr(http_edge, "MAX_COUNTED", 2_000_000)
    with connect(cf.url) as connection:
        connection.sendall(head(10**12) + b"x" * 2_200_000)
        _, headers, answer = parsed(read_answer(connection))
    assert (answer["Code"], headers["connection"]) == ("EntityTooLarge", "close")
    assert handled[0].body == b""


def test_bodies_that_are_being_read_have_a_bound_together(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD", 250_000)
    with connect(cf.url) as first, connect(cf.url) as second:
        for connection in (first, second):
            connection.sendall(head(200_000) + b"x" * 120_000)
        edge: Any = cf._running.server.edge
        until(lambda: edge.bodies.held == 240_000)
        status, headers, answer = parsed(exchange(cf.url, head(200_000) + b"x" * 120_000))
        assert (status, answer["Code"], headers["connection"]) == (429, "ResourceThrottled", "close")
        first.sendall(b"x" * 0)
        first.shutdown(socket.SHUT_WR)
        until(lambda: edge.bodies.held == 120_000)
        assert parsed(exchange(cf.url, head(100_000) + b"x" * 100_000))[0] == 400  # read whole, and no call
    until(lambda: edge.bodies.held == 0)


def test_a_client_that_reads_no_answers_is_not_served_on(cf: CloudFlow, handled: list[Request]) -> None:
    call = b"GET /?Action=ListFlows&Version=2019-03-15 HTTP/1.1\r\nHost: h\r\n\r\n"
    with connect(cf.url) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        sent, last, quiet = 0, 0, 0
        while quiet < 100:  # nothing more fits between client and server, and the server does nothing more
            try:
                sent += connection.send(call * 1000)
                quiet = 0
            except BlockingIOError:
                time.sleep(0.01)
                quiet = quiet + 1 if len(handled) == last else 0
                last = len(handled)
        assert len(handled) < sent // len(call)


def test_an_error_leaves_nothing_for_the_garbage_collector() -> None:
    service = make_service(echo_flow({}))
    body = b"Action=NoSuch&Version=2019-03-15&Padding=" + b"x" * 10_000
    gc.collect()
    gc.disable()
    try:
        before = sys.getrefcount(body)
        service.emulator.handle(Request("POST", "/", {}, body))
        service.emulator.journal.forget()
        assert sys.getrefcount(body) == before
    finally:
        gc.enable()


# -- the admin API -------------------------------------------------------------------------------------------------------


def admin(cf: CloudFlow, data: bytes, extra: str = "") -> tuple[int, dict[str, Any]]:
    start = f"POST /_cfmock/fixtures HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
    status, _, answer = parsed(exchange(cf.url, start.encode() + data))
    return status, answer


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_cannot_be_unpacked_is_the_clients_mistake(cf: CloudFlow, packing: str) -> None:
    status, answer = admin(cf, b"no packed body at all", f"Content-Encoding: {packing}\r\n")
    assert status == 400
    assert answer.keys() & {"error", "Code"}, "of what aiohttp itself cannot unpack the path is not known"


def test_a_document_has_a_bound_too(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1000)
    assert admin(cf, b'{"cfmock": 1}' + b" " * 1000) == (400, {"error": "the body is larger than 1000 bytes"})


def test_a_body_that_cannot_be_unpacked_behind_an_answer_is_no_mistake_of_ours(
    cf: CloudFlow, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is there before its body is; what is wrong with that is found when the rest of it is dropped."""
    head = "POST /_cfmock/nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Encoding: gzip\r\nContent-Length: 60\r\n\r\n"
    with connect(cf.url) as connection:
        connection.sendall(head.encode())
        assert parsed(read_answer(connection))[0] == 404
        connection.sendall(gzip.compress(b"x" * 100)[:10] + b"\xff" * 50)
        assert connection.recv(100) == b""
    assert caplog.messages == []


# -- heads, requests that wait, connections ----------------------------------------------------------------------------------


def held(cf: CloudFlow) -> int:
    """Bytes that the server keeps of all connections."""
    edge: Any = cf._running.server.edge
    return int(edge.bodies.held)


def test_heads_that_do_not_end_have_a_bound_together(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MAX_HELD", 250_000)
    begun = b"GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + b"x" * 120_000
    with connect(cf.url) as first, connect(cf.url) as second, connect(cf.url) as third:
        for connection in (first, second):
            connection.sendall(begun)
        until(lambda: held(cf) == 2 * len(begun))
        third.sendall(begun)
        status, headers, answer = parsed(read_answer(third))
        assert (status, answer["Code"], headers["connection"]) == (429, "ResourceThrottled", "close")
        assert cf.call("ListFlows")["Flows"]
        first.sendall(b"\r\n\r\n")
        assert parsed(read_answer(first))[0] == 400  # read whole, and no call
        until(lambda: held(cf) == len(begun))
    until(lambda: held(cf) == 0)


def test_a_head_in_many_pieces_counts(cf: CloudFlow) -> None:
    with connect(cf.url) as connection:
        for piece in (b"GET / HTTP/1.1\r\n", b"Host: h\r\n", b"X: ", b"x" * 100):
            connection.sendall(piece)
            time.sleep(0.01)
        until(lambda: held(cf) >= 100)
        connection.sendall(b"\r\n\r\n")
        read_answer(connection)
        until(lambda: held(cf) == 0)


def test_requests_count_until_they_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = {"Type": "Wait", "Name": "A", "Seconds": 250, "End": True}
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "A", "States": [waits]}
    monkeypatch.setattr(bodies, "MAX_HELD", 250_000)
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f", "definition": definition}]}, auth="off") as cf:
        cf.call("StartExecution", FlowName="f", ExecutionName="e")
        target = b"/?Action=DescribeExecution&Version=2019-03-15&FlowName=f&ExecutionName=e&WaitTimeSeconds=50"
        poll = head(100_000).replace(b"POST /", b"POST " + target, 1) + b"x=" + b"y" * 99_998
        with connect(cf.url) as first, connect(cf.url) as second:
            for connection in (first, second):
                connection.sendall(poll)
            edge: Any = cf._running.server.edge
            until(lambda: len(edge._pending) == 2)
            assert held(cf) == 200_000
            status, _, answer = parsed(exchange(cf.url, poll))
            assert (status, answer["Code"]) == (429, "ResourceThrottled")
        until(lambda: held(cf) == 0)


def test_answers_that_nobody_reads_have_a_bound_together(
    cf: CloudFlow, handled: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    cf.call("CreateFlow", Name="large", Type="FDL", Description="d" * 900_000, Definition=ECHO)
    monkeypatch.setattr(bodies, "MAX_HELD", 300_000)  # what is written ahead is 64 KiB or more of each
    call = b"GET /?Action=DescribeFlow&Version=2019-03-15&Name=large HTTP/1.1\r\nHost: h\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for connection in [stack.enter_context(connect(cf.url)) for _ in range(8)]:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(call * 8)  # what the system keeps for them is not ours
        server: Any = cf._running.server._http
        until(lambda: len(handled) > 8 and len(server.connections) <= 4)
        assert cf.call("ListFlows")["Flows"]
    until(lambda: not server.connections)
    assert held(cf) == 0


def test_there_is_a_bound_on_connections(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(descriptors, "MAX_CONNECTIONS", 3)
    with contextlib.ExitStack() as stack:
        first, *_ = [stack.enter_context(connect(cf.url)) for _ in range(3)]
        server: Any = cf._running.server._http
        until(lambda: len(server.connections) == 3)
        with connect(cf.url) as fourth, connect(cf.url) as fifth, contextlib.suppress(ConnectionError):
            assert (fourth.recv(1), fifth.recv(1)) == (b"", b"")
        first.sendall(b"GET /?Action=ListFlows&Version=2019-03-15 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert parsed(read_answer(first))[0] == 200
    assert [each.getMessage() for each in caplog.records if "connections" in each.getMessage()] == [
        "3 connections are open, and no more are taken until some close"
    ]
