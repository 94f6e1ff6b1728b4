"""The fast way in: a request that is whole, small and plain is answered where its bytes arrive.

aiohttp makes a stream for the body, a writer, a request object and two turns of a task of every request. Here its C parser
reads the bytes in `data_received`, heads that differ only in their targets are known again, and the answer leaves at once:
40 of some 110 us of a call are saved, which is 1.6 times as many calls (DescribeExecution and a canned StartExecution from
bytes to bytes, without the kernel; Python 3.13, aiohttp 3.14.5, asyncio). Sent a few at a time, answers wake fewer clients.

What is answered here, aiohttp's own protocol never sees; all else it gets as it came, for the parser here is another one:
heads over 16 KiB, chunked or compressed bodies, pipelined requests, HTTP/1.0, `Expect`, `Connection: close`, calls of pages and
of the admin API, what is malformed, and clients that do not read. A call whose answer has to wait, or is spoilt by a fault, is
handed over with what has come of it so far. Only the reading is done here: every byte of an answer is `http_edge`'s.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import HttpProcessingError

from cfmock.protocol.wire.messages import Reply, Request, Transport
from cfmock.server.connections import HttpServer, Protocol
from cfmock.server.http_edge import ADMIN, Begun, HttpEdge
from cfmock.server.raw_response import head
from cfmock.server.state_writer import StateWriter
from cfmock.server.turns import HEAVY, LARGE

TOGETHER = 16
"""Answers that are sent at once. With more of them at a time, clients would only wait longer."""

THEIRS = -1
"""In place of a number of bytes: aiohttp reads this connection from here to its end."""

_EXPECT, _ORIGIN, _LENGTH, _SITE = hdrs.EXPECT, hdrs.ORIGIN, hdrs.CONTENT_LENGTH, "Sec-Fetch-Site"
_METHODS = frozenset(("GET", "POST"))
_TARGET = re.compile(rb"/(?:\?[0-9A-Za-z_.~&=+%-]*)?\Z")
"""Targets that the parser reads alike in any place: that of nearly every call."""

MAX_HEADS = 64
"""Heads that are known, each without its target."""

LONGEST_HEAD = 2_048  # bytes of one


class Head(NamedTuple):
    """The head of a request without its target. `length`: bytes of the body; `plain`: such a request may be answered here."""

    method: str
    headers: Mapping[str, str]
    length: int
    plain: bool


class Heads:
    """Reads heads of requests, for all connections of a server. A client's heads differ in little but their targets, so what
    was read last is known again."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self._parser: HttpRequestParser | None = None

    def read(self, data: bytes, end: int) -> tuple[Head, str] | None:
        """The head that goes up to `end`, and its target; None if it is malformed, or says no length of the body."""
        line = data.find(b"\r\n")
        words = data[:line].split(b" ")
        if len(words) != 3 or words[2] != b"HTTP/1.1" or _TARGET.match(words[1]) is None:
            found = self.parsed(data[:end])
            return (_head_of(found), found.path) if found is not None else None
        key = words[0] + data[line:end]
        head = self._known.get(key)
        if head is None:
            found = self.parsed(data[:end])
            if found is None:
                return None
            head = _head_of(found)
            if len(key) <= LONGEST_HEAD:
                if len(self._known) >= MAX_HEADS:
                    self._known.clear()
                self._known[key] = head
        return head, words[1].decode()

    def parsed(self, data: bytes) -> Any:
        """Parse one whole head as aiohttp does."""
        parser, self._parser = self._parser, None
        if parser is None:
            # It takes no request to have a body, so it needs neither protocol nor loop, and is at the end of one after each head.
            parser = HttpRequestParser(
                None, None, LARGE, max_line_size=LARGE, max_field_size=LARGE, response_with_body=False,
                auto_decompress=False,
            )  # fmt: skip
        try:
            messages, upgraded, _ = parser.feed_data(data)
        except HttpProcessingError:
            return None
        if len(messages) != 1 or upgraded:
            return None
        found = messages[0][0]
        if found.chunked or found.upgrade:
            return None
        if not found.should_close:
            self._parser = parser
        return found


def _head_of(found: Any) -> Head:
    headers = found.headers
    plain = (
        found.method in _METHODS
        and found.version is HttpVersion11
        and not found.should_close
        and found.compression is None
        and _EXPECT not in headers
        and _ORIGIN not in headers
        and _SITE not in headers
        and ADMIN not in found.path
    )
    return Head(found.method, headers, int(headers.get(_LENGTH, 0)), plain)


