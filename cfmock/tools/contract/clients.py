"""Clients under test: a process for each case, or a worker that is started once and reads the cases from its standard input."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from cfmock.base.clocks import stopwatch
from cfmock.control.control import Control
from cfmock.observe.call_record import CallRecord
from cfmock.observe.models import Violation
from cfmock.protocol.faults.rules import FaultRule
from cfmock.tools.contract import process
from cfmock.tools.contract.process import Ended, Program

NO_ANSWER = 1  # the status of a case that a worker does not answer, or answers without a status


class Service(Protocol):
    """A server to run a client against."""

    @property
    def control(self) -> Control: ...

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of a client of this server, once it has started."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


Serve = Callable[[FaultRule | None], Service]
"""Makes a fresh server, with a rule ahead of all others."""


class ClientRun(Struct, frozen=True):
    """One run of the client: how it ended, the calls that the server saw, and what was wrong with them."""

    ended: Ended
    records: Sequence[CallRecord]
    violations: Sequence[Violation]

    @property
    def kinds(self) -> set[str]:
        """The kinds of the violations."""
        return {each.kind for each in self.violations}


class FreshProcess(Struct, frozen=True):
    """A client that is started for each case, with a fresh server."""

    serve: Serve
    words: Sequence[str]

    async def run(self, case: str, rule: FaultRule | None, limit: float) -> ClientRun:
        """Run one case, with this rule ahead of all others, for `limit` seconds at most."""
        service = self.serve(rule)
        await service.start()
        try:
            ended = await process.run(self.words, service.variables, limit)
        finally:
            await service.stop()
        return ClientRun(ended, service.control.find_calls(), service.control.find_violations())

    async def close(self) -> None:
        """Do nothing: between cases there is no process."""


class Worker:
    """A client that is started once: a line `{"case": NAME}` on its standard input begins a case, a line
    `{"exit": STATUS, "said": TEXT}` on its standard output ends it.

    Its server stays where it is; before each case it is made as right after the start. A worker that does not answer in time is
    ended, as one that has ended by itself is, and another is started for the next case.
    """

    def __init__(self, serve: Serve, words: Sequence[str]) -> None:
        self._serve = serve
        self._words = words
        self._service: Service | None = None
        self._program: Program | None = None
        self._running = contextlib.AsyncExitStack()

    async def run(self, case: str, rule: FaultRule | None, limit: float) -> ClientRun:
        if self._service is None:
            self._service = self._serve(None)
            await self._service.start()
        control = self._service.control
        control.reset()
        if rule is not None:
            control.put_first(rule)
        program = await self._ready(self._service)
        began = stopwatch()
        answer, timed_out = None, False
        try:
            answer = await asyncio.wait_for(self._answer(program, case), limit)
        except asyncio.TimeoutError:
            timed_out = True
        if answer is None:
            await program.end()
            out, err = await program.out.text(), await program.err.text()
            ended = Ended(program.status or NO_ANSWER, timed_out, stopwatch() - began, out, err)
            await self._end()
        else:
            before = program.out.take().rstrip("\n").rpartition("\n")[0]  # the lines above the answer
            status, said = answer
            ended = Ended(status, False, stopwatch() - began, before, said or program.err.take())
        return ClientRun(ended, control.find_calls(), control.find_violations())

    async def close(self) -> None:
        await self._end()
        if self._service is not None:
            await self._service.stop()
            self._service = None

    async def _ready(self, service: Service) -> Program:
        """Return the worker, started if it is not there."""
        if self._program is not None and self._program.process.returncode is not None:
            await self._end()
        if self._program is None:
            started = process.started(self._words, service.variables, asyncio.subprocess.PIPE)
            self._program = await self._running.enter_async_context(started)
        else:  # what it has written since the last case is no part of this one
            self._program.out.take()
            self._program.err.take()
        return self._program

    async def _end(self) -> None:
        self._program = None
        await self._running.aclose()

    async def _answer(self, program: Program, case: str) -> tuple[int, str] | None:
        """Return the worker's answer; None if it ends without one."""
        assert program.process.stdin is not None
        ended = asyncio.ensure_future(program.process.wait())
        ended.add_done_callback(lambda _: program.out.changed.set())
        try:
            # It may have ended, which uvloop has words of its own for.
            with contextlib.suppress(ConnectionError, RuntimeError):
                program.process.stdin.write(json.dumps({"case": case}).encode() + b"\n")
                await program.process.stdin.drain()
            while True:
                program.out.changed.clear()
                while (line := program.out.next_line()) is not None:
                    if (answer := _answer_in(line)) is not None:
                        return answer
                if ended.done():
                    return None
                await program.out.changed.wait()
        finally:
            ended.cancel()


def _answer_in(line: str) -> tuple[int, str] | None:
    """Return the status and the last words in a worker's answer, or None for another line, which it may write as it likes."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"exit", "said"} & found.keys():
        return None
    status, said = found.get("exit"), found.get("said")
    if not isinstance(status, int) or isinstance(status, bool):
        status = NO_ANSWER
    return status, said if isinstance(said, str) else ""


Client = FreshProcess | Worker
"""Something that is put through cases, one at a time: `run` raises OSError if the command cannot be started, `close` ends what
still runs."""


class ClientPool:
    """The clients that are there, each used for one case at a time."""

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._idle: list[Client] = []

    async def run(self, case: str, rule: FaultRule | None, limit: float) -> ClientRun:
        """Run one case, in a client that nobody else uses meanwhile."""
        client = self._idle.pop() if self._idle else self._make()
        try:
            return await client.run(case, rule, limit)
        finally:
            self._idle.append(client)

    async def close(self) -> None:
        """End all of them."""
        await asyncio.gather(*(client.close() for client in self._idle))
        self._idle.clear()
