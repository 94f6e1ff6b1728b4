"""A recorded history against a run of the definition: what agrees, what differs and where, what is new evidence."""

from __future__ import annotations

import json

import pytest

from cfmock import CloudFlow, TaskFailed
from cfmock.base.clocks import iso
from cfmock.base.time_text import parse_time
from cfmock.fixtures.history.reader import read_histories
from cfmock.fixtures.loader import load
from cfmock.tools.replay.compare import compare
from cfmock.tools.replay.run import replay
from tests.support import histories


@pytest.fixture
def compared(tmp_path):
    def run(events, definition=histories.EVERYTHING, *more):
        path = tmp_path / "history.json"
        path.write_text(histories.text(histories.answer(events), *more))
        flow = load([{"cfmock": 1, "flows": [{"name": "f", "definition": definition}]}]).flows[0]
        return [compare(replay(each, flow)) for each in read_histories([str(path)])]

    return run


def the_one(found):
    assert len(found) == 1
    return found[0]


def test_the_published_sample_agrees(compared):
    found = the_one(compared(histories.passes(), histories.PASSES))
    assert (found.difference, found.agreed, found.evidence) == (None, 10, ())


@pytest.mark.parametrize("change", [lambda events: events, histories.late], ids=["virtual", "late"])
def test_a_history_of_another_cfmock_agrees(compared, change):
    events = change(histories.everything())
    found = the_one(compared(events))
    assert found.difference is None
    assert (found.agreed, found.evidence) == (len(events), ())
    assert {"task-scheduled", "join-cause", "iterations"} <= set(found.confirmed)


def index_of(events, kind, state, nth=0):
    """The position of the nth event of a type and a state."""
    return [i for i, event in enumerate(events) if (event["Type"], event["StepName"]) == (kind, state)][nth]


def later(events, index, seconds):
    """The event at an index and all that follow, so much later."""
    moved = histories.at(events[index:], iso(parse_time(events[index]["Time"]) + seconds))
    return [*events[:index], *moved]


def with_detail(events, index, /, **changes):
    detail = {**json.loads(events[index]["EventDetail"]), **changes}
    changed = {**events[index], "EventDetail": json.dumps({k: v for k, v in detail.items() if v is not None})}
    return [*events[:index], changed, *events[index + 1 :]]


def changed(events, index, /, **fields):
    return [*events[:index], {**events[index], **fields}, *events[index + 1 :]]


def swapped(events, index):
    """Two events in each other's place; ids and causes stay where they are."""
    first, second = events[index : index + 2]
    stay = ("EventId", "ScheduleEventId", "Time")
    return [
        *events[:index],
        {**second, **{key: first[key] for key in stay}},
        {**first, **{key: second[key] for key in stay}},
        *events[index + 2 :],
    ]


PLANTED = {
    "order": ("StepExited", "Quick", swapped, "type"),
    "order in the file": (
        "StepExited",
        "Nap",
        lambda events, i: [*events[:i], *events[i : i + 2][::-1], *events[i + 2 :]],
        "order",
    ),
    "cause": ("StepStarted", "Rest", lambda *at: changed(*at, ScheduleEventId=3), "cause"),
    "cause to come": ("TaskStarted", "Check", lambda *at: changed(*at, ScheduleEventId=80), "cause"),
    "a wait that is longer": ("StepSucceeded", "Rest", lambda *at: later(*at, 10), "time"),
    "a wait that is shorter": ("StepSucceeded", "Nap", lambda *at: later(*at, -1.5), "time"),
    "a retry that is later": ("TaskScheduled", "Double", lambda *at: later(*at, 5), "time"),
    "output of a state": (
        "StepSucceeded",
        "Each",
        lambda *at: with_detail(*at, output={"doubled": [1]}),
        "output.doubled[0]",
    ),
    "input of a state": ("StepStarted", "Quick", lambda *at: with_detail(*at, input={"a": 1}), "input.a"),
    "error of a state": ("StepFailed", "Check", lambda *at: with_detail(*at, error="Other"), "error"),
    "text of an error of ours": ("StepFailed", "Check", lambda *at: with_detail(*at, cause="too long"), None),
    "a key of its own": ("TaskStarted", "Check", lambda *at: with_detail(*at, worker="w"), None),
    "without a key": ("TaskScheduled", "Check", lambda *at: with_detail(*at, action=None), None),
    "index that is none": ("BranchEntered", "Fork", lambda *at: with_detail(*at, index={"n": 0}), "index"),
    "parameters": ("TaskScheduled", "Quick", lambda *at: with_detail(*at, parameters={}), "parameters.resourceArn"),
    "another state": ("StepEntered", "Rest", lambda *at: changed(*at, StepName="Check"), "state"),
    "another end": ("ExecutionSucceeded", "", lambda *at: changed(*at, Type="ExecutionFailed"), "type"),
    "output of the execution": ("ExecutionSucceeded", "", lambda *at: with_detail(*at, output={}), "output.doubled"),
}
"""What is changed: at the first event of a type and a state, how, and what the comparison tells of it; None: new evidence."""


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("pace", [lambda events: events, histories.late], ids=["virtual", "late"])
def test_a_planted_difference_is_told_at_its_event(compared, name, pace):
    kind, state, plant, what = PLANTED[name]
    events = pace(histories.everything())
    index = index_of(events, kind, state)
    if name == "a retry that is later":
        index = next(
            i
            for i, event in enumerate(events)
            if event["Type"] == "TaskScheduled" and "Failed" in cause(events, event)["Type"]
        )
    found = the_one(compared(plant(events, index)))
    if what is None:
        assert found.agrees
        assert [each.event for each in found.evidence] == [events[index]["EventId"]]
        return
    assert found.difference is not None, found.evidence
    assert (found.difference.number, found.difference.what) == (events[index]["EventId"], what)
    assert found.agreed == index


