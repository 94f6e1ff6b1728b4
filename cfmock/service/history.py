"""The history of an execution: the events of the engine, or, for a canned outcome, the events that fit it, made when read."""

from __future__ import annotations

from cfmock.base.json_text import json_text
from cfmock.engine import events
from cfmock.engine.events import History
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields, WrittenFields
from cfmock.service.flows import DEFAULT_LIMIT
from cfmock.service.lookup import find_execution
from cfmock.service.pages import fitting
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import World

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
