"""The answerers: of a task the mock, function or report, of an execution the outcome; why that one, and what nearly did.

All of it is worked out when somebody looks, from references that were kept: those tried before the one that answered either
differ, or had all their `times` used up.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

from cfmock.base.json_text import Json, json_text, json_value
from cfmock.base.near_misses import EXPLAINED, Candidate
from cfmock.base.patterns import NearMiss, Spent
from cfmock.control.execution_path import TaskTry, part
from cfmock.engine.languages.legacy import action_of
from cfmock.engine.task_calls import TaskMock, Waits
from cfmock.engine.task_mocks import Answerer, candidates
from cfmock.service.outcomes import Outcome
from cfmock.service.rows import EXPRESS, ExecutionRow


class Answered(Struct, frozen=True):
    """The answerer in a word, and the reason in a sentence."""

    by: str
    why: str


def who_answered(row: ExecutionRow, state: str, tried: TaskTry) -> Answered | None:
    """Find the answerer of a try of a task; None where none was asked: it ended before."""
    if tried.answer is None:
        return None
    _, source, by_task = tried.answer
    if isinstance(source, Answerer):
        return Answered(source.value, f"no mock: {_WHY.get(source) or _unmocked(tried)}")
    for name, number, mock in candidates(by_task, *_names(state, tried)):
        if mock is source:
            return Answered(_kind(source), f"mock {number} of '{name}'{_condition(source)}")
    return Answered(_kind(source), f"a mock of '{state}'{_condition(source)}")


_WHY = {
    Answerer.NESTED: "it started a flow",
    Answerer.REPORT: "it waits for a report with its token",
}


def _unmocked(tried: TaskTry) -> str:
    """What the setting made of a task that nothing was for."""
    result = part(tried.end, "output") if tried.end is not None else None
    return f"{'failed' if result is None else f'succeeded with {result:.60}'} (unmocked_tasks)"


def _kind(mock: TaskMock) -> str:
    if mock.http is not None:
        return "http"
    if mock.calls is not None:
        return "function"
    return "report" if isinstance(mock.answer, Waits) else "mock"


def _condition(candidate: Candidate) -> str:
    words = [f"when {json_text(dict(candidate.when))}"] if candidate.when else []
    if candidate.times is not None:
        words.append(f"times {candidate.times}")
    return f" ({', '.join(words)})" if words else ", which asks for nothing"


def near_misses_of_try(row: ExecutionRow, state: str, tried: TaskTry) -> Iterator[NearMiss]:
    """The mocks that came before the one that answered, and why they did not."""
    if tried.answer is None:
        return
    _, source, by_task = tried.answer
    value = json_value(tried.given)
    for name, number, mock in islice(candidates(by_task, *_names(state, tried)), EXPLAINED):
        if mock is source:
            return
        yield _near_miss("mock", f"{number} of '{name}'", mock, row.name, value)


def who_decided(row: ExecutionRow) -> dict[str, Json] | None:
    """The outcome that an execution goes by, or why none; None where the flow had none."""
    if row.outcome is None and not row.outcomes:
        return None
    misses = [miss.to_mapping() for miss in _near_misses_of_start(row)]
    if row.outcome is None:
        why = "no outcome of the flow matched: its definition is executed"
        return {"name": None, "why": why, "near_misses": misses}
    words = outcome_name(row)
    return {"name": words, "why": f"{words}{_condition(row.outcome)}", "near_misses": misses}


def outcome_name(row: ExecutionRow) -> str:
    """Name the outcome that an execution goes by: `outcome 1 of flow 'order'`."""
    number = next((at for at, each in enumerate(row.outcomes, 1) if each is row.outcome), None)
    return f"an outcome of flow '{row.flow.name}'" if number is None else f"outcome {number} of flow '{row.flow.name}'"


def _near_misses_of_start(row: ExecutionRow) -> Iterator[NearMiss]:
    # The service makes names of synchronous starts, outcomes go by those that were asked for.
    name = row.name.rpartition(":")[0] or row.name if row.flow.execution_mode == EXPRESS else row.name
    value = json_value(row.input or "{}")
    for number, outcome in enumerate(row.outcomes, 1):
        if outcome is row.outcome:
            return
        yield _near_miss("outcome", f"{number} of flow '{row.flow.name}'", outcome, name, value)


def _near_miss(kind: str, name: str, candidate: TaskMock | Outcome, execution: str, value: Json) -> NearMiss:
    found = tuple(candidate.condition.differences(execution, value))
    times = candidate.times or 0
    return NearMiss(kind, name, found or (Spent("times", times, times),))


def _names(state: str, tried: TaskTry) -> tuple[str, str | None, str | None]:
    """Return the names that mocks may use for the task, in the order in which they are asked."""
    resource, action = part(tried.scheduled, "resourceArn"), part(tried.scheduled, "action")
    arn = json.loads(resource) if resource is not None else None
    return state, arn, json.loads(action) if action is not None else arn and action_of(arn)
