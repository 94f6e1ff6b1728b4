"""Flows as those see them who look: the list with its counts, one flow with all that belongs to it, its picture. To look for
what is odd in a definition, and to draw it, takes long: it is yielded."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice

from cfmock.base.bounded_cache import keep_newest
from cfmock.base.clocks import iso
from cfmock.base.findings import Finding
from cfmock.base.json_text import Json, json_value
from cfmock.control.execution_path import hits, visits
from cfmock.control.part import PAGE, Answer, ControlError, ControlPart, Steps, read_after, shown_fields, worked_out
from cfmock.emulator.emulator import Emulator
from cfmock.engine.flow import Flow, Point
from cfmock.engine.model import TaskNode
from cfmock.engine.task_calls import TaskMock
from cfmock.engine.task_mocks import ByTask, TaskMocks
from cfmock.graph.drawing import Highlight, links
from cfmock.observe.journal import ALL, Scope
from cfmock.observe.models import FlowSummary
from cfmock.service import cron
from cfmock.service.flows import compiled
from cfmock.service.lookup import rows_from
from cfmock.service.outcomes import Outcome
from cfmock.service.overview import count_by_status
from cfmock.service.rows import AliasRow, ExecutionRow, FlowRow, ScheduleRow
from cfmock.service.world import FLOWS, World

MAX_DRAWN = 2_000
"""States of a flow that is drawn."""

MAX_CHECKED = 200
"""Flows whose findings are kept."""

MAX_LISTED = 1_000
"""Versions of a flow that are told, the newest, and aliases and schedules, the first by name."""

MAX_RUNNING = 1_000
"""Running executions whose path so far counts into the coverage."""

AFTER = r"^[^/\n]{1,200}/[^/\n]{1,100}/[^\n]{0,256}$"
"""The place where a page of flows goes on: name, region and account of the last."""


class FlowDetailControl(ControlPart):
    """Answers questions about flows."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._checked: dict[int, tuple[Flow, ByTask, list[Finding]]] = {}  # by the id of the flow

    def list_flows(self, limit: int = PAGE, after: str | None = None, scope: Scope = ALL) -> Answer:
        """A page of flows by their names, with how many of what each has."""
        worlds = list(self._worlds(scope))
        behind = ("", "", "") if after is None else read_after(after, _read_place)
        page = list(islice(_by_name(worlds, behind), limit + 1))
        flows = []
        for world, row in page[:limit]:
            flows.append((yield from self._summary(world, row)))
        answer: dict[str, Json] = {"flows": flows}
        return {**answer, "next": "/".join(_place(*page[limit - 1]))} if len(page) > limit else answer

    def find_flows(self) -> list[FlowSummary]:
        """All flows of all worlds by their names, as values."""
        rows = _by_name(list(self._worlds(ALL)), ("", "", ""))
        return [FlowSummary(**worked_out(self._summary(*each))) for each in rows]

    def show_flow(self, name: str, scope: Scope = ALL) -> Answer:
        """One flow with all that belongs to it. Raises NotFoundError."""
        world = self._one_world(scope)
        row, stores = self._flow(world, name), world.stores
        flow = row.compiled
        if row.definition:  # with places in its own text: it may be a part of the file that it came from
            flow = yield partial(compiled, row.definition, row.name, row.execution_mode)
        findings = yield from self._findings(world, row, flow)
        return {
            **_brief(world, row),
            "type": row.type,
            "created": iso(row.created),
            "modified": iso(row.modified),
            "definition": row.definition,
            "outline": _outline(flow),
            "versions": [
                {**shown_fields(each, "version", "description"), "created": iso(each.created)}
                for each in islice(rows_from(stores.versions, row.id), MAX_LISTED)
            ],
            "aliases": [_alias(each) for each in islice(rows_from(stores.aliases, row.id), MAX_LISTED)],
            "schedules": [_schedule(world, each) for each in islice(rows_from(stores.schedules, row.id), MAX_LISTED)],
            "mocks": _mocks(world.mocks[name]),
            "outcomes": [{**_outcome(outcome), "hits": used} for outcome, used in world.outcomes[name].uses()],
            "coverage": _coverage(flow, _passed(world, row)),
            "findings": [
                {
                    **shown_fields(each, "code", "severity"),
                    **shown_fields(each.mark, "line", "column"),
                    "message": each.message,
                }
                for each in findings
            ],
        }

    def draw_flow(self, name: str, style: str = "inside", scope: Scope = ALL, *, coverage: bool = False) -> Steps[str]:
        """The picture of a flow as SVG, maybe with coverage. Raises NotFoundError, and ControlError for one that is too large."""
        world = self._one_world(scope)
        row = self._flow(world, name)
        covered = Highlight(_passed(world, row)) if coverage else None
        return _drawing(row.compiled, covered, style)

    def draw_execution(self, flow: str, name: str, style: str = "inside", scope: Scope = ALL) -> Steps[str]:
        """The picture of the flow of an execution with the path that it took. Raises as `draw_flow`."""
        row = self._execution(self._one_world(scope), flow, name)
        return _drawing(row.flow.compiled, path_of(row), style)

    def show_style(self) -> str:
        """The style sheet that a page needs for pictures which bring none."""
        from cfmock.graph.svg.style import css  # not needed to serve calls

        return css()

    def _summary(self, world: World, row: FlowRow) -> Steps[dict[str, Json]]:
        findings = yield from self._findings(world, row, row.compiled)
        coverage = _percent(row.compiled.points(), _passed(world, row))
        return {**_brief(world, row), "findings": len(findings), "coverage": coverage}

    def _findings(self, world: World, row: FlowRow, flow: Flow) -> Steps[list[Finding]]:
        mocks = world.mocks[row.name]
        known = self._checked.get(id(flow))
        if known is not None and known[0] is flow and known[1] is mocks.by_task:
            return known[2]
        by_task = mocks.by_task
        from cfmock.lint.lint import lint  # not needed to serve calls

        found: list[Finding] = yield partial(lint, flow, mocked=TaskMocks(by_task).covers)
        keep_newest(self._checked, id(flow), (flow, by_task, found), MAX_CHECKED)
        return found


