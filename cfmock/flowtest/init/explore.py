"""Ways through a flow: which decisions reach each of its points, and what input and answers of tasks bring them about.

A *decision* is which branch a choice takes, or what becomes of a task's call. A *walk* executes the flow with the
decisions it is given and decides the rest by habit: tasks succeed, choices take the first branch they can. From each
walk others are tried that decide one thing differently, those first that promise something new.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cfmock.clock import Timers, VirtualClock
from cfmock.engine.events import Event
from cfmock.engine.expr import Expression
from cfmock.engine.model import (
    ANY_ERROR,
    Catch,
    ChoiceNode,
    Flow,
    Kind,
    MapNode,
    Node,
    Option,
    Retry,
    Series,
    TaskNode,
)
from cfmock.engine.pending import PendingTask
from cfmock.engine.rules import Identity, Step
from cfmock.engine.runner import YEAR, Runner
from cfmock.engine.tasks import Fails, Returns
from cfmock.flowtest.init.opens import INPUT, Demand, Place, Shape, Shapes, Source, renew, renewed
from cfmock.flowtest.init.rules import Scope, open_rules
from cfmock.flowtest.init.solve import Found, Wish, keys_of, solve
from cfmock.ids import Ids

Json = Any

_EVENTS = 2_000
"""Events of one walk."""

_EFFORT = 200_000
"""Events of all walks through a flow."""

_PATIENCE = 200
"""Walks in a row that find nothing new; in a large flow four for each of its points."""

_SHAPES = 200
"""Times that one walk may begin anew because something needs a shape."""

_OWN = "$"
"""What a step of the old language calls its input, in which merges leave what is known and what may be."""

_OTHER = "Example.Error"
"""An error that no rule names."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a call: the task gives `source`, or fails by `code` on this and so many further tries."""

    source: Source | None = None
    code: str = ""
    times: int = 1


SUCCEEDS = Answer()

Alternative = tuple[str, "str | Answer"]
"""A way to decide: the node it is decided at, and the id of the option taken, or the answer."""


Branch = tuple[Alternative, ...]
"""The decisions a walk begins with."""


@dataclass(slots=True)
class Decision:
    """One that was made, and what else could have been."""

    taken: Alternative
    others: tuple[Alternative, ...]


@dataclass(slots=True)
class Walk:
    """One way through a flow: the decisions, the points passed, and what has to be given for it to be taken."""

    decisions: list[Decision] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    given: Json = None
    results: dict[Source, Json] = field(default_factory=dict)
    found: Found = field(default_factory=dict)
    complete: bool = True

    @property
    def choices(self) -> Branch:
        return tuple(decision.taken for decision in self.decisions)


class Explorer:
    """Finds walks through a flow, those with the fewest unusual decisions first.

    `missing` are the points that are looked for; who finds that a walk does not do what it promised may put them back.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.shapes = Shapes()
        self.failures = _failures(flow)
        self.targets = _targets(flow)
        self.missing = {point.id for point in flow.points()}
        self._effort = 0
        self._tried: set[Branch] = set()
        # What promises something new comes first, then what has fewer unusual decisions, then what was found first.
        self._waiting: list[tuple[int, int, int, Branch]] = [(0, 0, 0, ())]

    def walks(self) -> Iterator[Walk]:
        """Walks unlike all before, until nothing is missing any more or the effort is spent."""
        patience = most = max(_PATIENCE, 4 * len(self.missing))
        while self._waiting and self.missing and patience and self._effort < _EFFORT:
            promise, unusual, number, branch = heapq.heappop(self._waiting)
            if branch and promise < (now := self._promise(branch[-1])):
                heapq.heappush(self._waiting, (now, unusual, number, branch))
                continue
            walk = self.walk(branch)
            patience = patience - 1 if self.missing.isdisjoint(walk.points) else most
            self.missing -= walk.points.keys()
            for further in _branches(walk, len(branch)):
                if further not in self._tried:
                    self._tried.add(further)
                    item = self._promise(further[-1]), unusual + 1, len(self._tried), further
                    heapq.heappush(self._waiting, item)
            yield walk

    def _promise(self, alternative: Alternative) -> int:
        """0 for what leads to a point that is missing, else 1."""
        node, way = alternative
        if isinstance(way, str):
            return int(way not in self.missing)
        return int(self.missing.isdisjoint(self.failures[node].get(way, ())))

    def walk(self, prefix: Branch) -> Walk:
        """Execute the flow with these decisions."""
        for _ in range(_SHAPES):
            walker = _Walker(self, prefix)
            try:
                return walker.run()
            except Demand as demand:
                self.shapes.known[demand.place] = demand.shape
            finally:
                self._effort += walker.events
        return Walk(complete=False)


def _branches(walk: Walk, start: int) -> Iterator[Branch]:
    """The walk's decisions up to each from `start` on, with that one made differently."""
    for index in range(start, len(walk.decisions)):
        for other in walk.decisions[index].others:
            yield (*walk.choices[:index], other)


class _Spent(Exception):  # noqa: N818 - no error: the walk is long enough
    pass


