"""The documented rates of calls, and the quotas of flows and running executions."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.protocol.spec.model import load
from cfmock.settings import Settings
from tests.support.calls import PASS, Service, echo_flow, make_service

ACCOUNTS = {
    "credentials": [
        {"access_key_id": "one", "access_key_secret": "1", "account": "100"},
        {"access_key_id": "two", "access_key_secret": "2", "account": "200"},
    ]
}


def admitted(service: Service, operation: str, tries: int = 150, **parameters: Any) -> int:
    """How many of so many calls pass."""
    replies = [service.send(operation, **parameters) for _ in range(tries)]
    return sum(reply.status != 429 for reply in replies)  # type: ignore[union-attr]


@pytest.fixture
def limited() -> Service:
    return make_service({**echo_flow(), **ACCOUNTS}, rate_limits="documented")


@pytest.mark.parametrize(
    ("operation", "parameters", "burst", "per_second"),
    [
        ("StartExecution", {"FlowName": "echo"}, 100, 100),
        ("DescribeExecution", {"FlowName": "echo", "ExecutionName": "e"}, 50, 5),
        ("GetExecutionHistory", {"FlowName": "echo", "ExecutionName": "e"}, 50, 5),
        ("ListFlows", {}, 10, 2),
    ],
)
def test_an_operation_has_the_bucket_of_the_limits_page(
    limited: Service, operation: str, parameters: dict[str, str], burst: int, per_second: int
) -> None:
    assert admitted(limited, operation, **parameters) == burst
    limited.emulator.time.advance_to(limited.emulator.clock.now() + 1)
    assert admitted(limited, operation, **parameters) == per_second
    refusal = limited.refusal(operation, **parameters)
    assert (refusal.code, refusal.status) == ("ResourceThrottled", 429)


def test_each_operation_has_a_bucket_to_itself_and_each_world(limited: Service) -> None:
    assert admitted(limited, "ListFlows") == 10
    assert admitted(limited, "DescribeFlow", Name="echo") == 10
    assert admitted(limited, "ListFlows", RegionId="cn-beijing") == 10
    assert admitted(Service(limited.emulator, 1), "ListFlows") == 10


def test_a_call_that_is_refused_for_its_signature_takes_nothing(limited: Service) -> None:
    request = limited.request("ListFlows")
    for _ in range(20):
        limited.emulator.handle(type(request)("POST", request.target, request.headers))
    assert admitted(limited, "ListFlows") == 10


def test_a_reset_fills_the_buckets(limited: Service) -> None:
    admitted(limited, "ListFlows")
    limited.emulator.reset(scope=("100", None))
    assert admitted(limited, "ListFlows") == 10
    admitted(limited, "ListFlows")
    limited.emulator.reset()
    assert admitted(limited, "ListFlows") == 10


def test_the_gateway_words_a_throttled_call_its_own_way() -> None:
    service = make_service(echo_flow(), rate_limits="documented", errors="gateway")
    for _ in range(10):
        service("ListFlows")
    refusal = service.refusal("ListFlows")
    assert (refusal.code, refusal.status) == ("Throttling.User", 400)


def test_without_the_setting_there_is_no_limit() -> None:
    assert admitted(make_service(echo_flow()), "ListFlows") == 150


# -- quotas --------------------------------------------------------------------------------------------------------------


def test_the_quotas_are_those_of_the_limits_page() -> None:
    limits = load().limits
    assert (Settings().max_flows, Settings().max_running_executions) == (limits["flows"], limits["running_executions"])


def test_an_account_has_so_many_flows() -> None:
    service = make_service(echo_flow(), max_flows=2)
    given = {"Definition": PASS, "Description": "", "Type": "FDL"}
    service("CreateFlow", Name="second", **given)
    refusal = service.refusal("CreateFlow", Name="third", **given)
    assert (refusal.code, refusal.status) == ("InvalidArgument", 400)
    service("DeleteFlow", Name="second")
    service("CreateFlow", Name="third", **given)


def test_so_many_executions_run_at_once() -> None:
    ends = {"when": {"execution": "short*"}, "after": "5s"}
    service = make_service(echo_flow(ends, {"status": "Running"}), max_running_executions=3)
    for name in ("short", "a", "b"):
        service("StartExecution", FlowName="echo", ExecutionName=name)
    refusal = service.refusal("StartExecution", FlowName="echo", ExecutionName="c")
    assert (refusal.code, refusal.status) == ("ResourceThrottled", 429)
    again = service("StartExecution", FlowName="echo", ExecutionName="a")
    assert again["Status"] == "Running"
    service.emulator.time.advance_to(service.emulator.clock.now() + 5)
    service("StartExecution", FlowName="echo", ExecutionName="c")
    service("StopExecution", FlowName="echo", ExecutionName="a")
    service("StartExecution", FlowName="echo", ExecutionName="d")
    assert service.refusal("StartExecution", FlowName="echo").code == "ResourceThrottled"
    service("DeleteFlow", Name="echo")
    service("CreateFlow", Name="echo", Definition=PASS, Description="", Type="FDL")
    for _ in range(10):
        service("StartExecution", FlowName="echo")


def test_a_schedule_goes_on_after_a_run_that_could_not_start() -> None:
    service = make_service(echo_flow({"status": "Running"}), max_running_executions=1)
    service("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="@every 1m")
    service.emulator.time.advance_to(service.emulator.clock.now() + 180)
    (first,) = service("ListExecutions", FlowName="echo")["Executions"]
    service("StopExecution", FlowName="echo", ExecutionName=first["Name"])
    service.emulator.time.advance_to(service.emulator.clock.now() + 60)
    assert len(service("ListExecutions", FlowName="echo")["Executions"]) == 2
