"""The client as a process: run to its end or to its time-out, with everything that it started, and what it said last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from cfmock.base.clocks import stopwatch
from cfmock.tools.contract.last_words import last_words

KEPT = 64 * 1024
"""Bytes of each stream that are kept: the newest."""

GRACE = 1.0
"""Seconds that a process gets to end by itself when it is told to, before it is killed."""

DRAIN = 0.2
"""Seconds to wait for the rest of the output when something that outlives the process keeps its streams open."""


class Ended(NamedTuple):
    """How a process ended: `exit` is its status, 128 + n when signal n ended it; `timed_out` whether we ended it for its
    time. `out` and `err` are the ends of what it wrote."""

    exit: int
    timed_out: bool
    seconds: float
    out: str
    err: str

    @property
    def said(self) -> str:
        """What it wrote last to stderr, else to stdout, as `last_words` has it."""
        return last_words(self.err) or last_words(self.out)


async def run(words: Sequence[str], variables: Mapping[str, str], timeout: float) -> Ended:
    """Run a command in a process group of its own, without a terminal, and end the group with it.

    Raises OSError if it cannot be started. When it is cancelled, nothing of the group is left either.
    """
    began = stopwatch()
    async with contextlib.AsyncExitStack() as stack:
        out, err = [await stack.enter_async_context(_listening()) for _ in range(2)]
        try:
            process = await asyncio.create_subprocess_exec(
                *words, env=dict(variables), start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=out.enter, stderr=err.enter,
            )  # fmt: skip
        finally:
            out.close_entry()
            err.close_entry()
        timed_out = False
        try:
            await asyncio.wait_for(process.wait(), timeout)
        except asyncio.TimeoutError:
            timed_out = True
        finally:
            await _end(process)
        seconds = stopwatch() - began
        assert process.returncode is not None
        status = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return Ended(status, timed_out, seconds, await out.text(), await err.text())


async def _end(process: asyncio.subprocess.Process) -> None:
    """End what is left of the process group: the process, if it still runs, gets a moment to do so by itself."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE)
    finally:
        _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    # A group that is gone, or of which only a zombie is left, cannot be signalled, and need not be.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class _Stream(asyncio.Protocol):
    """One of the output streams: its newest bytes. `enter` is the end that the process gets."""

    def __init__(self, enter: int) -> None:
        self.enter = enter
        self._kept = bytearray()
        self._ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._kept += data
        del self._kept[:-KEPT]

    def connection_lost(self, error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def close_entry(self) -> None:
        """Give up our own hold on the end that the process writes to."""
        if self.enter >= 0:
            os.close(self.enter)
            self.enter = -1

    async def text(self) -> str:
        """All that was kept, once the stream has ended, or is not going to."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._ended), DRAIN)
        return self._kept.decode("utf-8", "replace")


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[_Stream]:
    # Pipes of our own: what asyncio makes of PIPE would wait for whoever inherited them, after the process itself has ended.
    leave, enter = os.pipe()
    stream = _Stream(enter)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: stream, os.fdopen(leave, "rb", 0))
    try:
        yield stream
    finally:
        stream.close_entry()
        transport.close()
