"""Map runs: the children of a distributed map, how many at a time, and how many may fail.

A map run can be looked at and changed while it runs (DescribeMapRun, UpdateMapRun). Without tolerance the first child
that fails fails the map, as documented. With it, the map fails by the error of the child that is one too many; the
results of children that failed within it are left out. Count and percentage are both allowances: one of them is enough.
These three are our choices. The failure takes its turn behind the children that are about to begin; none begins after.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from cfmock.base.json_text import Json
from cfmock.engine.commands import Datum, Failure, RunMap
from cfmock.engine.recording import MAP_CHANGED, MAP_ENDED

TOLERANCE = "FnF.ToleratedFailureExceeded"  # the tolerance was lowered below what had failed by then; our name
STOPPED = "FnF.MapRunStopped"  # a child was stopped because its map run was over; our name


class MapRunStatus(enum.Enum):
    """The API's names."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ABORTED = "Aborted"


class ItemCounts(NamedTuple):
    """Children by how far they are. The API spells `Succeed` so."""

    pending: int
    running: int
    succeed: int
    failed: int
    aborted: int
    total: int


class MapChild(Protocol):
    """The execution of one item as its map run sees it: `output` if it has succeeded, `root` while it runs."""

    output: Datum | None
    error: str
    cause: str

    @property
    def status(self) -> enum.Enum: ...

    @property
    def root(self) -> object: ...

    def failure(self) -> Failure: ...

    def kept_end(self) -> Json: ...

    def stop(self, error: str, cause: str) -> None: ...


class MapRun:
    """One map run that was asked for by `request`. Times are in flow time, as `now` gives it.

    `start` starts a child by its index, `held` keeps others from going on meanwhile; `record` takes down each change and each
    end of a child before it has an effect. `done` is told the results, or `failed` what ends it; then it
    is for that to call `cancel`, when the failure has its turn.
    """

    def __init__(
        self,
        request: RunMap,
        *,
        now: Callable[[], float],
        start: Callable[[MapRun, int], MapChild],
        held: Callable[[], AbstractContextManager[None]],
        done: Callable[[list[Json]], None],
        failed: Callable[[Failure], None],
        record: Callable[..., object],
    ) -> None:
        self.request = request
        self.concurrency = request.concurrency
        self.tolerated_count = request.tolerated_count
        self.tolerated_percentage = request.tolerated_percentage
        self.status = MapRunStatus.PENDING
        self.started: float | None = None
        self.stopped: float | None = None
        self._now = now
        self._start = start
        self._held = held
        self._done = done
        self._fail = failed
        self._record = record
        self._failing = False  # told `failed`
        self._results: dict[int, Json] = {}
        self._running: dict[int, MapChild] = {}
        self._begun = 0
        self._failed = 0
        self._aborted = 0

    @property
    def name(self) -> str:
        return self.request.name

    @property
    def inputs(self) -> Sequence[Json]:
        """The inputs of its children, in order."""
        return self.request.inputs

    @property
    def ended(self) -> bool:
        return self.status not in (MapRunStatus.PENDING, MapRunStatus.RUNNING)

    @property
    def counts(self) -> ItemCounts:
        total = len(self.inputs)
        pending = 0 if self.ended else total - self._begun
        aborted = self._aborted + (total - self._begun if self.ended else 0)
        return ItemCounts(pending, len(self._running), len(self._results), self._failed, aborted, total)

    def child(self, index: int) -> MapChild | None:
        """The child of this index, while it runs."""
        return self._running.get(index)

    def child_name(self, index: int) -> str:
        """The execution name of a child; our choice."""
        return f"{self.name}-{index}"

    def begin(self) -> None:
        """Start as many children as may run at once."""
        self.status, self.started = MapRunStatus.RUNNING, self._now()
        self._begin_more()

    def update(
        self,
        *,
        concurrency: int | None = None,
        tolerated_count: int | None = None,
        tolerated_percentage: float | None = None,
    ) -> None:
        """Change what is given, with effect at once: more children start; those that are too many run to their end. What is over
        stays as it was."""
        if self.ended:
            return
        changes = {
            "concurrency": concurrency,
            "tolerated_count": tolerated_count,
            "tolerated_percentage": tolerated_percentage,
        }
        self._record(MAP_CHANGED, changes)
        for name, value in changes.items():
            if value is not None:
                setattr(self, name, value)
        with self._held():
            self._judge(lambda: Failure(TOLERANCE, f"{self._failed} children of {self.name} have failed"))

    def fibers(self) -> list[object]:
        return [child.root for child in self._running.values()]

    def cancel(self) -> None:
        """Stop the children that run: it has failed, or the execution around them is over."""
        if not self.ended:
            self._close(MapRunStatus.FAILED if self._failing else MapRunStatus.ABORTED)

    def ended_child(self, index: int, run: MapChild) -> None:
        """A child is over."""
        if self._running.pop(index, None) is None or self.ended:
            return
        self._record(MAP_ENDED, index, run.kept_end())
        if run.output is not None:
            self._results[index] = run.output.value
        else:
            self._failed += 1
        self._judge(run.failure)

    def _judge(self, failure: Callable[[], Failure]) -> None:
        """Fail if more has failed than is tolerated, else go on."""
        allowed = max(self.tolerated_count, len(self.inputs) * self.tolerated_percentage / 100)
        if self._failing:
            return
        if self._failed > allowed:
            self._failing = True
            self._fail(failure())
        else:
            self._begin_more()

    def _begin_more(self) -> None:
        # Starting a child only queues it, so none ends while this loop runs.
        while self._begun < len(self.inputs) and len(self._running) < self.concurrency:
            self._running[self._begun] = self._start(self, self._begun)
            self._begun += 1
        if not self._running:
            self._close(MapRunStatus.SUCCEEDED)
            self._done([self._results[index] for index in sorted(self._results)])

    def _close(self, status: MapRunStatus) -> None:
        self.status = status
        self.stopped = self._now()
        running, self._running = self._running, {}
        self._aborted = len(running)
        for run in running.values():
            run.stop(STOPPED, f"the map run {self.name} is over")
