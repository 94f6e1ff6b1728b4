"""What a Python program does wrong: the exception is a CfmockError, and the caller's line is what its traceback ends with."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

import cfmock
from cfmock import CfmockError, CloudFlow
from tests.support.calls import echo_flow

pytest_plugins = ["pytester"]

PACKAGE = str(Path(cfmock.__file__).parent)

Misuse = Callable[[CloudFlow], Any]

FLOW = {"cfmock": 1, **echo_flow({})}


class Unwritable:
    """No JSON value."""


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


MISUSES: dict[str, tuple[type[Exception], Misuse]] = {
    "a parameter that is no JSON": (TypeError, lambda cf: cf.call("ListFlows", Limit=Unwritable())),
    "a parameter that has no end": (ValueError, lambda cf: cf.call("ListFlows", Limit=ENDLESS)),
    "an input that is no JSON": (TypeError, lambda cf: cf.run("echo", Unwritable())),
    "an input that JSON does not have": (ValueError, lambda cf: cf.run("echo", float("nan"))),
    "a time-out that is no time": (ValueError, lambda cf: cf.run("echo", timeout="soon")),
    "a mock's value that is no JSON": (TypeError, lambda cf: cf.task("later", "P").returns(Unwritable())),
    "a mock's value that JSON does not have": (ValueError, lambda cf: cf.task("later", "P").returns(float("inf"))),
    "a mock's time that is none": (ValueError, lambda cf: cf.task("later", "P").returns({}, after="soon")),
    "a mock's times that are none": (ValueError, lambda cf: cf.task("later", "P").waits(times=0)),
    "a mock's times that are no number": (TypeError, lambda cf: cf.task("later", "P").waits(times="2")),
    "a mock's times that are a truth": (TypeError, lambda cf: cf.task("later", "P").returns({}, times=True)),
    "a mock's code that is no text": (TypeError, lambda cf: cf.task("later", "P").fails(429)),
    "a mock's detail that is no text": (TypeError, lambda cf: cf.task("later", "P").fails("Busy", 429)),
    "a mock's code that is empty": (ValueError, lambda cf: cf.task("later", "P").fails("")),
    "a mock that never answers": (ValueError, lambda cf: cf.task("later", "P").fails("E", times=1).returns({}).fails("F")),
    "a mock's function that is none": (TypeError, lambda cf: cf.task("later", "P").calls("charge")),
    "an outcome's unknown key": (ValueError, lambda cf: cf.outcome("echo", stauts="Failed")),
    "an outcome's status that is none": (ValueError, lambda cf: cf.outcome("echo", status="Done")),
    "a fault without effect": (ValueError, lambda cf: cf.fault(when={"operation": "ListFlows"})),
    "a fault's code that is none": (ValueError, lambda cf: cf.fail("ListFlows", "Nope")),
    "a fault's unknown key": (ValueError, lambda cf: cf.fault(eror="AccessDenied")),
    "a fixture that is not there": (CfmockError, lambda cf: cf.load("nowhere.yaml")),
    "a fixture that is wrong": (CfmockError, lambda cf: cf.load({"cfmock": 1, "flwos": []})),
    "a span that is none": (ValueError, lambda cf: cf.clock.advance("soon")),
    "a span that is negative": (ValueError, lambda cf: cf.clock.advance(-1)),
    "a moment that is none": (ValueError, lambda cf: cf.clock.advance_to("2024-06-01")),
    "a filter that calls do not have": (ValueError, lambda cf: cf.calls(opreation="ListFlows")),
    "calls to wait for in no time": (ValueError, lambda cf: cf.wait_for_calls("ListFlows", timeout="soon")),
    "an assertion on an unknown operation": (ValueError, lambda cf: cf.assert_called("LstFlows")),
    "an assertion on an unknown parameter": (ValueError, lambda cf: cf.assert_called("ListFlows", Limt=1)),
    "an assertion on times that are none": (ValueError, lambda cf: cf.assert_called("ListFlows", times=-1)),
    "an order of nothing": (ValueError, lambda cf: cf.assert_order()),
    "a moment of a type that is none": (ValueError, lambda cf: cf.clock.advance_to(1)),
    "an assertion on a glob of no operation": (ValueError, lambda cf: cf.assert_called("Sart*")),
    "an assertion on a parameter of no such operation": (ValueError, lambda cf: cf.assert_called("Start*", CronExpression="x")),
    "an order of unknown operations": (ValueError, lambda cf: cf.assert_order("LstFlows")),
    "a backoff that is none": (ValueError, lambda cf: cf.assert_retries("ListFlows", backoff="slow")),
    "a source that is none": (TypeError, lambda cf: CloudFlow(3).__enter__()),
    "a source to load that is none": (TypeError, lambda cf: cf.load(None)),
    "a task's flow that is no name": (TypeError, lambda cf: cf.task(["later"], "P")),
    "a task that is no name": (TypeError, lambda cf: cf.task("later", 3)),
    "a mock's error without a code": (ValueError, lambda cf: cf.task("later", "P").fails("")),
    "a fault's operation that is no text": (TypeError, lambda cf: cf.fail(None, "AccessDenied")),
    "an operation that is no text": (TypeError, lambda cf: cf.call(["ListFlows"])),
    "an operation that cannot be sent": (ValueError, lambda cf: cf.call("\ud800")),
    "a parameter that cannot be sent": (ValueError, lambda cf: cf.call("ListFlows", NextToken="\ud800")),
    "a connection that a fault breaks": (
        ConnectionError, lambda cf: (cf.fault(transport="reset"), cf.call("ListFlows"))
    ),
    "a flow to run that is no name": (TypeError, lambda cf: cf.run(3)),
    "an execution's name that is no text": (TypeError, lambda cf: cf.run("echo", name=[3])),
    "executions of no flow": (TypeError, lambda cf: cf.executions([])),
    "tasks of no flow": (TypeError, lambda cf: cf.tasks([])),
    "calls of no operation": (TypeError, lambda cf: cf.calls(["ListFlows"])),
    "a limit that is no number": (TypeError, lambda cf: cf.calls(limit="10")),
    "a limit below nothing": (ValueError, lambda cf: cf.calls(limit=-1)),
    "a count that is no number": (TypeError, lambda cf: cf.wait_for_calls("ListFlows", count="2")),
    "calls of no operation to wait for": (TypeError, lambda cf: cf.wait_for_calls(["ListFlows"])),
    "retries of no operation": (TypeError, lambda cf: cf.retries(3)),
    "an assertion on no operation": (TypeError, lambda cf: cf.assert_called(["ListFlows"])),
    "an order of no operations": (TypeError, lambda cf: cf.assert_order(("ListFlows",))),
    "retries that are no number": (TypeError, lambda cf: cf.assert_retries("ListFlows", max="3")),
    "entered twice": (RuntimeError, lambda cf: cf.__enter__()),
    "a wrong setting": (CfmockError, lambda cf: CloudFlow(clok="virtual").__enter__()),
    "a server that was never entered": (RuntimeError, lambda cf: CloudFlow().call("ListFlows")),
    "a clock that was never entered": (RuntimeError, lambda cf: CloudFlow().clock.now),
}  # fmt: skip

AFTERWARDS: dict[str, Misuse] = {
    "call": lambda cf: cf.call("ListFlows"),
    "run": lambda cf: cf.run("echo"),
    "load": lambda cf: cf.load({"cfmock": 1}),
    "outcome": lambda cf: cf.outcome("echo"),
    "task": lambda cf: cf.task("later", "P"),
    "fail": lambda cf: cf.fail("ListFlows", "AccessDenied"),
    "fault": lambda cf: cf.fault(error="AccessDenied"),
    "reset": lambda cf: cf.reset(),
    "advance": lambda cf: cf.clock.advance(1),
    "wait_for_calls": lambda cf: cf.wait_for_calls("ListFlows", count=99),
}


def frames_of_the_package(trace: TracebackType | None) -> list[str]:
    """The frames of this package that pytest would show, as places."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(PACKAGE) and not trace.tb_frame.f_locals.get("__tracebackhide__"):
            found.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found


