"""The tables of one world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cfmock.service import row_texts
from cfmock.service.point_counts import PointCounts
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


@dataclass
class Stores:
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
            aliases=RecordedTable(log, world, ALIASES, row_texts.alias_text),
            schedules=RecordedTable(log, world, SCHEDULES, row_texts.schedule_text),
            executions=RecordedExecutions(log, world, stays),
            map_runs=RecordedTable(log, world, MAP_RUNS, row_texts.map_run_text),
        )

    def drop(self, flow: str) -> None:
        """Forget all that belongs to the flow of this id."""
        self.passed.drop(flow)
        for table in (self.versions, self.aliases, self.schedules, self.executions, self.map_runs, self.by_status):
            table.drop(flow)
