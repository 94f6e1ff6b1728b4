"""What an execution asks for, command by command: driven by hand, without clock, runner or mocks."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cfmock.base.json_text import json_text
from cfmock.base.randomness import Ids
from cfmock.engine.commands import (
    SUBMITTED,
    AwaitTask,
    CallTask,
    Datum,
    Failure,
    Fork,
    LimitExceeded,
    Part,
    RunMap,
    TaskTimedOut,
    Wait,
    WaitUntil,
)
from cfmock.engine.data_flow import Context
from cfmock.engine.identity import Identity
from cfmock.engine.interpreter import Interpreter
from cfmock.engine.languages import compile_definition
from tests.support.lab import text_of


class Hand:
    """Sends a part its outcomes, and gives every event the next id."""

    def __init__(self, part: Part, context: Context) -> None:
        self.part = part
        self.context = context
        self.events: list[tuple[str, str, int]] = []

    def __call__(self, outcome: Any = None) -> Any:
        """The next command that is no event."""
        command = self.part.throw(outcome) if isinstance(outcome, Failure) else self.part.send(outcome)
        while isinstance(command, tuple) and type(command) is tuple:
            step, cause, shapes, _ = command
            for shape in shapes:
                self.events.append((shape.type, step, cause))
                cause = len(self.events)
            self.context.last = len(self.events)
            command = self.part.send(len(self.events))
        return command

    def end(self, outcome: Any = None) -> Any:
        """What the part comes to."""
        with pytest.raises(StopIteration) as stop:
            self(outcome)
        return stop.value.value


def context(value: Any = None, seen: list[str] | None = None) -> Context:
    return Context(Identity("f", "e1"), value or {}, Ids(1), seen.append if seen is not None else None)


def begin(states: str, value: Any = None, seen: list[str] | None = None, key: str = "states") -> Hand:
    flow = compile_definition(text_of({key: states}), name="f")
    given = value or {}
    about = context(given, seen)
    return Hand(Interpreter(flow, about).run(Datum(given, json_text(given))), about)


TASK = "- {Type: Task, Name: A, Action: x:Y, %s End: true}"


def test_a_pass_asks_for_nothing_but_its_events() -> None:
    hand = begin("- {Type: Pass, Name: A, End: true}", {"n": 1})
    assert hand.end().value == {"n": 1}
    assert hand.events == [
        ("ExecutionStarted", "", 0),
        ("StepEntered", "A", 1),
        ("StepStarted", "A", 2),
        ("StepSucceeded", "A", 3),
        ("StepExited", "A", 4),
        ("ExecutionSucceeded", "", 5),
    ]


def test_a_wait_asks_to_wait() -> None:
    hand = begin("- {Type: Wait, Name: A, Seconds: 30, End: true}")
    assert hand() == Wait(30)
    assert hand.end().value == {}


def test_an_old_wait_may_ask_for_a_time() -> None:
    assert begin("- {type: wait, name: a, timestamp: 1970-01-02T00:00:00Z}", key="steps")() == WaitUntil(
        86_400, 172_800
    )


def test_a_task_asks_for_its_call() -> None:
    hand = begin(TASK % "Parameters: {p.$: $Input.n, c: 1}, Timeout: 9,", {"n": 5})
    command = hand()
    assert isinstance(command, CallTask)
    call = command.call
    assert (call.state, call.action, call.parameters, call.input, call.timeout) == (
        "A",
        "x:Y",
        {"p": 5, "c": 1},
        {"n": 5},
        9,
    )
    assert hand.end({"r": 1}).value == {"r": 1}
    assert [event[0] for event in hand.events][3:6] == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]


def test_a_function_is_given_the_body_and_other_actions_all_parameters() -> None:
    body = begin(
        "- {Type: Task, Name: A, Action: 'FC:InvokeFunction', Parameters: {resourceArn: r, body: {b: 1}}, End: true}"
    )
    assert body().call.event == {"b": 1}
    assert begin(TASK % "Parameters: {p: 1},")().call.event == {"p": 1}
    old = begin("- {type: task, name: a, resourceArn: r, inputMappings: [{target: x, source: 1}]}", key="steps")
    assert old().call.event == {"x": 1}


def test_a_submitted_task_is_waited_for() -> None:
    hand = begin(TASK % "TaskMode: WaitForCustomCallback,")
    call = hand().call
    assert hand(SUBMITTED) == AwaitTask(call)
    assert hand.end({"ok": True}).value == {"ok": True}
    assert [event[0] for event in hand.events][3:7] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


@pytest.mark.parametrize(
    ("mode", "failure", "told"),
    [
        ("RequestComplete", Failure("Oops"), "TaskFailed"),
        ("RequestComplete", TaskTimedOut(5), "TaskTimedOut"),
        ("WaitForSystemCallback", Failure("Oops"), "TaskSubmitFailed"),
        ("WaitForCustomCallback", TaskTimedOut(5), "TaskTimedOut"),
    ],
)
def test_a_failed_call_is_told_by_how_far_it_got(mode: str, failure: Failure, told: str) -> None:
    hand = begin(TASK % f"TaskMode: {mode},")
    hand()
    with pytest.raises(Failure) as raised:
        hand(failure)
    assert raised.value.code == failure.code
    assert [event[0] for event in hand.events][5:] == [told, "StepFailed", "ExecutionFailed"]


def test_a_retry_waits_and_calls_again() -> None:
    seen: list[str] = []
    hand = begin(TASK % "Retry: [{Errors: [Oops], MaxAttempts: 1, IntervalSeconds: 4}],", seen=seen)
    first = hand().call
    assert hand(Failure("Oops")) == Wait(4)
    second = hand().call
    assert (first.retries, second.retries) == (0, 1)
    assert second.token == first.token
    with pytest.raises(Failure):
        hand(Failure("Oops"))
    assert seen == ["A", "A!retry0"]


def test_a_token_says_where_it_comes_from() -> None:
    hand = begin(TASK % "TaskMode: WaitForCustomCallback,")
    plain = base64.b64decode(hand().call.token).decode()
    version, flow, execution, event, seal = plain.split("#")
    assert (version, flow, execution, event) == ("v1", "f", "e1", "2")
    assert len(base64.b64decode(seal)) == 20


def test_branches_are_asked_for_at_once_and_are_parts_of_their_own() -> None:
    hand = begin(
        "- Type: Parallel\n  Name: A\n  End: true\n  Branches:\n"
        "    - {StartAt: X, States: [{Type: Wait, Name: X, Seconds: 1, End: true}]}\n"
        "    - {StartAt: Y, States: [{Type: Pass, Name: Y, End: true}]}",
        {"n": 1},
    )
    fork = hand()
    assert isinstance(fork, Fork)
    assert fork.limit == 2
    first, second = (Hand(part(), hand.context) for part in fork.parts)
    assert first() == Wait(1)
    value, event = first.end()
    assert value == {"n": 1}
    assert first.events[-1][0] == "BranchExited"
    assert event == len(first.events)
    assert second.end()[0] == {"n": 1}
    assert hand.end([(value, 20), ({"n": 2}, 15)]).value == {"Branch0": {"n": 1}, "Branch1": {"n": 2}}
    assert hand.events[-3] == ("StepSucceeded", "A", 20), "it follows from the branch that came last"


def test_a_failed_branch_is_retried_and_caught_like_a_task() -> None:
    hand = begin(
        "- Type: Map\n  Name: A\n  ItemsPath: toArray($Input)\n"
        "  Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}\n"
        "  Retry: [{Errors: [Oops], MaxAttempts: 1, IntervalSeconds: 2}]\n"
        "  Catch: [{Errors: [Oops], Next: B}]\n  End: true\n"
        "- {Type: Succeed, Name: B}"
    )
    assert isinstance(hand(), Fork)
    assert hand(Failure("Oops")) == Wait(2)
    assert isinstance(hand(), Fork)
    assert hand.end(Failure("Oops")).value == {}
    assert ("StepEntered", "B") in [event[:2] for event in hand.events]


def test_limits_are_not_retried_or_caught() -> None:
    hand = begin(TASK % "Retry: [{Errors: [FnF.ALL], MaxAttempts: 1, IntervalSeconds: 2}],")
    hand()
    with pytest.raises(LimitExceeded):
        hand(LimitExceeded("Limit"))


def test_a_distributed_map_asks_for_its_map_run() -> None:
    hand = begin(
        "- Type: Map\n  Name: A\n  ItemsPath: $Input.list\n  MaxConcurrency: 3\n  ToleratedFailedCount: 2\n"
        "  ProcessorConfig: {ExecutionMode: Express}\n"
        "  Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}\n  End: true",
        {"list": [1, 2]},
    )
    command = hand()
    assert isinstance(command, RunMap)
    assert (command.inputs, command.concurrency, command.tolerated_count, command.express) == ([1, 2], 3, 2, True)
    assert hand.events[-1] == ("MapRunStarted", "A", 3)
    assert hand.end([{"a": 1}, {"a": 2}]).value == {"Items": [{"a": 1}, {"a": 2}]}


def test_more_than_ten_map_runs_at_once_are_too_many() -> None:
    shared = context()
    shared.map_runs = 10
    states = (
        "- {Type: Map, Name: A, ItemsPath: toArray($Input), ProcessorConfig: {ExecutionMode: Express},"
        " Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}, End: true}"
    )
    hand = Hand(Interpreter(compile_definition(text_of({"states": states})), shared).run(Datum({}, "{}")), shared)
    with pytest.raises(LimitExceeded, match="more than 10 map runs are open"):
        hand()


def test_a_map_run_that_is_called_off_is_no_longer_open() -> None:
    shared = context()
    states = (
        "- {Type: Map, Name: A, ItemsPath: toArray($Input), ProcessorConfig: {ExecutionMode: Express},"
        " Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}, End: true}"
    )
    hand = Hand(Interpreter(compile_definition(text_of({"states": states})), shared).run(Datum({}, "{}")), shared)
    hand()
    assert shared.map_runs == 1
    hand.part.close()
    assert shared.map_runs == 0


def test_more_than_ten_thousand_items_are_too_many() -> None:
    hand = begin(
        "- {Type: Map, Name: A, ItemsPath: $Input.list, ProcessorConfig: {ExecutionMode: Express},"
        " Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}, End: true}",
        {"list": [0] * 10_001},
    )
    with pytest.raises(LimitExceeded, match="'A' has 10001 items, more than 10000"):
        hand()


def test_an_error_in_a_catch_is_an_error_of_the_flow() -> None:
    hand = begin(TASK % "Catch: [{Errors: [FnF.ALL], OutputConstructor: {a.$: $Input.no}, Next: A}],")
    hand()
    with pytest.raises(Failure, match="has no key 'no'"):
        hand(Failure("Oops"))
    assert [event[0] for event in hand.events][-2:] == ["StepFailed", "ExecutionFailed"]
    assert hand.events[-1][2] == len(hand.events) - 1


def test_an_observer_is_told_every_point_that_is_passed() -> None:
    seen: list[str] = []
    hand = begin(
        "- {type: choice, name: a, choices: [{condition: $.n > 1, steps: [{type: pass, name: b}]}], default: {goto: c}}\n"
        "- {type: pass, name: c}",
        {"n": 2},
        seen,
        key="steps",
    )
    hand.end()
    assert seen == ["a", "a?0", "a?0/b", "c"]
