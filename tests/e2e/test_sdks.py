"""The vendor's unmodified SDKs do against cfmock what they do against the service, and report its errors as theirs."""

from __future__ import annotations

import json
import time

import pytest

from cfmock.protocol.spec.model import load
from tests.e2e.sdks import READER_KEY, TEMPORARY_KEY, Refused

WAIT = 50  # seconds; the clients are given a minute

DEFINITION = """\
Type: StateMachine
Name: greeting
SpecVersion: v1
StartAt: Greet
States:
  - Type: Pass
    Name: Greet
    End: true
"""


ASKING = (
    DEFINITION.replace("greeting", "asking")
    .replace("Type: Pass", "Type: Task")
    .replace(
        "    End", "    Action: FC:InvokeFunction\n    TaskMode: WaitForCustomCallback\n    Parameters: {}\n    End"
    )
)


def started(sdk, name, **parameters):
    return sdk.call("StartExecution", FlowName="orders", ExecutionName=name, **parameters)


def ended(sdk, name):
    """The execution as it is at its end, if that comes before the wait is over."""
    return sdk.call("DescribeExecution", FlowName="orders", ExecutionName=name, WaitTimeSeconds=WAIT)


def pages(sdk, operation, items, **parameters):
    """Every page of a list, followed by its tokens."""
    while True:
        answer = sdk.call(operation, **parameters)
        yield answer[items]
        if not answer.get("NextToken"):
            return
        parameters["NextToken"] = answer["NextToken"]


def test_a_flow_is_created_read_changed_listed_and_deleted(sdk):
    made = sdk.call("CreateFlow", Name="greeting", Definition=DEFINITION, Description="says hello", Type="FDL")
    assert made["Name"] == "greeting"
    assert made["RequestId"]
    read = sdk.call("DescribeFlow", Name="greeting")
    assert read["Definition"] == DEFINITION
    assert read["Id"] == made["Id"]
    assert sdk.call("UpdateFlow", Name="greeting", Description="你好 & + ~ 100%")["Description"] == "你好 & + ~ 100%"
    assert {flow["Name"] for flow in sdk.call("ListFlows")["Flows"]} == {"greeting", "orders"}
    sdk.call("DeleteFlow", Name="greeting")
    with pytest.raises(Refused, match="FlowNotExists"):
        sdk.call("DescribeFlow", Name="greeting")


def test_ordinary_use_is_no_violation(sdk, server):
    sdk.call("CreateFlow", Name="greeting", Definition=DEFINITION, Description="says hello", Type="FDL")
    started(sdk, "soon-1", Input='{"text": "x"}')
    for _ in range(5):
        sdk.call("DescribeExecution", FlowName="orders", ExecutionName="soon-1")
    ended(sdk, "soon-1")
    sdk.call("GetExecutionHistory", FlowName="orders", ExecutionName="soon-1", Limit=2)
    sdk.call("ListExecutions", FlowName="orders", Status="Succeeded", Limit=10)
    started(sdk, "wait-1")
    sdk.call("StopExecution", FlowName="orders", ExecutionName="wait-1", Cause="no need")
    with pytest.raises(Refused, match="FlowNotExists"):
        sdk.call("DescribeFlow", Name="nope")
    sdk.call("DeleteFlow", Name="greeting")
    found = {each["kind"]: each for each in server.admin("GET", "violations")["violations"]}
    assert found.keys() <= ({"ACS3 signature"} if "acs3" in sdk.kind.way else set()), found


def test_an_execution_is_followed_to_its_end_by_a_long_poll(sdk):
    first = started(sdk, "soon-1", Input='{"text": "x"}')
    assert first["Status"] == "Running"
    assert first["Input"] == '{"text": "x"}'
    began = time.monotonic()
    last = ended(sdk, "soon-1")
    assert last["Status"] == "Succeeded"
    assert json.loads(last["Output"]) == {"receipt": "r1"}
    assert time.monotonic() - began < WAIT / 2, "the poll is answered when the execution ends, not when the wait does"


def test_a_long_poll_that_nothing_ends_is_answered_within_its_wait(sdk):
    started(sdk, "wait-1")
    began = time.monotonic()
    answer = sdk.call("DescribeExecution", FlowName="orders", ExecutionName="wait-1", WaitTimeSeconds=1)
    assert answer["Status"] == "Running"
    assert 0.8 < time.monotonic() - began < 30


@pytest.mark.parametrize(
    "text",
    [
        "a b+c&d=e%41/?#",
        "!*'();:@,$[]~-_.",
        "你好, Ångström",
        "🙂 and \u0301 combined",
        'tab\tline\nquote"back\\',
        "\u00a0",
    ],
    ids=["reserved", "marks", "letters", "beyond-bmp", "escapes", "nbsp"],
)
def test_awkward_text_arrives_and_comes_back_as_it_was(sdk, text):
    given = json.dumps({"text": text}, ensure_ascii=False)
    assert started(sdk, "echo-1", Input=given)["Input"] == given
    assert json.loads(ended(sdk, "echo-1")["Output"]) == {"echo": text}


