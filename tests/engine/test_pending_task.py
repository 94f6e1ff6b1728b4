"""The table of a task's states."""

from __future__ import annotations

from cfmock.engine.pending_task import NEXT, TaskState
from tests.support.lab import Lab

TASK = """\
Type: StateMachine
SpecVersion: v1
Name: f
StartAt: A
States:
  - {Type: Task, Name: A, Action: FC:InvokeFunction, TaskMode: WaitForCustomCallback, Timeout: 60, End: true}
"""


def test_every_state_is_reached_and_each_but_the_last_two_can_end() -> None:
    reached = {TaskState.CALLED}.union(*NEXT.values())
    assert reached == set(TaskState) == set(NEXT)
    last = {TaskState.REFUSED, TaskState.OVER}
    assert {state for state, after in NEXT.items() if not after} == last
    assert all(TaskState.OVER in after for state, after in NEXT.items() if state not in last)


def test_a_call_can_be_refused_until_it_was_answered() -> None:
    assert {state for state, after in NEXT.items() if TaskState.REFUSED in after} == {TaskState.CALLED, TaskState.ASKED}


def test_a_task_that_waits_for_a_report_is_open_until_it_has_ended() -> None:
    lab = Lab()
    seen = lab.run(TASK, tasks={"A": [{"waits": True}]})
    (task,) = seen.run.waiting.values()
    assert task.state is TaskState.OPEN  # type: ignore[attr-defined]
    assert seen.run.timeline.open == 1
    task.report({"done": 1})
    assert (seen.run.timeline.open, seen.status) == (0, "Succeeded")
    task.report({"done": 2})
    assert seen.run.output is not None
    assert seen.run.output.value == {"done": 1}


def test_an_answer_that_takes_time_settles_the_end_and_its_time_out_may_come_first() -> None:
    lab = Lab()
    text = TASK.replace(" TaskMode: WaitForCustomCallback,", "")
    lab.add("f", text, {"A": [{"returns": {}, "after": 90}]})
    seen = lab.start("f")
    root = seen.run.root
    assert root is not None
    assert root.waiting.state is TaskState.SETTLED  # type: ignore[union-attr]
    lab.advance(60)
    assert (seen.status, seen.run.error) == ("Failed", "FnF.TaskTimeout")
