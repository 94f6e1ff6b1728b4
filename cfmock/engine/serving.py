"""Serves the commands of fibers (waits, calls, forks, map runs), and lets failures end what a fiber waits for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from cfmock.base.timers import TimerKind
from cfmock.engine.commands import (
    BLOCKED,
    RUNTIME_ERROR,
    AwaitTask,
    CallTask,
    Command,
    CommandOutcome,
    Failure,
    Fork,
    RunMap,
    Wait,
    WaitUntil,
)
from cfmock.engine.data_flow import MAX_NESTING
from cfmock.engine.execution import Fiber, FlowExecution, Group, Scheduler
from cfmock.engine.map_runs import MapChild, MapRun
from cfmock.engine.pending_task import PendingTask
from cfmock.engine.recording import CHILD, ENDING


class Ending(NamedTuple):
    """A failure that is about to end what a fiber waits for. `turns`: how often it still lets others go first, so that branches
    which fork for ever do not keep it waiting; forks nest no deeper than that."""

    fiber: Fiber
    failure: Failure
    turns: int = MAX_NESTING


def end_awaited(scheduler: Scheduler, over: Fiber, ending: Ending) -> None:
    """Let a failure end what a fiber waits for, or take another turn; `over` is a fiber that has nothing else to do."""
    fiber, failure, turns = ending
    if fiber.part is None:
        return  # called off meanwhile, with all that it waited for
    timeline, recording = fiber.execution.timeline, fiber.execution.recording
    look = partial(_what_goes_first, fiber, turns)
    first = look() if recording is None else recording.draw(look)
    if first == "others":
        scheduler.resume(over, ending._replace(turns=turns - 1))
    elif first == "due":
        timer = scheduler.resume_at(timeline.steady(), over, ending._replace(turns=0), scheduler.job)
        if recording is not None:
            recording.endings[ENDING + fiber.path] = timer
    else:
        assert fiber.waiting is not None
        fiber.waiting.cancel()
        scheduler.resume(fiber, failure)


def label_of(fiber: Fiber, outcome: object) -> str:
    """Which of the fibers that are ready this is, also in a recording."""
    return ENDING + outcome.fiber.path if type(outcome) is Ending else fiber.path


def _what_goes_first(fiber: Fiber, turns: int) -> str:
    """Name what goes ahead of a failure that is to end what a fiber waits for: "others", "due", or nothing."""
    if turns and not fiber.begun():
        return "others"
    return "due" if turns and fiber.execution.timeline.progress_due() else ""


def begin_part(scheduler: Scheduler, group: Group) -> None:
    """Let the next part of a fork have its turn, if there is one."""
    fiber = group.begin()
    if fiber is not None:
        scheduler.resume(fiber, None)


def _wait(scheduler: Scheduler, fiber: Fiber, command: Wait) -> CommandOutcome:
    if command.seconds <= 0:
        return None
    fiber.waiting = scheduler.resume_at(fiber.execution.timeline.steady() + command.seconds, fiber, None)
    return BLOCKED


def _wait_until(scheduler: Scheduler, fiber: Fiber, command: WaitUntil) -> CommandOutcome:
    timeline = fiber.execution.timeline
    ahead = command.moment - timeline.now()
    if ahead <= 0:
        return None
    if ahead > command.longest:
        return Failure(RUNTIME_ERROR, f"the time to wait for is more than {command.longest:g} seconds away")

    due = partial(scheduler.resume_now, fiber, None)
    fiber.waiting = scheduler.timers.add_moment(command.moment, TimerKind.PROGRESS, due, timeline)
    return BLOCKED


def _call(scheduler: Scheduler, fiber: Fiber, command: CallTask) -> CommandOutcome:
    fiber.waiting = task = PendingTask(fiber, command.call)
    return task.begin()


def _await(scheduler: Scheduler, fiber: Fiber, command: AwaitTask) -> CommandOutcome:
    task = fiber.waiting
    assert isinstance(task, PendingTask)
    return task.wait()


def _fork(scheduler: Scheduler, fiber: Fiber, command: Fork) -> CommandOutcome:
    if not command.parts:
        return []
    fiber.waiting = group = Group(fiber, command.parts)
    for _ in range(min(command.limit, len(command.parts))):
        begin_part(scheduler, group)
    return BLOCKED


def _run_map(scheduler: Scheduler, fiber: Fiber, command: RunMap) -> CommandOutcome:
    execution = fiber.execution
    fiber.waiting = map_run = MapRun(
        command,
        now=execution.now,
        start=partial(_start_or_find, execution),
        held=scheduler.held,
        done=partial(scheduler.resume, fiber),
        failed=lambda failure: scheduler.resume(Fiber(execution, None), Ending(fiber, failure)),
        record=lambda kind, *facts: execution.record(kind, fiber.path, *facts),
    )
    execution.map_runs[map_run.name] = map_run
    map_run.begin()
    return BLOCKED


def _start_or_find(parent: FlowExecution, map_run: MapRun, index: int) -> MapChild:
    recording = parent.recording
    if recording is not None and recording.replaying:
        child = recording.children.child(recording.next(CHILD)[1], parent)
    else:
        child = started = parent.resolver.start_child(parent, map_run, index)
        if recording is not None:
            recording.write([CHILD, started.identity.serial])
    child.on_end.append(partial(map_run.ended_child, index))
    return child


SERVED: dict[type[Command], Callable[[Scheduler, Fiber, Any], CommandOutcome]] = {
    Wait: _wait,
    WaitUntil: _wait_until,
    CallTask: _call,
    AwaitTask: _await,
    Fork: _fork,
    RunMap: _run_map,
}
"""By the type of a command: serves it, and returns its outcome, `BLOCKED` where that is still to come."""
