"""Executions on the clock: order, waiting clients, guards, cancellation, fairness."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from cfmock.base.clocks import Clock, RealClock, VirtualClock
from cfmock.base.errors import TaskFailed
from cfmock.engine.commands import Failure
from cfmock.engine.events import as_events
from cfmock.engine.identity import Identity, read_token
from cfmock.engine.ready_queue import TURN
from cfmock.engine.task_calls import TaskMock
from cfmock.engine.task_mocks import ScriptedTasks, TaskMocks
from tests.support.lab import Lab, Seen, check_history, text_of

WAIT = text_of({"states": "- {Type: Wait, Name: A, Seconds: 60, End: true}"})
CALLBACK = text_of(
    {
        "states": "- {Type: Task, Name: A, Action: 'FC:InvokeFunction', TaskMode: WaitForCustomCallback, Timeout: 30, "
        "Next: B}\n- {Type: Wait, Name: B, Seconds: 10, End: true}"
    }
)
LOOP = text_of({"states": "- {Type: Pass, Name: A, Next: A}"})
PASS = text_of({"states": "- {Type: Pass, Name: A, End: true}"})


def started(text: str, tasks: dict[str, Any] | None = None, value: Any = None, looks: int = 1000) -> tuple[Lab, Seen]:
    lab = Lab(looks=looks)
    lab.add("f", text, tasks)
    return lab, lab.start("f", value)


@pytest.fixture
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a slice is over is asked behind all events."""
    monkeypatch.setattr("cfmock.engine.scheduler.AHEAD", 0)


def token_of(seen: Seen) -> str:
    (token,) = seen.run.waiting
    return token


# -- time --------------------------------------------------------------------------------------------------------------


def test_an_execution_nobody_waits_for_stays_where_it_is_until_the_clock_is_advanced() -> None:
    lab, seen = started(WAIT)
    lab.timers.run_due()
    assert seen.status == "Running"
    lab.advance(59.9)
    assert seen.status == "Running"
    lab.advance(0.1)
    assert (seen.status, seen.run.stopped) == ("Succeeded", 60)


def test_an_execution_somebody_waits_for_jumps_and_nothing_else_moves() -> None:
    lab, seen = started(WAIT)
    other = lab.start("f", name="e2")
    lab.scheduler.attend(seen.run)
    assert (seen.status, other.status, lab.clock.now()) == ("Succeeded", "Running", 0)
    assert seen.duration == 60


def test_it_stops_jumping_when_nobody_waits_any_more() -> None:
    lab, seen = started(CALLBACK)
    lab.scheduler.attend(seen.run)()
    seen.run.report(token_of(seen), {})
    assert seen.status == "Running"
    lab.scheduler.attend(seen.run)
    assert seen.status == "Succeeded"


def test_a_callback_that_may_come_is_not_overtaken_by_its_time_out() -> None:
    lab, seen = started(CALLBACK)
    lab.scheduler.attend(seen.run)
    assert seen.status == "Running"
    seen.run.report(token_of(seen), {"ok": True})
    assert (seen.status, seen.duration) == ("Succeeded", 10), "the wait behind it is jumped as before"


def test_a_callback_that_does_not_come_times_out_when_the_clock_is_advanced() -> None:
    lab, seen = started(CALLBACK)
    lab.advance(30)
    assert (seen.status, seen.error[0], seen.duration) == ("Failed", "FnF.TaskTimeout", 30)
    assert seen.run.waiting == {}


def test_a_time_out_behind_a_report_that_may_come_is_not_jumped_to_by_another_branch() -> None:
    lab, seen = started(
        text_of(
            {
                "states": "- Type: Parallel\n  Name: A\n  End: true\n  Branches:\n"
                "    - {StartAt: X, States: [{Type: Task, Name: X, Action: x:Y, TaskMode: WaitForCustomCallback,"
                " Timeout: 30, End: true}]}\n"
                "    - {StartAt: Y, States: [{Type: Wait, Name: Y, Seconds: 20, Next: Z},"
                " {Type: Wait, Name: Z, Seconds: 20, End: true}]}"
            }
        )
    )
    lab.scheduler.attend(seen.run)
    assert seen.run.timeline.now() == 20
    seen.run.report(token_of(seen), {})
    assert (seen.status, seen.duration) == ("Succeeded", 40)


