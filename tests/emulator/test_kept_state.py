"""State that outlives the process: whatever was committed is there after a death, and what went on goes on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cfmock.base.errors import SettingsError
from cfmock.cli.file_watch import reload
from cfmock.emulator.kept_state import HITS
from cfmock.fixtures.loader import load
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.service import tables
from cfmock.service.flows import delete_flow
from cfmock.service.store.statements import PUT_ROW
from cfmock.service.world import FLOWS as ALL_FLOWS
from tests.support.calls import PASS, echo_flow, task_flow
from tests.support.kept import KeptService
from tests.support.restarts import Calls

CALLBACK = """\
Type: StateMachine
SpecVersion: v1
Name: call
StartAt: A
States:
  - {Type: Wait, Name: A, Seconds: 10, Next: B}
  - {Type: Task, Name: B, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback, Next: C}
  - {Type: Pass, Name: C, OutputConstructor: {id.$: uuid()}, End: true}
"""
FLOWS = {"flows": [{"name": "call", "definition": CALLBACK}]}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., KeptService]]:
    yield lambda *fixtures, **settings: KeptService(tmp_path / "state.db", *fixtures, **settings)
    KeptService.close_all()


Make = Callable[..., KeptService]


def described(service: KeptService, flow: str, name: str) -> dict[str, Any]:
    found = service("DescribeExecution", FlowName=flow, ExecutionName=name)
    del found["RequestId"]
    return found


def test_a_world_made_after_a_reload_remembers_what_its_files_said(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "call.yaml"
    file.write_text(CALLBACK)
    service = make(str(file))
    reload(SimpleNamespace(server=service, fixtures=load([file]), control=service.control), [str(file)], {})
    delete_flow(service.emulator.worlds.of(DEFAULT_ACCOUNT, "cn-beijing"), name="call")
    service.commit()
    assert (
        service.restarted().emulator.worlds.of(DEFAULT_ACCOUNT, "cn-beijing").stores.flows.get(ALL_FLOWS, "call")
        is None
    )


def test_what_calls_defined_counts_after_a_restart_too(make: Make) -> None:
    fixture = {"flows": [{"name": "given", "definition": PASS}]}
    service = make(fixture)
    service("CreateFlow", Name="f", Definition=PASS, Description="d" * 5_000, Type="FDL")
    service("CreateFlowAlias", FlowName="f", Name="live", RoutingConfigurations=publish(service, "f"))
    service("CreateSchedule", FlowName="given", ScheduleName="s", CronExpression="@every 1m", Payload='{"a": 1}')
    publish(service, "given")
    counted = service.emulator.memory.definitions.bytes
    assert counted > 6_000
    service = service.restarted(fixture)
    assert service.emulator.memory.definitions.bytes == counted
    service("DeleteFlow", Name="f")
    service("DeleteFlow", Name="given")
    assert service.emulator.memory.definitions.bytes == 0


def publish(service: KeptService, flow: str) -> str:
    version = service("PublishFlowVersion", FlowName=flow)["Version"]
    return json.dumps([{"Version": version, "Weight": 100}])


# -- rows --------------------------------------------------------------------------------------------------------------


def test_flows_versions_aliases_and_schedules_are_there(make: Make) -> None:
    service = make()
    service("CreateFlow", Name="f", Definition=PASS, Description="d", Type="FDL", RoleArn="acs:ram::1:role/r")
    service("PublishFlowVersion", FlowName="f", Description="first")
    service("CreateFlowAlias", FlowName="f", Name="live", RoutingConfigurations='[{"Version": "1", "Weight": 100}]')
    service("CreateSchedule", FlowName="f", ScheduleName="s", CronExpression="@every 1m", Payload='{"a": 1}')
    asked: list[tuple[str, dict[str, Any]]] = [
        ("DescribeFlow", {"Name": "f"}),
        ("ListFlowVersions", {"FlowName": "f"}),
        ("DescribeFlowAlias", {"FlowName": "f", "Name": "live"}),
        ("DescribeSchedule", {"FlowName": "f", "ScheduleName": "s"}),
    ]
    before = [service(operation, **given) | {"RequestId": ""} for operation, given in asked]
    service = service.restarted()
    assert [service(operation, **given) | {"RequestId": ""} for operation, given in asked] == before
    service("PublishFlowVersion", FlowName="f")
    assert [each["Version"] for each in service("ListFlowVersions", FlowName="f")["FlowVersions"]] == ["2", "1"]


def test_what_was_deleted_stays_deleted(make: Make) -> None:
    service = make()
    for name in ("a", "b"):
        service("CreateFlow", Name=name, Definition=PASS, Description="", Type="FDL")
        service("StartExecution", FlowName=name, ExecutionName="e")
    service("DeleteFlow", Name="a")
    service = service.restarted()
    assert [each["Name"] for each in service("ListFlows")["Flows"]] == ["b"]
    service("CreateFlow", Name="a", Definition=PASS, Description="", Type="FDL")
    assert service("ListExecutions", FlowName="a")["Executions"] == []


@pytest.mark.parametrize("how", ["deleted", "reset"])
def test_nothing_is_written_of_what_ran_once_its_flow_is_gone(make: Make, how: str) -> None:
    service = make(FLOWS)
    service("StartExecution", FlowName="call", ExecutionName="e")
    if how == "deleted":
        service("DeleteFlow", Name="call")
    else:
        service.control.reset(scope=(None, "cn-hangzhou"))
    service.advance(20)
    assert service.kept.file.count("/cn-hangzhou", "recordings") == 0


def test_an_execution_that_has_ended_is_as_it_was(make: Make) -> None:
    service = make(FLOWS, echo_flow({"when": {"execution": "c*"}, "output": {"a": "\u4e2d"}}))
    service("StartExecution", FlowName="echo", ExecutionName="e", Input='{"k": "\u4e2d\\ud800"}')
    service("StartExecution", FlowName="echo", ExecutionName="c")
    before = [(described(service, "echo", name), service.history("echo", name)) for name in "ec"]
    for _ in range(2):
        service = service.restarted()
        assert [(described(service, "echo", name), service.history("echo", name)) for name in "ec"] == before
    assert service.refusal("StartExecution", FlowName="echo", ExecutionName="e").code == "ExecutionAlreadyExists"


def test_executions_run_what_their_flow_was_at_the_start(make: Make) -> None:
    service = make(FLOWS)
    service("StartExecution", FlowName="call", ExecutionName="e")
    service("UpdateFlow", Name="call", Definition=PASS.replace("echo", "call"))
    service = service.restarted()
    assert described(service, "call", "e")["FlowDefinition"] == CALLBACK
    service.advance(10)
    assert [task["state"] for task in service.control.list_tasks()] == ["B"]


def test_worlds_keep_apart(make: Make) -> None:
    keys = {"credentials": [{"access_key_id": "one", "access_key_secret": "1", "account": "100"}]}
    service = make(keys)
    service("CreateFlow", Name="f", Definition=PASS, Description="", Type="FDL", RegionId="cn-beijing")
    service = service.restarted()
    assert service("ListFlows")["Flows"] == []
    assert [each["Name"] for each in service("ListFlows", RegionId="cn-beijing")["Flows"]] == ["f"]


# -- what goes on ------------------------------------------------------------------------------------------------------


def test_a_running_execution_goes_on_with_its_wait_its_token_and_its_chance(make: Make, tmp_path: Path) -> None:
    def played(service: KeptService, restart: Callable[[KeptService], KeptService]) -> list[Any]:
        service("StartExecution", FlowName="call", ExecutionName="e")
        service = restart(service)
        service.advance(4)
        service = restart(service)
        service.advance(6)
        (task,) = service.control.list_tasks()
        service = restart(service)
        service("ReportTaskSucceeded", TaskToken=task["token"], Output='{"x": 1}')
        service = restart(service)
        return [described(service, "call", "e"), service.history("call", "e")]

    once = played(make(FLOWS), lambda service: service)
    (tmp_path / "state.db").unlink()
    for left in tmp_path.glob("state.db-*"):
        left.unlink()
    assert played(make(FLOWS), KeptService.restarted) == once
    assert once[0]["Status"] == "Succeeded"


def test_canned_ends_come_when_they_would_have(make: Make) -> None:
    service = make(echo_flow({"when": {"execution": "late"}, "after": "10s"}, {"after": {"polls": 3}}))
    service("StartExecution", FlowName="echo", ExecutionName="late")
    service("StartExecution", FlowName="echo", ExecutionName="polled")
    assert described(service, "echo", "polled")["Status"] == "Running"
    service.advance(4)
    service = service.restarted()
    assert described(service, "echo", "polled")["Status"] == "Running"
    assert described(service, "echo", "polled")["Status"] == "Succeeded"
    service.advance(5)
    assert described(service, "echo", "late")["Status"] == "Running"
    service.advance(1)
    assert described(service, "echo", "late")["Status"] == "Succeeded"


def test_tries_count_on(make: Make) -> None:
    mocks = {"A": [{"fails": {"code": "X"}, "times": 2}, {"returns": {"ok": True}}]}
    fixture = task_flow("A", tasks=mocks)
    fixture["flows"][0]["definition"]["States"][0]["Retry"] = [
        {"Errors": ["X"], "IntervalSeconds": 10, "MaxAttempts": 3, "BackoffRate": 1}
    ]
    service = make(fixture)
    service("StartExecution", FlowName="order", ExecutionName="e")
    for _ in range(2):
        service = service.restarted()
        assert described(service, "order", "e")["Status"] == "Running"
        service.advance(10)
    assert described(service, "order", "e")["Status"] == "Succeeded"


def test_nested_executions_find_their_parents(make: Make) -> None:
    parent = {
        "Type": "StateMachine", "SpecVersion": "v1", "Name": "parent", "StartAt": "A",
        "States": [
            {
                "Type": "Task", "Name": "A", "Action": "FNF:StartExecution", "TaskMode": "WaitForSystemCallback",
                "Parameters": {"resourceArn": "acs:fnf:::flow/call", "executionName": "child"}, "End": True,
            }
        ],
    }  # fmt: skip
    service = make(FLOWS, {"flows": [{"name": "parent", "definition": parent}]})
    service("StartExecution", FlowName="parent", ExecutionName="p")
    service = service.restarted()
    linked(service, "Running")
    service.advance(10)
    service = service.restarted()
    (task,) = service.control.list_tasks()
    service("ReportTaskFailed", TaskToken=task["token"], Error="Refused", Cause="no")
    assert described(service, "call", "child")["Status"] == "Failed"
    assert described(service, "parent", "p")["Status"] == "Failed"
    service = service.restarted()
    assert described(service, "parent", "p")["Status"] == "Failed"
    linked(service, "Failed")


def linked(service: KeptService, status: str) -> None:
    """Check that the parent and its child name each other."""
    (task,) = service.control.show_execution("parent", "p")["tasks"]
    assert task["started"] == [{"flow": "call", "name": "child", "status": status}]
    assert service.control.show_execution("call", "child")["parent"] == {"flow": "parent", "name": "p", "state": "A"}


def test_map_runs_go_on_and_are_there_afterwards(make: Make) -> None:
    flow = {
        "Type": "StateMachine", "SpecVersion": "v1", "Name": "m", "StartAt": "M",
        "States": [
            {
                "Type": "Map", "Name": "M", "ItemsPath": "$Input.l", "MaxConcurrency": 2, "End": True,
                "ProcessorConfig": {"ExecutionMode": "Standard"},
                "Processor": {"StartAt": "W", "States": [{"Type": "Wait", "Name": "W", "Seconds": 5, "End": True}]},
            }
        ],
    }  # fmt: skip
    service = make({"flows": [{"name": "m", "definition": flow}]})
    service("StartExecution", FlowName="m", ExecutionName="e", Input='{"l": [1, 2, 3, 4, 5]}')
    service.advance(6)
    service = service.restarted()
    started = next(each for each in service.history("m", "e") if each[2] == "MapRunStarted")
    name = started[5]["output"]["MapRunName"]
    asked = {"FlowName": "m", "ExecutionName": "e", "MapRunName": name}
    assert service("DescribeMapRun", **asked)["ItemCounts"]["Succeed"] == 2
    service("UpdateMapRun", **asked, Concurrency=1)
    service = service.restarted()
    assert service("DescribeMapRun", **asked)["Concurrency"] == 1
    service.advance(20)
    service = service.restarted()
    assert described(service, "m", "e")["Status"] == "Succeeded"
    counts = service("DescribeMapRun", **asked)["ItemCounts"]
    assert (counts["Succeed"], counts["Total"]) == (5, 5)
    child = service.control.show_execution("m", f"{name}-4")
    assert child["parent"] == {"flow": "m", "name": "e", "state": "M"}


def test_a_function_that_was_under_way_is_called_again(make: Make) -> None:
    calls = Calls()
    service = make(task_flow("A", tasks={"A": [{"http": "http://127.0.0.1:9/"}]}), functions=calls)
    service("StartExecution", FlowName="order", ExecutionName="e")
    service = service.restarted()
    assert len(calls.replies) == 2
    calls.replies[1]({"r": 1})
    service.commit()
    assert described(service.restarted(), "order", "e")["Status"] == "Succeeded"


def test_a_task_of_a_python_function_waits_until_there_is_one(make: Make) -> None:
    calls = Calls()
    service = make(task_flow("A"), functions=calls)
    service.control.add_mock("order", "A", _calling())
    service("StartExecution", FlowName="order", ExecutionName="e")
    service = service.restarted()
    assert described(service, "order", "e")["Status"] == "Running"
    assert any("waits for `calls`" in each for each in service.control.list_warnings())
    service.control.add_mock("order", "A", _calling())
    calls.replies[-1]({"r": 1})
    assert described(service, "order", "e")["Status"] == "Succeeded"


def _calling() -> Any:
    from cfmock.engine.task_calls import TaskMock

    return TaskMock(calls=lambda event: event)


def test_a_schedule_goes_on_from_its_next_run(make: Make) -> None:
    service = make(echo_flow())
    service("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="@every 1m")
    service.advance(50)
    service = service.restarted()
    service.advance(10)
    assert len(service("ListExecutions", FlowName="echo")["Executions"]) == 1
    service.advance(60)
    assert len(service.restarted()("ListExecutions", FlowName="echo")["Executions"]) == 2


def test_a_schedule_runs_once_for_the_time_the_server_was_down(make: Make) -> None:
    service = make(echo_flow(), clock="real", now=None)
    service("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="@every 1m")
    ((key, text),) = service.kept.file.rows("/cn-hangzhou", "schedule")
    row = json.loads(text)
    row[-1] -= 660
    service.kept.file.write([(PUT_ROW, "/cn-hangzhou", "schedule", key, json.dumps(row))])
    service = service.restarted()
    assert len(service("ListExecutions", FlowName="echo")["Executions"]) == 1
    (found,) = service.emulator.worlds.default().stores.schedules.rows(key.partition("/")[0])
    assert found.left_out == 10
    assert any("skipped 10 runs" in each for each in service.control.list_warnings())


def test_waits_go_by_the_time_of_day_over_a_restart(make: Make) -> None:
    service = make(FLOWS, clock="real", now=None)
    service("StartExecution", FlowName="call", ExecutionName="e")
    service.kept.file.write(
        [("UPDATE recordings SET entry = replace(entry, ?, ?)", entry, later) for entry, later in _hours_ago(service)]
    )
    service = service.restarted()
    assert [task["state"] for task in service.control.list_tasks()] == ["B"], "the wait was over while nothing ran"


def _hours_ago(service: KeptService) -> Iterator[tuple[str, str]]:
    """The moments of a recording, and the same two hours before."""
    for text in service.kept.file.recording("/cn-hangzhou", 1):
        entry = json.loads(text)
        if entry[0] in ("begun", "turn"):
            yield json.dumps(entry[1]), json.dumps(entry[1] - 7200)


# -- what was added ----------------------------------------------------------------------------------------------------


def test_what_was_added_keeps_its_counts(make: Make) -> None:
    service = make(echo_flow())
    fault = {"when": {"operation": "ListFlows"}, "error": "ResourceThrottled", "times": 3}
    added = service.control.add_fault(fault)
    service.control.add_outcome({"flow": "echo", "status": "Failed", "error": {"code": "X"}, "times": 2})
    service("StartExecution", FlowName="echo", ExecutionName="e1")
    assert service.refusal("ListFlows").code == "ResourceThrottled"
    service = service.restarted()
    assert service.control.list_faults() == [added | {"hits": 1}]
    assert [service.refusal("ListFlows").code for _ in range(2)] == ["ResourceThrottled"] * 2
    service("ListFlows")
    service("StartExecution", FlowName="echo", ExecutionName="e2")
    service("StartExecution", FlowName="echo", ExecutionName="e3")
    assert [described(service, "echo", name)["Status"] for name in ("e1", "e2", "e3")] == [
        "Failed", "Failed", "Succeeded",
    ]  # fmt: skip
    service.control.remove_fault(added["id"])
    service.commit()
    service = service.restarted()
    assert service.control.list_faults() == []
    assert service.control.add_fault(fault)["id"] != ""


def test_the_counts_of_faults_that_are_gone_are_kept_no_longer(make: Make) -> None:
    service = make(echo_flow())

    def counted() -> int:
        return sum(len(list(service.kept.file.rows(world.key, HITS))) for world in service.emulator.worlds)

    for number in range(4):
        added = service.control.add_fault({"delay": 0, "name": f"n{number}"})
        service("ListFlows")
        service.control.remove_fault(added["id"])
    assert counted() == 1
    service.control.add_fault({"delay": 0, "name": "last"})
    service("ListFlows")
    service = service.restarted()
    assert counted() == 1
    service.control.clear_faults()
    service.control.add_fault({"delay": 0, "name": "other"})
    service("ListFlows")
    assert (counted(), len(service.kept._hits[service.emulator.worlds.default().key])) == (1, 1)


def test_mocks_that_were_added_are_there(make: Make) -> None:
    service = make(task_flow("A"))
    service.control.add_mocks({"flow": "order", "task": "A", "mocks": [{"fails": {"code": "No"}}]})
    service.commit()
    service = service.restarted()
    service("StartExecution", FlowName="order", ExecutionName="e")
    assert described(service, "order", "e")["Status"] == "Failed"


def test_fixtures_that_were_added_are_there(make: Make) -> None:
    service = make()
    service.control.load({"cfmock": 1, **echo_flow({"status": "Failed"})})
    service.commit()
    service = service.restarted()
    service("StartExecution", FlowName="echo", ExecutionName="e")
    assert described(service, "echo", "e")["Status"] == "Failed"


THROTTLED = {"when": {"operation": "ListFlows"}, "error": "ResourceThrottled"}


@pytest.mark.parametrize("given", [None, "cn-beijing"])
@pytest.mark.parametrize("how", ["remove", "clear", "reset"])
def test_what_is_gone_from_one_world_stays_gone_there_and_only_there(make: Make, how: str, given: str | None) -> None:
    def start(service: KeptService, name: str) -> str:
        service("StartExecution", FlowName="echo", ExecutionName=name, RegionId="cn-beijing")
        found = service("DescribeExecution", FlowName="echo", ExecutionName=name, RegionId="cn-beijing")
        return str(found["Status"])

    service = make(echo_flow())
    fault = service.control.add_fault(THROTTLED, scope=(None, given))
    service.control.add_outcome({"flow": "echo", "status": "Failed", "error": {"code": "X"}}, scope=(None, given))
    assert service.refusal("ListFlows", RegionId="cn-beijing").code == "ResourceThrottled"
    if how == "remove":
        service.control.remove_fault(fault["id"], scope=(None, "cn-beijing"))
    elif how == "clear":
        service.control.clear_faults(scope=(None, "cn-beijing"))
    else:
        service.control.reset(scope=(None, "cn-beijing"))
    service.commit()
    for name in ("before", "after", "later"):
        service("ListFlows", RegionId="cn-beijing")
        if given is None:
            assert service.refusal("ListFlows").code == "ResourceThrottled"
        assert start(service, name) == ("Succeeded" if how == "reset" else "Failed")
        service = service.restarted()
    service.control.add_fault(THROTTLED, scope=(None, "cn-beijing"))
    service.commit()
    assert service.restarted().refusal("ListFlows", RegionId="cn-beijing").code == "ResourceThrottled"


# -- fixtures beside state ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["remove", "clear"])
def test_faults_of_files_that_were_taken_out_stay_gone_until_they_change(make: Make, how: str) -> None:
    file = {**echo_flow(), "faults": [THROTTLED]}
    denied = {"when": {"operation": "DescribeFlow"}, "error": "AccessDenied"}
    service = make(file)
    service.control.load({"cfmock": 1, "faults": [denied]})
    for fault in service.control.list_faults():
        if how == "remove":
            service.control.remove_fault(fault["id"])
    if how == "clear":
        service.control.clear_faults()
    service.commit()
    for _ in range(2):
        assert service("ListFlows")["Flows"]
        assert service("DescribeFlow", Name="echo", RegionId="cn-beijing")["Name"]
        service = service.restarted()
    service.control.load({"cfmock": 1, "faults": [denied]})
    service.commit()
    service = service.restarted({**file, "faults": [THROTTLED | {"error": "AccessDenied"}]})
    assert service.refusal("ListFlows").code == "AccessDenied"
    assert service.refusal("DescribeFlow", Name="echo").code == "AccessDenied"


def test_files_define_flows_as_they_say_now_and_what_was_changed_stays_until_they_change(make: Make) -> None:
    service = make(echo_flow(description="one"))
    service("UpdateFlow", Name="echo", Description="changed")
    service = service.restarted(echo_flow(description="one"))
    assert service("DescribeFlow", Name="echo")["Description"] == "changed"
    service = service.restarted(echo_flow(description="two"))
    assert service("DescribeFlow", Name="echo")["Description"] == "two"


def test_a_flow_that_was_deleted_stays_so_until_its_file_changes(make: Make) -> None:
    service = make(echo_flow(description="one"))
    service("DeleteFlow", Name="echo")
    service = service.restarted()
    assert service("ListFlows")["Flows"] == []
    assert len(service.restarted(echo_flow(description="two"))("ListFlows")["Flows"]) == 1


def test_executions_in_files_are_made_the_first_time_only(make: Make) -> None:
    fixture = echo_flow(executions=[{"name": "old", "status": "Succeeded"}])
    service = make(fixture, keep_executions=1)
    service = service.restarted()
    assert len(service("ListExecutions", FlowName="echo")["Executions"]) == 1
    service("StartExecution", FlowName="echo", ExecutionName="e1")
    service("StartExecution", FlowName="echo", ExecutionName="e2")
    names = [each["Name"] for each in service.restarted()("ListExecutions", FlowName="echo")["Executions"]]
    assert names == ["e2", "old"], "what a file wrote is never dropped, also after a restart"


def test_mocks_and_outcomes_of_files_are_as_the_files_say_now(make: Make) -> None:
    service = make(task_flow("A", tasks={"A": [{"fails": {"code": "One"}}]}))
    service = service.restarted(task_flow("A", tasks={"A": [{"fails": {"code": "Two"}}]}))
    service("StartExecution", FlowName="order", ExecutionName="e")
    assert service.history("order", "e")[-1][5]["error"] == "Two"


# -- clock, chance, bounds, reset ---------------------------------------------------------------------------------------


def test_the_virtual_clock_and_chance_go_on(make: Make, tmp_path: Path) -> None:
    def played(path: Path, restart: Callable[[KeptService], KeptService]) -> list[Any]:
        service = KeptService(path, echo_flow())
        service.advance(3)
        first = service("StartExecution", FlowName="echo")["Name"]
        service = restart(service)
        return [service.now, first, service("StartExecution", FlowName="echo")["Name"]]

    once = played(tmp_path / "one.db", lambda service: service)
    assert played(tmp_path / "two.db", KeptService.restarted) == once
    assert once[0] == 3


def test_request_ids_do_not_come_again(make: Make) -> None:
    service = make()
    before = {service("ListFlows")["RequestId"] for _ in range(5)}
    service = service.restarted()
    assert not before & {service("ListFlows")["RequestId"] for _ in range(5)}


def test_the_bounds_hold_on_disk_too(make: Make) -> None:
    service = make(echo_flow(), keep_executions=3)
    for number in range(10):
        service("StartExecution", FlowName="echo", ExecutionName=f"e{number}")
    assert service.kept.file.count("/cn-hangzhou", "executions") <= 3
    assert service.kept.file.count("/cn-hangzhou", "recordings") == 0
    names = [each["Name"] for each in service.restarted()("ListExecutions", FlowName="echo")["Executions"]]
    assert names == ["e9", "e8", "e7"]


def test_what_is_dropped_after_a_restart_takes_its_map_runs_with_it(make: Make) -> None:
    do = {"Type": "Pass", "Name": "Do", "End": True}
    processor = {"ProcessorConfig": {"Mode": "Distributed"}, "StartAt": "Do", "States": [do]}
    state = {"Type": "Map", "Name": "Each", "ItemsPath": "$Input.items", "Processor": processor, "End": True}
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "fan", "StartAt": "Each", "States": [state]}
    service = make({"flows": [{"name": "fan", "definition": definition}]})
    for number in range(4):
        service("StartExecution", FlowName="fan", ExecutionName=f"e{number}", Input='{"items": []}')
    service = service.restarted(keep_executions=2)
    flow = service("DescribeFlow", Name="fan")["Id"]
    stores = service.emulator.worlds.default().stores
    assert (stores.executions.count(flow), stores.map_runs.count(flow)) == (2, 2)


def test_states_of_flows_that_no_execution_has_any_more_go_and_come_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_STATES", 3)
    service = make(keep_executions=2)
    names = [f"f{number}" for number in range(5)]
    for name in names:
        service("CreateFlow", Name=name, Definition=PASS.replace("echo", name), Description="", Type="FDL")
    for round_ in range(3):
        for name in names:
            service("StartExecution", FlowName=name, ExecutionName=f"e{round_}")
            assert service.kept.file.count("/cn-hangzhou", "state") <= 6
    service = service.restarted()
    assert described(service, "f4", "e2")["Status"] == described(service, "f3", "e2")["Status"] == "Succeeded"


def test_the_file_does_not_grow_under_constant_load(make: Make) -> None:
    service = make(echo_flow(), keep_executions=5)

    def pages() -> int:
        for number in range(120):
            service.send("StartExecution", FlowName="echo", ExecutionName=f"e{next(numbers)}")
            if number % 10 == 9:
                service.commit()
        return service.kept.file._number("PRAGMA page_count")

    numbers = itertools.count()
    pages()
    before = pages()
    assert [pages() for _ in range(3)] == [before] * 3


def test_a_reset_empties_the_file(make: Make) -> None:
    service = make(echo_flow())
    service("StartExecution", FlowName="echo", ExecutionName="e")
    service("CreateFlow", Name="f", Definition=PASS, Description="", Type="FDL")
    service.control.add_fault({"when": {"operation": "ListFlows"}, "error": "ResourceThrottled"})
    service.control.reset()
    service.commit()
    service = service.restarted()
    assert [each["Name"] for each in service("ListFlows")["Flows"]] == ["echo"]
    assert service("ListExecutions", FlowName="echo")["Executions"] == []


def test_an_execution_that_this_version_cannot_go_on_with_ends_failed_and_says_so(make: Make) -> None:
    service = make(FLOWS)
    service("StartExecution", FlowName="call", ExecutionName="e")
    service.advance(10)
    service.kept.file.write([("UPDATE recordings SET entry = ? WHERE number = 3", '["draw", 1]')])
    service = service.restarted()
    found = described(service, "call", "e")
    assert found["Status"] == "Failed"
    assert service.history("call", "e")[-1][5]["error"] == "cfmock.NotReplayed"
    assert described(service.restarted(), "call", "e") == found


@pytest.mark.parametrize("reset", [False, True])
def test_a_file_goes_by_one_kind_of_clock(make: Make, reset: bool) -> None:
    service = make()
    if reset:
        service.commit()
        service.control.reset()
    service.commit()
    with pytest.raises(SettingsError, match="virtual clock"):
        service.restarted(clock="real", now=None)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rows SET value = '{' WHERE kind = 'flow'",
        "UPDATE rows SET value = '[1]' WHERE kind = 'flow'",
        "UPDATE rows SET value = replace(value, 'StateMachine', 'StateMachina') WHERE kind = 'flow'",
        "UPDATE executions SET value = 'null'",
        "DELETE FROM rows WHERE kind = 'state'",
    ],
)
def test_a_row_that_cannot_be_read_is_told_with_the_file(make: Make, change: str) -> None:
    service = make(FLOWS)
    service("StartExecution", FlowName="call", ExecutionName="e")
    service.kept.file.write([(change,)])
    with pytest.raises(SettingsError, match=r"state file .*state\.db: a row of '/cn-hangzhou' cannot be read") as told:
        service.restarted()
    assert "\n" not in str(told.value)
