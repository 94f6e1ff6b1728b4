"""Executions: start, stop, describe (with long poll)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

from cfmock.base.clocks import iso
from cfmock.base.errors import ServiceError
from cfmock.base.json_text import json_text, quoted
from cfmock.base.timers import Timeline, Timer, TimerKind
from cfmock.engine.commands import DATA_LIMIT, UNNAMED, LimitExceeded
from cfmock.engine.events import History
from cfmock.engine.execution import FlowExecution
from cfmock.engine.expr import ExpressionError
from cfmock.engine.flow import Flow
from cfmock.engine.recording import ExecutionRecording
from cfmock.protocol.wire.arguments import input_value
from cfmock.protocol.wire.messages import DeferredAnswer, Fields
from cfmock.service.flows import find_flow
from cfmock.service.live import Executed, identity_of
from cfmock.service.outcomes import Outcome, output_text
from cfmock.service.recordings import record_canned
from cfmock.service.retention import STEP
from cfmock.service.rows import EXPRESS, ExecutionRow, FlowRow
from cfmock.service.versions import qualified
from cfmock.service.world import Live, World

UNSTOPPED = "1970-01-01T00:00:00Z"
"""StoppedTime of an execution that has not stopped (command-line samples, the vendor's editor plug-in)."""

RUNNING = "Running"


def start_execution(
    world: World,
    *,
    flow_name: str,
    execution_name: str | None = None,
    input: str = "",
    callback_fnf_task_token: str | None = None,
    qualifier: str | None = None,
) -> Fields:
    """Start one, or give back the one in progress under that name (StartExecution, usage notes).

    Answers `Running`, even if the execution has ended by then. Raises FlowNotExists, ExecutionAlreadyExists for the name of one
    that has ended, InvalidArgument for a qualifier that leads nowhere, and ActionNotSupported for an Express flow (inferred
    from the mirrored example of StartSyncExecution).
    """
    flow = find_flow(world, flow_name)
    if flow.execution_mode == EXPRESS:
        raise ServiceError("ActionNotSupported", "StartExecution", detail="Express execution is not supported.")
    if execution_name is not None:
        existing = world.stores.executions.get(flow.id, execution_name)
        if existing is not None:
            if existing.ended:
                raise ServiceError("ExecutionAlreadyExists", execution_name, flow_name)
            return execution_fields(existing)
    name = execution_name or world.ids.execution_name()
    row = launch(
        world, qualified(world, flow, qualifier), name, input,
        callback_token=callback_fnf_task_token or "", qualifier=qualifier or "",
    )  # fmt: skip
    return _fields(row, RUNNING, None, "") if row.ended else execution_fields(row)


def stop_execution(world: World, *, flow_name: str, execution_name: str, cause: str = "", error: str = "") -> Fields:
    """End it now. As in the published sample the answer still says `Running`, with StoppedTime set; the next
    DescribeExecution says `Stopped`. Raises ExecutionAlreadyCompleted."""
    row = find_execution(world, flow_name, execution_name)
    live = world.live_execution(row)
    if row.ended or live is None:
        raise ServiceError("ExecutionAlreadyCompleted", execution_name, flow_name)
    live.stop(error, cause)
    stopped = find_execution(world, flow_name, execution_name)
    fields = execution_fields(stopped) | {"Status": RUNNING}
    if stopped.flow.role_arn:
        fields["RoleArn"] = stopped.flow.role_arn
    return fields


def describe_execution(
    world: World, *, flow_name: str, execution_name: str, wait_time_seconds: int = 0
) -> Fields | DeferredAnswer:
    """The execution now, or, with a wait, once it has ended or the wait is over."""
    row = find_execution(world, flow_name, execution_name)
    live = world.live_execution(row)
    if isinstance(live, Scripted) and live.outcome.polls:
        live.poll()
    elif live is not None and wait_time_seconds:
        leave = live.attend()
        if world.live_execution(row) is not None:
            return DeferredAnswer(
                ready=partial(_described, world, flow_name, execution_name),
                subscribe=partial(subscribe, world, row, leave),
                timeout=float(wait_time_seconds),
            )
        leave()
    return _described(world, flow_name, execution_name)


def find_execution(world: World, flow_name: str, execution_name: str) -> ExecutionRow:
    """Raises FlowNotExists and ExecutionNotExists."""
    flow = find_flow(world, flow_name)
    row = world.stores.executions.get(flow.id, execution_name)
    if row is None:
        raise ServiceError("ExecutionNotExists", execution_name, flow_name)
    return row


def start_sync_execution(
    world: World, *, flow_name: str, execution_name: str | None = None, input: str = "", qualifier: str | None = None
) -> Fields | DeferredAnswer:
    """Start an Express flow and answer when it has ended; its failure is told by fields of a success (StartSyncExecution).

    Names may repeat: the service adds a UUID. Raises ActionNotSupported for a Standard flow, as the page's example hints, and
    InvalidArgument for a qualifier that leads nowhere.
    """
    flow = find_flow(world, flow_name)
    if flow.execution_mode != EXPRESS:
        raise ServiceError("ActionNotSupported", "StartSyncExecution", detail="Standard execution is not supported.")
    asked = execution_name or world.ids.execution_name()
    flow = qualified(world, flow, qualifier)
    row = launch(world, flow, f"{asked}:{world.ids.uuid()}", input, asked=asked, qualifier=qualifier or "")
    live = world.live_execution(row)
    if live is not None:
        leave = live.attend()
        if world.live_execution(row) is not None:
            return DeferredAnswer(partial(_sync_fields, world, row), partial(subscribe, world, row, leave))
        leave()
    return _sync_fields(world, row)


def _sync_fields(world: World, row: ExecutionRow) -> Fields:
    row = find_execution(world, row.flow.name, row.name)
    fields = described_fields(row)
    del fields["Input"], fields["FlowDefinition"]
    if row.status != "Succeeded":
        fields |= {"ErrorCode": row.error, "ErrorMessage": row.cause}
    return fields


def launch(
    world: World,
    flow: FlowRow,
    name: str,
    input: str,
    timeline: Timeline | None = None,
    *,
    asked: str | None = None,
    callback_token: str = "",
    qualifier: str = "",
    nesting: int = 0,
) -> ExecutionRow:
    """Start an execution, however it came about, and give its row as it stands then (it may have ended).

    `timeline` is that of the execution that waits for it, if one does, and `nesting` how many do, one in another; `asked` the
    name its starter gave, where the service made another of it; `callback_token` that of the task to report to at the end;
    `qualifier` what led to this version. Raises ResourceThrottled when as many are running as the quota allows (our choice:
    the limits page names no code), or as there is room for.
    """
    if world.running >= world.settings.max_running_executions:
        raise ServiceError("ResourceThrottled", detail=f"{world.running} executions are running already.")
    world.retention.admit(input)
    outcome = world.outcome_for(flow.name, asked or name, input)
    started = (timeline or world.clock).now()
    if outcome is not None:
        world.scheduler.job.starts += 1  # the others are counted when they run
    if outcome is not None and outcome.at_once:
        return _end_at_once(world, flow, name, input, started, outcome, callback_token, qualifier)
    timeline = timeline or world.timers.timeline()
    events = History() if outcome is None else None
    row = ExecutionRow(
        flow, name, RUNNING, str(input), to_millisecond(started), world.next_serial(),
        events=events, qualifier=qualifier, callback_token=callback_token, outcome=outcome,
        outcomes=world.outcomes[flow.name].first,
    )  # fmt: skip
    if outcome is not None:
        return _begin(world, row, Scripted(world, row, outcome, timeline))
    return _begin(world, row, Executed(world, row, timeline, partial(_ended, world), input_value(input), nesting))


def _end_at_once(
    world: World,
    flow: FlowRow,
    name: str,
    input: str,
    moment: float,
    outcome: Outcome,
    callback_token: str,
    qualifier: str,
) -> ExecutionRow:
    """Nobody ever sees it running, so it is written down once."""
    status, output, error, cause = _ending(world, flow, name, input, outcome)
    moment = to_millisecond(moment)
    row = ExecutionRow(
        flow, name, status, str(input), moment, world.next_serial(), output, moment, error, cause,
        None, qualifier, "", callback_token, outcome, world.outcomes[flow.name].first,
    )  # fmt: skip
    world.stores.executions.put(flow.id, name, row)
    world.stores.by_status.add(flow.id, row)
    if callback_token:
        world.shared.report(world, callback_token, row)
    world.retention.ended(row, shared=output is outcome.text)
    return row


def launch_child(
    world: World, parent: ExecutionRow, *, name: str, map_run: str, compiled: Flow, input: str, timeline: Timeline
) -> FlowExecution:
    """Start a child of a map run: an execution of its parent's flow that executes what `compiled` says."""
    world.retention.make_room(input)
    flow = dataclasses.replace(parent.flow, compiled=compiled)
    started = to_millisecond(timeline.now())
    row = ExecutionRow(flow, name, RUNNING, input, started, world.next_serial(), events=History(), map_run=map_run)
    live = Executed(world, row, timeline, partial(_ended, world), input_value(input))
    _begin(world, row, live)
    assert live.run is not None
    return live.run


def _begin(world: World, row: ExecutionRow, live: Live) -> ExecutionRow:
    world.stores.executions.put(row.flow.id, row.name, row)
    world.enter(row, live)
    if row.events is not None:
        row.events.tell(partial(_grown, world, row), STEP)
    live.begin()
    found = world.stores.executions.get(row.flow.id, row.name)
    if found is None or found.serial != row.serial:
        return row  # it has ended, and what it started has left no room for it
    if found.stopped is None:
        world.retention.runs(found)
    # Most have ended by now: listed once, as what they became, instead of moved from status to status.
    world.stores.by_status.add(row.flow.id, found)
    live.listed = True
    return found


def go_on_canned(
    world: World, row: ExecutionRow, outcome: Outcome, timeline: Timeline, due: float | None, polls: int, recorded: int
) -> None:
    """Go on with an execution of an earlier process that goes by an outcome; see `Scripted.go_on`."""
    live = Scripted(world, row, outcome, timeline)
    _go_on(world, row, live)
    live.go_on(due, polls, recorded)


def go_on_executed(
    world: World, row: ExecutionRow, timeline: Timeline, nesting: int, recording: ExecutionRecording
) -> FlowExecution:
    """Start an execution of an earlier process that runs its definition, for its recording to be replayed."""
    live = Executed(world, row, timeline, partial(_ended, world), input_value(row.input), nesting)
    _go_on(world, row, live)
    assert row.events is not None
    row.events.tell(partial(_grown, world, row), STEP)
    live.begin(recording)
    assert live.run is not None
    return live.run


def _go_on(world: World, row: ExecutionRow, live: Live) -> None:
    world.stores.executions.put(row.flow.id, row.name, row)
    world.stores.by_status.add(row.flow.id, row)
    live.listed = True
    world.enter(row, live)
    if not world.retention.is_staying(row):
        world.retention.runs(row)


def _grown(world: World, row: ExecutionRow, size: int) -> int:
    """The history of a running execution takes so many bytes; at how many it is to be told again."""
    enough = world.retention.grown(row, size)
    live = world.live_execution(row)
    if enough is None and isinstance(live, Executed) and live.run is not None:
        text = "the execution was ended, as those that run take more memory than there is for them"
        world.scheduler.fail(live.run, LimitExceeded(DATA_LIMIT, text))
    return enough or size


def _ended(world: World, row: ExecutionRow, status: str, stopped: float, output: str, error: str, cause: str) -> None:
    finish(world, row, status, stopped, output=output, error=error, cause=cause)


def add_ended(
    world: World,
    flow: FlowRow,
    *,
    name: str,
    status: str,
    input: str,
    output: str,
    started: float,
    stopped: float | None,
    error: str = "",
    cause: str = "",
) -> ExecutionRow:
    """An execution that is there from the start, as only fixtures can make one. Times in seconds since 1970."""
    row = ExecutionRow(
        flow, name, status, input, to_millisecond(started), world.next_serial(), output, stopped,
        _code(status, error), cause,
    )  # fmt: skip
    world.retention.stays(row)
    world.stores.executions.put(flow.id, name, row)
    world.stores.by_status.add(flow.id, row)
    if not row.ended:
        live = Scripted(world, row, Outcome(status), world.timers.timeline())
        live.listed = True
        world.enter(row, live)
    return row


def finish(
    world: World, row: ExecutionRow, status: str, stopped: float, *, output: str = "", error: str = "", cause: str = ""
) -> ExecutionRow:
    """Write down an execution's end and tell who waits for it."""
    stopped = max(row.started, to_millisecond(stopped))  # a machine's clock may be set back
    ended = row._replace(status=status, output=output, stopped=stopped, error=error, cause=cause)
    if row.events is not None:
        row.events.close()
        world.stores.passed.add(row)
    replace(world, row, ended)
    world.leave(row)
    for tell in tuple(world.waiting.pop((row.flow.id, row.name), ())):
        tell()
    if row.callback_token:
        world.shared.report(world, row.callback_token, ended)
    world.retention.ended(ended)
    return ended


def replace(world: World, before: ExecutionRow, after: ExecutionRow) -> None:
    """Put a changed row in place of what it was, in the table and, if it is listed already, in the index."""
    world.stores.executions.put(after.flow.id, after.name, after)
    live = world.live_execution(before)
    if before.status != after.status and live is not None and live.listed:
        world.stores.by_status.discard(before.flow.id, before)
        world.stores.by_status.add(after.flow.id, after)


def execution_fields(row: ExecutionRow) -> Fields:
    """An execution as StartExecution and StopExecution give it."""
    return _fields(row, row.status, row.stopped, row.output)


def _fields(row: ExecutionRow, status: str, stopped: float | None, output: str) -> Fields:
    return {
        "FlowName": row.flow.name,
        "Name": row.name,
        "Status": status,
        "StartedTime": iso(row.started),
        "StoppedTime": UNSTOPPED if stopped is None else iso(stopped),
        "FlowDefinition": row.flow.definition,
        "Input": row.input,
        "Output": output,
    }


def described_fields(row: ExecutionRow) -> Fields:
    """The same with the environment it started with, as DescribeExecution gives it (its variables without descriptions)."""
    fields = execution_fields(row)
    if row.flow.environment is not None:
        fields["Environment"] = _environment(row.flow)
    return fields


def _environment(flow: FlowRow) -> Fields:
    assert flow.environment is not None
    variables = [{"Name": each["Name"], "Value": each.get("Value", "")} for each in flow.environment["Variables"]]
    return {"Variables": variables}


def list_texts(rows: Sequence[ExecutionRow], metadata_only: bool) -> list[str]:
    """Items of ListExecutions as JSON text: the fields of DescribeExecution; `metadata_only` leaves out what is long.

    Joined, since encoding a page of values would cost several times as much as all else.
    """
    texts = []
    flow: FlowRow | None = None
    head = definition = rest = ""
    for row in rows:
        if row.flow is not flow:
            flow = row.flow
            head, rest = f'{{"FlowName":{quoted(flow.name)},"Name":', f"{_environment_text(flow)}}}"
            definition = "" if metadata_only else f',"FlowDefinition":{quoted(flow.definition)},"Input":'
        started = iso(row.started)
        stopped = UNSTOPPED if row.stopped is None else started if row.stopped == row.started else iso(row.stopped)
        long = "" if metadata_only else f'{definition}{quoted(row.input)},"Output":{quoted(row.output)}'
        texts.append(
            f'{head}{quoted(row.name)},"Status":"{row.status}","StartedTime":"{started}","StoppedTime":"{stopped}"{long}{rest}'
        )
    return texts


def _environment_text(flow: FlowRow) -> str:
    return f',"Environment":{json_text(_environment(flow))}' if flow.environment is not None else ""


def _described(world: World, flow_name: str, execution_name: str) -> Fields:
    return described_fields(find_execution(world, flow_name, execution_name))


def subscribe(
    world: World, row: ExecutionRow, leave: Callable[[], None], tell: Callable[[], None]
) -> Callable[[], None]:
    """Tell when the execution has ended, or is gone; gives back how to undo that, and with it the attending (`leave`)."""
    waiting = world.waiting.setdefault((row.flow.id, row.name), [])
    waiting.append(tell)

    def undo() -> None:
        leave()
        if tell in waiting:
            waiting.remove(tell)
        if not waiting:
            world.waiting.pop((row.flow.id, row.name), None)

    return undo


def to_millisecond(moment: float) -> float:
    """Times are kept as they are answered, so that a filter that repeats a StartedTime meets it."""
    return round(moment * 1000) / 1000


def _nothing() -> None:
    """What undoes an attending that needs no undoing."""


class Scripted(Live):
    """An execution that goes as a canned outcome says."""

    def __init__(self, world: World, row: ExecutionRow, outcome: Outcome, timeline: Timeline) -> None:
        self.outcome = outcome
        self.timeline = timeline
        self._world = world
        self._row = row
        self.listed = False
        self._polls = outcome.polls
        self._due: float | None = None
        self._recorded = 0  # entries
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Set what will end it."""
        if not self.outcome.ends:
            if self.outcome.status != self._row.status:
                before, self._row = self._row, self._row._replace(status=self.outcome.status)
                replace(self._world, before, self._row)
        elif self.outcome.after:
            self._due = self.timeline.now() + self.outcome.after
            self._end_at(self.timeline.steady() + self.outcome.after)
        self._record()

    def _end_at(self, due: float) -> None:
        self._timer = self._world.timers.add(due, TimerKind.PROGRESS, self._end, self.timeline)

    def _record(self) -> None:
        record_canned(self._world, self._row, self.timeline, self._due, self._polls, self.outcome.given, self._recorded)
        self._recorded += 1

    def go_on(self, due: float | None, polls: int, recorded: int) -> None:
        """Go on after a restart: end at `due`, in steady seconds of its timeline, or after so many polls."""
        self._polls, self._recorded = polls, recorded
        if due is not None:
            self._due = due + self.timeline.now() - self.timeline.steady()
            self._end_at(due)

    def poll(self) -> None:
        """A DescribeExecution was asked; the one that was named shows the end."""
        self._polls -= 1
        if self._polls == 0:
            self._end()
        else:
            self._record()

    def poll_out(self) -> None:
        """Somebody waits for the end who asks as often as it takes: a synchronous start, a parent, `cf.run`."""
        if self._polls > 0:
            self._polls = 0
            self._end()

    def stop(self, error: str, cause: str) -> None:
        self.drop()
        finish(self._world, self._row, "Stopped", self.timeline.now(), error=error, cause=cause)

    def drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def attend(self) -> Callable[[], None]:
        self.poll_out()
        if self._world.settings.clock == "virtual":
            while self._world.live_execution(self._row) is self and self.timeline.jump():
                pass
        return _nothing

    def _end(self) -> None:
        row = self._row
        status, output, error, cause = _ending(self._world, row.flow, row.name, row.input, self.outcome)
        finish(self._world, row, status, self.timeline.now(), output=output, error=error, cause=cause)


def _ending(world: World, flow: FlowRow, name: str, input: str, outcome: Outcome) -> tuple[str, str, str, str]:
    """Status, output, error and cause of an execution that goes this way."""
    output = outcome.text
    try:
        if output is None:
            output = output_text(outcome, input, identity_of(world, flow, name), world.ids)
    except (ExpressionError, ValueError) as failure:  # the latter for a number that JSON does not have
        world.warn(f"the outcome of {flow.name}/{name} cannot be built: {failure}")
        return "Failed", "", "FnF.RuntimeError", f"outcome: {failure}"
    return outcome.status, output, _code(outcome.status, outcome.error.get("code", "")), outcome.error.get("detail", "")


def _code(status: str, given: str) -> str:
    """The error code of an execution: one that failed has some."""
    return UNNAMED if status == "Failed" and not given else given
