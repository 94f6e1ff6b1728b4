"""Map runs: DescribeMapRun, UpdateMapRun, and the children as executions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.calls import Service, make_service

DEFINITION = """\
Type: StateMachine
SpecVersion: v1
Name: fan
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.list
    MaxConcurrency: 2
    {place}
    Processor:
      {inside}
      StartAt: Work
      States:
        - {{Type: Wait, Name: Work, Seconds: 20, Next: Check}}
        - Type: Choice
          Name: Check
          Branches: [{{Condition: "$Input.bad == true", Next: Bad}}]
          Default: Good
        - {{Type: Fail, Name: Bad, Code: Broken}}
        - {{Type: Succeed, Name: Good}}
    End: true
"""
INSIDE = DEFINITION.format(place="ToleratedFailedCount: 0", inside="ProcessorConfig: {ExecutionMode: Express}")
BESIDE = DEFINITION.format(place="ProcessorConfig: {ExecutionMode: Standard}", inside="# as some pages have it")


@pytest.fixture(params=[INSIDE, BESIDE], ids=["inside", "beside"])
def service(request: pytest.FixtureRequest) -> Service:
    return make_service({"flows": [{"name": "fan", "definition": request.param}]})


def start(service: Service, *bad: bool, name: str = "e") -> str:
    """Start it over items that fail or not; gives the name of the map run."""
    given = {"list": [{"n": number, "bad": each} for number, each in enumerate(bad)]}
    service("StartExecution", FlowName="fan", ExecutionName=name, Input=json.dumps(given))
    events = service("GetExecutionHistory", FlowName="fan", ExecutionName=name)["Events"]
    (begun,) = [each for each in events if each["Type"] == "MapRunStarted"]
    map_run: str = json.loads(begun["EventDetail"])["output"]["MapRunName"]
    return map_run


def describe(service: Service, map_run: str) -> dict[str, Any]:
    return service("DescribeMapRun", FlowName="fan", ExecutionName="e", MapRunName=map_run)


def update(service: Service, map_run: str, **more: Any) -> dict[str, Any]:
    return service("UpdateMapRun", FlowName="fan", ExecutionName="e", MapRunName=map_run, **more)


def counts(service: Service, map_run: str) -> dict[str, int]:
    """The counts that are not 0."""
    return {name: number for name, number in describe(service, map_run)["ItemCounts"].items() if number}


def children(service: Service, map_run: str, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service("ListExecutions", FlowName="fan", MapRunName=map_run, **filters)["Executions"]
    return found


def advance(service: Service, seconds: float) -> None:
    service.emulator.time.advance_to(service.emulator.clock.now() + seconds)


def status(service: Service) -> str:
    found: str = service("DescribeExecution", FlowName="fan", ExecutionName="e")["Status"]
    return found


def test_a_map_run_is_described_while_it_runs_and_after(service: Service) -> None:
    map_run = start(service, *[False] * 5)
    running = describe(service, map_run)
    del running["RequestId"]
    assert running == {
        "ExecutionName": "e", "MapRunName": map_run, "Status": "Running",
        "StartedTime": "2024-06-01T00:00:00.000Z", "StoppedTime": "1970-01-01T00:00:00Z",
        "Concurrency": 2, "ToleratedFailedCount": 0, "ToleratedFailedPercentage": 0,
        "ItemCounts": {"Pending": 3, "Running": 2, "Succeed": 0, "Failed": 0, "Aborted": 0, "Total": 5},
    }  # fmt: skip
    advance(service, 20)
    assert counts(service, map_run) == {"Pending": 1, "Running": 2, "Succeed": 2, "Total": 5}
    advance(service, 40)
    assert status(service) == "Succeeded"
    ended = describe(service, map_run)
    assert (ended["Status"], ended["StoppedTime"]) == ("Succeeded", "2024-06-01T00:01:00.000Z")
    assert counts(service, map_run) == {"Succeed": 5, "Total": 5}


def test_its_children_are_executions_that_only_its_name_lists(service: Service) -> None:
    map_run = start(service, False, True, False)
    assert [each["Name"] for each in service("ListExecutions", FlowName="fan")["Executions"]] == ["e"]
    assert len(children(service, map_run)) == 2
    assert service("ListExecutions", FlowName="fan", ExecutionNamePrefix=map_run)["Executions"] == []
    assert len(children(service, map_run, ExecutionNamePrefix=map_run)) == 2
    child = children(service, map_run)[0]
    described = service("DescribeExecution", FlowName="fan", ExecutionName=child["Name"])
    assert described["Status"] == "Running"
    assert json.loads(described["Input"])["n"] == 1
    events = service("GetExecutionHistory", FlowName="fan", ExecutionName=child["Name"])["Events"]
    assert [each["StepName"] for each in events if each["Type"] == "StepEntered"] == ["Work"]
    advance(service, 20)
    found = children(service, map_run)
    assert sorted(each["Status"] for each in found) == ["Failed", "Stopped", "Succeeded"]
    assert [each["Name"] for each in children(service, map_run, Status="Failed")] == [child["Name"]]
    assert children(service, "nobody") == []


def test_children_that_a_failed_one_ends_have_begun() -> None:
    task = "- {{Type: Task, Name: Work, Action: x:Y, End: true}}"
    definition = INSIDE[: INSIDE.index("        - {Type: Wait")] + f"        {task.format()}\n    End: true\n"
    tasks = {"Work": [{"when": {"input": {"n": 0}}, "fails": {"code": "Broken"}}, {"waits": True}]}
    service = make_service({"flows": [{"name": "fan", "definition": definition, "tasks": tasks}]})
    map_run = start(service, False, False, False)
    assert (describe(service, map_run)["Status"], status(service)) == ("Failed", "Failed")
    assert counts(service, map_run) == {"Failed": 1, "Aborted": 2, "Total": 3}
    histories = {
        each["Status"]: service("GetExecutionHistory", FlowName="fan", ExecutionName=each["Name"])["Events"]
        for each in children(service, map_run)
    }
    assert [event["Type"] for event in histories["Stopped"]][-3:] == [
        "TaskScheduled",
        "TaskStarted",
        "ExecutionStopped",
    ]
    assert [event["EventId"] for event in histories["Stopped"]] == [1, 2, 3, 4, 5, 6]
    assert histories["Failed"][-1]["Type"] == "ExecutionFailed"


def test_one_failed_child_fails_the_map_run_unless_it_is_tolerated(service: Service) -> None:
    map_run = start(service, True, False, False, False)
    advance(service, 20)
    assert status(service) == "Failed"
    assert describe(service, map_run)["Status"] == "Failed"


def test_a_changed_tolerance_counts_while_it_runs(service: Service) -> None:
    map_run = start(service, True, False, False, False)
    updated = update(service, map_run, ToleratedFailedPercentage=25)
    assert (updated["ToleratedFailedPercentage"], updated["ToleratedFailedCount"], updated["Concurrency"]) == (25, 0, 2)
    assert updated["FlowName"] == "fan"
    advance(service, 20)
    assert status(service) == "Running"
    assert describe(service, map_run)["ItemCounts"]["Failed"] == 1
    update(service, map_run, ToleratedFailedPercentage=0)
    assert status(service) == "Failed"


def test_a_changed_concurrency_starts_more_at_once(service: Service) -> None:
    map_run = start(service, *[False] * 10)
    assert update(service, map_run, Concurrency=7)["Concurrency"] == 7
    assert counts(service, map_run) == {"Pending": 3, "Running": 7, "Total": 10}
    advance(service, 40)
    assert status(service) == "Succeeded"


def test_stopping_the_execution_aborts_its_map_run(service: Service) -> None:
    map_run = start(service, False, False, False)
    service("StopExecution", FlowName="fan", ExecutionName="e")
    assert describe(service, map_run)["Status"] == "Aborted"
    assert counts(service, map_run) == {"Aborted": 3, "Total": 3}
    assert {each["Status"] for each in children(service, map_run)} == {"Stopped"}


def test_a_map_run_that_has_ended_is_not_changed(service: Service) -> None:
    map_run = start(service, False)
    advance(service, 20)
    refusal = service.refusal("UpdateMapRun", FlowName="fan", ExecutionName="e", MapRunName=map_run, Concurrency=3)
    assert refusal.code == "InvalidArgument"
    assert "MapRunName" in str(refusal.message)


@pytest.mark.parametrize("operation", ["DescribeMapRun", "UpdateMapRun"])
@pytest.mark.parametrize("ended", [False, True])
def test_what_is_not_there_is_refused(service: Service, operation: str, ended: bool) -> None:
    map_run = start(service, False)
    if ended:
        advance(service, 20)
    for flow, execution, name, code in (
        ("nobody", "e", map_run, "FlowNotExists"),
        ("fan", "nobody", map_run, "ExecutionNotExists"),
        ("fan", "e", "nobody", "InvalidArgument"),
    ):
        refusal = service.refusal(operation, FlowName=flow, ExecutionName=execution, MapRunName=name)
        assert refusal.code == code


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("Concurrency", 0), ("Concurrency", 301), ("ToleratedFailedCount", -1), ("ToleratedFailedPercentage", 100.5),
     ("ToleratedFailedPercentage", -1), ("ToleratedFailedPercentage", "x")],
)  # fmt: skip
def test_a_change_outside_its_range_is_refused(service: Service, parameter: str, value: Any) -> None:
    map_run = start(service, False)
    given = {"FlowName": "fan", "ExecutionName": "e", "MapRunName": map_run, parameter: value}
    refusal = service.refusal("UpdateMapRun", **given)
    assert refusal.code == "InvalidArgument"
    assert parameter in str(refusal.message)


def test_an_outcome_of_the_flow_is_not_meant_for_children() -> None:
    outcome = {"when": {"input": {"n": 0}}, "status": "Failed"}
    service = make_service({"flows": [{"name": "fan", "definition": INSIDE, "outcomes": [outcome]}]})
    start(service, False)
    advance(service, 20)
    assert status(service) == "Succeeded"


def test_deleting_the_flow_ends_children_too() -> None:
    service = make_service({"flows": [{"name": "fan", "definition": INSIDE}]})
    start(service, False, False, False)
    service("DeleteFlow", Name="fan")
    world = next(iter(service.emulator.worlds))
    assert world.live == {}
    advance(service, 1000)
    service("CreateFlow", Name="fan", Definition=INSIDE, Description="", Type="FDL")
    assert service("ListExecutions", FlowName="fan")["Executions"] == []


def test_children_are_executions_after_a_reset_too(service: Service) -> None:
    start(service, False)
    service.emulator.reset()
    assert len(children(service, start(service, False, False))) == 2
