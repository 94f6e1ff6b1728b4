"""Executions run again from their recordings: the same histories as without a restart, wherever it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from cfmock.engine.recording import ReplayError
from tests.support.lab import check_history, text_of
from tests.support.restarts import Calls, RecordingLab

Act = Callable[[RecordingLab], object]


def advance(seconds: float) -> Act:
    return lambda lab: lab.advance(seconds)


def report(value: Any) -> Act:
    def act(lab: RecordingLab) -> None:
        for run in list(lab.runs.values()):
            for token in list(run.waiting):
                run.report(token, value)
                return

    return act


FLOWS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "waits": (
        "- {Type: Wait, Name: A, Seconds: 60, Next: B}\n- {Type: Pass, Name: B, OutputConstructor: {u.$: uuid()}, Next: C}\n"
        "- {Type: Wait, Name: C, Seconds: 5, End: true}",
        None,
    ),
    "retries": (
        "- {Type: Task, Name: A, Action: 'FC:InvokeFunction', Retry: [{Errors: [X], IntervalSeconds: 10, MaxAttempts: 3}], "
        "End: true}",
        {"A": [{"fails": {"code": "X"}, "times": 2, "after": "1s"}, {"returns": {"ok": True}, "after": "2s"}]},
    ),
    "callback": (
        "- {Type: Task, Name: A, Action: 'FC:InvokeFunction', TaskMode: WaitForCustomCallback, Timeout: 30, Next: B}\n"
        "- {Type: Wait, Name: B, Seconds: 10, End: true}",
        None,
    ),
    "parallel": (
        "- Type: Parallel\n  Name: A\n  Branches:\n  - StartAt: L\n    States: [{Type: Wait, Name: L, Seconds: 20, End: true}]\n"
        "  - StartAt: R\n    States:\n    - {Type: Wait, Name: R, Seconds: 5, Next: R2}\n"
        "    - {Type: Wait, Name: R2, Seconds: 30, End: true}\n  End: true",
        None,
    ),
    "map": (
        "- Type: Map\n  Name: A\n  ItemsPath: $Input.l\n  MaxConcurrency: 2\n  Processor:\n    StartAt: T\n    States:\n"
        "    - {Type: Task, Name: T, Action: 'FC:InvokeFunction', Next: W}\n"
        "    - {Type: Wait, Name: W, Seconds: 7, End: true}\n  End: true",
        {"T": [{"returns": {"a": 1}, "after": "3s"}]},
    ),
    "failing branch": (
        "- Type: Parallel\n  Name: A\n  Branches:\n"
        "  - StartAt: L\n    States: [{Type: Wait, Name: L, Seconds: 5, Next: F}, {Type: Fail, Name: F, Code: X}]\n"
        "  - StartAt: R\n    States:\n    - {Type: Wait, Name: R, Seconds: 5, Next: R2}\n"
        "    - {Type: Wait, Name: R2, Seconds: 9, End: true}\n"
        "  Catch: [{Errors: [X], Next: C}]\n  Next: C\n- {Type: Wait, Name: C, Seconds: 11, End: true}",
        None,
    ),
    "distributed": (
        "- Type: Map\n  Name: A\n  ItemsPath: $Input.l\n  ProcessorConfig: {ExecutionMode: Standard}\n  MaxConcurrency: 2\n"
        "  Processor:\n    StartAt: W\n    States: [{Type: Wait, Name: W, Seconds: 7, End: true}]\n  End: true",
        None,
    ),
    "nested": (
        "- {Type: Task, Name: A, Action: 'FNF:StartExecution', TaskMode: WaitForSystemCallback, "
        "Parameters: {resourceArn: 'acs:fnf:::flow/waits'}, Next: B}\n- {Type: Wait, Name: B, Seconds: 3, End: true}",
        None,
    ),
    "loop": (
        "- {Type: Pass, Name: A, Next: B}\n- {Type: Wait, Name: B, Seconds: 1, Next: A}",
        None,
    ),
}
VALUE = {"l": [1, 2, 3, 4, 5]}
SCRIPT = [
    advance(3),
    advance(2),
    report({"x": 1}),
    advance(5),
    advance(0.5),
    advance(20),
    report({"y": 2}),
    advance(200),
]


def lab_of(looks: int = 1000) -> RecordingLab:
    lab = RecordingLab(looks=looks)
    for name, (states, tasks) in FLOWS.items():
        lab.add(name, text_of({"states": states}), tasks)
    return lab


def histories(lab: RecordingLab) -> dict[str, Any]:
    return {
        name: [(event.id, event.cause, event.type, event.step, event.time, event.detail) for event in seen.events]
        for name, seen in lab.seen.items()
    }


def played(flow: str, restarts: Iterable[int], looks: int = 1000) -> dict[str, Any]:
    lab = lab_of(looks)
    lab.start(flow, VALUE)
    for number, act in enumerate(SCRIPT):
        if number in restarts:
            lab = lab.restarted()
        act(lab)
        for seen in lab.seen.values():
            check_history(seen.events)
    return histories(lab)


@pytest.mark.parametrize("flow", FLOWS)
def test_an_execution_goes_on_after_restarts_as_it_would_have_without(flow: str) -> None:
    without = played(flow, ())
    assert len(without["e1"]) > 5
    for restart in range(1, len(SCRIPT)):
        assert played(flow, {restart}) == without, restart
    assert played(flow, range(len(SCRIPT))) == without


@pytest.mark.parametrize("ahead", [0, 9])
@pytest.mark.parametrize("flow", ["parallel", "map", "failing branch", "loop"])
def test_it_makes_no_difference_where_a_slice_was_over(flow: str, ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfmock.engine.scheduler.AHEAD", ahead)
    assert played(flow, range(len(SCRIPT)), looks=3) == played(flow, (), looks=3)


def test_a_function_that_had_not_answered_is_called_again_and_one_that_had_is_not() -> None:
    calls = Calls()
    lab = RecordingLab(functions=calls)
    task = "- {{Type: Task, Name: {0}, Action: 'FC:InvokeFunction', {1}}}\n"
    text = text_of({"states": task.format("A", "Next: B") + task.format("B", "End: true")})
    http = [{"http": "http://127.0.0.1:9/"}]
    lab.add("f", text, {"A": http, "B": http})
    lab.start("f")
    lab = lab.restarted()
    assert len(calls.replies) == 2
    calls.replies[1]({"a": 1})
    assert len(calls.replies) == 3
    lab = lab.restarted()
    assert len(calls.replies) == 4
    calls.replies[3]({"b": 1})
    seen = lab.seen["e1"]
    assert (seen.status, [event.data["output"] for event in seen.told("TaskSucceeded")]) == (
        "Succeeded",
        [{"Body": {"a": 1}}, {"Body": {"b": 1}}],
    )


def test_a_time_out_stays_where_it_was() -> None:
    lab = lab_of()
    lab.start("callback")
    lab.advance(12)
    lab = lab.restarted()
    lab.advance(17.9)
    assert lab.seen["e1"].status == "Running"
    lab.advance(0.1)
    assert (lab.seen["e1"].status, lab.seen["e1"].error[0]) == ("Failed", "FnF.TaskTimeout")


def test_a_token_that_is_in_somebodys_hands_is_still_good() -> None:
    lab = lab_of()
    (token,) = lab.start("callback").run.waiting
    lab = lab.restarted()
    assert list(lab.seen["e1"].run.waiting) == [token]


def test_a_recording_that_does_not_fit_its_definition_is_refused() -> None:
    lab = lab_of()
    lab.start("waits")
    lab.advance(60)
    lab.flows["waits"] = lab.flows["callback"]
    with pytest.raises(ReplayError, match="waits for no time"):
        lab.restarted()
