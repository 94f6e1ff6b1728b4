"""Executions: start, stop, describe (with long poll), and their histories, which are made for canned outcomes when read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

from cfmock.base.clocks import iso
from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text, quoted
from cfmock.base.time_text import duration_text
from cfmock.engine import events
from cfmock.engine.events import History
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import DeferredAnswer, Fields, WrittenFields
from cfmock.service.flows import DEFAULT_LIMIT
from cfmock.service.live import waiting_for
from cfmock.service.lookup import find_execution, find_flow, fitting
from cfmock.service.rows import EXPRESS, ExecutionRow, FlowRow
from cfmock.service.starting import PLAIN, RUNNING, StartOrigin, start_new, start_or_join
from cfmock.service.world import Live, World

LOOKS = 20
"""DescribeExecution calls about one execution at one time of the virtual clock, at the last of which its client is warned."""

UNSTOPPED = "1970-01-01T00:00:00Z"
"""StoppedTime of an execution that has not stopped (command-line samples, the vendor's editor plug-in)."""


def start_execution(
    world: World,
    *,
    flow_name: str,
    execution_name: str | None = None,
    input: str = "",
    callback_fnf_task_token: str | None = None,
    qualifier: str | None = None,
) -> Fields:
    """Start one, or give back the one in progress under that name (StartExecution, usage notes).

    Answers `Running`, even if the execution has ended by then. Raises FlowNotExists, ExecutionAlreadyExists for the name of one
    that has ended, InvalidArgument for a qualifier that leads nowhere, and ActionNotSupported for an Express flow (inferred
    from the mirrored example of StartSyncExecution).
    """
    flow = find_flow(world, flow_name)
    if flow.execution_mode == EXPRESS:
        raise ServiceError("ActionNotSupported", "StartExecution", detail="Express execution is not supported.")
    origin = PLAIN
    if callback_fnf_task_token or qualifier is not None:
        origin = StartOrigin(callback_token=callback_fnf_task_token or "", qualifier=qualifier)
    row, _ = start_or_join(world, flow, execution_name, input, origin)
    return _fields(row, RUNNING, None, "") if row.ended else execution_fields(row)


def stop_execution(world: World, *, flow_name: str, execution_name: str, cause: str = "", error: str = "") -> Fields:
    """End it now. As in the published sample the answer still says `Running`, with StoppedTime set; the next
    DescribeExecution says `Stopped`. Raises ExecutionAlreadyCompleted."""
    row = find_execution(world, flow_name, execution_name)
    live = world.live_execution(row)
    if row.ended or live is None:
        raise ServiceError("ExecutionAlreadyCompleted", execution_name, flow_name)
    live.stop(error, cause)
    stopped = find_execution(world, flow_name, execution_name)
    fields = execution_fields(stopped) | {"Status": RUNNING}
    if stopped.flow.role_arn:
        fields["RoleArn"] = stopped.flow.role_arn
    return fields


def describe_execution(
    world: World, *, flow_name: str, execution_name: str, wait_time_seconds: int = 0
) -> Fields | DeferredAnswer:
    """Answer with the execution now, or, with a wait, once it has ended or the wait is over."""
    row = find_execution(world, flow_name, execution_name)
    live = world.live_execution(row)
    if live is not None and not live.poll():
        if not wait_time_seconds:
            if world.settings.clock == "virtual":
                _look(world, row, live)
            return described_fields(row)
        subscribe = waiting_for(world, row)
        if subscribe is not None:
            ready = partial(_described, world, flow_name, execution_name)
            return DeferredAnswer(ready, subscribe, timeout=float(wait_time_seconds))
    return _described(world, flow_name, execution_name)


def _look(world: World, row: ExecutionRow, live: Live) -> None:
    """Count a look at an execution that runs on a virtual clock. Warns of the one at which a client that waits for its end by
    looking again and again, sleeping between, would not see it: only time is missing, and that stands still."""
    now = live.timeline.now()
    moment, count = live.looks
    live.looks = looks = now, count + 1 if now == moment else 1
    if looks[1] != LOOKS:
        return
    timelines = live.timeline.reach()
    if any(each.busy or each.open > len(each.joined) for each in timelines):
        return  # an answer or a report is to come
    left = min(each.left for each in timelines)
    if left < math.inf and world.says_first("stands still", row.flow.id, row.name):
        span = duration_text(left)
        world.warn(
            f"{row.flow.name}/{row.name} waits until {iso(now + left)} and the virtual clock stands still at {iso(now)}, so "
            f"DescribeExecution goes on answering {row.status}: advance the clock (cf.clock.advance('{span}'), POST "
            "/_cfmock/clock), give WaitTimeSeconds, or use cf.run"
        )


def start_sync_execution(
    world: World, *, flow_name: str, execution_name: str | None = None, input: str = "", qualifier: str | None = None
) -> Fields | DeferredAnswer:
    """Start an Express flow and answer when it has ended; its failure is in fields of a success (StartSyncExecution).

    Names may repeat: the service adds a UUID. Raises ActionNotSupported for a Standard flow, as the page's example hints, and
    InvalidArgument for a qualifier that leads nowhere.
    """
    flow = find_flow(world, flow_name)
    if flow.execution_mode != EXPRESS:
        raise ServiceError("ActionNotSupported", "StartSyncExecution", detail="Standard execution is not supported.")
    asked = execution_name or world.ids.execution_name()
    row = start_new(world, flow, f"{asked}:{world.ids.uuid()}", input, StartOrigin(asked=asked, qualifier=qualifier))
    subscribe = waiting_for(world, row)
    if subscribe is not None:
        return DeferredAnswer(partial(_sync_fields, world, row), subscribe)
    return _sync_fields(world, row)


def _sync_fields(world: World, row: ExecutionRow) -> Fields:
    row = find_execution(world, row.flow.name, row.name)
    fields = described_fields(row)
    del fields["Input"], fields["FlowDefinition"]
    if row.status != "Succeeded":
        fields |= {"ErrorCode": row.error, "ErrorMessage": row.cause}
    return fields


def execution_fields(row: ExecutionRow) -> Fields:
    """Return the fields of StartExecution and StopExecution."""
    return _fields(row, row.status, row.stopped, row.output)


def _fields(row: ExecutionRow, status: str, stopped: float | None, output: str) -> Fields:
    return {
        "FlowName": row.flow.name,
        "Name": row.name,
        "Status": status,
        "StartedTime": iso(row.started),
        "StoppedTime": UNSTOPPED if stopped is None else iso(stopped),
        "FlowDefinition": row.flow.definition,
        "Input": row.input,
        "Output": output,
    }


def described_fields(row: ExecutionRow) -> Fields:
    """Return the fields of DescribeExecution: with the environment, its variables without descriptions."""
    fields = execution_fields(row)
    if row.flow.environment is not None:
        fields["Environment"] = _environment(row.flow)
    return fields


def _environment(flow: FlowRow) -> Fields:
    assert flow.environment is not None
    variables = [{"Name": each["Name"], "Value": each.get("Value", "")} for each in flow.environment["Variables"]]
    return {"Variables": variables}


def list_texts(rows: Sequence[ExecutionRow], metadata_only: bool) -> Iterator[str]:
    """Items of ListExecutions as JSON text: the fields of DescribeExecution; `metadata_only` leaves out what is long.

    Joined, since encoding a page of values would cost several times as much as all else.
    """
    flow: FlowRow | None = None
    head = definition = rest = ""
    for row in rows:
        if row.flow is not flow:
            flow = row.flow
            head, rest = f'{{"FlowName":{quoted(flow.name)},"Name":', "}"
            if flow.environment is not None:
                rest = f',"Environment":{json_text(_environment(flow))}}}'
            definition = "" if metadata_only else f',"FlowDefinition":{quoted(flow.definition)},"Input":'
        started = iso(row.started)
        stopped = UNSTOPPED if row.stopped is None else started if row.stopped == row.started else iso(row.stopped)
        long = "" if metadata_only else f'{definition}{quoted(row.input)},"Output":{quoted(row.output)}'
        yield (
            f'{head}{quoted(row.name)},"Status":"{row.status}","StartedTime":"{started}","StoppedTime":"{stopped}"{long}{rest}'
        )


def _described(world: World, flow_name: str, execution_name: str) -> Fields:
    return described_fields(find_execution(world, flow_name, execution_name))


_ENDS = {
    "Succeeded": events.EXECUTION_SUCCEEDED,
    "Failed": events.EXECUTION_FAILED,
    "Stopped": events.EXECUTION_STOPPED,
    "TimedOut": events.EXECUTION_TIMED_OUT,
}


def get_execution_history(
    world: World, *, flow_name: str, execution_name: str, next_token: str = "1", limit: int = DEFAULT_LIMIT
) -> Fields:
    """Events in the order of their ids. The token is the id to go on from, in decimal."""
    every = events_of(find_execution(world, flow_name, execution_name))
    if not next_token.isdecimal() or len(next_token) > 18 or int(next_token) < 1:
        raise invalid("NextToken", "is not one that GetExecutionHistory gave")
    start = int(next_token) - 1
    texts = fitting(every.texts(start, start + limit))
    behind = start + len(texts)
    return WrittenFields("Events", texts, {"NextToken": str(behind + 1)} if behind < len(every) else {})


def events_of(row: ExecutionRow) -> History:
    """The events of an execution so far, oldest first."""
    if row.events is not None:
        return row.events
    found = History()
    found.sink([1, 0, "", row.started, events.EXECUTION_STARTED, (row.input or "{}",)])
    if row.stopped is not None:
        parts = (row.output or "{}",) if row.status == "Succeeded" else (json_text(row.error), json_text(row.cause))
        found.sink([2, 1, "", row.stopped, _ENDS[row.status], parts])
    return found
