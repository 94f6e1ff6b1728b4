"""Ways through a flow: which decisions reach each of its points, and what input and answers of tasks bring them about.

From each walk others are tried that decide one thing differently, those first that promise something new.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from cfmock.engine.flow import Flow
from cfmock.tools.flowtest.generate.paths import Alternative, Branch, Ground, Walk, Walker
from cfmock.tools.flowtest.generate.symbolic import Demand

_EFFORT = 200_000
"""Events of all walks through a flow."""

_PATIENCE = 200
"""Walks in a row that find nothing new; in a large flow four for each of its points."""

_SHAPES = 200
"""Times that one walk may begin anew because something needs a shape."""


class Explorer:
    """Finds walks through a flow, those with the fewest unusual decisions first.

    `missing` are the points that are looked for; who finds that a walk does not do what it promised may put them back.
    """

    def __init__(self, flow: Flow) -> None:
        self.ground = Ground(flow)
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
        return int(self.missing.isdisjoint(self.ground.failures[node].get(way, ())))

    def walk(self, prefix: Branch) -> Walk:
        """Execute the flow with these decisions."""
        for _ in range(_SHAPES):
            walker = Walker(self.ground, prefix)
            try:
                return walker.run()
            except Demand as demand:
                self.ground.shapes.known[demand.place] = demand.shape
            finally:
                self._effort += walker.events
        return Walk(complete=False)


def _branches(walk: Walk, start: int) -> Iterator[Branch]:
    """The walk's decisions up to each from `start` on, with that one made differently."""
    for index in range(start, len(walk.decisions)):
        for other in walk.decisions[index].others:
            yield (*walk.choices[:index], other)
