"""Answers and ends of tasks as values, for recordings; and how a task of a recorded execution gets its answer."""

from __future__ import annotations

from collections.abc import Sequence

from cfmock.base.json_text import Json
from cfmock.engine.commands import Failure, LimitExceeded
from cfmock.engine.execution import Answer, CalledTask, Children, ExecutionRecording, FlowExecution, Nested
from cfmock.engine.recording import ANSWER, Entry
from cfmock.engine.task_calls import AnswersLater, Fails, Returns, Waits


def resolve_recorded(task: CalledTask, recording: ExecutionRecording) -> Answer:
    """The answer to a call of a task. Raises the `Failure` that it failed with."""
    answer: Answer | Failure
    if recording.replaying:
        while recording.entries and recording.entries[0][0] != ANSWER:
            recording.step()  # as a report that came before the call was answered
        answer = answer_of(recording.next(ANSWER)[1:], task, recording.children)
        if isinstance(answer, AnswersLater):
            recording.later[task] = None
    else:
        try:
            answer = task.execution.resolver.resolve(task)
        except Failure as failure:
            answer = failure
        recording.write([ANSWER, *kept_answer(answer)])
    if isinstance(answer, Failure):
        raise answer
    return answer


def kept_outcome(outcome: Json | Failure) -> Entry:
    """The end of a task as values; `outcome_of` reads it."""
    if isinstance(outcome, Failure):
        return [False, outcome.code, outcome.detail, outcome.catchable]
    return [True, outcome]


def outcome_of(kept: Sequence[Json]) -> Json | Failure:
    """A value, or a `Failure`."""
    if kept[0]:
        return kept[1]
    return (Failure if kept[3] else LimitExceeded)(kept[1], kept[2])


def kept_answer(answer: Answer | Failure) -> Entry:
    """The answer to a call as values; `answer_of` reads it."""
    if isinstance(answer, Failure):
        return ["raises", *kept_outcome(answer)[1:]]
    if isinstance(answer, Returns):
        return ["returns", answer.value, answer.after]
    if isinstance(answer, Fails):
        return ["fails", answer.code, answer.detail, answer.after]
    if isinstance(answer, AnswersLater):
        return ["later"]
    if isinstance(answer, Waits):
        return ["waits", answer.child, answer.call_off is None]
    serial = answer.execution.identity.serial if isinstance(answer.execution, FlowExecution) else None
    return ["nested", serial, answer.answer, answer.joined]


def answer_of(kept: Entry, task: CalledTask, children: Children) -> Answer | Failure:
    """The answer again, with the children there are."""
    kind, *facts = kept
    if kind == "raises":
        failure: Failure = outcome_of([False, *facts])
        return failure
    if kind == "returns":
        return Returns(*facts)
    if kind == "fails":
        return Fails(*facts)
    if kind == "later":
        return AnswersLater()
    if kind == "waits":
        return Waits() if facts[0] is None else children.again(task, *facts)
    serial, answer, joined = facts
    child = None if serial is None else children.child(serial, None if joined else task.execution)
    return Nested(child, answer, joined)
