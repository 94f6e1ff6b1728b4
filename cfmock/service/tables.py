"""The tables of one world."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from cfmock.base.json_text import ascii_text
from cfmock.service import row_texts
from cfmock.service.recorded_tables import (
    ALIASES,
    FLOWS,
    MAP_RUNS,
    SCHEDULES,
    VERSIONS,
    ChangeLog,
    RecordedExecutions,
    RecordedTable,
)
from cfmock.service.rows import AliasRow, ExecutionRow, FlowRow, MapRunRow, ScheduleRow
from cfmock.service.store.base import Index, Table
from cfmock.service.store.memory import MemoryIndex, MemoryTable

MAX_DEFINITIONS = 20
"""Definitions of one flow whose counts are kept, the newest."""


class PointCounts:
    """Counts by flow, definition and the id of the point."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, dict[str, int]]] = {}

    def add(self, row: ExecutionRow) -> None:
        """An execution of a definition has ended."""
        if row.events is not None:
            counts = self._of(row.flow)
            for point in row.events.trail:
                counts[point] = counts.get(point, 0) + 1

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


class Stores(Struct):
    """The tables of one world. All but the flows stand in one partition for each flow id."""

    flows: Table[FlowRow] = field(default_factory=MemoryTable)
    versions: Table[FlowRow] = field(default_factory=MemoryTable)
    aliases: Table[AliasRow] = field(default_factory=MemoryTable)
    schedules: Table[ScheduleRow] = field(default_factory=MemoryTable)
    executions: Table[ExecutionRow] = field(default_factory=MemoryTable)
    map_runs: Table[MapRunRow] = field(default_factory=MemoryTable)
    by_status: Index[ExecutionRow] = field(default_factory=MemoryIndex)
    passed: PointCounts = field(default_factory=PointCounts)

    @classmethod
    def recorded(cls, log: ChangeLog, world: str, stays: Callable[[ExecutionRow], bool]) -> Stores:
        """Tables whose changes are written down; `stays` says whether a fixture wrote an execution."""
        return cls(
            flows=RecordedTable(log, world, FLOWS, row_texts.flow_text),
            versions=RecordedTable(log, world, VERSIONS, row_texts.flow_text),
            aliases=RecordedTable(log, world, ALIASES, ascii_text),
            schedules=RecordedTable(log, world, SCHEDULES, ascii_text),
            executions=RecordedExecutions(log, world, stays),
            map_runs=RecordedTable(log, world, MAP_RUNS, ascii_text),
        )

    def drop(self, flow: str) -> None:
        """Forget all that belongs to the flow of this id."""
        self.passed.drop(flow)
        for table in (self.versions, self.aliases, self.schedules, self.executions, self.map_runs, self.by_status):
            table.drop(flow)