def test_an_execution_started_without_a_name_is_given_one(sdk):
    name = sdk.call("StartExecution", FlowName="orders", Input='{"text": 1}')["Name"]
    assert name
    assert ended(sdk, name)["Name"] == name


def test_starting_a_running_execution_again_gives_the_running_one(sdk):
    first = started(sdk, "wait-1", Input='{"n": 1}')
    again = started(sdk, "wait-1", Input='{"n": 2}')
    assert (again["StartedTime"], again["Input"]) == (first["StartedTime"], '{"n": 1}')


def test_executions_are_listed_page_by_page_each_once(sdk):
    for number in range(5):
        started(sdk, f"wait-{number}")
    found = list(pages(sdk, "ListExecutions", "Executions", FlowName="orders", Limit=2))
    assert [len(page) for page in found] == [2, 2, 1]
    assert {row["Name"] for page in found for row in page} == {f"wait-{number}" for number in range(5)}


def test_executions_are_listed_by_status_and_by_the_beginning_of_their_names(sdk):
    started(sdk, "wait-1")
    started(sdk, "bad-1")
    started(sdk, "bad-2")

    def names(**filters):
        return {row["Name"] for row in sdk.call("ListExecutions", FlowName="orders", **filters)["Executions"]}

    assert names(Status="Failed") == {"bad-1", "bad-2"}
    assert names(ExecutionNamePrefix="wait") == {"wait-1"}
    assert names() == {"wait-1", "bad-1", "bad-2"}


def test_the_history_tells_of_the_start_and_of_the_end_and_why(sdk):
    started(sdk, "bad-1")
    found = pages(sdk, "GetExecutionHistory", "Events", FlowName="orders", ExecutionName="bad-1", Limit=1)
    events = [event for page in found for event in page]
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["Type"], events[-1]["Type"]) == ("ExecutionStarted", "ExecutionFailed")
    assert "PaymentRefused" in events[-1]["EventDetail"]


def test_a_stopped_execution_is_seen_to_be_stopped(sdk):
    started(sdk, "wait-1")
    sdk.call("StopExecution", FlowName="orders", ExecutionName="wait-1", Cause="no longer wanted", Error="Cancelled")
    assert ended(sdk, "wait-1")["Status"] == "Stopped"


def test_an_express_flow_is_run_by_one_call(sdk, server):
    if "StartSyncExecution" in sdk.kind.lacks:
        pytest.skip("this SDK is older than StartSyncExecution")
    server.admin("POST", "fixtures", {"cfmock": 1, "flows": [{"name": "fast", "execution_mode": "Express"}]})
    answer = sdk.call("StartSyncExecution", FlowName="fast", ExecutionName="e1", Input='{"text": "你好"}')
    assert answer["Name"].startswith("e1:")  # the service adds an id
    assert (answer["Status"], answer["Output"]) == ("Succeeded", '{"text":"你好"}')


@pytest.mark.parametrize("report", ["ReportTaskSucceeded", "ReportTaskFailed"])
def test_a_waiting_task_is_reported(sdk, server, report):
    sdk.call("CreateFlow", Name="asking", Definition=ASKING, Description="asks", Type="FDL")
    sdk.call("StartExecution", FlowName="asking", ExecutionName="e1", Input="{}")
    (task,) = server.admin("GET", "tasks")["tasks"]
    if report == "ReportTaskSucceeded":
        sdk.call(report, TaskToken=task["token"], Output='{"approved": "是 & + ~"}')
    else:
        sdk.call(report, TaskToken=task["token"], Error="Refused", Cause="否 & + ~")
    done = sdk.call("DescribeExecution", FlowName="asking", ExecutionName="e1", WaitTimeSeconds=WAIT)
    if report == "ReportTaskSucceeded":
        assert (done["Status"], json.loads(done["Output"])) == ("Succeeded", {"approved": "是 & + ~"})
    else:
        assert done["Status"] == "Failed"
    with pytest.raises(Refused, match="TaskAlreadyCompleted"):
        sdk.call("ReportTaskSucceeded", TaskToken=task["token"], Output="{}")


def test_a_schedule_is_created_read_changed_listed_and_deleted(sdk):
    of = {"FlowName": "orders", "ScheduleName": "nightly"}
    sdk.call("CreateSchedule", **of, CronExpression="0 0 3 * * *", Payload='{"a": 1}', Enable=True, Description="a & b")
    read = sdk.call("DescribeSchedule", **of)
    assert (read["CronExpression"], read["Payload"], read["Enable"]) == ("0 0 3 * * *", '{"a": 1}', True)
    assert sdk.call("UpdateSchedule", **of, Enable=False)["Enable"] is False
    listed = sdk.call("ListSchedules", FlowName="orders")["Schedules"]
    assert [(row["ScheduleName"], row["Description"]) for row in listed] == [("nightly", "a & b")]
    sdk.call("DeleteSchedule", **of)
    with pytest.raises(Refused, match="ScheduleNotExists"):
        sdk.call("DescribeSchedule", **of)


def test_temporary_keys_work_with_their_token(sdk):
    assert sdk.call("DescribeFlow", using=TEMPORARY_KEY, Name="orders")["Name"] == "orders"


