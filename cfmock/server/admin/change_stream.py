"""`GET changes`: one stream of lines for each reader. Nothing is done as long as nobody reads, and little while somebody does:
all readers wait for one timer, and what they are sent is made once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math

from aiohttp import web

from cfmock.control.control import Control
from cfmock.observe.change_feed import KINDS

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

AT_ONCE = 0.02
"""Seconds that the first change after a pause waits for those that come with it."""


class ChangeStream:
    """The readers of the changes of one emulator."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._feed = control.emulator.shared.feed
        self._readers = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._sent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._made: tuple[int, int, bytes] = (0, 0, b"")

    @property
    def full(self) -> bool:
        """Whether there are as many readers as there may be."""
        return self._readers >= MAX_READERS

    async def send(
        self, request: web.BaseRequest, stopping: asyncio.Event, since: int | None = None, longest: float | None = None
    ) -> web.StreamResponse:
        """Stream what changes after a number, from now on if it is None, until the client leaves, the server stops or `longest`
        seconds are over."""
        response = web.StreamResponse(headers={**NO_PAGE, "Content-Type": MEDIA, "Cache-Control": "no-store"})
        loop = asyncio.get_running_loop()
        end = math.inf if longest is None else loop.time() + longest
        timer = loop.call_later(longest, self._wake_all) if longest is not None else None
        position = self._feed.number if since is None else since
        stopped = asyncio.ensure_future(stopping.wait())
        stopped.add_done_callback(lambda _: self._wake_all())
        self._readers += 1
        if self._readers == 1:
            self._control.follow_progress(True)
        try:
            await response.prepare(request)
            while True:
                position, lines = self._lines(position)
                if lines:
                    self._sent_at = loop.time()
                    await response.write(lines)
                if stopping.is_set() or loop.time() >= end:
                    break
                await self._next(position)
        except ConnectionError:
            pass  # the client has left
        finally:
            self._readers -= 1
            stopped.cancel()
            if timer is not None:
                timer.cancel()
            if not self._readers:
                self._control.follow_progress(False)
                self._feed.wake = None
        with contextlib.suppress(ConnectionError):
            await response.write_eof()
        return response

    def _lines(self, position: int) -> tuple[int, bytes]:
        """What is sent to who has read so far, and how far that goes."""
        number = self._feed.number
        if self._made[:2] != (position, number):
            rows = self._control.follow_changes(position)
            self._made = position, number, b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        return number, self._made[2]

    async def _next(self, position: int) -> None:
        """Wait until there is something after a number that may be sent, or the server stops."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        if self._feed.number != position:
            self._plan()  # something has changed while the reader was sent other lines
        elif self._timer is None:
            self._feed.wake = self._plan
        try:
            await waiting
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _plan(self) -> None:
        self._feed.wake = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(AT_ONCE, self._sent_at + INTERVAL - loop.time()), self._wake_all)

    def _wake_all(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)
