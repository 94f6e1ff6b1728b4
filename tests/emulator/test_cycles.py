"""What a call and an execution took is free as soon as they are over: nothing waits for the garbage collector, which is slowed
on servers."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from cfmock.protocol.wire.messages import Pending, Request
from tests.support.calls import Service, make_service

State = dict[str, Any]

ITEMS = json.dumps({"items": [1, 2, 3], "text": "x" * 100})


def flow(*states: State, **more: Any) -> dict[str, Any]:
    """A flow of these states, one after the other unless they say otherwise."""
    rows = []
    for number, state in enumerate(states, 1):
        follows = {} if "Next" in state or state["Type"] in ("Succeed", "Fail") else {"Next": f"S{number + 1}"}
        if number == len(states) and state["Type"] not in ("Succeed", "Fail"):
            follows = {"End": True}
        rows.append({"Name": f"S{number}", **state, **follows})
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "S1", "States": rows}
    return {"name": "f", "definition": definition, **more}


PASS: State = {"Type": "Pass"}
TASK: State = {"Type": "Task", "Action": "FC:InvokeFunction"}
FAIL: State = {"Type": "Fail", "Code": "Broken"}
CAUGHT: State = {**TASK, "Catch": [{"Errors": ["Broken"], "Next": "S2"}]}
RETRIED: State = {**TASK, "Retry": [{"Errors": ["Broken"], "MaxAttempts": 2, "IntervalSeconds": 1}]}
BROKEN = {"fails": {"code": "Broken"}}
CALLBACK: State = {**TASK, "TaskMode": "WaitForCustomCallback"}


def parts(*inner: State, **more: Any) -> State:
    return {"StartAt": "A", "States": [{"Name": "A", "End": True, **each} for each in inner], **more}


PARALLEL: State = {"Type": "Parallel", "Branches": [parts(PASS), parts({"Type": "Wait", "Seconds": 5}), parts(TASK)]}
MAP: State = {"Type": "Map", "ItemsPath": "$Input.items", "Processor": parts(TASK)}
CHILDREN: State = {**MAP, "Processor": parts(TASK, ProcessorConfig={"Mode": "Distributed"})}
NESTED: State = {
    "Type": "Task", "Action": "FNF:StartExecution", "TaskMode": "WaitForSystemCallback",
    "Parameters": {"resourceArn": "acs:fnf:::flow/child"},
}  # fmt: skip

EXECUTIONS: dict[str, dict[str, Any]] = {
    "pass": flow(PASS, PASS),
    "fail": flow(PASS, FAIL),
    "expression fails": flow({"Type": "Pass", "OutputConstructor": {"a.$": "$Input.nothing.more"}}),
    "too much data": flow({"Type": "Pass", "OutputConstructor": {f"a{n}.$": "$Input" for n in range(999)}}),
    "wait": flow({"Type": "Wait", "Seconds": 5}),
    "task": flow(TASK, TASK),
    "task later": flow(TASK, tasks={"S1": [{"returns": {}, "after": "5s"}]}),
    "task fails": flow(TASK, tasks={"S1": [BROKEN]}),
    "caught": flow(CAUGHT, PASS, tasks={"S1": [BROKEN]}),
    "retried": flow(RETRIED, tasks={"S1": [{**BROKEN, "times": 1}]}),
    "retried in vain": flow(RETRIED, tasks={"S1": [BROKEN]}),
    "task timed out": flow({**TASK, "Timeout": 5}, tasks={"S1": [{"waits": True}]}),
    "timed out": {**flow(TASK, tasks={"S1": [{"waits": True}]}), "timeout": 5},
    "reported": flow(CALLBACK),
    "parallel": flow(PARALLEL),
    "parallel fails": flow(PARALLEL, tasks={"A": [BROKEN]}),
    "map": flow(MAP),
    "map fails": flow(MAP, tasks={"A": [BROKEN]}),
    "map run": flow(CHILDREN),
    "map run fails": flow(CHILDREN, tasks={"A": [BROKEN]}),
    "nested": flow(NESTED),
    "nested, canned": flow(NESTED, tasks={"S1": [{"returns": {}}]}),
    "outcome": flow(PASS, outcomes=[{"output": {"a": 1}}]),
    "outcome later": flow(PASS, outcomes=[{"status": "Failed", "after": "5s"}]),
    "outcome by polls": flow(PASS, outcomes=[{"output": {"a": 1}, "after": {"polls": 1}}]),
}


@pytest.fixture
def collected() -> Iterator[Callable[[], list[str]]]:
    """Tells what only the collector has freed since it was asked last."""
    gc.disable()
    gc.freeze()  # nothing of before is looked through

    def found() -> list[str]:
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        names = [type(each).__name__ for each in gc.garbage]
        gc.garbage.clear()
        gc.collect()
        return names

    yield found
    gc.unfreeze()
    gc.enable()


def service_of(kind: str) -> Service:
    row = dict(EXECUTIONS[kind])
    timeout = row.pop("timeout", None)
    if timeout:
        row["definition"] = {**row["definition"], "TimeoutSeconds": timeout}
    child = {"name": "child", "definition": flow({"Type": "Wait", "Seconds": 2}, PASS)["definition"]}
    return make_service({"flows": [row, child]})


def perform(service: Service, name: str, stop: bool = False) -> str:
    """An execution from its start to its end."""
    service("StartExecution", FlowName="f", ExecutionName=name, Input=ITEMS)
    emulator = service.emulator
    world = emulator.worlds.default()
    for lives in world.live.values():
        for live in list(lives.values()):
            run = getattr(live, "run", None)
            for token in list(run.waiting) if run is not None and not stop else []:
                service("ReportTaskSucceeded", TaskToken=token, Output="{}")
    if stop:
        service.send("StopExecution", FlowName="f", ExecutionName=name)
    emulator.time.advance_to(emulator.clock.now() + 60)
    service("DescribeExecution", FlowName="f", ExecutionName=name)
    return str(service("DescribeExecution", FlowName="f", ExecutionName=name)["Status"])


@pytest.mark.parametrize("stop", [False, True], ids=["ends", "stopped"])
@pytest.mark.parametrize("kind", EXECUTIONS)
def test_an_execution_that_has_ended_is_free_but_for_what_is_kept(
    kind: str, stop: bool, collected: Callable[[], list[str]]
) -> None:
    service = service_of(kind)
    perform(service, "first", stop)
    collected()
    status = perform(service, "second", stop)
    assert status != "Running"
    assert collected() == []


LONG = "x" * 5_000_000


def refused(service: Service, kind: str) -> None:
    emulator, signed = service.emulator, service.request("DescribeFlow", Name="f")
    match kind:
        case "unknown flow":
            service.send("DescribeFlow", Name="nope")
        case "bad definition":
            service.send("CreateFlow", Name="g", Definition="Type: StateMachine", Description="", Type="FDL")
        case "bad input":
            service.send("StartExecution", FlowName="f", Input="[")
        case "unknown action":
            service.send("Nothing")
        case "wrong signature":
            emulator.handle(replace(signed, target=signed.target.replace("Signature=", "Signature=x")))
        case "unsigned":
            emulator.handle(Request("POST", "/?Action=ListFlows&Version=2019-03-15", {"host": "h"}))
        case "old":
            text = "Timestamp=2020-01-01T00%3A00%3A00Z"
            emulator.handle(Request("GET", f"/?{text}&{signed.target.partition('?')[2]}", {"host": "h"}))
        case "too large":
            emulator.handle(Request("POST", "/", {"host": "h"}, LONG.encode()))
        case "no form":
            emulator.handle(replace(signed, headers={**signed.headers, "content-type": "text/plain"}, body=b"a"))
        case "bad JSON":
            emulator.handle(replace(signed, headers={**signed.headers, "content-type": "application/json"}, body=b"{"))
        case "there already":
            service.send("StartExecution", FlowName="f", ExecutionName="first")
        case "long poll":
            pending = service.send("DescribeExecution", FlowName="f", ExecutionName="runs", WaitTimeSeconds=5)
            assert isinstance(pending, Pending)
            pending.expire()
        case "left":
            pending = service.send("DescribeExecution", FlowName="f", ExecutionName="runs", WaitTimeSeconds=5)
            assert isinstance(pending, Pending)
            pending.abandon()


CALLS = (
    "unknown flow", "bad definition", "bad input", "unknown action", "wrong signature", "unsigned", "old", "too large",
    "no form", "bad JSON", "there already", "long poll", "left",
)  # fmt: skip


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_that_is_over_is_free_but_for_what_is_kept(kind: str, collected: Callable[[], list[str]]) -> None:
    runs = {"when": {"execution": "runs"}, "status": "Running"}
    service = make_service({"flows": [flow(PASS, outcomes=[runs])]})
    for name in ("first", "runs"):
        service("StartExecution", FlowName="f", ExecutionName=name)
    refused(service, kind)
    collected()
    refused(service, kind)
    assert collected() == []
