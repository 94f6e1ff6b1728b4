"""The executions that a failing test is shown."""

from __future__ import annotations

import threading

import pytest

from cfmock import CloudFlow
from cfmock.api import access
from cfmock.control.shown_executions import SHOWN, executions_text, marks

STATES = """
Type: StateMachine
Name: order
SpecVersion: v1
StartAt: Charge
States:
  - {Type: Task, Name: Charge, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, Next: Rest}
  - {Type: Wait, Name: Rest, Seconds: 300, Next: Approve}
  - {Type: Task, Name: Approve, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback, Timeout: 600,
     Parameters: {resourceArn: r}, End: true}
"""

FIXTURE = {
    "cfmock": 1,
    "flows": [
        {
            "name": "order",
            "definition": STATES,
            "outcomes": [
                {"when": {"execution": "done-*"}},
                {"when": {"execution": "ever-*"}, "status": "Running"},
                {"when": {"execution": "late-*"}, "after": "5m"},
                {"when": {"execution": "polled-*"}, "after": {"polls": 3}},
                {"when": {"execution": "bad-*"}, "status": "Failed", "error": {"code": "Refused", "detail": "no"}},
            ],
            "executions": [{"name": "old", "status": "Failed"}],
        }
    ],
}

NOW = "2024-06-01T00:00:00Z"


def start(cf: CloudFlow, *names: str) -> None:
    for name in names:
        cf.call("StartExecution", FlowName="order", ExecutionName=name)


def shown(cf: CloudFlow) -> str:
    return access.ask(
        cf, lambda control: executions_text(control, {(control.emulator.worlds.default().account, cf.region): 1})
    )


@pytest.fixture
def cf():
    with CloudFlow(FIXTURE, clock="virtual", now=NOW) as cf:
        yield cf


def test_one_that_failed_is_shown_however_it_was_started(cf: CloudFlow) -> None:
    start(cf, "bad-1", "done-1")
    assert shown(cf) == "order, bad-1: Failed, Refused: no\n    path: no state was entered"
    cf.run("order", name="done-2")
    assert "order, done-2: Succeeded" in shown(cf)
    assert "done-1" not in shown(cf)


def test_of_one_that_runs_it_is_said_what_it_waits_for(cf: CloudFlow) -> None:
    cf.task("order", "Charge").returns({})
    start(cf, "o1")
    assert shown(cf).splitlines() == [
        "order, o1: Running",
        "    path: Charge -> Rest",
        "    waits until 2024-06-01T00:05:00.000Z: the virtual clock stands still until cf.clock.advance('5m')",
    ]
    cf.clock.advance("6m")
    assert shown(cf).splitlines() == [
        "order, o1: Running",
        "    path: Charge -> Rest -> Approve",
        "    waits for a report of 'Approve': cf.tasks() has the token",
        "    times out at 2024-06-01T00:15:00.000Z: the virtual clock stands still until cf.clock.advance('9m')",
    ]


def test_a_function_that_has_not_answered_is_what_it_waits_for(cf: CloudFlow) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def charge(event: object) -> None:
        begun.set()
        go_on.wait(60)

    cf.task("order", "Charge").calls(charge)
    thread = threading.Thread(target=start, args=(cf, "o1"))
    thread.start()
    assert begun.wait(60)
    assert "    waits for the function of a task" in shown(cf)
    go_on.set()
    thread.join()


def test_of_a_canned_outcome_it_is_said_how_it_ends(cf: CloudFlow) -> None:
    start(cf, "ever-1", "late-1", "polled-1")
    said = shown(cf).splitlines()
    assert said[2::3] == [
        "    its outcome is Running: it never ends by itself",
        "    waits until 2024-06-01T00:05:00.000Z: the virtual clock stands still until cf.clock.advance('5m')",
        "    its outcome ends it at DescribeExecution number 3",
    ]


def test_on_a_real_clock_nothing_has_to_be_moved() -> None:
    with CloudFlow(FIXTURE) as cf:
        start(cf, "late-1")
        assert " from now" in shown(cf)
        assert "advance" not in shown(cf)


def test_the_newest_are_shown_and_the_others_counted(cf: CloudFlow) -> None:
    start(cf, *(f"bad-{number}" for number in range(SHOWN + 2)))
    said = shown(cf).splitlines()
    assert said[:2] == ["... 2 earlier", "order, bad-2: Failed, Refused: no"]


def test_those_before_a_mark_are_not_shown_unless_the_world_was_made_anew(cf: CloudFlow) -> None:
    start(cf, "bad-1", "bad-2")
    before = access.ask(cf, marks)
    assert access.ask(cf, lambda control: executions_text(control, before)) == ""
    cf.reset()
    start(cf, "bad-3")
    assert "bad-3" in access.ask(cf, lambda control: executions_text(control, before))
