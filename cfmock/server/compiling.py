"""Compiles large definitions of calls in a thread of its own, one at a time, so that others are answered meanwhile.

A call that brings one is taken as far as its operation; that comes back for the flow when it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from cfmock.base.errors import DefinitionError
from cfmock.engine.languages import compile_text, is_compiled
from cfmock.server.turns import LARGE

Tell = Callable[[], None]


class CompilingAhead:
    """The `Shared.compile_later` of a server. It defers nothing but what comes in a block of `open`: who waits can wait."""

    def __init__(self) -> None:
        self._open = self._closed = False
        self._thread = ThreadPoolExecutor(1, "cfmock-compile")

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Allow definitions in this block to be compiled elsewhere."""
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def later(self, text: str, file: str, *, express: bool) -> Callable[[Tell], Tell] | None:
        """Return how to subscribe to the end of a compilation; None if it can be compiled at once."""
        if not self._open or self._closed or len(text) <= LARGE or is_compiled(text, file=file, express=express):
            return None

        def work() -> None:
            with contextlib.suppress(DefinitionError):  # told when the operation asks for the flow
                compile_text(text, file=file, express=express)

        def subscribe(tell: Tell) -> Tell:
            done = asyncio.get_running_loop().run_in_executor(self._thread, work)
            done.add_done_callback(lambda _: tell())
            return lambda: None

        return subscribe

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
