"""Moves the flow clock, and keeps apart what each call, run and move of the clock sets going."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

from cfmock.base.clocks import Slice, VirtualClock
from cfmock.base.errors import ClockStopped
from cfmock.engine.jobs import Job
from cfmock.service.shared import Shared


class FlowTime:
    """The time that executions go by. `halted` is set at the end: the flow clock goes no further."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._most = shared.settings.max_starts_per_advance
        self.virtual = isinstance(shared.clock, VirtualClock)
        self.halted = False
        self._moves: list[Job] = []  # those that are under way

    def tick(self) -> None:
        """Run what is due now, until others should have their turn."""
        with self._shared.scheduler.at_work(self._moves[-1] if self._moves else self._new_job()):
            self._shared.timers.run_due(Slice().over)

    @contextmanager
    def one_job(self, on_stop: Callable[[], None] | None = None) -> Iterator[Job | None]:
        """Make one job of all that is set going in this block, on a virtual clock; None on a real clock."""
        if not self.virtual:
            yield None
            return
        job = self._new_job(on_stop)
        with self._shared.scheduler.at_work(job):
            yield job

    def _new_job(self, on_stop: Callable[[], None] | None = None) -> Job:
        return Job(self._most, on_stop) if self.virtual else Job()

    def advance_to(self, moment: float) -> None:
        """Move a virtual clock on to a moment, in seconds since 1970; returns when everything due on the way is done. Raises
        ClockStopped."""
        for _ in self.advancing(moment):
            pass

    def advancing(self, moment: float) -> Iterator[None]:
        """Move the clock as `advance_to` does, a step at a time."""
        shared, job = self._shared, self._new_job()
        scheduler, steps = shared.scheduler, shared.timers.advancing(moment)
        scheduler.take_over(job)
        self._moves.append(job)
        try:
            while True:
                with scheduler.at_work(job):
                    if next(steps, steps) is steps:
                        shared.feed.mark_once("clock", ("", ""))
                        return
                shared.feed.mark_once("clock", ("", ""))
                self.check_going(job)
                yield
                if self.halted or shared.scheduler is not scheduler:
                    why = "the server ends" if self.halted else "everything was reset meanwhile"
                    raise ClockStopped(self._today(), why)
        finally:
            self._moves.remove(job)
            if shared.changes is not None:
                shared.changes.touch()

    def check_going(self, job: Job | None) -> None:
        """Raises ClockStopped for a job that has started more executions than it may."""
        if job is not None and job.exceeded:
            self._shared.scheduler.stop_job(job)
            reason = f"more than {job.most} executions were started (max_starts_per_advance)"
            raise ClockStopped(self._today(), reason)

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self._shared.clock.now(), timezone.utc)
