"""Worlds: each account and each region sees flows, executions, schedules, faults and calls of its own."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.control.control import Control
from cfmock.control.part import ControlError
from cfmock.protocol.wire.messages import Reply, Request
from tests.support.calls import PASS, Service, answer, echo_flow, make_service

KEYS = {
    "credentials": [
        {"access_key_id": "one", "access_key_secret": "1", "account": "100"},
        {"access_key_id": "two", "access_key_secret": "2", "account": "200"},
        {"access_key_id": "also-one", "access_key_secret": "3", "account": "100"},
    ]
}
FAULT = {"when": {"operation": "ListFlows"}, "error": "ResourceThrottled"}


@pytest.fixture
def one() -> Service:
    return make_service({**echo_flow(), **KEYS})


@pytest.fixture
def two(one: Service) -> Service:
    return Service(one.emulator, 1)


@pytest.fixture
def control(one: Service) -> Control:
    return Control(one.emulator)


def create(service: Service, name: str, **more: Any) -> None:
    service("CreateFlow", Name=name, Definition=PASS, Description="", Type="FDL", **more)


def flows(service: Service, **more: Any) -> list[str]:
    return [each["Name"] for each in service("ListFlows", **more)["Flows"]]


def executions(service: Service, **more: Any) -> list[str]:
    return [each["Name"] for each in service("ListExecutions", FlowName="echo", **more)["Executions"]]


def test_accounts_do_not_see_each_other(one: Service, two: Service) -> None:
    create(one, "mine")
    one("StartExecution", FlowName="echo", ExecutionName="e")
    one("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="@every 1m")
    one("PublishFlowVersion", FlowName="echo")
    assert flows(two) == ["echo"]
    assert executions(two) == []
    assert two("ListSchedules", FlowName="echo")["Schedules"] == []
    assert two("ListFlowVersions", FlowName="echo")["FlowVersions"] == []
    assert two.refusal("DescribeFlow", Name="mine").code == "FlowNotExists"
    two("StartExecution", FlowName="echo", ExecutionName="e")
    two("DeleteFlow", Name="echo")
    assert flows(one) == ["echo", "mine"]
    assert executions(one) == ["e"]


def test_keys_of_one_account_share_its_world(one: Service) -> None:
    create(one, "ours")
    assert flows(Service(one.emulator, 2)) == ["echo", "ours"]


def test_regions_do_not_see_each_other(one: Service) -> None:
    create(one, "here")
    assert flows(one, RegionId="cn-shanghai") == ["echo"]
    create(one, "there", RegionId="cn-shanghai")
    assert flows(one) == ["echo", "here"]
    assert flows(one, RegionId="cn-hangzhou") == ["echo", "here"]


def with_host(service: Service, host: str, **parameters: Any) -> list[str]:
    request = service.request("ListFlows", **parameters)
    headers = {**request.headers, "host": host}
    reply = service.emulator.handle(Request(request.method, request.target, headers, request.body))
    assert isinstance(reply, Reply)
    return [each["Name"] for each in answer(reply)["Flows"]]


@pytest.mark.parametrize(
    ("host", "region", "expected"),
    [
        ("cn-beijing.fnf.aliyuncs.com", None, ["beijing"]), ("cn-beijing-internal.fnf.aliyuncs.com", None, ["beijing"]),
        ("http://cn-beijing.fnf.aliyuncs.com:80", None, ["beijing"]), ("100.CN-BEIJING.fnf.aliyuncs.com", None, ["beijing"]),
        ("fnf.cn-beijing.aliyuncs.com", None, ["beijing"]), ("cn-beijing.fnf.aliyuncs.com", "cn-hangzhou", []),
        ("127.0.0.1:8790", "cn-beijing", ["beijing"]), ("127.0.0.1:8790", None, []),
        ("cn-nowhere.fnf.aliyuncs.com", None, []), ("127.0.0.1", "cn-nowhere", []),
    ],
)  # fmt: skip
def test_the_region_is_named_by_the_parameter_else_by_the_host_else_the_default(
    host: str, region: str | None, expected: list[str]
) -> None:
    service = make_service()
    create(service, "beijing", RegionId="cn-beijing")
    assert with_host(service, host, RegionId=region) == expected


def test_whatever_clients_send_there_are_worlds_of_known_accounts_and_regions_only(one: Service) -> None:
    for number in range(50):
        with_host(one, f"cn-{number}.fnf.aliyuncs.com", RegionId=f"r-{number}")
        request = one.request("ListFlows")
        one.emulator.handle(Request("GET", request.target.replace("AccessKeyId=one", f"AccessKeyId=x{number}"), {}))
    assert len(list(one.emulator.worlds)) <= 2


def test_the_default_region_is_a_setting() -> None:
    service = make_service(region="us-west-1")
    create(service, "west")
    assert flows(service, RegionId="us-west-1") == ["west"]
    assert flows(service, RegionId="cn-hangzhou") == []


def test_a_flow_of_a_fixture_may_be_of_one_account_or_region() -> None:
    fixtures = [echo_flow(name="a", account="100"), echo_flow(name="r", region="cn-beijing"), echo_flow(name="all")]
    one = make_service({"flows": [flow for each in fixtures for flow in each["flows"]], **KEYS})
    assert flows(one) == ["a", "all"]
    assert flows(Service(one.emulator, 1)) == ["all"]
    assert flows(one, RegionId="cn-beijing") == ["a", "all", "r"]


def test_a_document_is_added_to_one_world_or_to_all(one: Service, two: Service, control: Control) -> None:
    control.load({"cfmock": 1, "flows": [{"name": "of_100"}], "faults": [{"name": "x", **FAULT}]}, scope=("100", None))
    control.load({"cfmock": 1, "flows": [{"name": "of_all"}]})
    assert one.refusal("ListFlows").code == "ResourceThrottled"
    assert flows(two) == ["echo", "of_all"]
    control.clear_faults()
    assert flows(one) == ["echo", "of_100", "of_all"]
    assert flows(one, RegionId="cn-beijing") == ["echo", "of_100", "of_all"]
    with pytest.raises(ControlError, match="there is no region 'cn-hangzho'"):
        control.load({"cfmock": 1}, scope=(None, "cn-hangzho"))


# -- the admin API's side ------------------------------------------------------------------------------------------------


def test_calls_are_listed_and_forgotten_by_world(one: Service, two: Service, control: Control) -> None:
    flows(one)
    flows(one, RegionId="cn-beijing")
    flows(two)
    assert len(control.list_calls()["calls"]) == 3
    assert [each["account"] for each in control.list_calls(scope=("200", None))["calls"]] == ["200"]
    assert len(control.list_calls(scope=("100", "cn-beijing"))["calls"]) == 1
    control.clear_calls(scope=("100", "cn-beijing"))
    assert len(control.list_calls()["calls"]) == 2
    control.clear_calls(scope=("100", None))
    assert [each["account"] for each in control.list_calls()["calls"]] == ["200"]
    control.clear_calls()
    assert control.list_calls()["calls"] == []


def test_a_fault_strikes_in_the_world_it_was_added_to(one: Service, two: Service, control: Control) -> None:
    control.add_fault(FAULT, scope=("200", None))
    assert flows(one) == ["echo"]
    assert two.refusal("ListFlows").code == "ResourceThrottled"
    assert two.refusal("ListFlows", RegionId="cn-beijing").code == "ResourceThrottled"
    assert control.list_faults(scope=("100", None)) == []
    assert [each["hits"] for each in control.list_faults(scope=("200", None))] == [2]


def test_a_fault_for_all_worlds_is_counted_in_each(one: Service, two: Service, control: Control) -> None:
    control.add_fault({**FAULT, "times": 1})
    for service in (one, two):
        assert service.refusal("ListFlows").code == "ResourceThrottled"
        assert flows(service) == ["echo"]
    (fault,) = control.list_faults()
    assert fault["hits"] == 2


def test_a_removed_fault_does_not_come_back_in_worlds_to_come(one: Service, two: Service, control: Control) -> None:
    added = control.add_fault(FAULT)["id"]
    flows_refused = one.refusal("ListFlows").code
    control.remove_fault(added)
    assert (flows_refused, flows(one), flows(two)) == ("ResourceThrottled", ["echo"], ["echo"])
    control.add_fault(FAULT)
    control.clear_faults()
    assert flows(one, RegionId="cn-beijing") == ["echo"]


def test_a_fault_may_be_removed_from_one_world(one: Service, two: Service, control: Control) -> None:
    added = control.add_fault(FAULT)["id"]
    control.remove_fault(added, scope=("100", None))
    assert flows(one) == ["echo"]
    assert flows(one, RegionId="cn-beijing") == ["echo"]
    assert two.refusal("ListFlows").code == "ResourceThrottled"


def test_an_outcome_holds_in_the_world_it_was_added_to(one: Service, two: Service, control: Control) -> None:
    control.add_outcome({"flow": "echo", "status": "Failed"}, scope=("200", "cn-hangzhou"))
    for service, status in ((one, "Succeeded"), (two, "Failed")):
        service("StartExecution", FlowName="echo", ExecutionName="e")
        described = service("DescribeExecution", FlowName="echo", ExecutionName="e")
        assert described["Status"] == status


def test_executions_are_listed_by_world(one: Service, two: Service, control: Control) -> None:
    one("StartExecution", FlowName="echo", ExecutionName="e1")
    two("StartExecution", FlowName="echo", ExecutionName="e2")
    assert [each["name"] for each in control.list_executions(scope=("200", None))["executions"]] == ["e2"]
    assert {each["name"] for each in control.list_executions()["executions"]} == {"e1", "e2"}


def test_executions_of_all_flows_and_worlds_are_listed_newest_first(
    one: Service, two: Service, control: Control
) -> None:
    create(one, "after")
    for number, (service, flow) in enumerate([(two, "echo"), (one, "echo"), (one, "after"), (two, "echo")]):
        service("StartExecution", FlowName=flow, ExecutionName=f"e{number}")
        list(control.steps(1))
    assert [each["name"] for each in control.list_executions()["executions"]] == ["e3", "e2", "e1", "e0"]


def test_a_reset_of_one_world_leaves_the_others_and_the_time(one: Service, two: Service, control: Control) -> None:
    for service in (one, two):
        create(service, "made")
        control.add_outcome({"flow": "echo", "status": "Failed"}, scope=(service.credential.account, None))
    control.add_fault({**FAULT, "when": {"operation": "DescribeRegions"}})
    one.emulator.time.advance_to(one.emulator.clock.now() + 60)
    control.reset(scope=("100", None))
    assert one.emulator.clock.now() == 1_717_200_060.0
    assert flows(one) == ["echo"]
    assert flows(two) == ["echo", "made"]
    assert [each["account"] for each in control.list_calls()["calls"]] == ["200", "100", "200"]
    statuses = []
    for service in (one, two):
        service("StartExecution", FlowName="echo", ExecutionName="e")
        statuses.append(service("DescribeExecution", FlowName="echo", ExecutionName="e")["Status"])
    assert statuses == ["Succeeded", "Failed"]
    assert one("DescribeRegions")["Regions"]
    assert two.refusal("DescribeRegions").code == "ResourceThrottled"


def test_a_reset_of_a_region_forgets_what_was_added_before_it_there(one: Service, control: Control) -> None:
    control.add_fault(FAULT)
    control.reset(scope=(None, "cn-beijing"))
    assert flows(one, RegionId="cn-beijing") == ["echo"]
    assert one.refusal("ListFlows").code == "ResourceThrottled"
    control.add_fault({**FAULT, "error": "AccessDenied"})
    assert one.refusal("ListFlows", RegionId="cn-beijing").code == "AccessDenied"


def test_resetting_one_world_over_and_over_keeps_nothing(one: Service, control: Control) -> None:
    flows(one)
    for _ in range(20):
        control.add_outcome({"flow": "echo", "status": "Failed"}, scope=("100", "cn-hangzhou"))
        control.add_fault(FAULT, scope=("100", None))
        control.reset(scope=("100", None))
    assert one.emulator.worlds._changes == {}
    assert flows(one) == ["echo"]


def test_a_reset_of_everything_is_as_right_after_the_start(one: Service, two: Service, control: Control) -> None:
    control.add_fault(FAULT)
    create(two, "made")
    control.reset()
    assert flows(one) == flows(two) == ["echo"]
    assert len(control.list_calls()["calls"]) == 2


def test_a_world_that_nobody_has_used_can_be_named(one: Service, two: Service, control: Control) -> None:
    added = control.add_fault(FAULT, scope=("200", "cn-beijing"))
    assert [each["id"] for each in control.list_faults(scope=("200", None))] == [added["id"]]
    control.remove_fault(added["id"], scope=("200", "cn-beijing"))
    assert flows(two, RegionId="cn-beijing") == ["echo"]


@pytest.mark.parametrize("scope", [("2000", None), (None, "cn-bejing")])
def test_a_world_that_cannot_be_is_no_world(control: Control, scope: tuple[str | None, str | None]) -> None:
    for endpoint in (control.list_faults, control.clear_faults, control.reset, control.list_executions):
        with pytest.raises(ControlError) as caught:
            endpoint(scope=scope)
        assert "did you mean '200'" in str(caught.value) or "did you mean 'cn-beijing'" in str(caught.value)


def test_our_own_calls_are_signed_by_the_first_key_that_has_a_secret() -> None:
    keys = [{"bearer_token": "b"}, {"access_key_id": "ak", "access_key_secret": "sk"}]
    service = make_service({**echo_flow(), "credentials": keys})
    assert service.emulator.first_credential.access_key_id == "ak"
    only = make_service({**echo_flow(), "credentials": keys[:1]})
    assert only.emulator.first_credential.bearer_token == "b"
