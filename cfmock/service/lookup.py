"""Finds flows, versions and executions, or says that there are none; and pages of rows, by key, of a bounded size.

Limits of the API count rows, and a row may hold a definition or an input of a mebibyte. So a page ends early, with a token,
where the next row would make it too large (our choice).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service.rows import ExecutionRow, FlowRow
from cfmock.service.store.memory import Table
from cfmock.service.world import FLOWS, World


def find_flow(world: World, name: str) -> FlowRow:
    """Find a flow by its name. Raises FlowNotExists."""
    row = world.stores.flows.get(FLOWS, name)
    if row is None:
        raise ServiceError("FlowNotExists", name)
    return row


def find_version(world: World, flow: FlowRow, number: str, parameter: str) -> FlowRow:
    """Find a version of a flow. Raises InvalidArgument naming the parameter (our choice: no code is documented)."""
    version = world.stores.versions.get(flow.id, version_key(int(number)))
    if version is None:
        raise invalid(parameter, f"is {number}, and flow '{flow.name}' has no version of that number")
    return version


def version_key(number: int) -> str:
    """The key of a version: newer ones first, since tables are read in ascending order only."""
    return f"{999_999_999 - number:09d}"


def find_execution(world: World, flow_name: str, execution_name: str) -> ExecutionRow:
    """Find an execution by its name and that of its flow. Raises FlowNotExists and ExecutionNotExists."""
    flow = find_flow(world, flow_name)
    row = world.stores.executions.get(flow.id, execution_name)
    if row is None:
        raise ServiceError("ExecutionNotExists", execution_name, flow_name)
    return row


def given(**changes: Any) -> dict[str, Any]:
    """Return the changes that a call asks for: those that are not None."""
    return {name: value for name, value in changes.items() if value is not None}


MAX_PAGE_SIZE = 4 * 1024 * 1024
"""Characters of a page's rows, unless it has one row only."""

R = TypeVar("R")


def rows_from(table: Table[R], partition: str, start: str = "", stop: str | None = None) -> Iterator[R]:
    """The rows of a partition in the order of their keys, from `start` (included) up to `stop` (excluded), lazily."""
    for key in table.keys(partition, start, stop):
        if (row := table.get(partition, key)) is not None:
            yield row


def page(name: str, rows: Iterable[R], limit: int, fields: Callable[[R], Fields], token: Callable[[R], str]) -> Fields:
    """The answer with the first `limit` rows under `name`, or as many as a page may hold, and the token of the row to go on
    from if there are more."""
    found: list[Fields] = []
    answer: Fields = {name: found}
    size = 0
    for row in rows:
        item = fields(row) if len(found) < limit else None
        if item is not None:
            size += sum(map(_size, item.values()))
        if item is None or (size > MAX_PAGE_SIZE and found):
            answer["NextToken"] = token(row)
            break
        found.append(item)
    return answer


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json_text(value)) if isinstance(value, (dict, list)) else 0


def fitting(texts: Iterable[str]) -> list[str]:
    """The first of these rows, given as JSON text, that a page may hold: one at least. No more are asked for."""
    found: list[str] = []
    size = 0
    for text in texts:
        size += len(text)
        if size > MAX_PAGE_SIZE and found:
            break
        found.append(text)
    return found
