"""One execution as those see it who look at it: all that is known of it, its history in pages, its picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise

from msgspec.structs import asdict

from cfmock.base.clocks import iso
from cfmock.base.errors import UnknownName
from cfmock.base.json_text import Json, json_text, json_value
from cfmock.base.near_misses import EXPLAINED, Candidate
from cfmock.base.patterns import NearMiss, Spent
from cfmock.control.execution_path import TaskTry, Visit, part, visits
from cfmock.control.executions import ExecutionControl, brief
from cfmock.control.part import PAGE, read_after
from cfmock.engine.events import Event, HistoryChild
from cfmock.engine.languages.legacy import action_of
from cfmock.engine.model import ChoiceNode
from cfmock.engine.task_calls import TaskMock, Waits
from cfmock.engine.task_mocks import Answerer, candidates
from cfmock.observe.journal import ALL, Scope
from cfmock.observe.models import ExecutionDetail
from cfmock.service import executions
from cfmock.service.rows import EXPRESS, ExecutionRow
from cfmock.service.world import FLOWS, World

# The answerers: of a task the mock, function or report, of an execution the outcome; why that one, and what nearly did. All is
# worked out when somebody looks: those tried before the one that answered either differ, or had all their `times` used up.


def who_answered(state: str, tried: TaskTry) -> tuple[str | None, str | None]:
    """The answerer of a try of a task in a word, and the reason in a sentence; nothing where none was asked: it ended before."""
    if tried.answer is None:
        return None, None
    _, source, by_task = tried.answer
    if isinstance(source, Answerer):
        return source.value, f"no mock: {_WHY.get(source) or _unmocked(tried)}"
    asked = candidates(by_task, *_names(state, tried))
    place = next(
        (f"mock {number} of '{name}'" for name, number, mock in asked if mock is source), f"a mock of '{state}'"
    )
    return _kind(source), f"{place}{_condition(source)}"


_WHY = {Answerer.NESTED: "it started a flow", Answerer.REPORT: "it waits for a callback with its token"}


def _unmocked(tried: TaskTry) -> str:
    """What the setting made of a task that nothing was for."""
    result = part(tried.end, "output")
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
    return f" ({', '.join(words)})" if words else " (always)"


def near_misses_of_try(row: ExecutionRow, state: str, tried: TaskTry) -> Iterator[NearMiss]:
    """The mocks that came before the one that answered, and why they did not."""
    if tried.answer is None:
        return iter(())
    _, source, by_task = tried.answer
    asked = islice(candidates(by_task, *_names(state, tried)), EXPLAINED)
    named = ((f"{number} of '{name}'", mock) for name, number, mock in asked)
    return _near_misses("mock", named, source, row.name, json_value(tried.given))


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
    named = ((f"{number} of flow '{row.flow.name}'", outcome) for number, outcome in enumerate(row.outcomes, 1))
    return _near_misses("outcome", named, row.outcome, name, json_value(row.input or "{}"))


def _near_misses(
    kind: str, named: Iterable[tuple[str, Candidate]], chosen: object, execution: str, value: Json
) -> Iterator[NearMiss]:
    """Why the candidates ahead of the one that was chosen were not."""
    for name, candidate in named:
        if candidate is chosen:
            return
        found, times = tuple(candidate.condition.differences(execution, value)), candidate.times or 0
        yield NearMiss(kind, name, found or (Spent("times", times, times),))


def _names(state: str, tried: TaskTry) -> tuple[str, str | None, str | None]:
    """Return the names that mocks may use for the task, in the order in which they are asked."""
    arn = json.loads(part(tried.scheduled, "resourceArn") or "null")
    action = json.loads(part(tried.scheduled, "action") or "null")
    return state, arn, action if action is not None else arn and action_of(arn)


MAX_TEXT = 1024 * 1024
"""Characters of the values in one answer: of the tries of tasks, and of a page of a history."""

MAX_PASSAGES = 200
"""Passages through states in the timeline of one execution."""

MAX_NEAR_MISSES = 50
"""Near misses of one execution's tries that are worked out."""


class ExecutionDetailControl(ExecutionControl):
    """Answers questions about one execution."""

    def show_execution(self, flow: str, name: str, scope: Scope = ALL) -> Json:
        """All that is known of an execution but its events. Raises NotFoundError for a flow or name that there is not."""
        world = self._one_world(scope)
        return detail(world, self._execution(world, flow, name))

    def find_execution(self, flow: str, name: str) -> ExecutionDetail:
        """An execution as a value: that of our own clients' world, else of any. Raises UnknownName for what there is not."""
        self.check_flow(flow)
        own = self.emulator.first_credential.account, self.emulator.settings.region
        worlds = sorted(self._worlds(ALL), key=lambda world: (world.account, world.region) != own)
        for world in worlds:
            flow_row = world.stores.flows.get(FLOWS, flow)
            row = world.stores.executions.get(flow_row.id, name) if flow_row is not None else None
            if row is not None:
                seen, known = self.execution(world, row), detail(world, row)
                return ExecutionDetail(
                    **asdict(seen),
                    tasks=tuple(known["tasks"]),
                    waiting=tuple(known["waiting"]),
                    outcome=known["outcome"],
                    parent=known["parent"],
                )
        names = (each for world in worlds for each in world.names_in(world.stores.executions, flow, name))
        raise UnknownName.of(f"there is no execution '{name}' of flow '{flow}'", name, names)

    def list_events(
        self, flow: str, name: str, limit: int = PAGE, after: str | None = None, scope: Scope = ALL
    ) -> Json:
        """A page of the events of an execution, oldest first. One with long texts may be shorter, and yet not the last."""
        world = self._one_world(scope)
        every = executions.events_of(self._execution(world, flow, name))
        start = 0 if after is None else read_after(after, int)
        page: list[Event] = []
        size = 0
        for event in islice(every, start, start + limit):
            size += sum(map(len, event.parts))
            if page and size > MAX_TEXT:
                break
            page.append(event)
        answer: dict[str, Json] = {"events": [event.row() for event in page]}
        end = start + len(page)
        return {**answer, "next": str(end)} if page and end < len(every) else answer