def test_the_limit_of_a_flow_is_jumped_to_once_it_is_certain() -> None:
    """Else a client that waits for the time-out of its flow would wait for ever."""
    text = "{version: v1, type: flow, timeoutSeconds: 5, steps: [{type: wait, name: a, duration: 60}]}"
    lab, seen = started(text)
    lab.scheduler.attend(seen.run)
    assert (seen.status, seen.duration) == ("TimedOut", 5)


def test_a_standard_execution_takes_a_year_at_most() -> None:
    lab, seen = started(text_of({"steps": "- {type: task, name: a, resourceArn: r}"}), {"a": [{"waits": True}]})
    lab.advance(31_536_000 - 1)
    assert seen.status == "Running"
    lab.advance(1)
    assert (seen.status, seen.error[0]) == ("TimedOut", "FnF.ExecutionTimeout")


def test_on_a_real_clock_a_wait_takes_its_time() -> None:
    lab = Lab(clock=RealClock())
    lab.add("f", text_of({"steps": "- {type: wait, name: a, duration: 0.05}"}))
    seen = lab.start("f")
    lab.scheduler.attend(seen.run)
    assert seen.status == "Running"
    due = lab.timers.next_due()
    assert due is not None
    time.sleep(max(0.0, due - lab.clock.steady()))
    lab.timers.run_due()
    assert seen.status == "Succeeded"
    assert 0.05 <= seen.duration < 5


class MachineClock:
    """A clock like the machine's: it goes on by itself, whoever looks at it."""

    def __init__(self) -> None:
        self.time = 1_717_200_000.1234567

    def now(self) -> float:
        self.time += 2e-5
        return self.time

    steady = now


def ended_on(clock: Clock, text: str, tasks: dict[str, Any] | None = None) -> tuple[str, str, list[str]]:
    """Status, error and visits of an execution that nobody waits for, once its time has come."""
    lab = Lab(clock=clock)
    lab.add("f", text, tasks)
    seen = lab.start("f")
    while seen.status == "Running":
        due = lab.timers.next_due()
        assert due is not None
        if isinstance(clock, VirtualClock):
            lab.timers.advance_to(due)
        else:
            clock.time = max(clock.time, due)  # type: ignore[attr-defined]
            lab.timers.run_due()
    return seen.status, seen.error[0], seen.visits


def waits(*seconds: float, limit: int) -> str:
    steps = "".join(f"- {{type: wait, name: s{number}, duration: {each}}}\n" for number, each in enumerate(seconds))
    return f"version: v1\ntype: flow\ntimeoutSeconds: {limit}\nsteps:\n{steps}"


@pytest.mark.parametrize("start", [0.0, 1_717_200_000.0, 1_717_200_000.1234567, 4_102_444_800.3333333, None])
@pytest.mark.parametrize("seconds", [[30], [15, 15], [0.1] * 300, [0.7] * 10 + [2.3] * 10, [2.5] * 12], ids=len)
def test_a_flow_that_takes_just_as_long_as_it_may_times_out_however_it_spends_its_time(
    start: float | None, seconds: list[float]
) -> None:
    clock: Clock = MachineClock() if start is None else VirtualClock(start)
    status, error, visits = ended_on(clock, waits(*seconds, limit=30))
    assert (status, error) == ("TimedOut", "FnF.ExecutionTimeout")
    if start is not None:
        assert len(visits) == len(seconds)


