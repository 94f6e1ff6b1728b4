"""Finds the flow of a recorded execution, and runs it with the recorded input and answers on virtual time from its start."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import partial

from cfmock.base import yaml_source
from cfmock.base.clocks import VirtualClock
from cfmock.base.errors import SettingsError, SourceError
from cfmock.base.json_text import Json
from cfmock.base.problems import Problem
from cfmock.base.randomness import Ids
from cfmock.base.source_marks import Mark
from cfmock.base.suggestions import did_you_mean
from cfmock.base.timers import TimerKind, Timers
from cfmock.engine.commands import Failure
from cfmock.engine.events import Event, Rows, as_events
from cfmock.engine.execution import Answer, CalledTask, FlowExecution, TaskResolver
from cfmock.engine.identity import Identity
from cfmock.engine.model import MapNode
from cfmock.engine.scheduler import YEAR, FlowScheduler
from cfmock.engine.task_calls import Fails, Waits
from cfmock.fixtures.history.answers import Try, tries
from cfmock.fixtures.history.recording import RecordedEvent, RecordedExecution
from cfmock.fixtures.model import FlowFixture
from cfmock.tools.replay.pairs import Pairing

TOLERANCE = 1.0  # seconds by which a modelled time may differ from the service's
UNKNOWN_NAME = "unnamed-execution"  # the name of an execution whose history does not tell it


class Replay(TaskResolver):
    """A flow that runs as it ran in the service: its tasks answer, and it is stopped, as they did and it was there.

    It is the resolver and the sink of its execution. `pairs` has the recorded event that stands for each of `events`.
    """

    def __init__(self, recording: RecordedExecution, flow: FlowFixture) -> None:
        self.recording = recording
        self.flow = flow
        self.name = recording.name or UNKNOWN_NAME
        self.pairs = Pairing(recording)
        self.events: list[Event] = []
        self._timers = Timers(VirtualClock(recording.started))
        self._scheduler = FlowScheduler(self._timers, Ids(0))
        self._tries: defaultdict[tuple[int, str], deque[Try]] = defaultdict(deque)
        for each in tries(recording):
            self._tries[each.entered, each.state].append(each)
        self._stopping = False
        last = recording.events[-1]
        self._stop = last if last.type == "ExecutionStopped" else None
        self._stop_after = len(recording.events) - 1

    def run(self) -> None:
        """Execute the flow with the recorded input."""
        flow = self.flow
        variables = {each["Name"]: each["Value"] for each in (flow.environment or {}).get("Variables", ())}
        self._scheduler.start(
            flow.flow,
            Identity(flow=flow.name, execution=self.name, role_arn=flow.role_arn, environment=variables),
            self.recording.input,
            resolver=self,
            sink=self.sink,
            on_begin=self._begin,
        )
        end = self.recording.started + YEAR
        while not self._execution.ended and (due := self._timers.next_due()) is not None and due <= end:
            self._timers.advance_to(due)

    def _begin(self, execution: FlowExecution) -> None:
        self._execution = execution

    @property
    def status(self) -> str:
        return self._execution.status.value

    @property
    def output(self) -> Json:
        """The output; None if it gave none."""
        return self._execution.output.value if self._execution.output is not None else None

    def sink(self, rows: Rows) -> None:
        """Take the next events, up to where the execution was stopped in the service."""
        stop = self._stop
        for event in as_events(rows):
            if stop is not None and event.type != "ExecutionStopped" and len(self.events) == self._stop_after:
                continue
            last = len(self.events)
            self.events.append(event if event.id == last + 1 else event._replace(id=last + 1, cause=last))
            self.pairs.add(self.events[-1])
        if stop is not None and len(self.events) == self._stop_after and not self._stopping:
            self._stopping = True
            if stop.time - self._timers.clock.now() <= TOLERANCE:
                self._end(stop)  # the service takes a while for each event: what comes next here came too late there
            else:
                self._timers.add(stop.time, TimerKind.PROGRESS, partial(self._end, stop))

    def resolve(self, task: CalledTask) -> Answer:
        """Return the answer of the task in the service, found by where in the flow it is called and how often before."""
        call = task.call
        task.execution.hand_over()
        key = self.pairs.recorded_id(call.task_token.event), call.state
        if not self._tries[key]:
            return Waits()  # the comparison finds that there was no such call
        found = self._tries[key].popleft()
        if found.end is not None and found.end.type == "TaskSubmitFailed" and isinstance(found.answer, Fails):
            raise Failure(found.answer.code, found.answer.detail)
        return found.answer

    def _end(self, stop: RecordedEvent) -> None:
        detail = stop.detail
        self._scheduler.stop(self._execution, str(detail.get("error", "")), str(detail.get("cause", "")))


def replay(recording: RecordedExecution, flow: FlowFixture) -> Replay:
    """Run a flow as it ran in the service."""
    ran = Replay(recording, flow)
    ran.run()
    return ran


def flow_for(recording: RecordedExecution, flows: Sequence[FlowFixture], path: str) -> FlowFixture:
    """The flow of this execution among those that `path` holds. Raises SettingsError, or SourceError with the place in the
    history, where none is."""
    flow = _chosen(recording, flows, path)
    problem = _definition_problem(recording, flow) or _state_problem(recording, flow) or _map_problem(recording, flow)
    if problem is not None:
        raise SourceError([problem])
    return flow


def _chosen(recording: RecordedExecution, flows: Sequence[FlowFixture], path: str) -> FlowFixture:
    names = ", ".join(flow.name for flow in flows) or "no flow"
    told = recording.description.definition if recording.description is not None else ""
    same = [flow for flow in flows if told and flow.definition == told]
    if same:  # the service takes a definition whose Name is not the flow's
        return next((flow for flow in same if flow.name == recording.flow), same[0])
    # The name of a definition's file need not be the flow's.
    nameless = len(flows) == 1 and flows[0].flow.own_name is None and not flows[0].entry
    if recording.flow and not nameless:
        named = [flow for flow in flows if flow.name == recording.flow]
        if not named:
            raise SettingsError(
                f"{recording.file}: is a history of flow '{recording.flow}', and {path} holds {names}"
                f"{did_you_mean(recording.flow, [flow.name for flow in flows])}"
            )
        return named[0]
    fitting = [flow for flow in flows if _steps(recording) <= set(flow.flow.state_names())]
    if len(flows) == 1:
        return flows[0]
    if len(fitting) != 1:
        raise SettingsError(
            f"{path} holds {names}, and nothing says which of them {recording.file} is of: name a file with the one "
            "flow, or give DescribeExecution's answer, too"
        )
    return fitting[0]


def _steps(recording: RecordedExecution) -> set[str]:
    return {event.step for event in recording.events if event.step}


def _definition_problem(recording: RecordedExecution, flow: FlowFixture) -> Problem | None:
    told = recording.description
    if told is None or not told.definition or told.definition == flow.definition:
        return None
    try:
        there = yaml_source.parse(told.definition).value
        here = yaml_source.parse(flow.definition).value
    except SourceError:
        return None
    if there == here:
        return None
    message = (
        f"FlowDefinition is not what {flow.mark.file} holds{_differing(there, here)}: the definition is newer than this "
        "history, or another; replay with the one that was executed"
    )
    return Problem.at(Mark(told.file, 0, 0), message)


def _differing(there: object, here: object) -> str:
    """The first key in which two definitions differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        return next((f" ('{key}' differs)" for key in [*there, *here] if there.get(key) != here.get(key)), "")
    return ""


