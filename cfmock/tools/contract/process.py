"""The client as a process: run to its end or to its time-out, with everything that it started, and its last words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import IO

from msgspec import Struct

from cfmock.base.clocks import stopwatch

KEPT = 64 * 1024  # bytes of each stream that are kept: the newest
GRACE = 1.0  # seconds that a process gets to end by itself after a signal, before it is killed

DRAIN = 0.2  # seconds to wait for the rest of the output when something outlives the process and keeps it open


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
                *words, env=dict(variables), start_new_session=True, stdin=stdin, stdout=out.entry, stderr=err.entry
            )
        finally:  # our own hold on the ends that the process writes to
            out.entry.close()
            err.entry.close()
        program = Program(process, out, err)
        stack.push_async_callback(program.end)
        yield program


class Stream(asyncio.Protocol):
    """One of the output streams: its newest bytes. `entry` is the end that the process gets."""

    def __init__(self, entry: IO[bytes]) -> None:
        self.entry = entry
        self._kept = bytearray()
        self._read = 0  # bytes of it that were read as lines
        self._ended = asyncio.Event()
        self.changed = asyncio.Event()  # whenever something came, or the end

    def data_received(self, data: bytes) -> None:
        self._kept += data
        self._read = max(0, self._read - max(0, len(self._kept) - KEPT))
        del self._kept[:-KEPT]
        self.changed.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended.set()
        self.changed.set()

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
            await asyncio.wait_for(self._ended.wait(), DRAIN)
        return self._kept.decode("utf-8", "replace")


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[Stream]:
    # Pipes of our own: asyncio's would wait for every process that inherited them, after the process itself has ended.
    leave, enter = os.pipe()
    with os.fdopen(enter, "wb", 0) as entry:
        stream = Stream(entry)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: stream, os.fdopen(leave, "rb", 0))
        with contextlib.closing(transport):
            yield stream


# The last words of a program: of an uncaught error its name and message, in whatever language it was written.
#
# Runtimes print more than that: the stack, the error's properties, a farewell (`Node.js v20.20.2`), the module that the class of
# the error is in. Errors of the vendor's Go packages, and of its command line, are spread over several lines.


SAID = 200  # characters that are kept of it

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\t\x20-\x7e\xa0-\U0010ffff]")

_FRAME = re.compile(r"\s+at .*[(:<]|\s*\.\.\. \d+ (?:more$|lines matching)|Stack trace:$|#\d+ ")
_TRACEBACK = re.compile(r"(?:Exception Group )?Traceback \(most recent call last\):$")
_GROUP_MARK = re.compile(r"\s*(?:\| ?|\+ (?=Exception Group)|\+[-+][-+ \w.]*$)")
"""Marks that Python writes before the lines of a group of exceptions, and between its members."""
_CAUSE = re.compile(r"\s*(?:Caused by|Suppressed): ")
_GOROUTINE = re.compile(r"goroutine \d+ \[")
_FAREWELL = re.compile(
    r"Node\.js v\d|exit status \d+$|note: run with `RUST_BACKTRACE|note: rerun with -v$|\s+thrown in "
    r"|\S+:\d+: \w*Warning: |\w*Warning: Enable tracemalloc "
)
_ERROR = re.compile(r'(?:Exception in thread ".*?" |Uncaught |Unhandled exception\. )?[\w.$]*(?:Error|Exception)\b')

_SDK_ERROR = re.compile(
    r"(?P<name>SDK\.\w+|SDKError):?\n(?:.*\n){0,3}?[ ]*(?:Error)?Code: (?P<code>\S*)\n(?:.*\n){0,3}?[ ]*Message: (?P<message>.*)"
    r"(?:\n[ ]*(?:Detail|Data|RespHeaders|AccessDeniedDetail):.*){0,3}"
)
"""Errors as alibaba-cloud-sdk-go, tea-go and the aliyun command line write them."""

_MODULES = re.compile(
    r'^(?:Exception in thread ".*?" |Uncaught |Unhandled exception\. )?(?:[\w$<>]+[.$])*(?=[A-Z]\w*(?::|$))'
)
_TWICE = re.compile(r"^(\w*(?:Error|Exception): )Error: ")


def last_words(text: str) -> str:
    """Return the last line that says something, at most `SAID` characters of it, without what only a terminal understands.

    Of an error that nobody caught it is the line with its name and message, without the path of its module. Brackets alone, with
    which printed JSON ends, say nothing as long as there is a line with a word.
    """
    plain = "\n".join(_CONTROL.sub("", line) for line in text.splitlines())
    plain = _SDK_ERROR.sub(lambda found: f"{found['name']}: {found['code']} {found['message']}", plain)
    lines = _without_stacks(_without_tracebacks(plain.splitlines()))
    line = next((line for line in reversed(lines) if any(map(str.isalnum, line))), lines[-1] if lines else "")
    line = _TWICE.sub(r"\1", _MODULES.sub("", line))
    return line if len(line) <= SAID else line[: SAID - 1] + "…"


def _without_tracebacks(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, of each traceback of Python only the first of the error's message."""
    inside = ""
    group = False
    for line in lines:
        group = group or bool(_TRACEBACK.match(_GROUP_MARK.sub("", line, count=1)) and "Group" in line)
        bare = _GROUP_MARK.sub("", line, count=1) if group else line
        if _TRACEBACK.match(bare):
            inside = "frames"
        elif not bare.strip():
            inside = "" if inside == "message" else inside
            yield bare
        elif inside != "message" and not (inside == "frames" and bare[0] == " "):
            inside = "message" if inside == "frames" else ""
            yield bare


def _without_stacks(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not empty, and of each stack with what belongs to it the one that names the error."""
    kept: list[str] = []
    begins = 0  # where in `kept` the paragraph does
    inside = ""
    for line in lines:
        if inside == "properties" or (inside == "cause" and not _FRAME.match(line)):
            inside = "" if line == "}" else inside
        elif _FRAME.match(line):
            # Of the lines above a stack, the last one that begins an error's message, else the last one.
            at = next((at for at in range(len(kept) - 1, begins - 1, -1) if _ERROR.match(kept[at])), len(kept) - 1)
            del kept[at + 1 :]
            inside = "properties" if line.endswith("{") else "stack"
        elif _CAUSE.match(line) and inside == "stack":
            inside = "cause"
        elif _GOROUTINE.match(line):
            break
        elif not line.strip():
            begins, inside = len(kept), ""
        elif not _FAREWELL.match(line):
            inside = ""
            kept.append(line.strip())
    return kept
