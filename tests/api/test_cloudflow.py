"""`CloudFlow`: one object, in a thread of its own or in the running loop."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow, FixtureError, ServiceError, SettingsError, TaskFailed
from tests.support.calls import echo_flow
from tests.support.waiting import PATIENCE

ORDER = """\
Type: StateMachine
SpecVersion: v1
Name: order
StartAt: Charge
States:
  - Type: Task
    Name: Charge
    Action: FC:InvokeFunction
    Parameters:
      resourceArn: acs:fc:::functions/charge
      body:
        amount.$: $Input.amount
    Retry:
      - Errors: [FC.ResourceThrottled]
        MaxAttempts: 3
        IntervalSeconds: 60
    Catch:
      - Errors: [Refused]
        Next: Sorry
    OutputConstructor:
      receipt.$: $Output.Body.receipt
    Next: Approve
  - Type: Task
    Name: Approve
    Action: FC:InvokeFunction
    TaskMode: WaitForCustomCallback
    Parameters:
      resourceArn: acs:fc:::functions/approve
      body:
        token.$: $Context.Current.TaskToken
    End: true
  - Type: Fail
    Name: Sorry
    Code: Sorry
    Detail: no money
"""

NAMELESS = """\
version: v1
type: flow
steps: [{type: fail, name: stop}]
"""

ASKING = """\
version: v1
type: flow
steps:
  - type: task
    name: ask
    resourceArn: acs:fc:::services/s/functions/ask
    pattern: waitForCallback
    inputMappings: [{target: token, source: $context.task.token}]
