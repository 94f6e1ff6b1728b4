"""A machine whose clock is set while flows run: durations are what they were, moments and histories go by the clock."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.base.clocks import iso
from cfmock.control.control import Control
from cfmock.service import cron
from tests.support.calls import NOW, Service, echo_flow, make_service
from tests.support.clock import MachineClock

HOUR = 3600.0


def flow(name: str, *states: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {**state, **({"Next": after["Name"]} if after else {"End": True})}
        for state, after in zip(states, (*states[1:], None), strict=True)
    ]
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": rows[0]["Name"], "States": rows}
    return {"name": name, "definition": definition}


FLOWS = {
    "flows": [
        flow("waits", {"Type": "Wait", "Name": "W", "Seconds": 5}),
        {
            "name": "until",
            "definition": {
                "version": "v1", "type": "flow", "name": "until",
                "steps": [{"type": "wait", "name": "w", "timestamp": iso(NOW + 60)}],
            },
        },
        flow("task", {"Type": "Task", "Name": "T", "Action": "x:Y", "Timeout": 5, "TaskMode": "WaitForCustomCallback"}),
        {**flow("canned", {"Type": "Pass", "Name": "P"}), "outcomes": [{"status": "Succeeded", "after": "5s"}]},
        *echo_flow()["flows"],
    ],
}  # fmt: skip


class Set:
    """A service on a machine's clock."""

    def __init__(self) -> None:
        self.service: Service = make_service(FLOWS, clock="real")
        self.emulator = self.service.emulator
        self.clock = MachineClock(NOW).give_to(self.emulator)

    def start(self, flow: str) -> None:
        self.service("StartExecution", FlowName=flow, ExecutionName="e")

    def status(self, flow: str) -> str:
        return str(self.service("DescribeExecution", FlowName=flow, ExecutionName="e")["Status"])

    def go_on(self, seconds: float) -> None:
        self.clock.go_on(seconds)
        while (due := self.emulator.timers.next_due()) is not None and due <= self.clock.steady():
            self.emulator.time.tick()
        self.emulator.time.tick()

    def runs(self) -> list[str]:
        found = self.service("ListExecutions", FlowName="echo", Limit=100)["Executions"]
        return [each["StartedTime"] for each in found][::-1]


@pytest.fixture
def machine() -> Set:
    return Set()


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.parametrize(("name", "status"), [("waits", "Succeeded"), ("task", "Failed"), ("canned", "Succeeded")])
def test_what_takes_five_seconds_takes_five_seconds(machine: Set, name: str, status: str, hours: int) -> None:
    machine.start(name)
    machine.clock.set(NOW + hours * HOUR)
    machine.go_on(4.9)
    assert machine.status(name) == "Running"
    machine.go_on(0.1)
    assert machine.status(name) == status


def test_a_history_shows_the_clocks_time_and_never_goes_back(machine: Set) -> None:
    machine.start("waits")
    machine.clock.set(NOW - 2 * HOUR)
    machine.go_on(5)
    events = machine.service("GetExecutionHistory", FlowName="waits", ExecutionName="e")["Events"]
    assert {event["Time"] for event in events} == {iso(NOW)}
    found = machine.service("DescribeExecution", FlowName="waits", ExecutionName="e")
    assert (found["StartedTime"], found["StoppedTime"]) == (iso(NOW), iso(NOW))
    machine.service("StartExecution", FlowName="waits", ExecutionName="later")
    machine.clock.set(NOW + HOUR)
    machine.go_on(5)
    found = machine.service("DescribeExecution", FlowName="waits", ExecutionName="later")
    assert (found["StartedTime"], found["StoppedTime"]) == (iso(NOW - 2 * HOUR + 5), iso(NOW + HOUR + 5))


def test_who_waits_for_a_moment_waits_for_the_clock_to_say_so(machine: Set) -> None:
    machine.start("until")
    machine.clock.set(NOW - HOUR)
    machine.go_on(60)
    assert machine.status("until") == "Running"
    machine.clock.set(NOW + 59.5)
    machine.go_on(0.5)
    assert machine.status("until") == "Succeeded"


@pytest.mark.parametrize(
    ("rule", "late", "left_out", "following"),
    [
        ("@every 1m", 90, "", 30), ("@every 1m", 10 * 60, "9", 60), ("@every 7m", 86_400, "204", 2 * 60),
        ("0 * * * * *", 86_400, "1439", 60), ("@every 1m", 400 * 86_400, "more than 10000", 60),
        ("0 * * * * *", 40 * 86_400, "more than 10000", 60), ("0 30 * * * *", 5 * HOUR, "4", HOUR / 2),
    ],
)  # fmt: skip
def test_a_schedule_that_is_late_runs_once_and_says_how_many_runs_it_left_out(
    machine: Set, rule: str, late: float, left_out: str, following: float
) -> None:
    machine.service("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression=rule)
    machine.clock.set(NOW + late)
    machine.go_on(0)
    assert machine.runs() == [iso(NOW + late)]
    warnings = [each.text for each in machine.emulator.journal.warnings()]
    assert [text.split(": ")[0] for text in warnings] == (
        [f"the schedule echo/s is late and has skipped {left_out} runs"] if left_out else []
    )
    (kept,) = told_schedules(machine)
    assert str(kept["left_out"]) in (left_out or "0", "10001")
    machine.go_on(following - 1)
    assert len(machine.runs()) == 1
    machine.go_on(1)
    assert machine.runs()[1:] == [iso(NOW + late + following)]


def told_schedules(machine: Set) -> list[dict[str, Any]]:
    """The schedules of the flow, as the admin API tells them."""
    steps, found = Control(machine.emulator).show_flow("echo"), None
    while True:
        try:
            found = steps.send(found)()
        except StopIteration as stop:
            schedules: list[dict[str, Any]] = stop.value["schedules"]
            return schedules


@pytest.mark.parametrize("text", ["@every 1m", "@every 90m", "0 */5 * * * *", "30 15 10 * * *"])
@pytest.mark.parametrize("span", [0.0, 59.0, 60.0, 86_400.0, 3 * 86_400.0 + 17])
def test_runs_that_have_passed_are_those_that_would_have_come_one_by_one(text: str, span: float) -> None:
    rule = cron.parse(text)
    count, moment = 0, NOW
    while (after := rule.after(moment)) <= NOW + span:
        count, moment = count + 1, after
    assert rule.passed(NOW, NOW + span)[0] == count
    assert rule.after(rule.passed(NOW, NOW + span)[1]) == rule.after(moment)
