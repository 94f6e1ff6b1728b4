"""Executions: to start, look at and wait for them, and the tasks that they wait for."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from heapq import nsmallest
from typing import Any, cast

from msgspec import Struct

from cfmock.base import readers
from cfmock.base.clocks import iso
from cfmock.base.errors import InvalidValue, ServiceError
from cfmock.base.globs import is_glob
from cfmock.base.json_text import Json, json_argument, json_text
from cfmock.control.part import PAGE, ConflictError, ControlError, ControlPart, NotFoundError, read_after, shown_fields
from cfmock.emulator import hints
from cfmock.emulator.emulator import Emulator
from cfmock.engine.execution import CalledTask
from cfmock.engine.flow import Flow
from cfmock.engine.jobs import Job
from cfmock.engine.scheduler import YEAR
from cfmock.observe.journal import ALL, Scope
from cfmock.observe.models import Execution, moment
from cfmock.protocol.spec.model import load
from cfmock.protocol.spec.names import ExecutionStatus
from cfmock.protocol.wire.arguments import coerce, value_of
from cfmock.protocol.wire.encode import rendered
from cfmock.service import executions, task_reports
from cfmock.service.dispatch import HANDLERS
from cfmock.service.live import live_runs, waiting_for
from cfmock.service.lookup import find_flow
from cfmock.service.overview import ListPlace, count_waiting, counts_of_all, page
from cfmock.service.rows import ExecutionRow
from cfmock.service.starting import check_name, start_or_join
from cfmock.service.world import FLOWS, World

MAX_TASKS = 10_000
"""Waiting tasks in an answer, the oldest."""

MAX_INPUTS = 1024 * 1024
"""Characters of the inputs of waiting tasks in an answer."""

RUNS = 20
"""Executions begun by `start` that are kept to look at."""


class Run(Struct, frozen=True):
    """An execution that somebody waits for, what it has set going (on a virtual clock), and how to wait for it no longer."""

    world: World
    row: ExecutionRow
    job: Job | None
    undo: Callable[[], None]


class ExecutionControl(ControlPart):
    """Starts, stops, lists and awaits executions."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self.tasks_asked = 0  # how often somebody looked for tasks to report
        self.runs_begun = 0  # how many executions were started here rather than by a call
        self._runs: deque[ExecutionRow] = deque(maxlen=RUNS)

    def find_executions(self, flow: str | None = None, scope: Scope = ALL) -> list[Execution]:
        found = [
            (row, world)
            for world in self._worlds(scope)
            for each in world.stores.flows.rows(FLOWS)
            if flow in (None, each.name)
            for row in world.stores.executions.rows(each.id)
        ]
        found.sort(key=lambda pair: (pair[0].started, pair[0].serial))
        return [self.execution(world, row) for row, world in found]

    def list_executions(
        self,
        flow: str | None = None,
        status: str | None = None,
        prefix: str = "",
        limit: int = PAGE,
        after: str | None = None,
        scope: Scope = ALL,
        *,
        places: bool = False,
    ) -> Json:
        """A page of executions in short, newest first; `after` is the `next` of the page before. `counts` are all of these flows
        by status; `dropped` counts those of any flow that are kept no longer; `places` says where each stands, to whom joins
        pages. `waiting` counts their tasks that wait for a report. Raises UnknownName as `check_flow` does, for no glob."""
        worlds = list(self._worlds(scope))
        if flow is None or not is_glob(flow):
            self.check_flow(flow)
        place = None if after is None else read_after(after, ListPlace.read)
        found, more = page(worlds, flow, status, prefix, place, limit)
        answer: dict[str, Json] = {
            "executions": [brief(each.world, each.row) for each in found],
            "counts": counts_of_all(worlds, flow),
            "waiting": count_waiting(worlds, flow),
            "dropped": sum(world.retention.dropped for world in worlds),
        }
        if places:
            answer["places"] = [each.place.text for each in found]
        return answer if more is None else {**answer, "next": more.text}

    def start_execution(self, start: Json, scope: Scope = ALL) -> Json:
        """`{"flow", "name", "input"}`, of which only the flow is required: start one, or give back the one that goes on under
        that name. Raises NotFoundError for the flow, ConflictError for a name that is taken, or where too many run."""
        world = self._one_world(scope)
        found = _fields(start, _START, "flow")
        flow, name = found["flow"], found.get("name")
        self._flow(world, flow)
        with self.emulator.time.one_job(), _refusals():
            _, row = self.start(flow, found.get("input"), name, world)
        return brief(world, self._execution(world, flow, row.name))

    def stop_execution(self, flow: str, name: str, scope: Scope = ALL) -> Json:
        """End an execution now. Raises NotFoundError, and ConflictError for one that has ended."""
        world = self._one_world(scope)
        self._execution(world, flow, name)
        with self.emulator.time.one_job(), _refusals():
            executions.stop_execution(world, flow_name=flow, execution_name=name)
        return brief(world, self._execution(world, flow, name))

    def report_task(self, token: str, report: Json, scope: Scope = ALL) -> Json:
        """`{"succeed": {...}}` or `{"fail": {"code", "detail"}}`: end a task that waits for a report. Raises NotFoundError for a
        token that no task was given, ConflictError for a task that has ended."""
        world, spec = self._one_world(scope), self.emulator.spec
        if not isinstance(report, Mapping) or report.keys() not in ({"succeed"}, {"fail"}):
            raise ControlError('a report is {"succeed": {...}} or {"fail": {"code": "...", "detail": "..."}}')
        if "fail" in report:
            code, detail = _failure(report["fail"])
            operation, given = "ReportTaskFailed", {"Error": code, "Cause": detail}
        else:
            with json_argument():
                operation, given = "ReportTaskSucceeded", {"Output": json_text(report["succeed"])}
        with self.emulator.time.one_job(), _refusals():
            try:
                task_reports.waiting_run(world, token)
            except ServiceError as missing:
                raise NotFoundError(_said(missing)) from None
            arguments = coerce(spec.operations[operation], {"TaskToken": token, **given}, spec)
            HANDLERS[operation](world, **arguments)
        return {}

    def start(self, flow: str, input: Json, name: str | None, world: World | None = None) -> tuple[World, ExecutionRow]:
        """Start an execution of any mode in a world, else that of our own clients, by the rules of StartExecution. `input` is a
        value, or its JSON text. Raises ServiceError in the words of an answer; ArgumentError or ArgumentTypeError for what is
        not JSON."""
        emulator = self.emulator
        if world is None:
            world = emulator.worlds.of(emulator.first_credential.account, emulator.settings.region)
        with json_argument():
            text = "" if input is None else input if isinstance(input, str) else json_text(input)
        try:
            if len(text) > emulator.spec.limits["request_size"]:
                raise ServiceError("EntityTooLarge", str(emulator.spec.limits["request_size"]))
            if text:
                value_of(emulator.spec.operations["StartExecution"].parameters["Input"], text, emulator.spec)
            check_name(world, name, "ExecutionName")
            row, _ = start_or_join(world, find_flow(world, flow), name, text)
            self._runs.append(row)
            self.runs_begun += 1
            return world, row
        except ServiceError as failure:
            said = rendered(failure, emulator.spec, gateway=emulator.pipeline.gateway)
            hint = hints.for_flow(flow, world) if failure.code == "FlowNotExists" else None
            raise ServiceError(said.code, status=said.status, message=said.message, hint=hint) from None

    def forget_runs(self) -> None:
        """None of the executions there are was begun here."""
        self._runs.clear()
        self.runs_begun = 0

    def was_run(self, row: ExecutionRow) -> bool:
        """Return whether this is one of the newest executions that `start` has begun."""
        return any(begun.serial == row.serial and begun.flow.id == row.flow.id for begun in self._runs)

    def run(self, flow: str, input: Json, name: str | None, tell: Callable[[], None]) -> Run:
        """`start`, as one job, and call `tell` once the execution has ended, at once if it has."""
        with self.emulator.time.one_job() as job:
            world, row = self.start(flow, input, name)
            subscribe = waiting_for(world, row)
            if subscribe is not None:
                return Run(world, row, job, subscribe(tell))
            tell()
            return Run(world, row, job, lambda: None)

    def open_tasks(self, world: World, row: ExecutionRow) -> list[CalledTask] | None:
        """The tasks that an execution waits for, its children's too, if only a report can end them: nothing in it can go on,
        and no function was given their tokens. None if that is not so."""
        execution = world.run_of(row)
        if execution is None:
            return None
        timelines = execution.timeline.reach()
        if any(timeline.busy for timeline in timelines) or not any(timeline.open for timeline in timelines):
            return None
        found = [task for _, each in live_runs(world) if each.timeline in timelines for task in each.waiting.values()]
        return None if any(task.handed_out for task in found) else found

    def pass_time_out(self, world: World, row: ExecutionRow) -> bool:
        """Move an execution that nobody will report on to its first time-out, a task's or its own. False if it has none."""
        execution = world.run_of(row)
        if execution is None:
            return False
        # The limit that every execution has is no time-out of the flow's own.
        return any(timeline.pass_guard(execution.started + YEAR) for timeline in execution.timeline.reach())

    def execution(self, world: World, row: ExecutionRow) -> Execution:
        """Return an execution as it stands now, as the value that users get; times are datetimes in UTC."""
        row = world.stores.executions.get(row.flow.id, row.name) or row
        events = tuple(executions.events_of(row))
        return Execution(
            flow=row.flow.name,
            name=row.name,
            status=cast("ExecutionStatus", row.status),
            input=json.loads(row.input) if row.input else {},
            output=json.loads(row.output) if row.output else None,
            error=error_of(row),
            started=moment(row.started),
            stopped=None if row.stopped is None else moment(row.stopped),
            visits=tuple(event.step for event in events if event.type == "StepEntered"),
            events=tuple(event.row() for event in events),
        )

    def list_tasks(self, flow: str | None = None, scope: Scope = ALL) -> Json:
        """The tasks that wait for ReportTaskSucceeded or ReportTaskFailed. Raises UnknownName as `check_flow` does."""
        self.check_flow(flow)
        self.tasks_asked += 1
        waiting = (
            (task, token, row, world)
            for world in self._worlds(scope)
            for row, run in live_runs(world)
            if flow in (None, row.flow.name)
            for token, task in run.waiting.items()
        )
        found: list[Json] = []
        caught: dict[Flow, dict[str, list[str]]] = {}
        room = MAX_INPUTS
        for task, token, row, world in nsmallest(MAX_TASKS, waiting, key=lambda each: each[0].since):
            call, definition = task.call, row.flow.compiled
            given = json_text(call.input) if room > 0 else ""
            room -= len(given)
            if definition not in caught:
                caught[definition] = {
                    node.id: [code for each in node.catch for code in each.errors] for _, node in definition.walk()
                }
            told = {
                "flow": row.flow.name, "execution": row.name, "state": call.state, "token": token,
                "since": iso(task.since), "until": None if call.timeout is None else iso(task.since + call.timeout),
                "input": json.loads(given) if room > 0 else None, "catches": caught[definition].get(call.node, []),
                "account": world.account, "region": world.region,
            }  # fmt: skip
            found.append(told)
        return found


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise refusals of the service in this block as errors of the control."""
    try:
        yield
    except ServiceError as failure:
        raise _KINDS.get(failure.code, ControlError)(_said(failure)) from None


_CONFLICTS = "ExecutionAlreadyExists", "ExecutionAlreadyCompleted", "TaskAlreadyCompleted", "ResourceThrottled"
_KINDS: Mapping[str, type[ControlError]] = {
    "FlowNotExists": NotFoundError, "ExecutionNotExists": NotFoundError, **dict.fromkeys(_CONFLICTS, ConflictError),
}  # fmt: skip


def _said(failure: ServiceError) -> str:
    said = rendered(failure, load())
    return f"{said.code}: {said.message}"


_START = {"flow": readers.anything, "name": readers.anything, "input": lambda value: value}

_FAIL = {"code": readers.anything, "detail": readers.anything}


def _fields(document: Json, known: Mapping[str, readers.Reader], required: str) -> dict[str, Any]:
    """Read a JSON object of a request. Raises ControlError with all mistakes in it."""
    try:
        found: dict[str, Any] = readers.mapping(known, required=(required,))(document)
        return found
    except InvalidValue as error:
        raise ControlError(str(error)) from None


def _failure(fail: Json) -> tuple[str, str]:
    found = _fields(fail, _FAIL, "code")
    code, detail = found["code"], found.get("detail", "")
    if not code:
        raise ControlError("code: '' is empty")
    return code, detail


def brief(world: World, row: ExecutionRow) -> dict[str, Json]:
    """An execution as lists show it."""
    return {
        "flow": row.flow.name,
        **shown_fields(row, "name", "status"),
        "started": iso(row.started),
        "stopped": None if row.stopped is None else iso(row.stopped),
        "error": error_of(row),
        "waits": waits_of(world, row),
        "parent": None if row.parent is None else row.parent._asdict(),
        **shown_fields(world, "account", "region"),
    }


def error_of(row: ExecutionRow) -> dict[str, str] | None:
    """Return the error of an execution, None for one that did not fail."""
    failed = row.status == "Failed" or (row.ended and row.status != "Succeeded" and bool(row.error or row.cause))
    return {"code": row.error, "detail": row.cause} if failed else None


def waits_of(world: World, row: ExecutionRow) -> dict[str, Json] | None:
    """The state it is in, what that waits `for` (first of all a report), and until when at most, in the time of the execution;
    None for one that has ended, or never does by itself."""
    live = world.live_execution(row)
    if live is None:
        return None
    timeline, run = live.timeline, live.run
    if run is not None and run.waiting:
        task = min(run.waiting.values(), key=lambda each: each.since)
        longest = task.call.timeout
        return _wait(task.call.state, "report", None if longest is None else task.since + longest)
    last = row.events[-1] if row.events else None
    state = last.step if last is not None else ""
    if timeline.busy:
        return _wait(state, "function", None)
    due = timeline.now() + timeline.left
    if due == math.inf or (run is not None and due > run.started + YEAR - 1):
        return None
    failed = last is not None and last.type in ("TaskFailed", "TaskTimedOut", "TaskSubmitFailed")
    return _wait(state, "retry" if failed else "time", due)


def _wait(state: str, kind: str, until: float | None) -> dict[str, Json]:
    return {"state": state or None, "for": kind, "until": None if until is None else iso(until)}
