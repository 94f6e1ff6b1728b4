"""The fast way in: it answers as the other does, byte for byte; what it does not take, and what that leaves behind."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import aiohttp.http_parser
import pytest
from aiohttp import web
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from cfmock.observe.call_record import CallRecord
from cfmock.server import fast_way
from cfmock.server.connections import HttpServer
from cfmock.server.turns import LARGE
from tests.fuzz import inputs
from tests.fuzz.targets import Renewed, Wire

FORM = "Content-Type: application/x-www-form-urlencoded"


def request(
    target: str = "/?Action=ListFlows&Version=2019-03-15", *headers: str, method: str = "GET", body: bytes | None = None,
    version: str = "1.1",
) -> bytes:  # fmt: skip
    lines = [f"{method} {target} HTTP/{version}", "Host: 127.0.0.1", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def call(action: str, *headers: str, **parameters: str) -> bytes:
    """A POST as the vendor's Python SDK makes it."""
    form = inputs.encoded(parameters).encode()
    return request(f"/?Action={action}&Version=2019-03-15", FORM, *headers, method="POST", body=form)


LIST = request()
START = call("StartExecution", FlowName="f", ExecutionName="e1", Input='{"a": 1}')
DESCRIBE = request("/?Action=DescribeExecution&Version=2019-03-15&FlowName=f&ExecutionName=e1")
LARGE_START = call("StartExecution", FlowName="f", ExecutionName="e2", Input='{"a": "' + "x" * 2 * LARGE + '"}')
CHUNKED = (
    request("/", FORM, "Transfer-Encoding: chunked", method="POST") + b"c\r\nAction=ListF\r\n4\r\nlows\r\n0\r\n\r\n"
)

PLAIN = {
    "get": [LIST],
    "post": [START],
    "post twice": [START, START],
    "head and body apart": [START[:-30], START[-30:]],
    "body byte by byte": [START[:-9], *(START[at : at + 1] for at in range(len(START) - 9, len(START)))],
    "no flow": [call("StartExecution", FlowName="nowhere")],
    "unknown path": [request("/nowhere")],
    "absolute target": [request("http://cn-hangzhou.fnf.aliyuncs.com/?Action=ListFlows&Version=2019-03-15")],
    "empty body": [request(method="POST", body=b"")],
    "json": [request("/", "Content-Type: application/json", method="POST", body=b'{"Action": "ListFlows"}')],
    "no JSON": [request("/", "Content-Type: application/json", method="POST", body=b"{")],
    "bytes that are no UTF-8": [request("/?Action=%ff", "x-odd: \xff", FORM, method="POST", body=b"A=%ff\xff")],
    "header twice": [request("/", "x-acs-action: A", "x-acs-action: B")],
    "blanks around values": [request("/", "x-acs-action:   ListFlows  \t", "x-acs-version:2019-03-15")],
    "bodies of other kinds": [request("/", "Content-Type: text/plain", method="POST", body=b"x")],
    "much at once": [START] * 40,
    "the same head, and other targets": [
        request(f"/?Action={name}&Version=2019-03-15") for name in ("ListFlows", "No", "%41")
    ],
    "the same head, and odd targets": [
        request(f"{target}?Action=ListFlows") for target in ("/", "//", "/a/../", "/;", "/?")
    ],
}
"""What the fast way answers by itself, request by request."""