@pytest.mark.parametrize("what", MISUSES)
def test_misuse_is_a_cfmock_error_that_shows_the_callers_line(what: str) -> None:
    base, misuse = MISUSES[what]
    with CloudFlow(FLOW, clock="virtual") as cf, pytest.raises(CfmockError) as caught:
        misuse(cf)
    assert isinstance(caught.value, base)
    assert str(caught.value)
    assert frames_of_the_package(caught.value.__traceback__) == []
    assert type(caught.value).__name__ in cfmock.__all__
    assert "During handling" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("what", AFTERWARDS)
def test_what_needs_the_server_is_misuse_once_it_has_ended(what: str) -> None:
    with CloudFlow(FLOW, clock="virtual") as cf:
        cf.call("StartExecution", FlowName="echo", ExecutionName="e")
    with pytest.raises(cfmock.UsageError, match="the `with` block has ended") as caught:
        AFTERWARDS[what](cf)
    assert frames_of_the_package(caught.value.__traceback__) == []


def test_what_was_seen_can_be_looked_at_once_the_server_has_ended() -> None:
    with CloudFlow(FLOW, clock="virtual") as cf:
        fault = cf.fail("DescribeFlow", "AccessDenied")
        cf.call("StartExecution", FlowName="echo", ExecutionName="e")
    assert [call.operation for call in cf.calls()] == ["StartExecution"]
    assert [each.name for each in cf.executions("echo")] == ["e"]
    assert cf.wait_for_calls("StartExecution") == cf.assert_called("StartExecution")
    assert (cf.tasks(), cf.retries(), cf.violations, fault.hits) == ([], [], [], 0)
    fault.remove()
    assert cf.url.startswith("http://")
    with cf:
        assert cf.calls() == []


