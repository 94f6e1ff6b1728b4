"""In which order cases are run."""

from __future__ import annotations

import asyncio

import pytest

from cfmock.protocol.faults.rules import FaultRule
from cfmock.tools.contract.clients import ClientPool, ClientRun
from cfmock.tools.contract.plan import CaseSelection, plan
from cfmock.tools.contract.process import Ended
from cfmock.tools.contract.run import MatrixRunner

CASES = plan(["ListFlows", "DescribeFlow"], CaseSelection.of([], ["slow", "hang", "reset", "AccessDenied"]))


class NotingClient:
    """Notes the cases that it is put through."""

    seen: list[str]

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    async def run(self, case: str, rule: FaultRule | None, limit: float) -> ClientRun:
        self.seen.append(case)
        await asyncio.sleep(0)
        return ClientRun(Ended(0, False, 0.0, "", ""), [], [])

    async def close(self) -> None:
        """Holds nothing."""


def order(jobs: int) -> list[str]:
    seen: list[str] = []

    async def run() -> None:
        runner = MatrixRunner(ClientPool(lambda: NotingClient(seen)))
        reactions = await runner.matrix(CASES, await runner.clean(), jobs, lambda _: None)
        assert [reaction.case for reaction in reactions] == list(CASES)

    asyncio.run(run())
    return seen[1:]  # behind the clean run


def test_one_job_runs_them_as_they_are_planned() -> None:
    assert order(1) == list(map(str, CASES))


@pytest.mark.parametrize("jobs", [2, 3])
def test_beside_the_others_those_that_wait_longest_begin_first(jobs: int) -> None:
    waiting = [case for case in order(jobs) if case.split()[1] in ("hang", "slow")]
    assert [case.split()[1] for case in waiting] == ["hang", "hang", "slow", "slow"]
