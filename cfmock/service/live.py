"""Executions that have not ended, of both kinds: by their definition, or by a canned outcome; and the
recordings by which they go on after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.json_text import Json
from cfmock.base.timers import Timeline, Timer, TimerKind
from cfmock.engine.commands import UNNAMED
from cfmock.engine.execution import ExecutionRecording, FlowExecution, TaskResolver
from cfmock.engine.expr import ExpressionError
from cfmock.protocol.wire.messages import Subscribe, Undo
from cfmock.service.outcomes import Outcome, output_text
from cfmock.service.rows import ExecutionRow, FlowRow, MapRunRow
from cfmock.service.shared import Observer
from cfmock.service.tables import RecordingWriter
from cfmock.service.task_reports import report_to_token
from cfmock.service.world import Live, Waiters, World

# Entries of recordings.
BEGUN = "begun"  # the first of an execution that runs its definition: now, skipped, owner of its timeline, nesting
CANNED = (
    "canned"  # of one that goes by an outcome: when it ends (None: not by itself), polls left, outcome, owner, skipped
)


def owner_of(timeline: Timeline, row: ExecutionRow) -> int:
    """Return the serial of the first execution that lives on a timeline: this one, if none does yet."""
    timeline.owner = timeline.owner or row.serial
    return timeline.owner


def begin_recording(world: World, row: ExecutionRow, timeline: Timeline, nesting: int) -> ExecutionRecording | None:
    """Take down how an execution goes on that runs its definition; None where no state is kept."""
    log = world.shared.changes
    if log is None:
        return None
    write = RecordingWriter(log, world.key, row.serial)
    write([BEGUN, world.clock.now(), timeline.skipped, owner_of(timeline, row), nesting])
    return ExecutionRecording(write)


class End(Struct, frozen=True):
    """The end of an execution: its status, its output as JSON text, its error code and the cause."""

    status: str
    output: str = ""
    error: str = ""
    cause: str = ""


def live_runs(world: World) -> Iterator[tuple[ExecutionRow, FlowExecution]]:
    """Iterate over the executions of a world whose definitions are being executed."""
    for live in world.lives():
        if live.run is not None:
            yield live.row, live.run


def waiting_for(world: World, row: ExecutionRow) -> Subscribe | None:
    """Wait for the end of an execution: on a virtual clock it goes ahead as far as nothing else decides.

    Returns how to subscribe to its end or removal; None if it has ended by now.
    """
    live = world.live_execution(row)
    if live is None:
        return None
    leave = live.attend()
    if world.live_execution(row) is None:
        leave()
        return None

    def subscribe(tell: Callable[[], None]) -> Undo:
        unsubscribe = world.subscribe(row, tell)

        def undo() -> None:
            leave()
            unsubscribe()

        return undo

    return subscribe


def finish(world: World, live: Live, stopped: float, end: End) -> None:
    """Write down an execution's end, at a moment in seconds since 1970, and tell who waits for it."""
    row = live.row
    stopped = max(row.started, to_millisecond(stopped))  # a machine's clock may be set back
    ended = replace(row, status=end.status, output=end.output, stopped=stopped, error=end.error, cause=end.cause)
    if row.events is not None:
        row.events.close()
        world.stores.passed.add(row)
    _replace(world, live, ended)
    world.leave(row)
    world.retention.ended(ended)
    world.tell(live.waiters)
    if row.callback_token:
        report_to_token(world, row.callback_token, ended)


def _replace(world: World, live: Live, after: ExecutionRow) -> None:
    """Put a changed row in place of what it was, in the table and, if it is listed already, in the index."""
    before, live.row = live.row, after
    world.stores.executions.put(after.flow.id, after.name, after)
    if live.listed and before.status != after.status:
        world.stores.by_status.discard(before.flow.id, before)
        world.stores.by_status.add(after.flow.id, after)
        world.changed("execution", after.flow.name, after.name)


def to_millisecond(moment: float) -> float:
    """Times are kept as they are answered, so that a filter that repeats a StartedTime meets it."""
    return round(moment * 1000) / 1000


