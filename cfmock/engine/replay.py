"""Runs an execution again, by its recording, to the point where the process died.

The scheduler's own code does it, on a clock that is set to each recorded moment: nothing is ready but what the recording
says, and no timer fires by itself. What is left at the end (waits, tasks, children) goes on as if nothing had happened.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from cfmock.base.clocks import Slice
from cfmock.base.timers import Timeline, Timer
from cfmock.engine.commands import Datum
from cfmock.engine.events import HistoryChild
from cfmock.engine.execution import ExecutionRecording, ExecutionStatus, Fiber, FlowExecution, Group, StartedExecution
from cfmock.engine.map_runs import MapRun
from cfmock.engine.pending_task import PendingTask
from cfmock.engine.recorded_answers import answer_of, outcome_of
from cfmock.engine.recording import (
    DUE,
    ENDED,
    ENDING,
    LATE,
    MAP_CHANGED,
    MAP_ENDED,
    NESTED,
    REPORT,
    SPENT,
    TURNED,
    WAITED,
    Entry,
    ReplayError,
)

WaitingT = TypeVar("WaitingT")


class StandIn(StartedExecution):
    """A child of an execution that is run again: the child itself, as soon as it is there; else what is known of its end."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self.real: FlowExecution | None = None

    @property
    def root(self) -> Fiber | None:
        return self.real.root if self.real is not None else None

    @property
    def ended(self) -> bool:
        return self.real.ended if self.real is not None else super().ended

    def stop(self, error: str = "", cause: str = "") -> None:
        if self.real is not None:
            self.real.stop(error, cause)

    def become(self, real: FlowExecution) -> None:
        """Set the child, whose end then reaches its waiters."""
        self.real = real
        real.on_end += self.on_end
        self.on_end = []

    def end(self, end: Entry) -> None:
        """End as a recording says."""
        status, text, self.error, self.cause = end[:4]
        self.status = ExecutionStatus(status)
        self.output = None if text is None else Datum(json.loads(text), text)


def replay(execution: FlowExecution, entries: Iterable[Entry], set_clock: Callable[[float], object]) -> None:
    """Run an execution that has just been started, and has had no turn, through all entries; `set_clock` sets the flow clock, in
    seconds since 1970. Raises ReplayError."""
    recording = execution.recording
    assert recording is not None
    recording.entries = deque(entries)
    recording.step = _Replay(execution, recording, set_clock).step
    recording.replaying = True
    # It is asked behind all events whether the slice was over.
    ahead, execution.context.ahead = execution.context.ahead, 0
    try:
        while recording.entries:
            recording.step()
    except ReplayError:
        raise
    except Exception as error:
        raise ReplayError(f"{type(error).__name__}: {error}") from error
    finally:
        recording.replaying = False
        execution.context.ahead = ahead
        recording.entries.clear()
        recording.step = deque


class _Replay(Slice):
    """The steps by which one execution is run again. It is the slice of each turn: over where that was over."""

    __slots__ = ("_execution", "_recording", "_set_clock")

    def __init__(
        self, execution: FlowExecution, recording: ExecutionRecording, set_clock: Callable[[float], object]
    ) -> None:
        self._execution = execution
        self._recording = recording
        self._set_clock = set_clock

    def over(self) -> bool:
        return self._recording.paused(self._execution.context.last)

    def step(self) -> None:
        """Do what the next entry says."""
        execution, recording = self._execution, self._recording
        kind, *facts = recording.entries.popleft()
        if kind == SPENT:
            recording.children.spent(execution, facts[0])
        elif kind == NESTED:
            recording.children.nested(execution, HistoryChild(*facts))
        elif kind in _STEPS:
            now, execution.timeline.skipped, label, *rest = facts
            self._set_clock(now)
            _STEPS[kind](self, label, *rest)
        else:
            raise ReplayError(f"{kind} is not expected")

    def turn(self, label: str, allowed: int) -> None:
        self._execution.scheduler.take_turn_again(self._execution, label, allowed, self)

    def waited(self, label: str) -> None:
        ending = label.startswith(ENDING)
        timer = self._recording.endings.pop(label) if ending else self.waiting(label, Timer, "time")
        self._execution.scheduler.timers.fire(timer)

    def due(self, label: str, guarded: bool) -> None:
        task = self.task(label)
        timer = task.guard if guarded else task.timer
        if timer is None:
            raise ReplayError(f"the task of '{label}' waits for no time")
        self._execution.scheduler.timers.fire(timer)

    def report(self, label: str, outcome: Entry) -> None:
        self.task(label).report(outcome_of(outcome))

    def late(self, label: str, answer: Entry) -> None:
        task = self.task(label)
        self._recording.later.pop(task, None)
        task.answer(answer_of(answer, task, self._recording.children))

    def ended(self, label: str, end: Entry) -> None:
        task = self.task(label)
        child = task.followed
        assert isinstance(child, StandIn)
        child.end(end)
        child.timeline.skipped = end[4]
        task.child_ended(child)

    def map_ended(self, label: str, index: int, end: Entry) -> None:
        map_run = self.waiting(label, MapRun, "map run")
        child = map_run.child(index)
        assert isinstance(child, StandIn)
        child.end(end)
        map_run.ended_child(index, child)
        self._execution.scheduler.run_ready()

    def map_changed(self, label: str, changes: dict[str, Any]) -> None:
        self.waiting(label, MapRun, "map run").update(**changes)

    def task(self, label: str) -> PendingTask:
        return self.waiting(label, PendingTask, "task")

    def waiting(self, label: str, kind: type[WaitingT], what: str) -> WaitingT:
        """What the fiber of this label waits for, of a kind that is called so."""
        fiber = self._execution.root
        for index in label.split("/") if label else ():
            group = fiber.waiting if fiber is not None else None
            if not isinstance(group, Group):
                raise ReplayError(f"there is no branch '{label}'")
            fiber = group.running.get(int(index))
        if fiber is None:
            raise ReplayError(f"there is no fiber '{label}'")
        if not isinstance(fiber.waiting, kind):
            raise ReplayError(f"'{label}' waits for no {what}")
        return fiber.waiting


_STEPS: dict[str, Callable[..., None]] = {
    TURNED: _Replay.turn,
    WAITED: _Replay.waited,
    DUE: _Replay.due,
    REPORT: _Replay.report,
    LATE: _Replay.late,
    ENDED: _Replay.ended,
    MAP_ENDED: _Replay.map_ended,
    MAP_CHANGED: _Replay.map_changed,
}
