"""`GET changes`: a stream of lines for each reader. One timer tells all readers, what they are sent is made once, and who does
not take it is passed over; without readers nothing is done."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web
from msgspec import Struct

from cfmock.control.control import Control
from cfmock.observe.change_feed import KINDS, ChangeFeed

if TYPE_CHECKING:
    from cfmock.server.replicas.joined_changes import JoinedChanges

MEDIA = "application/jsonl"

NO_PAGE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of what is no JSON: nothing runs in it, whatever a browser takes it for."""

MAX_READERS = 100
"""Streams at once."""

INTERVAL = len(KINDS) / 10
"""Seconds between two batches of lines, of which each has one of a kind at the most: ten lines a second."""

AT_ONCE = 0.02  # seconds that the first change after a pause waits for those that come with it


class _Listener(Struct, eq=False):
    """A reader: the last change that it has had. `chunked`: each write is a chunk of its own."""

    position: int
    transport: asyncio.Transport
    chunked: bool

    @property
    def ready(self) -> bool:
        """Return whether it has taken all that was written before."""
        return not self.transport.is_closing() and not self.transport.get_write_buffer_size()

    def write(self, lines: bytes) -> None:
        self.transport.write(b"%x\r\n%b\r\n" % (len(lines), lines) if self.chunked else lines)


class ChangeStream:
    """The readers of the changes of one emulator. All are told by one timer, without waking what waits for each to leave: ten
    of them would cost a twentieth of what 500 calls a second do."""

    def __init__(self, source: Control | JoinedChanges, feed: ChangeFeed) -> None:
        self._control = source
        self._feed = feed
        self._readers: list[_Listener] = []
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._made: tuple[int, int, bytes] = (0, 0, b"")

    @property
    def full(self) -> bool:
        """Return whether the bound on readers is reached."""
        return len(self._readers) >= MAX_READERS

    async def send(
        self, request: web.BaseRequest, stopping: asyncio.Event, since: int | None = None, longest: float | None = None
    ) -> web.StreamResponse:
        """Stream what changes after a number, from now on if it is None, until the client leaves, the server stops or `longest`
        seconds are over."""
        response = web.StreamResponse(headers={**NO_PAGE, "Content-Type": MEDIA, "Cache-Control": "no-store"})
        position = self._feed.number if since is None else since
        if request.version >= HttpVersion11:
            response.enable_chunked_encoding()
        await response.prepare(request)
        request.writer.send_headers()  # which aiohttp would keep back until it writes something itself
        transport = request.transport
        if transport is None:
            return response
        reader = _Listener(position, transport, response.chunked)
        self._readers.append(reader)
        if len(self._readers) == 1:
            self._control.follow_progress(True)
        try:
            self._tell(reader)
            self._listen()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stopping.wait(), longest)
            if reader.ready:
                self._tell(reader)
        finally:
            self._readers.remove(reader)
            if not self._readers:
                self._control.follow_progress(False)
                self._feed.wake = None
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
        return response

    def _tell(self, reader: _Listener) -> None:
        """Write the changes that a reader has not had yet."""
        number = self._feed.number
        if self._made[:2] != (reader.position, number):
            rows = self._control.follow_changes(reader.position)
            self._made = reader.position, number, b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        lines = self._made[2]
        reader.position = number
        if lines:
            self._sent_at = asyncio.get_running_loop().time()
            reader.write(lines)

    def _listen(self) -> None:
        """Tell the readers when there is more, those that were not ready for it included."""
        if self._timer is not None or not self._readers:
            return
        if any(reader.position != self._feed.number for reader in self._readers):
            self._plan()
        else:
            self._feed.wake = self._plan

    def _plan(self) -> None:
        self._feed.wake = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(AT_ONCE, self._sent_at + INTERVAL - loop.time()), self._tick)

    def _tick(self) -> None:
        self._timer = None
        for reader in self._readers:
            if reader.ready and reader.position != self._feed.number:
                self._tell(reader)
        self._listen()
