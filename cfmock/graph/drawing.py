"""The content of a picture of a flow, for all formats: links, loops, captions, and what happened to each part.

A *link* is an edge of the flow that knows whether it leads back (a loop). A `Highlight` says which parts a run or a set
of tests reached; parts are named by the ids of `engine.model`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from cfmock.engine.flow import Flow
from cfmock.engine.model import (
    ChoiceNode,
    EdgeKind,
    FailNode,
    FlowEdge,
    MapNode,
    Mode,
    Node,
    ParallelNode,
    Retry,
    Series,
    TaskNode,
    edges,
)


class Status(enum.Enum):
    """The colouring of a part."""

    PLAIN = "plain"
    REACHED = "reached"
    MISSED = "missed"
    FAILED = "failed"
    CAUGHT = "caught"
    RUNNING = "running"


class Highlight(Struct, frozen=True):
    """The use of the parts of a flow, for colouring in.

    `hits` says how often a state was entered, and a choice, catch, retry, branch or processor used, by id; what is not
    in it was missed. `failed` are states that ended in an error. Of one execution `states` says how each state went that
    was entered: succeeded, failed, caught or running. `title` says what the colours show (`coverage 93 %`).
    """

    hits: Mapping[str, int]
    failed: frozenset[str] = frozenset()
    title: str = ""
    states: Mapping[str, str] = field(default_factory=dict)

    def of(self, id: str) -> Status:
        """Return the status of a part that has an id of its own."""
        if id in self.failed:
            return Status.FAILED
        if (went := self.states.get(id)) in ("failed", "caught", "running"):
            return Status(went)
        return Status.REACHED if self.hits.get(id, 0) > 0 else Status.MISSED

    def of_start(self, node: Node) -> Status:
        """Return the status of the way into the first state."""
        return Status.MISSED if self.of(node.id) is Status.MISSED else Status.REACHED

    def of_link(self, link: Link, node: Node) -> Status:
        """Return the status of a link out of `node`."""
        return self.of(link.edge.id) if link.edge.id != node.id else self.of_going_on(node)

    def of_going_on(self, node: Node) -> Status:
        """Return the status of the plain way on, which has no id: taken if the state was entered and left no other way."""
        others = [catch.id for catch in node.catch]
        if isinstance(node, ChoiceNode):
            others += [option.id for option in node.all_options]
        left = self.hits.get(node.id, 0) - sum(self.hits.get(other, 0) for other in others)
        left -= self.states.get(node.id) in ("failed", "running")  # where it was left no way at all
        return Status.REACHED if left > 0 and node.id not in self.failed else Status.MISSED


class Link(Struct, frozen=True):
    """A way from a state to another of its series. `loop`: it leads back to one that was passed before."""

    edge: FlowEdge
    loop: bool

    @property
    def is_catch(self) -> bool:
        return self.edge.kind is EdgeKind.CATCH

    @property
    def label(self) -> str:
        """The label beside the line; empty for the plain way on."""
        return self.edge.label or ("default" if self.edge.kind is EdgeKind.DEFAULT else "")


class Lane(Struct, frozen=True):
    """A series drawn inside a state: a branch, a processor, the steps of an old choice's option."""

    series: Series
    label: str


def links(series: Series) -> tuple[Link, ...]:
    """Return all links of a series, in the order of its states. Going deep first, a link to a state still open is a loop."""
    outgoing = {name: list(edges(node)) for name, node in series.nodes.items()}
    loops: set[int] = set()
    state = dict.fromkeys(outgoing, 0)  # 0 new, 1 open, 2 done
    for root in (series.start, *outgoing):
        if state[root]:
            continue
        state[root] = 1
        stack: list[tuple[str, Iterator[FlowEdge]]] = [(root, iter(outgoing[root]))]
        while stack:
            name, rest = stack[-1]
            edge = next(rest, None)
            if edge is None:
                state[name] = 2
                stack.pop()
            elif state[edge.target] == 1:
                loops.add(id(edge))
            elif state[edge.target] == 0:
                state[edge.target] = 1
                stack.append((edge.target, iter(outgoing[edge.target])))
    return tuple(Link(edge, id(edge) in loops) for found in outgoing.values() for edge in found)


def lane_of(link: Link, node: Node) -> int | None:
    """Return the number of the lane of `node` in which a link begins: that of an old option which runs steps of its own."""
    return next((index for index, lane in enumerate(lanes(node)) if lane.series.id == link.edge.id), None)


def lanes(node: Node) -> tuple[Lane, ...]:
    """Return the series inside a state, labelled."""
    if isinstance(node, ParallelNode):
        return tuple(Lane(series, f"branch {index}") for index, series in enumerate(node.branches))
    if isinstance(node, MapNode):
        return (Lane(node.processor, "each item"),)
    if isinstance(node, ChoiceNode):
        return tuple(Lane(option.series, option.label) for option in node.all_options if option.series is not None)
    return ()


_MODES = {Mode.SYSTEM_CALLBACK: "waits for the job", Mode.CUSTOM_CALLBACK: "waits for a callback"}


def captions(node: Node) -> tuple[str, ...]:
    """Return the lines below the name."""
    found: list[str] = []
    if isinstance(node, TaskNode):
        found += [_short(node.resource_arn) if node.resource_arn else node.action, _MODES.get(node.mode, "")]
    elif isinstance(node, FailNode):
        found.append(node.code)
    elif isinstance(node, MapNode):
        found.append("an execution for each item" if node.distributed else f"up to {node.limit} at once")
    return tuple(caption for caption in found if caption)


def _short(arn: str) -> str:
    """Return the end of a resource name, its most telling part: `acs:fc:::services/shop/functions/charge` is `charge`."""
    return arn.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


def retry_caption(rule: Retry) -> str:
    return f"{rule.attempts}× {', '.join(rule.errors)}"


def numbers(flow: Flow) -> dict[str, str]:
    """Short names of the states by id, since their own may hold anything: `n0`, `n1`, …, in the order of the text."""
    return {node.id: f"n{index}" for index, (_, node) in enumerate(flow.walk())}


def note(node: Node) -> str:
    """Return the type of a state and what says most about it, in one line."""
    return " · ".join((node.kind.value, *captions(node)[:1]))
