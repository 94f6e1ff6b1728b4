"""`cf.run`: how long it waits, and for what."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cfmock import CloudFlow, ServiceError, UsageError, WaitingForReport, WaitTimeout
from cfmock.api import runs

LONG = 30.0


def asks(name: str, **more: Any) -> dict[str, Any]:
    """A flow that waits for the report of a task."""
    state = {
        "Type": "Task", "Name": "Ask", "Action": "FC:InvokeFunction", "TaskMode": "WaitForCustomCallback",
        "Parameters": {"body": {"token.$": "$Context.Current.TaskToken"}}, "End": True, **more,
    }  # fmt: skip
    return {
        "name": name,
        "definition": {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": "Ask", "States": [state]},
    }


OUTER = """\
Type: StateMachine
SpecVersion: v1
Name: outer
StartAt: Start
States:
  - Type: Task
    Name: Start
    Action: FNF:StartExecution
    TaskMode: WaitForSystemCallback
    Parameters: {resourceArn: "acs:fnf:::flow/asks", input: {}}
    End: true
"""
FLOWS = {
    "cfmock": 1,
    "flows": [asks("asks"), asks("timed", Timeout=10), {"name": "outer", "definition": OUTER}],
}


@pytest.fixture(autouse=True)
def soon_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "QUIET", 0.1)


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow(FLOWS, clock="virtual") as server:
        yield server


def test_a_task_that_nobody_will_report_runs_into_its_time_out(cf: CloudFlow) -> None:
    done = cf.run("timed")
    assert done.error is not None
    assert (done.status, done.error["code"]) == ("Failed", "FnF.TaskTimeout")
    assert (done.stopped - done.started).total_seconds() == 10  # type: ignore[operator]


def test_without_a_time_out_it_says_what_is_waited_for(cf: CloudFlow) -> None:
    with pytest.raises(WaitingForReport, match=r"execution 'e1' of flow 'asks' waits for a report of 'Ask'") as caught:
        cf.run("asks", name="e1")
    (task,) = caught.value.tasks
    assert (task["state"], task["token"]) == ("Ask", cf.tasks()[0]["token"])
    assert task["since"] == cf.tasks()[0]["since"]


def test_the_task_of_a_nested_execution_is_named_too(cf: CloudFlow) -> None:
    with pytest.raises(WaitingForReport) as caught:
        cf.run("outer")
    assert [task["state"] for task in caught.value.tasks] == ["Ask"]


def test_a_function_that_was_given_the_token_may_take_its_time(cf: CloudFlow) -> None:
    def hand_over(event: Any) -> None:
        def report() -> None:
            time.sleep(3 * runs.QUIET)
            cf.call("ReportTaskSucceeded", TaskToken=event["token"], Output={"by": "thread"})

        threading.Thread(target=report, daemon=True).start()

    cf.task("asks", "Ask").calls(hand_over)
    assert cf.run("asks").output == {"by": "thread"}


def test_whoever_looks_for_tasks_may_be_about_to_report_them(cf: CloudFlow) -> None:
    asked = threading.Event()

    def report() -> None:
        for _ in range(12):
            asked.set()
            cf.tasks()
            time.sleep(runs.QUIET / 4)
        cf.call("ReportTaskSucceeded", TaskToken=cf.tasks()[0]["token"], Output={"by": "poller"})

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    assert asked.wait(LONG)
    assert cf.run("asks").output == {"by": "poller"}
    reporter.join(LONG)


def test_who_changes_the_input_of_a_waiting_task_changes_no_execution(cf: CloudFlow) -> None:
    cf.call("StartExecution", FlowName="asks", Input={"a": 1})
    cf.tasks()[0]["input"]["a"] = 2
    assert cf.tasks()[0]["input"] == {"a": 1}


@pytest.mark.asyncio
async def test_a_reporter_beside_it_is_waited_for() -> None:
    async with CloudFlow(FLOWS, clock="virtual") as cf:

        async def report() -> None:
            while not (found := cf.tasks()):
                await asyncio.sleep(0)
            await cf.call_async("ReportTaskSucceeded", TaskToken=found[0]["token"], Output={"by": "reporter"})

        done, _ = await asyncio.gather(cf.run_async("asks"), report())
        assert done.output == {"by": "reporter"}


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_it_waits_so_many_seconds_of_real_time(clock: str) -> None:
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f", "outcomes": [{"status": "Running"}]}]}, clock=clock) as cf:
        with pytest.raises(WaitTimeout, match=r"'e1' of flow 'f' has not ended after 50ms"):
            cf.run("f", name="e1", timeout=0.05)
        assert issubclass(WaitTimeout, TimeoutError)


def test_the_input_may_be_json_text() -> None:
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f"}]}, clock="virtual") as cf:
        done = cf.run("f", ' {"a": 1.0} ')
        assert done.input == {"a": 1}
        assert cf.call("DescribeExecution", FlowName="f", ExecutionName=done.name)["Input"] == ' {"a": 1.0} '
        assert cf.run("f", "").input == cf.run("f").input == {}
        for wrong in ("{", "[1]", '"text"', "NaN"):
            with pytest.raises(ServiceError, match="Input") as caught:
                cf.run("f", wrong)
            assert caught.value.code == "InvalidArgument"


def test_what_is_awaited_needs_asyncio() -> None:
    def step(coroutine: Any) -> None:
        """Run a coroutine as another event loop would."""
        try:
            coroutine.send(None)
        finally:
            coroutine.close()

    with CloudFlow({"cfmock": 1, "flows": [{"name": "f"}]}, clock="virtual") as cf:
        for coroutine in (
            cf.call_async("ListFlows"), cf.run_async("f"), cf.wait_for_calls_async(), cf.clock.advance_async(1),
            CloudFlow().__aenter__(),
        ):  # fmt: skip
            with pytest.raises(UsageError, match="needs a running asyncio loop; elsewhere, as under trio, use"):
                step(coroutine)
