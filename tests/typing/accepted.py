"""Ordinary use of the public API, which mypy --strict accepts and which runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeGuard, get_args

import cfmock
from cfmock import Call, CfmockError, CloudFlow, ErrorCode, Execution, Fault, FlowClock, Retries, ServiceError, Task

FLOW = {"name": "order", "definition": {"Type": "StateMachine", "Name": "order", "SpecVersion": "v1", "StartAt": "A", "States": [
    {"Type": "Task", "Name": "A", "Action": "FC:InvokeFunction", "End": True},
]}}  # fmt: skip


def is_error_code(text: str) -> TypeGuard[ErrorCode]:
    return text in get_args(ErrorCode)


def settings() -> None:
    CloudFlow("fixtures/", Path("more"), {"cfmock": 1}, host="::1", port=8790, unused="error")
    CloudFlow(clock="virtual", auth="off", errors="gateway", unmocked_tasks="fail", rate_limits="documented")
    CloudFlow(now="2024-06-01T00:00:00Z", max_time_skew="15m", seed=None, strict=True, task_hosts=["a.test"])
    CloudFlow(now=datetime.now(timezone.utc), journal=Path("calls.jsonl"), tls=True, tls_ca_out="ca.pem")
    more: cfmock.SettingKeywords = {"clock": "virtual", "seed": 7}
    CloudFlow(**more)


def outcomes(cf: CloudFlow) -> None:
    cf.outcome("order", when={"execution": "o-*", "input": {"kind": "express"}}, output={"ok": True}, times=1)
    cf.outcome("order", when={"execution": "f-*"}, status="Failed", error={"code": "Refused", "detail": "too much"})
    cf.outcome("order", when={"execution": "p-*"}, status="TimedOut", after={"polls": 3})
    cf.outcome("order", when={"execution": "l-*"}, after="2s")


def faults(cf: CloudFlow, text: str) -> Iterator[Fault]:
    yield cf.fail("StartExecution", "ResourceThrottled")
    yield cf.fail("Start*", "InternalServerError", times=2, flow="order*", call=[1, 2], probability=0.5)
    if is_error_code(text):
        yield cf.fail("ListFlows", text)
    yield cf.fault(error=text)
    yield cf.fault(when={"operation": ["List*", "Describe*"], "every": 10}, transport="reset", after_operation=True)
    yield cf.fault(custom_error={"status": 503, "code": "ServiceUnavailable"}, retry_after="2s", name="down")
    yield cf.fault(delay={"distribution": "uniform", "min": 0, "max": "1ms"}, expires="10m")
    yield cf.fault(rate_limit={"per_second": 20}, times=None)
    yield cf.fault(clock_skew="-20m")


def mocks(task: Task) -> Task:
    async def later(event: object) -> dict[str, int]:
        return {"a": 1}

    task.returns({"Body": {"receipt": "r1"}}, after="3h", times=1).fails("Refused", "too much", times=2).waits(times=1)
    return task.calls(json.dumps, times=3).calls(lambda event: event["amount"], times=1).calls(later)


def clock(clock: FlowClock) -> float:
    clock.advance("15m")
    clock.advance(timedelta(hours=1))
    clock.advance_to(clock.now + timedelta(seconds=5))
    clock.advance_to("2099-01-01T00:00:00Z")
    return clock.now.timestamp()


def calls(cf: CloudFlow) -> list[Call]:
    answer = cf.call("StartExecution", FlowName="order", ExecutionName="o-1", Input={"kind": "express"})
    assert answer["Status"] == "Running"
    cf.assert_called("StartExecution", times=1, FlowName="ord*", Input={"kind": "express"})
    cf.assert_order("StartExecution")
    cf.assert_order(("StartExecution", {"FlowName": "order"}))
    seen = cf.calls("StartExecution", flow="order", FlowName="order", status=200, code="", fault=None, limit=10)
    return seen + cf.wait_for_calls("Start*", count=1, timeout="1s", ExecutionName="o-1")


def looking(cf: CloudFlow, found: Execution) -> list[str]:
    assert found.status == "Succeeded" or found.error is not None
    names: tuple[str, ...] = found.visits
    types = [event["Type"] for event in found.events]
    retries: list[Retries] = cf.retries("StartExecution")
    cf.assert_retries("StartExecution", max=0, backoff="exponential", same_name=True)
    tokens = [task["token"] for task in cf.tasks("order")]
    return [*names, *types, *map(str, retries), *tokens, *cf.warnings, *[each.kind for each in cf.violations]]


def errors(cf: CloudFlow) -> str | None:
    try:
        cf.call("DescribeFlow", Name="nope")
    except ServiceError as error:
        return error.code
    except cfmock.BrokenConnection as error:
        return error.transport
    except CfmockError:
        return None
    return None


async def in_a_running_loop(cf: CloudFlow) -> None:
    await cf.clock.advance_async("1s")
    await cf.call_async("ListFlows", Limit=1)
    done = await cf.run_async("order", {"amount": 1}, name="o-2", timeout=None)
    assert done.status != "Running"


def of_an_error_case(case: cfmock.ErrorCase) -> str:
    return f"{case.operation} {case.code or case.transport} {case.status} {case.message} {case.fault.hits}"


def use() -> None:
    """Do what can be done one after the other."""
    settings()
    with CloudFlow({"cfmock": 1, "flows": [FLOW]}, clock="virtual") as cf:
        outcomes(cf)
        for fault in faults(cf, "AccessDenied"):
            assert fault.hits == 0
            fault.remove()
        mocks(cf.task("order", "A"))
        clock(cf.clock)
        assert len(calls(cf)) == 2
        looking(cf, cf.run("order", name="o-3"))
        assert errors(cf) == "FlowNotExists"
        assert of_an_error_case(cfmock.ErrorCase(cf, "ListFlows", code="AccessDenied")).startswith("ListFlows Acc")
