"""The executions that a failing test is shown."""

from __future__ import annotations

import re
import threading
import time
import urllib.request

import pytest

from cfmock import CloudFlow
from cfmock.api import access
from cfmock.base.time_text import parse_time
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
    assert shown(cf) == "order, bad-1: Failed, Refused: no\n    path: no state runs, outcome 5 of flow 'order' decides"
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


def test_on_a_real_clock_the_time_of_day_and_what_is_left_are_shown() -> None:
    with CloudFlow(FIXTURE) as cf:
        begun = time.time()
        cf.task("order", "Charge").returns({})
        start(cf, "late-1", "o1")
        late, rest = (line for line in shown(cf).splitlines() if "waits until" in line)
        for line in (late, rest):
            found = re.fullmatch(r" +waits until (\S+): ([0-9.]+)([sm]) from now", line)
            assert found is not None, line
            assert begun + 299.9 < parse_time(found[1]) < time.time() + 300.1
            assert 200 < float(found[2]) * (60 if found[3] == "m" else 1) <= 300


def test_on_a_real_clock_a_time_out_of_a_task_is_shown_and_that_of_every_execution_is_not() -> None:
    timed = STATES.replace("StartAt: Charge", "StartAt: Approve")
    with CloudFlow(FIXTURE) as cf:
        for flow, definition in (("timed", timed), ("open", timed.replace("Timeout: 600,", ""))):
            cf.call("CreateFlow", Name=flow, Type="FDL", Description="", Definition=definition)
            cf.call("StartExecution", FlowName=flow, ExecutionName="o1")
        (line,) = (line for line in shown(cf).splitlines() if "times out" in line)
        assert re.fullmatch(rf" +times out at {time.gmtime().tm_year}\S+: [0-9.]+[sm] from now", line)


PLACES = (
    "tasks", "executions", "executions/order/o1", "executions/order/o1/history", "executions/order/late-1", "calls",
    "flows/order", "clock", "health",
)  # fmt: skip


def test_every_time_that_is_answered_on_a_real_clock_is_of_this_day() -> None:
    definition = STATES.replace("StartAt: Charge", "StartAt: Approve")
    fixture = {"cfmock": 1, "flows": [{"name": "order", "definition": definition}]}
    with CloudFlow(fixture) as cf:
        start(cf, "o1")
        cf.outcome("order", after="30s")
        start(cf, "late-1")
        for place in PLACES:
            with urllib.request.urlopen(f"{cf.url}/_cfmock/{place}") as answer:
                times = re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", answer.read().decode())
            assert times, place
            assert all(abs(parse_time(each) - time.time()) < 86_400 for each in times), place


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
