"""Runs flow tests: each in an emulator of its own, on virtual time, without HTTP; and tells the way that one took."""

from __future__ import annotations

import glob
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.clocks import stopwatch
from cfmock.base.errors import ClockStopped
from cfmock.base.json_text import Json
from cfmock.base.time_text import duration_text
from cfmock.emulator.emulator import Emulator
from cfmock.engine.events import Event
from cfmock.engine.flow import Flow, Point, PointKind
from cfmock.engine.scheduler import YEAR
from cfmock.engine.task_mocks import TaskMocks
from cfmock.fixtures.model import FixtureSet, FlowFixture, FlowTest
from cfmock.fixtures.seeding import apply
from cfmock.observe.journal import WorldKey
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.service.lookup import find_execution
from cfmock.service.rows import ExecutionRow, FlowRow, MapRunRow
from cfmock.service.starting import start_new
from cfmock.service.world import FLOWS, World
from cfmock.settings import resolve

SEED = 0  # seed of chance where the fixtures set no `seed`: a test goes the same way every time

Hits = Mapping[str, Mapping[str, int]]
"""Times that each point was passed, by the name of the flow and the id of the point."""


class Passage(NamedTuple):
    """A point that was passed, by which execution, and the id of the event that comes next in that."""

    row: ExecutionRow
    point: str
    event: int


class Ran(Struct, frozen=True):
    """The execution of a test that has ended.

    `output` is None if it gave none, `error` the `{code, detail}` of a failure. `duration` is in virtual seconds: to
    its end, or to its last event if nothing is left that could end it. `visits` are the states entered, each with its
    event; None for an event of a map run's child. `unused` are the test's own mocks that answered nothing, in words.
    `seconds` is the real time it took.
    """

    flow: Flow
    status: str
    output: Json
    error: Mapping[str, str] | None
    started: float
    duration: float
    events: Sequence[Event]
    visits: Sequence[tuple[str, int | None]]
    passages: Sequence[Passage]
    points: Mapping[str, Mapping[str, Point]]
    warnings: tuple[str, ...]
    unused: tuple[str, ...]
    seconds: float

    @property
    def hits(self) -> Hits:
        found: dict[str, Counter[str]] = {}
        for passage in self.passages:
            found.setdefault(passage.row.flow.name, Counter())[passage.point] += 1
        return found

    def ending(self) -> dict[str, Json]:
        """Return the status and error as a test expects them."""
        code = self.error["code"] if self.error is not None else ""
        return {"status": self.status, **({"error": {"code": glob.escape(code)}} if code else {})}


class FlowTestRunner:
    """Runs the tests of one set of fixtures.

    Flows are made once, as `fixtures.seeding` makes them; what an emulator needs for a test are their rows. Canned
    outcomes, schedules, faults and ready-made executions play no part.
    """

    def __init__(self, fixtures: FixtureSet) -> None:
        self.settings = resolve({"clock": "virtual"}, {}, fixtures.settings, keywords=True, defaults={"seed": SEED})
        self._fixtures = replace(
            fixtures,
            schedules=(),
            faults=(),
            flows=tuple(replace(flow, outcomes=(), executions=()) for flow in fixtures.flows),
        )
        self._models: dict[WorldKey, _Model] = {}

    def flow(self, name: str) -> FlowFixture:
        """Return the flow that a test of this name means: that of the default account and region, else the first there is."""
        home = self._fixtures.flows_of(DEFAULT_ACCOUNT, self.settings.region)
        return next(flow for flow in (*home, *self._fixtures.flows) if flow.name == name)

    def run(self, test: FlowTest) -> Ran:
        """Execute the test's flow to its end, or until nothing is left that could happen in it."""
        begun = stopwatch()
        flow = self.flow(test.flow)
        key = flow.account or DEFAULT_ACCOUNT, flow.region or self.settings.region
        model = self._model(key)
        passages: list[Passage] = []
        warnings: list[str] = []
        emulator = Emulator(self.settings, ())
        world = emulator.worlds.of(*key)
        emulator.shared.tell = warnings.append
        emulator.observe(lambda row, point, event: passages.append(Passage(row, point, event)))
        for row in model.flows.values():
            world.stores.flows.put(FLOWS, row.name, row)
        world.mocks |= model.mocks
        mocks = world.mocks[flow.name] = TaskMocks({**flow.tasks, **test.tasks})
        row = model.flows[flow.name]
        started = emulator.clock.now()
        name = execution_name(test.name)
        with emulator.time.one_job():
            start_new(world, row, name, json.dumps(test.input))
        # With nothing else left, all that could come is the end of the longest time an execution may take.
        try:
            emulator.time.advance_to(started + YEAR - 1)
        except ClockStopped as stop:
            warnings.append(f"the test ends before all that it sets going has ended: {stop.reason}")
        ran = _ran(world, find_execution(world, flow.name, name), model, passages, tuple(warnings), begun)
        return replace(ran, unused=tuple(_unused(test, mocks, ran)))

    def _model(self, key: WorldKey) -> _Model:
        if key not in self._models:
            world = Emulator(self.settings, (), lambda world: apply(self._fixtures, world)).worlds.of(*key)
            flows = {flow.name: flow.flow for flow in self._fixtures.flows_of(*key)}
            rows = (world.stores.flows.get(FLOWS, name) for name in flows)
            points = {name: {point.id: point for point in flow.points()} for name, flow in flows.items()}
            self._models[key] = _Model({row.name: row for row in rows if row is not None}, world.mocks, points)
        return self._models[key]


