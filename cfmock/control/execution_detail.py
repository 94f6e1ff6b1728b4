"""One execution as those see it who look at it: all that is known of it, its history in pages, its picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice, pairwise

from msgspec.structs import asdict

from cfmock.base.clocks import iso
from cfmock.base.errors import UnknownName
from cfmock.base.json_text import Json, json_text
from cfmock.control.answers import near_misses_of_try, who_answered, who_decided
from cfmock.control.execution_path import TaskTry, Visit, part, visits
from cfmock.control.executions import ExecutionControl, brief
from cfmock.control.paging import PAGE, read_after
from cfmock.engine.events import Event
from cfmock.engine.model import ChoiceNode
from cfmock.observe.models import ExecutionDetail
from cfmock.service import history
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import FLOWS, World

MAX_TEXT = 1024 * 1024
"""Characters of the values in one answer: of the tries of tasks, and of a page of a history."""

MAX_NEAR_MISSES = 50
"""Near misses of one execution's tries that are worked out."""


class ExecutionDetailControl(ExecutionControl):
    """Answers questions about one execution."""

    def show_execution(self, flow: str, name: str, account: str | None = None, region: str | None = None) -> Json:
        """All that is known of an execution but its events. Raises NotFoundError for a flow or name that there is not."""
        world = self._one_world(account, region)
        return detail(world, self._execution(world, flow, name))

    def find_execution(self, flow: str, name: str) -> ExecutionDetail:
        """An execution as a value: that of the world of our own clients, else of any. Raises UnknownName for a flow or name that
        there is not."""
        self.check_flow(flow)
        own = self.emulator.first_credential.account, self.emulator.settings.region
        worlds = sorted(self._worlds(None, None), key=lambda world: (world.account, world.region) != own)
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
                )
        names = (each for world in worlds for each in world.execution_names(flow, name))
        raise UnknownName.of(f"there is no execution '{name}' of flow '{flow}'", name, names)

    def list_events(
        self,
        flow: str,
        name: str,
        limit: int = PAGE,
        after: str | None = None,
        account: str | None = None,
        region: str | None = None,
    ) -> Json:
        """A page of the events of an execution, oldest first. One with long texts may be shorter, and yet not the last."""
        world = self._one_world(account, region)
        every = history.events_of(self._execution(world, flow, name))
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
    passed = visits(row)
    states = [visit.state for visit in passed]
    if row.events is None:
        states = []
    return {
        **brief(world, row),
        "input": json.loads(row.input) if row.input else {},
        "output": json.loads(row.output) if row.output else None,
        "because": _because(row, passed) if row.status == "Failed" else None,
        "visits": states,
        "tasks": _tasks(row, [visit for visit in passed if visit.tries]),
        "waiting": waiting(world, row),
        "outcome": who_decided(row),
    }


def waiting(world: World, row: ExecutionRow) -> list[dict[str, Json]]:
    """The tasks that an execution waits for the report of, oldest first."""
    run = world.run_of(row)
    tasks = sorted(run.waiting.items(), key=lambda each: each[1].since) if run is not None else []
    return [{"state": task.call.state, "token": token, "since": iso(task.since)} for token, task in tasks]


def _tasks(row: ExecutionRow, passed: Sequence[Visit]) -> list[dict[str, Json]]:
    """Return the passages through tasks, oldest first; of very long ones the newest tries, and the number of the others."""
    room, misses = MAX_TEXT, MAX_NEAR_MISSES
    found: list[dict[str, Json]] = []
    for visit in reversed(passed):
        tries: list[dict[str, Json]] = []
        for tried in reversed(visit.tries):
            room -= len(tried.given) + sum(map(len, tried.end.parts if tried.end is not None else ()))
            if room < 0 and found + tries:
                break
            near = list(islice(near_misses_of_try(row, visit.state, tried), misses))
            misses -= len(near)
            tries.append({**_try(row, visit.state, tried), "near_misses": [miss.to_mapping() for miss in near]})
        omitted = len(visit.tries) - len(tries)
        found.append(
            {"state": visit.state, "action": _action(visit.tries[0]), "tries": tries[::-1], "omitted": omitted}
        )
    return found[::-1]


def _because(row: ExecutionRow, passed: Sequence[Visit]) -> dict[str, Json] | None:
    """What made an execution fail: the last task that did, else the last choice, with the result that it had to go by."""
    tasks = [visit for visit in passed if visit.tries]
    failed = next((visit for visit in reversed(tasks) if visit.failed), None)
    if failed is not None:
        return {"state": failed.state, "why": f"failed{_result(row, failed)}"}
    choices = {node.id for _, node in row.flow.compiled.walk() if isinstance(node, ChoiceNode)}
    chosen = [(one, other) for one, other in pairwise(passed) if one.point in choices]
    if not chosen:
        return None
    choice, went = chosen[-1]
    before = [visit for visit in tasks if visit.entered <= choice.entered]
    after = f", after '{before[-1].state}' returned{_result(row, before[-1])}" if before else ""
    return {"state": choice.state, "why": f"chose '{went.state}'{after}"}


def _result(row: ExecutionRow, visit: Visit) -> str:
    """Describe the end of the last try of a task, and who answered it."""
    tried = _try(row, visit.state, visit.tries[-1])
    error = tried["error"]
    words = f" with {error['code']}" if error is not None else f" {json_text(tried['result']):.100}"
    return words if tried["why"] is None else f"{words} ({tried['why']})"


def _action(tried: TaskTry) -> Json:
    said = part(tried.scheduled, "action") or part(tried.scheduled, "resourceArn")
    return json.loads(said) if said is not None else None


def _try(row: ExecutionRow, state: str, tried: TaskTry) -> dict[str, Json]:
    answered, end = who_answered(row, state, tried), tried.end
    output = part(end, "output") if end is not None else None
    error = part(end, "error") if end is not None else None
    cause = part(end, "cause") if end is not None else None
    return {
        "at": iso(tried.scheduled.time),
        "input": json.loads(tried.given),
        "answered_by": answered.by if answered is not None else None,
        "why": answered.why if answered is not None else None,
        "result": json.loads(output) if output is not None else None,
        "error": {"code": json.loads(error), "detail": json.loads(cause or '""')} if error is not None else None,
    }
