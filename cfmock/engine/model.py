"""The nodes that a flow definition compiles to, in either language: named, in series.

A *node* is a state of the new language or a step of the old one. Nodes stand in a *series* (a scope) and name the next
one in it; Parallel, Map and the options of an old choice hold series of their own. Whatever a test can cover and a
picture can show has an `id` that stays the same as long as the names do: `Each/One` (a state in a map), `Both[1]/Ship`
(in a branch), `Pick?0` and `Pick?default` (choices), `Charge!retry0`, `Charge!catch0`, `Both[1]` (a branch), `Each[]`
(a processor).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec import Struct

from cfmock.base.source_marks import Mark, Placed, TextPlace
from cfmock.engine.expr import Expression

ANY_ERROR = "FnF.ALL"


class Language(enum.Enum):
    """The definition languages, told apart by `Type: StateMachine` and `type: flow`."""

    STATE_MACHINE = "StateMachine"
    LEGACY = "flow"


class NodeKind(enum.Enum):
    """Kinds of nodes. The old names are mapped to these; `foreach` is MAP."""

    PASS = "Pass"  # noqa: S105
    TASK = "Task"
    CHOICE = "Choice"
    PARALLEL = "Parallel"
    MAP = "Map"
    WAIT = "Wait"
    SUCCEED = "Succeed"
    FAIL = "Fail"


class Mode(enum.Enum):
    """Modes of a task, by when it is over: at the answer, at the end of the job it started, or when somebody reports it."""

    REQUEST_COMPLETE = "RequestComplete"
    SYSTEM_CALLBACK = "WaitForSystemCallback"
    CUSTOM_CALLBACK = "WaitForCustomCallback"


class ErrorRule(Placed, Struct, frozen=True, eq=False, kw_only=True):
    """What is done about some errors."""

    id: str
    place: TextPlace
    errors: tuple[str, ...]

    def covers(self, code: str) -> bool:
        return code in self.errors or ANY_ERROR in self.errors


class Retry(ErrorRule, frozen=True, eq=False, kw_only=True):
    """A retry rule. Times in seconds; `attempts` counts retries, not the first try."""

    attempts: int
    interval: float
    rate: float = 1.0
    longest: float = 86_400.0

    def delay(self, number: int) -> float:
        """Seconds before retry `number` (from 1): `min(interval * rate^(number - 1), longest)`."""
        try:
            return min(self.interval * self.rate ** (number - 1), self.longest)
        except OverflowError:
            return self.longest


class Catch(ErrorRule, frozen=True, eq=False, kw_only=True):
    """A catch rule. `data`: what the language's rules compiled to make the next node's input."""

    next: str
    data: Any = None


class Node(Placed, Struct, frozen=True, eq=False, kw_only=True):
    """A state or step. `next` None: the last of its series. `data`: for the language's own rules."""

    kind: ClassVar[NodeKind]
    id: str
    name: str
    place: TextPlace
    next: str | None = None
    data: Any = None
    retry: tuple[Retry, ...] = ()
    catch: tuple[Catch, ...] = ()

    @property
    def inner(self) -> tuple[Series, ...]:
        """The series it holds, in order."""
        return ()

    def retry_for(self, code: str) -> Retry | None:
        """The rule for an error: only the first that covers it is ever used."""
        return next((rule for rule in self.retry if rule.covers(code)), None)

    def catch_for(self, code: str) -> Catch | None:
        return next((rule for rule in self.catch if rule.covers(code)), None)


class PassNode(Node, frozen=True, eq=False):
    kind = NodeKind.PASS


class SucceedNode(Node, frozen=True, eq=False):
    kind = NodeKind.SUCCEED


class FailNode(Node, frozen=True, eq=False, kw_only=True):
    """Ends its series, and what holds it, with this error."""

    kind = NodeKind.FAIL
    code: str
    detail: str


class WaitNode(Node, frozen=True, eq=False, kw_only=True):
    kind = NodeKind.WAIT


