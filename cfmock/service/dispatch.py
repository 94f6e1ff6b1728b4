"""Operation to handler. A handler's keyword parameters are the operation's, in snake case; a test compares the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from cfmock.base.errors import ServiceError
from cfmock.protocol.wire.arguments import coerce
from cfmock.protocol.wire.messages import DeferredAnswer, Fields, OperationCall
from cfmock.service import executions, flows, listing, map_runs, schedules, task_reports, versions
from cfmock.service.rows import EXPRESS, STANDARD
from cfmock.service.world import FLOWS, World

Handler = Callable[..., "Fields | DeferredAnswer"]

HANDLERS: Mapping[str, Handler] = {
    "CreateFlow": flows.create_flow,
    "UpdateFlow": flows.update_flow,
    "DeleteFlow": flows.delete_flow,
    "DescribeFlow": flows.describe_flow,
    "ListFlows": flows.list_flows,
    "StartExecution": executions.start_execution,
    "StopExecution": executions.stop_execution,
    "DescribeExecution": executions.describe_execution,
    "ListExecutions": listing.list_executions,
    "StartSyncExecution": executions.start_sync_execution,
    "ReportTaskSucceeded": task_reports.report_task_succeeded,
    "ReportTaskFailed": task_reports.report_task_failed,
    "GetExecutionHistory": executions.get_execution_history,
    "CreateSchedule": schedules.create_schedule,
    "UpdateSchedule": schedules.update_schedule,
    "DeleteSchedule": schedules.delete_schedule,
    "DescribeSchedule": schedules.describe_schedule,
    "ListSchedules": schedules.list_schedules,
    "PublishFlowVersion": versions.publish_flow_version,
    "DeleteFlowVersion": versions.delete_flow_version,
    "ListFlowVersions": versions.list_flow_versions,
    "CreateFlowAlias": versions.create_flow_alias,
    "UpdateFlowAlias": versions.update_flow_alias,
    "DeleteFlowAlias": versions.delete_flow_alias,
    "DescribeFlowAlias": versions.describe_flow_alias,
    "ListFlowAliases": versions.list_flow_aliases,
    "DescribeMapRun": map_runs.describe_map_run,
    "UpdateMapRun": map_runs.update_map_run,
    "DescribeRegions": listing.describe_regions,
}


def dispatch(world: World, call: OperationCall) -> Fields | DeferredAnswer:
    """Do what the call asks. Raises ServiceError; ActionNotSupported for an operation that is not built."""
    handler = HANDLERS.get(call.operation.name)
    if handler is None:
        raise ServiceError("ActionNotSupported", call.operation.name)
    arguments: dict[str, Any] = coerce(call.operation, call.arguments, world.spec)
    compile_later = world.shared.compile_later
    if compile_later is not None and "definition" in arguments:
        express = _mode(world, arguments) == EXPRESS
        later = compile_later(arguments["definition"], flows.DEFINITION, express=express)
        if later is not None:
            return DeferredAnswer(cast("Callable[[], Fields]", partial(handler, world, **arguments)), later)
    return handler(world, **arguments)


def _mode(world: World, arguments: Mapping[str, Any]) -> str:
    """The execution mode of a flow that a call makes or updates."""
    row = world.stores.flows.get(FLOWS, arguments["name"])
    return arguments.get("execution_mode") or (row.execution_mode if row is not None else STANDARD)
