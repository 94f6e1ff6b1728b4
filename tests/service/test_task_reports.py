"""Definitions behind the API: nested flows, callbacks, express flows, virtual time for who waits."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cfmock.engine.task_calls import Returns, TaskMock
from cfmock.protocol.wire.messages import Pending
from tests.support.calls import PASS, Service, answer, make_service


def definition(*states: dict[str, Any]) -> dict[str, Any]:
    """A StateMachine of these states, one after the other."""
    linked = []
    for index, state in enumerate(states):
        end = {"Next": states[index + 1]["Name"]} if index + 1 < len(states) else {"End": True}
        linked.append({**state, **({} if state["Type"] in ("Fail", "Choice", "Succeed") else end)})
    return {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": states[0]["Name"], "States": linked}


def nested(mode: str, **parameters: Any) -> dict[str, Any]:
    return {
        "Type": "Task", "Name": "Child", "Action": "FNF:StartExecution", "TaskMode": mode,
        "Parameters": {"resourceArn": "acs:fnf:::flow/child", "executionName": "c", **parameters},
    }  # fmt: skip


WAIT = {"Type": "Wait", "Name": "Nap", "Seconds": 60}
OUT = {"Type": "Pass", "Name": "Out", "OutputConstructor": {"made.$": "$Input.n"}}
FAIL = {"Type": "Fail", "Name": "No", "Code": "ChildSaysNo", "Detail": "because"}
CALLBACK = {
    "Type": "Task", "Name": "Ask", "Action": "FC:InvokeFunction", "TaskMode": "WaitForCustomCallback",
    "Parameters": {"resourceArn": "acs:fc:::functions/ask"},
}  # fmt: skip


def family(parent: dict[str, Any], *child: dict[str, Any], **more: Any) -> Service:
    """A service with the flows `parent` and `child`."""
    flows = [
        {"name": "parent", "definition": definition(parent)},
        {"name": "child", "definition": definition(*child), **more},
    ]
    return make_service({"flows": flows})


def start(service: Service, flow: str, name: str, **input: Any) -> None:
    service("StartExecution", FlowName=flow, ExecutionName=name, Input=input)


def describe(service: Service, flow: str, name: str, **more: Any) -> dict[str, Any]:
    return service("DescribeExecution", FlowName=flow, ExecutionName=name, **more)


def history(service: Service, flow: str, name: str) -> list[tuple[str, str, Any]]:
    events = service("GetExecutionHistory", FlowName=flow, ExecutionName=name, Limit=999)["Events"]
    return [(event["Type"], event["StepName"], json.loads(event["EventDetail"])) for event in events]


def token_of(service: Service) -> str:
    from cfmock.control.control import Control

    (task,) = Control(service.emulator).list_tasks()
    return str(task["token"])


def test_a_pass_flow_has_the_documented_history() -> None:
    service = make_service({"flows": [{"name": "f", "definition": PASS}]})
    start(service, "f", "e", a=1)
    assert [event[:2] for event in history(service, "f", "e")] == [
        ("ExecutionStarted", ""), ("StepEntered", "Take"), ("StepStarted", "Take"), ("StepSucceeded", "Take"),
        ("StepExited", "Take"), ("ExecutionSucceeded", ""),
    ]  # fmt: skip
    assert describe(service, "f", "e")["Output"] == '{"a":1}'


def test_a_nested_flow_that_is_only_started_goes_its_own_way() -> None:
    service = family(nested("RequestComplete", input={"n": 1}), WAIT, OUT)
    start(service, "parent", "p")
    parent = json.loads(describe(service, "parent", "p")["Output"])
    assert (parent["FlowName"], parent["ExecutionName"]) == ("child", "c")
    assert describe(service, "child", "c")["Status"] == "Running"
    service.emulator.time.advance_to(service.emulator.clock.now() + 60)
    assert json.loads(describe(service, "child", "c")["Output"]) == {"made": 1}


def test_a_nested_flow_that_is_waited_for_gives_its_output() -> None:
    service = family(nested("WaitForSystemCallback", input={"n": 2}), WAIT, OUT)
    start(service, "parent", "p")
    assert describe(service, "parent", "p")["Status"] == "Running"
    ended = describe(service, "parent", "p", WaitTimeSeconds=1)
    assert (ended["Status"], json.loads(ended["Output"])) == ("Succeeded", {"made": 2})
    assert ended["StoppedTime"] == describe(service, "child", "c")["StoppedTime"] == "2024-06-01T00:01:00.000Z"


def test_a_nested_flow_that_fails_fails_its_task() -> None:
    service = family(nested("WaitForSystemCallback"), FAIL)
    start(service, "parent", "p")
    assert describe(service, "parent", "p")["Status"] == "Failed"
    assert history(service, "parent", "p")[-1][2] == {"error": "ChildSaysNo", "cause": "because"}


@pytest.mark.parametrize(
    ("outcome", "status", "output"),
    [
        ({"output": {"made": 9}}, "Succeeded", '{"made":9}'),
        ({"output": {"made": 9}, "after": "5m"}, "Succeeded", '{"made":9}'),
        ({"output": {"made": 9}, "after": {"polls": 3}}, "Succeeded", '{"made":9}'),
        ({"status": "Failed", "error": {"code": "E"}}, "Failed", ""),
    ],
)
def test_a_nested_flow_may_go_by_a_canned_outcome(outcome: dict[str, Any], status: str, output: str) -> None:
    service = family(nested("WaitForSystemCallback"), OUT, outcomes=[outcome])
    start(service, "parent", "p")
    ended = describe(service, "parent", "p", WaitTimeSeconds=5)
    assert (ended["Status"], ended["Output"]) == (status, output)


def test_a_nested_flow_that_is_not_there_fails_its_task() -> None:
    service = make_service({"flows": [{"name": "parent", "definition": definition(nested("RequestComplete"))}]})
    start(service, "parent", "p")
    assert history(service, "parent", "p")[-1][2] == {
        "error": "FNF.FlowNotExists", "cause": "Flow child does not exist.",
    }  # fmt: skip


def test_a_nested_execution_whose_name_is_taken_fails_its_task() -> None:
    service = family(nested("RequestComplete", input={"n": 1}), OUT)
    start(service, "child", "c", n=0)
    start(service, "parent", "p")
    assert history(service, "parent", "p")[-1][2]["error"] == "FNF.ExecutionAlreadyExists"


def test_a_flow_that_starts_itself_ends_by_a_limit_or_a_name() -> None:
    loop = nested("WaitForSystemCallback", resourceArn="acs:fnf:::flow/loop", executionName="p")
    service = make_service({"flows": [{"name": "loop", "definition": definition(loop)}]})
    start(service, "loop", "p")
    service("StopExecution", FlowName="loop", ExecutionName="p")
    assert describe(service, "loop", "p")["Status"] == "Stopped"


def test_a_flow_that_waits_for_itself_without_end_ends_by_the_limit_on_nesting() -> None:
    loop = nested("WaitForSystemCallback", resourceArn="acs:fnf:::flow/loop", executionName="")
    service = make_service({"flows": [{"name": "loop", "definition": definition(loop)}]})
    start(service, "loop", "p")
    assert describe(service, "loop", "p")["Status"] == "Failed"
    assert history(service, "loop", "p")[-1][2]["error"] == "FnF.NestingLimitExceeded"
    assert len(service("ListExecutions", FlowName="loop", Limit=100)["Executions"]) == 51


@pytest.mark.parametrize("depth", [1, 50])
def test_stopping_reaches_every_depth(depth: int) -> None:
    down = {
        **nested("WaitForSystemCallback", resourceArn="acs:fnf:::flow/down"),
        "Parameters": {"resourceArn": "acs:fnf:::flow/down", "input": {"rest.$": "intAdd($Input.rest, -1)"}},
    }
    more = {
        "Type": "Choice",
        "Name": "More",
        "Branches": [{"Condition": "$Input.rest > 0", "Next": "Child"}],
        "Default": "Ask",
    }
    states = definition(more, {**CALLBACK, "Next": "Done"}, down, {"Type": "Succeed", "Name": "Done"})
    service = make_service({"flows": [{"name": "down", "definition": states}]})
    start(service, "down", "top", rest=depth)
    assert len(service("ListExecutions", FlowName="down", Status="Running", Limit=100)["Executions"]) == depth + 1
    service("StopExecution", FlowName="down", ExecutionName="top")
    assert len(service("ListExecutions", FlowName="down", Status="Stopped", Limit=100)["Executions"]) == depth + 1


def test_a_nested_execution_with_a_name_that_cannot_be_fails_its_task() -> None:
    service = family(nested("RequestComplete", executionName="no name"), OUT)
    start(service, "parent", "p")
    assert history(service, "parent", "p")[-1][2] == {
        "error": "FNF.InvalidArgument", "cause": "Parameter error. executionName cannot be 'no name'.",
    }  # fmt: skip


def test_stopping_a_parent_stops_the_child_it_waits_for() -> None:
    service = family(nested("WaitForSystemCallback"), CALLBACK)
    start(service, "parent", "p")
    service("StopExecution", FlowName="parent", ExecutionName="p", Error="Enough")
    assert describe(service, "parent", "p")["Status"] == "Stopped"
    assert describe(service, "child", "c")["Status"] == "Stopped"


def test_stopping_a_parent_stops_a_child_that_goes_by_a_canned_outcome() -> None:
    service = family(nested("WaitForSystemCallback"), OUT, outcomes=[{"status": "Running"}])
    start(service, "parent", "p")
    service("StopExecution", FlowName="parent", ExecutionName="p")
    assert describe(service, "child", "c")["Status"] == "Stopped"


@pytest.mark.parametrize("outcomes", [[], [{"status": "Running"}]])
def test_a_child_that_a_parent_has_joined_is_not_its_to_stop(outcomes: list[dict[str, Any]]) -> None:
    service = family(nested("WaitForSystemCallback"), CALLBACK, outcomes=outcomes)
    start(service, "child", "c")
    start(service, "parent", "p")
    service("StopExecution", FlowName="parent", ExecutionName="p")
    assert describe(service, "child", "c")["Status"] == "Running"


def test_a_parent_that_has_joined_a_child_waits_for_a_report_to_it() -> None:
    service = family(nested("WaitForSystemCallback"), CALLBACK)
    for name in ("p", "q"):
        start(service, "parent", name)
    polls = [
        service.send("DescribeExecution", FlowName="parent", ExecutionName=name, WaitTimeSeconds=30) for name in "pq"
    ]
    assert [isinstance(each, Pending) and each.reply is None for each in polls]
    assert describe(service, "child", "c")["Status"] == "Running"
    service("ReportTaskSucceeded", TaskToken=token_of(service), Output={"approved": True})
    assert [describe(service, "parent", name)["Output"] for name in "pq"] == ['{"approved":true}'] * 2


def test_a_client_that_waits_for_a_parent_moves_the_child_it_has_joined() -> None:
    service = family(nested("WaitForSystemCallback"), WAIT, OUT)
    start(service, "child", "c", n=1)
    start(service, "parent", "p")
    ended = describe(service, "parent", "p", WaitTimeSeconds=30)
    assert (ended["Output"], ended["StoppedTime"]) == ('{"made":1}', "2024-06-01T00:01:00.000Z")
    assert describe(service, "child", "c")["StoppedTime"] == "2024-06-01T00:01:00.000Z"


def test_a_branch_beside_a_joined_child_ends_in_its_own_time() -> None:
    nap = {"Type": "Wait", "Name": "Short", "Seconds": 5, "End": True}
    branches = [
        {"StartAt": "Child", "States": [{**nested("WaitForSystemCallback"), "End": True}]},
        {"StartAt": "Short", "States": [nap]},
    ]
    service = family({"Type": "Parallel", "Name": "Both", "Branches": branches}, WAIT)
    start(service, "child", "c")
    start(service, "parent", "p")
    assert describe(service, "parent", "p", WaitTimeSeconds=30)["StoppedTime"] == "2024-06-01T00:01:00.000Z"
    events = service("GetExecutionHistory", FlowName="parent", ExecutionName="p")["Events"]
    assert [event["Time"] for event in events if event["Type"] == "BranchExited"] == [
        "2024-06-01T00:00:05.000Z", "2024-06-01T00:01:00.000Z",
    ]  # fmt: skip


def test_a_reported_task_goes_on_with_what_was_reported() -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition(CALLBACK)}]})
    start(service, "f", "e")
    token = token_of(service)
    answered = service("ReportTaskSucceeded", TaskToken=token, Output={"approved": True})
    kinds = [event[0] for event in history(service, "f", "e")]
    assert kinds[answered["EventId"] - 1] == "TaskSucceeded"
    assert describe(service, "f", "e")["Output"] == '{"approved":true}'
    failure = service.refusal("ReportTaskSucceeded", TaskToken=token, Output={})
    assert (failure.code, failure.status) == ("TaskAlreadyCompleted", 400)


def test_a_task_reported_as_failed_fails_with_that_error() -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition(CALLBACK)}]})
    start(service, "f", "e")
    service("ReportTaskFailed", TaskToken=token_of(service), Error="Denied", Cause="by the boss")
    assert history(service, "f", "e")[-1] == ("ExecutionFailed", "", {"error": "Denied", "cause": "by the boss"})


@pytest.mark.parametrize("output", ["x", "[]", "1"])
def test_a_report_must_be_a_json_object(output: str) -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition(CALLBACK)}]})
    start(service, "f", "e")
    assert service.refusal("ReportTaskSucceeded", TaskToken=token_of(service), Output=output).code == "InvalidArgument"


def altered(token: str, place: int, value: str) -> str:
    """The token with another value at a place of `v1#flow#execution#event id#seal`."""
    parts = base64.b64decode(token).decode().split("#")
    parts[place] = value
    return base64.b64encode("#".join(parts).encode()).decode()


OTHER_SEAL = base64.b64encode(bytes(20)).decode()


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(("place", "value"), [(4, OTHER_SEAL), (4, ""), (3, "3"), (3, "02"), (3, "999"), (2, "e2")])
def test_a_token_that_no_task_was_given_is_an_invalid_argument(place: int, value: str, ended: bool) -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition(CALLBACK)}]})
    start(service, "f", "e")
    token = token_of(service)
    start(service, "f", "e2")
    if ended:
        service("ReportTaskSucceeded", TaskToken=token, Output={})
        service("StopExecution", FlowName="f", ExecutionName="e2")
    for report in ({"Output": {}}, {"Error": "E"}):
        operation = "ReportTaskSucceeded" if "Output" in report else "ReportTaskFailed"
        failure = service.refusal(operation, TaskToken=altered(token, place, value), **report)
        assert (failure.code, failure.status) == ("InvalidArgument", 400)
        assert "TaskToken" in failure.message
    assert describe(service, "f", "e")["Status"] == ("Succeeded" if ended else "Running")


def test_a_token_of_an_execution_that_is_gone_is_none_of_another_of_its_name() -> None:
    fixture = {"flows": [{"name": "f", "definition": definition(CALLBACK)}]}
    keys = [{"access_key_id": name, "access_key_secret": "s", "account": name} for name in ("one", "two")]
    service = make_service({**fixture, "credentials": keys})
    start(service, "f", "e")
    token = token_of(service)
    other = Service(service.emulator, 1)
    start(other, "f", "e")
    assert other.refusal("ReportTaskSucceeded", TaskToken=token, Output={}).code == "InvalidArgument"
    service("DeleteFlow", Name="f")
    service("CreateFlow", Name="f", Type="FDL", Description="", Definition=json.dumps(definition(CALLBACK)))
    start(service, "f", "e")
    assert service.refusal("ReportTaskSucceeded", TaskToken=token, Output={}).code == "InvalidArgument"
    assert describe(service, "f", "e")["Status"] == "Running"


def test_a_task_that_takes_no_reports_has_a_token_all_the_same() -> None:
    state = {**CALLBACK, "TaskMode": "RequestComplete", "Parameters": {"t.$": "$Context.Current.TaskToken"}}
    service = make_service({"flows": [{"name": "f", "definition": definition(state)}]})
    start(service, "f", "e")
    token = history(service, "f", "e")[3][2]["parameters"]["t"]
    assert service.refusal("ReportTaskSucceeded", TaskToken=token, Output={}).code == "TaskAlreadyCompleted"


def test_the_same_seed_gives_the_same_tokens() -> None:
    def token(seed: int | None) -> str:
        service = make_service({"flows": [{"name": "f", "definition": definition(CALLBACK)}]}, seed=seed)
        start(service, "f", "e")
        found = token_of(service)
        service.emulator.reset()
        start(service, "f", "e")
        assert (token_of(service) == found) is (seed is not None)
        return found

    assert token(3) == token(3)
    assert token(3) != token(4)
    assert token(None) != token(None)


def test_a_token_of_what_is_gone_says_what_is_gone() -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition(CALLBACK)}]})
    start(service, "f", "e")
    token = token_of(service)
    service("DeleteFlow", Name="f")
    assert service.refusal("ReportTaskFailed", TaskToken=token, Error="E").code == "FlowNotExists"
    assert service.refusal("ReportTaskFailed", TaskToken="djEj", Error="E").code == "InvalidArgument"


def test_an_execution_reports_the_task_whose_token_it_was_started_with() -> None:
    service = family(CALLBACK, OUT)
    start(service, "parent", "p")
    token = token_of(service)
    service("StartExecution", FlowName="child", Input={"n": 5}, CallbackFnFTaskToken=token)
    assert describe(service, "parent", "p")["Output"] == '{"made":5}'


def test_a_failed_execution_reports_its_failure() -> None:
    service = family(CALLBACK, FAIL)
    start(service, "parent", "p")
    service("StartExecution", FlowName="child", CallbackFnFTaskToken=token_of(service))
    assert history(service, "parent", "p")[-1][2] == {"error": "ChildSaysNo", "cause": "because"}


def test_a_waiting_client_does_not_let_a_time_out_overtake_a_report() -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition({**CALLBACK, "Timeout": 60})}]})
    start(service, "f", "e")
    pending = service.send("DescribeExecution", FlowName="f", ExecutionName="e", WaitTimeSeconds=30)
    assert isinstance(pending, Pending)
    assert pending.reply is None
    service("ReportTaskSucceeded", TaskToken=token_of(service), Output={"ok": 1})
    assert pending.reply is not None
    assert answer(pending.reply)["Status"] == "Succeeded"


def test_advancing_the_clock_lets_the_time_out_come() -> None:
    service = make_service({"flows": [{"name": "f", "definition": definition({**CALLBACK, "Timeout": 60})}]})
    start(service, "f", "e")
    service.emulator.time.advance_to(service.emulator.clock.now() + 59)
    assert describe(service, "f", "e")["Status"] == "Running"
    service.emulator.time.advance_to(service.emulator.clock.now() + 1)
    assert history(service, "f", "e")[-1][2]["error"] == "FnF.TaskTimeout"


@pytest.mark.parametrize("mode", ["RequestComplete", "WaitForSystemCallback", "WaitForCustomCallback"])
def test_an_express_flow_is_not_started_by_another(mode: str) -> None:
    service = family(nested(mode), OUT, execution_mode="Express")
    start(service, "parent", "p")
    failed = history(service, "parent", "p")[-1]
    assert (failed[0], failed[2]["error"]) == ("ExecutionFailed", "FNF.ActionNotSupported")
    assert service("ListExecutions", FlowName="child")["Executions"] == []


# -- express -----------------------------------------------------------------------------------------------------------


def express(*states: dict[str, Any]) -> Service:
    return make_service({"flows": [{"name": "x", "execution_mode": "Express", "definition": definition(*states)}]})


def test_a_synchronous_start_answers_with_the_end() -> None:
    service = express({**WAIT, "Seconds": 20}, OUT)
    ended = service("StartSyncExecution", FlowName="x", ExecutionName="e", Input={"n": 3})
    assert (ended["Status"], ended["Output"], ended["FlowName"]) == ("Succeeded", '{"made":3}', "x")
    assert (ended["StartedTime"], ended["StoppedTime"]) == ("2024-06-01T00:00:00.000Z", "2024-06-01T00:00:20.000Z")
    assert not {"Input", "FlowDefinition", "ErrorCode", "ErrorMessage"} & ended.keys()
    name, _, unique = ended["Name"].partition(":")
    assert name == "e"
    assert len(unique) == 36
    assert describe(service, "x", ended["Name"])["Status"] == "Succeeded"


def test_names_of_synchronous_starts_may_repeat() -> None:
    service = express(OUT)
    names = {service("StartSyncExecution", FlowName="x", ExecutionName="e", Input={"n": 1})["Name"] for _ in range(3)}
    assert len(names) == 3


def test_a_synchronous_failure_is_told_by_fields_of_a_success() -> None:
    ended = express(FAIL)("StartSyncExecution", FlowName="x")
    assert (ended["Status"], ended["ErrorCode"], ended["ErrorMessage"]) == ("Failed", "ChildSaysNo", "because")


def test_a_standard_flow_is_not_started_synchronously() -> None:
    service = make_service({"flows": [{"name": "f", "definition": PASS}]})
    assert service.refusal("StartSyncExecution", FlowName="f").code == "ActionNotSupported"


def test_a_synchronous_start_takes_canned_outcomes_by_the_name_that_was_asked_for() -> None:
    flow = {
        "name": "x", "execution_mode": "Express", "definition": PASS,
        "outcomes": [{"when": {"execution": "bad"}, "status": "Failed", "error": {"code": "Canned"}, "after": "1s"}],
    }  # fmt: skip
    service = make_service({"flows": [flow]})
    assert service("StartSyncExecution", FlowName="x", ExecutionName="bad")["ErrorCode"] == "Canned"
    assert service("StartSyncExecution", FlowName="x", ExecutionName="good")["Status"] == "Succeeded"


def test_a_synchronous_start_polls_an_outcome_to_its_end() -> None:
    outcome = {"output": {"a": 1}, "after": {"polls": 3}}
    flow = {"name": "x", "execution_mode": "Express", "definition": PASS, "outcomes": [outcome]}
    assert make_service({"flows": [flow]})("StartSyncExecution", FlowName="x")["Output"] == '{"a":1}'


def test_a_client_that_waits_for_a_parent_moves_the_child_that_is_to_report() -> None:
    reporting = {
        "Type": "Task", "Name": "Child", "Action": "FNF:StartExecution", "TaskMode": "WaitForCustomCallback",
        "Parameters": {"resourceArn": "acs:fnf:::flow/child", "executionName": "c"},
    }  # fmt: skip
    service = family(reporting, WAIT, FAIL)
    start(service, "parent", "p")
    pending = service.send("DescribeExecution", FlowName="parent", ExecutionName="p", WaitTimeSeconds=30)
    assert isinstance(pending, Pending)
    assert describe(service, "child", "c")["StoppedTime"] == "2024-06-01T00:01:00.000Z"


def test_the_step_that_runs_when_a_flow_is_deleted_is_its_last() -> None:
    called = []
    wait_then_call = [
        {"Type": "Task", "Name": "First", "Action": "FC:InvokeFunction", "Parameters": {}},
        {"Type": "Task", "Name": "Second", "Action": "FC:InvokeFunction", "Parameters": {}},
    ]
    service = make_service({"flows": [{"name": "f", "definition": definition(*wait_then_call)}]})
    mocks = next(service.emulator.worlds.known()).mocks["f"]
    mocks.add("First", TaskMock(answer=Returns({}, after=60)))
    mocks.add("Second", TaskMock(calls=called.append))
    start(service, "f", "e")
    service("DeleteFlow", Name="f")
    service.emulator.time.advance_to(service.emulator.clock.now() + 3600)
    assert called == []
