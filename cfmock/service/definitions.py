"""The size of what calls define, in bytes: flows, versions, aliases and schedules, of all worlds together.

A definition that a flow shares with its versions counts once. What fixtures write does not count.
"""

from __future__ import annotations

from collections import Counter

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text, value_size
from cfmock.service.rows import AliasRow, FlowRow, ScheduleRow

DefinedRow = FlowRow | AliasRow | ScheduleRow

MAX_DEFINED = 64 * 1024 * 1024
"""Bytes that all of it may take, about."""

_ROW = 600  # bytes of a row without its texts
_COMPILED = 20  # bytes of a compiled definition for each character


class Definitions:
    """The definitions made by calls. `bytes` is about what it takes."""

    def __init__(self) -> None:
        self.bytes = 0
        self._sizes: dict[str, dict[str, tuple[int, str]]] = {}  # by flow id and row: its own size, and its definition
        self._holders: dict[str, Counter[str]] = {}  # by flow id: how many rows have a definition

    def put(self, flow: str, row: DefinedRow, *, restored: bool = False) -> None:
        """A row of a flow takes the place of the one of its name. Raises InvalidArgument where there is no room (our choice) for
        one that is not `restored`."""
        key, definition = _key(row), row.definition if isinstance(row, FlowRow) else ""
        size = _ROW + _text_size(row)
        holders = self._holders.get(flow, Counter())
        more = size + (0 if holders[definition] else _definition_size(definition))
        known = self._sizes.get(flow, {}).get(key, (0, ""))[0]
        if more > known and self.bytes + more > MAX_DEFINED and not restored:
            detail = f"The flows, versions, aliases and schedules that calls made take {self.bytes} bytes. Delete some."
            raise ServiceError("InvalidArgument", detail=detail)
        self.bytes += more
        self._holders.setdefault(flow, holders)[definition] += 1
        self._remove(flow, key)
        self._sizes.setdefault(flow, {})[key] = size, definition

    def remove(self, flow: str, row: DefinedRow) -> None:
        """A row is gone, if it counted."""
        self._remove(flow, _key(row))

    def _remove(self, flow: str, key: str) -> None:
        found = self._sizes.get(flow, {}).pop(key, None)
        if found is not None:
            size, definition = found
            self.bytes -= size
            holders = self._holders[flow]
            holders[definition] -= 1
            if not holders[definition]:
                del holders[definition]
                self.bytes -= _definition_size(definition)

    def drop(self, flow: str) -> None:
        """A flow is gone with all its rows."""
        for row in list(self._sizes.get(flow, ())):
            self._remove(flow, row)
        self._sizes.pop(flow, None)
        self._holders.pop(flow, None)


def _key(row: DefinedRow) -> str:
    if isinstance(row, FlowRow):
        return f"version {row.version}"
    return f"{'alias' if isinstance(row, AliasRow) else 'schedule'} {row.name}"


def _text_size(row: DefinedRow) -> int:
    """Characters of its texts beside the definition."""
    size = len(row.name) + len(row.description)
    if isinstance(row, ScheduleRow):
        return size + len(row.payload) + len(row.cron)
    if isinstance(row, FlowRow):
        environment = value_size(json_text(row.environment)) if row.environment else 0
        return size + len(row.role_arn) + len(row.external_storage_location) + len(row.resource_group_id) + environment
    return size


def _definition_size(definition: str) -> int:
    return (1 + _COMPILED) * len(definition)
