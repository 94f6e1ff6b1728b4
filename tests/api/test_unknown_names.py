"""Names that nothing has: an error with the name that was meant, or a warning where a flow may still come."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cfmock import CfmockError, CloudFlow, ServiceError, UnknownName
from cfmock.service import world
from tests.support.calls import task_flow

CHARGE = "version: v1\ntype: flow\nsteps: [{type: task, name: Charge, resourceArn: r}]"


def post(cf: CloudFlow, path: str, body: Any) -> None:
    request = urllib.request.Request(f"{cf.url}/_cfmock/{path}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow({"cfmock": 1, **task_flow("Charge", "Ship")}, clock="virtual") as server:
        yield server


Act = Callable[[CloudFlow], Any]

UNKNOWN: dict[str, tuple[Act, str | None, str]] = {
    "task": (lambda cf: cf.task("order", "Chrage"), "Charge", "flow 'order' has no task 'Chrage'"),
    "task far from all": (lambda cf: cf.task("order", "X"), None, "flow 'order' has no task 'X'"),
    "action": (lambda cf: cf.task("order", "FC:InvokeFuncton"), "FC:InvokeFunction", "no task 'FC:InvokeFuncton'"),
    "operation of fail": (
        lambda cf: cf.fail("StartExecutoin", "AccessDenied"), "StartExecution", "'StartExecutoin' is not an operation",
    ),
    "glob of fail": (lambda cf: cf.fail("Foo*", "AccessDenied"), None, "'Foo\\*' covers no operation"),
    "operation of fault": (
        lambda cf: cf.fault(when={"operation": ["ListFlow"]}, delay=1), "ListFlows", "'ListFlow' is not an operation",
    ),
    "executions": (lambda cf: cf.executions("ordr"), "order", "there is no flow 'ordr'"),
    "tasks": (lambda cf: cf.tasks("ordr"), "order", "there is no flow 'ordr'"),
    "calls": (lambda cf: cf.calls("StartExecutoin"), "StartExecution", "there is no operation 'StartExecutoin'"),
    "flow of calls": (lambda cf: cf.calls(flow="ordr"), "order", "there is no flow 'ordr'"),
    "glob of calls": (lambda cf: cf.calls("Foo*"), None, "there is no operation 'Foo\\*'"),
    "wait_for_calls": (lambda cf: cf.wait_for_calls("ListFlow"), "ListFlows", "there is no operation 'ListFlow'"),
    "retries": (lambda cf: cf.retries("ListFlow"), "ListFlows", "there is no operation 'ListFlow'"),
    "assert_called": (lambda cf: cf.assert_called("ListFlow", 0), "ListFlows", "there is no operation 'ListFlow'"),
    "assert_order": (lambda cf: cf.assert_order("ListFlow"), "ListFlows", "there is no operation 'ListFlow'"),
    "assert_retries": (lambda cf: cf.assert_retries("ListFlow", 0), "ListFlows", "there is no operation 'ListFlow'"),
    "parameter of calls": (
        lambda cf: cf.calls("StartExecution", FlowNam="order"), "FlowName", "StartExecution has no parameter 'FlowNam'",
    ),
    "parameter of another operation": (
        lambda cf: cf.calls("CreateFlow", FlowName="order"), "Name", "CreateFlow has no parameter 'FlowName'",
    ),
    "parameter of a glob": (
        lambda cf: cf.calls("*Execution", ExecutonName="e"), "ExecutionName", "Execution has no parameter 'ExecutonName'",
    ),
    "parameter of any call": (lambda cf: cf.calls(Limt="1"), "Limit", "no operation has a parameter 'Limt'"),
    "parameter of wait_for_calls": (
        lambda cf: cf.wait_for_calls("ListFlows", Limt=1), "Limit", "ListFlows has no parameter 'Limt'",
    ),
    "parameter": (
        lambda cf: cf.assert_called("ListFlows", 0, Limt=1), "Limit", "ListFlows has no parameter 'Limt'",
    ),
}  # fmt: skip


def test_calls_may_be_asked_for_by_any_flow_that_a_client_named(cf: CloudFlow) -> None:
    with pytest.raises(ServiceError):
        cf.call("DescribeFlow", Name="ordr")
    assert [each.status for each in cf.calls(flow="ordr")] == [404]
    assert cf.calls(flow="o*x") == []


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_that_nothing_has_is_an_error_with_the_one_meant(cf: CloudFlow, name: str) -> None:
    act, suggestion, words = UNKNOWN[name]
    with pytest.raises(UnknownName, match=words) as raised:
        act(cf)
    assert raised.value.suggestion == suggestion
    assert suggestion is None or f"did you mean '{suggestion}'" in str(raised.value)
    assert isinstance(raised.value, CfmockError)
    assert isinstance(raised.value, ValueError)
    assert cf.warnings == []


def test_what_is_wrong_besides_the_operation_is_no_unknown_name(cf: CloudFlow) -> None:
    with pytest.raises(ValueError, match="'ResourceThrotled' is not an error code") as raised:
        cf.fail("StartExecution", "ResourceThrotled")
    assert not isinstance(raised.value, UnknownName)


@pytest.mark.parametrize("name", ["Charge", "FC:InvokeFunction", "fc:invokefunction"])
def test_a_task_is_named_by_its_state_or_its_action_in_either_case(cf: CloudFlow, name: str) -> None:
    cf.task("order", name).fails("Refused")
    assert cf.run("order").error == {"code": "Refused", "detail": ""}


def test_a_state_that_is_no_task_has_no_mocks(cf: CloudFlow) -> None:
    cf.load(
        {
            "cfmock": 1,
            "flows": [{"name": "plain", "definition": "version: v1\ntype: flow\nsteps: [{type: pass, name: a}]"}],
        }
    )
    with pytest.raises(UnknownName, match="state 'a' of flow 'plain' is no task"):
        cf.task("plain", "a")


def test_a_task_of_a_version_is_one_of_the_flow(cf: CloudFlow) -> None:
    cf.call("PublishFlowVersion", FlowName="order")
    cf.call("UpdateFlow", Name="order", Definition="version: v1\ntype: flow\nsteps: [{type: pass, name: a}]")
    cf.task("order", "Charge").fails("Refused")
    with pytest.raises(UnknownName, match="did you mean 'Charge'"):
        cf.task("order", "Chrage")


def test_a_task_of_a_running_execution_is_one_of_the_flow(cf: CloudFlow) -> None:
    cf.task("order", "Charge").waits()
    cf.call("StartExecution", FlowName="order", ExecutionName="e")
    cf.call("UpdateFlow", Name="order", Definition="version: v1\ntype: flow\nsteps: [{type: pass, name: a}]")
    cf.task("order", "Ship").fails("Lost")
    (task,) = cf.tasks("order")
    cf.call("ReportTaskSucceeded", TaskToken=task["token"], Output={})
    assert [(each.name, each.error) for each in cf.executions("order")] == [("e", {"code": "Lost", "detail": ""})]


ORDR = {"name": "slow", "when": {"flow": "ordr"}, "delay": 1}

WAITING: dict[str, tuple[Act, str]] = {
    "mock": (lambda cf: cf.task("ordr", "Charge").fails("Refused"), "the mock of its task 'Charge'"),
    "outcome": (lambda cf: cf.outcome("ordr", status="Failed"), "this outcome"),
    "fail": (lambda cf: cf.fail("StartExecution", "AccessDenied", flow="ordr"), "the fault 'added-1'"),
    "fault": (lambda cf: cf.fault(name="slow", when={"flow": ["ordr"]}, delay=1), "the fault 'slow'"),
    "loaded fault": (lambda cf: cf.load({"cfmock": 1, "faults": [ORDR]}), "the fault 'slow'"),
    "posted fault": (lambda cf: post(cf, "fixtures", {"cfmock": 1, "faults": [ORDR]}), "the fault 'slow'"),
}


@pytest.mark.parametrize("name", WAITING)
def test_a_flow_that_may_still_come_is_a_warning_and_its_set_up_holds_once_it_is_there(
    cf: CloudFlow, name: str
) -> None:
    act, waiting = WAITING[name]
    act(cf)
    act(cf)
    told = [f"there is no flow 'ordr' (did you mean 'order'?): {waiting} has no effect until it comes"]
    assert cf.warnings[:1] == told
    assert len(cf.warnings) == (2 if name == "fail" else 1)  # each fault has a name of its own
    cf.load({"cfmock": 1, **task_flow("Charge", name="ordr")})
    if name == "fail":
        with pytest.raises(ServiceError, match="AccessDenied"):
            cf.call("StartExecution", FlowName="ordr")
    elif not name.endswith("fault"):
        assert cf.run("ordr").status == "Failed"
    assert len(cf.warnings) == (2 if name == "fail" else 1)


@pytest.mark.parametrize("pattern", ["order", "ord*", ["x", "order"], "*"])
def test_a_fault_for_flows_that_are_there_warns_of_nothing(cf: CloudFlow, pattern: str | list[str]) -> None:
    cf.fail("StartExecution", "AccessDenied", flow=pattern)
    assert cf.warnings == []


@pytest.mark.parametrize(
    "comes",
    [
        lambda cf: cf.call("CreateFlow", Name="later", Definition=CHARGE, Description="d", Type="FDL"),
        lambda cf: cf.load({"cfmock": 1, **task_flow("Charge", name="later")}),
        lambda cf: post(cf, "fixtures", {"cfmock": 1, "flows": [{"name": "later", "definition": CHARGE}]}),
    ],
    ids=["created", "loaded", "posted"],
)
def test_a_flow_that_comes_without_the_mocked_task_is_a_warning(cf: CloudFlow, comes: Act) -> None:
    cf.task("later", "Chrage").fails("Refused")
    before = cf.warnings
    comes(cf)
    told = "flow 'later' has no task 'Chrage' (did you mean 'Charge'?): the mock of it answers nothing"
    assert cf.warnings == [*before, told]


def test_a_flow_that_is_replaced_by_one_without_the_mocked_task_is_a_warning(cf: CloudFlow) -> None:
    cf.task("order", "Charge").fails("Refused")
    cf.load({"cfmock": 1, **task_flow("Charge_card", "Ship")})
    told = "flow 'order' has no task 'Charge' (did you mean 'Charge_card'?): the mock of it answers nothing"
    assert cf.warnings == [told]
    cf.load({"cfmock": 1, "flows": [{"name": "order"}]})
    assert cf.warnings == [told, "flow 'order' has no definition: the mock of its task 'Charge' waits for one"]


def test_a_flow_that_has_the_mocked_task_in_another_world_is_no_warning(cf: CloudFlow) -> None:
    cf.call("ListFlows", RegionId="cn-beijing")
    cf.task("order", "Charge").fails("Refused")
    cf.load({"cfmock": 1, "flows": [{"name": "order", "region": "cn-beijing"}]})
    assert cf.warnings == []


def test_a_flow_without_a_definition_may_get_one(cf: CloudFlow) -> None:
    cf.load({"cfmock": 1, "flows": [{"name": "bare"}]})
    cf.task("bare", "Charge").fails("Refused")
    assert cf.warnings == ["flow 'bare' has no definition: the mock of its task 'Charge' waits for one"]
    cf.call("UpdateFlow", Name="bare", Definition=CHARGE)
    assert cf.run("bare").status == "Failed"


@pytest.mark.parametrize("gone", ["deleted", "reset"])
def test_a_flow_that_was_there_may_be_asked_about(cf: CloudFlow, gone: str) -> None:
    cf.load({"cfmock": 1, "flows": [{"name": "brief"}]})
    cf.call("DeleteFlow", Name="brief") if gone == "deleted" else cf.reset()
    assert cf.executions("brief") == []
    assert cf.tasks("brief") == []
    assert cf.warnings == []


@pytest.mark.parametrize("gone", ["deleted", "reset"])
def test_what_is_set_up_for_a_flow_that_was_there_waits_for_it(cf: CloudFlow, gone: str) -> None:
    cf.load({"cfmock": 1, "flows": [{"name": "brief"}]})
    cf.call("DeleteFlow", Name="brief") if gone == "deleted" else cf.reset()
    cf.task("brief", "A")
    cf.outcome("brief")
    cf.fault(name="slow", when={"flow": "brief"}, delay=1)
    assert cf.warnings == [
        f"there is no flow 'brief': {what} has no effect until it comes"
        for what in ("the mock of its task 'A'", "this outcome", "the fault 'slow'")
    ]


def test_a_fault_of_the_fixtures_for_no_flow_or_key_is_a_warning_from_the_start() -> None:
    fault = {"name": "f", "when": {"flow": "ordr", "access_key_id": "cfmok"}, "delay": 1}
    with CloudFlow({"cfmock": 1, **task_flow("Charge"), "faults": [fault]}) as cf:
        assert cf.warnings == [
            "there is no flow 'ordr' (did you mean 'order'?): the fault 'f' has no effect until it comes",
            "there is no key 'cfmok' (did you mean 'cfmock'?): the fault 'f' has no effect until it comes",
        ]


def test_a_fault_for_a_key_that_is_not_there_is_a_warning(cf: CloudFlow) -> None:
    cf.fail("ListFlows", "AccessDenied", access_key_id="cfmok")
    cf.fail("ListFlows", "AccessDenied", access_key_id="STS.*")
    told = "there is no key 'cfmok' (did you mean 'cfmock'?): the fault 'added-1' has no effect until it comes"
    assert cf.warnings == [told]
    with CloudFlow(auth="off") as lax:
        lax.fail("ListFlows", "AccessDenied", access_key_id="cfmok")
        assert lax.warnings == []


def test_as_many_names_of_former_flows_are_kept_as_an_account_may_have(
    cf: CloudFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "MAX_REMEMBERED", 2)
    for name in ("one", "two", "three"):
        cf.load({"cfmock": 1, "flows": [{"name": name}]})
        cf.call("DeleteFlow", Name=name)
    assert cf.executions("two") == cf.executions("three") == []
    with pytest.raises(UnknownName):
        cf.executions("one")


def test_calls_of_an_operation_may_be_asked_for_by_a_glob(cf: CloudFlow) -> None:
    cf.call("ListFlows")
    cf.call("DescribeFlow", Name="order")
    assert [call.operation for call in cf.calls("*Flow*")] == ["ListFlows", "DescribeFlow"]
    assert [call.operation for call in cf.calls("List*")] == ["ListFlows"]
    assert [call.operation for call in cf.wait_for_calls("D*")] == ["DescribeFlow"]


def test_calls_with_what_is_no_parameter_may_be_asked_for_once_there_are_some(cf: CloudFlow) -> None:
    cf.call("ListFlows", Limt=1)
    assert [call.operation for call in cf.calls("ListFlows", Limt=1)] == ["ListFlows"]
    assert [call.operation for call in cf.calls("List*", Limt=1)] == ["ListFlows"]
    assert cf.calls("ListFlows", Limt=2) == cf.calls("L*", NextToken="x") == []
    with pytest.raises(UnknownName):
        cf.calls("DescribeFlow", Limt=1)


def test_calls_of_what_is_no_operation_may_be_asked_for_once_there_are_some(cf: CloudFlow) -> None:
    with pytest.raises(ServiceError, match="ActionNotSupported"):
        cf.call("StartExecutoin", FlowName="order")
    assert [call.code for call in cf.calls("StartExecutoin")] == ["ActionNotSupported"]


@pytest.mark.parametrize(
    ("act", "hint"),
    [
        (lambda cf: cf.run("ordr"), "there is no flow 'ordr' (did you mean 'order'?)"),
        (lambda cf: cf.call("DescribeFlow", Name="ordr"), "there is no flow 'ordr' (did you mean 'order'?)"),
        (lambda cf: cf.call("ListFlow"), "there is no operation 'ListFlow' (did you mean 'ListFlows'?)"),
        (lambda cf: cf.run("xyz"), None),
        (lambda cf: cf.call("DescribeFlow", Name="xyz"), None),
        (lambda cf: cf.run("order", "["), None),
    ],
)
def test_an_error_answer_has_the_hint_that_the_journal_has(cf: CloudFlow, act: Act, hint: str | None) -> None:
    with pytest.raises(ServiceError) as raised:
        act(cf)
    assert raised.value.hint == hint
    assert str(raised.value).partition("\nhint: ")[2] == (hint or "")
    assert [call.hint for call in cf.calls()] in ([], [hint])
