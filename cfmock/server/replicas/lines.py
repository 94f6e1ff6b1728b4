"""Connections to other replicas: HTTP, each for one request at a time, kept open for the next.

aiohttp's client in their place would take 95 microseconds of processor time for a request, where this takes 25: a call that is
handed on would cost 2.6 to 3.0 times one that is not, where it costs 1.7 to 2.2 (`bench.py replicas`, whose limit is 2.5). Nor
does that send each request as it came: it drops fragments and header values that are not UTF-8, and makes `get` GET.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from cfmock.base.json_text import Json
from cfmock.server.http_edge import ADMIN

TOKEN = "x-cfmock-replica"  # noqa: S105 - the name of a header
"""The header that says that another replica sends a request: it has the token that all share."""

ADDITIONS = "replica/additions"
"""Below `/_cfmock/`: what a replica is asked to do when another has added something to all, or removed it."""

PART = "x-cfmock-part"
"""The header of a request that concerns what is at its receiver, and nothing else."""

CONNECT_WITHIN = 2.0  # seconds

_ALIVE = {"TCP_USER_TIMEOUT": 3000, "TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}
"""What makes a connection end, in about 3 seconds, when its other end cannot be reached any more. An answer may take a minute;
by itself TCP would wait for one a quarter of an hour."""

MAX_IDLE = 64
"""Connections to one replica that are kept open with nothing to do."""

LONGEST_IDLE = 30.0
"""Seconds for which they are: less than a server keeps them, so that none is used which it is about to close."""

_OWN = frozenset(("connection", "content-length", "transfer-encoding", "content-encoding", "expect", TOKEN, PART))
"""Headers that belong to one connection, or are made for it."""


class NotSent(Exception):  # noqa: N818 - what has happened
    """A request that did not get to another replica: it may be sent again."""


class Unanswered(Exception):  # noqa: N818 - what has happened
    """A request whose answer has not come: what it asked may or may not have been done."""


class PeerAnswer(NamedTuple):
    """An answer of another replica."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Line:
    """One connection."""

    def __init__(self, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self.idle_since = 0.0
        self._reader = reader
        self._writer = writer

    @property
    def usable(self) -> bool:
        """Return whether the next request can be sent: the server has not closed it, and is not about to."""
        closed = self._reader.at_eof() or self._writer.is_closing()
        return not closed and time.monotonic() - self.idle_since < LONGEST_IDLE

    async def ask(self, data: bytes, *, bodiless: bool) -> PeerAnswer:
        """Send a request, and wait for its answer. Raises Unanswered."""
        self._writer.write(data)
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            first, *lines = head[:-4].decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            size = 0 if bodiless else int(fields.get("content-length", "0"))
            body = await self._reader.readexactly(size) if size else b""
        except (EOFError, OSError) as error:
            raise Unanswered(self.address) from error
        if fields.get("connection") == "close":
            self.close()
        return PeerAnswer(int(first[9:12]), fields, body)

    def close(self) -> None:
        """Let go of it; who waits for an answer gets none."""
        self._writer.transport.abort()


class Lines:
    """The connections of a replica to the others, which share a `token`."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._idle: dict[str, list[_Line]] = {}
        self._busy: dict[object, set[_Line]] = {}  # by what their requests are about

    def is_peer(self, headers: Mapping[str, str]) -> bool:
        """Return whether another replica has sent this."""
        given = headers.get(TOKEN)
        return given is not None and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode())

    @property
    def own_headers(self) -> dict[str, str]:
        """The headers of a request for what is at its receiver, and nothing else."""
        return {TOKEN: self._token, PART: "1"}

    def is_part(self, headers: Mapping[str, str]) -> bool:
        """Return whether another replica has sent this, and asks for no more than what is here."""
        return PART in headers and self.is_peer(headers)

    async def ask(
        self, address: str, method: str, target: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", *,
        about: object = None, part: bool = False,
    ) -> PeerAnswer:  # fmt: skip
        """Send a request to the replica at an address. Raises NotSent where it cannot be reached, and Unanswered, also where
        somebody has `dropped` what it is about."""
        lines = [f"{method} {target} HTTP/1.1", f"{TOKEN}: {self._token}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers if name.lower() not in _OWN]
        if part:
            lines.append(f"{PART}: 1")
        data = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body
        line = await self._line(address)
        busy = self._busy.setdefault(about, set())
        busy.add(line)
        try:
            answer = await line.ask(data, bodiless=method == "HEAD")
        except BaseException:
            line.close()
            raise
        finally:
            busy.discard(line)
            if not busy:
                self._busy.pop(about, None)
        line.idle_since = time.monotonic()
        idle = self._idle.setdefault(address, [])
        idle.append(line)
        if len(idle) > MAX_IDLE:
            idle.pop(0).close()
        return answer

    async def admin(
        self, address: str, method: str, target: str, body: Json, *, about: object = None, part: bool = False
    ) -> PeerAnswer:
        """Send a request to the admin API of the replica at an address, likewise."""
        headers = ("Host", address), ("Content-Type", "application/json")
        data = b"" if body is None else json.dumps(body).encode()
        return await self.ask(address, method, f"{ADMIN}/{target}", headers, data, about=about, part=part)

    async def _line(self, address: str) -> _Line:
        idle = self._idle.get(address, [])
        while idle:
            line = idle.pop()
            if line.usable:
                return line
            line.close()
        host, _, port = address.rpartition(":")
        try:
            connecting = asyncio.open_connection(host.strip("[]"), int(port))
            ends = await asyncio.wait_for(connecting, CONNECT_WITHIN)
        except (OSError, asyncio.TimeoutError) as error:
            raise NotSent(address) from error
        own = ends[1].get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _ALIVE.items():
            if hasattr(socket, name):  # they depend on the system
                own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return _Line(address, *ends)

    def dropped(self, about: object, keep: str = "") -> None:
        """Wait no longer for answers about this, unless they come from one address."""
        for line in tuple(self._busy.get(about, ())):
            if line.address != keep:
                line.close()

    def close(self) -> None:
        """Close all connections."""
        for lines in (*self._idle.values(), *map(tuple, self._busy.values())):
            for line in lines:
                line.close()


def headers_from(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers of a request of another replica, as its client has sent them."""
    kept: Any = headers
    kept = kept.copy()
    for name in (TOKEN, PART):
        kept.popall(name, None)
    return cast(Mapping[str, str], kept)