def cause(events, event):
    return events[event["ScheduleEventId"] - 1]


def test_branches_that_interleave_otherwise_are_a_difference_only_where_nothing_takes_time(compared):
    events = histories.everything()
    index = index_of(events, "StepStarted", "Slow")
    other = index_of(events, "StepStarted", "Nap")
    assert other > index + 1
    numbers = {event["EventId"]: event["EventId"] for event in events}
    moved = [*events[:index], *events[index + 1 : other + 1], events[index], *events[other + 1 :]]
    numbers = {0: 0, **{event["EventId"]: n for n, event in enumerate(moved, 1)}}
    renumbered = [
        {**event, "EventId": numbers[event["EventId"]], "ScheduleEventId": numbers[event["ScheduleEventId"]]}
        for event in moved
    ]
    assert the_one(compared(renumbered)).difference is not None


def test_data_inside_the_detail_may_be_text(compared):
    events = histories.passes()
    events = with_detail(events, 9, output="{}")
    assert the_one(compared(events, histories.PASSES)).difference is None
    events = with_detail(histories.everything(), 69, output=json.dumps({"doubled": [1]}))
    assert events[69]["Type"] == "StepSucceeded"
    assert the_one(compared(events)).difference.what == "output.doubled[0]"


LOOP = """\
Type: StateMachine
SpecVersion: v1
Name: loop
StartAt: Ask
States:
  - Type: Task
    Name: Ask
    Action: FC:InvokeFunction
    TaskMode: WaitForCustomCallback
    Parameters: {resourceArn: ask, body: {token.$: $Context.Current.TaskToken, name.$: $Context.Execution.Name}}
    Catch: [{Errors: [Refused], Next: Pause}]
    OutputConstructor: {go.$: $Output.go}
    Next: More
  - {Type: Wait, Name: Pause, Seconds: 20, OutputConstructor: {go: again}, Next: Again}
  - {Type: Choice, Name: More, Branches: [{Condition: $Input.go == "again", Next: Again}], Default: End}
  - {Type: Pass, Name: Again, Next: Ask}
  - {Type: Wait, Name: End, Seconds: 300, End: true}
"""


def looped(definition=LOOP, stop=None):
    """A run of `LOOP` by a server: its tasks are reported, and it may be stopped."""
    answers = [
        {"returns": {"go": "again"}, "after": "5s", "times": 2},
        {"fails": {"code": "Refused"}, "after": "1s", "times": 1},
        {"returns": {"go": "on"}, "after": "7s"},
    ]
    flow = {"name": "loop", "definition": definition, "tasks": {"Ask": answers}}
    with CloudFlow({"cfmock": 1, "flows": [flow]}, clock="virtual", now="2024-06-24T00:00:00Z") as cf:
        cf.call("StartExecution", FlowName="loop", ExecutionName="run1", Input="{}")
        cf.clock.advance(stop if stop is not None else "2h")
        if stop is not None:
            cf.call("StopExecution", FlowName="loop", ExecutionName="run1", Error="Enough", Cause="by hand")
        described = cf.call("DescribeExecution", FlowName="loop", ExecutionName="run1")
        events = cf.call("GetExecutionHistory", FlowName="loop", ExecutionName="run1", Limit=999)["Events"]
    return events, described


@pytest.mark.parametrize("pace", [lambda events: events, histories.late], ids=["virtual", "late"])
@pytest.mark.parametrize("stop", [None, "3s", "30s", "2m"])
def test_loops_reports_and_stops_go_as_they_did(compared, pace, stop):
    events, described = looped(stop=stop)
    found = the_one(compared(pace(events), LOOP, described))
    assert (found.difference, found.evidence) == (None, ())
    assert found.replay.status == ("Succeeded" if stop is None else "Stopped")


