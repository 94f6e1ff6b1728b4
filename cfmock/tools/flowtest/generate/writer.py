"""A first test file for flows: a test for every branch, catch and retry, each tried before it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.short_text import printable, shortened
from cfmock.base.source_marks import NOWHERE
from cfmock.base.time_text import duration_text
from cfmock.engine.commands import TASK_TIMEOUT
from cfmock.engine.flow import Point, PointKind
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.history.answers import chained
from cfmock.fixtures.model import FixtureSet, FlowFixture, FlowTest
from cfmock.fixtures.text import item_lines, mapping_lines, one_line
from cfmock.tools.flowtest.coverage import FlowCoverage
from cfmock.tools.flowtest.generate.paths import FlowPath, PathSearch
from cfmock.tools.flowtest.generate.symbolic import concrete
from cfmock.tools.flowtest.run import FlowTestRunner, Ran

_SHOWN = 12  # states that a test expects by name
_ROUNDS = 3
_PATIENCE = 5  # paths that are tried for one point
_LONGEST_NAME = 80

_OWN_TEST = (PointKind.CHOICE, PointKind.CATCH, PointKind.RETRY)


class Draft(Struct, frozen=True):
    """One test to be written, and the point it is there for. `failure`: the state that fails, and how, if no mock is meant to
    cause that."""

    point: Point
    input: Json
    tasks: Mapping[str, Sequence[Json]]
    expect: Mapping[str, Json]
    failure: str


class Drafts:
    """First tests for a flow, as they run with these fixtures, and their coverage."""

    def __init__(self, fixtures: FixtureSet, flow: FlowFixture) -> None:
        self.flow = flow
        self.coverage = FlowCoverage(flow.name)
        self.coverage.count(flow.flow)
        self._lab = FlowTestRunner(fixtures)
        self._points = flow.flow.points()
        self._drafts: dict[str, Draft] = {}  # by the point that each is there for
        search = PathSearch(flow.flow)
        for _ in range(_ROUNDS):
            paths = [path for path in search.paths() if path.complete]
            for point in self._points:
                if point.kind in _OWN_TEST and point.id not in self._drafts:
                    self._add(point, paths)
            for point in self._points:
                if not self.coverage.hits[point.id]:
                    self._add(point, paths)
            # A path may promise what the real engine does not do: then others are looked for.
            search.missing = {point.id for point in self.missing}
            if not search.missing or not paths:
                break

    def __iter__(self) -> Iterator[Draft]:
        """Yield the tests in the order of the points that they are there for."""
        return (self._drafts[point.id] for point in self._points if point.id in self._drafts)

    def __len__(self) -> int:
        return len(self._drafts)

    @property
    def missing(self) -> list[Point]:
        """The points that no test reaches and that should have one of their own."""
        hits, drafts = self.coverage.hits, self._drafts
        return [
            point
            for point in self._points
            if not hits[point.id] or (point.kind in _OWN_TEST and point.id not in drafts)
        ]

    def _add(self, point: Point, paths: Sequence[FlowPath]) -> None:
        """Draft a test that passes the point, if one of the paths does."""
        passing = (path for path in paths if point.id in path.points)
        for path in islice(passing, _PATIENCE):
            given = concrete(path.given, path.found)
            for tasks in _mocks(path):
                mocks = {name: tuple(map(TaskMock.from_mapping, answers)) for name, answers in tasks.items()}
                ran = self._lab.run(FlowTest("test", self.flow.name, given, mocks, {}, NOWHERE))
                hits = ran.hits[self.flow.name]
                if point.id in hits:
                    expect = {**ran.ending(), "visits": [name for name, _ in ran.visits[:_SHOWN]]}
                    self._drafts[point.id] = Draft(point, given, tasks, expect, _failure(ran, tasks))
                    self.coverage.hits.update(hits)
                    return


def _mocks(path: FlowPath) -> Iterator[dict[str, list[Json]]]:
    """Return the answers of a path as mocks, by state; where a task times out, first with time that passes, then without."""
    for slow in (True, False) if any(answer.late for _, answer, _ in path.answers) else (False,):
        answers: dict[str, list[Json]] = {}
        for state, answer, result in path.answers:
            mock: Json = {"fails": {"code": answer.code}}
            if not answer.code:
                mock = {"returns": concrete(result, path.found)}
            elif slow and answer.late:
                mock = {"returns": {}, "after": duration_text(2 * answer.late)}
            answers.setdefault(state, []).append(mock)
        yield {state: chained(mocks) for state, mocks in answers.items()}


def _failure(ran: Ran, tasks: Mapping[str, Sequence[Json]]) -> str:
    """Return the failure of an execution in words, empty if it has none, or one that a mock or the flow itself names."""
    error, mocks = ran.error or {"code": ""}, (mock for mocks in tasks.values() for mock in mocks)
    meant = (TASK_TIMEOUT if "after" in mock else mock.get("fails", {}).get("code") for mock in mocks)
    if not error["code"].startswith("FnF.") or error["code"] in meant:
        return ""
    entered = max((number for number, event in enumerate(ran.events) if event.type == "StepEntered"), default=0)
    state = next((event.step for event in ran.events[entered:] if event.type == "StepFailed"), None)
    where = f"'{state}' fails" if state is not None else "it ends"
    return printable(shortened(f"{where} with {error['code']}: {error['detail']}"))


# -- text --------------------------------------------------------------------------------------------------------------


def text(drafts: Iterable[Drafts], definitions: Mapping[str, str]) -> str:
    """Return the file. `definitions` are the flows it has to define itself: the name and file of each."""
    lines = [
        "# First tests, written by `cfmock test --init`. Each leads to the branch, catch or retry in its name, with an",
        "# input and mocks for it. Values such as `order: order` are placeholders: replace them with real data.",
        "cfmock: 1",
    ]
    if definitions:
        lines += mapping_lines(
            {"flows": [{"name": name, "definition": {"file": file}} for name, file in definitions.items()]}
        )
    lines.append("tests:")
    names: Counter[str] = Counter()
    for each in drafts:
        for one in each:
            test = {"name": _name(one.point, names), "flow": each.flow.name, "input": one.input, "tasks": one.tasks}
            if one.failure:
                lines.append(f"  # Is this meant? {one_line(one.failure)}")
            lines += item_lines({key: part for key, part in {**test, "expect": one.expect}.items() if part})
        lines += _to_fill_in(each)
    return "\n".join(lines) + "\n"


def _name(point: Point, names: Counter[str]) -> str:
    name = f"{point.label} is entered" if point.kind is PointKind.STATE else point.label
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME].rstrip(" ,") + "..."
    names[name] += 1
    return name if names[name] == 1 else f"{name} ({names[name]})"


def _to_fill_in(drafts: Drafts) -> Iterator[str]:
    """Write the points for which no test was found, as comments that begin one."""
    for point in drafts.missing:
        yield f"  # Fill in: nothing was found that leads to {one_line(point.label)} ({point.mark})."
        yield f"  # - name: {one_line(point.label)}"
        yield f"  #   flow: {one_line(drafts.flow.name)}"
        yield "  #   input: {}"
