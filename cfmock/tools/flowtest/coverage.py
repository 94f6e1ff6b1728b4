"""Coverage of flows: their points, and how often each was passed, summed over all that ran.

One form is written by `cfmock test --json`, by pytest and by `cfmock run`, read back by `add_document` and by
`cfmock graph --coverage`: `{"coverage": [{"flow", "percent", "points": [{"id", "kind", "label", "file", "line",
"column", "hits"}]}]}`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct, ValidationError, convert, to_builtins

from cfmock.base.json_text import Json
from cfmock.base.source_marks import Mark
from cfmock.engine.flow import Flow
from cfmock.fixtures.definitions import UNWRITTEN
from cfmock.fixtures.model import FlowFixture
from cfmock.service.rows import ExecutionRow
from cfmock.tools.flowtest.run import Hits


class Spot(Struct, frozen=True):
    """A point of a flow as reports name it: `kind` is state, choice, catch, retry, branch or map."""

    id: str
    kind: str
    label: str
    file: str
    line: int
    column: int

    @property
    def mark(self) -> Mark:
        return Mark(self.file, self.line, self.column)


class FlowCoverage:
    """One flow: its points by id, how often each was passed, and the newest definition, where that is known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.flow: Flow | None = None
        self.spots: dict[str, Spot] = {}
        self.hits: Counter[str] = Counter()

    def count(self, flow: Flow) -> None:
        """Let the points of a definition count, reached or not, beside those of earlier ones."""
        self.flow = flow
        for point in flow.points():
            mark = point.mark
            spot = Spot(point.id, point.kind.value, point.label, mark.file, mark.line, mark.column)
            self.spots.setdefault(point.id, spot)

    @property
    def missed(self) -> list[Spot]:
        """The points that were not reached, in the order of the definition."""
        return [spot for spot in self.spots.values() if not self.hits[spot.id]]

    @property
    def total(self) -> int:
        return len(self.spots)

    @property
    def reached(self) -> int:
        return self.total - len(self.missed)

    @property
    def percent(self) -> int:
        return percent(self.reached, self.total)

    def document(self) -> Json:
        points = [{**to_builtins(spot), "hits": self.hits[spot.id]} for spot in self.spots.values()]
        return {"flow": self.name, "percent": self.percent, "points": points}


class Coverage:
    """The coverage of several flows, by name."""

    def __init__(self) -> None:
        self._flows: dict[str, FlowCoverage] = {}
        self._observed: set[tuple[str, str]] = set()  # names and definitions of flows

    def __iter__(self) -> Iterator[FlowCoverage]:
        """Yield the flows in the order of their names."""
        return iter(sorted(self._flows.values(), key=lambda flow: flow.name))

    def __getitem__(self, name: str) -> FlowCoverage:
        return self._flows[name]

    def count_all(self, flows: Iterable[FlowFixture]) -> None:
        """Let all flows of fixtures count whose definitions somebody wrote."""
        for flow in flows:
            if flow.flow.mark.file != UNWRITTEN:
                self._named(flow.name).count(flow.flow)

    def add(self, hits: Hits) -> None:
        """Add what was passed; flows that do not count are passed over."""
        for name, points in hits.items():
            if name in self._flows:
                self._flows[name].hits.update(points)

    def observe(self, row: ExecutionRow, point: str, event: int) -> None:
        """Count what the executions of a server reach, whatever flows it comes to have; for `Emulator.observe`."""
        flow = row.flow
        if not row.map_run and (flow.name, flow.definition) not in self._observed:
            self._observed.add((flow.name, flow.definition))
            self._named(flow.name).count(flow.compiled)
        self.add({flow.name: {point: 1}})

    def add_document(self, document: Json) -> None:
        """Add what another run has written, flows that it alone knows included. Raises ValueError for anything else."""
        try:
            for entry in document["coverage"]:
                spots = convert(entry["points"], list[Spot])
                hits = {point["id"]: int(point["hits"]) for point in entry["points"]}
                known = self._named(str(entry["flow"]))
                if known.flow is None:
                    known.spots |= {spot.id: spot for spot in spots if spot.id not in known.spots}
                known.hits.update(hits)
        except (KeyError, TypeError, ValueError, AttributeError, ValidationError):
            raise ValueError("it holds no coverage as `cfmock test --json` writes it") from None

    def document(self) -> list[Json]:
        """Return the value of `coverage` in the documents that are written."""
        return [flow.document() for flow in self]

    def text(self) -> str:
        """Return a document of nothing but the coverage, as JSON."""
        return json.dumps({"coverage": self.document()}, ensure_ascii=False, indent=1) + "\n"

    @property
    def total(self) -> int:
        return sum(flow.total for flow in self._flows.values())

    @property
    def reached(self) -> int:
        return sum(flow.reached for flow in self._flows.values())

    @property
    def percent(self) -> int:
        return percent(self.reached, self.total)

    def at_least(self, wanted: float) -> bool:
        """Return whether at least these percent are reached, not rounded."""
        return self.reached * 100 >= wanted * self.total

    def _named(self, name: str) -> FlowCoverage:
        return self._flows.setdefault(name, FlowCoverage(name))


def percent(reached: int, total: int) -> int:
    """Rounded down: 100 means all of it. Nothing to reach is all of it."""
    return 100 * reached // total if total else 100
