"""Violations: what the real service would take differently from how the client meant it."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.control.control import Control
from cfmock.observe import client_history
from cfmock.observe.client_history import ClientHistory
from cfmock.observe.models import Violation
from cfmock.observe.violation_kinds import violation_kinds
from cfmock.protocol.wire.messages import Pending, Reply
from tests.support import signing
from tests.support.calls import Service, echo_flow, make_service

KEY = {"credentials": [{"access_key_id": "ak", "access_key_secret": "sk"}]}


@pytest.fixture
def service() -> Service:
    open_ended = {"when": {"execution": "open*"}, "status": "Running"}
    return make_service(KEY, echo_flow(open_ended, {}))


def violations(service: Service) -> list[Violation]:
    return Control(service.emulator).find_violations()


def kinds(service: Service) -> list[str]:
    return [each.kind for each in violations(service)]


def add_fault(service: Service, **fault: Any) -> None:
    Control(service.emulator).add_fault(fault)


def test_what_a_good_client_does_is_no_violation(service: Service) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="open-1", Input={"a": 1})
    for _ in range(3):
        service("DescribeExecution", FlowName="echo", ExecutionName="open-1", WaitTimeSeconds=0)
    service("StopExecution", FlowName="echo", ExecutionName="open-1", Cause="", Error="")
    service("ListExecutions", FlowName="echo", Limit=10, Status="Stopped")
    service.refusal("StartExecution", FlowName="echo", ExecutionName="open-1")
    service("DescribeExecution", FlowName="echo", ExecutionName="open-1", RegionId="cn-hangzhou", SourceIp="::1")
    assert kinds(service) == []


@pytest.mark.parametrize(
    ("operation", "parameters", "kind", "message"),
    [
        (
            "ListFlows",
            {"Limits": "3"},
            "unknown parameter",
            "ListFlows has no parameter 'Limits' (did you mean 'Limit'?)",
        ),
        (
            "StartExecution",
            {"Input.amount": "1", "Input.items.1": "x"},
            "flattened value",
            "StartExecution got Input.amount in place of Input",
        ),
        ("ListFlows", {"Limit": "+3"}, "wrong type", "Limit='+3'"),
        ("ListFlows", {"Limit": "03"}, "wrong type", "Limit='03'"),
        ("ListFlows", {"Limit": "3.0"}, "wrong type", "Limit='3.0'"),
        ("CreateSchedule", {"Enable": "True"}, "wrong type", "Enable='True'"),
        ("CreateSchedule", {"Enable": "1"}, "wrong type", "Enable='1'"),
        ("StartExecution", {"ExecutionName": "None"}, "stringified nothing", "ExecutionName is the text 'None'"),
        ("StopExecution", {"Cause": "undefined"}, "stringified nothing", "Cause is the text 'undefined'"),
        ("StartExecution", {"ExecutionName": "n" * 120}, "name near its limit", "120 of the 128 characters"),
        ("StartExecution", {"ExecutionName": "n" * 129}, "name outside its pattern", "ExecutionName='nnn"),
        ("StartExecution", {"ExecutionName": "1st"}, "name outside its pattern", "ExecutionName='1st'"),
    ],
)
def test_an_argument_that_is_meant_otherwise_is_one(
    service: Service, operation: str, parameters: dict[str, str], kind: str, message: str
) -> None:
    needed = {"FlowName": "echo"} if operation != "ListFlows" else {}
    more = {
        "CreateSchedule": {"ScheduleName": "s", "CronExpression": "0 * * * * *"},
        "StopExecution": {"ExecutionName": "e"},
    }
    service.send(operation, **needed, **more.get(operation, {}), **parameters)
    (found,) = violations(service)
    assert found.kind == kind
    assert message in found.message
    assert found.meant
    assert found.real
    assert found.operation == operation


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("ListFlows", {"Limit": "0"}), ("ListFlows", {"Limit": ""}), ("StartExecution", {"Input": "null"}),
        ("StartExecution", {"ExecutionName": "n" * 119}), ("StartExecution", {"Input": '{"a":"None"}'}),
    ],
)  # fmt: skip
def test_what_is_merely_wrong_or_merely_odd_is_none(
    service: Service, operation: str, parameters: dict[str, str]
) -> None:
    service.send(operation, **({"FlowName": "echo"} if operation != "ListFlows" else {}), **parameters)
    assert kinds(service) == []


def test_a_json_body_whose_members_are_no_text_is_one(service: Service) -> None:
    body = b'{"FlowName":"echo","ExecutionName":7,"Input":{"a":1}}'
    service.emulator.handle(signing.acs3("StartExecution", {}, body=body, content_type="application/json"))
    assert [each.message for each in violations(service) if each.kind == "wrong type"] == [
        "ExecutionName is a JSON integer", "Input is a JSON object",
    ]  # fmt: skip


def test_an_acs3_signature_is_one_though_it_is_right(service: Service) -> None:
    reply = service.emulator.handle(signing.acs3("StartExecution", {"FlowName": "echo"}))
    assert isinstance(reply, Reply)
    assert reply.status == 200
    (found,) = violations(service)
    assert found.kind == "ACS3 signature"
    assert "refuses" in found.real


def test_an_error_that_a_fault_answers_is_not_the_clients(service: Service) -> None:
    add_fault(service, error="InvalidArgument")
    service.refusal("StartExecution", FlowName="echo", ExecutionName="1st")
    assert kinds(service) == []


# -- nonces ------------------------------------------------------------------------------------------------------------


def test_a_nonce_that_was_answered_is_not_to_be_used_again(service: Service) -> None:
    request = service.request("ListFlows")
    service.emulator.handle(request)
    assert kinds(service) == []
    service.emulator.handle(request)
    assert kinds(service) == ["repeated nonce"]


@pytest.mark.parametrize("transport", ["reset", "close", "hang"])
def test_a_transport_may_send_again_what_was_not_answered(service: Service, transport: str) -> None:
    add_fault(service, transport=transport, times=1)
    request = service.request("ListFlows")
    service.emulator.handle(request)
    service.emulator.handle(request)
    assert kinds(service) == []


def test_only_the_newest_nonces_are_remembered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_history, "KEPT", 3)
    requests = [service.request("ListFlows") for _ in range(4)]
    for request in (*requests, requests[0]):
        service.emulator.handle(request)
    assert kinds(service) == []
    service.emulator.handle(requests[2])
    assert kinds(service) == ["repeated nonce"]


# -- polling -----------------------------------------------------------------------------------------------------------


class Wall:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    steady = now


@pytest.fixture
def wall(service: Service) -> Wall:
    """What the watch takes for real time."""
    clock = Wall()
    rate = service.emulator.spec.limits["api_rate"]["DescribeExecution"]
    service.emulator.monitor._histories.default_factory = lambda: ClientHistory(clock, rate)
    return clock


def poll(service: Service) -> None:
    service("DescribeExecution", FlowName="echo", ExecutionName="e")


def test_polling_beyond_the_documented_rate_is_one_each_time_it_begins(service: Service, wall: Wall) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="e")
    for _ in range(50):
        poll(service)
    assert kinds(service) == []
    for _ in range(5):
        poll(service)
    assert kinds(service) == ["polling too fast"]
    assert "5 calls per second" in violations(service)[0].real
    for _ in range(20):
        wall.time += 0.2
        poll(service)
    assert len(violations(service)) == 1
    for _ in range(3):
        poll(service)
    assert len(violations(service)) == 2


def test_polling_at_the_documented_rate_is_none(service: Service, wall: Wall) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="e")
    for _ in range(300):
        wall.time += 0.2
        poll(service)
    assert kinds(service) == []


# -- lost answers ------------------------------------------------------------------------------------------------------


def start(service: Service, name: str | None = None, **more: Any) -> None:
    service.send("StartExecution", FlowName="echo", ExecutionName=name, **{"Input": {"a": 1}, **more})


@pytest.mark.parametrize(
    "fault",
    [
        {"transport": "reset", "after_operation": True}, {"transport": "hang"}, {"transport": "truncate"},
        {"transport": "garbage"}, {"error": "InternalServerError", "after_operation": True},
    ],
)  # fmt: skip
@pytest.mark.parametrize(("first", "second"), [("a", "b"), (None, None), ("a", None), (None, "b")])
def test_a_start_whose_answer_was_lost_is_not_repeated_under_another_name(
    service: Service, fault: dict[str, Any], first: str | None, second: str | None
) -> None:
    add_fault(service, **fault, times=1)
    start(service, first)
    start(service, second)
    (found,) = violations(service)
    assert found.kind == "start under a new name"
    assert "two executions" in found.real
    lost, again = service.emulator.journal.find()
    assert lost.request_id in found.message
    assert found.request_id == again.request_id


def test_a_start_whose_answer_was_lost_may_be_repeated_under_its_name(service: Service) -> None:
    add_fault(service, transport="reset", after_operation=True, times=2)
    for _ in range(3):
        start(service, "open-1")
    start(service, "open-2")
    assert kinds(service) == []


@pytest.mark.parametrize(
    "other", [{"Input": {"a": 2}}, {"FlowName": "other"}, {"ExecutionName": "b", "after": 61}], ids=str
)
def test_a_start_of_something_else_or_much_later_is_no_retry(
    service: Service, wall: Wall, other: dict[str, Any]
) -> None:
    add_fault(service, transport="reset", times=1)
    start(service, "a")
    wall.time += other.pop("after", 0)
    service.send("StartExecution", **{"FlowName": "echo", "ExecutionName": "b", "Input": {"a": 1}, **other})
    assert kinds(service) == []


def test_an_error_that_was_told_is_no_lost_answer(service: Service) -> None:
    add_fault(service, error="ResourceThrottled", times=1)
    start(service, "a")
    start(service, "b")
    assert kinds(service) == []


def test_a_client_that_leaves_before_a_delayed_answer_has_lost_it(service: Service) -> None:
    add_fault(service, delay=60, times=1)
    reply = service.send("StartExecution", FlowName="echo", ExecutionName="a")
    assert isinstance(reply, Reply)
    service.emulator.monitor.left(reply)
    (call,) = service.emulator.journal.find()
    assert (call.status, call.transport) == (0, "left")
    service.send("StartExecution", FlowName="echo", ExecutionName="b")
    assert kinds(service) == ["start under a new name"]


def test_a_client_that_leaves_a_synchronous_start_has_lost_its_answer() -> None:
    service = make_service(echo_flow({"status": "Running"}, execution_mode="Express"))
    for _ in range(2):
        pending = service.send("StartSyncExecution", FlowName="echo")
        assert isinstance(pending, Pending)
        pending.abandon()
    call, _ = service.emulator.journal.find()
    assert (call.operation, call.status, call.transport) == ("StartSyncExecution", 0, "left")
    assert kinds(service) == ["start under a new name"]


def test_only_the_newest_lost_starts_are_remembered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_history, "KEPT", 2)
    add_fault(service, transport="reset", times=3)
    for number in range(3):
        start(service, "a", Input={"n": number})
    start(service, "b", Input={"n": 0})
    assert kinds(service) == []
    start(service, "c", Input={"n": 1})
    assert kinds(service) == ["start under a new name"]


# -- results -----------------------------------------------------------------------------------------------------------


def look(service: Service, name: str = "open-1") -> None:
    service("DescribeExecution", FlowName="echo", ExecutionName=name)


def test_going_on_while_an_execution_runs_is_one_until_it_is_asked_for_again(service: Service) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="open-1")
    look(service)
    assert kinds(service) == []
    service("StartExecution", FlowName="echo", ExecutionName="open-2")
    (found,) = violations(service)
    assert found.kind == "result read too early"
    assert "Running of echo/open-1" in found.message
    look(service)
    assert kinds(service) == []
    service("StartExecution", FlowName="echo", ExecutionName="done")
    assert kinds(service) == ["result read too early"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("StopExecution", {"ExecutionName": "open-1"}),
        ("GetExecutionHistory", {"ExecutionName": "open-1"}),
        ("ListExecutions", {}),
    ],
)
def test_an_execution_may_be_followed_by_other_means(
    service: Service, operation: str, parameters: dict[str, str]
) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="open-1")
    look(service)
    service(operation, FlowName="echo", **parameters)
    service("StartExecution", FlowName="echo", ExecutionName="open-2")
    assert kinds(service) == []


def test_only_the_newest_looks_are_remembered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_history, "KEPT", 2)
    for name in ("open-1", "open-2", "open-3"):
        start(service, name)
    for name in ("open-1", "open-2", "open-3"):
        look(service, name)
    start(service, "open-4")
    assert kinds(service) == ["result read too early"] * 2
    assert not [each for each in violations(service) if "open-1" in each.message]


def test_only_the_newest_refusals_are_remembered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_history, "KEPT", 2)
    add_fault(service, when={"operation": "StartExecution"}, error="ResourceThrottled", times=3)
    for name in ("a", "b", "c"):
        start(service, name)
    service.refusal("DescribeExecution", FlowName="echo", ExecutionName="a")
    assert kinds(service) == []
    service.refusal("DescribeExecution", FlowName="echo", ExecutionName="b")
    assert kinds(service) == ["success assumed"]


@pytest.mark.parametrize("code", ["ResourceThrottled", "AccessDenied"])
def test_what_was_refused_is_not_there_to_be_used(service: Service, code: str) -> None:
    add_fault(service, when={"operation": "StartExecution"}, error=code, times=1)
    start(service, "a")
    assert service.refusal("DescribeExecution", FlowName="echo", ExecutionName="a").code == "ExecutionNotExists"
    (found,) = violations(service)
    assert found.kind == "success assumed"
    assert (
        found.message
        == f"DescribeExecution asks for what StartExecution had not made (a of echo): it was answered {code}"
    )
    start(service, "a")
    service("DescribeExecution", FlowName="echo", ExecutionName="a")
    assert len(violations(service)) == 1


def test_a_flow_and_a_schedule_that_were_refused_are_not_there_either(service: Service) -> None:
    service.refusal("CreateFlow", Name="new", Definition="x", Description="", Type="FDL")
    service.refusal("StartExecution", FlowName="new")
    service.refusal("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="x")
    service.refusal("DescribeSchedule", FlowName="echo", ScheduleName="s")
    assert kinds(service) == ["success assumed", "success assumed"]


@pytest.mark.parametrize(
    "fault",
    [{"error": "InternalServerError"}, {"transport": "reset"}, {"error": "ResourceThrottled", "after_operation": True}],
    ids=str,
)
def test_after_an_answer_that_tells_nothing_a_client_may_ask(service: Service, fault: dict[str, Any]) -> None:
    add_fault(service, when={"operation": "CreateFlow"}, **fault, times=1)
    service.send("CreateFlow", Name="new", Definition="x", Description="", Type="FDL")
    service.refusal("DescribeFlow", Name="new")
    assert kinds(service) == []


def test_asking_for_what_nobody_made_is_none(service: Service) -> None:
    service.refusal("DescribeExecution", FlowName="echo", ExecutionName="never")
    assert kinds(service) == []


# -- altogether --------------------------------------------------------------------------------------------------------


def test_violations_outlive_their_calls_and_end_with_a_reset() -> None:
    service = make_service(journal_size=1)
    for _ in range(3):
        service("ListFlows", Limits=1)
    assert kinds(service) == ["unknown parameter"] * 3
    control = Control(service.emulator)
    assert [each["kind"] for each in control.list_violations(scope=(None, "cn-hangzhou"))] == ["unknown parameter"] * 3
    assert control.list_violations(scope=(None, "cn-beijing")) == []
    control.reset()
    assert kinds(service) == []


def test_a_reset_forgets_what_clients_did_before(service: Service) -> None:
    add_fault(service, transport="reset", times=1)
    start(service, "a")
    Control(service.emulator).reset()
    start(service, "b")
    assert kinds(service) == []


def test_worlds_are_watched_one_by_one(service: Service) -> None:
    add_fault(service, transport="reset", times=1)
    start(service, "a", RegionId="cn-beijing")
    start(service, "b")
    assert kinds(service) == []


def test_each_kind_says_what_is_meant_and_what_the_real_service_does() -> None:
    for kind in violation_kinds().values():
        real = kind["real"]
        assert len(kind["meant"]) > 5
        assert "service" in real or "gateway" in real or "CloudFlow" in real or "Output" in real