def test_a_list_without_items_is_an_empty_list(sdk):
    assert sdk.call("ListExecutions", FlowName="orders")["Executions"] == []


def refused(sdk, operation, using=None, **parameters):
    """The refusal, once it is sure that it arrived whole, as the SDK's own kind of exception."""
    with pytest.raises(Refused) as caught:
        sdk.call(operation, using=using, **parameters)
    error = caught.value
    below_500, from_500 = sdk.kind.raises
    status = load().errors[error.code].status
    assert error.status == (status if sdk.kind.has_status else None)
    assert error.class_name == (from_500 if status >= 500 else below_500).format(code=error.code)
    return error


@pytest.mark.parametrize("code", load().operations["StartExecution"].errors)
def test_every_documented_error_of_a_start_comes_on_demand_as_the_sdk_would_raise_it(sdk, server, code):
    server.admin("POST", "faults", {"when": {"operation": "StartExecution"}, "error": code, "times": 1})
    error = refused(sdk, "StartExecution", FlowName="orders", ExecutionName="wait-1")
    assert error.code == code
    beginning = load().errors[code].message.partition("%s")[0]
    assert beginning in error.message
    assert "%s" not in error.message
    (call,) = server.admin("GET", "calls")["calls"]
    assert (call["code"], call["request_id"]) == (code, error.request_id)
    assert started(sdk, "wait-1")["Status"] == "Running", "the fault is spent"


MISTAKES = {
    "SignatureNotMatch": {"using": {"access_key_secret": "wrong"}},
    "InvalidAccessKeyID": {"using": {"access_key_id": "nobody"}},
    "RequestTimeTooSkewed": {"using": {"clock_off": -20 * 60}},
    "AccessDenied": {"using": READER_KEY},
    "FlowNotExists": {"FlowName": "order"},
    "MissingRequiredParams": {"FlowName": ""},
    "InvalidArgument": {"Input": "{'not': json}"},
    "EntityTooLarge": {"Input": json.dumps("x" * 1_100_000)},
    "ExecutionAlreadyExists": {"ExecutionName": "done-1"},
}


@pytest.mark.parametrize("code", MISTAKES)
def test_a_callers_mistake_gets_its_documented_error(sdk, code):
    if (sdk.kind.way, code) == ("acs3-sm3", "EntityTooLarge"):
        pytest.skip("this SDK has SM3 in pure Python: a megabyte takes it many seconds")
    if (sdk.kind.loses_empty, code) == (True, "MissingRequiredParams"):
        pytest.skip("this SDK cannot send an empty parameter")
    started(sdk, "done-1")
    error = refused(sdk, "StartExecution", **{"FlowName": "orders", **MISTAKES[code]})
    assert error.code == code
    assert error.request_id


def test_a_clock_that_is_fast_by_less_than_fifteen_minutes_is_accepted(sdk):
    assert sdk.call("DescribeFlow", using={"clock_off": 14 * 60}, Name="orders")["Name"] == "orders"


def test_a_wrong_token_of_a_temporary_key_is_denied(sdk):
    wrong = {**TEMPORARY_KEY, "security_token": "other"}
    assert refused(sdk, "DescribeFlow", using=wrong, Name="orders").code == "AccessDenied"


def test_calls_beyond_a_rate_limit_are_throttled(sdk, server):
    limit = {"when": {"operation": "StartExecution"}, "rate_limit": {"per_second": 0.001, "burst": 1}}
    server.admin("POST", "faults", limit)
    started(sdk, "wait-1")
    assert refused(sdk, "StartExecution", FlowName="orders", ExecutionName="wait-2").code == "ResourceThrottled"


def test_stopping_what_has_ended_or_never_was_is_refused(sdk):
    started(sdk, "done-1")
    stop = {"FlowName": "orders"} if sdk.kind.loses_empty else {"FlowName": "orders", "Cause": "", "Error": ""}
    assert refused(sdk, "StopExecution", **stop, ExecutionName="done-1").code == "ExecutionAlreadyCompleted"
    assert refused(sdk, "StopExecution", **stop, ExecutionName="never").code == "ExecutionNotExists"


@pytest.mark.parametrize("sdk", ["java-async"], indirect=True)
def test_empty_parameters_that_are_signed_and_not_sent_are_named(sdk, server):
    error = refused(sdk, "StopExecution", FlowName="orders", ExecutionName="done-1", Cause="", Error="")
    assert error.code == "SignatureNotMatch"
    found = server.admin("GET", f"signature/{error.request_id}")
    assert "empty parameters are signed, but not sent (Cause and Error)" in found["likely_mistake"]


@pytest.mark.parametrize("sdk", ["acs3-sha256", "acs3-sm3"], indirect=True)
@pytest.mark.parametrize(
    ("operation", "version", "code"),
    [("StartNothing", "2019-03-15", "ActionNotSupported"), ("StartExecution", "2018-01-01", "APIVersionNotSupported")],
)
def test_an_unknown_action_or_version_is_named(sdk, operation, version, code):
    error = refused(sdk, operation, using={"version": version}, FlowName="orders")
    assert error.code == code
    assert (operation if code == "ActionNotSupported" else version) in error.message
