"""Runs the client: cleanly to see what it uses, then once a case."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import Struct

from cfmock.tools.contract.clients import ClientPool, ClientRun
from cfmock.tools.contract.outcome import Reaction, reaction
from cfmock.tools.contract.plan import WAITING, Case

LEAST = 30.0  # seconds that a case gets at the least: clients' own time-outs are 5 to 20 s

LEAST_OF_WORKERS = 60.0  # likewise a worker: to start another one costs more than to wait for it
TIMES = 10  # factor by which a case may take longer than without a fault, if that is more
CLEAN = 600.0  # seconds that the run without a fault gets


class MatrixRunner(Struct, frozen=True):
    """Puts clients through cases. `nth` is which call of a case's operation is struck, `timeout` (seconds) what a run may take;
    None: `CLEAN` without a fault, else `least` or `TIMES` as long as that, whichever is more. With `strict` there may be no
    violations without a fault. `good` are the exit statuses of success.
    """

    clients: ClientPool
    nth: int = 1
    timeout: float | None = None
    strict: bool = False
    least: float = LEAST
    good: Collection[int] = (0,)

    async def clean(self) -> ClientRun:
        """Run the client without a fault. Raises OSError if the command cannot be started."""
        return await self.clients.run("clean", None, CLEAN if self.timeout is None else self.timeout)

    async def matrix(
        self, cases: Sequence[Case], clean: ClientRun, jobs: int, tell: Callable[[Reaction], None]
    ) -> list[Reaction]:
        """Run the cases; return the reactions in their order. `tell` gets each as it comes, `clean` is the run to measure by.

        `jobs` cases run at a time. If that is more than one, as many of those that only wait may run beside them.
        """
        found: dict[Case, Reaction] = {}

        async def work(queue: Iterator[Case]) -> None:
            for case in queue:
                found[case] = await self._case(case, clean)
                tell(found[case])

        queues = map(iter, _queues(cases, jobs))
        workers = [asyncio.create_task(work(queue)) for queue in queues for _ in range(jobs)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return [found[case] for case in cases]

    async def _case(self, case: Case, clean: ClientRun) -> Reaction:
        limit = max(self.least, TIMES * clean.ended.seconds) if self.timeout is None else self.timeout
        run = await self.clients.run(str(case), case.rule(self.nth), limit)
        return reaction(case, run.ended, run.records, run.kinds, clean.kinds, self.good)


def _queues(cases: Sequence[Case], jobs: int) -> list[Sequence[Case]]:
    """Return the cases in queues to be worked off side by side.

    Of those that wait, the ones that wait longest come first, so that none of them begins when all others have ended.
    """
    if jobs == 1:
        return [cases]
    waiting = sorted((case for case in cases if case.waits), key=lambda case: WAITING.index(case.fault))
    return [waiting, [case for case in cases if not case.waits]]