class Executed(Live):
    """A live execution whose definition is executed with the input `given`. Its events are the row's, which grow as it goes on.

    `resolver` answers its tasks; `nesting` counts the executions that wait for it, one inside the other.
    """

    def __init__(
        self, world: World, row: ExecutionRow, timeline: Timeline, resolver: TaskResolver, given: Json, nesting: int = 0
    ) -> None:
        self.timeline = timeline
        self.waiters: Waiters = {}
        self.row = row
        self._world = world
        self._resolver = resolver
        self._given = given
        self._nesting = nesting

    def begin(self, recording: ExecutionRecording | None = None) -> None:
        """Start it; it may have ended when this returns. `recording` is that of an earlier process."""
        row, world = self.row, self._world
        given, self._given = self._given, None
        assert row.events is not None
        passed, observer = row.events.trail.append, world.shared.observer
        world.scheduler.start(
            row.flow.compiled,
            world.identity_of(row.flow, row.name, nesting=self._nesting, serial=row.serial),
            given,
            resolver=self._resolver,
            sink=row.events.sink,
            observe=passed if observer is None else partial(self._passed, observer),
            timeline=self.timeline,
            on_begin=self._begun,
            recording=recording or begin_recording(world, row, self.timeline, self._nesting),
        )

    def _begun(self, run: FlowExecution) -> None:
        """Take the run of the scheduler, before any of it has happened."""
        self.run = run
        run.on_end.append(self._end)
        assert self.row.events is not None
        run.context.hold = self.row.events.hold

    def stop(self, error: str, cause: str) -> None:
        if self.run is not None:
            self.run.stop(error, cause)

    def drop(self) -> None:
        if self.run is not None:
            self.run.on_end.clear()
            if self.run.recording is not None:
                self.run.recording.write = _nothing  # its rows are gone
            self._world.scheduler.retire(self.run)

    def attend(self) -> Undo:
        run = self.run
        return _nothing if run is None or run.ended else self._world.scheduler.attend(run)

    def _passed(self, observer: Observer, point: str) -> None:
        assert self.row.events is not None
        assert self.run is not None
        self.row.events.trail.append(point)
        observer(self.row, point, self.run.context.last + 1)

    def _end(self, run: FlowExecution) -> None:
        world, row = self._world, self.row
        if run.map_runs:
            rows = {MapRunRow.key(row.name, each.name): MapRunRow.of(each) for each in run.map_runs.values()}
            for key, map_run in rows.items():
                world.stores.map_runs.put(row.flow.id, key, map_run)
            world.retention.has_map_runs(row, rows)
            run.map_runs.clear()  # they and the run refer to one another
        run.context.observe = None  # likewise
        output = run.output.text if run.output is not None else ""
        stopped = run.stopped if run.stopped is not None else self.timeline.now()
        finish(world, self, stopped, End(run.status.value, output, run.error, run.cause))


class Canned(Live):
    """A live execution that goes as a canned outcome says."""

    def __init__(self, world: World, row: ExecutionRow, timeline: Timeline, outcome: Outcome) -> None:
        self.timeline = timeline
        self.waiters: Waiters = {}
        self.row = row
        self.outcome: Outcome = outcome
        self._world = world
        self._polls = outcome.polls
        self._due: float | None = None
        self._recorded = 0  # entries
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Set what will end it."""
        if not self.outcome.ends:
            if self.outcome.status != self.row.status:
                _replace(self._world, self, replace(self.row, status=self.outcome.status))
        elif self.outcome.after:
            self._due = self.timeline.now() + self.outcome.after
            self._end_at(self.timeline.steady() + self.outcome.after)
        self._record()

    def _end_at(self, due: float) -> None:
        self._timer = self._world.timers.add(due, TimerKind.PROGRESS, self._end, self.timeline)

    def _record(self) -> None:
        """Write down when it ends: at the moment it is due, or at the last of the polls."""
        log, timeline = self._world.shared.changes, self.timeline
        if log is not None:
            write = RecordingWriter(log, self._world.key, self.row.serial, self._recorded)
            write([CANNED, self._due, self._polls, self.outcome.given, owner_of(timeline, self.row), timeline.skipped])
        self._recorded += 1

    def resume(self, due: float | None, polls: int, recorded: int) -> None:
        """Go on after a restart: end at `due`, in steady seconds of its timeline, or after `polls` more polls."""
        self._polls, self._recorded = polls, recorded
        if due is not None:
            self._due = due + self.timeline.now() - self.timeline.steady()
            self._end_at(due)

    def poll(self) -> bool:
        """Count a DescribeExecution; the last one that the outcome asks for ends it. Returns whether it goes by such."""
        if not self.outcome.polls:
            return False
        self._polls -= 1
        if self._polls == 0:
            self._end()
        else:
            self._record()
        return True

    def poll_to_end(self) -> None:
        if self._polls > 0:
            self._polls = 0
            self._end()

    def stop(self, error: str, cause: str) -> None:
        self.drop()
        finish(self._world, self, self.timeline.now(), End("Stopped", error=error, cause=cause))

    def drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def attend(self) -> Undo:
        self.poll_to_end()
        if self._world.settings.clock == "virtual":
            while self._world.live_execution(self.row) is self and self.timeline.jump():
                pass
        return _nothing

    def _end(self) -> None:
        row = self.row
        end = canned_end(self._world, row.flow, row.name, row.input, self.outcome)
        finish(self._world, self, self.timeline.now(), end)


def _nothing(*_: object) -> None:
    """No-op for executions that nobody has to leave, and for what happens to those whose flow is gone."""


def canned_end(world: World, flow: FlowRow, name: str, input: str, outcome: Outcome) -> End:
    """Return the end of an execution that goes by this outcome."""
    output = outcome.text
    try:
        if output is None:
            output = output_text(outcome, input, world.identity_of(flow, name), world.ids)
    except (ExpressionError, ValueError) as failure:  # the latter for a number that JSON does not have
        world.warn(f"the outcome of {flow.name}/{name} cannot be built: {failure}")
        return End("Failed", "", "FnF.RuntimeError", f"outcome: {failure}")
    error = outcome.error
    return End(outcome.status, output, error_code(outcome.status, error.get("code", "")), error.get("detail", ""))


def error_code(status: str, given: str) -> str:
    """The error code of an execution: one that failed has some."""
    return UNNAMED if status == "Failed" and not given else given