class Answers:
    """Answers on their way to the sockets, a few at once: to wake a client that waits is the dearest part of sending, and one
    that gets more to do meanwhile need not be woken again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[asyncio.WriteTransport, bytes]] = []

    def add(self, transport: asyncio.WriteTransport, data: bytes) -> None:
        """Send this with others, before anything else is read of its connection."""
        waiting = self._waiting
        if not waiting:
            self._loop.call_soon(self.send)
        waiting.append((transport, data))
        if len(waiting) == TOGETHER:
            self.send()

    def send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            transport.write(data)


class FastProtocol(Protocol):
    """Answers plain requests itself.

    Between requests `_missing` is 0. Otherwise it is how many bytes of the last request aiohttp has still to get, or `THEIRS`.
    `_head` is that of a small request of which `_held` has come so far.
    """

    _missing = 0
    _held = b""
    _head: tuple[Head, str] | None = None

    def data_received(self, data: bytes) -> None:
        missing = self._missing
        if missing > 0:
            missing -= len(data)
            self._missing = missing if missing >= 0 else THEIRS
        elif not missing and data:  # there is none where aiohttp looks again at what it kept
            data = self._read(data)
            if not data:
                return
        super().data_received(data)

    def _read(self, data: bytes) -> bytes:
        """Answer the request that has come, or hold it until there is more of it. Gives back what aiohttp has to take."""
        found = self._head
        if found is not None:
            data, self._held, self._head = self._held + data, b"", None
            self.answered()
        end = data.find(b"\r\n\r\n") + 4
        if found is None and 4 < end <= LARGE:
            found = self.server.heads.read(data, end)
        if found is None:
            self._missing = THEIRS
            return data
        (method, headers, length, plain), target = found
        missing = end + length - len(data)
        if missing < 0:
            self._missing = THEIRS
            return data
        waiter = self._waiter
        # Nothing of this connection may be under way.
        idle = waiter is not None and not waiter.done() and not self._paused
        if plain and end + length <= LARGE and idle and not self.heavy:
            if missing:
                self._held, self._head = data, found
                self.count(len(data))
                return b""
            return b"" if self._answer(Request(method, target, headers, data[end:])) else data
        self._missing = missing
        return data

    def _answer(self, request: Request) -> bool:
        """Answer a call. False if its answer has to wait or is broken: then aiohttp's way goes on with what is `begun`."""
        edge: HttpEdge = self.server.edge
        try:
            reply = edge.handle(request)
        except Exception as error:  # noqa: BLE001 - it is raised where aiohttp answers such
            self.begun = error
            return False
        kept = reply.only_kept if isinstance(reply, Begun) else None
        if kept is not None and edge.state is not None and self.transport is not None:
            self._send_when_kept(edge.state, kept)
            return True
        if isinstance(reply, Begun) or reply.transport is not Transport.WHOLE:
            self.begun = reply
            return False
        self.heavy = len(reply.body) > HEAVY
        if self.transport is not None:
            self.server.answers.add(self.transport, head(reply, keep_alive=True) + reply.body)
        self._wait_for_next()
        return True

    def _send_when_kept(self, state: StateWriter, reply: Reply) -> None:
        """Send an answer when what it rests on is in the state file; nothing more is read of the connection until then."""
        transport: Any = self.transport
        transport.pause_reading()

        self.heavy = len(reply.body) > HEAVY

        def send(kept: bool) -> None:
            if self.transport is None:
                return
            sent = reply if kept else self.server.edge.lost()
            transport.write(head(sent, keep_alive=True) + sent.body)
            transport.resume_reading()
            self._wait_for_next()

        state.when_committed(send)

    def _wait_for_next(self) -> None:
        """As aiohttp does behind each answer: idle connections are closed in the end."""
        loop = self._loop
        self._next_keepalive_close_time = closes = loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive = True
            self._keepalive_handle = loop.call_at(closes, self._process_keepalive)


_INSIDE = frozenset(
    (
        "_keepalive", "_keepalive_handle", "_keepalive_timeout", "_loop", "_next_keepalive_close_time", "_paused", "_waiter",
        "transport",
    )
)  # fmt: skip
"""The attributes of aiohttp's protocol that are used here."""

_TRIAL = b"POST /a?b=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"


def is_possible() -> bool:
    """Return whether this aiohttp is made as it is taken to be here: its C parser is there and takes what it is given."""
    inside = {name for each in web.RequestHandler.__mro__ for name in getattr(each, "__slots__", ())}
    if not (inside >= _INSIDE and hasattr(web.RequestHandler, "_process_keepalive")):
        return False
    if HttpRequestParser.__module__ != "aiohttp._http_parser":
        return False
    heads = Heads()
    try:
        found = [heads.parsed(_TRIAL) for _ in range(2)]
        return all(
            (each.method, each.path, each.version is HttpVersion11, each.headers.get("host"), each.headers.get(_LENGTH))
            == ("POST", "/a?b=1", True, "h", "2") and each.compression is None
            for each in found
        )  # fmt: skip
    except (TypeError, ValueError, AttributeError):
        return False


class FastServer(HttpServer):
    """Makes a `FastProtocol` for every connection."""

    protocol = FastProtocol

    def __init__(self, edge: HttpEdge) -> None:
        super().__init__(edge)
        self.heads = Heads()
        self.answers = Answers()


def server_of(edge: HttpEdge) -> HttpServer:
    """Return the factory of the protocols of an edge's connections."""
    return FastServer(edge) if is_possible() else HttpServer(edge)
