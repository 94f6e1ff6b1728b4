"""StartExecution, StopExecution, DescribeExecution, GetExecutionHistory over canned outcomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cfmock.protocol.wire.messages import Pending
from cfmock.service.world import TOLD_TOGETHER
from tests.support.calls import PASS, Service, answer, echo_flow, make_service


def start(service: Service, name: str | None = None, **more: Any) -> dict[str, Any]:
    return service("StartExecution", FlowName="echo", ExecutionName=name, **more)


def describe(service: Service, name: str, **more: Any) -> dict[str, Any]:
    return service("DescribeExecution", FlowName="echo", ExecutionName=name, **more)


def history(service: Service, name: str, **more: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = service("GetExecutionHistory", FlowName="echo", ExecutionName=name, **more)["Events"]
    return events


def test_a_start_answers_running_with_the_definition_and_the_input_as_sent() -> None:
    service = make_service(echo_flow())
    started = start(service, "e", Input='{ "a": 1 }')
    assert {**started, "RequestId": ""} == {
        "RequestId": "", "FlowName": "echo", "Name": "e", "Status": "Running", "FlowDefinition": PASS,
        "Input": '{ "a": 1 }', "Output": "", "StartedTime": "2024-06-01T00:00:00.000Z",
        "StoppedTime": "1970-01-01T00:00:00Z",
    }  # fmt: skip


def test_an_execution_without_a_name_is_given_one() -> None:
    service = make_service(echo_flow())
    first, second = start(service)["Name"], start(service)["Name"]
    assert first != second
    assert describe(service, first)["Status"] == "Succeeded"


def test_the_name_of_a_running_execution_gives_that_execution_back() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    first = start(service, "e", Input='{"a": 1}')
    again = start(service, "e", Input='{"b": 2}')
    assert again["Input"] == '{"a": 1}'
    assert again["StartedTime"] == first["StartedTime"]
    assert len(service("ListExecutions", FlowName="echo")["Executions"]) == 1


def test_the_name_of_an_ended_execution_is_taken() -> None:
    service = make_service(echo_flow())
    start(service, "e")
    refusal = service.refusal("StartExecution", FlowName="echo", ExecutionName="e")
    assert (refusal.code, refusal.status) == ("ExecutionAlreadyExists", 400)
    assert refusal.message == "Execution e for flow echo already exists."


@pytest.mark.parametrize("text", ["{", "[]", "1", '"x"', "null", "nope", '{"a": NaN}', '{"a": 1e400}', "{" * 3000])
def test_an_input_that_is_no_json_object_is_refused(text: str) -> None:
    refusal = make_service(echo_flow()).refusal("StartExecution", FlowName="echo", Input=text)
    assert refusal.code == "InvalidArgument"
    assert "Input" in str(refusal.message)


def test_half_a_surrogate_pair_goes_through_an_execution_as_an_escape() -> None:
    service = make_service({"flows": [{"name": "echo"}]})
    start(service, "e", Input='{"a": "\\ud800é"}')
    assert describe(service, "e")["Output"] == '{"a":"\\ud800é"}'
    assert history(service, "e")[0]["EventDetail"] == '{"input":{"a":"\\ud800é"}}'


def test_an_express_flow_is_not_started_this_way() -> None:
    service = make_service(echo_flow(execution_mode="Express"))
    assert service.refusal("StartExecution", FlowName="echo").code == "ActionNotSupported"


def test_the_first_matching_outcome_decides() -> None:
    service = make_service(
        echo_flow(
            {"when": {"execution": "bad-*"}, "status": "Failed", "error": {"code": "Refused", "detail": "expired"}},
            {"when": {"input": {"kind": "big"}}, "output": {"size": 9}},
            {"output": {"size": 1}},
        )
    )
    start(service, "bad-1")
    start(service, "e", Input='{"kind": "big", "more": true}')
    start(service, "f", Input='{"kind": "small"}')
    assert describe(service, "bad-1")["Status"] == "Failed"
    assert json.loads(describe(service, "e")["Output"]) == {"size": 9}
    assert json.loads(describe(service, "f")["Output"]) == {"size": 1}
    last = history(service, "bad-1")[-1]
    assert last["Type"] == "ExecutionFailed"
    assert json.loads(last["EventDetail"]) == {"error": "Refused", "cause": "expired"}


def test_an_outcome_no_longer_matches_once_its_times_are_spent() -> None:
    service = make_service(echo_flow({"status": "TimedOut", "times": 2}, {"status": "Succeeded"}))
    for name in "abc":
        start(service, name)
    assert [describe(service, name)["Status"] for name in "abc"] == ["TimedOut", "TimedOut", "Succeeded"]


def test_an_output_may_be_built_from_the_input_and_the_context() -> None:
    output = {"total.$": "$Input.amount", "who.$": "$Context.Execution.Name", "fixed": "$Input.amount"}
    service = make_service(echo_flow({"output": output}))
    start(service, "e", Input='{"amount": 3}')
    assert json.loads(describe(service, "e")["Output"]) == {"total": 3, "who": "e", "fixed": "$Input.amount"}


def test_the_context_of_an_outcome_is_that_of_a_definition() -> None:
    context = {
        "Execution": {"Name": "e", "Input": {"amount": 3}, "RoleArn": "acs:ram::1:role/x"},
        "Flow": {"Name": "echo", "Region": "cn-hangzhou"},
        "Environment": {"STAGE": "test"},
    }
    flow = echo_flow({"output": {"all.$": "$Context"}}, role_arn="acs:ram::1:role/x", environment={"STAGE": "test"})
    service = make_service(flow)
    start(service, "e", Input='{"amount": 3}')
    assert json.loads(describe(service, "e")["Output"]) == {"all": context}


def test_an_output_that_names_what_the_input_lacks_fails_the_execution() -> None:
    service = make_service(echo_flow({"output": {"x.$": "$Input.nope"}}))
    start(service, "e")
    assert describe(service, "e")["Status"] == "Failed"
    assert "nope" in history(service, "e")[-1]["EventDetail"]


def test_a_map_under_a_key_for_expressions_is_a_map_also_where_it_holds_none() -> None:
    service = make_service(echo_flow({"output": {"made.$": {"a": 1}, "kept": [2]}}))
    start(service, "e")
    assert json.loads(describe(service, "e")["Output"]) == {"made": {"a": 1}, "kept": [2]}


def test_an_outcome_after_a_time_ends_the_execution_then() -> None:
    service = make_service(echo_flow({"after": "2s"}))
    start(service, "e")
    service.emulator.time.advance_to(service.emulator.clock.now() + 1.999)
    assert describe(service, "e")["Status"] == "Running"
    service.emulator.time.advance_to(service.emulator.clock.now() + 0.001)
    ended = describe(service, "e")
    assert (ended["Status"], ended["StoppedTime"]) == ("Succeeded", "2024-06-01T00:00:02.000Z")


def test_an_outcome_after_polls_shows_its_end_in_the_one_named() -> None:
    service = make_service(echo_flow({"after": {"polls": 3}}))
    start(service, "e")
    shown = [describe(service, "e", WaitTimeSeconds=60)["Status"] for _ in range(4)]
    assert shown == ["Running", "Running", "Succeeded", "Succeeded"]


def test_a_long_poll_on_a_virtual_clock_jumps_to_the_end_and_moves_nothing_else() -> None:
    service = make_service(echo_flow({"after": "10m"}))
    start(service, "e")
    start(service, "other")
    assert describe(service, "e", WaitTimeSeconds=1)["StoppedTime"] == "2024-06-01T00:10:00.000Z"
    assert describe(service, "other")["Status"] == "Running"


def test_a_long_poll_is_answered_when_its_time_is_over() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    start(service, "e")
    pending = service.send("DescribeExecution", FlowName="echo", ExecutionName="e", WaitTimeSeconds=20)
    assert isinstance(pending, Pending)
    assert pending.timeout == 20
    pending.expire()
    assert pending.reply is not None
    assert answer(pending.reply)["Status"] == "Running"


def test_a_long_poll_is_answered_when_the_execution_is_stopped() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    start(service, "e")
    pending = service.send("DescribeExecution", FlowName="echo", ExecutionName="e", WaitTimeSeconds=20)
    assert isinstance(pending, Pending)
    service("StopExecution", FlowName="echo", ExecutionName="e")
    assert pending.reply is not None
    assert answer(pending.reply)["Status"] == "Stopped"


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("StopExecution", {"FlowName": "echo", "ExecutionName": "e"}), ("DeleteFlow", {"Name": "echo"})],
)
def test_all_who_wait_for_an_execution_are_answered_when_it_ends(operation: str, parameters: dict[str, str]) -> None:
    service = make_service(echo_flow({"status": "Running"}))
    start(service, "e")
    polls = [
        service.send("DescribeExecution", FlowName="echo", ExecutionName="e", WaitTimeSeconds=20) for _ in range(4)
    ]
    service(operation, **parameters)
    assert [each.reply is not None for each in polls if isinstance(each, Pending)] == [True] * 4


def test_of_very_many_who_wait_some_are_answered_at_a_time() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    start(service, "e")
    wait = {"FlowName": "echo", "ExecutionName": "e", "WaitTimeSeconds": 20}
    polls = [service.send("DescribeExecution", **wait) for _ in range(2 * TOLD_TOGETHER + 9)]
    pending = [each for each in polls if isinstance(each, Pending)]
    service("StopExecution", FlowName="echo", ExecutionName="e")
    pending[-1].abandon()
    answered = []
    for _ in range(3):
        answered.append(sum(each.reply is not None for each in pending))
        assert service("ListFlows")["Flows"], "others have their turn in between"
        service.emulator.time.tick()
    assert answered == [TOLD_TOGETHER, 2 * TOLD_TOGETHER, len(polls) - 1]
    assert all(answer(each.reply)["Status"] == "Stopped" for each in pending[:-1] if each.reply is not None)


def test_those_who_have_yet_to_be_told_are_answered_at_a_reset() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    start(service, "e")
    wait = {"FlowName": "echo", "ExecutionName": "e", "WaitTimeSeconds": 20}
    polls = [service.send("DescribeExecution", **wait) for _ in range(3 * TOLD_TOGETHER)]
    service("StopExecution", FlowName="echo", ExecutionName="e")
    service.emulator.reset()
    assert all(each.reply is not None for each in polls if isinstance(each, Pending))


def test_a_long_poll_whose_client_left_leaves_nothing_behind() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    start(service, "e")
    pending = service.send("DescribeExecution", FlowName="echo", ExecutionName="e", WaitTimeSeconds=20)
    assert isinstance(pending, Pending)
    pending.abandon()
    assert [live.waiters for live in next(service.emulator.worlds.known()).lives()] == [{}]
    service("StopExecution", FlowName="echo", ExecutionName="e")
    assert pending.reply is None


@pytest.mark.parametrize("wait", ["-1", "61", "x", "1.5"])
def test_a_wait_outside_its_range_is_refused(wait: str) -> None:
    service = make_service(echo_flow())
    start(service, "e")
    refusal = service.refusal("DescribeExecution", FlowName="echo", ExecutionName="e", WaitTimeSeconds=wait)
    assert refusal.code == "InvalidArgument"


def test_a_stop_answers_running_and_the_next_description_says_stopped() -> None:
    service = make_service(echo_flow({"status": "Running"}, role_arn="acs:ram::1:r"))
    start(service, "e")
    stopped = service("StopExecution", FlowName="echo", ExecutionName="e", Error="Enough", Cause="of this")
    assert (stopped["Status"], stopped["StoppedTime"]) == ("Running", "2024-06-01T00:00:00.000Z")
    assert stopped["RoleArn"] == "acs:ram::1:r"
    assert describe(service, "e")["Status"] == "Stopped"
    last = history(service, "e")[-1]
    assert (last["Type"], json.loads(last["EventDetail"])) == (
        "ExecutionStopped",
        {"error": "Enough", "cause": "of this"},
    )


def test_an_ended_execution_cannot_be_stopped() -> None:
    service = make_service(echo_flow())
    start(service, "e")
    refusal = service.refusal("StopExecution", FlowName="echo", ExecutionName="e")
    assert (refusal.code, refusal.status) == ("ExecutionAlreadyCompleted", 400)
    assert refusal.message == "Execution 'e' for flow 'echo' has already completed."


def test_unknown_executions_do_not_exist() -> None:
    service = make_service(echo_flow())
    for operation in ("StopExecution", "DescribeExecution", "GetExecutionHistory"):
        refusal = service.refusal(operation, FlowName="echo", ExecutionName="nope")
        assert (refusal.code, refusal.status) == ("ExecutionNotExists", 404)
        assert service.refusal(operation, FlowName="nope", ExecutionName="e").code == "FlowNotExists"


# -- history -----------------------------------------------------------------------------------------------------------


def test_a_canned_execution_has_the_events_that_fit_its_outcome() -> None:
    service = make_service(echo_flow({"output": {"b": 2}, "after": "3s"}))
    start(service, "e", Input='{"a": 1}')
    assert [event["Type"] for event in history(service, "e")] == ["ExecutionStarted"]
    service.emulator.time.advance_to(service.emulator.clock.now() + 3)
    first, last = history(service, "e")
    assert first == {
        "EventId": 1, "ScheduleEventId": 0, "StepName": "", "Type": "ExecutionStarted",
        "Time": "2024-06-01T00:00:00.000Z", "EventDetail": '{"input":{"a": 1}}',
    }  # fmt: skip
    assert last == {
        "EventId": 2, "ScheduleEventId": 1, "StepName": "", "Type": "ExecutionSucceeded",
        "Time": "2024-06-01T00:00:03.000Z", "EventDetail": '{"output":{"b":2}}',
    }  # fmt: skip


def test_a_history_goes_on_at_its_token() -> None:
    service = make_service(echo_flow({"output": {"b": 2}}))
    start(service, "e")
    page = service("GetExecutionHistory", FlowName="echo", ExecutionName="e", Limit=1)
    assert page["NextToken"] == "2"
    rest = service("GetExecutionHistory", FlowName="echo", ExecutionName="e", Limit=1, NextToken="2")
    assert [event["EventId"] for event in rest["Events"]] == [2]
    assert "NextToken" not in rest


def test_executions_of_a_fixture_are_there_from_the_start() -> None:
    done = {
        "name": "done", "status": "Succeeded", "input": {"a": 1}, "output": {"b": 2},
        "started": "2024-01-01T00:00:00Z", "stopped": "2024-01-01T00:00:03Z",
    }  # fmt: skip
    service = make_service(echo_flow(executions=[done, {"name": "open", "status": "Running"}]))
    found = describe(service, "done")
    assert (found["Status"], found["StoppedTime"]) == ("Succeeded", "2024-01-01T00:00:03.000Z")
    assert json.loads(found["Output"]) == {"b": 2}
    service("StopExecution", FlowName="echo", ExecutionName="open")
    assert describe(service, "open")["Status"] == "Stopped"
