"""Ways through a flow: which decisions reach each of its points, and what input and answers of tasks bring them about.

From each path others are tried that decide one thing differently, those first that promise something new.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from cfmock.engine.flow import Flow
from cfmock.tools.flowtest.generate.paths import Alternative, Decisions, FlowPath, PathExecution, SearchContext
from cfmock.tools.flowtest.generate.symbolic import ShapeConstraint

_EFFORT = 200_000
"""Events of all paths through a flow."""

_PATIENCE = 200
"""Paths in a row that find nothing new; in a large flow four for each of its points."""

_SHAPES = 200
"""Times that one path may begin again because something needs a shape."""


class PathSearch:
    """Finds paths through a flow, those with the fewest unusual decisions first.

    `missing` are the points that are looked for; who finds that a path does not do what it promised may put them back.
    """

    def __init__(self, flow: Flow) -> None:
        self.shared = SearchContext(flow)
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
        return int(self.missing.isdisjoint(self.shared.failures[node].get(way, ())))

    def path(self, prefix: Decisions) -> FlowPath:
        """Execute the flow with these decisions."""
        for _ in range(_SHAPES):
            execution = PathExecution(self.shared, prefix)
            try:
                return execution.run()
            except ShapeConstraint as demand:
                self.shared.shapes.known[demand.place] = demand.shape
            finally:
                self._effort += execution.events
        return FlowPath(complete=False)


def _branches(path: FlowPath, start: int) -> Iterator[Decisions]:
    """Yield the path's decisions up to each from `start` on, with that one made differently."""
    for index in range(start, len(path.decisions)):
        for other in path.decisions[index].others:
            yield (*path.choices[:index], other)
