"""Wrong uses of the public API: a type checker refuses each line that says so, and no other."""

from __future__ import annotations

import cfmock
from cfmock import CloudFlow, ErrorCode, Execution, Retries


def settings() -> None:
    CloudFlow(clok="virtual")  # refused
    CloudFlow(clock="vitual")  # refused
    CloudFlow(auth="on")  # refused
    CloudFlow(reload=True)  # refused
    CloudFlow(unused="eror")  # refused
    CloudFlow(3)  # refused
    cfmock.SettingKeywords(seed="7")  # refused


def outcomes(cf: CloudFlow) -> None:
    cf.outcome("f", statuss="x")  # refused
    cf.outcome("f", status="Suceeded")  # refused
    cf.outcome("f", when={"exection": "o-*"})  # refused
    cf.outcome("f", error={"detail": "no code"})  # refused
    cf.outcome("f", after={"pols": 3})  # refused


def faults(cf: CloudFlow, text: str) -> None:
    cf.fail("StartExecution", "Nope")  # refused
    cf.fail("StartExecution", text)  # refused
    cf.fail("StartExecution", "AccessDenied", bogus=1)  # refused
    cf.fault(bogus=1)  # refused
    cf.fault(transport="rest")  # refused
    cf.fault(when={"opration": "ListFlows"}, error="AccessDenied")  # refused
    cf.fault(delay={"distribution": "uniform", "median": 1})  # refused
    cf.fault(custom_error={"code": "Mine"})  # refused


def calls(cf: CloudFlow) -> None:
    cf.calls("X", bogus=1)  # refused
    cf.calls(opreation="ListFlows")  # refused
    cf.calls("StartExecution", FlowNam="order")  # refused
    cf.wait_for_calls("ListFlows", cuont=2)  # refused
    cf.assert_called("ListFlows", Limt=1)  # refused
    cf.assert_order(("ListFlows", {"Limt": 1}))  # refused
    cf.assert_retries("ListFlows", backoff="slow")  # refused


def looking(execution: Execution, retries: Retries, cf: CloudFlow) -> object:
    assert execution.error["code"]  # refused: there may be none
    execution.visits.append("A")  # refused
    cf.tasks()[0]["tokn"]  # refused
    return execution.status == "Suceeded" or (  # refused
        retries.backoff == "expontential"  # refused
    )


def tasks(cf: CloudFlow) -> None:
    cf.task("f", "A").returns({}, afer="2s")  # refused
    cf.task("f", "A").fails()  # refused
    cf.task("f", "A").retruns({})  # refused


code: ErrorCode = "Nope"  # refused
cfmock.Nothing  # refused  # noqa: B018