"""
WAIT = "  - {type: wait, name: first, duration: 5}\n"


def fixture(**flow: Any) -> dict[str, Any]:
    return {"cfmock": 1, "flows": [{"name": "order", "definition": ORDER, **flow}]}


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow(fixture(), echo_fixture(), clock="virtual", now="2024-06-01T00:00:00Z") as server:
        yield server


def echo_fixture() -> dict[str, Any]:
    return {"cfmock": 1, **echo_flow()}


def test_mocks_chain_in_order_and_retries_take_virtual_time(cf: CloudFlow) -> None:
    cf.task("order", "Charge").fails("FC.ResourceThrottled", times=2).returns({"Body": {"receipt": "r1"}})
    cf.task("order", "Approve").returns({"ok": True}, after="1h")
    run = cf.run("order", {"amount": 3})
    assert (run.status, run.output, run.error) == ("Succeeded", {"ok": True}, None)
    assert run.visits == ("Charge", "Approve")
    assert run.stopped is not None
    assert run.stopped - run.started == timedelta(hours=1, minutes=2)
    assert cf.clock.now == datetime(2024, 6, 1, tzinfo=timezone.utc)


UNNAMED = {"code": "FnF.Failed", "detail": ""}


def test_a_failure_has_a_code_even_if_nobody_gives_it_one(cf: CloudFlow) -> None:
    canned = {"name": "canned", "outcomes": [{"status": "Failed"}], "executions": [{"name": "old", "status": "Failed"}]}
    cf.load({"cfmock": 1, "flows": [{"name": "nameless", "definition": NAMELESS}, canned]})
    run = cf.run("nameless")
    assert (run.status, run.error) == ("Failed", UNNAMED)
    assert json.loads(run.events[-1]["EventDetail"]) == {"error": "FnF.Failed", "cause": ""}
    assert cf.run("canned").error == UNNAMED
    assert [each.error for each in cf.executions("canned")] == [UNNAMED, UNNAMED]

    def fail(event: Any) -> None:
        raise TaskFailed("")

    cf.task("order", "Charge").calls(fail)
    assert cf.run("order", {"amount": 1}).error == UNNAMED
    with pytest.raises(ValueError, match="an error has a code"):
        cf.task("order", "Charge").fails("")


def test_a_computed_code_of_a_fail_has_no_effect(cf: CloudFlow) -> None:
    states = [{"Type": "Fail", "Name": "A", "Code.$": "$Input.code"}]
    machine = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "end", "StartAt": "A", "States": states}
    cf.load({"cfmock": 1, "flows": [{"name": "end", "definition": machine}]})
    assert cf.run("end", {"code": "Mine"}).error == UNNAMED


def test_a_python_function_stands_for_the_tasks_own(cf: CloudFlow) -> None:
    seen = []

    def charge(event: Any) -> dict[str, str]:
        seen.append(event)
        return {"receipt": f"r{event['amount']}"}

    cf.task("order", "Charge").calls(charge)
    cf.task("order", "Approve").returns({})
    run = cf.run("order", {"amount": 7})
    assert seen == [{"amount": 7}]
    assert json.loads(run.events[-1]["EventDetail"]) == {"output": {}}


def test_a_function_fails_its_task_by_name_or_by_its_class(cf: CloudFlow) -> None:
    def refuse(event: Any) -> None:
        raise TaskFailed("Refused", "card expired")

    async def crash(event: Any) -> None:
        await asyncio.sleep(0)
        raise KeyError("amount")

    cf.task("order", "Charge").calls(refuse, times=1)
    assert cf.run("order", {"amount": 1}).error == {"code": "Sorry", "detail": "no money"}
    cf.reset()
    cf.task("order", "Charge").calls(crash)
    error = cf.run("order", {"amount": 1}).error
    assert error is not None
    assert error["code"] == "KeyError"


def test_a_task_that_waits_goes_on_when_it_is_reported(cf: CloudFlow) -> None:
    cf.task("order", "Charge").returns({"Body": {"receipt": "r"}})
    cf.call("StartExecution", FlowName="order", ExecutionName="e", Input={"amount": 1})
    (task,) = cf.tasks()
    assert (task["flow"], task["execution"], task["state"]) == ("order", "e", "Approve")
    cf.call("ReportTaskSucceeded", TaskToken=task["token"], Output={"by": "me"})
    assert cf.executions("order")[0].output == {"by": "me"}
    with pytest.raises(ServiceError) as caught:
        cf.call("ReportTaskSucceeded", TaskToken=task["token"], Output={})
    assert caught.value.code == "TaskAlreadyCompleted"
    assert cf.tasks() == []


@pytest.mark.parametrize("wait", ["", WAIT], ids=["in its first step", "in a later one"])
def test_a_function_may_report_the_task_that_called_it(cf: CloudFlow, wait: str) -> None:
    cf.load({"cfmock": 1, "flows": [{"name": "asking", "definition": ASKING.replace("steps:\n", f"steps:\n{wait}")}]})

    def report(event: Any) -> None:
        cf.call("ReportTaskSucceeded", TaskToken=event["token"], Output='{"by": "itself"}')

    cf.task("asking", "ask").calls(report)
    run = cf.run("asking")
    assert (run.status, run.output) == ("Succeeded", {"by": "itself"})


def test_a_task_that_its_function_reported_waits_no_more(cf: CloudFlow) -> None:
    cf.load({"cfmock": 1, "flows": [{"name": "asking", "definition": ASKING + WAIT}]})
    tokens = []

    def report(event: Any) -> None:
        tokens.append(event["token"])
        cf.call("ReportTaskSucceeded", TaskToken=event["token"], Output="{}")

    cf.task("asking", "ask").calls(report)
    cf.call("StartExecution", FlowName="asking")
    with pytest.raises(ServiceError, match="has already completed"):
        cf.call("ReportTaskSucceeded", TaskToken=tokens[0], Output="{}")


def test_a_nested_execution_may_report_the_task_that_started_it(cf: CloudFlow) -> None:
    outer = ASKING.replace("acs:fc:::services/s/functions/ask", "acs:fnf:::flow/inner")
    inner = ASKING.replace("pattern: waitForCallback", "").replace("$context.task.token", "$input.token")
    for name, definition in (("outer", outer), ("inner", inner)):
        cf.load({"cfmock": 1, "flows": [{"name": name, "definition": definition}]})

    def report(event: Any) -> dict[str, bool]:
        cf.call("ReportTaskSucceeded", TaskToken=event["token"], Output='{"by": "inner"}')
        return {"ok": True}

    cf.task("inner", "ask").calls(report)
    run = cf.run("outer")
    assert (run.status, run.output) == ("Succeeded", {"by": "inner"})
    assert [each.output for each in cf.executions("inner")] == [{"ok": True}]


def test_a_token_that_is_none_is_an_invalid_argument(cf: CloudFlow) -> None:
    with pytest.raises(ServiceError) as caught:
        cf.call("ReportTaskFailed", TaskToken="nonsense", Error="E")
    assert caught.value.code == "InvalidArgument"


def test_a_task_without_a_mock_succeeds_or_fails_as_the_settings_say() -> None:
    with CloudFlow(fixture(), clock="virtual", unmocked_tasks="fail") as cf:
        error = cf.run("order", {"amount": 1}).error
        assert error is not None
        assert "Charge" in error["detail"]


def test_a_mock_may_be_a_function_running_on_this_machine(cf: CloudFlow) -> None:
    events = []

    class Function(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b'{"receipt": "from afar"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Function)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        tasks = {"Charge": [{"http": f"http://127.0.0.1:{server.server_port}/invoke"}], "Approve": [{"returns": {}}]}
        cf.load(fixture(tasks=tasks))
        run = cf.run("order", {"amount": 5})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert events == [{"amount": 5}]
    assert run.status == "Succeeded"


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "http://example.com/", "ftp://127.0.0.1/", "http://127.0.0.1.evil.io/"]
)
def test_a_function_elsewhere_is_not_called(cf: CloudFlow, url: str) -> None:
    try:
        cf.load(fixture(tasks={"Charge": [{"http": url}]}))
    except FixtureError:
        return  # refused when it was read
    error = cf.run("order", {"amount": 5}).error
    assert error is not None
    assert error["code"] == "FC.InternalServerError"


def test_canned_outcomes_are_tried_in_the_order_they_were_added(cf: CloudFlow) -> None:
    cf.outcome("echo", status="Failed", error={"code": "First"}, times=1)
    cf.outcome("echo", output={"second": True})
    assert cf.run("echo").error == {"code": "First", "detail": ""}
    assert cf.run("echo").output == {"second": True}


def test_an_outcome_that_is_wrong_says_why(cf: CloudFlow) -> None:
    with pytest.raises(ValueError, match="Suceeded"):
        cf.outcome("echo", status="Suceeded")


def test_an_error_is_answered_as_often_as_asked_and_counted(cf: CloudFlow) -> None:
    fault = cf.fail("StartExecution", "ResourceThrottled", times=1, flow="ec*")
    with pytest.raises(ServiceError) as caught:
        cf.call("StartExecution", FlowName="echo")
    assert (caught.value.code, caught.value.status) == ("ResourceThrottled", 429)
    assert caught.value.message == "The request is throttled. Please try again later."
    assert cf.call("StartExecution", FlowName="echo")["Status"] == "Running"
    assert fault.hits == 1


def test_an_error_may_come_after_the_operation(cf: CloudFlow) -> None:
    cf.fail("StartExecution", "ExecutionAlreadyExists", times=1, after_operation=True)
    with pytest.raises(ServiceError, match="ExecutionAlreadyExists"):
        cf.call("StartExecution", FlowName="echo", ExecutionName="e")
    assert cf.call("DescribeExecution", FlowName="echo", ExecutionName="e")["Name"] == "e"


def test_a_removed_fault_strikes_no_more(cf: CloudFlow) -> None:
    fault = cf.fail("*", "InternalServerError")
    fault.remove()
    fault.remove()
    assert cf.call("ListFlows")["Flows"]
    assert fault.hits == 0


def test_a_fault_that_is_gone_still_says_how_often_it_struck(cf: CloudFlow) -> None:
    expiring, removed = cf.fault(delay="1ms", expires="10m"), cf.fault(delay="1ms")
    cf.call("ListFlows")
    cf.clock.advance("10m")
    cf.call("ListFlows")
    removed.remove()
    assert (expiring.hits, removed.hits) == (1, 2)
    cf.reset()
    assert (expiring.hits, removed.hits) == (0, 0)


def test_a_fault_that_is_wrong_says_why(cf: CloudFlow) -> None:
    with pytest.raises(ValueError, match="ResourceThrottled"):
        cf.fail("StartExecution", "ResourceThrotled")
    with pytest.raises(ValueError, match="operation"):
        cf.fault(when={"operaton": "StartExecution"}, error="InternalServerError")


def test_calls_are_listed_filtered_and_waited_for(cf: CloudFlow) -> None:
    cf.call("StartExecution", FlowName="echo", ExecutionName="e")
    threading.Timer(0.1, cf.call, ("ListFlows",)).start()
    (call,) = cf.wait_for_calls("ListFlows", timeout=PATIENCE)
    assert (call.status, call.code, call.access_key_id) == (200, None, "cfmock")
    assert [each.operation for each in cf.calls()] == ["StartExecution", "ListFlows"]
    assert cf.calls(flow="echo")[0].parameters == {"FlowName": "echo", "ExecutionName": "e"}
    assert cf.calls("StartExecution", ExecutionName="other") == []
    assert cf.calls(limit=1) == cf.calls("ListFlows")


def test_parameters_are_asked_for_as_they_were_given(cf: CloudFlow) -> None:
    cf.call("ListExecutions", FlowName="echo", Limit=3, MetadataOnly=True)
    assert len(cf.calls(Limit=3, MetadataOnly=True)) == len(cf.calls(Limit="3")) == 1
    assert cf.calls(Limit=4) == []


def test_asking_for_what_calls_do_not_have_is_a_mistake(cf: CloudFlow) -> None:
    for ask in (cf.calls, cf.wait_for_calls):
        with pytest.raises(
            ValueError, match="calls have no 'flows' \\(did you mean 'flow'\\?\\): ask for operation, flow, "
        ):
            ask("ListFlows", flows="echo")


def test_waiting_in_vain_says_what_was_seen(cf: CloudFlow) -> None:
    with pytest.raises(
        TimeoutError, match=r"waited 50ms for 2 of StopExecution\(\), saw 0; there were no calls at all"
    ):
        cf.wait_for_calls("StopExecution", 2, timeout="50ms")
    cf.call("StartExecution", FlowName="echo")
    with pytest.raises(TimeoutError, match="saw 0; the newest calls:\n  StartExecution\\(FlowName=echo\\) -> 200"):
        cf.wait_for_calls("StartExecution", timeout=0, FlowName="other")


def test_a_clock_is_moved_by_seconds_a_duration_or_a_timedelta(cf: CloudFlow) -> None:
    for span in (60, "1m", timedelta(minutes=1)):
        cf.clock.advance(span)
    assert cf.clock.now == datetime(2024, 6, 1, 0, 3, tzinfo=timezone.utc)


def test_what_a_mock_or_the_clock_cannot_be_is_said(cf: CloudFlow) -> None:
    with pytest.raises(ValueError, match="times: 0 is less than 1"):
        cf.task("order", "Charge").returns({}, times=0)
    with pytest.raises(ValueError, match="'2040-01-01' is not a time like 2024-06-01T00:00:00Z"):
        cf.clock.advance_to("2040-01-01")


def test_reset_makes_it_as_it_was(cf: CloudFlow) -> None:
    cf.call("StartExecution", FlowName="echo")
    cf.call("CreateFlow", Name="more", Definition=ORDER, Description="", Type="FDL")
    cf.fail("ListFlows", "AccessDenied")
    cf.outcome("echo", status="Failed")
    cf.clock.advance("1h")
    cf.reset()
    assert cf.clock.now == datetime(2024, 6, 1, tzinfo=timezone.utc)
    assert cf.calls() == []
    assert cf.executions("echo") == []
    assert [flow["Name"] for flow in cf.call("ListFlows")["Flows"]] == ["echo", "order"]
    assert cf.run("echo").status == "Succeeded"


def test_a_virtual_clock_that_began_at_the_start_goes_back_there() -> None:
    with CloudFlow(clock="virtual") as server:
        begun = server.clock.now
        server.clock.advance("1h")
        server.reset()
        assert server.clock.now == begun


def test_what_was_seen_can_be_looked_at_after_the_end() -> None:
    with CloudFlow({"cfmock": 1, **echo_flow()}) as server:
        fault = server.fail("ListFlows", "AccessDenied")
        with pytest.raises(ServiceError):
            server.call("ListFlows")
        server.run("echo", name="e")
        fault.remove()
    assert [call.code for call in server.calls()] == ["AccessDenied"]
    assert [execution.name for execution in server.executions("echo")] == ["e"]
    assert fault.hits == 1


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (("none",), "FlowNotExists", 404),
        (("echo", {}, "taken"), "ExecutionAlreadyExists", 400),
        (("echo", {}, "no name"), "InvalidArgument", 400),
        (("echo", [1]), "InvalidArgument", 400),
    ],
)
def test_a_run_that_cannot_start_says_so_as_the_service_does(
    cf: CloudFlow, arguments: tuple[Any, ...], code: str, status: int
) -> None:
    cf.run("echo", name="taken")
    with pytest.raises(ServiceError) as refused:
        cf.run(*arguments)
    assert (refused.value.code, refused.value.status) == (code, status)
    assert refused.value.message


def test_a_run_polls_an_outcome_to_its_end(cf: CloudFlow) -> None:
    cf.outcome("order", output={"a": 1}, after={"polls": 3})
    assert cf.run("order", {"amount": 1}).output == {"a": 1}


def test_a_run_by_the_name_of_one_that_goes_on_waits_for_that(cf: CloudFlow) -> None:
    cf.task("order", "Charge").returns({"Body": {"receipt": 1}}, after="1h")
    cf.task("order", "Approve").returns({})
    cf.call("StartExecution", FlowName="order", ExecutionName="e", Input={"amount": 1})
    assert cf.run("order", {"amount": 2}, "e").input == {"amount": 1}


def test_the_clock_only_goes_on(cf: CloudFlow) -> None:
    cf.clock.advance_to("2024-06-01T12:00:00Z")
    assert cf.clock.now.hour == 12
    cf.clock.advance_to(datetime(2024, 6, 2))
    assert cf.clock.now == datetime(2024, 6, 2, tzinfo=timezone.utc)
    with pytest.raises(ValueError, match="a clock only goes on"):
        cf.clock.advance_to(datetime(2024, 6, 1))


def test_the_clock_does_not_go_where_no_time_can_be_written(cf: CloudFlow) -> None:
    with pytest.raises(ValueError, match="a clock goes no further than 9899-"):
        cf.clock.advance_to(datetime(9950, 1, 1))
    assert cf.clock.now.year == 2024


def test_it_runs_in_the_world_that_it_calls() -> None:
    key = {"access_key_id": "ak", "access_key_secret": "sk", "account": "100"}
    with CloudFlow({"cfmock": 1, "credentials": [key], "flows": [{"name": "mine", "account": "100"}]}) as cf:
        assert cf.run("mine", name="e").status == "Succeeded"
        assert cf.call("DescribeExecution", FlowName="mine", ExecutionName="e")["Status"] == "Succeeded"


def test_a_real_clock_cannot_be_moved() -> None:
    with CloudFlow() as cf, pytest.raises(ValueError, match="the clock is real"):
        cf.clock.advance(1)


def test_loading_replaces_a_flow_and_keeps_its_executions(cf: CloudFlow) -> None:
    cf.call("StartExecution", FlowName="echo", ExecutionName="e")
    cf.load({"cfmock": 1, **echo_flow({"status": "Failed"}, description="new")})
    assert cf.call("DescribeFlow", Name="echo")["Description"] == "new"
    assert cf.executions("echo")[0].name == "e"
    assert cf.run("echo").status == "Failed"


def test_a_flow_that_is_loaded_again_is_what_it_is_there_and_nothing_else(cf: CloudFlow) -> None:
    cf.load({"cfmock": 1, **echo_flow(environment={"STAGE": "test"}, role_arn="r", description="old")})
    cf.load({"cfmock": 1, **echo_flow(execution_mode="Express")})
    described = cf.call("DescribeFlow", Name="echo")
    assert (described["ExecutionMode"], described["RoleArn"], described["Description"]) == ("Express", "", "")
    assert "Environment" not in described
    assert cf.call("StartSyncExecution", FlowName="echo")["Status"] == "Succeeded"


def test_what_is_loaded_may_name_flows_that_are_there(cf: CloudFlow) -> None:
    schedule = {"name": "s", "flow": "echo", "cron": "0 * * * * *"}
    cf.load({"cfmock": 1, "schedules": [schedule]})
    cf.clock.advance("2m")
    assert len(cf.executions("echo")) == 2
    with pytest.raises(FixtureError, match="there is no flow 'ecko' \\(did you mean 'echo'"):
        cf.load({"cfmock": 1, "schedules": [{**schedule, "flow": "ecko"}]})


def test_settings_of_what_is_loaded_are_passed_over_with_a_warning(cf: CloudFlow) -> None:
    cf.load({"cfmock": 1, "settings": {"auth": "off", "region": "cn-beijing"}, "flows": [{"name": "f"}]})
    assert cf.region == "cn-hangzhou"
    assert cf.warnings == ["settings are read only at the start, so these are ignored: auth, region"]


def test_a_broken_fixture_loads_nothing(cf: CloudFlow) -> None:
    broken = {"cfmock": 1, "flows": [{"name": "fine"}, {"name": "1bad"}, {"nme": "x"}]}
    with pytest.raises(FixtureError) as caught:
        cf.load(broken)
    assert len(caught.value.problems) >= 2
    assert "fine" not in [flow["Name"] for flow in cf.call("ListFlows")["Flows"]]


def test_settings_that_do_not_exist_are_named() -> None:
    with (
        pytest.raises(SettingsError, match=r"clok: unknown setting \(did you mean 'clock'\?\)"),
        CloudFlow(clok="virtual"),
    ):
        pass


def test_it_must_be_entered_first() -> None:
    with pytest.raises(RuntimeError, match="enter it first"):
        _ = CloudFlow().url


def test_the_environment_points_clients_at_it(cf: CloudFlow) -> None:
    assert cf.environ == {
        "CFMOCK_URL": cf.url, "CFMOCK_ENDPOINT": cf.endpoint, "FNF_ENDPOINT": cf.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "cfmock", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "cfmock-secret",
        "ALIBABA_CLOUD_REGION_ID": "cn-hangzhou",
    }  # fmt: skip
    assert cf.url == f"http://{cf.endpoint}"


async def _in_a_loop() -> None:
    async with CloudFlow(fixture(), echo_fixture(), clock="virtual") as cf:
        cf.task("order", "Charge").returns({"Body": {"receipt": "r"}})
        started = await cf.call_async("StartExecution", FlowName="order", Input={"amount": 1})
        assert started["Status"] == "Running"
        assert cf.call("ListFlows")["Flows"]
        assert cf.run("echo", {"a": 1}).output == {"a": 1}
        with pytest.raises(RuntimeError, match="run_async"):
            cf.run("order", {"amount": 1})
        token = cf.tasks()[0]["token"]
        waiting = asyncio.create_task(
            cf.call_async("DescribeExecution", FlowName="order", ExecutionName=started["Name"], WaitTimeSeconds=10)
        )
        await asyncio.sleep(0)
        await cf.call_async("ReportTaskSucceeded", TaskToken=token, Output={"done": True})
        assert (await waiting)["Status"] == "Succeeded"
        assert len(await cf.wait_for_calls_async("DescribeExecution")) == 1
        assert (await cf.run_async("echo")).status == "Succeeded"


def test_the_same_object_works_in_a_running_loop() -> None:
    asyncio.run(_in_a_loop())


def test_a_broken_connection_is_a_connection_error(cf: CloudFlow) -> None:
    cf.fault(when={"operation": "ListFlows"}, transport="reset")
    with pytest.raises(ConnectionError):
        cf.call("ListFlows")


def test_a_strict_service_does_not_let_violations_pass() -> None:
    def serve(error: Exception | None = None) -> None:
        with CloudFlow(strict=True) as cf:
            cf.call("ListFlows", Limits=1)
            if error is not None:
                raise error

    with pytest.raises(AssertionError, match="ListFlows has no parameter 'Limits'"):
        serve()
    with pytest.raises(KeyError):
        serve(KeyError("what went wrong comes first"))


def test_violations_can_be_looked_at_and_asserted(cf: CloudFlow) -> None:
    cf.assert_no_violations()
    cf.call("ListFlows", Limits=1)
    (violation,) = cf.violations
    assert (violation.kind, violation.operation) == ("unknown parameter", "ListFlows")
    with pytest.raises(AssertionError, match="1 violation"):
        cf.assert_no_violations()


async def _strictly() -> None:
    async with CloudFlow(strict=True) as cf:
        await cf.call_async("ListFlows", Limits=1)


def test_so_in_a_running_loop() -> None:
    with pytest.raises(AssertionError, match="1 violation"):
        asyncio.run(_strictly())


def test_calls_are_written_to_a_file_and_told_if_asked_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "calls.jsonl"
    with caplog.at_level("INFO", "cfmock"), CloudFlow({"cfmock": 1}, journal=file, verbose=True) as cf:
        cf.call("ListFlows")
        (line,) = file.read_text().splitlines()
        assert json.loads(line)["operation"] == "ListFlows"
    assert [record.getMessage()[:17] for record in caplog.records] == ["ListFlows -> 200 "]


@pytest.mark.parametrize("name", ["reload", "log_format"])
def test_what_only_commands_have_is_no_keyword(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: goes with commands only"):
        CloudFlow({"cfmock": 1}, **{name: True}).__enter__()


def test_a_journal_file_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--journal: cannot write"):
        CloudFlow({"cfmock": 1}, journal=tmp_path).__enter__()


def test_a_misspelt_variable_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFMOCK_PROT", "1")
    with CloudFlow() as server:
        assert server.warnings == ["CFMOCK_PROT: there is no such variable (did you mean 'CFMOCK_PORT'?)"]
