"""A first test file for flows: a test for every branch, catch and retry, each tried before it is written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from cfmock.base.json_text import Json
from cfmock.base.source_marks import NOWHERE
from cfmock.base.yaml_values import plain
from cfmock.engine.flow import Point, PointKind
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.model import FixtureSet, FlowFixture, FlowTest
from cfmock.tools.flowtest.coverage import Coverage
from cfmock.tools.flowtest.generate.paths import FlowPath
from cfmock.tools.flowtest.generate.search import PathSearch
from cfmock.tools.flowtest.generate.symbolic import concrete
from cfmock.tools.flowtest.run import FlowTestRunner, Ran

_SHOWN = 12  # states that a test expects by name
_ROUNDS = 3
_PATIENCE = 5  # paths that are tried for one point
_WIDTH = 110
_LONGEST_NAME = 80

_OWN_TEST = (PointKind.CHOICE, PointKind.CATCH, PointKind.RETRY)


@dataclass(frozen=True, slots=True)
class Draft:
    """One test to be written, and the point it is there for."""

    point: Point
    input: Json
    tasks: Mapping[str, Sequence[Json]]
    expect: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Drafts:
    """The tests of one flow, what they cover, and the points that they do not."""

    flow: FlowFixture
    drafts: Sequence[Draft]
    coverage: Coverage
    missing: Sequence[Point]


def draft(fixtures: FixtureSet, flow: FlowFixture) -> Drafts:
    """First tests for a flow, as they run with these fixtures."""
    return _Drafting(FlowTestRunner(fixtures), flow).draft()


class _Drafting:
    """Drafts the tests of one flow."""

    def __init__(self, lab: FlowTestRunner, flow: FlowFixture) -> None:
        self.lab = lab
        self.flow = flow
        self.points = flow.flow.points()
        self.explorer = PathSearch(flow.flow)
        self.drafts: dict[str, Draft] = {}  # by the point that each is there for
        self.coverage = Coverage()
        self.coverage.count(flow.name, flow.flow)

    def draft(self) -> Drafts:
        for _ in range(_ROUNDS):
            paths = [path for path in self.explorer.paths() if path.complete]
            for point in self.points:
                if point.kind in _OWN_TEST and point.id not in self.drafts:
                    self.add(point, paths)
            for point in self.points:
                if not self.hits[point.id]:
                    self.add(point, paths)
            # A path may promise what the real engine does not do: then others are looked for.
            self.explorer.missing = {point.id for point in self.missing()}
            if not self.explorer.missing or not paths:
                break
        drafts = [self.drafts[point.id] for point in self.points if point.id in self.drafts]
        return Drafts(self.flow, drafts, self.coverage, self.missing())

    @property
    def hits(self) -> Counter[str]:
        return self.coverage[self.flow.name].hits

    def missing(self) -> list[Point]:
        """Return the points that no test reaches and that should have one of their own."""
        return [
            point
            for point in self.points
            if not self.hits[point.id] or (point.kind in _OWN_TEST and point.id not in self.drafts)
        ]

    def add(self, point: Point, paths: Sequence[FlowPath]) -> None:
        """Draft a test that passes the point, if one of the paths does."""
        passing = (path for path in paths if point.id in path.points)
        for path in islice(passing, _PATIENCE):
            given, tasks = concrete(path.given, path.found), _mocks(path)
            ran = self.try_out(given, tasks)
            if (self.flow.name, point.id) in ran.hits:
                self.drafts[point.id] = Draft(point, given, tasks, _expected(ran))
                self.coverage.add(ran.hits)
                return

    def try_out(self, given: Json, tasks: Mapping[str, Sequence[Json]]) -> Ran:
        mocks = {name: tuple(map(TaskMock.from_mapping, answers)) for name, answers in tasks.items()}
        return self.lab.run(FlowTest("test", self.flow.name, given, mocks, {}, NOWHERE))


def _mocks(path: FlowPath) -> dict[str, list[Json]]:
    """Return the answers of a path as mocks: equal ones after one another are one, and the last of a task stays for good."""
    answers: dict[str, list[tuple[Json, int]]] = {}
    for state, answer in path.answers:
        mock: Json = {"fails": {"code": answer.code}}
        if answer.source is not None:
            mock = {"returns": concrete(path.results[answer.source], path.found)}
        told = answers.setdefault(state, [])
        if told and told[-1][0] == mock:
            told[-1] = mock, told[-1][1] + 1
        else:
            told.append((mock, 1))
    return {
        state: [*({**mock, "times": times} for mock, times in told[:-1]), told[-1][0]]
        for state, told in answers.items()
    }


def _expected(ran: Ran) -> dict[str, Json]:
    expect: dict[str, Json] = {"status": ran.status}
    if ran.error is not None and ran.error["code"]:
        expect["error"] = {"code": _literally(ran.error["code"])}
    expect["visits"] = [name for name, _ in ran.visits[:_SHOWN]]
    return expect


def _literally(text: str) -> str:
    """Return a text as the glob that means it."""
    return re.sub(r"([*?\[])", r"[\1]", text)


# -- text --------------------------------------------------------------------------------------------------------------


def text(drafts: Iterable[Drafts], definitions: Mapping[str, str]) -> str:
    """Return the file. `definitions` are the flows it has to define itself: the name and file of each."""
    lines = [
        "# First tests, written by `cfmock test --init`. Each leads to the branch, catch or retry in its name, with an",
        "# input and mocks that do. Names that stand for data (order: order) are placeholders: put in what is real.",
        "cfmock: 1",
    ]
    if definitions:
        lines.append("flows:")
        lines += [
            f"  - {{name: {flow(name)}, definition: {{file: {flow(file)}}}}}" for name, file in definitions.items()
        ]
    lines.append("tests:")
    names: Counter[str] = Counter()
    for each in drafts:
        for one in each.drafts:
            lines += _test(each, one, _name(one.point, names))
        lines += _to_fill_in(each)
    return "\n".join(lines) + "\n"


def _name(point: Point, names: Counter[str]) -> str:
    name = f"{point.label} is entered" if point.kind is PointKind.STATE else point.label
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME].rstrip(" ,") + "..."
    names[name] += 1
    return name if names[name] == 1 else f"{name} ({names[name]})"


def _test(drafts: Drafts, draft: Draft, name: str) -> Iterator[str]:
    yield f"  - name: {flow(name)}"
    yield f"    flow: {flow(drafts.flow.name)}"
    if draft.input:
        yield from _entry("    ", "input", draft.input)
    if draft.tasks:
        yield "    tasks:"
        for name, mocks in draft.tasks.items():
            line = f"      {flow(name)}: {flow(mocks)}"
            if len(line) <= _WIDTH:
                yield line
            else:
                yield f"      {flow(name)}:"
                yield from (f"        - {flow(mock)}" for mock in mocks)
    yield from _entry("    ", "expect", draft.expect)


def _entry(indent: str, key: str, value: Mapping[str, Json]) -> Iterator[str]:
    line = f"{indent}{key}: {flow(value)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{indent}{key}:"
    for name, part in value.items():
        start = f"{indent}  {flow(name)}: "
        if len(start) + len(flow(part)) <= _WIDTH or not isinstance(part, list):
            yield start + flow(part)
        else:
            yield start.rstrip()
            yield from (f"{indent}    - {flow(each)}" for each in part)


def _to_fill_in(drafts: Drafts) -> Iterator[str]:
    """Write the points for which no test was found, as comments that begin one."""
    for point in drafts.missing:
        yield f"  # Fill in: nothing was found that leads to {flow(point.label)} ({point.mark})."
        yield f"  # - name: {flow(point.label)}"
        yield f"  #   flow: {flow(drafts.flow.name)}"
        yield "  #   input: {}"


_PLAIN = re.compile(r"[^\W\d][\w./@+-]*( [\w./@+-]+)*\Z")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))


def flow(value: Json) -> str:
    """Return a value as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        usual = _PLAIN.match(value) and plain(value) == value and value.casefold() not in _WORDS
        return value if usual else _quoted(value)
    return json.dumps(value)


def _quoted(value: str) -> str:
    if value.isprintable() and '"' in value and "'" not in value:
        return f"'{value}'"
    shown = (letter if letter.isprintable() else _escape(letter) for letter in value)
    return '"' + "".join(f"\\{letter}" if letter in '"\\' else letter for letter in shown) + '"'


def _escape(letter: str) -> str:
    return f"\\U{ord(letter):08X}" if ord(letter) > 0xFFFF else f"\\u{ord(letter):04X}"
