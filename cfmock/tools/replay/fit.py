"""Finds the flow that a recorded history is replayed with, and checks that it fits."""

from __future__ import annotations

from collections.abc import Sequence

from cfmock.base import yaml_source
from cfmock.base.errors import SettingsError, SourceError
from cfmock.base.problems import Problem
from cfmock.base.source_marks import Mark
from cfmock.base.suggestions import did_you_mean
from cfmock.engine.model import MapNode
from cfmock.fixtures.history.recording import RecordedEvent, RecordedExecution
from cfmock.fixtures.model import FlowFixture


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
    if recording.flow and not _is_nameless(flows):
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


def _is_nameless(flows: Sequence[FlowFixture]) -> bool:
    """Return whether the only flow is a definition without a name: that of its file need not be the flow's."""
    return len(flows) == 1 and flows[0].flow.own_name is None and not flows[0].written


def _steps(recording: RecordedExecution) -> set[str]:
    return {event.step for event in recording.events if event.step}


def _definition_problem(recording: RecordedExecution, flow: FlowFixture) -> Problem | None:
    """Return the problem that DescribeExecution has another definition."""
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
        for key in [*there, *here]:
            if there.get(key) != here.get(key):
                return f" ('{key}' differs)"
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
        return _problem(unknown, f"{where}: this is a history of another flow")
    near = did_you_mean(unknown.step, known)
    return _problem(unknown, f"{where}{near}: the definition is newer than this history, or of another flow")


def _map_problem(recording: RecordedExecution, flow: FlowFixture) -> Problem | None:
    """Return the problem that it comes to a distributed map, whose children have histories of their own."""
    maps = {node.name for _, node in flow.flow.walk() if isinstance(node, MapNode) and node.distributed is not None}
    entered = next((each for each in recording.events if each.type == "StepEntered" and each.step in maps), None)
    if entered is None:
        return None
    return _problem(
        entered,
        f"event {entered.id} enters '{entered.step}', a distributed Map: its children have separate histories, which "
        "are not replayed",
    )


def _problem(event: RecordedEvent, message: str) -> Problem:
    return Problem.at(event.mark, message)
