"""The tables of one world, in memory; where state is kept, their changes are written down: a change is an entry in a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct, field

from cfmock.base.bounded_cache import keep_newest
from cfmock.base.json_text import Json, ascii_text
from cfmock.service import row_texts
from cfmock.service.rows import AliasRow, ExecutionRow, FlowRow, MapRunRow, ScheduleRow
from cfmock.service.store import statements
from cfmock.service.store.memory import Index, Table
from cfmock.service.store.statements import Change

R = TypeVar("R")

FLOWS, VERSIONS, ALIASES, SCHEDULES, MAP_RUNS, STATES = "flow", "version", "alias", "schedule", "map run", "state"
"""Kinds of rows. A state is a flow as some execution had it at its start."""

_STATES = 1_000  # states of flows that are written before those are looked for which no execution has any more


class ChangeLog:
    """Changes that are still to be written, in order. `number` counts all there ever were; `paused` while the file is read;
    `coming_back` until all is there that was in it."""

    def __init__(self) -> None:
        self.number = 0
        self.paused = False
        self.coming_back = False
        self.on_change: Callable[[], object] = lambda: None
        self._changes: list[Change | None] = []
        self._going_on: dict[tuple[str, int], list[int]] = {}  # where in them executions are that have not ended

    def add(self, *change: Any) -> None:
        """Take a change: a statement of `state_file` and its values."""
        if self.paused:
            return
        self._changes.append(change)
        self.number += 1
        if len(self._changes) == 1:
            self.on_change()

    def touch(self) -> None:
        """Something has changed that is looked at when a batch begins."""
        self.number += 1
        self.on_change()

    def add_going_on(self, world: str, serial: int, *change: Any) -> None:
        """Add an entry of an execution that has not ended: not worth writing once it has."""
        self._going_on.setdefault((world, serial), []).append(len(self._changes))
        self.add(*change)

    def ended(self, world: str, serial: int) -> None:
        """Drop the unwritten entries of an execution that has ended."""
        for index in self._going_on.pop((world, serial), ()):
            self._changes[index] = None

    def take(self) -> list[Change]:
        """All that there are, which are then no longer here."""
        taken, self._changes = self._changes, []
        self._going_on.clear()
        return [change for change in taken if change is not None]


class RecordedTable(Table[R]):
    """A table of rows that `text` makes text of."""

    def __init__(self, log: ChangeLog, world: str, kind: str, text: Callable[[R], str]) -> None:
        super().__init__()
        self._log = log
        self._world = world
        self._kind = kind
        self._text = text

    def put(self, partition: str, key: str, row: R) -> None:
        super().put(partition, key, row)
        self._log.add(statements.PUT_ROW, self._world, self._kind, f"{partition}/{key}", partial(self._text, row))

    def delete(self, partition: str, key: str) -> bool:
        self._log.add(statements.DELETE_ROW, self._world, self._kind, f"{partition}/{key}")
        return super().delete(partition, key)

    def drop(self, partition: str) -> None:
        super().drop(partition)
        self._log.add(statements.DELETE_ROWS, self._world, self._kind, f"{partition}/*")


class RecordedExecutions(Table[ExecutionRow]):
    """The executions of a world. `stays` says whether a fixture wrote one, so that it is never dropped."""

    def __init__(self, log: ChangeLog, world: str, stays: Callable[[ExecutionRow], bool]) -> None:
        super().__init__()
        self._log = log
        self._world = world
        self._stays = stays
        # Children of a map run have rows of their own, with the same texts.
        self._states: dict[tuple[Any, ...], tuple[FlowRow, str]] = {}
        self._written: dict[str, None] = {}  # the keys of states that are in the file

    def put(self, partition: str, key: str, row: ExecutionRow) -> None:
        before = self.get(partition, key)
        super().put(partition, key, row)
        if self._log.paused:
            return
        state = self._state(row.flow)
        text = partial(row_texts.execution_text, row, self._stays(row))
        change = statements.PUT_EXECUTION, self._world, partition, row.serial, state, text
        if not row.ended:
            self._log.add_going_on(self._world, row.serial, *change)
            return
        if before is not None:
            self._log.ended(self._world, row.serial)
            self._log.add(statements.DELETE_RECORDING, self._world, row.serial)
        self._log.add(*change)

    def delete(self, partition: str, key: str) -> bool:
        row = self.get(partition, key)
        if row is not None:
            self._log.add(statements.DELETE_EXECUTION, self._world, partition, row.serial)
        return super().delete(partition, key)

    def drop(self, partition: str) -> None:
        super().drop(partition)
        self._log.add(statements.DELETE_RECORDINGS, self._world, self._world, partition)
        self._log.add(statements.DELETE_EXECUTIONS, self._world, partition)

    def _state(self, flow: FlowRow) -> str:
        same = flow.id, flow.version, flow.modified, id(flow.definition), id(flow.environment)
        found = self._states.get(same)
        if found is not None:
            return found[1]
        text = row_texts.flow_text(flow)
        key = row_texts.digest(text)
        keep_newest(self._states, same, (flow, key), _STATES)
        if key not in self._written:
            if len(self._written) >= _STATES:
                # What goes now is written again when an execution has it again.
                self._written.clear()
                self._states = {same: (flow, key)}
                self._log.add(statements.DELETE_STATES, self._world)
            self._written[key] = None
            self._log.add(statements.PUT_ROW, self._world, STATES, key, text)
        return key


class RecordingWriter:
    """Writes the entries of one execution's recording."""

    __slots__ = ("_log", "_number", "_serial", "_world")

    def __init__(self, log: ChangeLog, world: str, serial: int, number: int = 0) -> None:
        self._log = log
        self._world = world
        self._serial = serial
        self._number = number  # of the last entry

    def __call__(self, entry: list[Json]) -> None:
        self._number += 1
        text = ascii_text(entry)
        self._log.add_going_on(
            self._world, self._serial, statements.ADD_ENTRY, self._world, self._serial, self._number, text
        )


MAX_DEFINITIONS = 20
"""Definitions of one flow whose counts are kept, the newest."""


class PointCounts:
    """Counts by flow, definition and the id of the point."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, Counter[str]]] = {}

    def add(self, row: ExecutionRow) -> None:
        """An execution of a definition has ended."""
        if row.events is None:
            return
        known = self._counts.setdefault(row.flow.id, {})
        counts = known.get(row.flow.definition)
        if counts is None:
            counts = Counter()
            keep_newest(known, row.flow.definition, counts, MAX_DEFINITIONS)
        for point in row.events.trail:
            counts[point] += 1

    def of(self, flow: FlowRow) -> Mapping[str, int]:
        """The counts of a flow as it is defined now."""
        return self._counts.get(flow.id, {}).get(flow.definition, {})

    def drop(self, flow: str) -> None:
        """Forget the flow of this id."""
        self._counts.pop(flow, None)


class Stores(Struct):
    """The tables of one world. All but the flows stand in one partition for each flow id."""

    flows: Table[FlowRow] = field(default_factory=Table)
    versions: Table[FlowRow] = field(default_factory=Table)
    aliases: Table[AliasRow] = field(default_factory=Table)
    schedules: Table[ScheduleRow] = field(default_factory=Table)
    executions: Table[ExecutionRow] = field(default_factory=Table)
    map_runs: Table[MapRunRow] = field(default_factory=Table)
    by_status: Index = field(default_factory=Index)
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
