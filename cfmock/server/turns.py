"""Turns: requests that may cost much are served one at a time, and others in between."""

from __future__ import annotations

import asyncio
import gc

LARGE = 16 * 1024
"""Bytes of a request that may cost much: a definition, a fixture, an input."""

HEAVY = 256 * 1024
"""Bytes of an answer after which the next request of its connection may cost much, too."""

ROUNDS = 3
"""Rounds of the loop from one of them to the next: what comes in meanwhile is read, begun and answered."""


class Turns:
    """The turns of one server's large requests."""

    def __init__(self) -> None:
        self._line = asyncio.Lock()

    async def wait(self, size: int, *, heavy: bool = False) -> None:
        """Wait for the turn of a request of `size` bytes, or a `heavy` one, which may then hold the loop; small ones just go."""
        if size > LARGE or heavy:
            async with self._line:
                for _ in range(ROUNDS):
                    await asyncio.sleep(0)


def look_for_garbage() -> None:
    """Look through what a slice of time has made. Python itself waits until much more was made than let go of: where old
    executions go while others come, it waits long, and then holds all up for a quarter of a second."""
    gc.collect(0)
