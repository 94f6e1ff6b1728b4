"""Counts of the points of each flow that were passed, by all executions that have ended since the start."""

from __future__ import annotations

from collections.abc import Mapping

from cfmock.service.rows import ExecutionRow, FlowRow

MAX_DEFINITIONS = 20
"""Definitions of one flow whose counts are kept, the newest."""


class PointCounts:
    """Counts by flow, definition and the id of the point."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, dict[str, int]]] = {}

    def add(self, row: ExecutionRow) -> None:
        """An execution of a definition has ended."""
        if row.events is None:
            return
        counts = self._of(row.flow)
        for passed in row.events.trail:
            if type(passed) is str:
                counts[passed] = counts.get(passed, 0) + 1

    def of(self, flow: FlowRow) -> Mapping[str, int]:
        """The counts of a flow as it is defined now."""
        return self._counts.get(flow.id, {}).get(flow.definition, {})

    def drop(self, flow: str) -> None:
        """Forget the flow of this id."""
        self._counts.pop(flow, None)

    def _of(self, flow: FlowRow) -> dict[str, int]:
        known = self._counts.get(flow.id)
        if known is None:
            known = self._counts[flow.id] = {}
        counts = known.get(flow.definition)
        if counts is None:
            counts = known[flow.definition] = {}
            if len(known) > MAX_DEFINITIONS:
                del known[next(iter(known))]
        return counts
