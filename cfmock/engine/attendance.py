"""Waits for the end of executions: on a virtual clock their timelines jump ahead, as far as nothing else decides."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from cfmock.base.timers import Timeline
from cfmock.engine.execution import FlowExecution
from cfmock.engine.jobs import Job
from cfmock.engine.ready_queue import ReadyQueue


class Attendance:
    """The executions that somebody waits for, and whose job each wait belongs to. `touched` are the timelines that may be able to
    jump."""

    def __init__(self, queue: ReadyQueue, *, virtual: bool) -> None:
        self._queue = queue
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

    def jump(self) -> bool:
        """Let one timeline jump, for the job of who waits for it. Returns whether one could."""
        while self.touched:
            timeline = next(iter(self.touched))
            attended = self._attended.get(timeline, ()) if self._virtual else ()
            job = next((job for execution, job in attended if not (execution.ended or job.exceeded)), None)
            if job is not None:
                self._queue.job = job
                if any(each.jump() for each in timeline.reach()):
                    return True
            del self.touched[timeline]
        return False
