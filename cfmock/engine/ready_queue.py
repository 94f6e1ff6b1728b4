"""The fibers that can go on, in the order of their turns, each with the job that it belongs to; and who waits for an end, so that
timelines may jump."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from cfmock.base.timers import Timeline
from cfmock.engine.commands import CommandOutcome
from cfmock.engine.execution import Fiber, FlowExecution
from cfmock.engine.jobs import Job

TURN = 500  # events one fiber may tell before others have their turn
Turn = tuple[Fiber, CommandOutcome, Job]  # a fiber, what it goes on with, and the job it belongs to


class ReadyQueue:
    """One queue for all, so that no execution starves another: `turns` are those that can go on, `allowed` is how many events the
    first of them may tell. What becomes ready belongs to the `job` at work."""

    def __init__(self) -> None:
        self.job = Job()
        self.allowed = TURN
        self.turns: deque[Turn] = deque()
        self._left: list[tuple[Fiber, CommandOutcome]] = []  # of jobs that have started too much

    @contextmanager
    def at_work(self, job: Job) -> Iterator[None]:
        """Make all that becomes ready in this block part of this job."""
        before, self.job = self.job, job
        try:
            yield
        finally:
            self.job = before

    def resume(self, fiber: Fiber, outcome: CommandOutcome) -> None:
        """Let a fiber go on with an outcome, a `Failure` included, when its turn comes."""
        self.turns.append((fiber, outcome, self.job))
        self.job.ready += 1
        fiber.execution.timeline.busy += 1

    def stop_job(self, job: Job) -> None:
        """Let nothing of a job go on, until another takes it over."""
        if job.stopped and not job.ready:
            return
        self._left += [(fiber, outcome) for fiber, outcome, each in self.turns if each is job]
        self.turns = deque(turn for turn in self.turns if turn[2] is not job)
        self.allowed = TURN
        job.ready, job.stopped = 0, True
        if job.on_stop is not None:
            job.on_stop()
        job.rest()

    def take_over(self, job: Job) -> None:
        """Let what is left of jobs that have started too much go on, as this job's."""
        left, self._left = self._left, []
        self.turns.extend((fiber, outcome, job) for fiber, outcome in left)
        job.ready += len(left)

    def abandon(self) -> None:
        """Let nothing go on any more, and tell whoever waits for a job to rest."""
        jobs = {job for _, _, job in self.turns}
        self.turns.clear()
        for job in jobs:
            job.ready = 0
            job.rest()


class Attendance:
    """The executions that somebody waits for, and whose job each wait belongs to. `touched` are the timelines that may be able to
    jump."""

    def __init__(self, *, virtual: bool) -> None:
        self._virtual = virtual
        self.touched: dict[Timeline, None] = {}
        self._attended: dict[Timeline, list[tuple[FlowExecution, Job]]] = {}

    def add(self, execution: FlowExecution, job: Job) -> Callable[[], None]:
        """Somebody waits for this end. Returns how to stop waiting."""
        waits = execution, job
        self._attended.setdefault(execution.timeline, []).append(waits)
        self.touched[execution.timeline] = None
        return partial(self._leave, waits)

    def _leave(self, waits: tuple[FlowExecution, Job]) -> None:
        timeline = waits[0].timeline
        attended = self._attended.get(timeline, [])
        if waits in attended:
            attended.remove(waits)
        if not attended:
            self._attended.pop(timeline, None)

    def touch(self, timeline: Timeline) -> None:
        """Something goes on in an execution on this timeline."""
        if timeline in self._attended:
            self.touched[timeline] = None
        elif timeline.joiners:
            self.touched.update(dict.fromkeys(self._attended))

    def jump(self, queue: ReadyQueue) -> bool:
        """Let one timeline jump, for the job of who waits for it, which the queue then works for. Returns whether one could."""
        while self.touched:
            timeline = next(iter(self.touched))
            attended = self._attended.get(timeline, ()) if self._virtual else ()
            job = next((job for execution, job in attended if not (execution.ended or job.exceeded)), None)
            if job is not None:
                queue.job = job
                if any(each.jump() for each in timeline.reach()):
                    return True
            del self.touched[timeline]
        return False
