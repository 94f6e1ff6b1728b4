"""Tasks of executions: who answers them, and ReportTaskSucceeded and ReportTaskFailed."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text
from cfmock.base.suggestions import shown
from cfmock.base.timers import Timeline
from cfmock.engine.commands import Failure
from cfmock.engine.execution import Answer, CalledTask, FlowExecution, Nested
from cfmock.engine.model import Mode
from cfmock.engine.nested_flows import FlowStart
from cfmock.engine.task_calls import Fails, Returns, TaskMock, Waits
from cfmock.engine.task_mocks import UNMOCKED, Answerer, ScriptedTasks
from cfmock.engine.task_tokens import TaskToken, read_token
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service import executions
from cfmock.service.flows import find_flow
from cfmock.service.live import Executed, identity_of
from cfmock.service.rows import EXPRESS, ExecutionRow
from cfmock.service.world import World

MAX_NESTING = 50
"""Executions that wait, one for another; our choice, so that a flow that starts itself and waits for it comes to an end."""

NESTING = "FnF.NestingLimitExceeded"
"""The error of a task that would go beyond it; a name of ours."""


def report_task_succeeded(world: World, *, task_token: str, output: str) -> Fields:
    """End a task that waits for a callback; the output becomes its result.

    Raises TaskAlreadyCompleted for one that has ended, InvalidArgument for a token that no task was given, FlowNotExists and
    ExecutionNotExists.
    """
    return _report(world, task_token, json.loads(output))


def report_task_failed(world: World, *, task_token: str, error: str, cause: str = "") -> Fields:
    """Fail a task that waits for a callback: error and cause are what its retry and catch rules see."""
    return _report(world, task_token, Failure(error, cause))


def _report(world: World, token: str, outcome: Any) -> Fields:
    run = waiting_run(world, token)
    if run is None:
        raise ServiceError("TaskAlreadyCompleted", token)
    event = run.last + 1
    run.report(token, outcome)
    return {"EventId": event}


def waiting_run(world: World, token: str) -> FlowExecution | None:
    """The execution in which the task of a token waits; None if it no longer does. Raises for what no task was given."""
    parts = read_token(token)
    if parts is None:
        raise invalid("TaskToken", "is not one that a task was given")
    row = executions.find_execution(world, parts.flow, parts.execution)
    live = world.live_execution(row)
    run = live.run if isinstance(live, Executed) else None
    if run is not None and token in run.waiting:
        return run
    if token != TaskToken(identity_of(world, row.flow, row.name, serial=row.serial), parts.event, world.ids).text:
        raise invalid("TaskToken", f"is not one that a task of execution '{row.name}' was given")
    return None


def report_to_token(world: World, token: str, row: ExecutionRow) -> None:
    """An execution that was started with a CallbackFnFTaskToken has ended: tell the task of that token, if it still waits."""
    try:
        run = waiting_run(world, token)
    except ServiceError:
        world.warn(f"{row.flow.name}/{row.name} was to report a task that is not there")
        return
    if run is not None:
        run.report(token, _result(row))


def _result(row: ExecutionRow) -> Any:
    return json.loads(row.output or "{}") if row.status == "Succeeded" else Failure(row.error or row.status, row.cause)


class Resolver(ScriptedTasks):
    """Answers the tasks of one execution: by the mocks of its flow, by starting nested flows, by waiting for reports."""

    def __init__(self, world: World, row: ExecutionRow) -> None:
        super().__init__(world.mocks_of(row.flow.name), world.shared.functions)
        self.world = world
        self.row = row
        assert row.events is not None
        self._trail = row.events.trail

    def answered(self, task: CalledTask, by: TaskMock | Answerer) -> None:
        if type(by) is TaskMock:
            self.world.notes.matched = True
        self._trail.append((task.call.task_token.event, by, self.mocks.by_task))

    def unmocked(self, task: CalledTask) -> None:
        """Fail the task, or say that it succeeds: once of each task, and to each call that it happens in."""
        call, flow, world = task.call, self.row.flow.name, self.world
        if world.notes.explains:
            world.notes.missed(self.mocks.unmatched(call, task.execution.spent))
        if world.settings.unmocked_tasks == "fail":
            raise Failure(UNMOCKED, f"there is no mock for the task '{call.state}' ({call.action}) of flow '{flow}'")
        text = f"flow '{flow}': no mock for the task '{call.state}' ({call.action}); it succeeded with {{}}"
        said = world.unmocked.setdefault(flow, set())
        if call.state in said:
            world.notes.warn(text)
        else:
            said.add(call.state)
            world.warn(text)

    def raised(self, task: CalledTask, failure: Failure) -> None:
        """Warn, once of each line of the user's: retries raise there again."""
        world, where = self.world, (self.row.flow.name, task.call.state, failure.place)
        if where not in world.raised:
            world.raised.add(where)
            text = f"flow '{where[0]}': the function of task '{where[1]}' raised {failure.code}: {failure.detail:.200}"
            world.warn(f"{text} ({failure.place})")

    def start_flow(self, task: CalledTask, start: FlowStart) -> Answer:
        world, mode = self.world, task.call.mode
        self.answered(task, Answerer.NESTED)
        try:
            row, joined = self._child(task, start)
        except ServiceError as error:
            said = world.spec.errors[error.code].render(tuple(map(str, error.args)))
            raise Failure(f"{task.call.product}.{error.code}", f"{said} {error.detail}".rstrip()) from None
        answered = {"FlowName": row.flow.name, "ExecutionName": row.name, "RequestID": world.ids.request_id()}
        live = world.live_execution(row)
        if isinstance(live, Executed):
            return Nested(live.run, answered, joined)
        return self._canned(task, row, joined) if mode is Mode.SYSTEM_CALLBACK else Nested(None, answered)

    def _child(self, task: CalledTask, start: FlowStart) -> tuple[ExecutionRow, bool]:
        """The execution, and whether it was going on already."""
        world = self.world
        flow = find_flow(world, start.flow)
        if flow.execution_mode == EXPRESS:
            raise ServiceError("ActionNotSupported", "StartExecution")
        if start.execution and not world.spec.name_pattern.match(start.execution):
            raise invalid("executionName", f"{shown(start.execution)} is no name of an execution")
        existing = world.stores.executions.get(flow.id, start.execution) if start.execution else None
        if existing is not None:
            if existing.ended:
                raise ServiceError("ExecutionAlreadyExists", existing.name, flow.name)
            return existing, True
        parent = task.execution.timeline
        waited = task.call.mode is not Mode.REQUEST_COMPLETE
        nesting = task.execution.identity.nesting + 1 if waited else 0
        if nesting > MAX_NESTING:
            raise Failure(NESTING, f"more than {MAX_NESTING} executions would wait, one for another")
        timeline: Timeline = parent if waited else world.timers.timeline(parent.skipped)
        name = start.execution or world.ids.execution_name()
        return executions.launch(world, flow, name, json_text(start.input), timeline, nesting=nesting), False

    def _canned(self, task: CalledTask, row: ExecutionRow, joined: bool) -> Answer:
        """The end of a child that goes by a canned outcome: known already, at a known time, or when it comes."""
        live = self.world.live_execution(row)
        if isinstance(live, executions.Scripted):
            live.poll_out()
            live = self.world.live_execution(row)
        if live is None:
            found = executions.find_execution(self.world, row.flow.name, row.name)
            result = _result(found)
            return Fails(result.code, result.detail) if isinstance(result, Failure) else Returns(result)
        return self.wait_for(task, row, joined)

    def wait_for(self, task: CalledTask, row: ExecutionRow, joined: bool) -> Waits:
        """Let the end of a canned execution end the task."""
        executions.subscribe(self.world, row, lambda: None, lambda: self._report_end(task, row))
        return Waits(None if joined else partial(self._stop, row), row.serial)

    def _stop(self, row: ExecutionRow, error: str, cause: str) -> None:
        live = self.world.live_execution(row)
        if live is not None:
            live.stop(error, cause)

    def _report_end(self, task: CalledTask, row: ExecutionRow) -> None:
        found = self.world.stores.executions.get(row.flow.id, row.name)
        if found is not None and not task.over:
            task.report(_result(found))