def path_of(row: ExecutionRow) -> Highlight:
    """The path of an execution, to be coloured in."""
    went: dict[str, str] = {}
    for visit in visits(row):
        status = visit.status(ended=row.ended)
        if visit.point and went.get(visit.point) not in ("failed", "running"):  # of iterations the most telling
            went[visit.point] = status
    return Highlight(hits(row), title=f"{row.name} · {row.status}", states=went)


def _drawing(flow: Flow, highlight: Highlight | None, style: str) -> Steps[str]:
    states = sum(1 for _ in flow.walk())
    if states > MAX_DRAWN:
        raise ControlError(f"the flow has {states} states; pictures are made of up to {MAX_DRAWN}")
    from cfmock.graph.svg.svg import svg  # not needed to serve calls

    picture: str = yield partial(svg, flow, highlight, styled=style == "inside")
    return picture


# -- lists -------------------------------------------------------------------------------------------------------------


def _by_name(worlds: Sequence[World], behind: tuple[str, str, str]) -> Iterator[tuple[World, FlowRow]]:
    def of(world: World) -> Iterator[tuple[World, FlowRow]]:
        for row in rows_from(world.stores.flows, FLOWS, behind[0]):
            if _place(world, row) > behind:
                yield world, row

    return heapq.merge(*map(of, worlds), key=lambda pair: _place(*pair))


def _place(world: World, row: FlowRow) -> tuple[str, str, str]:
    return row.name, world.region, world.account


def _read_place(text: str) -> tuple[str, str, str]:
    name, region, account = text.split("/", 2)
    return name, region, account


def _brief(world: World, row: FlowRow) -> dict[str, Json]:
    return {
        **shown_fields(row, "name", "execution_mode", "description"),
        "counts": count_by_status(world, row),
        "mocks": world.mocks[row.name].count,
        "outcomes": len(world.outcomes[row.name].uses()),
        **shown_fields(world, "account", "region"),
    }


# -- one flow ----------------------------------------------------------------------------------------------------------


def _outline(flow: Flow) -> list[dict[str, Json]]:
    """The states of a definition, outer before inner; `inside` is the id of the state around, `next` names the states after."""
    around = {id(series): node.id for _, node in flow.walk() for series in node.inner}
    following: dict[str, list[str]] = {}
    for series in {id(series): series for series, _ in flow.walk()}.values():
        for link in links(series):
            following.setdefault(series.nodes[link.edge.source].id, []).append(link.edge.target)
    return [
        {
            **shown_fields(node, "id", "name"),
            "type": node.kind.value,
            "action": (node.action or node.resource_arn) if isinstance(node, TaskNode) else None,
            "inside": around.get(id(series)),
            "next": list(dict.fromkeys(following.get(node.id, ()))),
            **shown_fields(node.place.mark, "line", "column"),
        }
        for series, node in flow.walk()
    ]


def _alias(row: AliasRow) -> dict[str, Json]:
    routes: list[Json] = [shown_fields(route, "version", "weight") for route in row.routes]
    return {**shown_fields(row, "name", "description"), "routes": routes}


def _schedule(world: World, row: ScheduleRow) -> dict[str, Json]:
    following = iso(cron.parse(row.cron).after(world.clock.now())) if row.enabled else None
    shown = shown_fields(row, "name", "description", "cron", "enabled", "payload")
    return {**shown, "next": following, "left_out": row.left_out}


def _mocks(mocks: TaskMocks) -> list[dict[str, Json]]:
    return [
        {"task": task, "number": number, **_mock(mock), "hits": mocks.hits.get(mock, 0)}
        for task, found in mocks.by_task.items()
        for number, mock in enumerate(found, 1)
    ]


def _mock(mock: TaskMock) -> dict[str, Json]:
    """A mock as a fixture writes it; of a Python function its name."""
    calls = {} if mock.calls is None else {"calls": getattr(mock.calls, "__qualname__", repr(mock.calls))}
    return {"when": {}, "times": None, **mock.to_mapping(), **calls}


def _outcome(outcome: Outcome) -> dict[str, Json]:
    after = {"polls": outcome.polls} if outcome.polls else outcome.after
    return {
        "when": dict(outcome.when),
        **shown_fields(outcome, "times", "status"),
        "output": json_value(outcome.text) if outcome.text is not None else outcome.given.get("output"),
        "error": dict(outcome.error) or None,
        "after": after,
    }


def _passed(world: World, row: FlowRow) -> dict[str, int]:
    """Count the passages of each point of the present definition; running executions count with what they passed."""
    counts = Counter(world.stores.passed.of(row))
    running = (live.row for live in world.live.get(row.id, {}).values() if live.outcome is None)
    for each in islice(running, MAX_RUNNING):
        if each.flow.definition == row.definition:
            counts.update(hits(each))
    return counts


def _coverage(flow: Flow, counts: Mapping[str, int]) -> dict[str, Json]:
    points = [
        {**shown_fields(each, "id", "kind", "label"), "line": each.mark.line, "hits": counts.get(each.id, 0)}
        for each in flow.points()
    ]
    return {"percent": _percent(flow.points(), counts), "points": points}


def _percent(points: Sequence[Point], counts: Mapping[str, int]) -> int:
    return 100 * sum(1 for each in points if counts.get(each.id)) // len(points) if points else 100
