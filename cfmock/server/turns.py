"""Turns: requests that may cost much are served one at a time, and others in between."""

from __future__ import annotations

import asyncio

LARGE = 16 * 1024
"""Bytes of a request that may cost much: a definition, a fixture, an input."""

ROUNDS = 3
"""Rounds of the loop from one of them to the next: what comes in meanwhile is read, begun and answered."""


class Turns:
    """The turns of one server's large requests."""

    def __init__(self) -> None:
        self._line = asyncio.Lock()

    async def wait(self, size: int) -> None:
        """Wait for the turn of a request of `size` bytes, which then may hold the loop; small ones have theirs at once."""
        if size > LARGE:
            async with self._line:
                for _ in range(ROUNDS):
                    await asyncio.sleep(0)
