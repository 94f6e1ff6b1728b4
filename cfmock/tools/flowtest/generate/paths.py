"""One walk through a flow: the real engine over open data, and in place of mocks and conditions whoever decides.

A *decision* is which branch a choice takes, or what becomes of a task's call. A walk begins with the decisions it is
given, and makes the rest by habit: tasks succeed, and choices go where the walk was least often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cfmock.base.clocks import Timers, VirtualClock
from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids
from cfmock.engine.data_flow import Step
from cfmock.engine.events import Event
from cfmock.engine.execution import CalledTask
from cfmock.engine.expr import Expression
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.model import ChoiceNode, Node, NodeKind, Option
from cfmock.engine.scheduler import YEAR, FlowScheduler
from cfmock.engine.task_calls import Fails, Returns
from cfmock.tools.flowtest.generate.constraints import Found, Wish, keys_of, solve
from cfmock.tools.flowtest.generate.failure_modes import SUCCEEDS, Answer, failures
from cfmock.tools.flowtest.generate.symbolic import INPUT, Place, ShapeConstraint, Shapes, SymbolSource, renew, renewed
from cfmock.tools.flowtest.generate.symbolic_data_flow import Scope, symbolic_data_flow

_EVENTS = 2_000
"""Events of one walk."""

_OWN = "$"
"""What a step of the old language calls its input, in which merges leave what is known and what may be."""

Alternative = tuple[str, "str | Answer"]
"""A way to decide: the node it is decided at, and the id of the option taken, or the answer."""


Branch = tuple[Alternative, ...]
"""The decisions a walk begins with."""


@dataclass(slots=True)
class PathDecision:
    """One that was made, and what else could have been."""

    taken: Alternative
    others: tuple[Alternative, ...]


@dataclass(slots=True)
class Walk:
    """One way through a flow: the decisions, the points passed, and what has to be given for it to be taken."""

    decisions: list[PathDecision] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    given: Json = None
    results: dict[SymbolSource, Json] = field(default_factory=dict)
    found: Found = field(default_factory=dict)
    complete: bool = True

    @property
    def choices(self) -> Branch:
        return tuple(decision.taken for decision in self.decisions)


class Ground:
    """What all walks through a flow share: the shapes of open data, the failures worth trying, and where options lead."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.shapes = Shapes()
        self.failures = failures(flow)
        self.targets = _targets(flow)


class _Spent(Exception):  # noqa: N818 - no error: the walk is long enough
    pass