class _Model(NamedTuple):
    """Parts of which the worlds of tests are made: the rows of the flows, their mocks, and the points of each."""

    flows: Mapping[str, FlowRow]
    mocks: Mapping[str, TaskMocks]
    points: Mapping[str, Mapping[str, Point]]


def execution_name(text: str) -> str:
    """Return the name of a test as one of an execution: mocks may go by it, and the definition reads it."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:128]
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"[:128]


def _ran(
    world: World, row: ExecutionRow, model: _Model, passages: list[Passage], warnings: tuple[str, ...], begun: float
) -> Ran:
    events: Sequence[Event] = row.events or ()
    own = _own(world, row)
    points = model.points[row.flow.name]
    visits = [
        (points[point].label, event if by.name == row.name else None)
        for by, point, event in passages
        if (by.name == row.name or by.map_run in own)
        and by.flow.id == row.flow.id
        and points[point].kind is PointKind.STATE
    ]
    succeeded = row.status == "Succeeded"
    return Ran(
        flow=row.flow.compiled,
        status=row.status,
        output=json.loads(row.output or "{}") if succeeded else None,
        error={"code": row.error, "detail": row.cause} if row.ended and not succeeded else None,
        started=events[0].time,
        duration=round(events[-1].time - events[0].time, 3),
        events=events,
        visits=visits,
        passages=passages,
        points=model.points,
        warnings=warnings,
        unused=(),
        seconds=stopwatch() - begun,
    )


def _unused(test: FlowTest, mocks: TaskMocks, ran: Ran) -> Iterator[str]:
    """Return the tasks for which none of the test's own mocks ever answered, with the visible reason."""
    entered = {ran.points[test.flow][each.point].label for each in ran.passages if each.row.flow.name == test.flow}
    for task, own in test.tasks.items():
        if own and mocks.hits.keys().isdisjoint(own):
            if ":" in task:
                why = "no task made this call, or mocks of its state answered it"
            else:
                why = "none matched" if task in entered else "it was never entered"
            yield f"the test's own mock of task '{task}' answered nothing: {why}"


def _own(world: World, row: ExecutionRow) -> set[str]:
    """Return the map runs of an execution: the states that their children enter are states it enters."""
    run = world.run_of(row)
    if run is not None:
        return set(run.map_runs)
    start = MapRunRow.key(row.name, "")
    return {key.removeprefix(start) for key in world.stores.map_runs.keys(row.flow.id) if key.startswith(start)}


_LONGEST = 40  # states of one execution
_MOST = 8  # executions
_WIDEST = 160  # characters of an event's detail


def path(ran: Ran) -> list[str]:
    """`Charge (retried twice, caught) -> Refund`; a line for each further execution, with its flow before it."""
    taken: dict[str, list[Passage]] = {}
    for passage in ran.passages:
        taken.setdefault(passage.row.name, []).append(passage)
    lines = []
    for index, passages in enumerate(taken.values()):
        flow = passages[0].row.flow.name
        steps = _steps(passages, ran.points[flow])
        lines.append(" -> ".join(steps) if index == 0 else f"{flow}: {' -> '.join(steps)}")
    if len(lines) > _MOST:
        lines[_MOST:] = [f"... and {len(lines) - _MOST} more executions"]
    return lines


class _Stop(Struct):
    """A state that was entered, and what happened there."""

    name: str
    choice: str = ""
    retries: int = 0
    caught: bool = False

    def __str__(self) -> str:
        times = {0: "", 1: "retried", 2: "retried twice"}.get(self.retries, f"retried {self.retries} times")
        told = [word for word in (self.choice, times, "caught" if self.caught else "") if word]
        return f"{self.name} ({', '.join(told)})" if told else self.name


def _steps(passages: Sequence[Passage], points: Mapping[str, Point]) -> list[str]:
    stops: list[_Stop] = []
    at: dict[str, _Stop] = {}  # the last passage through each state
    for _, identity, _ in passages:
        point = points[identity]
        if point.kind is PointKind.STATE:
            at[identity] = stop = _Stop(point.label)
            stops.append(stop)
        elif point.kind is PointKind.CHOICE:
            at[point.node].choice = point.part
        elif point.kind is PointKind.RETRY:
            at[point.node].retries += 1
        elif point.kind is PointKind.CATCH:
            at[point.node].caught = True
    steps = [str(stop) for stop in stops]
    if len(steps) > _LONGEST:
        half = _LONGEST // 2
        steps[half:-half] = [f"... {len(steps) - 2 * half} more ..."]
    return steps


def told(event: Event, started: float) -> str:
    """Return an event as a sentence: `event 7, after 3s: TaskFailed of 'Charge', PaymentRefused: card expired`."""
    data = event.data
    if "error" in data:
        detail = ": ".join(filter(None, (data["error"], data["cause"])))
    else:
        detail = event.detail if event.shape.keys else ""
    detail = detail if len(detail) <= _WIDEST else detail[:_WIDEST] + "..."
    of = f" of '{event.step}'" if event.step else ""
    after = duration_text(event.time - started)
    return f"event {event.id}, after {after}: {event.type}{of}" + (f", {detail}" if detail else "")
