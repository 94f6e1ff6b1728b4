"""Runs the client: cleanly to see what it uses, then once a case, in a fresh server each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cfmock.control.control import Control
from cfmock.observe.journal import CallRecord
from cfmock.observe.models import Violation
from cfmock.protocol.faults.rules import FaultRule
from cfmock.tools.contract import process
from cfmock.tools.contract.outcome import Reaction, reaction
from cfmock.tools.contract.plan import Case
from cfmock.tools.contract.process import Ended

LEAST = 30.0
"""Seconds that a case gets at the least: clients' own time-outs are 5 to 20 s."""

TIMES = 10
"""As many times as long as without a fault a case may take, if that is more."""

CLEAN = 600.0
"""Seconds that the run without a fault gets."""


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


class ClientRun(NamedTuple):
    """One run of the client: how it ended, the calls that the server saw, and what was wrong with them."""

    ended: Ended
    records: Sequence[CallRecord]
    violations: Sequence[Violation]

    @property
    def kinds(self) -> set[str]:
        """The kinds of the violations."""
        return {each.kind for each in self.violations}


@dataclass(frozen=True, slots=True)
class MatrixRunner:
    """Puts the command `words` through cases. `nth` is which call of a case's operation is struck, `timeout` (seconds) what a
    run may take; None: `CLEAN` without a fault, else `LEAST` or `TIMES` as long as that, whichever is more. With `strict` there
    may be no violations without a fault.
    """

    serve: Serve
    words: Sequence[str]
    nth: int = 1
    timeout: float | None = None
    strict: bool = False

    async def clean(self) -> ClientRun:
        """Without a fault. Raises OSError if the command cannot be started."""
        return await self._run(None, CLEAN if self.timeout is None else self.timeout)

    def limit(self, clean: ClientRun) -> float:
        """Seconds that a case may take, after this clean run."""
        return max(LEAST, TIMES * clean.ended.seconds) if self.timeout is None else self.timeout

    async def matrix(
        self, cases: Sequence[Case], clean: ClientRun, jobs: int, tell: Callable[[Reaction], None]
    ) -> list[Reaction]:
        """The reactions in the order of the cases; each is told as it comes. `clean` is what they are measured by.

        `jobs` cases run at a time. If that is more than one, so many of those that only wait may run beside them.
        """
        found: dict[int, Reaction] = {}

        async def work(numbers: Iterator[int]) -> None:
            for number in numbers:
                found[number] = await self._case(cases[number], clean)
                tell(found[number])

        queues = [iter(numbers) for numbers in _queues(cases, jobs)]
        workers = [asyncio.create_task(work(queue)) for queue in queues for _ in range(jobs)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return [found[number] for number in range(len(cases))]

    async def _case(self, case: Case, clean: ClientRun) -> Reaction:
        run = await self._run(case.rule(self.nth), self.limit(clean))
        return reaction(case, run.ended, run.records, run.kinds, clean.kinds)

    async def _run(self, rule: FaultRule | None, limit: float) -> ClientRun:
        service = self.serve(rule)
        await service.start()
        try:
            ended = await process.run(self.words, service.variables, limit)
        finally:
            await service.stop()
        return ClientRun(ended, service.control.find_calls(), service.control.find_violations())


def _queues(cases: Sequence[Case], jobs: int) -> list[list[int]]:
    """The numbers of the cases, in lines to be worked off side by side."""
    if jobs == 1:
        return [list(range(len(cases)))]
    waiting = [number for number, case in enumerate(cases) if case.waits]
    return [waiting, [number for number, case in enumerate(cases) if not case.waits]]