OTHERS = {
    "pipelined": [LIST * 3 + START],
    "pipelined behind a body": [START + LIST],
    "more behind a held body": [START[:-5], START[-5:] + LIST],
    "half a request behind one": [LIST + LIST[:20], LIST[20:]],
    "chunked": [CHUNKED, LIST],
    "chunked and pipelined": [CHUNKED + LIST, LIST],
    "half a head": [LIST[:30], LIST[30:], LIST],
    "head byte by byte": [*(LIST[at : at + 1] for at in range(len(LIST))), LIST],
    "large": [LARGE_START, LIST],
    "large in parts": [LARGE_START[:300], LARGE_START[300:9000], LARGE_START[9000:], LIST],
    "large and pipelined": [LARGE_START + LIST, LIST],
    "large, and more behind its last part": [LARGE_START[:9000], LARGE_START[9000:] + LIST, LIST],
    "too large": [request("/", FORM, method="POST", body=b"x" * 1_100_000), LIST],
    "large head": [request("/?X=" + "x" * 2 * LARGE), LIST],
    "Expect": [call("ListFlows", "Expect: 100-continue"), LIST],
    "Expect, and the body later": [call("ListFlows", "Expect: 100-continue", A="1")[:-3], b"A=1", LIST],
    "HTTP/1.0": [request(version="1.0"), LIST],
    "HTTP/1.0 that stays": [request("/", "Connection: keep-alive", version="1.0"), LIST],
    "close": [request("/", "Connection: close"), LIST],
    "HEAD": [request(method="HEAD"), LIST],
    "PUT": [request(method="PUT", body=b"x"), LIST],
    "a method of nobody": [request(method="BREW"), LIST],
    "OPTIONS": [request("*", method="OPTIONS"), LIST],
    "CONNECT": [request("h:1", method="CONNECT"), LIST],
    "page": [request("/", "Origin: http://evil"), LIST],
    "page of its own": [request("/?Action=ListFlows", "Sec-Fetch-Site: same-origin"), LIST],
    "admin": [request("/_cfmock/health"), LIST],
    "looks like admin": [request("/_cfmockery"), request("/?Action=/_cfmock/"), LIST],
    "compressed": [request("/", "Content-Encoding: gzip", method="POST", body=b"not gzipped"), LIST],
    "compressed as nobody does": [request("/", "Content-Encoding: zip", method="POST", body=b"A=1"), LIST],
    "upgrade": [request("/", "Connection: Upgrade", "Upgrade: websocket"), LIST],
    "upgrade to HTTP/2": [request("/", "Connection: Upgrade", "Upgrade: h2c"), LIST],
    "empty lines before": [b"\r\n\r\n" + LIST, LIST],
    "empty lines, and a length that fits": [b"\r\n\r\n" + request("/", "Content-Length: 55"), LIST],
    "no host": [b"GET / HTTP/1.1\r\n\r\n", LIST],
    "length that is none": [request("/", "Content-Length: +1") + b"x", LIST],
    "two lengths": [request("/", "Content-Length: 1", "Content-Length: 1") + b"x", LIST],
    "length and chunks": [request("/", "Content-Length: 1", "Transfer-Encoding: chunked") + b"0\r\n\r\n", LIST],
    "bare line ends": [LIST.replace(b"\r\n", b"\n"), LIST],
    "nonsense": [b"\x16\x03\x01\x02\x00\r\n\r\n", LIST],
    "too many headers": [request("/", *(f"x-{number}: 1" for number in range(200))), LIST],
    "folded header": [request("/", "x-a: 1\r\n 2"), LIST],
}  # fmt: skip
"""What it leaves to aiohttp, all of it or in part; behind most of them a plain request on the same connection."""


def unlike(answers: bytes) -> bytes:
    """Answers without what differs from one second to the next."""
    return re.sub(rb"Date: [^\r]*", b"Date: now", answers)


class Pair:
    """A server with the fast way in, and one without, that have seen the same."""

    def __init__(self) -> None:
        self.fast, self.slow = Wire(), Wire(HttpServer)

    def __call__(self, *parts: bytes) -> bytes:
        """What both answer, which is the same."""
        fast, slow = (
            unlike(wire.loop.run_until_complete(self._served(wire, parts))) for wire in (self.fast, self.slow)
        )
        assert fast == slow
        return fast

    async def _served(self, wire: Wire, parts: Iterable[bytes]) -> bytes:
        wire.http.edge.emulator.shared.ids.seed(1)  # whatever came before
        return await wire.serve(*parts)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    for wire in (made.fast, made.slow):
        wire.loop.close()


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What aiohttp gets to read."""
    seen: list[bytes] = []
    original = web.RequestHandler.data_received

    def data_received(self: web.RequestHandler[Any], data: bytes) -> None:
        seen.append(data)
        original(self, data)

    monkeypatch.setattr(web.RequestHandler, "data_received", data_received)
    return seen


@pytest.mark.parametrize("parts", PLAIN.values(), ids=PLAIN)
def test_plain_requests_are_answered_the_same_and_without_aiohttp(
    pair: Pair, passed_on: list[bytes], parts: list[bytes]
) -> None:
    assert pair(*parts).startswith(b"HTTP/1.1 ")
    passed_on.clear()
    pair.fast.loop.run_until_complete(pair.fast.serve(*parts))
    assert passed_on == []
    pair.slow.loop.run_until_complete(pair.slow.serve(*parts))  # both have seen the same


@pytest.mark.parametrize("parts", OTHERS.values(), ids=OTHERS)
def test_all_others_are_answered_as_without_it(pair: Pair, parts: list[bytes]) -> None:
    pair(*parts)


pairs = Renewed(Pair)
TIMED = re.compile(rb"/_cfmock/(?:fixtures|calls|metrics|flows|executions)")
"""What is worked out in another thread, or tells how long things took: no two answers of it are the same."""


@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(inputs.CONNECTIONS, st.lists(st.integers(0, 400), max_size=3), st.sampled_from([b"", LIST, START]))
def test_whatever_comes_in_whatever_parts_is_answered_the_same(data: bytes, cuts: list[int], then: bytes) -> None:
    assume(TIMED.search(data) is None)
    at = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pairs()(*(data[start:end] for start, end in itertools.pairwise(at)), then)


@pytest.mark.parametrize("before", ["large", "large in parts", "page", "HEAD", "Expect, and the body later", "admin"])
def test_a_connection_comes_back_to_the_fast_way(pair: Pair, passed_on: list[bytes], before: str) -> None:
    pair(*OTHERS[before][:-1])
    passed_on.clear()
    pair(*OTHERS[before])
    assert passed_on.count(LIST) == 1, "that of the server without it"


def test_an_answer_that_has_to_wait_is_handed_over(pair: Pair) -> None:
    fault = b'{"error": "InternalServerError", "delay": "10ms", "times": 1}'
    pair(request("/_cfmock/faults", "Content-Type: application/json", method="POST", body=fault))

    async def answered(wire: Wire) -> bytes:
        made = []
        protocol = wire.http()
        transport = Sink(made.append)
        protocol.connection_made(transport)
        await asyncio.sleep(0)
        protocol.data_received(LIST)
        while not made:
            await asyncio.sleep(0.001)
        protocol.data_received(LIST)
        while len(made) < 2:
            await asyncio.sleep(0.001)
        protocol.connection_lost(None)
        return unlike(b"".join(made))

    fast, slow = (wire.loop.run_until_complete(answered(wire)) for wire in (pair.fast, pair.slow))
    assert fast == slow
    assert b"InternalServerError" in fast
    assert fast.count(b"HTTP/1.1 ") == 2


class Sink(asyncio.Transport):
    """A client that takes what it gets."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.write = write  # type: ignore[assignment]
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_answers_leave_a_few_at_once_and_before_anything_else_is_read() -> None:
    async def sent() -> tuple[list[int], list[int]]:
        written: list[int] = []
        protocols = [wire.http() for _ in range(fast_way.TOGETHER + 2)]
        for number, protocol in enumerate(protocols):
            protocol.connection_made(Sink(lambda data, number=number: written.append(number)))  # type: ignore[misc]
        await asyncio.sleep(0)
        for protocol in protocols:
            protocol.data_received(LIST)
        at_once = list(written)
        asyncio.get_running_loop().call_soon(written.append, -1)
        await asyncio.sleep(0)
        return at_once, written

    wire = Wire()
    at_once, written = wire.loop.run_until_complete(sent())
    wire.loop.close()
    everybody = list(range(fast_way.TOGETHER + 2))
    assert at_once == everybody[:-2]
    assert written == [*everybody, -1]