def _state_problem(recording: RecordedExecution, flow: FlowFixture) -> Problem | None:
    """Return the problem that the history enters states which the definition does not have."""
    known = set(flow.flow.state_names())
    unknown = next((event for event in recording.events if event.step and event.step not in known), None)
    if unknown is None:
        return None
    where = (
        f"event {unknown.id} is of state '{unknown.step}', which flow '{flow.name}' ({flow.mark.file}) does not have"
    )
    if _steps(recording).isdisjoint(known):
        return Problem.at(unknown.mark, f"{where}: this is a history of another flow")
    near = did_you_mean(unknown.step, known)
    return Problem.at(unknown.mark, f"{where}{near}: the definition is newer than this history, or of another flow")


def _map_problem(recording: RecordedExecution, flow: FlowFixture) -> Problem | None:
    """Return the problem that it comes to a distributed map, whose children have histories of their own."""
    maps = {node.name for _, node in flow.flow.walk() if isinstance(node, MapNode) and node.distributed is not None}
    entered = next((each for each in recording.events if each.type == "StepEntered" and each.step in maps), None)
    if entered is None:
        return None
    return Problem.at(
        entered.mark,
        f"event {entered.id} enters '{entered.step}', a distributed Map: its children have separate histories, which "
        "are not replayed",
    )
