"""Serves the commands of fibers: waits, calls, forks and map runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from cfmock.base.json_text import Json
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
from cfmock.engine.endings import Ending
from cfmock.engine.execution import Fiber, FlowExecution, Group, Scheduler
from cfmock.engine.map_runs import MapChild, MapRun
from cfmock.engine.pending_task import PendingTask
from cfmock.engine.recorded_answers import kept_end, path_of
from cfmock.engine.recording import CHILD, MAP_CHANGED, MAP_ENDED


def begin_member(scheduler: Scheduler, group: Group) -> None:
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
        begin_member(scheduler, group)
    return BLOCKED


def _run_map(scheduler: Scheduler, fiber: Fiber, command: RunMap) -> CommandOutcome:
    execution = fiber.execution
    fiber.waiting = map_run = MapRun(
        command,
        now=execution.now,
        start=partial(_start_or_find, execution),
        held=scheduler.held,
        done=partial(scheduler.resume, fiber),
        failed=partial(_map_failed, scheduler, fiber),
        changed=partial(_map_changed, fiber),
        child_ended=partial(_map_child_ended, fiber),
    )
    execution.map_runs[map_run.name] = map_run
    map_run.begin()
    return BLOCKED


def _map_failed(scheduler: Scheduler, fiber: Fiber, failure: Failure) -> None:
    map_run = fiber.waiting
    assert isinstance(map_run, MapRun)
    scheduler.resume(Fiber(fiber.execution, None), Ending(fiber, map_run, failure))


def _start_or_find(parent: FlowExecution, map_run: MapRun, index: int) -> MapChild:
    recording = parent.recording
    if recording is None:
        return parent.resolver.start_child(parent, map_run, index)
    if not recording.replaying:
        child = parent.resolver.start_child(parent, map_run, index)
        recording.write([CHILD, child.identity.serial])
        return child
    assert recording.children is not None
    found = recording.children.child(recording.next(CHILD)[1], parent)
    found.on_end.append(partial(map_run.ended_child, index))
    return found


def _map_changed(fiber: Fiber, changes: Json) -> None:
    recording = fiber.execution.recording
    if recording is not None:
        recording.told(MAP_CHANGED, fiber.execution, path_of(fiber), changes)


def _map_child_ended(fiber: Fiber, index: int, child: MapChild) -> None:
    recording = fiber.execution.recording
    if recording is not None:
        recording.told(MAP_ENDED, fiber.execution, path_of(fiber), index, kept_end(child))


SERVED: dict[type[Command], Callable[[Scheduler, Fiber, Any], CommandOutcome]] = {
    Wait: _wait,
    WaitUntil: _wait_until,
    CallTask: _call,
    AwaitTask: _await,
    Fork: _fork,
    RunMap: _run_map,
}
"""By the type of a command: serves it, and returns its outcome, `BLOCKED` where that is still to come."""