@pytest.mark.parametrize("clock", [VirtualClock(0.3), MachineClock()], ids=["virtual", "machine"])
@pytest.mark.parametrize("branches", ["task, wait", "wait, task"])
@pytest.mark.parametrize("mock", [{"returns": {}, "after": "30s"}, {"returns": {}, "after": "1h"}, {"waits": True}])
def test_a_time_out_comes_before_what_else_is_due_at_its_moment(
    mock: dict[str, Any], branches: str, clock: Clock
) -> None:
    """So which one the task meets does not depend on its neighbour, nor on how certain its time-out is."""
    steps = {
        "task": "{type: task, name: t, action: 'x:Y', timeoutSeconds: 30}",
        "wait": "{type: wait, name: w, duration: 30}",
    }
    inside = ", ".join(f"{{steps: [{steps[each]}]}}" for each in branches.split(", "))
    text = text_of({"steps": f"- {{type: parallel, name: p, branches: [{inside}]}}"})
    assert ended_on(clock, text, {"t": [mock]})[:2] == ("Failed", "FnF.TaskTimeout")


# -- order and fairness ------------------------------------------------------------------------------------------------


def test_what_can_run_at_once_has_run_when_it_is_started() -> None:
    _, seen = started(PASS, value={"a": 1})
    assert (seen.status, seen.output) == ("Succeeded", {"a": 1})


def test_an_endless_loop_leaves_the_server_its_turn_and_others_theirs() -> None:
    lab, loop = started(LOOP, looks=20)
    assert loop.status == "Running"
    lab.add("g", PASS)
    assert lab.start("g", name="e2").status == "Succeeded"
    while loop.status == "Running":
        assert lab.timers.run_due() > 0
    assert loop.error[0] == "FnF.EventLimitExceeded"


@pytest.mark.usefixtures("looks_at_once")
def test_a_slice_may_end_after_any_step_of_a_single_execution() -> None:
    lab, seen = started(LOOP, looks=1)
    assert seen.visits == ["A"]
    lab.timers.run_due()
    assert seen.visits == ["A", "A"]


MANY = text_of(
    {
        "states": """\
- Type: Parallel
  Name: A
  End: true
  Branches:
    - {StartAt: W, States: [{Type: Wait, Name: W, Seconds: 2, Next: X}, {Type: Pass, Name: X, End: true}]}
    - StartAt: M
      States:
        - Type: Map
          Name: M
          ItemsPath: toArray(1, 2, 3)
          Processor:
            StartAt: R
            States:
              - {Type: Task, Name: R, Action: y:Z, Parameters: {u.$: uuid()}, Next: S}
              - {Type: Wait, Name: S, Seconds: 1, Next: Q}
              - {Type: Pass, Name: Q, OutputConstructor: {r.$: 'randomInt(1, 1000000)'}, End: true}
          End: true
    - StartAt: D
      States:
        - Type: Map
          Name: D
          ItemsPath: toArray($Input, $Input)
          ProcessorConfig: {ExecutionMode: Standard}
          Processor: {StartAt: V, States: [{Type: Wait, Name: V, Seconds: 1, Next: O}, {Type: Fail, Name: O, Code: Bad}]}
          Catch: [{Errors: [Bad], Next: K}]
          End: true
        - {Type: Pass, Name: K, End: true}
    - StartAt: N
      States:
        - {Type: Task, Name: N, Action: 'FNF:StartExecution', TaskMode: WaitForSystemCallback,
           Parameters: {resourceArn: 'acs:fnf:::flow/g'}, End: true}
    - StartAt: L
      States:
        - {Type: Pass, Name: L, OutputConstructor: {n.$: 'intAdd($Input.n, 1)'}, Next: I}
        - {Type: Choice, Name: I, Branches: [{Condition: $Input.n < 200, Next: L}], Default: J}
        - {Type: Pass, Name: J, End: true}
"""
    }
)