class TaskNode(Node, frozen=True, eq=False, kw_only=True):
    """A call. `action` is `FC:InvokeFunction` and the like; `resource_arn` what an old definition names instead."""

    kind = NodeKind.TASK
    action: str
    resource_arn: str | None = None
    mode: Mode = Mode.REQUEST_COMPLETE
    timeout: float | Expression | None = None


class Option(Placed, Struct, frozen=True, eq=False, kw_only=True):
    """A way out of a choice: the first whose condition is true is taken; the default has none.

    In the old language it may run steps of its own, and then go to `next` or fall through to what follows the choice.
    """

    id: str
    place: TextPlace
    condition: Expression | None
    next: str | None
    series: Series | None = None

    @property
    def label(self) -> str:
        return self.condition.text if self.condition is not None else "default"


class ChoiceNode(Node, frozen=True, eq=False, kw_only=True):
    """A choice: the first option whose condition is true is taken, else the default."""

    kind = NodeKind.CHOICE
    options: tuple[Option, ...]
    default: Option | None

    @property
    def all_options(self) -> tuple[Option, ...]:
        return self.options if self.default is None else (*self.options, self.default)

    @property
    def inner(self) -> tuple[Series, ...]:
        return tuple(option.series for option in self.all_options if option.series is not None)


class ParallelNode(Node, frozen=True, eq=False, kw_only=True):
    """Branches that run side by side; all of them have to end well."""

    kind = NodeKind.PARALLEL
    branches: tuple[Series, ...]

    @property
    def inner(self) -> tuple[Series, ...]:
        return self.branches


class Distributed(Struct, frozen=True, eq=False, kw_only=True):
    """Settings of a distributed map: every item, or batch of items, is an execution of its own.

    `reader` and `writer` stand for the calls that read items and write results; `batch` is the number of items in one
    child's input (0: no batches). A child that fails fails the map once more than these have failed.
    """

    express: bool
    max_items: int | Expression | None = None
    batch: int | Expression = 0
    tolerated_count: int | Expression = 0
    tolerated_percentage: float | Expression = 0.0
    reader: TaskNode | None = None
    writer: TaskNode | None = None


class MapNode(Node, frozen=True, eq=False, kw_only=True):
    """Map and foreach. `limit`: how many iterations run at once."""

    kind = NodeKind.MAP
    processor: Series
    limit: int
    distributed: Distributed | None = None

    @property
    def inner(self) -> tuple[Series, ...]:
        return (self.processor,)


class Series(Placed, Struct, frozen=True, eq=False, kw_only=True):
    """Nodes that follow one another. `id` is empty for the outermost."""

    id: str
    place: TextPlace
    start: str
    nodes: Mapping[str, Node]

    @property
    def first(self) -> Node:
        return self.nodes[self.start]


class EdgeKind(enum.Enum):
    """Kinds of ways from one node to another of its series."""

    NEXT = "next"
    CHOICE = "choice"
    DEFAULT = "default"
    CATCH = "catch"


class FlowEdge(Struct, frozen=True):
    """A way from one node to another of its series; `id` is that of the option or catch it belongs to, or of the node."""

    kind: EdgeKind
    source: str
    target: str
    label: str
    id: str
    mark: Mark


def edges(node: Node) -> Iterator[FlowEdge]:
    """The ways out of a node, as they are tried. Where an old option neither goes on nor is last, it falls through."""
    if isinstance(node, ChoiceNode):
        for option in node.all_options:
            target = option.next or node.next
            if target is not None:
                kind = EdgeKind.CHOICE if option.condition is not None else EdgeKind.DEFAULT
                yield FlowEdge(kind, node.name, target, option.label, option.id, option.mark)
        if node.default is None and node.next is not None:
            yield FlowEdge(EdgeKind.DEFAULT, node.name, node.next, "", node.id, node.mark)
    elif node.next is not None:
        yield FlowEdge(EdgeKind.NEXT, node.name, node.next, "", node.id, node.mark)
    for catch in node.catch:
        yield FlowEdge(EdgeKind.CATCH, node.name, catch.next, ", ".join(catch.errors), catch.id, catch.mark)
