"""Says when there is no room for another connection: no file descriptor left, or too many are open.

Who connects then waits, or is turned away: uvloop says nothing of it, and asyncio a thousand times a second.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import Any

from cfmock.base.clocks import stopwatch

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

log = logging.getLogger("cfmock")

MAX_CONNECTIONS = 10_000
"""Connections that are open at once; those beyond are closed as they come."""

QUIET = 60.0  # seconds between two warnings


class Descriptors:
    """Watches them for one server, as long as that accepts connections."""

    def __init__(self) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if resource is not None else -1
        self._limit = limit if limit > 0 else None
        self._said: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take what the loop has to say of its sockets, unless a program takes it itself."""
        if loop.get_exception_handler() is None:
            self._loop = loop
            loop.set_exception_handler(self._told)

    def detach(self) -> None:
        if self._loop is not None:
            self._loop.set_exception_handler(None)
            self._loop = None

    def opened(self, number: int) -> None:
        """A connection has this one; the lowest that is free is always taken."""
        if self._limit is not None and number >= self._limit - 1:
            self.ran_out()

    def are_too_many(self, connections: int) -> bool:
        """Return whether the newest connection has to be closed."""
        if connections <= MAX_CONNECTIONS:
            return False
        self._say("%s connections are open, and no more are taken until some close", MAX_CONNECTIONS)
        return True

    def ran_out(self) -> None:
        """There is none left."""
        self._say(
            "all %s file descriptors are in use: no more clients can connect until some leave (ulimit -n)",
            self._limit if self._limit is not None else "the system's",
        )

    def _say(self, text: str, number: object) -> None:
        now = stopwatch()
        if self._said is None or now - self._said >= QUIET:
            self._said = now
            log.error(text, number)

    def _told(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            self.ran_out()
        else:
            loop.default_exception_handler(context)