def test_of_a_client_that_leaves_what_was_handed_over_is_let_go(pair: Pair) -> None:
    wait = request("/?Action=DescribeExecution&Version=2019-03-15&FlowName=f&ExecutionName=open&WaitTimeSeconds=9")
    edge = pair.fast.http.edge
    pair(call("StartExecution", FlowName="f", ExecutionName="open"))
    found: list[CallRecord] = []

    async def leave() -> None:
        protocol = pair.fast.http()
        protocol.connection_made(Sink(lambda data: None))
        await asyncio.sleep(0)
        edge.emulator.journal.listeners.append(found.append)
        protocol.data_received(wait)
        assert protocol.begun is not None
        protocol.connection_lost(None)
        await asyncio.sleep(0)
        edge.emulator.journal.listeners.remove(found.append)

    pair.fast.loop.run_until_complete(leave())
    pair.slow.loop.run_until_complete(pair.slow.serve(wait))
    assert [(each.operation, each.transport) for each in found] == [("DescribeExecution", "left")]


def test_a_mistake_of_ours_is_answered_and_closes_the_connection(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    for wire in (pair.fast, pair.slow):
        monkeypatch.setattr(wire.http.edge, "take", broken)
    answers = pair(LIST, LIST)
    assert answers.count(b"HTTP/1.1 500 ") == 1
    assert b"Connection: close" in answers
    assert "a bug" in caplog.text


def test_an_idle_connection_is_closed_in_the_end() -> None:
    async def closed() -> bool:
        protocol, sink = wire.http(), Sink(lambda data: None)
        protocol._keepalive_timeout = 0.01
        protocol.connection_made(sink)
        await asyncio.sleep(0)
        protocol.data_received(LIST)
        assert not sink.closed
        for _ in range(1000):
            await asyncio.sleep(0.005)
            if sink.closed:
                break
        return sink.closed

    wire = Wire()
    assert wire.loop.run_until_complete(closed())
    wire.loop.close()


def test_where_aiohttp_is_made_another_way_it_reads_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fast_way.is_possible()
    for name, other in (
        ("_INSIDE", frozenset({"_nowhere"})),
        ("HttpRequestParser", aiohttp.http_parser.HttpRequestParserPy),
        ("HttpRequestParser", type("Other", (), {"__module__": "aiohttp._http_parser"})),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(fast_way, name, other)
            assert not fast_way.is_possible()
            wire = Wire()
            assert type(wire.http) is HttpServer
            wire.loop.close()