class _Walker:
    """One walk: the real runner over open data, and in place of mocks whoever decides."""

    def __init__(self, explorer: Explorer, prefix: Branch) -> None:
        self.explorer = explorer
        self.prefix = prefix
        self.result = Walk()
        self.events = 0
        self.wishes: list[Wish] = []
        self._calls: Counter[str] = Counter()
        self._failing: dict[str, Answer] = {}  # tasks that are to fail further tries
        self._taken: tuple[Step, Option | None] | None = None
        self._ids = Ids(0)

    def run(self) -> Walk:
        flow, walk = self.explorer.flow, self.result
        timers = Timers(VirtualClock(0.0))
        walk.given = self.explorer.shapes.make(INPUT)
        try:
            Runner(timers, self._ids).start(
                replace(flow, rules=open_rules(flow, self.choose)),
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

    def resolve(self, task: PendingTask) -> Returns | Fails:
        """The answer to a try of a task."""
        call = task.call
        node = call.step.node.id
        source = Source(call.state, self._calls[call.state])
        self._calls[call.state] += 1
        answer = self._failing.pop(node, None) or self._decide_answer(node)
        if answer.code:
            if answer.times > 1:
                self._failing[node] = replace(answer, times=answer.times - 1)
            self.result.answers.append((call.state, Answer(code=answer.code)))
            return Fails(answer.code)
        self.result.answers.append((call.state, Answer(source=source)))
        value = self.explorer.shapes.make(Place(source))
        if call.state.endswith(".ItemReader") and call.state != call.step.node.name:
            self.explorer.shapes.known.setdefault(Place(source, ("Items",)), Shape(length=1))
            value = {"Items": value["Items"]}
        self.result.results[source] = value
        return Returns(value)

    def _decide_answer(self, node: str) -> Answer:
        ways: list[Answer] = [SUCCEEDS, *self.explorer.failures.get(node, ())]
        taken = self._decide([(node, way) for way in ways])[1]
        assert isinstance(taken, Answer)
        return taken

    # -- choices

    def choose(self, step: Step, condition: Expression, scope: Scope) -> bool:
        """How a condition comes out: the way its choice is to go decides, once for all its conditions."""
        if self._taken is None or self._taken[0] is not step:
            self._taken = step, self._decide_option(step, scope)
        taken = self._taken[1]
        wish = Wish.of(condition, scope, taken is not None and taken.condition is condition)
        if wish.named:
            return wish.wanted
        return condition.test(scope, self._ids)

    def _decide_option(self, step: Step, scope: Scope) -> Option | None:
        node: ChoiceNode = step.node
        before = len(self.explorer.shapes.asked)
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
        self.explorer.shapes.forget(before, {part.place for wish in taken.wishes for part in wish.named})
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
        target = self.explorer.targets.get((node.id, option.id if option is not None else ""))
        return self.result.points[target.id] + (target.kind is Kind.FAIL) if target is not None else 0

    # -- decisions

    def _decide(self, ways: Sequence[Alternative]) -> Alternative:
        """The way that is asked for, else the first."""
        at = len(self.result.decisions)
        asked = self.prefix[at] if at < len(self.prefix) else None
        taken = asked if asked is not None and asked in ways else ways[0]
        self.result.decisions.append(Decision(taken, tuple(way for way in ways if way != taken)))
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


# -- failures ----------------------------------------------------------------------------------------------------------

Failures = dict[str, dict[Answer, frozenset[str]]]
"""The failures worth trying, by the id of the node: each with the rules it should come to."""


def _failures(flow: Flow) -> Failures:
    rules: list[Retry | Catch] = []
    for _, node in flow.walk():
        rules += [*node.retry, *node.catch]
    named = dict.fromkeys(code for rule in rules for code in rule.errors if code != ANY_ERROR)
    found: Failures = {}
    _collect(flow.series, (), [*named, _OTHER], found)
    return found


def _collect(series: Series, around: tuple[Node, ...], codes: Sequence[str], found: Failures) -> None:
    for node in series.nodes.values():
        if isinstance(node, TaskNode) or (isinstance(node, MapNode) and node.distributed is not None):
            found[node.id] = _ways_to_fail(node, around, codes)
        for inner in node.inner:
            _collect(inner, (node, *around), codes, found)


def _ways_to_fail(node: Node, around: Sequence[Node], codes: Sequence[str]) -> dict[Answer, frozenset[str]]:
    """For every rule of the node, and of those around it that it does not catch from, the failure that comes to it.

    A rule that names a code is shown with that; errors of one meaning (covered by the same rules) are tried once.
    """
    ways: dict[Answer, frozenset[str]] = {}
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for code in codes:
        once, for_good, times = _rules_met(node, around, code)
        if (once, for_good) in seen or not (once or for_good):
            continue
        seen.add((once, for_good))
        if once:
            ways[Answer(code=code)] = frozenset(once)
        if for_good:
            ways[Answer(code=code, times=times)] = frozenset((*once, *for_good))
    return ways


def _rules_met(node: Node, around: Sequence[Node], code: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """The rules that a failure meets if it happens once, those it meets as well if it goes on, and for how many tries."""
    once: list[str] = []
    for_good: list[str] = []
    times = 1
    for holder in (node, *around):
        retry = holder.retry_for(code)
        if retry is not None and retry.attempts:
            (for_good if for_good or once else once).append(retry.id)
            times *= retry.attempts + 1
        catch = holder.catch_for(code)
        if catch is not None:
            (for_good if once else once).append(catch.id)
            break
    if not once:
        return (), (), 1
    return tuple(once), tuple(for_good), times
