"""The loop that a server lives in, seen from other threads. Whatever touches the emulator is done in that loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from cfmock.base.clocks import RealClock

T = TypeVar("T")


class ServerLoop:
    """The running loop, and how other threads have something done in it."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self._thread_id = threading.get_ident()

    @property
    def here(self) -> bool:
        """Return whether the caller runs in the loop's own thread, which must not wait."""
        return threading.get_ident() == self._thread_id

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Run a coroutine there."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for its result."""
        return self.submit(coroutine).result()

    def close(self) -> None:
        """The loop is not ours to close."""


class LoopThread(ServerLoop):
    """A loop in a thread of its own, for synchronous code; it runs until it is closed."""

    def __init__(self, name: str = "cfmock") -> None:
        loop = asyncio.new_event_loop()
        loop.time = RealClock.steady  # type: ignore[method-assign]  # goes on where a test stops the time (freezegun)
        super().__init__(loop)
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self._thread_id = self._thread.ident or 0

    def close(self) -> None:
        """Stop the loop and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
