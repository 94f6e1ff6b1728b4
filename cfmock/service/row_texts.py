"""Rows as JSON text, for a state file, and back.

Texts and times that several events of a history tell are written once, and events are short lists of numbers: a history takes
about a third of what GetExecutionHistory makes of it. Times keep all digits: rounded to microseconds, some would get into another
millisecond.
"""

from __future__ import annotations

import json
from collections import defaultdict
from hashlib import blake2b
from itertools import count
from operator import attrgetter
from typing import Any, TypeVar

from msgspec import convert

from cfmock.base.json_text import Json, ascii_text
from cfmock.engine.events import History, HistoryChild, event_shape
from cfmock.service.rows import ExecutionRow, FlowRow, Parent

R = TypeVar("R")
_FLOW = (
    "id", "name", "definition", "description", "type", "execution_mode", "created", "modified", "role_arn", "environment",
    "external_storage_location", "resource_group_id", "version", "published",
)  # fmt: skip
_EXECUTION = (
    "name", "status", "input", "started", "output", "stopped", "error", "cause", "qualifier", "map_run", "callback_token",
)  # fmt: skip
_flow_values, _execution_values = attrgetter(*_FLOW), attrgetter(*_EXECUTION)


def flow_text(row: FlowRow) -> str:
    """A flow, or a version of one."""
    return ascii_text(_flow_values(row))


def flow_values(text: str) -> dict[str, Any]:
    """The fields of the flow again, without what its definition is compiled to."""
    return dict(zip(_FLOW, json.loads(text), strict=True))


def digest(text: str) -> str:
    """A key for a state of a flow: the same for the same text."""
    return blake2b(text.encode(), digest_size=12).hexdigest()


def row_of(kind: type[R], text: str) -> R:
    """An alias, a schedule or a map run again, whose text is that of its values. Raises msgspec.ValidationError."""
    return convert(json.loads(text), kind)


def execution_text(row: ExecutionRow, stays: bool) -> str:
    """An execution, its history once it has ended; `stays`: a fixture wrote it."""
    events = history_value(row.events) if row.events is not None and row.ended else None
    return ascii_text([*_execution_values(row), events, stays, row.parent])


def execution_row(text: str, flow: FlowRow, serial: int) -> tuple[ExecutionRow, bool]:
    """The execution again, and whether a fixture wrote it."""
    *values, events, stays, parent = json.loads(text)
    row = ExecutionRow(
        flow=flow,
        serial=serial,
        events=None if events is None else history_of(events),
        parent=None if parent is None else Parent(*parent),
        **dict(zip(_EXECUTION, values, strict=True)),
    )
    return row, stays


def _numbers() -> defaultdict[Any, int]:
    """Number things in the order in which they are first asked for."""
    return defaultdict(count().__next__)


def history_value(history: History) -> Json:
    """The events of an execution that has ended, the points of its definition that it passed, and what it started."""
    moments, shapes, texts = _numbers(), _numbers(), _numbers()
    events = [
        [
            event.cause,
            shapes[event.shape],
            texts[event.step],
            moments[event.time],
            *[texts[part] for part in event.parts],
        ]
        for event in history
    ]
    trail = [texts[point] for point in history.trail]
    return [list(moments), list(shapes), list(texts), events, trail, history.children]


def history_of(value: Json) -> History:
    """The history again."""
    moments, shapes, texts, events, trail, children = value
    kinds = [event_shape(type_, *keys) for type_, keys in shapes]
    history = History()
    for number, (cause, shape, step, moment, *parts) in enumerate(events, 1):
        told = tuple([texts[part] for part in parts])
        history.sink([number, cause, texts[step], moments[moment], kinds[shape], told])
    history.trail += [texts[point] for point in trail]
    history.children = tuple([HistoryChild(*each) for each in children])
    history.close()
    return history