@pytest.mark.parametrize("attended", [True, False])
@pytest.mark.parametrize(("looks", "ahead"), [(1, 0), (3, 0), (40, 0), (1, 9)])
def test_it_makes_no_difference_where_slices_end(
    looks: int, ahead: int, attended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def histories(looks: int) -> dict[str, Any]:
        lab = Lab(looks=looks)
        lab.add("g", WAIT)
        lab.add("f", MANY, {"R": [{"returns": {}, "after": "1s"}]})
        first = lab.start("f", {"n": 0})
        lab.rest()
        second = lab.start("f", {"n": 190}, name="e2")
        lab.rest()
        if attended:
            lab.settle(first)
        lab.advance(100)
        assert (first.status, second.status) == ("Succeeded", "Succeeded")
        return {name: [(*row, event.time) for row, event in zip(seen.history(), seen.events, strict=True)]
                for name, seen in lab.seen.items()}  # fmt: skip

    whole = histories(1_000_000)
    monkeypatch.setattr("cfmock.engine.scheduler.AHEAD", ahead)
    assert histories(looks) == whole


def test_an_execution_has_5000_events_at_most_the_last_one_is_its_end() -> None:
    lab, seen = started(LOOP)
    lab.settle(seen)
    assert len(seen.events) == 5000
    assert seen.events[-1].type == "ExecutionFailed"
    check_history(seen.events)


@pytest.mark.parametrize(("iterations", "status"), [(831, "Succeeded"), (832, "Failed")])
def test_an_execution_may_end_by_its_5000th_event(iterations: int, status: str) -> None:
    lab, seen = started(
        text_of(
            {
                "states": "- {Type: Pass, Name: A, Next: B}\n- {Type: Pass, Name: B, Next: C}\n"
                "- {Type: Map, Name: C, ItemsPath: $Input.list, Processor: {StartAt: X, States: [{Type: Pass, Name: X,"
                " End: true}]}, OutputConstructor: {}, End: true}"
            }
        ),
        value={"list": [0] * iterations},
    )
    lab.settle(seen)
    assert (seen.status, len(seen.events)) == (status, 5000)


@pytest.mark.parametrize("clock", [VirtualClock(0.0), RealClock()], ids=["virtual", "real"])
@pytest.mark.parametrize(
    "text",
    [
        text_of(
            {
                "states": "- {Type: Parallel, Name: A, Branches: [{StartAt: X, States: [{Type: Task, Name: X, Action: x:Y,"
                " Parameters: {n: 0}, End: true}]}, {StartAt: Y, States: [{Type: Task, Name: Y, Action: x:Y,"
                " Parameters: {n: 1}, End: true}]}], End: true}"
            }
        ),
        text_of(
            {
                "states": "- {Type: Map, Name: A, ItemsPath: 'toArray(0, 1)', Processor: {StartAt: X, States: [{Type: Task,"
                " Name: X, Action: x:Y, Parameters: {n.$: $Input}, End: true}]}, End: true}"
            }
        ),
        text_of(
            {
                "states": "- {Type: Map, Name: A, ItemsPath: 'toArray($Input, $Input)', ProcessorConfig: {ExecutionMode:"
                " Express}, Processor: {StartAt: X, States: [{Type: Task, Name: X, Action: x:Y, End: true}]}, End: true}"
            }
        ),
        text_of(
            {
                "steps": "- {type: parallel, name: a, branches: [{steps: [{type: task, name: x, action: 'x:Y'}]},"
                " {steps: [{type: task, name: y, action: 'x:Y'}]}]}"
            }
        ),
        text_of(
            {
                "steps": "- {type: foreach, name: a, iterationMapping: {collection: $.list, item: n},"
                " steps: [{type: task, name: x, action: 'x:Y'}]}"
            }
        ),
    ],
    ids=["Parallel", "Map", "distributed", "parallel", "foreach"],
)
def test_what_fails_at_once_does_not_keep_those_beside_it_from_being_called(text: str, clock: Clock) -> None:
    called: list[Any] = []

    def refuse_the_first(event: Any) -> Any:
        called.append(event)
        if len(called) == 1:
            raise TaskFailed("Refused")
        return {}

    lab = Lab(clock=clock)
    lab.add("f", text, {"x:Y": [TaskMock(calls=refuse_the_first)]})
    seen = lab.start("f", {"list": [0, 1]})
    assert (seen.status, seen.error, len(called)) == ("Failed", ("Refused", ""), 2)
    check_history(seen.events)


def test_failures_of_one_moment_do_not_wait_for_one_another() -> None:
    branch = (
        "{StartAt: %s, States: [{Type: Parallel, Name: %s, Branches: [{StartAt: W, States: [{Type: Wait, Name: W,"
        " Seconds: 5, Next: F}, {Type: Fail, Name: F, Code: Bad}]}, {StartAt: V, States: [{Type: Wait, Name: V,"
        " Seconds: 5, Next: P}, {Type: Pass, Name: P, End: true}]}], End: true}]}"
    )
    branches = ", ".join(branch % (name, name) for name in "XYZ")
    seen = Lab().run(text_of({"states": f"- {{Type: Parallel, Name: A, Branches: [{branches}], End: true}}"}))
    assert (seen.error, seen.duration) == (("Bad", ""), 5)
    assert seen.visits[-6:] == ["F", "P"] * 3
    assert (seen.run.timeline.open, seen.run.timeline.busy) == (0, 0)


def test_flows_that_start_one_another_deeply_do_not_exhaust_the_stack() -> None:
    lab = Lab()
    lab.add(
        "f",
        text_of(
            {
                "states": "- {Type: Choice, Name: A, Branches: [{Condition: $Input.n > 0, Next: B}], Default: C}\n"
                "- {Type: Task, Name: B, Action: 'FNF:StartExecution', TaskMode: WaitForSystemCallback, Parameters:"
                " {resourceArn: 'acs:fnf:::flow/f', input: {n.$: 'intAdd($Input.n, -1)'}}, End: true}\n"
                "- {Type: Wait, Name: C, Seconds: 5, End: true}"
            }
        ),
    )
    seen = lab.start("f", {"n": 2000})
    lab.settle(seen)
    assert (seen.status, seen.output, len(lab.seen)) == ("Succeeded", {"n": 0}, 2001)
    assert seen.duration == 5


def test_the_same_seed_gives_the_same_history() -> None:
    states = (
        "- {Type: Map, Name: A, ItemsPath: $Input.list, Processor: {StartAt: X, States: [{Type: Task, Name: X, Action:"
        " 'FC:InvokeFunction', Parameters: {t.$: $Context.Current.TaskToken, u.$: uuid()}, OutputConstructor:"
        " {r.$: 'randomInt(1, 1000000)'}, End: true}]}, End: true}"
    )
    tasks = {"X": [{"returns": {}, "after": "1s"}]}

    def history(seed: int) -> Any:
        lab = Lab(seed=seed)
        return [(*row, event.time) for seen in [lab.run(text_of({"states": states}), {"list": [1, 2]}, tasks)]
                for row, event in zip(seen.history(), seen.events, strict=True)]  # fmt: skip

    assert history(1) == history(1)
    assert history(1) != history(2)


# -- stop --------------------------------------------------------------------------------------------------------------

DEEP = text_of(
    {
        "states": """\
- Type: Parallel
  Name: A
  End: true
  Branches:
    - {StartAt: W, States: [{Type: Wait, Name: W, Seconds: 100, End: true}]}
    - {StartAt: T, States: [{Type: Task, Name: T, Action: x:Y, TaskMode: WaitForCustomCallback, Timeout: 50, End: true}]}
    - StartAt: M
      States:
        - Type: Map
          Name: M
          ItemsPath: toArray(1, 2)
          Processor:
            StartAt: R
            States:
              - {Type: Task, Name: R, Action: y:Z, Retry: [{Errors: [Oops], MaxAttempts: 9, IntervalSeconds: 100}], End: true}
          End: true
    - StartAt: D
      States:
        - Type: Map
          Name: D
          ItemsPath: toArray($Input, $Input)
          ProcessorConfig: {ExecutionMode: Standard}
          Processor: {StartAt: V, States: [{Type: Wait, Name: V, Seconds: 100, End: true}]}
          End: true
    - StartAt: N
      States:
        - {Type: Task, Name: N, Action: 'FNF:StartExecution', TaskMode: WaitForSystemCallback,
           Parameters: {resourceArn: 'acs:fnf:::flow/g'}, End: true}
    - {StartAt: L, States: [{Type: Pass, Name: L, Next: L}]}
"""
    }
)


def test_stop_ends_an_execution_in_every_state_at_every_depth() -> None:
    lab = Lab(looks=20)
    lab.add("f", DEEP, {"R": [{"fails": {"code": "Oops"}}], "T": [{"waits": True}]})
    lab.add("g", WAIT)
    ends: list[str] = []
    seen = lab.start("f", on_begin=lambda run: run.on_end.append(lambda run: ends.append(run.status.value)))
    (map_run,) = seen.run.map_runs.values()
    assert seen.status == "Running"
    seen.run.stop("Enough", "said so")
    assert (seen.status, seen.error, ends) == ("Stopped", ("Enough", "said so"), ["Stopped"])
    assert seen.events[-1].type == "ExecutionStopped"
    assert seen.events[-1].data == {"error": "Enough", "cause": "said so"}
    check_history(seen.events)
    count = len(seen.events)
    lab.advance(1000)
    assert len(seen.events) == count, "nothing of it runs on"
    assert (lab.seen["child1"].status, lab.seen["child1"].error[0]) == ("Stopped", "FnF.ParentStopped")
    assert map_run.status.value == "Aborted"
    assert (seen.run.timeline.open, seen.run.timeline.busy, seen.run.waiting) == (0, 0, {})


def test_what_has_ended_cannot_be_stopped_or_reported() -> None:
    lab, seen = started(CALLBACK)
    token = token_of(seen)
    seen.run.stop("One", "")
    seen.run.stop("Two", "")
    assert seen.error == ("One", "")
    assert not seen.run.report(token, {})
    assert lab.seen["e1"].told("TaskSucceeded") == []


def test_a_child_that_was_only_started_goes_on_when_its_parent_is_stopped() -> None:
    lab = Lab()
    lab.add(
        "f",
        text_of(
            {
                "states": "- {Type: Task, Name: A, Action: 'FNF:StartExecution', Parameters: {resourceArn:"
                " 'acs:fnf:::flow/g'}, Next: B}\n- {Type: Wait, Name: B, Seconds: 100, End: true}"
            }
        ),
    )
    lab.add("g", WAIT)
    seen = lab.start("f")
    seen.run.stop("", "")
    lab.advance(60)
    assert lab.seen["child1"].status == "Succeeded"


def test_a_child_that_is_no_longer_waited_for_is_stopped() -> None:
    lab = Lab()
    lab.add(
        "f",
        text_of(
            {
                "states": "- {Type: Task, Name: A, Action: 'FNF:StartExecution', TaskMode: WaitForSystemCallback,"
                " Timeout: 5, Parameters: {resourceArn: 'acs:fnf:::flow/g'}, End: true}"
            }
        ),
    )
    lab.add("g", WAIT)
    seen = lab.start("f")
    lab.settle(seen)
    assert (seen.error[0], seen.duration) == ("FnF.TaskTimeout", 5)
    assert (lab.seen["child1"].status, lab.seen["child1"].run.stopped) == ("Stopped", 5)


def test_what_a_child_is_stopped_with_is_the_error_of_its_parent() -> None:
    lab = Lab()
    task = (
        "- {type: task, name: a, resourceArn: 'acs:fnf:::flow/g', pattern: sync, catch: [{errors: [Enough], goto: b}]}"
    )
    lab.add("f", text_of({"steps": task + "\n- {type: fail, name: no, error: no}\n- {type: pass, name: b}"}))
    lab.add("g", WAIT)
    seen = lab.start("f")
    lab.seen["child1"].run.stop("Enough", "said so")
    assert (seen.status, seen.visits) == ("Succeeded", ["a", "b"])


def test_an_execution_can_be_retired_at_the_end_of_the_step_it_is_in() -> None:
    lab, seen = started(
        text_of({"states": "- {Type: Wait, Name: A, Seconds: 9, Next: B}\n- {Type: Pass, Name: B, End: true}"})
    )
    lab.scheduler.retire(seen.run)
    assert seen.status == "Running"
    lab.advance(9)
    assert (seen.status, seen.visits, seen.error) == ("Stopped", ["A"], ("", ""))


# -- outside -----------------------------------------------------------------------------------------------------------


class Outside:
    """Functions whose answers are given by hand."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.replies: list[Callable[[Any], None]] = []

    def call_http(self, url: str, event: Any, reply: Callable[[Any], None]) -> None:
        self.calls.append((url, event))
        self.replies.append(reply)

    def call_python(
        self, function: Callable[[Any], Any], event: Any, moment: float, reply: Callable[[Any], None]
    ) -> None:
        self.calls.append((function.__name__, event))
        self.replies.append(reply)


FUNCTION = text_of(
    {
        "states": "- {Type: Task, Name: A, Action: 'FC:InvokeFunction', %s Parameters: {body: {n.$: $Input.n}}, Next: B}\n"
        "- {Type: Wait, Name: B, Seconds: 10, End: true}"
    }
)


def outside(more: str = "", mock: dict[str, Any] | None = None) -> tuple[Lab, Seen, Outside]:
    functions = Outside()
    lab = Lab(functions=functions)
    lab.add("f", FUNCTION % more, {"A": [mock or {"http": "http://localhost:9000"}]})
    return lab, lab.start("f", {"n": 1}), functions


def test_a_function_outside_gets_the_event_and_its_answer_is_the_body() -> None:
    lab, seen, functions = outside()
    lab.scheduler.attend(seen.run)
    assert functions.calls == [("http://localhost:9000", {"n": 1})]
    assert seen.status == "Running"
    functions.replies[0]({"r": 2})
    assert (seen.status, seen.output, seen.duration) == ("Succeeded", {"Body": {"r": 2}}, 10)


def test_a_function_outside_gets_the_parameters_of_an_old_call() -> None:
    functions = Outside()
    lab = Lab(functions=functions)
    step = "{type: task, name: a, action: 'ocr:Recognize', serviceParams: {ImageURL: $.url}}"
    lab.add("f", text_of({"steps": f"- {step}"}), {"a": [{"http": "http://localhost:9000"}]})
    lab.start("f", {"url": "u"})
    assert functions.calls == [("http://localhost:9000", {"ImageURL": "u"})]


def test_a_function_outside_is_not_overtaken_by_the_time_of_its_task() -> None:
    lab, seen, functions = outside("Timeout: 5,")
    lab.scheduler.attend(seen.run)
    assert seen.status == "Running"
    lab.advance(5)
    assert seen.error[0] == "FnF.TaskTimeout"
    functions.replies[0]({"late": True})
    assert (seen.error[0], seen.run.timeline.busy) == ("FnF.TaskTimeout", 0)


def test_a_function_outside_may_fail() -> None:
    _, seen, functions = outside()
    functions.replies[0](Failure("FC.ConnectError", "refused"))
    assert seen.error == ("FC.ConnectError", "refused")


def test_a_coroutine_is_waited_for() -> None:
    async def handler(event: Any) -> Any:
        return event

    _, seen, functions = outside(mock={"calls": handler})
    functions.replies[0]({"x": 1})
    assert seen.told("TaskSucceeded")[0].data == {"output": {"Body": {"x": 1}}}


def test_a_function_of_a_callback_task_only_submits_it() -> None:
    _, seen, functions = outside("TaskMode: WaitForCustomCallback,")
    assert seen.told("TaskSubmitted") == []
    functions.replies[0]("accepted")
    assert len(seen.told("TaskSubmitted")) == 1
    assert seen.run.report(token_of(seen), {"ok": True})
    assert seen.told("TaskSucceeded")[0].data == {"output": {"ok": True}}


def test_a_report_may_come_before_the_function_has_answered() -> None:
    lab, seen, functions = outside("TaskMode: WaitForCustomCallback,")
    lab.scheduler.attend(seen.run)
    seen.run.report(token_of(seen), {"ok": True})
    assert (seen.status, seen.output) == ("Succeeded", {"ok": True})
    assert len(seen.told("TaskSubmitted")) == 1
    functions.replies[0]({"late": True})
    assert seen.run.timeline.busy == 0


def test_a_function_of_a_callback_task_that_fails_did_not_submit_it() -> None:
    _, seen, functions = outside("TaskMode: WaitForCustomCallback,")
    functions.replies[0](Failure("Crashed"))
    assert [event.type for event in seen.events][5:7] == ["TaskSubmitFailed", "StepFailed"]
    assert seen.run.waiting == {}


def test_an_answer_given_at_once_counts_too() -> None:
    class AtOnce(Outside):
        def call_http(self, url: str, event: Any, reply: Callable[[Any], None]) -> None:
            reply({"now": True})

    lab = Lab(functions=AtOnce())
    lab.add("f", FUNCTION % "", {"A": [{"http": "http://localhost:9000"}]})
    seen = lab.start("f", {"n": 1})
    assert seen.told("TaskSucceeded")[0].data == {"output": {"Body": {"now": True}}}
    assert seen.run.timeline.busy == 0


def test_waiting_tasks_can_be_looked_up_by_token() -> None:
    lab, seen = started(CALLBACK)
    lab.advance(3)
    ((token, task),) = seen.run.waiting.items()
    parts = read_token(token)
    assert parts is not None
    assert (parts.flow, parts.execution, parts.event) == ("f", "e1", 2)
    assert (task.call.state, task.since, task.execution) == ("A", 0, seen.run)


@pytest.mark.parametrize("text", ["", "no base64!", "djEjZiNl", "djIjZiNlIzIjeA==", "djEjZiNlI3gjeA=="])
def test_what_is_no_token_has_no_parts(text: str) -> None:
    assert read_token(text) is None


def test_a_mistake_of_ours_ends_only_its_own_execution() -> None:
    lab = Lab()
    lab.add("f", text_of({"steps": "- {type: task, name: a, resourceArn: r}"}))
    lab.add("g", PASS)

    def break_(task: Any) -> None:
        raise ZeroDivisionError("a bug")

    lab.note = break_  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        lab.start("f")
    assert lab.seen["e1"].events[-1].data == {"error": "FnF.InternalError", "cause": "ZeroDivisionError('a bug')"}
    assert lab.start("g", name="e2").status == "Succeeded"


def test_a_turn_ends_after_so_many_events_wherever_in_a_state_that_is() -> None:
    branch = "{{StartAt: {0}, States: [{{Type: Pass, Name: {0}, Next: {0}}}]}}"
    branches = "".join(f"\n    - {branch.format(name)}" for name in "XY")
    _, seen = started(text_of({"states": f"- Type: Parallel\n  Name: A\n  End: true\n  Branches:{branches}"}))
    inside = [event for event in seen.events if event.step in ("X", "Y") or event.type == "BranchEntered"]
    steps = ["XY"[int(event.data["index"])] if event.type == "BranchEntered" else event.step for event in inside]
    turns = [len(list(turn)) for _, turn in groupby(steps)]
    assert set(turns[:-1]) == {TURN}
    check_history(seen.events)


@pytest.mark.parametrize("before", range(4))
def test_an_execution_has_no_event_more_than_it_may_have(before: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfmock.engine.scheduler.MAX_EVENTS", 101 + before)
    _, seen = started(LOOP)
    assert (len(seen.events), seen.events[-1].type) == (101 + before, "ExecutionFailed")
    check_history(seen.events)


def test_the_events_of_a_turn_are_handed_over_at_once() -> None:
    lab = Lab()
    handed: list[list[Any]] = []
    lab.scheduler.start(
        lab.add("f", PASS), Identity("f", "e1"), {}, resolver=ScriptedTasks(TaskMocks()), sink=handed.append
    )
    assert [len(list(as_events(rows))) for rows in handed] == [6]


def test_what_its_own_task_ends_has_told_its_events_by_then() -> None:
    lab = Lab()
    text = "- {Type: Wait, Name: A, Seconds: 1, Next: B}\n- {Type: Task, Name: B, Action: 'x:Y', End: true}"
    lab.add("f", text_of({"states": text}), {"B": [TaskMock(calls=lambda event: seen.run.stop("Enough", ""))]})
    seen = lab.start("f")
    lab.advance(2)
    check_history(seen.events)
    assert [event.type for event in seen.events[-3:]] == ["TaskScheduled", "TaskStarted", "ExecutionStopped"]
