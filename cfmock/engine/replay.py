"""Runs an execution again, by its recording, to the point where the process died.

The scheduler's own code does it, on a clock that is set to each recorded moment: nothing is ready but what the recording
says, and no timer fires by itself. What is left at the end (waits, tasks, children) goes on as if nothing had happened.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

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


class _Replayed(Slice):
    """A slice that is over where it was."""

    __slots__ = ("_execution", "_recording")

    def __init__(self, execution: FlowExecution, recording: ExecutionRecording) -> None:
        self._execution = execution
        self._recording = recording

    def over(self) -> bool:
        return self._recording.paused(self._execution.last)


def replay(execution: FlowExecution, entries: Iterable[Entry], set_clock: Callable[[float], object]) -> None:
    """Run an execution that has just been started, and has had no turn, through all entries; `set_clock` sets the flow clock, in
    seconds since 1970. Raises ReplayError."""
    recording = execution.recording
    assert recording is not None
    recording.entries = deque(entries)
    recording.step = partial(_step, execution, recording, set_clock)
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


def _step(execution: FlowExecution, recording: ExecutionRecording, set_clock: Callable[[float], object]) -> None:
    kind, *facts = recording.entries.popleft()
    if kind == SPENT:
        recording.children.spent(execution, facts[0])
        return
    if kind == NESTED:
        recording.children.nested(execution, HistoryChild(*facts))
        return
    if kind not in _STEPS:
        raise ReplayError(f"{kind} is not expected")
    now, skipped, path, *rest = facts
    set_clock(now)
    execution.timeline.skipped = skipped
    _STEPS[kind](execution, path, rest)


def _turn(execution: FlowExecution, label: str, facts: Entry) -> None:
    recording = _recording(execution)
    execution.scheduler.take_turn_again(execution, label, facts[0], _Replayed(execution, recording))


def _waited(execution: FlowExecution, label: str, facts: Entry) -> None:
    if label.startswith(ENDING):
        timer = _recording(execution).endings.pop(label)
    else:
        timer = _waiting(execution, label, Timer, "time")
    execution.scheduler.timers.fire(timer)


def _due(execution: FlowExecution, label: str, facts: Entry) -> None:
    task = _task(execution, label)
    timer = task.guard if facts[0] else task.timer
    if timer is None:
        raise ReplayError(f"the task of '{label}' waits for no time")
    execution.scheduler.timers.fire(timer)


def _late(execution: FlowExecution, label: str, facts: Entry) -> None:
    task, recording = _task(execution, label), _recording(execution)
    recording.later.pop(task, None)
    task.answer(answer_of(facts[0], task, recording.children))


def _ended(execution: FlowExecution, label: str, facts: Entry) -> None:
    task = _task(execution, label)
    child = task.followed
    assert isinstance(child, StandIn)
    child.end(facts[0])
    child.timeline.skipped = facts[0][4]
    task.child_ended(child)


def _map_ended(execution: FlowExecution, label: str, facts: Entry) -> None:
    index, end = facts
    map_run = _map_run(execution, label)
    child = map_run.child(index)
    assert isinstance(child, StandIn)
    child.end(end)
    map_run.ended_child(index, child)
    execution.scheduler.run_ready()


def _recording(execution: FlowExecution) -> ExecutionRecording:
    assert execution.recording is not None
    return execution.recording


def _fiber(execution: FlowExecution, label: str) -> Fiber:
    fiber = execution.root
    for index in label.split("/") if label else ():
        group = fiber.waiting if fiber is not None else None
        if not isinstance(group, Group):
            raise ReplayError(f"there is no branch '{label}'")
        fiber = group.running.get(int(index))
    if fiber is None:
        raise ReplayError(f"there is no fiber '{label}'")
    return fiber


def _waiting(execution: FlowExecution, label: str, kind: type[WaitingT], what: str) -> WaitingT:
    """What the fiber waits for, of a kind that is called so."""
    found = _fiber(execution, label).waiting
    if not isinstance(found, kind):
        raise ReplayError(f"'{label}' waits for no {what}")
    return found


def _task(execution: FlowExecution, label: str) -> PendingTask:
    return _waiting(execution, label, PendingTask, "task")


def _map_run(execution: FlowExecution, label: str) -> MapRun:
    return _waiting(execution, label, MapRun, "map run")


_STEPS: dict[str, Callable[[FlowExecution, str, Entry], None]] = {
    TURNED: _turn,
    WAITED: _waited,
    DUE: _due,
    REPORT: lambda execution, label, facts: _task(execution, label).report(outcome_of(facts[0])),
    LATE: _late,
    ENDED: _ended,
    MAP_ENDED: _map_ended,
    MAP_CHANGED: lambda execution, label, facts: _map_run(execution, label).update(**facts[0]),
}
