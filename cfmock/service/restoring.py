"""Brings a world back from its state file: the rows as they were, and every execution that had not ended goes on.

Executions that run their definition are run again by their recordings (`engine.replay`), parents before their children; what
they had waited for is waited for again.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import ValidationError
from msgspec.structs import replace

from cfmock.base.clocks import HeldClock, VirtualClock
from cfmock.base.errors import ServiceError, SettingsError
from cfmock.base.json_text import Json
from cfmock.base.timers import Timeline
from cfmock.engine.commands import Failure
from cfmock.engine.events import History, HistoryChild
from cfmock.engine.execution import CalledTask, ExecutionRecording, FlowExecution
from cfmock.engine.recording import Entry, ReplayError
from cfmock.engine.replay import StandIn, replay
from cfmock.engine.task_calls import Waits
from cfmock.protocol.wire.arguments import input_value
from cfmock.service import row_texts, schedules
from cfmock.service.flows import compiled
from cfmock.service.live import CANNED, Canned, Executed
from cfmock.service.outcomes import Outcome
from cfmock.service.retention import DefinedRow
from cfmock.service.rows import AliasRow, ExecutionRow, FlowRow, MapRunRow, ScheduleRow
from cfmock.service.starting import Resolver, enter_again
from cfmock.service.store.statements import StoredRows
from cfmock.service.tables import ALIASES, FLOWS, MAP_RUNS, SCHEDULES, STATES, VERSIONS, RecordingWriter
from cfmock.service.world import FLOWS as PARTITION
from cfmock.service.world import World

log = logging.getLogger("cfmock")

_NOT_REPLAYED = "cfmock.NotReplayed"  # the error of an execution that this version cannot go on with; a name of ours


class Restorer:
    """Brings one `world` back from a store of this name. The flow clock is `ahead` of the steady time by so many seconds."""

    def __init__(self, world: World, file: StoredRows, name: str, ahead: float) -> None:
        self.world = world
        self._file = file
        self._name = name
        self._ahead = ahead
        self._flows: dict[str, FlowRow] = {}  # by their text
        self._running: dict[int, tuple[ExecutionRow, list[Entry]]] = {}
        self._timelines: dict[int, Timeline] = {}  # by the serial of an execution on it
        self._latest: defaultdict[int, float] = defaultdict(
            float
        )  # seconds that a timeline was ahead at last, by its owner
        self._runs: dict[int, FlowExecution] = {}
        self._parents: dict[str, FlowExecution] = {}  # by the names of their map runs
        self._stand_ins: dict[int, StandIn] = {}
        self._lost: list[tuple[FlowExecution, str]] = []  # cannot go on, and why

    def rows(self) -> None:
        """Bring back the tables, and the executions that have ended. Raises SettingsError for a row that cannot be read."""
        try:
            self._tables()
            self._executions()
        except (ServiceError, ValueError, TypeError, LookupError, AttributeError, ValidationError) as error:
            text = f"a row of '{self.world.key}' cannot be read ({type(error).__name__}: {error})"
            raise SettingsError(f"{self._name}: {' '.join(text.split())}") from error

    def _tables(self) -> None:
        file, key, stores = self._file, self.world.key, self.world.stores
        tables: list[tuple[str, Any, Callable[[str], Any]]] = [
            (FLOWS, stores.flows, self._flow),
            (VERSIONS, stores.versions, self._flow),
            (ALIASES, stores.aliases, partial(row_texts.row_of, AliasRow)),
            (SCHEDULES, stores.schedules, partial(row_texts.row_of, ScheduleRow)),
            (MAP_RUNS, stores.map_runs, partial(row_texts.row_of, MapRunRow)),
        ]
        for kind, table, read in tables:
            for place, text in file.rows(key, kind):
                partition, _, name = place.partition("/")
                table.put(partition, name, read(text))
        self._count_definitions()

    def _count_definitions(self) -> None:
        """Count what calls defined, which nothing tells from fixtures' but that these say so of flows and schedules."""
        world, stores = self.world, self.world.stores
        put, given = partial(world.shared.memory.definitions.put, restored=True), world.given or {}
        for flow in stores.flows.rows(PARTITION):
            rows: list[DefinedRow] = [*stores.versions.rows(flow.id), *stores.aliases.rows(flow.id)]
            rows += [row for row in stores.schedules.rows(flow.id) if f"schedule/{flow.name}/{row.name}" not in given]
            for row in rows if f"flow/{flow.name}" in given else [flow, *rows]:
                put(flow.id, row)

    def _flow(self, text: str) -> FlowRow:
        found = self._flows.get(text)
        if found is None:
            given = row_texts.flow_values(text)
            flow = compiled(given["definition"], given["name"], given["execution_mode"])
            found = self._flows[text] = FlowRow(compiled=flow, **given)
        return found

    def _executions(self) -> None:
        world, file = self.world, self._file
        states = dict(file.rows(world.key, STATES))
        ended = []
        for flow, serial, state, text in file.executions(world.key):
            row, stays = row_texts.execution_row(text, self._flow(states[state]), serial)
            world.serial = max(world.serial, serial)
            if stays:
                world.retention.stays(row)
            if row.ended:
                world.stores.executions.put(flow, row.name, row)
                world.stores.by_status.add(flow, row)
                ended.append(row)
            else:
                self._running[serial] = row, [json.loads(each) for each in file.recording(world.key, serial)]
        for row in sorted(ended, key=lambda each: each.stopped or 0.0):
            map_runs = list(world.stores.map_runs.keys(row.flow.id, f"{row.name}/", f"{row.name}0"))
            if map_runs:  # "0" comes behind "/"
                world.retention.has_map_runs(row, map_runs)
            world.retention.ended(row)

    # -- executions that go on

    def resume(self) -> None:
        """Bring back the executions that have not ended. The scheduler is held meanwhile."""
        for serial, (_, entries) in self._running.items():
            self._timelines[serial] = self._timeline(serial, entries)
        for row, entries in self._running.values():
            if not entries or entries[0][0] == CANNED:
                self._canned(row, entries)
        for row, entries in self._running.values():
            if entries and entries[0][0] != CANNED:
                self._executed(row, entries)
        for serial, stand_in in self._stand_ins.items():
            if serial in self._runs:
                stand_in.become(self._runs[serial])

    def arrive(self) -> None:
        """Restore all timelines and resume schedules, once the clock is right."""
        stores = self.world.stores
        for flow in stores.flows.rows(PARTITION):
            for row in list(stores.schedules.rows(flow.id)):
                schedules.plan(self.world, flow, row)
        for owner, skipped in self._latest.items():
            self._timelines[owner].skip_to(skipped)

    def fail_lost(self) -> None:
        """End the executions that cannot go on."""
        for run, why in self._lost:
            text = f"this version of cfmock cannot continue it: {why}"
            log.error("%s/%s: %s", run.identity.flow, run.identity.execution, text)
            self.world.scheduler.fail(run, Failure(_NOT_REPLAYED, text))

    def _timeline(self, serial: int, entries: list[Entry]) -> Timeline:
        owner = serial
        if entries:
            first = entries[0]
            owner = first[4] if first[0] == CANNED else first[3]
        timeline = self._timelines.get(owner)
        if timeline is None:
            timeline = self._timelines[owner] = self.world.timers.timeline()
            timeline.owner = owner
        for entry in entries:
            if entry[0] == CANNED:
                self._latest[owner] = max(self._latest[owner], entry[5])
        return timeline

    def _canned(self, row: ExecutionRow, entries: list[Entry]) -> None:
        timeline = self._timelines[row.serial]
        entry: Entry = entries[-1] if entries else [CANNED, None, 0, {"status": row.status}, 0, 0.0]
        _, due, polls, given, _, _ = entry
        outcome = Outcome.from_mapping(given)
        live = Canned(self.world, replace(row, outcome=outcome), timeline, outcome)
        enter_again(self.world, live)
        live.resume(None if due is None else due - self._ahead, polls, len(entries))

    def _executed(self, row: ExecutionRow, entries: list[Entry]) -> None:
        world, timeline = self.world, self._timelines[row.serial]
        _, now, skipped, _, nesting = entries[0]
        row = replace(row, events=History())
        assert world.shared.changes is not None
        writer = RecordingWriter(world.shared.changes, world.key, row.serial, len(entries))
        recording = ExecutionRecording(writer)
        recording.children = self
        self._set_clock(now)
        timeline.skipped = skipped
        try:
            if row.map_run:
                row = replace(row, flow=self._child_flow(row))
            live = Executed(world, row, timeline, Resolver(world, row), input_value(row.input), nesting)
            enter_again(world, live)
            live.begin(recording)
            assert live.run is not None
            run = self._runs[row.serial] = live.run
            replay(run, entries[1:], self._set_clock)
        except ReplayError as error:
            self._lost.append((self._runs[row.serial], str(error)))
        self._latest[timeline.owner] = max(self._latest[timeline.owner], timeline.skipped)
        run = self._runs[row.serial]
        self._parents.update(dict.fromkeys(run.map_runs, run))
        for task in recording.later:
            world.uncalled.append((task, partial(_resolver(task.execution).call_again, task)))

    def _child_flow(self, row: ExecutionRow) -> FlowRow:
        """Return the flow that a child of a map run executes: its parent is there already."""
        run = self._parents.get(row.map_run)
        if run is None:
            return row.flow
        request = run.map_runs[row.map_run].request
        return replace(row.flow, compiled=run.flow.child(request.processor, express=request.express))

    def _set_clock(self, moment: float) -> None:
        clock = self.world.clock
        if isinstance(clock, HeldClock):
            clock.held = moment, moment - self._ahead
        elif isinstance(clock, VirtualClock):
            clock.restart(moment)

    # -- for executions that are run again

    def child(self, serial: int, waits: FlowExecution | None) -> StandIn:
        """A child of an execution, which comes behind it."""
        timeline = self._timelines.get(serial) or (
            waits.timeline if waits is not None else self.world.timers.timeline()
        )
        found = self._stand_ins.get(serial)
        if found is None:
            found = self._stand_ins[serial] = StandIn(timeline)
            if serial in self._runs:
                found.become(self._runs[serial])
        return found

    def again(self, task: CalledTask, serial: int, joined: bool) -> Waits:
        """Wait for a canned child once more; one that has ended since has reported that."""
        found = self._running.get(serial)
        return Waits(None, serial) if found is None else _resolver(task.execution).wait_for(task, found[0], joined)

    def spent(self, execution: FlowExecution, mock: Json) -> None:
        """Count a use of a mock, if that is still there."""
        found = _resolver(execution).mocks.at(mock)
        if found is not None:
            execution.spent[found] = execution.spent.get(found, 0) + 1

    def nested(self, execution: FlowExecution, child: HistoryChild) -> None:
        """Note what an execution has started, in its history."""
        _resolver(execution).note_child(child)


def _resolver(execution: FlowExecution) -> Resolver:
    assert isinstance(execution.resolver, Resolver)
    return execution.resolver