def detail(world: World, row: ExecutionRow) -> dict[str, Json]:
    """An execution with input and output, its path, who answered its tasks, and what it waits for."""
    run = world.run_of(row)
    waiting = sorted(run.waiting.values(), key=lambda each: each.since) if run is not None else []
    passed = visits(row)  # none of one that goes by a canned outcome
    return {
        **brief(world, row),
        "input": json.loads(row.input) if row.input else {},
        "output": json.loads(row.output) if row.output else None,
        "because": _because(row, passed) if row.status == "Failed" else None,
        "visits": [visit.state for visit in passed],
        "timeline": [_passage(row, visit) for visit in passed[:MAX_PASSAGES]],
        "tasks": _tasks(world, row, [visit for visit in passed if visit.tries]),
        "waiting": [{"state": each.call.state, "token": each.token, "since": iso(each.since)} for each in waiting],
        "outcome": who_decided(row),
    }


def _tasks(world: World, row: ExecutionRow, passed: Sequence[Visit]) -> list[dict[str, Json]]:
    """Return the passages through tasks, oldest first; of very long ones the newest tries, and the number of the others."""
    room, misses = MAX_TEXT, MAX_NEAR_MISSES
    found: list[dict[str, Json]] = []
    for visit in reversed(passed):
        tries: list[dict[str, Json]] = []
        for tried in reversed(visit.tries):
            room -= len(tried.given) + sum(map(len, tried.end.parts if tried.end is not None else ()))
            if room < 0 and (found or tries):
                break
            near = list(islice(near_misses_of_try(row, visit.state, tried), misses))
            misses -= len(near)
            tries.append({**_try(visit.state, tried), "near_misses": [miss.to_mapping() for miss in near]})
        told = {
            "state": visit.state, "action": _action(visit.tries[0]), "tries": tries[::-1],
            "omitted": len(visit.tries) - len(tries), "started": [_child(world, each) for each in visit.children],
        }  # fmt: skip
        found.append(told)
    return found[::-1]


def _passage(row: ExecutionRow, visit: Visit) -> dict[str, Json]:
    """Where in the history a passage and its tries begin and end."""
    tries: list[Json] = []
    for tried in visit.tries:
        last, failed = (tried.end.id, tried.end.type != "TaskSucceeded") if tried.end is not None else (None, False)
        tries.append(_piece(row, tried.scheduled.id, last, failed))
    piece = _piece(row, visit.first, visit.last, visit.failed)
    return {"state": visit.state, **piece, "holds": visit.holds, "tries": tries}


def _piece(row: ExecutionRow, first: int, last: int | None, failed: bool) -> dict[str, Json]:
    """What had no end of its own was cut off by that of the execution."""
    cut = row.ended and last is None
    return {"from": first, "to": len(row.events or ()) if cut else last, "failed": failed or cut}


def _child(world: World, child: HistoryChild) -> dict[str, Json]:
    """An execution that a task started or joined, with its status if it is kept."""
    flow = world.stores.flows.get(FLOWS, child.flow)
    row = world.stores.executions.get(flow.id, child.execution) if flow is not None else None
    return {"flow": child.flow, "name": child.execution, "status": None if row is None else row.status}


def _because(row: ExecutionRow, passed: Sequence[Visit]) -> dict[str, Json] | None:
    """What made an execution fail: the last task that did, else the last choice, with the result that it had to go by."""
    tasks = [visit for visit in passed if visit.tries]
    failed = next((visit for visit in reversed(tasks) if visit.failed), None)
    if failed is not None:
        return {"state": failed.state, "why": f"failed{_result(failed)}"}
    choices = {node.id for _, node in row.flow.compiled.walk() if isinstance(node, ChoiceNode)}
    chosen = [(one, other) for one, other in pairwise(passed) if one.point in choices]
    if not chosen:
        return None
    choice, went = chosen[-1]
    before = [visit for visit in tasks if visit.entered <= choice.entered]
    after = f", after '{before[-1].state}' returned{_result(before[-1])}" if before else ""
    return {"state": choice.state, "why": f"chose '{went.state}'{after}"}


def _result(visit: Visit) -> str:
    """Describe the end of the last try of a task, and who answered it."""
    tried = _try(visit.state, visit.tries[-1])
    error = tried["error"]
    words = f" with {error['code']}" if error is not None else f" {json_text(tried['result']):.100}"
    return words if tried["why"] is None else f"{words} ({tried['why']})"


def _action(tried: TaskTry) -> Json:
    return json.loads(part(tried.scheduled, "action") or part(tried.scheduled, "resourceArn") or "null")


def _try(state: str, tried: TaskTry) -> dict[str, Json]:
    by, why = who_answered(state, tried)
    error = part(tried.end, "error")
    return {
        "at": iso(tried.scheduled.time),
        "input": json.loads(tried.given),
        "answered_by": by,
        "why": why,
        "result": json.loads(part(tried.end, "output") or "null"),
        "error": {"code": json.loads(error), "detail": json.loads(part(tried.end, "cause") or '""')} if error else None,
    }