class Walker:
    """Makes one walk. Raises `Demand` from `run` where something needs a shape: then the walk has to begin anew."""

    def __init__(self, ground: Ground, prefix: Branch) -> None:
        self.ground = ground
        self.prefix = prefix
        self.result = Walk()
        self.events = 0
        self.wishes: list[Wish] = []
        self._calls: Counter[str] = Counter()
        self._failing: dict[str, Answer] = {}  # tasks that are to fail further tries
        self._taken: tuple[Step[Any], Option | None] | None = None
        self._ids = Ids(0)

    def run(self) -> Walk:
        flow, walk = self.ground.flow, self.result
        timers = Timers(VirtualClock(0.0))
        self.ground.shapes.asked.clear()
        walk.given = self.ground.shapes.make(INPUT)
        try:
            FlowScheduler(timers, self._ids).start(
                replace(flow, data_flow=symbolic_data_flow(flow, self.choose)),
                Identity(flow=flow.name or "", execution="test"),
                walk.given,
                resolver=self,
                sink=self._count,
                observe=self._pass,
            )
            while (due := timers.next_due()) is not None and due < YEAR:
                timers.advance_to(due)
        except _Spent:
            walk.complete = False
        return walk

    def _count(self, event: Event) -> None:
        self.events += 1
        if self.events > _EVENTS:
            raise _Spent

    def _pass(self, point: str) -> None:
        self.result.points[point] += 1

    # -- tasks

    def resolve(self, task: CalledTask) -> Returns | Fails:
        """The answer to a try of a task."""
        call = task.call
        node = call.node
        source = SymbolSource(call.state, self._calls[call.state])
        self._calls[call.state] += 1
        answer = self._failing.pop(node, None) or self._decide_answer(node)
        if answer.code:
            if answer.times > 1:
                self._failing[node] = replace(answer, times=answer.times - 1)
            self.result.answers.append((call.state, Answer(code=answer.code)))
            return Fails(answer.code)
        self.result.answers.append((call.state, Answer(source=source)))
        value = self.ground.shapes.make(Place(source))
        if call.state.endswith(".ItemReader") and call.state != call.node.rpartition("/")[2]:
            self.ground.shapes.known.setdefault(Place(source, ("Items",)), ShapeConstraint(length=1))
            value = {"Items": value["Items"]}
        self.result.results[source] = value
        return Returns(value)

    def _decide_answer(self, node: str) -> Answer:
        ways: list[Answer] = [SUCCEEDS, *self.ground.failures.get(node, ())]
        taken = self._decide([(node, way) for way in ways])[1]
        assert isinstance(taken, Answer)
        return taken

    # -- choices

    def choose(self, step: Step[Any], condition: Expression, scope: Scope) -> bool:
        """How a condition comes out: the way its choice is to go decides, once for all its conditions."""
        if self._taken is None or self._taken[0] is not step:
            self._taken = step, self._decide_option(step, scope)
        taken = self._taken[1]
        wish = Wish.of(condition, scope, taken is not None and taken.condition is condition)
        if wish.named:
            return wish.wanted
        return condition.test(scope, self._ids)

    def _decide_option(self, step: Step[Any], scope: Scope) -> Option | None:
        node: ChoiceNode = step.node
        before = len(self.ground.shapes.asked)
        possible: dict[Alternative, _Way] = {}
        for index, option in enumerate((*node.options, node.default)):
            way = self._possible(node.options[:index], option, scope)
            if way is not None:
                possible[node.id, option.id if option is not None else ""] = way
        if not possible:
            return None  # nothing is known of these conditions; the real engine will tell
        onward = sorted(possible, key=lambda way: self._reluctance(node, possible[way].option))
        taken = possible[self._decide(onward)]
        self.result.found = taken.found
        self.wishes += taken.wishes
        # What only the other ways have asked for does not matter.
        self.ground.shapes.forget(before, {part.place for wish in taken.wishes for part in wish.named})
        for key, part in taken.renewed.items():
            renew(scope[_OWN], key, part)
        return taken.option

    def _possible(self, before: Sequence[Option], option: Option | None, scope: Scope) -> _Way | None:
        """What has to be given for the option to be the first whose condition is true; None if nothing is found."""
        asked = [(each, False) for each in before] + [(option, True)] * (option is not None)
        conditions = [(each.condition, wanted) for each, wanted in asked if each is not None and each.condition]
        wishes = [Wish.of(condition, scope, wanted) for condition, wanted in conditions]
        found = solve(self.wishes, wishes, self.result.found)
        if found is not None:
            return _Way(option, wishes, found, {})
        # What an earlier step has set may have been set anew by the latest.
        keys = {key for condition, _ in conditions for key in keys_of(condition, _OWN)}
        parts = {key: part for key in sorted(keys) if (part := renewed(scope.get(_OWN), key)) is not None}
        if not parts:
            return None
        anew = {**scope, _OWN: {**scope[_OWN], **parts}}
        wishes = [Wish.of(condition, anew, wanted) for condition, wanted in conditions]
        found = solve(self.wishes, wishes, self.result.found)
        return _Way(option, wishes, found, parts) if found is not None else None

    def _reluctance(self, node: ChoiceNode, option: Option | None) -> int:
        """By habit a flow goes to where it was least often, so that loops have an end, and rather not to where it fails."""
        target = self.ground.targets.get((node.id, option.id if option is not None else ""))
        return self.result.points[target.id] + (target.kind is NodeKind.FAIL) if target is not None else 0

    # -- decisions

    def _decide(self, ways: Sequence[Alternative]) -> Alternative:
        """The way that is asked for, else the first."""
        at = len(self.result.decisions)
        asked = self.prefix[at] if at < len(self.prefix) else None
        taken = asked if asked is not None and asked in ways else ways[0]
        self.result.decisions.append(PathDecision(taken, tuple(way for way in ways if way != taken)))
        return taken


@dataclass(frozen=True, slots=True)
class _Way:
    """An option that can be taken: the conditions this sets, values that meet all there are, and which data it takes to
    have been set anew.
    """

    option: Option | None
    wishes: Sequence[Wish]
    found: Found
    renewed: Mapping[str, Json]


def _targets(flow: Flow) -> dict[tuple[str, str], Node]:
    """Where options lead, by the ids of the choice and the option, that empty where none is taken."""
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
