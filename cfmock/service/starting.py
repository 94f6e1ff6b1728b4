"""Starts executions, whoever asks for them, and answers the tasks of those that run, which may start others."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text
from cfmock.base.suggestions import shown
from cfmock.base.timers import Timeline
from cfmock.engine.commands import DATA_LIMIT, Failure, LimitExceeded
from cfmock.engine.events import History, HistoryChild
from cfmock.engine.execution import Answer, CalledTask, FlowExecution, Nested
from cfmock.engine.map_runs import MapRun
from cfmock.engine.model import Mode
from cfmock.engine.recording import NESTED
from cfmock.engine.task_calls import Fails, Returns, TaskMock, Waits
from cfmock.engine.task_mocks import UNMOCKED, Answerer, FlowStart, ScriptedTasks
from cfmock.protocol.wire.arguments import input_value, invalid
from cfmock.service.live import Canned, End, Executed, canned_end, error_code, to_millisecond
from cfmock.service.lookup import find_execution, find_flow
from cfmock.service.outcomes import Outcome
from cfmock.service.retention import STEP
from cfmock.service.rows import EXPRESS, ExecutionRow, FlowRow, Parent
from cfmock.service.task_reports import report_to_token, result_of
from cfmock.service.versions import qualified
from cfmock.service.world import Live, World

RUNNING = "Running"

MAX_NESTING = 50
"""Executions that wait, one for another; our choice, so that a flow that starts itself and waits for it comes to an end."""

_NESTING = "FnF.NestingLimitExceeded"  # the error of a task that would go beyond it; a name of ours
_STILL_RUNNING = End(RUNNING)


class StartOrigin(Struct, frozen=True):
    """The circumstances of a start.

    `timeline` is that of the execution that waits for it, if one does, and `nesting` how many do, one inside the other; `asked`
    the name its starter gave, where the service made another of it; `callback_token` that of the task to report to at the end;
    `qualifier` the version, or the alias that leads to one; `parent` the execution whose task it is.
    """

    timeline: Timeline | None = None
    nesting: int = 0
    asked: str | None = None
    callback_token: str = ""
    qualifier: str | None = None
    parent: Parent | None = None


PLAIN = StartOrigin()
"""A start of which nothing else is known."""


def start_or_join(
    world: World, flow: FlowRow, name: str | None, input: str, origin: StartOrigin = PLAIN
) -> tuple[ExecutionRow, bool]:
    """Start an execution, or join the one in progress under that name; without a name the service makes one up.

    Returns the execution as it stands then (it may have ended), and whether it was in progress already. Raises
    ExecutionAlreadyExists for the name of one that has ended, and what `start_new` raises.
    """
    existing = world.stores.executions.get(flow.id, name) if name else None
    if existing is None:
        return start_new(world, flow, name or world.ids.execution_name(), input, origin), False
    if existing.ended:
        raise ServiceError("ExecutionAlreadyExists", existing.name, flow.name)
    return existing, True


def check_name(world: World, name: str | None, parameter: str) -> None:
    """Raises InvalidArgument for what is no name of an execution."""
    if name and not world.spec.name_pattern.match(name):
        raise invalid(parameter, f"cannot be {shown(name)}")


def start_new(world: World, flow: FlowRow, name: str, input: str, origin: StartOrigin = PLAIN) -> ExecutionRow:
    """Start an execution under a name that is free. Returns it as it stands then: it may have ended.

    Raises InvalidArgument for a qualifier that leads nowhere, and ResourceThrottled when as many are running as the quota
    allows (our choice: the limits page names no code), or as there is room for; a `Failure` for a start nested too deeply.
    """
    if origin.nesting > MAX_NESTING:
        raise Failure(_NESTING, f"more than {MAX_NESTING} nested executions would wait for each other")
    if origin.qualifier is not None:
        flow = qualified(world, flow, origin.qualifier)
    if world.running >= world.settings.max_running_executions:
        raise ServiceError("ResourceThrottled", detail=f"{world.running} executions are running already.")
    world.retention.admit(input)
    outcome = world.outcome_for(flow.name, origin.asked or name, input)
    timeline = origin.timeline
    started = to_millisecond((timeline or world.clock).now())
    end, stopped = _STILL_RUNNING, None
    if outcome is not None:
        world.scheduler.job.starts += 1  # the others are counted when they run
        if outcome.at_once:
            end, stopped = canned_end(world, flow, name, input, outcome), started
    row = ExecutionRow(
        flow,
        name,
        end.status,
        str(input),
        started,
        world.next_serial(),
        output=end.output,
        stopped=stopped,
        error=end.error,
        cause=end.cause,
        events=History() if outcome is None else None,
        qualifier=origin.qualifier or "",
        callback_token=origin.callback_token,
        outcome=outcome,
        outcomes=world.outcomes[flow.name].first,
        parent=origin.parent,
    )
    if outcome is None:
        resolver, timeline = Resolver(world, row), timeline or world.timers.timeline()
        return _enter_and_begin(world, Executed(world, row, timeline, resolver, input_value(input), origin.nesting))
    if not outcome.at_once:
        return _enter_and_begin(world, Canned(world, row, timeline or world.timers.timeline(), outcome))
    # Nobody ever sees it running, so it is written down once.
    world.stores.executions.put(flow.id, name, row)
    world.stores.by_status.add(flow.id, row)
    world.changed("execution", flow.name, name)
    world.retention.ended(row)
    if row.callback_token:
        report_to_token(world, row.callback_token, row)
    return row


def _enter_and_begin(world: World, live: Live) -> ExecutionRow:
    """Write down a new execution and let it go on as far as it can. Returns its row as it stands then."""
    row = live.row
    _enter(world, live)
    live.begin()
    found = world.stores.executions.get(row.flow.id, row.name)
    if found is None or found.serial != row.serial:
        return row  # it has ended, and what it started has left no room for it
    if found.stopped is None:
        world.retention.runs(found)
    # Most have ended by now: listed once, as what they became, instead of moved from status to status.
    world.stores.by_status.add(row.flow.id, found)
    world.changed("execution", row.flow.name, row.name)
    live.listed = True
    return found


def enter_again(world: World, live: Live) -> None:
    """Write down an execution of an earlier process, or of a fixture, as one that is running."""
    row = live.row
    _enter(world, live)
    world.stores.by_status.add(row.flow.id, row)
    live.listed = True
    if not world.retention.is_staying(row):
        world.retention.runs(row)


def _enter(world: World, live: Live) -> None:
    row = live.row
    world.stores.executions.put(row.flow.id, row.name, row)
    world.enter(live)
    if row.events is not None:
        row.events.watch_size(partial(_history_grown, world, row), STEP)


def _history_grown(world: World, row: ExecutionRow, size: int) -> int:
    """Note that the history of a running execution takes `size` bytes. Returns the size at which to note it again."""
    enough = world.retention.grown(row, size)
    run = world.run_of(row)
    if enough is None and run is not None:
        text = "the execution was ended, because running executions need more memory than keep_bytes allows"
        world.scheduler.fail(run, LimitExceeded(DATA_LIMIT, text))
    return enough or size


def place_execution(
    world: World, flow: FlowRow, *, status: str, started: float, error: str = "", **fields: Any
) -> ExecutionRow:
    """Put an execution into a world that is there from the start, ended or not. Times are in seconds since 1970."""
    row = ExecutionRow(
        flow=flow,
        status=status,
        started=to_millisecond(started),
        serial=world.next_serial(),
        error=error_code(status, error),
        **fields,
    )
    world.retention.stays(row)
    if row.ended:
        world.stores.executions.put(flow.id, row.name, row)
        world.stores.by_status.add(flow.id, row)
    else:
        enter_again(world, Canned(world, row, world.timers.timeline(), Outcome(status)))
    return row


class Resolver(ScriptedTasks):
    """Answers the tasks of one execution: by the mocks of its flow, by starting nested flows, by waiting for reports."""

    def __init__(self, world: World, row: ExecutionRow) -> None:
        super().__init__(world.mocks[row.flow.name], world.shared.functions)
        self.world = world
        self.row = row
        assert row.events is not None
        self._tries = row.events.tries

    def answered(self, task: CalledTask, by: TaskMock | Answerer) -> None:
        if type(by) is TaskMock:
            self.world.notes.matched = True
        self._tries.append((task.call.task_token.event, by, self.mocks.by_task))

    def unmocked(self, task: CalledTask) -> None:
        """Fail the task, or say that it succeeds: once of each task, and to each call that it happens in."""
        call, flow, world = task.call, self.row.flow.name, self.world
        if world.notes.explains:
            world.notes.missed(self.mocks.unmatched(call, task.execution.spent))
        if world.settings.unmocked_tasks == "fail":
            raise Failure(UNMOCKED, f"there is no mock for the task '{call.state}' ({call.action}) of flow '{flow}'")
        text = f"flow '{flow}': no mock for the task '{call.state}' ({call.action}); it succeeded with {{}}"
        if world.says_first(self.row.flow.id, call.state):
            world.warn(text)
        else:
            world.notes.warn(text)

    def raised(self, task: CalledTask, failure: Failure) -> None:
        """Warn, once of each line of the user's: retries raise there again."""
        flow, state = self.row.flow, task.call.state
        if self.world.says_first(flow.id, state, failure.place):
            text = f"flow '{flow.name}': the function of task '{state}' raised {failure.code}: {failure.detail:.200}"
            self.world.warn(f"{text} ({failure.place})")

    def start_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        """Start a child of a map run as an execution with a row: of its parent's flow, with the map's processor to execute."""
        world, request = self.world, map_run.request
        text = json_text(request.inputs[index])
        world.retention.make_room(text)
        compiled = parent.flow.child(request.processor, express=request.express)
        row = ExecutionRow(
            flow=replace(self.row.flow, compiled=compiled),
            name=map_run.child_name(index),
            status=RUNNING,
            input=text,
            started=to_millisecond(parent.timeline.now()),
            serial=world.next_serial(),
            events=History(),
            map_run=map_run.name,
            parent=Parent(self.row.flow.name, self.row.name, request.state),
        )
        live = Executed(world, row, parent.timeline, Resolver(world, row), input_value(text))
        _enter_and_begin(world, live)
        assert live.run is not None
        return live.run

    def start_flow(self, task: CalledTask, start: FlowStart) -> Answer:
        """Start, or join, the flow that a task asks for. Raises a `Failure` with the code and words of StartExecution."""
        world = self.world
        self.answered(task, Answerer.NESTED)
        try:
            row, joined = self._start(task, start)
        except ServiceError as error:
            said = world.spec.errors[error.code].render(tuple(map(str, error.args)))
            raise Failure(f"{task.call.product}.{error.code}", f"{said} {error.detail}".rstrip()) from None
        child = HistoryChild(task.call.task_token.event, row.flow.name, row.name)
        self.note_child(child)
        if task.execution.recording is not None:
            task.execution.recording.keep(NESTED, *child)
        answered = {"FlowName": row.flow.name, "ExecutionName": row.name, "RequestID": world.ids.request_id()}
        run = world.run_of(row)
        if run is not None or task.call.mode is not Mode.SYSTEM_CALLBACK:
            return Nested(run, answered, joined)
        return self._answer_of_canned(task, row, joined)

    def _start(self, task: CalledTask, nested: FlowStart) -> tuple[ExecutionRow, bool]:
        """Start, or join, that flow. Returns the execution, and whether it was in progress already."""
        world, parent = self.world, task.execution
        flow = find_flow(world, nested.flow)
        if flow.execution_mode == EXPRESS:
            raise ServiceError("ActionNotSupported", "StartExecution")
        check_name(world, nested.execution, "executionName")
        waited = task.call.mode is not Mode.REQUEST_COMPLETE
        timeline = parent.timeline if waited else world.timers.timeline(parent.timeline.skipped)
        nesting = parent.identity.nesting + 1 if waited else 0
        origin = StartOrigin(timeline, nesting, parent=Parent(self.row.flow.name, self.row.name, task.call.state))
        return start_or_join(world, flow, nested.execution, json_text(nested.input), origin)

    def note_child(self, child: HistoryChild) -> None:
        """Add what a task has started, or joined, to the history of its execution."""
        assert self.row.events is not None
        self.row.events.children += (child,)

    def _answer_of_canned(self, task: CalledTask, row: ExecutionRow, joined: bool) -> Answer:
        """Answer a task that waits for a child with a canned outcome: by its end if that is known, else by waiting for it."""
        live = self.world.live_execution(row)
        if live is not None:
            live.poll_to_end()
        if self.world.live_execution(row) is None:
            result = result_of(find_execution(self.world, row.flow.name, row.name))
            return Fails(result.code, result.detail) if isinstance(result, Failure) else Returns(result)
        return self.wait_for(task, row, joined)

    def wait_for(self, task: CalledTask, row: ExecutionRow, joined: bool) -> Waits:
        """Report the end of a canned execution to the task."""
        world = self.world

        def ended() -> None:
            found = world.stores.executions.get(row.flow.id, row.name)
            if found is not None and not task.over:
                task.report(result_of(found))

        def stop(error: str, cause: str) -> None:
            live = world.live_execution(row)
            if live is not None:
                live.stop(error, cause)

        world.subscribe(row, ended)
        return Waits(None if joined else stop, row.serial)
