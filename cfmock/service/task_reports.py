"""Reports to tasks that wait for a callback: ReportTaskSucceeded, ReportTaskFailed, and ends of executions that carry a token."""

from __future__ import annotations

import json
from typing import Any

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import Json
from cfmock.engine.commands import Failure
from cfmock.engine.execution import FlowExecution
from cfmock.engine.identity import TaskToken, read_token
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service.lookup import find_execution
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import World


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
    event = run.context.last + 1
    run.report(token, outcome)
    return {"EventId": event}


def waiting_run(world: World, token: str) -> FlowExecution | None:
    """Return the execution in which the task of a token waits; None if it has ended. Raises InvalidArgument for what no task was
    given."""
    parts = read_token(token)
    if parts is None:
        raise invalid("TaskToken", "is not one that a task was given")
    row = find_execution(world, parts.flow, parts.execution)
    run = world.run_of(row)
    if run is not None and token in run.waiting:
        return run
    if token != TaskToken(world.identity_of(row.flow, row.name, serial=row.serial), parts.event, world.ids).text:
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
        run.report(token, result_of(row))


def result_of(row: ExecutionRow) -> Json | Failure:
    """The output of an execution that has ended, or its failure, for a task that waits for it."""
    return json.loads(row.output or "{}") if row.status == "Succeeded" else Failure(row.error or row.status, row.cause)
