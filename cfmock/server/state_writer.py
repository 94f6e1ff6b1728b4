"""Writes changes to a store behind the loop: what comes while a batch is being written makes the next one.

An answer waits for the batch that holds what came before it, so one commit serves all calls that came meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cfmock.service.store.statements import StateStore
from cfmock.service.tables import ChangeLog

T = TypeVar("T")

log = logging.getLogger("cfmock")

AGAIN = 0.5  # seconds after which a file that could not be written is tried again


class StateLost(Exception):  # noqa: N818 - what has happened, to whoever waits
    """Raised after a failed write: state has to be read again from the file."""


class StateWriter:
    """One writer for one file. `collect` gives changes looked for when a batch begins; `on_loss` is told of one that failed."""

    def __init__(
        self, file: StateStore, changes: ChangeLog, collect: Callable[[], None], on_loss: Callable[[], None]
    ) -> None:
        self.file = file
        self.lost = False
        """True where memory differs from the file, after a write that failed."""
        self._changes = changes
        self._collect = collect
        self._on_loss = on_loss
        self._written = changes.number
        self._busy = False
        self._waiting: list[tuple[int, Callable[[bool], object]]] = []
        self._thread = ThreadPoolExecutor(1, "cfmock-state")
        changes.on_change = self._begin
        self._begin()

    @property
    def behind(self) -> bool:
        """Return whether there is something that is not in the file yet."""
        return self.lost or self.file.proves or self._written < self._changes.number

    async def committed(self) -> bool:
        """Wait until all that has come so far is in the file; False if it is lost."""
        if self.lost or not self.behind:
            return not self.lost
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.when_committed(lambda kept: None if future.done() else future.set_result(kept))
        return await future

    def when_committed(self, tell: Callable[[bool], object]) -> None:
        """Tell when all that has come so far is in the file (True), or is lost (False)."""
        if self.file.proves:  # a batch that begins from here on
            self._changes.touch()
        self._waiting.append((self._changes.number, tell))

    def write_now(self) -> None:
        """Write all that has come so far before this returns, for a caller that cannot await."""
        if self.lost:
            return
        self._collect()
        number, batch = self._changes.number, self._changes.take()
        try:
            self._thread.submit(self.file.write, batch).result()  # behind the batch that is under way
        except Exception as error:  # noqa: BLE001 - whatever keeps a batch out of the file
            self._fail(error)
        else:
            self._arrived(number)

    def _begin(self) -> None:
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        if self.lost:  # it follows from what the file does not hold
            self._changes.take()
            self._busy = False
            return
        self._collect()
        number, batch = self._changes.number, self._changes.take()
        if not batch and (not self.file.proves or number == self._written):  # what has been looked at is as it was
            self._busy = False
            self._arrived(number)
            return
        sent = asyncio.get_running_loop().run_in_executor(self._thread, self.file.write, batch)
        sent.add_done_callback(lambda done: self._sent(number, done))

    def _sent(self, number: int, done: asyncio.Future[None]) -> None:
        error = done.exception() if not done.cancelled() else None
        if error is not None:
            self._fail(error)
            return
        self._arrived(number)
        self._send()

    def _arrived(self, number: int) -> None:
        self._written = max(self._written, number)
        waiting, self._waiting = self._waiting, []
        for until, tell in waiting:
            if until <= number:
                tell(True)
            else:
                self._waiting.append((until, tell))

    def _fail(self, error: BaseException) -> None:
        self._changes.take()
        waiting, self._waiting = self._waiting, []
        self._busy, before, self.lost = False, self.lost, True
        for _, tell in waiting:
            tell(False)
        if before:
            return  # a batch behind the one that failed
        why = str(error).strip() if isinstance(error, self.file.failures) else repr(error)
        log.error(
            "%s could not be written (%s): unwritten changes are lost, and the state is read again from it",
            self.file.name,
            why,
        )
        self._on_loss()

    async def in_turn(self, work: Callable[[], T]) -> T:
        """Do something with the store behind what is being written. Raises StateLost if that is not to be had."""
        if self.lost:
            raise StateLost
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except self.file.failures as error:
            self._fail(error)
            raise StateLost from error
        if self.lost:
            raise StateLost
        return found

    async def recover(self, read: Callable[[], None]) -> None:
        """Try again and again whether the file can be written; once it can be, `read` it."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(AGAIN)
            with contextlib.suppress(*self.file.failures):
                await loop.run_in_executor(self._thread, self.file.try_to_write)
                self._changes.take()
                read()
                break
        self.lost = False
        self._begin()
        log.warning("%s can be written again: all is as it says", self.file.name)

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        if not await self.committed():
            log.error("%s does not hold the last changes", self.file.name)
        self._thread.shutdown()
        self.file.close()
