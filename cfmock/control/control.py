"""Does what the endpoints say, in-process: what `CloudFlow`, the pytest plugin and the admin API all go through."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from datetime import datetime
from itertools import filterfalse
from typing import Any, NamedTuple, cast

from cfmock.base.clocks import iso
from cfmock.base.errors import ArgumentError, ClockStopped, FixtureError, ServiceError, SettingsError, UnknownName
from cfmock.base.json_text import Json, json_argument, json_text
from cfmock.base.suggestions import did_you_mean, nearest, shown
from cfmock.base.time_text import LAST_MOMENT, LONGEST, parse_duration, parse_time
from cfmock.base.version import __version__
from cfmock.control.names import NameCheck
from cfmock.control.nearest_calls import CannedOutcome, MockChain
from cfmock.control.setups import SetUp, SetUps, fault_setup
from cfmock.emulator import hints
from cfmock.emulator.emulator import Change, Emulator
from cfmock.engine.execution import CalledTask, FlowExecution
from cfmock.engine.jobs import Job
from cfmock.engine.scheduler import YEAR
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import apply
from cfmock.fixtures.single_entry import read_mock, read_outcome
from cfmock.fixtures.unreached import CODE as UNREACHED
from cfmock.observe.journal import CallRecord, as_json, explain, matches, whole
from cfmock.observe.models import Execution, Violation, moment
from cfmock.observe.retries import Retries, groups
from cfmock.protocol.faults.rules import FaultRule, RuleError
from cfmock.protocol.spec.names import ExecutionStatus
from cfmock.protocol.wire.arguments import invalid, value_of
from cfmock.protocol.wire.encode import rendered
from cfmock.service import history
from cfmock.service.executions import launch, subscribe
from cfmock.service.flows import find_flow
from cfmock.service.live import Executed, live_runs
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import FLOWS, World

FURTHEST = LAST_MOMENT - LONGEST
"""How far a clock goes, in seconds since 1970: what flows then wait for can still be written as a time."""

ENDLESS = "the one before it has no `times`, so it answers for ever; give it times=1, say"
"""Why a mock, or an outcome, is never used."""

RUNS = 20
"""Executions begun by `start` that are kept to look at."""


class ControlError(ArgumentError):
    """A control endpoint that was asked for something it cannot do; `problems` of a rule or document, a line each."""


class NotFoundError(ControlError):
    """A control endpoint that was asked about something that is not there."""


class Run(NamedTuple):
    """An execution that somebody waits for, what it has set going (on a virtual clock), and how to wait for it no longer."""

    world: World
    row: ExecutionRow
    job: Job | None
    undo: Callable[[], None]


class Control:
    """The endpoints of one emulator, as methods. `account` and `region` name a world; without them lists show all, and what is
    added holds in all worlds, those still to come too."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.tasks_asked = 0  # how often somebody looked for tasks to report
        self.runs_begun = 0  # how many executions were started here rather than by a call
        self._runs: deque[ExecutionRow] = deque(maxlen=RUNS)
        self.names = NameCheck(emulator)
        self.setups = SetUps(emulator)
        self._added: dict[str, int] = {}  # the numbers of the changes that added faults

    # -- the server ----------------------------------------------------------------------------------------------------

    def health(self) -> Json:
        now, dropped = iso(self.emulator.clock.now()), self.emulator.memory.dropped
        return {"status": "ok", "version": __version__, "now": now, "dropped": dropped}

    def reset(self, account: str | None = None, region: str | None = None) -> Json:
        """As right after the start; with an account or region, only those worlds."""
        self.check_world(account, region)
        self.emulator.reset(account, region)
        self._runs.clear()
        self.runs_begun = 0
        self.setups.reset()
        return {}

    def load(self, document: Json, account: str | None = None, region: str | None = None) -> Json:
        """Add what a fixture document says, or a flow definition."""
        self.check_world(account, region)
        if not isinstance(document, Mapping):
            raise ControlError("a fixture document is a JSON object")
        try:
            fixtures = load([document], allow_files=False, existing=self.flow_names())
            self.add_fixtures(fixtures, account, region)
        except (FixtureError, SettingsError) as error:
            raise ControlError(str(error)) from None
        return {"flows": [flow.name for flow in fixtures.flows]}

    def flow_names(self) -> frozenset[str]:
        """The names of the flows there are, in any world."""
        return frozenset(name for world in self.emulator.known_worlds() for name in world.stores.flows.keys(FLOWS))

    def add_fixtures(self, fixtures: FixtureSet, account: str | None = None, region: str | None = None) -> None:
        """Add what fixtures say; settings are those of the start, so a warning tells of others."""
        if fixtures.settings:
            names = ", ".join(fixtures.settings)
            self.warn(f"settings count at the start only, so these are passed over: {names}")
        self.emulator.add_credentials(fixtures.credentials)
        self._everywhere(lambda emulator, world: apply(fixtures, emulator, world), account, region)
        self.check_fixtures(fixtures, account, region)

    def check_fixtures(self, fixtures: FixtureSet, account: str | None = None, region: str | None = None) -> None:
        """Warn of names in fixtures that were loaded, and in what was added before, that nothing has; and of what in the fixtures
        never has its turn."""
        worlds = list(self._worlds(account, region))
        loaded = {id(rule) for rule in fixtures.faults}
        for fault in self.emulator.injector(worlds[0].account, worlds[0].region).list():
            if id(fault.rule) in loaded:
                self.names.expect_calls(fault.rule, fault.name, worlds)
        for flow in dict.fromkeys(flow.name for flow in fixtures.flows):
            self.names.mocks_added(flow, worlds)
        for finding in fixtures.findings:
            if finding.code == UNREACHED:
                worlds[0].warn(str(finding))

    # -- faults --------------------------------------------------------------------------------------------------------

    def list_faults(self, account: str | None = None, region: str | None = None) -> Json:
        merged: dict[str, dict[str, Any]] = {}
        for world in self._worlds(account, region):
            for fault in self.emulator.injector(world.account, world.region).list():
                row = merged.setdefault(fault.id, {**fault.to_mapping(), "hits": 0})
                row["hits"] += fault.hits
        return list(merged.values())

    def add_fault(self, fault: Json, account: str | None = None, region: str | None = None) -> Json:
        """Add a rule; gives it back with its id. Raises UnknownName for an operation that the API does not have."""
        if not isinstance(fault, Mapping):
            raise ControlError("a fault is a JSON object")
        spec = self.emulator.spec
        try:
            rule = FaultRule.from_mapping(fault, operations=spec.operations, codes=spec.errors)
        except RuleError as error:
            unknown = next(filterfalse(self.names.is_operation, _operations_of(fault)), None)
            if unknown is not None:
                raise UnknownName(str(error), nearest(unknown, spec.operations)) from None
            raise ControlError(str(error)) from None
        fault_id = self.emulator.new_fault_id()
        setup = fault_setup(fault_id, rule)

        def add(emulator: Emulator, world: World) -> None:
            setup.faults.append(emulator.injector(world.account, world.region).add(rule, id=fault_id))

        self._added[fault_id] = self._everywhere(add, account, region)
        self.setups.add(setup)
        self.names.expect_calls(rule, rule.name or fault_id, list(self._worlds(account, region)))
        return {"id": fault_id, "name": rule.name or fault_id, **rule.to_mapping(), "hits": 0}

    def put_first(self, rule: FaultRule) -> None:
        """Add a rule ahead of all others, which is no set-up of a test's own."""
        self._everywhere(lambda e, w: e.injector(w.account, w.region).add(rule, first=True), None, None)

    def fault_hits(self, id: str) -> int:
        """How many calls a rule has struck in all worlds, also after it was removed or has expired."""
        return sum(injector.hits_of(id) for injector in self.emulator.injectors.values())

    def remove_fault(self, id: str, account: str | None = None, region: str | None = None) -> Json:
        injectors = [self.emulator.injector(w.account, w.region) for w in self._worlds(account, region)]
        if not any(fault.id == id for injector in injectors for fault in injector.list()):
            raise NotFoundError(f"there is no fault '{id}'")
        self.setups.removed(id)
        if account is None and region is None and id in self._added:
            self.emulator.no_longer(self._added.pop(id))
            for injector in injectors:
                injector.remove(id)
        else:
            self._everywhere(lambda e, w: e.injector(w.account, w.region).remove(id), account, region)
        return {}

    def clear_faults(self, account: str | None = None, region: str | None = None) -> Json:
        self._everywhere(lambda e, w: e.injector(w.account, w.region).clear(), account, region)
        self.setups.removed()
        return {}

    # -- calls ---------------------------------------------------------------------------------------------------------

    def check_calls(self, operation: str | None, parameters: Collection[str] = ()) -> None:
        """Raises UnknownName unless the API has this operation, the glob covers one, or a client has called it; likewise for the
        names of its parameters."""
        if operation is not None:
            self.names.operation(operation)
        if parameters:
            self.names.parameters(operation, parameters)

    def find_calls(
        self, account: str | None = None, region: str | None = None, **filters: str | int | None
    ) -> list[CallRecord]:
        return list(self.emulator.journal.find(account, region, **filters))

    def list_calls(
        self,
        limit: int | None = None,
        operation: str | None = None,
        account: str | None = None,
        region: str | None = None,
        **filters: str | int | None,
    ) -> Json:
        """Raises UnknownName as `check_calls` does."""
        self.check_world(account, region)
        self.check_calls(operation)
        journal = self.emulator.journal
        records = self.find_calls(account=account, region=region, operation=operation, **filters)
        newest = records if limit is None else records[max(0, len(records) - limit) :]
        explain(newest)
        return {
            "calls": [as_json(record) for record in newest],
            "dropped": journal.dropped(account, region),
            "warnings": [{"time": iso(each.time), "text": each.text} for each in journal.warnings(account, region)],
        }

    def show_call(self, request_id: str, account: str | None = None, region: str | None = None) -> Json:
        """One call whole, with what nearly matched it."""
        return whole(self._call(request_id, account, region))

    def show_signature(self, request_id: str, account: str | None = None, region: str | None = None) -> Json:
        """What the server signed of a call whose signature it refused, and what the client likely did."""
        explained = self._call(request_id, account, region).details.signature
        if explained is None:
            raise NotFoundError(f"call '{request_id}' was not refused for its signature")
        return explained.to_mapping()

    def _call(self, request_id: str, account: str | None, region: str | None) -> CallRecord:
        self.check_world(account, region)
        found = self.find_calls(request_id=request_id, account=account, region=region)
        if not found:
            raise NotFoundError(f"there is no call '{request_id}' in the journal")
        return found[-1]

    def list_warnings(self) -> list[str]:
        """What happened that its author should know of, as of tasks without a mock."""
        return [each.text for each in self.emulator.journal.warnings()]

    def warn(self, text: str) -> None:
        """Add a warning to the log and to `list_warnings`."""
        self.emulator.default_world().warn(text)

    def clear_calls(self, account: str | None = None, region: str | None = None) -> Json:
        self.check_world(account, region)
        self.emulator.journal.forget(account, region)
        return {}

    def when_called(self, count: int, tell: Callable[[], None], **filters: Any) -> Callable[[], None]:
        """Call `tell` once there are `count` such calls, at once if there are; gives back how to undo that."""
        journal = self.emulator.journal
        left = count - len(self.find_calls(**filters))  # counted on, since the journal may drop them meanwhile

        def undo() -> None:
            if heard in journal.listeners:
                journal.listeners.remove(heard)

        def heard(record: CallRecord) -> None:
            nonlocal left
            left -= matches(record, filters)
            if left <= 0:
                undo()
                tell()

        if left <= 0:
            tell()
        else:
            journal.listeners.append(heard)
        return undo

    def find_violations(self, account: str | None = None, region: str | None = None) -> list[Violation]:
        self.check_world(account, region)
        return [
            Violation(*seen.violation, seen.operation, seen.request_id, moment(seen.time))
            for seen in self.emulator.watch.violations(self.emulator.clock.now(), account, region)
        ]

    def list_violations(self, account: str | None = None, region: str | None = None) -> Json:
        return [
            {
                "kind": each.kind, "message": each.message, "meant": each.meant, "real": each.real,
                "operation": each.operation, "request_id": each.request_id, "time": _iso(each.time),
            }
            for each in self.find_violations(account, region)
        ]  # fmt: skip

    def find_retries(
        self, operation: str | None = None, account: str | None = None, region: str | None = None
    ) -> list[Retries]:
        self.check_world(account, region)
        return groups(self.find_calls(account, region, operation=operation))

    def list_retries(self, operation: str | None = None, account: str | None = None, region: str | None = None) -> Json:
        """Raises UnknownName as `check_calls` does."""
        self.check_calls(operation)
        return [each.to_mapping() for each in self.find_retries(operation, account, region)]

    # -- flows ---------------------------------------------------------------------------------------------------------

    def add_outcome(self, outcome: Json, account: str | None = None, region: str | None = None) -> Json:
        if not isinstance(outcome, Mapping) or not isinstance(outcome.get("flow"), str):
            raise ControlError("an outcome is a JSON object with the name of its flow as 'flow'")
        rest = {key: value for key, value in outcome.items() if key != "flow"}
        try:
            value = read_outcome(rest)
        except FixtureError as error:
            raise ControlError(str(error)) from None

        setup = SetUp(CannedOutcome(outcome["flow"], value))

        def add(emulator: Emulator, world: World) -> None:
            setup.uses.append(world.outcomes_of(outcome["flow"]).add(value))

        self._everywhere(add, account, region)
        self.setups.add(setup)
        self.names.expect_flow(outcome["flow"], list(self._worlds(account, region)), "this outcome")
        return {}

    def add_mocks(self, mocks: Json, account: str | None = None, region: str | None = None) -> Json:
        """`{"flow", "task", "mocks": [...]}`: ahead of the fixtures' mocks, behind those added before. Raises UnknownName as
        `check_task` does."""
        self.check_world(account, region)
        if not isinstance(mocks, Mapping) or not {"flow", "task", "mocks"} == mocks.keys():
            raise ControlError("mocks are given as a JSON object with 'flow', 'task' and 'mocks'")
        flow, task, found = mocks["flow"], mocks["task"], mocks["mocks"]
        if not isinstance(flow, str) or not isinstance(task, str) or not isinstance(found, list):
            raise ControlError("'flow' and 'task' are names, 'mocks' is a list")
        try:
            values = [read_mock(each) for each in found]
        except FixtureError as error:
            raise ControlError(str(error)) from None
        self.check_task(flow, task, account, region)
        chain = None
        for number, value in enumerate(values, 1):
            if chain is not None and chain.endless:
                self.warn(f"mock {number} of task '{task}' of flow '{flow}' never answers: {ENDLESS}")
            chain = self.add_mock(flow, task, value, account, region, chain=chain)
        return {}

    def check_flow(self, flow: str | None) -> None:
        """Raises UnknownName for a flow that there neither is nor was, in any world."""
        if flow is not None:
            self.names.flow(flow, list(self._worlds(None, None)))

    def check_task(self, flow: str, task: str, account: str | None = None, region: str | None = None) -> None:
        """Raises UnknownName if the flow is there and has no such task; warns if the flow is not there."""
        self.names.task(flow, task, list(self._worlds(account, region)))

    def begin_mocks(self, flow: str, task: str) -> SetUp:
        """A chain of mocks of a task that is yet to get its first. Raises UnknownName as `check_task` does."""
        self.check_task(flow, task)
        chain = SetUp(MockChain(flow, task))
        self.setups.add(chain)
        return chain

    def add_mock(
        self, flow: str, task: str, mock: TaskMock, account: str | None = None, region: str | None = None, *,
        chain: SetUp | None = None,
    ) -> SetUp:  # fmt: skip
        """Add a mock, to a chain of mocks if one is given that is not gone; gives the chain back."""
        setup = SetUp(MockChain(flow, task)) if chain is None or chain.gone else chain
        begun = bool(setup.uses)

        def add(emulator: Emulator, world: World) -> None:
            mocks = world.mocks_of(flow)
            mocks.add(task, mock)
            setup.uses.append(lambda: mock in mocks.used)

        self._everywhere(add, account, region)
        setup.endless |= mock.endless
        if not begun:
            self.setups.add(setup)
        return setup

    def list_tasks(self, flow: str | None = None, account: str | None = None, region: str | None = None) -> Json:
        """The tasks that wait for ReportTaskSucceeded or ReportTaskFailed. Raises UnknownName as `check_flow` does."""
        self.check_flow(flow)
        self.tasks_asked += 1
        found = [
            (task.since, {
                "flow": row.flow.name, "execution": row.name, "state": task.call.state, "token": token,
                "since": iso(task.since),
            })
            for world in self._worlds(account, region)
            for row, run in live_runs(world)
            if flow in (None, row.flow.name)
            for token, task in run.waiting.items()
        ]  # fmt: skip
        return [each for _, each in sorted(found, key=lambda pair: pair[0])]

    # -- time ----------------------------------------------------------------------------------------------------------

    def read_clock(self) -> Json:
        return {"now": iso(self.emulator.clock.now()), "kind": self.emulator.settings.clock}

    def set_clock(self, change: Json) -> Generator[None, None, Json]:
        """`{"advance": "15m"}` or `{"now": "..."}`: move a virtual clock on, in steps; all that is due on the way has been done
        after them, if that moment is `reached`; else `reason` says why not."""
        if not isinstance(change, Mapping) or change.keys() not in ({"advance"}, {"now"}):
            raise ControlError('a clock is moved by {"advance": "15m"} or {"now": "2024-06-01T00:00:00Z"}')
        try:
            if "advance" in change:
                yield from self.steps(parse_duration(change["advance"]))
            else:
                yield from self.steps_to(parse_time(change["now"]))
        except ClockStopped as stop:
            return {**self.read_clock(), "reached": False, "reason": stop.reason}
        except ValueError as error:
            raise ControlError(str(error)) from None
        return {**self.read_clock(), "reached": True, "reason": None}

    def advance(self, seconds: float) -> None:
        """Move a virtual clock on by so many seconds. Raises as `steps_to`, and ClockStopped."""
        deque(self.steps(seconds), maxlen=0)

    def steps(self, seconds: float) -> Iterator[None]:
        """The same in steps, each time it is asked to go on."""
        return self.steps_to(self.emulator.clock.now() + seconds)

    def steps_to(self, moment: float) -> Iterator[None]:
        """Move a virtual clock on to a moment, in steps. Raises ControlError on a real clock, and for a moment that is past or
        too far away."""
        if self.emulator.settings.clock != "virtual":
            raise ControlError(
                "the clock is real: start with --clock virtual (CloudFlow(..., clock='virtual')) to move it"
            )
        if moment < self.emulator.clock.now():
            raise ControlError(f"it is {iso(self.emulator.clock.now())} already, and a clock only goes on")
        if moment > FURTHEST:
            raise ControlError(f"a clock goes no further than {iso(FURTHEST)}")
        return self.emulator.advancing(moment)

    # -- executions ----------------------------------------------------------------------------------------------------

    def find_executions(
        self, flow: str | None = None, account: str | None = None, region: str | None = None
    ) -> list[Execution]:
        found = [(row, world) for world in self._worlds(account, region) for row in _rows(world, flow)]
        found.sort(key=lambda pair: (pair[0].started, pair[0].serial))
        return [self.execution(world, row) for row, world in found]

    def list_executions(self, flow: str | None = None, account: str | None = None, region: str | None = None) -> Json:
        """`dropped` counts those of all flows that have ended and were dropped. Raises UnknownName as `check_flow` does."""
        self.check_flow(flow)
        found = [
            {
                "flow": each.flow, "name": each.name, "status": each.status, "input": each.input, "output": each.output,
                "error": each.error, "started": _iso(each.started), "stopped": _iso(each.stopped),
                "visits": list(each.visits), "events": list(each.events),
            }
            for each in self.find_executions(flow, account, region)
        ]  # fmt: skip
        return {"executions": found, "dropped": sum(w.retention.dropped for w in self._worlds(account, region))}

    def start(self, flow: str, input: Json, name: str | None) -> tuple[World, ExecutionRow]:
        """Start an execution of any mode in the world of our own clients, by the rules of StartExecution for its name and input.

        `input` is a value, or its JSON text. Raises ServiceError in the words of an answer; ArgumentError or ArgumentTypeError
        for an input that is no JSON value.
        """
        emulator = self.emulator
        world = emulator.world(emulator.first_credential.account, emulator.settings.region)
        with json_argument():
            text = "" if input is None else input if isinstance(input, str) else json_text(input)
        try:
            if text:
                value_of(emulator.spec.operations["StartExecution"].parameters["Input"], text, emulator.spec)
            if name and not emulator.spec.name_pattern.match(name):
                raise invalid("ExecutionName", f"cannot be {shown(name)}")
            flow_row = find_flow(world, flow)
            name = name or world.ids.execution_name()
            there = world.stores.executions.get(flow_row.id, name)
            if there is not None and there.ended:
                raise ServiceError("ExecutionAlreadyExists", name, flow)
            row = there or launch(world, flow_row, name, text)
            self._runs.append(row)
            self.runs_begun += 1
            return world, row
        except ServiceError as failure:
            said = rendered(failure, emulator.spec, gateway=emulator.gateway)
            hint = hints.for_flow(flow, world) if failure.code == "FlowNotExists" else None
            raise ServiceError(said.code, status=said.status, message=said.message, hint=hint) from None

    def was_run(self, row: ExecutionRow) -> bool:
        """Whether this is one of the newest executions that `start` has begun."""
        return any(begun.serial == row.serial and begun.flow.id == row.flow.id for begun in self._runs)

    def run(self, flow: str, input: Json, name: str | None, tell: Callable[[], None]) -> Run:
        """`start`, as one job, and call `tell` once the execution has ended, at once if it has."""
        with self.emulator.one_job() as job:
            world, row = self.start(flow, input, name)
            return Run(world, row, job, self.when_ended(world, row, tell))

    def when_ended(self, world: World, row: ExecutionRow, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` once the execution has ended, at once if it has; gives back how to undo that."""
        live = world.live_execution(row)
        leave = live.attend() if live is not None else lambda: None
        if world.live_execution(row) is not None:
            return subscribe(world, row, leave, tell)
        leave()
        tell()
        return lambda: None

    def open_tasks(self, world: World, row: ExecutionRow) -> list[CalledTask] | None:
        """The tasks that an execution waits for, its children's too, if only a report can end them: nothing in it can go on,
        and no function was given their tokens. None if that is not so."""
        execution = _engine_execution(world, row)
        if execution is None:
            return None
        timelines = execution.timeline.reach()
        if any(timeline.busy for timeline in timelines) or not any(timeline.open for timeline in timelines):
            return None
        found = [task for _, each in live_runs(world) if each.timeline in timelines for task in each.waiting.values()]
        return None if any(task.handed_out for task in found) else found

    def pass_time_out(self, world: World, row: ExecutionRow) -> bool:
        """Let an execution whose open tasks nobody will report go on to what ends first: a task's time-out or its own. False
        if it has no time-out at all."""
        execution = _engine_execution(world, row)
        if execution is None:
            return False
        # The limit that every execution has is no time-out of the flow's own.
        return any(timeline.pass_guard(execution.started + YEAR) for timeline in execution.timeline.reach())

    def execution(self, world: World, row: ExecutionRow) -> Execution:
        row = world.stores.executions.get(row.flow.id, row.name) or row
        events = tuple(history.events_of(world, row))
        failed = row.status == "Failed" or (row.ended and row.status != "Succeeded" and bool(row.error or row.cause))
        return Execution(
            flow=row.flow.name,
            name=row.name,
            status=cast("ExecutionStatus", row.status),
            input=json.loads(row.input) if row.input else {},
            output=json.loads(row.output) if row.output else None,
            error={"code": row.error, "detail": row.cause} if failed else None,
            started=moment(row.started),
            stopped=None if row.stopped is None else moment(row.stopped),
            visits=tuple(event.step for event in events if event.type == "StepEntered"),
            events=tuple(event.row() for event in events),
        )

    def _worlds(self, account: str | None, region: str | None) -> Iterator[World]:
        self.check_world(account, region)
        return self.emulator.known_worlds(account, region)

    def _everywhere(self, change: Change, account: str | None, region: str | None) -> int:
        self.check_world(account, region)
        return self.emulator.everywhere(change, account, region)

    @property
    def regions(self) -> Collection[str]:
        """Those that worlds may be of."""
        return {*self.emulator.spec.regions, self.emulator.settings.region}

    def check_world(self, account: str | None, region: str | None) -> None:
        """Raises ControlError for an account or region that there is not."""
        if account is not None and account not in self.emulator.accounts:
            raise ControlError(f"there is no key of account '{account}'{did_you_mean(account, self.emulator.accounts)}")
        if region is not None and region not in self.regions:
            raise ControlError(f"there is no region '{region}'{did_you_mean(region, self.regions)}")


def _engine_execution(world: World, row: ExecutionRow) -> FlowExecution | None:
    """What the engine has of an execution that runs its definition."""
    live = world.live_execution(row)
    return live.run if isinstance(live, Executed) else None


def _operations_of(fault: Mapping[str, Any]) -> list[str]:
    """The operations, or globs of them, that a fault names, so far as they are text."""
    when = fault.get("when")
    named = when.get("operation") if isinstance(when, Mapping) else None
    return [each for each in (named if isinstance(named, list | tuple) else [named]) if isinstance(each, str)]


def _iso(time: datetime | None) -> str | None:
    return None if time is None else iso(time.timestamp())


def _rows(world: World, flow: str | None) -> Iterator[ExecutionRow]:
    for name in list(world.stores.flows.keys(FLOWS)):
        row = world.stores.flows.get(FLOWS, name)
        if row is not None and flow in (None, name):
            for execution in world.stores.executions.keys(row.id):
                found = world.stores.executions.get(row.id, execution)
                if found is not None:
                    yield found
