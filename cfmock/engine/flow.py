"""A compiled flow: the nodes of its definition, how data move in its language, and what a test can cover in it."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.problems import Path
from cfmock.base.source_marks import Mark, Placed, TextPlace
from cfmock.engine.data_flow import DataFlow
from cfmock.engine.expr import Expression
from cfmock.engine.model import ChoiceNode, Language, MapNode, Node, ParallelNode, Series, TaskNode


class Unread(Placed, Struct, frozen=True):
    """A field no rule of the language reads: `path` is `States[0].OutputConstrutor`, `near` the likely right word, `owner` the
    type of the state that has it, and `foreign` what it is if it belongs to another language."""

    place: TextPlace
    path: str
    name: str
    near: str
    owner: str = ""
    foreign: str = ""


class Flow(Placed, Struct, frozen=True, eq=False, kw_only=True):
    """A compiled definition. Frozen and without state: any number of executions share it.

    `own_name` is what the definition calls itself; `name` what it is known by, which should be the same. `timeout` is
    its own limit in seconds, `text` what it was compiled from, and `values` how many values that has with its aliases expanded;
    `expressions` are all in it, each with its path in the definition.
    """

    language: Language
    own_name: str | None
    name: str | None = None
    place: TextPlace
    series: Series
    data_flow: DataFlow
    express: bool = False
    timeout: float | None = None
    text: str = ""
    values: int = 0
    unread: tuple[Unread, ...] = ()
    expressions: tuple[tuple[Path, Expression], ...] = ()

    def walk(self) -> Iterator[tuple[Series, Node]]:
        """Every node with the series it stands in, outer before inner, in the order of the text."""
        return _walk(self.series)

    def tasks(self) -> Iterator[TaskNode]:
        """Every call it makes: its tasks, and what reads items and writes results for its distributed maps."""
        for _, node in self.walk():
            if isinstance(node, TaskNode):
                yield node
            elif isinstance(node, MapNode) and node.distributed is not None:
                yield from filter(None, (node.distributed.reader, node.distributed.writer))

    def state_names(self) -> list[str]:
        """The names of all its states, inner ones too, each once."""
        return list(dict.fromkeys(node.name for _, node in self.walk()))

    def task_names(self) -> list[str]:
        """Return the names that mocks may use for its tasks: those of the states, the actions, and what old definitions name as
        resource."""
        tasks = list(self.tasks())
        names = [
            *(task.name for task in tasks),
            *(task.action for task in tasks),
            *(task.resource_arn for task in tasks),
        ]
        return list(dict.fromkeys(filter(None, names)))

    def has_task(self, name: str) -> bool:
        """Return whether mocks of this name stand for any of its tasks; products in actions are written in either case."""
        names = self.task_names()
        return name in names or (":" in name and name.casefold() in map(str.casefold, names))

    def child(self, processor: Series, *, express: bool) -> Flow:
        """The flow that each child of a distributed map executes."""
        return replace(self, own_name=None, place=processor.place, series=processor, express=express, timeout=None)

    def points(self) -> tuple[Point, ...]:
        """Everything in it that a test can cover."""
        return tuple(point for _, node in self.walk() for point in _points(node))


def _walk(series: Series) -> Iterator[tuple[Series, Node]]:
    for node in series.nodes.values():
        yield series, node
        for inner in node.inner:
            yield from _walk(inner)


class PointKind(enum.Enum):
    """Kinds of things in a flow that a test can cover."""

    STATE = "state"
    CHOICE = "choice"
    CATCH = "catch"
    RETRY = "retry"
    BRANCH = "branch"
    MAP = "map"


class Point(Struct, frozen=True):
    """One thing a test can cover: `id` is for observers, `node` the id of its state, `state` the name of that, `part` the words
    for a part of it, empty for the state itself."""

    id: str
    kind: PointKind
    mark: Mark
    node: str
    state: str
    part: str = ""

    @property
    def label(self) -> str:
        """The words for people: `Route: default`."""
        return f"{self.state}: {self.part}" if self.part else self.state


def _points(node: Node) -> Iterator[Point]:
    state = node.id, node.name
    yield Point(node.id, PointKind.STATE, node.mark, *state)
    if isinstance(node, ChoiceNode):
        for option in node.all_options:
            yield Point(option.id, PointKind.CHOICE, option.mark, *state, option.label)
    if isinstance(node, ParallelNode):
        for index, branch in enumerate(node.branches):
            yield Point(branch.id, PointKind.BRANCH, branch.mark, *state, f"branch {index}")
    if isinstance(node, MapNode):
        yield Point(node.processor.id, PointKind.MAP, node.processor.mark, *state, "processor")
    for retry in node.retry:
        yield Point(retry.id, PointKind.RETRY, retry.mark, *state, f"retry {', '.join(retry.errors)}")
    for catch in node.catch:
        yield Point(catch.id, PointKind.CATCH, catch.mark, *state, f"catch {', '.join(catch.errors)}")
