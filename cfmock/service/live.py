"""An execution that runs its definition: the engine's run on one side, the row and its readers on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from cfmock.base.timers import Timeline
from cfmock.engine.execution import FlowExecution
from cfmock.engine.identity import Identity
from cfmock.engine.recording import ExecutionRecording
from cfmock.service.recordings import begin_recording
from cfmock.service.rows import ExecutionRow, FlowRow, MapRunRow

if TYPE_CHECKING:
    from cfmock.service.world import World

Ended = Callable[[ExecutionRow, str, float, str, str, str], object]
"""Told of the end: the row as it was, status, time in seconds, output as JSON text, error, cause."""


def identity_of(world: World, flow: FlowRow, execution: str, nesting: int = 0, serial: int = 0) -> Identity:
    """Who an execution is, as its definition, its outcome and its task tokens can read it."""
    variables = flow.environment["Variables"] if flow.environment is not None else ()
    return Identity(
        flow=flow.name,
        execution=execution,
        role_arn=flow.role_arn,
        region=world.region,
        environment={each["Name"]: each.get("Value", "") for each in variables},
        nesting=nesting,
        account=world.account,
        serial=serial,
    )


def live_runs(world: World) -> Iterator[tuple[ExecutionRow, FlowExecution]]:
    """The executions of a world whose definitions are being executed."""
    for lives in world.live.values():
        for live in lives.values():
            if isinstance(live, Executed) and live.run is not None:
                yield live.row, live.run


def _passed(keep: Callable[[str], object], tell: Callable[[str], object], point: str) -> None:
    """A point of the definition was passed."""
    keep(point)
    tell(point)


class Executed:
    """A live execution whose definition is executed. Its events are the row's, which grow as it goes on."""

    def __init__(
        self, world: World, row: ExecutionRow, timeline: Timeline, ended: Ended, given: Any, nesting: int = 0
    ) -> None:
        self.timeline = timeline
        self.listed = False
        self.run: FlowExecution | None = None
        self._world = world
        self.row = row
        self._ended = ended
        self._given = given
        self._nesting = nesting

    def begin(self, recording: ExecutionRecording | None = None) -> None:
        """Start it; it may have ended when this returns. `recording` is that of an earlier process."""
        row, world = self.row, self._world
        flow = row.flow
        identity = identity_of(world, flow, row.name, self._nesting, row.serial)
        given, self._given = self._given, None
        assert row.events is not None
        passed, observer = row.events.trail.append, world.shared.observer
        world.scheduler.start(
            flow.compiled,
            identity,
            given,
            resolver=world.shared.resolver(world, row),
            sink=row.events.sink,
            observe=passed if observer is None else partial(_passed, passed, partial(observer, row)),
            timeline=self.timeline,
            on_begin=self._known,
            on_end=self._end,
            recording=recording or begin_recording(world, row, self.timeline, self._nesting),
        )

    def _known(self, run: FlowExecution) -> None:
        self.run = run

    def stop(self, error: str, cause: str) -> None:
        if self.run is not None:
            self.run.stop(error, cause)

    def drop(self) -> None:
        if self.run is not None:
            self.run.on_end.clear()
            self._world.scheduler.retire(self.run, "", "")

    def attend(self) -> Callable[[], None]:
        run, scheduler = self.run, self._world.scheduler
        if run is None or run.ended:
            return lambda: None
        return scheduler.attend(run)

    def _end(self, run: FlowExecution) -> None:
        if run.map_runs:
            rows = {MapRunRow.key(self.row.name, each.name): MapRunRow.of(each) for each in run.map_runs.values()}
            for key, row in rows.items():
                self._world.stores.map_runs.put(self.row.flow.id, key, row)
            self._world.retention.has_map_runs(self.row, rows)
            run.map_runs.clear()  # they and the run refer to one another
        output = run.output.text if run.output is not None else ""
        stopped = run.stopped if run.stopped is not None else self.timeline.now()
        self._ended(self.row, run.status.value, stopped, output, run.error, run.cause)
