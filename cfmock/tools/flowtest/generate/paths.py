"""Paths through a flow, and the search for them: the real engine over symbolic data, decisions in place of mocks and conditions.

A *decision* is the branch that a choice takes, or the end of a task's call. A path begins with the decisions it is
given, and makes the rest by habit: tasks succeed, and choices go where the path was least often.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from cfmock.base.clocks import VirtualClock
from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timers
from cfmock.engine.commands import TASK_TIMEOUT
from cfmock.engine.data_flow import Step
from cfmock.engine.events import Rows, last_of
from cfmock.engine.execution import CalledTask, TaskResolver
from cfmock.engine.expr import Expression
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.model import ChoiceNode, Node, NodeKind, Option
from cfmock.engine.scheduler import YEAR, FlowScheduler
from cfmock.engine.task_calls import Fails, Returns
from cfmock.tools.flowtest.generate.constraints import Constraint, Found, keys_of, solve
from cfmock.tools.flowtest.generate.failure_modes import SUCCEEDS, Answer, failures
from cfmock.tools.flowtest.generate.symbolic import INPUT, Place, ShapeConstraint, Shapes, ValueShape, renew, renewed
from cfmock.tools.flowtest.generate.symbolic_data_flow import Scope, symbolic_data_flow

_EVENTS = 2_000  # events of one path

_OWN = "$"
"""Names by which a step of the old language calls its input, in which merges leave what is known and what may be."""

Alternative = tuple[str, "str | Answer"]
"""A way to decide: the node it is decided at, and the id of the option taken, or the answer."""

Decisions = tuple[Alternative, ...]
"""The decisions a path begins with."""


class FlowPath(Struct):
    """One way through a flow, and what has to be given for it to be taken.

    `decisions` are those made, each with what else it could have been; `points` those passed; `answers` the ends of calls, each
    with the state and the result.
    """

    decisions: list[tuple[Alternative, tuple[Alternative, ...]]] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[str, Answer, Json]] = field(default_factory=list)
    given: Json = None
    found: Found = field(default_factory=dict)
    complete: bool = True


class _Spent(Exception):  # noqa: N818 - no error: the path is long enough
    pass


class PathExecution(TaskResolver):
    """Makes one path. Raises `ShapeConstraint` from `run` where something needs a shape: then the path has to begin again."""

    def __init__(self, search: PathSearch, prefix: Decisions) -> None:
        self.search = search
        self.shapes = search.shapes
        self.prefix = prefix
        self.result = FlowPath()
        self.events = 0
        self.constraints: list[Constraint] = []
        self._calls: Counter[str] = Counter()
        self._failing: dict[str, Answer] = {}  # tasks that are to fail further tries
        self._taken: tuple[Step, Option | None] | None = None
        self._ids = Ids(0)

    def run(self) -> FlowPath:
        """Execute the flow on virtual time, up to `_EVENTS` events. Raises `ShapeConstraint`."""
        flow, path = self.search.flow, self.result
        timers = Timers(VirtualClock(0.0))
        self.shapes.lookups.clear()
        path.given = self.shapes.make(INPUT)
        try:
            FlowScheduler(timers, self._ids).start(
                replace(flow, data_flow=symbolic_data_flow(flow, self.choose)),
                Identity(flow=flow.name or "", execution="test"),
                path.given,
                resolver=self,
                sink=self._count,
                observe=self._pass,
            )
            while (due := timers.next_due()) is not None and due < YEAR:
                timers.advance_to(due)
        except _Spent:
            path.complete = False
        return path

    def _count(self, rows: Rows) -> None:
        self.events = last_of(rows)
        if self.events > _EVENTS:
            raise _Spent

    def _pass(self, point: str) -> None:
        self.result.points[point] += 1

    # -- tasks

    def resolve(self, task: CalledTask) -> Returns | Fails:
        """Return the answer to a try of a task."""
        call = task.call
        node = call.node
        place = Place(call.state, self._calls[call.state])
        self._calls[call.state] += 1
        ways = [(node, way) for way in (SUCCEEDS, *self.search.failures.get(node, ()))]
        answer = self._failing.pop(node, None) or self._decide(ways)[1]
        assert isinstance(answer, Answer)
        if answer.code:
            if answer.times > 1:
                self._failing[node] = replace(answer, times=answer.times - 1)
            late = call.timeout if answer.code == TASK_TIMEOUT else None
            self.result.answers.append((call.state, Answer(answer.code, late=late), None))
            return Fails(answer.code)
        value = self.shapes.make(place)
        if call.state.endswith(".ItemReader") and call.state != call.node.rpartition("/")[2]:
            self.shapes.known.setdefault(place.below("Items"), ValueShape(length=1))
            value = {"Items": value["Items"]}
        self.result.answers.append((call.state, SUCCEEDS, value))
        return Returns(value)

    # -- choices

    def choose(self, step: Step, condition: Expression, scope: Scope) -> bool:
        """Decide a condition: the way its choice is to go decides, once for all its conditions."""
        if self._taken is None or self._taken[0] is not step:
            self._taken = step, self._decide_option(step, scope)
        taken = self._taken[1]
        constraint = Constraint.of(condition, scope, taken is not None and taken.condition is condition)
        if constraint.named:
            return constraint.wanted
        return condition.test(scope, step.effort)

    def _decide_option(self, step: Step, scope: Scope) -> Option | None:
        node = step.node
        assert isinstance(node, ChoiceNode), "conditions are asked of choices only"
        before = len(self.shapes.lookups)
        possible: dict[Alternative, _Way] = {}
        for index, option in enumerate((*node.options, node.default)):
            way = self._possible(node.options[:index], option, scope)
            if way is not None:
                possible[node.id, option.id if option is not None else ""] = way
        if not possible:
            return None  # nothing is known of these conditions; the real engine will decide
        onward = sorted(possible, key=lambda way: self._reluctance(node, possible[way].option))
        taken = possible[self._decide(onward)]
        self.result.found = taken.found
        self.constraints += taken.constraints
        # What only the other ways have asked for does not matter.
        self.shapes.undo_lookups(before, {part.place for each in taken.constraints for part in each.named})
        for key, part in taken.renewed.items():
            renew(scope[_OWN], key, part)
        return taken.option

    def _possible(self, before: Sequence[Option], option: Option | None, scope: Scope) -> _Way | None:
        """Solve for data with which the option is the first whose condition is true; None if there are none."""
        asked = [(each, False) for each in before] + [(option, True)] * (option is not None)
        conditions = [(each.condition, wanted) for each, wanted in asked if each is not None and each.condition]

        def way(scope: Scope, parts: Mapping[str, Json]) -> _Way | None:
            constraints = [Constraint.of(condition, scope, wanted) for condition, wanted in conditions]
            found = solve(self.constraints, constraints, self.result.found)
            return _Way(option, constraints, found, parts) if found is not None else None

        possible = way(scope, {})
        if possible is not None:
            return possible
        # What an earlier step has set may have been set again by the latest.
        keys = {key for condition, _ in conditions for key in keys_of(condition, _OWN)}
        parts = {key: part for key in sorted(keys) if (part := renewed(scope.get(_OWN), key)) is not None}
        return way({**scope, _OWN: {**scope[_OWN], **parts}}, parts) if parts else None

    def _reluctance(self, node: ChoiceNode, option: Option | None) -> int:
        """By habit a flow goes to where it was least often, so that loops have an end, and rather not to where it fails."""
        target = self.search.targets.get((node.id, option.id if option is not None else ""))
        return self.result.points[target.id] + (target.kind is NodeKind.FAIL) if target is not None else 0

    # -- decisions

    def _decide(self, ways: Sequence[Alternative]) -> Alternative:
        """Return the way that is asked for, else the first."""
        at = len(self.result.decisions)
        asked = self.prefix[at] if at < len(self.prefix) else None
        taken = asked if asked is not None and asked in ways else ways[0]
        self.result.decisions.append((taken, tuple(way for way in ways if way != taken)))
        return taken


class _Way(Struct, frozen=True):
    """An option that can be taken: the conditions this sets, values that meet all there are, and which data it takes to
    have been set again.
    """

    option: Option | None
    constraints: Sequence[Constraint]
    found: Found
    renewed: Mapping[str, Json]


def _targets(flow: Flow) -> dict[tuple[str, str], Node]:
    """Return the targets of options, by the ids of the choice and the option, that empty where none is taken."""
    found: dict[tuple[str, str], Node] = {}
    for series, node in flow.walk():
        if isinstance(node, ChoiceNode):
            for option in node.all_options:
                name = option.next or node.next
                if name is not None:
                    found[node.id, option.id] = series.nodes[name]
            if node.next is not None:
                found[node.id, ""] = series.nodes[node.next]
    return found


_EFFORT = 200_000  # events of all paths through a flow
_PATIENCE = 200  # paths in a row that find nothing new; in a large flow four for each of its points
_SHAPES = 200  # times that one path may begin again because something needs a shape


class PathSearch:
    """Finds paths through a flow, those with the fewest unusual decisions first.

    `missing` are the points that are looked for; who finds that a path does not do what it promised may put them back.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.shapes = Shapes()
        self.failures = failures(flow)
        self.targets = _targets(flow)
        self.missing = {point.id for point in flow.points()}
        self._effort = 0
        self._tried: set[Decisions] = set()
        # What promises something new comes first, then what has fewer unusual decisions, then what was found first.
        self._waiting: list[tuple[int, int, int, Decisions]] = [(0, 0, 0, ())]

    def paths(self) -> Iterator[FlowPath]:
        """Paths unlike all before, until nothing is missing any more or the effort is spent."""
        patience = most = max(_PATIENCE, 4 * len(self.missing))
        while self._waiting and self.missing and patience and self._effort < _EFFORT:
            promise, unusual, number, branch = heapq.heappop(self._waiting)
            if branch and promise < (now := self._promise(branch[-1])):
                heapq.heappush(self._waiting, (now, unusual, number, branch))
                continue
            path = self.path(branch)
            patience = patience - 1 if self.missing.isdisjoint(path.points) else most
            self.missing -= path.points.keys()
            for further in _branches(path, len(branch)):
                if further not in self._tried:
                    self._tried.add(further)
                    item = self._promise(further[-1]), unusual + 1, len(self._tried), further
                    heapq.heappush(self._waiting, item)
            yield path

    def _promise(self, alternative: Alternative) -> int:
        """0 for what leads to a point that is missing, else 1."""
        node, way = alternative
        if isinstance(way, str):
            return int(way not in self.missing)
        return int(self.missing.isdisjoint(self.failures[node].get(way, ())))

    def path(self, prefix: Decisions) -> FlowPath:
        """Execute the flow with these decisions."""
        for _ in range(_SHAPES):
            execution = PathExecution(self, prefix)
            try:
                return execution.run()
            except ShapeConstraint as demand:
                place, shape = demand.args
                self.shapes.known[place] = shape
            finally:
                self._effort += execution.events
        return FlowPath(complete=False)


def _branches(path: FlowPath, start: int) -> Iterator[Decisions]:
    """Yield the path's decisions up to each from `start` on, with that one made differently."""
    taken = tuple(each for each, _ in path.decisions)
    for index in range(start, len(taken)):
        for other in path.decisions[index][1]:
            yield (*taken[:index], other)
