"""The client as a process: run to its end or to its time-out, with everything that it started, and its last words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import Struct

from cfmock.base.clocks import stopwatch
from cfmock.tools.contract.last_words import last_words

KEPT = 64 * 1024
"""Bytes of each stream that are kept: the newest."""

GRACE = 1.0
"""Seconds that a process gets to end by itself after a signal, before it is killed."""

DRAIN = 0.2
"""Seconds to wait for the rest of the output when something that outlives the process keeps its streams open."""


class Ended(Struct, frozen=True):
    """The end of a process: `exit` is its status, 128 + n when signal n ended it; `timed_out` whether we ended it for its
    time. `out` and `err` are the ends of what it wrote."""

    exit: int
    timed_out: bool
    seconds: float
    out: str
    err: str

    @property
    def said(self) -> str:
        """The last words it wrote to stderr, else to stdout."""
        return last_words(self.err) or last_words(self.out)


async def run(words: Sequence[str], variables: Mapping[str, str], timeout: float) -> Ended:
    """Run a command in a process group of its own, without a terminal, and end the group with it.

    Raises OSError if it cannot be started. When it is cancelled, nothing of the group is left either.
    """
    began = stopwatch()
    async with started(words, variables) as program:
        timed_out = False
        try:
            await asyncio.wait_for(program.process.wait(), timeout)
        except asyncio.TimeoutError:
            timed_out = True
        finally:
            await program.end()
        seconds = stopwatch() - began
        return Ended(program.status, timed_out, seconds, await program.out.text(), await program.err.text())


class Program(Struct, frozen=True):
    """A process that was started, with what it writes."""

    process: asyncio.subprocess.Process
    out: Stream
    err: Stream

    @property
    def status(self) -> int:
        """Its exit status, once it has ended; 128 + n when signal n ended it."""
        found = self.process.returncode
        assert found is not None
        return found if found >= 0 else 128 - found

    async def end(self) -> None:
        """End what is left of the process group: the process, if it still runs, gets a moment to do so by itself."""
        try:
            if self.process.returncode is None:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.process.wait(), GRACE)
        finally:
            self._signal(signal.SIGKILL)
        await self.process.wait()

    def _signal(self, number: int) -> None:
        # A group that is gone, or of which only a zombie is left, cannot be signalled, and need not be.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


@contextlib.asynccontextmanager
async def started(
    words: Sequence[str], variables: Mapping[str, str], stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[Program]:
    """Start a command in a process group of its own, without a terminal. Raises OSError if it cannot be started."""
    async with contextlib.AsyncExitStack() as stack:
        out, err = [await stack.enter_async_context(_listening()) for _ in range(2)]
        try:
            process = await asyncio.create_subprocess_exec(
                *words, env=dict(variables), start_new_session=True, stdin=stdin, stdout=out.enter, stderr=err.enter
            )
        finally:
            out.close_entry()
            err.close_entry()
        program = Program(process, out, err)
        try:
            yield program
        finally:
            await program.end()


class Stream(asyncio.Protocol):
    """One of the output streams: its newest bytes. `enter` is the end that the process gets."""

    def __init__(self, enter: int) -> None:
        self.enter = enter
        self._kept = bytearray()
        self._read = 0  # bytes of it that were read as lines
        self._ended = asyncio.get_running_loop().create_future()
        self.changed = asyncio.Event()  # whenever something came, or the end

    def data_received(self, data: bytes) -> None:
        self._kept += data
        self._read = max(0, self._read - max(0, len(self._kept) - KEPT))
        del self._kept[:-KEPT]
        self.changed.set()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
        self.changed.set()

    def close_entry(self) -> None:
        """Give up our own hold on the end that the process writes to."""
        if self.enter >= 0:
            os.close(self.enter)
            self.enter = -1

    def next_line(self) -> str | None:
        """Return the oldest whole line not yet read; None if there is none. What was read stays kept."""
        end = self._kept.find(b"\n", self._read)
        if end < 0:
            return None
        line, self._read = self._kept[self._read : end], end + 1
        return line.decode("utf-8", "replace")

    def take(self) -> str:
        """Return all that is kept, and forget it."""
        kept, self._kept, self._read = self._kept, bytearray(), 0
        return kept.decode("utf-8", "replace")

    async def text(self) -> str:
        """Return all that was kept, once the stream has ended, or is not going to."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ended), DRAIN)
        return self._kept.decode("utf-8", "replace")


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[Stream]:
    # Pipes of our own: asyncio's would wait for every process that inherited them, after the process itself has ended.
    leave, enter = os.pipe()
    stream = Stream(enter)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: stream, os.fdopen(leave, "rb", 0))
    try:
        yield stream
    finally:
        stream.close_entry()
        transport.close()
