"""Histories of executions, as GetExecutionHistory answers, made by an emulator: for replays, and for what is planted in them."""

from __future__ import annotations

import json
from typing import Any

from cfmock.base.clocks import iso
from cfmock.base.time_text import parse_time
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FlowTest
from cfmock.tools.flowtest.run import FlowTestRunner

LATENCY = 0.017
"""Seconds that the service takes for an event, by the published sample."""

PASSES = """\
version: v1
type: flow
name: cli_guide_1
steps:
  - {type: pass, name: pass1}
  - {type: pass, name: pass2}
"""

EVERYTHING = """\
Type: StateMachine
SpecVersion: v1
Name: everything
StartAt: Fork
States:
  - Type: Parallel
    Name: Fork
    Branches:
      - StartAt: Slow
        States:
          - Type: Task
            Name: Slow
            Action: FC:InvokeFunction
            Parameters: {resourceArn: slow}
            TaskMode: WaitForCustomCallback
            End: true
      - StartAt: Nap
        States:
          - {Type: Wait, Name: Nap, Seconds: 3, Next: Quick}
          - {Type: Task, Name: Quick, Action: FC:InvokeFunction, Parameters: {resourceArn: quick}, End: true}
    OutputConstructor: {items: [{n: 1}, {n: 2}, {n: 3}, {n: 4}]}
    Next: Each
  - Type: Map
    Name: Each
    ItemsPath: $Input.items
    ItemConstructor: {n.$: $Item.n}
    MaxConcurrency: 2
    Processor:
      StartAt: Double
      States:
        - Type: Task
          Name: Double
          Action: FC:InvokeFunction
          Parameters: {resourceArn: double, body: {n.$: $Input.n}}
          Retry: [{Errors: [Busy], MaxAttempts: 2, IntervalSeconds: 4}]
          OutputConstructor: {n.$: $Output.Body}
          End: true
    OutputConstructor: {doubled.$: $Output.Items}
    Next: Check
  - Type: Task
    Name: Check
    Action: FC:InvokeFunction
    Parameters: {resourceArn: check}
    Timeout: 20
    Catch: [{Errors: [FnF.ALL], Next: Rest}]
    Next: Rest
  - {Type: Wait, Name: Rest, Seconds: 60, End: true}
"""
"""A flow with branches, a callback, iterations, a retry, a time-out that is caught, and waits."""

ANSWERS: dict[str, list[Any]] = {
    "Slow": [{"returns": {"Body": "s"}, "after": "5s"}],
    "Quick": [{"returns": {"Body": "q"}, "after": "1s"}],
    "Double": [
        {"when": {"input": {"n": 3}}, "fails": {"code": "Busy", "detail": "later"}, "after": "250ms", "times": 1},
        *({"when": {"input": {"n": n}}, "returns": {"Body": 2 * n}, "after": f"{5 - n}s"} for n in range(1, 5)),
    ],
    "Check": [{"waits": True}],
}


def recorded(definition: str, answers: dict[str, Any], given: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The events of an execution of this definition, on virtual time, whose tasks answer so."""
    document = {
        "cfmock": 1,
        "settings": {"now": "2024-06-24T02:58:42Z"},
        "flows": [{"name": "recorded", "definition": definition}],
        "tests": [{"name": "recorded", "flow": "recorded", "input": given or {}, "tasks": answers, "expect": {}}],
    }
    fixtures = load([document])
    test: FlowTest = fixtures.tests[0]
    return [event.row() for event in FlowTestRunner(fixtures).run(test).events]


def everything() -> list[dict[str, Any]]:
    return recorded(EVERYTHING, ANSWERS)


def passes(start: str = "2024-06-24T02:58:42.043Z") -> list[dict[str, Any]]:
    """An execution of `PASSES` as the vendor's page shows one."""
    return late(at(recorded(PASSES, {}), start))


def at(events: list[dict[str, Any]], start: str) -> list[dict[str, Any]]:
    """The same events, moved so that the first is at `start`."""
    moved = parse_time(start) - parse_time(events[0]["Time"])
    return [{**event, "Time": iso(parse_time(event["Time"]) + moved)} for event in events]


def late(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same events with the latency of the service: each some time after its cause, or after the iteration whose place it
    takes, and all in the order of their times."""
    delays = {0: 0.0}
    moments = {}
    for before, event in zip([None, *events], events, strict=False):
        number, cause = event["EventId"], event["ScheduleEventId"]
        if before is not None and (before["Type"], event["Type"]) == ("IterationExited", "IterationEntered"):
            cause = before["EventId"]
        delays[number] = delays[cause] + (LATENCY if number > 1 else 0)
        moments[number] = parse_time(event["Time"]) + delays[number]
    order = sorted(events, key=lambda event: (moments[event["EventId"]], event["EventId"]))
    numbers = {0: 0, **{event["EventId"]: index for index, event in enumerate(order, 1)}}
    return [
        {
            **event,
            "EventId": numbers[event["EventId"]],
            "ScheduleEventId": numbers[event["ScheduleEventId"]],
            "Time": iso(moments[event["EventId"]]),
        }
        for event in order
    ]


def answer(events: list[dict[str, Any]], token: str = "") -> dict[str, Any]:
    """Events as an answer of GetExecutionHistory."""
    return {"RequestId": "r", "Events": events, **({"NextToken": token} if token else {})}


def text(*values: Any) -> str:
    return "\n".join(json.dumps(value, indent=2) for value in values)