@pytest.mark.asyncio
async def test_asynchronous_methods_are_no_other() -> None:
    async with CloudFlow(FLOW, clock="virtual") as cf:
        for misuse in (
            cf.run_async("echo", timeout="soon"),
            cf.clock.advance_async("soon"),
            cf.call_async("ListFlows", Limit=Unwritable()),
        ):
            with pytest.raises(CfmockError) as caught:
                await misuse
            assert frames_of_the_package(caught.value.__traceback__) == []
        with pytest.raises(cfmock.UsageError, match="entered already"):
            await cf.__aenter__()
    for misuse in (
        cf.call_async("ListFlows"),
        cf.run_async("echo"),
        cf.clock.advance_async(1),
        cf.wait_for_calls_async("X"),
    ):
        with pytest.raises(cfmock.UsageError, match="the `with` block has ended") as ended:
            await misuse
        assert frames_of_the_package(ended.value.__traceback__) == []


def test_what_an_assertion_says_and_an_answer_stand_at_the_callers_line(pytester: pytest.Pytester) -> None:
    path = pytester.makepyfile(
        """
        from cfmock import CloudFlow

        def test_asserted():
            with CloudFlow() as cf:
                cf.assert_called("ListFlows")

        def test_answered():
            with CloudFlow() as cf:
                cf.call("DescribeFlow", Name="nope")

        def test_strict():
            with CloudFlow(strict=True, auth="off") as cf:
                cf.call("ListFlows", Bogus=1)

        def test_misused():
            with CloudFlow() as cf:
                cf.clock.advance("soon")
        """
    )
    result = pytester.runpytest_subprocess("--tb=short", "-p", "no:randomly", "-p", "no:cacheprovider", timeout=60)
    result.assert_outcomes(failed=4)
    lines = path.read_text().splitlines()
    said = result.stdout.str()
    for text in ("assert_called", 'call("DescribeFlow', "with CloudFlow(strict=True", "advance("):
        number = next(n for n, line in enumerate(lines, 1) if text in line)
        assert f"{path.name}:{number}: in test_" in said
    assert "cfmock/api" not in said
