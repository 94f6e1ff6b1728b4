"""The size of what calls define, in bytes: flows, versions, aliases and schedules, of all worlds together.

A definition that a flow shares with its versions counts once. What fixtures write does not count.
"""

from __future__ import annotations

from collections import Counter

from cfmock.base.errors import ServiceError

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

    def put(self, flow: str, row: str, *texts: str, definition: str = "") -> None:
        """A row of a flow takes the place of the one of this name. Raises InvalidArgument where there is no room (our choice)."""
        size = _ROW + sum(map(len, texts))
        holders = self._holders.get(flow, Counter())
        more = size + (0 if holders[definition] else _definition_size(definition))
        if more > self._sizes.get(flow, {}).get(row, (0, ""))[0] and self.bytes + more > MAX_DEFINED:
            detail = f"The flows, versions, aliases and schedules that calls made take {self.bytes} bytes. Delete some."
            raise ServiceError("InvalidArgument", detail=detail)
        self.bytes += more
        self._holders.setdefault(flow, holders)[definition] += 1
        self.remove(flow, row)
        self._sizes.setdefault(flow, {})[row] = size, definition

    def remove(self, flow: str, row: str) -> None:
        """A row is gone, if it counted."""
        found = self._sizes.get(flow, {}).pop(row, None)
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
            self.remove(flow, row)
        self._sizes.pop(flow, None)
        self._holders.pop(flow, None)


def _definition_size(definition: str) -> int:
    return (1 + _COMPILED) * len(definition)