def test_an_execution_whose_name_is_not_told_agrees_in_texts_with_any_name(compared):
    events, _ = looped()
    assert the_one(compared(events, LOOP)).difference is None
    index = index_of(events, "TaskScheduled", "Ask")
    parameters = {**json.loads(events[index]["EventDetail"])["parameters"], "resourceArn": "other"}
    found = the_one(compared(with_detail(events, index, parameters=parameters), LOOP))
    assert found.difference.what == "parameters.resourceArn"


@pytest.mark.parametrize("pace", [lambda events: events, histories.late], ids=["virtual", "late"])
def test_an_execution_that_ran_into_its_time_out(compared, pace):
    definition = "version: v1\ntype: flow\ntimeoutSeconds: 60\nsteps:\n  - {type: wait, name: pause, duration: 100}\n"
    events = pace(histories.recorded(definition, {}))
    assert events[-1]["Type"] == "ExecutionTimedOut"
    assert the_one(compared(events, definition)).difference is None
    longer = the_one(compared(events, definition.replace("60", "90")))
    assert (longer.difference.number, longer.difference.what) == (events[-1]["EventId"], "time")


def test_an_execution_that_still_runs_is_compared_as_far_as_it_is(compared):
    events, described = looped()
    described = {**described, "Status": "Running", "Output": ""}
    found = the_one(compared(events[:20], LOOP, described))
    assert (found.difference, found.agreed) == (None, 20)


JOINED = """\
Type: StateMachine
SpecVersion: v1
Name: joined
StartAt: Fork
States:
  - Type: Parallel
    Name: Fork
    Branches:
      - {StartAt: A, States: [{Type: Wait, Name: A, Seconds: 2, End: true}]}
      - {StartAt: B, States: [{Type: Wait, Name: B, Seconds: 1, End: true}]}
    End: true
"""


def test_another_cause_of_what_follows_a_join_is_new_evidence(compared):
    events = histories.recorded(JOINED, {})
    index = index_of(events, "StepSucceeded", "Fork")
    fork = events[index_of(events, "StepStarted", "Fork")]["EventId"]
    first = events[index_of(events, "BranchExited", "Fork")]["EventId"]
    for cause in (fork, first):
        found = the_one(compared(changed(events, index, ScheduleEventId=cause), JOINED))
        assert found.difference is None
        assert [(each.choice, each.event) for each in found.evidence] == [("join-cause", events[index]["EventId"])]
        assert "join-cause" not in found.confirmed
    assert the_one(compared(changed(events, index, ScheduleEventId=2), JOINED)).difference.what == "cause"


FAILING = JOINED.replace("{Type: Wait, Name: B, Seconds: 1, End: true}", "{Type: Fail, Name: B, Code: No}")


def test_a_branch_that_is_stopped_may_have_been_less_far(compared):
    events = histories.recorded(FAILING, {})
    late = histories.late(events)
    assert the_one(compared(late, FAILING)).difference is None
    started = index_of(late, "StepStarted", "A")
    left = [*late[:started], *late[started + 1 :]]
    numbers = {0: 0, **{event["EventId"]: n for n, event in enumerate(left, 1)}}
    left = [
        {**event, "EventId": numbers[event["EventId"]], "ScheduleEventId": numbers[event["ScheduleEventId"]]}
        for event in left
    ]
    found = the_one(compared(left, FAILING))
    assert found.difference is None
    assert [each.choice for each in found.evidence] == ["stopped-branches"]


@pytest.mark.parametrize("end", ["TaskFailed", "TaskSubmitFailed"])
def test_a_callback_task_that_fails_when_it_is_called_or_later(compared, end):
    def refuse(event):
        raise TaskFailed("Refused")

    flow = {
        "name": "loop",
        "definition": LOOP,
        "tasks": {} if end == "TaskSubmitFailed" else {"Ask": [{"fails": {"code": "Refused"}, "times": 1}]},
    }
    with CloudFlow({"cfmock": 1, "flows": [flow]}, clock="virtual") as cf:
        if end == "TaskSubmitFailed":
            cf.task("loop", "Ask").calls(refuse)
        else:
            cf.task("loop", "Ask").fails("Refused", times=1).returns({"go": "on"})
        cf.call("StartExecution", FlowName="loop", ExecutionName="run1")
        cf.clock.advance("10s")
        cf.call("StopExecution", FlowName="loop", ExecutionName="run1")
        events = cf.call("GetExecutionHistory", FlowName="loop", ExecutionName="run1", Limit=999)["Events"]
    assert end in {event["Type"] for event in events}
    assert the_one(compared(events, LOOP)).difference is None
