"""Functions that stand in for tasks: each in a thread, in a certain order, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow, TaskFailed, UsageError, WaitingForReport
from cfmock.api import runs
from cfmock.server import function_calls
from tests.support.calls import echo_flow

LONG = 30.0
"""Seconds that nothing here needs: whoever waits for it waits for something that never comes."""


def task(name: str, **more: Any) -> dict[str, Any]:
    parameters = {"body.$": "$Input"}
    return {"Type": "Task", "Name": name, "Action": "FC:InvokeFunction", "Parameters": parameters, "End": True, **more}


def definition(name: str, *states: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": states[0]["Name"], "States": states}


ONE = definition("one", task("A"))
TIMED = definition("timed", task("A", Timeout=10))
TWO = definition("two", task("A", End=False, Next="B"), task("B"))
MAP = definition(
    "map",
    {
        "Type": "Map", "Name": "M", "ItemsPath": "$Input.l", "End": True,
        "Processor": {"StartAt": "T", "States": [task("T")]},
    },
)  # fmt: skip
FLOWS = {
    "cfmock": 1,
    "flows": [
        *({"name": each["Name"], "definition": each} for each in (ONE, TIMED, TWO, MAP)),
        *echo_flow({})["flows"],
    ],
}


@pytest.fixture(params=["virtual", "real"])
def cf(request: pytest.FixtureRequest) -> Iterator[CloudFlow]:
    with CloudFlow(FLOWS, clock=request.param) as server:
        yield server


@pytest.fixture
def virtual() -> Iterator[CloudFlow]:
    with CloudFlow(FLOWS, clock="virtual") as server:
        yield server


def test_a_function_may_call_the_server_it_stands_in(cf: CloudFlow) -> None:
    def handler(event: Any) -> Any:
        cf.call("StartExecution", FlowName="echo", ExecutionName="inner", Input={"by": "function"})
        inner = cf.call("DescribeExecution", FlowName="echo", ExecutionName="inner", WaitTimeSeconds=20)
        return {"status": inner["Status"], "run": cf.run("echo").status, "runs": len(cf.executions("echo"))}

    cf.task("one", "A").calls(handler)
    done = cf.run("one", {"i": 0})
    assert done.output == {"Body": {"status": "Succeeded", "run": "Succeeded", "runs": 2}}


def test_others_are_served_while_a_function_runs(cf: CloudFlow) -> None:
    entered, leave = threading.Event(), threading.Event()

    def handler(event: Any) -> None:
        entered.set()
        assert leave.wait(LONG)

    cf.task("one", "A").calls(handler)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cf.run, "one", {"i": 0})
        assert entered.wait(LONG)
        assert cf.run("echo", {"a": 1}).status == "Succeeded"
        assert cf.executions("one")[0].status == "Running"
        leave.set()
        assert running.result(LONG).status == "Succeeded"


def test_a_function_has_the_context_of_its_caller(cf: CloudFlow) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")
    cf.task("one", "A").calls(lambda event: variable.get())
    variable.set("the test's")
    assert cf.run("one", {"i": 0}).output == {"Body": "the test's"}


def test_what_a_function_returns_may_be_awaitable(cf: CloudFlow) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return "later"

    cf.task("one", "A").calls(lambda event: later())
    assert cf.run("one", {"i": 0}).output == {"Body": "later"}


@pytest.mark.parametrize(
    "error", [KeyError("x"), SystemExit(3), KeyboardInterrupt()], ids=lambda error: type(error).__name__
)
def test_whatever_a_function_raises_fails_its_task(cf: CloudFlow, error: BaseException) -> None:
    def handler(event: Any) -> None:
        raise error

    cf.task("one", "A").calls(handler)
    done = cf.run("one", {"i": 0})
    assert done.error is not None
    assert (done.status, done.error["code"]) == ("Failed", type(error).__name__)


# -- answers ------------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_start_waits_for_the_functions_it_sets_going(cf: CloudFlow) -> None:
    cf.task("two", "A").calls(lambda event: time.sleep(0.05) or {"a": 1})
    cf.task("two", "B").calls(lambda event: time.sleep(0.05) or {"b": 2})
    cf.call("StartExecution", FlowName="two", ExecutionName="e", Input={"i": 0})
    assert cf.call("DescribeExecution", FlowName="two", ExecutionName="e")["Status"] == "Succeeded"


def test_the_answer_to_a_start_does_not_wait_for_ever(cf: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_calls.FunctionCalls.settle, "__defaults__", (0.05,))
    leave = threading.Event()
    cf.task("one", "A").calls(lambda event: leave.wait(LONG))
    cf.call("StartExecution", FlowName="one", ExecutionName="e", Input={"i": 0})
    assert cf.call("DescribeExecution", FlowName="one", ExecutionName="e")["Status"] == "Running"
    leave.set()


def test_a_function_of_before_a_reset_holds_nothing_back(virtual: CloudFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_calls, "GRACE", LONG)
    begun, over = threading.Event(), threading.Event()

    def slow(event: Any) -> Any:
        begun.set()
        over.wait(LONG)
        return {"late": True}

    virtual.task("one", "A").calls(slow)
    start = threading.Thread(
        target=virtual.call, args=["StartExecution"], kwargs={"FlowName": "one", "ExecutionName": "e"}
    )
    start.start()
    assert begun.wait(LONG)
    virtual.reset()
    virtual.task("one", "A").calls(lambda event: {"quick": True})
    assert virtual.run("one", name="e", timeout=LONG / 3).output == {"Body": {"quick": True}}
    assert not over.is_set()
    over.set()
    start.join()
    assert [each.output for each in virtual.executions("one")] == [{"Body": {"quick": True}}]


def test_an_async_function_of_before_a_reset_counts_as_running_no_longer(
    virtual: CloudFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "QUIET", 0.05)
    ended = threading.Event()

    async def endless(event: Any) -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            ended.set()

    virtual.task("one", "A").calls(endless)
    virtual.call("StartExecution", FlowName="one", ExecutionName="e")
    virtual.reset()
    virtual.task("one", "A").waits()
    with pytest.raises(WaitingForReport):
        virtual.run("one", timeout=LONG / 3)
    assert not ended.is_set()


def test_leaving_the_server_waits_for_no_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_calls.FunctionCalls.settle, "__defaults__", (0.05,))
    leave, left = threading.Event(), threading.Event()

    def handler(event: Any) -> None:
        leave.wait(LONG)
        left.set()

    with CloudFlow(FLOWS) as cf:
        cf.task("one", "A").calls(handler)
        cf.call("StartExecution", FlowName="one", Input={"i": 0})
    assert not left.is_set()
    leave.set()


# -- order --------------------------------------------------------------------------------------------------------------


def test_results_of_one_moment_are_taken_in_the_order_of_the_calls(virtual: CloudFlow) -> None:
    last_has_ended = threading.Event()

    def handler(event: Any) -> Any:
        if event["i"] == 2:
            last_has_ended.set()
        else:
            assert last_has_ended.wait(LONG)
        return event["i"]

    virtual.task("map", "T").calls(handler)
    done = virtual.run("map", {"l": [{"i": 0}, {"i": 1}, {"i": 2}]})
    succeeded = [event["EventDetail"] for event in done.events if event["Type"] == "TaskSucceeded"]
    assert succeeded == [f'{{"output":{{"Body":{index}}}}}' for index in range(3)]


def test_a_result_does_not_wait_for_an_earlier_one_for_ever(
    virtual: CloudFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_calls, "GRACE", 0.05)
    third_was_taken = threading.Event()

    def handler(event: Any) -> Any:
        if event["i"] == 0:
            # The first has to end after the third has been taken; a result that waited for it would never be.
            deadline = time.monotonic() + LONG
            while time.monotonic() < deadline and not third_was_taken.is_set():
                taken = [each["Type"] for each in virtual.executions("map")[0].events].count("TaskSucceeded")
                if taken == 2:
                    third_was_taken.set()
                time.sleep(0.01)
        return event["i"]

    virtual.task("map", "T").calls(handler)
    virtual.run("map", {"l": [{"i": 0}, {"i": 1}, {"i": 2}]})
    assert third_was_taken.is_set()


def test_a_hundred_functions_run_at_once_and_more_wait_for_their_turn(
    virtual: CloudFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_calls, "MAX_THREADS", 3)
    lock, running, most = threading.Lock(), 0, 0

    def handler(event: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1

    virtual.task("map", "T").calls(handler)
    assert virtual.run("map", {"l": [{"i": index} for index in range(20)]}).status == "Succeeded"
    assert most <= 3
    assert function_calls.MAX_THREADS == 3


# -- time ----------------------------------------------------------------------------------------------------------------


def test_a_function_that_moves_the_clock_runs_into_its_time_out(virtual: CloudFlow) -> None:
    virtual.task("timed", "A").calls(lambda event: virtual.clock.advance(60))
    done = virtual.run("timed", {"i": 0})
    assert done.error is not None
    assert (done.error["code"], (done.stopped - done.started).total_seconds()) == ("FnF.TaskTimeout", 10)  # type: ignore[operator]


def test_time_stands_while_a_function_runs(virtual: CloudFlow) -> None:
    entered, leave = threading.Event(), threading.Event()
    moments = []

    def handler(event: Any) -> None:
        entered.set()
        assert leave.wait(LONG)
        moments.append(virtual.clock.now)

    virtual.task("timed", "A").calls(handler)
    before = virtual.clock.now
    with ThreadPoolExecutor(2) as pool:
        started = pool.submit(virtual.call, "StartExecution", FlowName="timed", Input={"i": 0})
        assert entered.wait(LONG)
        advanced = pool.submit(virtual.clock.advance, "1h")
        started.result(LONG)
        leave.set()
        advanced.result(LONG)
    assert moments == [before]
    assert virtual.executions("timed")[0].status == "Succeeded"
    assert (virtual.clock.now - before).total_seconds() == 3600


def test_a_function_started_by_an_advance_is_waited_for(virtual: CloudFlow) -> None:
    waits = definition("waits", {"Type": "Wait", "Name": "W", "Seconds": 5, "Next": "A"}, task("A"))
    virtual.load({"cfmock": 1, "flows": [{"name": "waits", "definition": waits}]})
    virtual.task("waits", "A").calls(lambda event: time.sleep(0.05) or {"now": str(virtual.clock.now)})
    virtual.call("StartExecution", FlowName="waits", Input={"i": 0})
    virtual.clock.advance("1h")
    (done,) = virtual.executions("waits")
    assert (done.status, (done.stopped - done.started).total_seconds()) == ("Succeeded", 5)  # type: ignore[operator]


def test_the_admin_api_waits_with_the_clock_for_functions_too(virtual: CloudFlow) -> None:
    import urllib.request

    waits = definition("waits", {"Type": "Wait", "Name": "W", "Seconds": 5, "Next": "A"}, task("A"))
    virtual.load({"cfmock": 1, "flows": [{"name": "waits", "definition": waits}]})
    virtual.task("waits", "A").calls(lambda event: time.sleep(0.05))
    virtual.call("StartExecution", FlowName="waits", Input={"i": 0})
    request = urllib.request.Request(f"{virtual.url}/_cfmock/clock", b'{"advance": "1h"}', method="POST")
    with urllib.request.urlopen(request, timeout=LONG):
        pass
    assert virtual.executions("waits")[0].status == "Succeeded"


# -- in a running loop --------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_in_a_running_loop_a_function_may_use_the_server_too() -> None:
    async with CloudFlow(FLOWS, clock="virtual") as cf:
        cf.task("one", "A").calls(lambda event: len(cf.call("ListFlows")["Flows"]))
        assert (await cf.run_async("one", {"i": 0})).output == {"Body": 5}
        # Plain methods hold the loop, but do what functions ask for meanwhile.
        assert cf.run("one", {"i": 0}).output == {"Body": 5}
        cf.call("StartExecution", FlowName="one", ExecutionName="e", Input={"i": 0})
        assert cf.call("DescribeExecution", FlowName="one", ExecutionName="e")["Status"] == "Succeeded"


@pytest.mark.asyncio
async def test_in_a_running_loop_a_plain_call_waits_a_moment_for_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_calls.FunctionCalls.block, "__defaults__", (0.05,))
    leave = threading.Event()
    async with CloudFlow(FLOWS, clock="virtual") as cf:
        cf.task("one", "A").calls(lambda event: leave.wait(LONG))
        with pytest.raises(UsageError, match="run_async"):
            cf.run("one", {"i": 0})
        leave.set()


@pytest.mark.asyncio
async def test_a_clock_that_is_awaited_waits_for_functions() -> None:
    async with CloudFlow(FLOWS, clock="virtual") as cf:
        cf.task("one", "A").calls(lambda event: time.sleep(0.05))
        cf.call("StartExecution", FlowName="one", ExecutionName="e", Input={"i": 0})
        before = cf.clock.now
        await cf.clock.advance_async("1h")
        await cf.clock.advance_to_async(before.replace(year=before.year + 1))
        assert cf.executions("one")[0].status == "Succeeded"


def test_task_failed_names_the_failure(cf: CloudFlow) -> None:
    def refuse(event: Any) -> None:
        raise TaskFailed("Refused", "card expired")

    cf.task("one", "A").calls(refuse)
    assert cf.run("one", {"i": 0}).error == {"code": "Refused", "detail": "card expired"}
    assert cf.warnings == []


class Untold(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def amount(event: Any) -> Any:
    return json.loads("{}")["amont"]


def broken(event: Any) -> Any:
    return amount(event)


async def broken_later(event: Any) -> Any:
    return json.loads(event["none"] * 1000)


def untold(event: Any) -> Any:
    raise Untold


@pytest.mark.parametrize(
    ("function", "code", "detail", "line"),
    [
        (broken, "KeyError", "'amont'", 'return json.loads("{}")["amont"]'),
        (broken_later, "KeyError", "'none'", 'json.loads(event["none"] * 1000)'),
        (untold, "Untold", "an exception without a text", "raise Untold"),
        (json.dumps, "", "", ""),
    ],
)
def test_of_an_exception_of_a_function_its_line_is_told_once(cf: CloudFlow, function, code, detail, line) -> None:
    """Not that of a library it calls, nor our own; and of a function that is well nothing."""
    cf.task("one", "A").calls(function)
    for _ in range(2):
        cf.run("one", {"i": 0})
    if not code:
        assert cf.warnings == []
        return
    (warning,) = cf.warnings
    assert warning.startswith(f"flow 'one': the function of task 'A' raised {code}: {detail} ({__file__}:")
    number = int(warning.rpartition(":")[2].partition(",")[0])
    assert line in Path(__file__).read_text(encoding="utf-8").splitlines()[number - 1]
