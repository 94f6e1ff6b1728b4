"""Rows as JSON text, for a state file, and back.

Texts and times that several events of a history tell are written once, and events are short lists of numbers: a history takes
about a third of what GetExecutionHistory makes of it. Times keep all digits: rounded to microseconds, some would get into another
millisecond.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar

from msgspec import convert

from cfmock.base.json_text import Json, ascii_text
from cfmock.engine.events import History, HistoryChild, event_shape
from cfmock.engine.flow import Flow
from cfmock.service.rows import ExecutionRow, FlowRow, Parent

R = TypeVar("R")
Compile = Callable[[str, str, str], Flow]
"""From definition, name and execution mode to what the definition means."""

_FLOW = (
    "id", "name", "definition", "description", "type", "execution_mode", "created", "modified", "role_arn", "environment",
    "external_storage_location", "resource_group_id", "version", "published",
)  # fmt: skip


def flow_text(row: FlowRow) -> str:
    """A flow, or a version of one."""
    return ascii_text([getattr(row, name) for name in _FLOW])


def flow_row(text: str, compile_text: Compile) -> FlowRow:
    """The flow again. Raises what `compile_text` raises."""
    given = dict(zip(_FLOW, json.loads(text), strict=True))
    compiled = compile_text(given["definition"], given["name"], given["execution_mode"])
    return FlowRow(compiled=compiled, **given)


def digest(text: str) -> str:
    """A key for a state of a flow: the same for the same text."""
    return blake2b(text.encode(), digest_size=12).hexdigest()


def row_of(kind: type[R], text: str) -> R:
    """An alias, a schedule or a map run again, whose text is that of its values. Raises msgspec.ValidationError."""
    return convert(json.loads(text), kind)


def execution_text(row: ExecutionRow, stays: bool) -> str:
    """An execution, its history once it has ended; `stays`: a fixture wrote it."""
    events = history_value(row.events) if row.events is not None and row.ended else None
    return ascii_text(
        [
            row.name, row.status, row.input, row.started, row.output, row.stopped, row.error, row.cause, row.qualifier,
            row.map_run, row.callback_token, events, stays, row.parent,
        ]
    )  # fmt: skip


def execution_row(text: str, flow: FlowRow, serial: int) -> tuple[ExecutionRow, bool]:
    """The execution again, and whether a fixture wrote it."""
    (
        name, status, input_, started, output, stopped, error, cause, qualifier, map_run, callback_token, events, stays,
        parent,
    ) = json.loads(text)  # fmt: skip
    row = ExecutionRow(
        flow, name, status, input_, started, serial, output, stopped, error, cause,
        None if events is None else history_of(events), qualifier, map_run, callback_token,
        parent=None if parent is None else Parent(*parent),
    )  # fmt: skip
    return row, stays


class _Numbers:
    """Numbers things in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def of(self, thing: Any) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def things(self) -> list[Any]:
        return list(self._numbers)


def history_value(history: History) -> Json:
    """The events of an execution that has ended, the points of its definition that it passed, and what it started."""
    moments, shapes, texts = _Numbers(), _Numbers(), _Numbers()
    events = [
        [
            event.cause,
            shapes.of(event.shape),
            texts.of(event.step),
            moments.of(event.time),
            *map(texts.of, event.parts),
        ]
        for event in history
    ]
    trail = list(map(texts.of, history.trail))
    return [moments.things(), shapes.things(), texts.things(), events, trail, history.children]


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
