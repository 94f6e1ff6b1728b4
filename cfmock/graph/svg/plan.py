"""The plan of an SVG: what is drawn of each series, how large it is, and where it goes.

A series becomes boxes (its states, and for the outermost a start and its ends) and arcs (its links). A state that holds
series is planned from the inside out: its lanes stand side by side below its name.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cfmock.engine.model import Node, NodeKind, Series
from cfmock.graph.drawing import Highlight, Link, Status, captions, lane_of, lanes, links, note, retry_caption
from cfmock.graph.svg.arrange import SPINE, Size
from cfmock.graph.svg.layers import Arc
from cfmock.graph.svg.routes import Layout, lay_out
from cfmock.graph.svg.style import cut, width

NAME, NOTE = 13.0, 11.0
PAD = 12.0
ICON = 14.0
LINE = 15.0  # from one line of notes to the next
RETRY = 18.0  # from one retry to the next: each has room for a frame
BOLD = 1.12  # how much wider letters are in bold
DOT = 14.0
_LONGEST = 250.0  # of a line of text
_HEAD = 30.0


class Figure(Struct, frozen=True):
    """A state as drawn: its texts cut to fit, and the plans of its lanes."""

    node: Node
    size: Size
    head: float  # the height of name, notes and retries
    name: str
    notes: tuple[str, ...]
    retries: tuple[tuple[str, Status], ...]
    lanes: tuple[PlannedLane, ...]
    status: Status
    visits: int | None  # None: not known
    went: str | None  # how it went in an execution, None where it was not entered or none is shown

    def places(self) -> list[float]:
        """Return the beginning of each lane, from the left of the figure."""
        inside = sum(lane.size.width for lane in self.lanes) + PAD * (len(self.lanes) - 1)
        found, at = [], (self.size.width - inside) / 2
        for lane in self.lanes:
            found.append(at)
            at += lane.size.width + PAD
        return found

    def port(self, lane: int) -> float:
        """Return the place where a link leaves that begins in a lane: below that, from the middle of the figure."""
        return self.places()[lane] + (self.lanes[lane].size.width - self.size.width) / 2


class PlannedLane(Struct, frozen=True):
    label: str
    plan: Plan
    status: Status
    size: Size


class Way(Arc, frozen=True):
    """An arc as drawn. `link` None: from the start, or to an end."""

    link: Link | None = None
    label: str = ""
    status: Status = Status.PLAIN


class Plan(Struct, frozen=True):
    """A series with everything placed, figures and ways in the layout's order. No figure: a start or an end."""

    figures: tuple[Figure | None, ...]
    ways: tuple[Way, ...]
    layout: Layout


def plan(series: Series, highlight: Highlight | None, *, outermost: bool = True) -> Plan:
    """Plan a series and all that is inside it."""
    figures: list[Figure | None] = []
    places: dict[str, int] = {}
    ways: list[Way] = []
    if outermost:
        figures.append(None)
    # The start comes first; the others keep the order of the text.
    for name in sorted(series.nodes, key=lambda name: name != series.start):
        places[name] = len(figures)
        figures.append(_figure(series.nodes[name], highlight))
    if outermost:
        status = highlight.of_start(series.first) if highlight else Status.PLAIN
        ways.append(Way(0, places[series.start], "next", weight=SPINE, status=status))
    for link in links(series):
        source = series.nodes[link.edge.source]
        status = highlight.of_link(link, source) if highlight else Status.PLAIN
        figure, lane = figures[places[source.name]], lane_of(link, source)
        port = figure.port(lane) if figure and lane is not None else None
        ways.append(_way(places[source.name], places[link.edge.target], link, status, port))
    if outermost:
        for node in series.nodes.values():
            if node.next is None and node.kind not in (NodeKind.CHOICE, NodeKind.SUCCEED, NodeKind.FAIL):
                status = highlight.of_going_on(node) if highlight else Status.PLAIN
                ways.append(Way(places[node.name], len(figures), "next", weight=SPINE, status=status))
                figures.append(None)
    sizes = [Size(DOT, DOT) if figure is None else figure.size for figure in figures]
    return Plan(tuple(figures), tuple(ways), lay_out(sizes, ways))


def _way(source: int, target: int, link: Link, status: Status, port: float | None) -> Way:
    label = "" if port is not None else cut(link.label, NOTE, _LONGEST)
    pill = Size(width(label, NOTE) + 16, 20.0) if label else None
    lane, weight = "next", SPINE
    if link.is_catch or link.loop:
        lane, weight = "catch" if link.is_catch else "loop", 0.5
    elif pill is not None or port is not None:
        lane, weight = "choice", 2.0
    return Way(source, target, lane, link.loop, pill, weight, port, link, label, status)


def _of(highlight: Highlight | None, id: str) -> Status:
    return highlight.of(id) if highlight else Status.PLAIN


def _figure(node: Node, highlight: Highlight | None) -> Figure:
    name = cut(node.name, NAME, _LONGEST)
    notes = [cut(text, NOTE, _LONGEST) for text in (note(node), *captions(node)[1:])]
    retries = tuple((cut(retry_caption(rule), NOTE, _LONGEST), _of(highlight, rule.id)) for rule in node.retry)
    planned = tuple(_lane(lane.label, lane.series, highlight) for lane in lanes(node))
    texts = [width(name, NAME) * BOLD, *(width(text, NOTE) for text in notes)]
    texts += [width(text, NOTE) + ICON + 7 for text, _ in retries]
    aside = 12 if node.kind in (NodeKind.CHOICE, NodeKind.SUCCEED, NodeKind.FAIL) else 0  # for pointed or round sides
    across = max(texts) + ICON + 8 + 2 * PAD + aside
    head = _HEAD + LINE * len(notes) + RETRY * len(retries) + (10.0 if retries else 6.0)
    size = _around(planned, across, head) if planned else Size(max(96.0, across), head)
    visits = highlight.hits.get(node.id, 0) if highlight else None
    went = highlight.states.get(node.id) if highlight else None
    return Figure(node, size, head, name, tuple(notes), retries, planned, _of(highlight, node.id), visits, went)


def _around(planned: Sequence[PlannedLane], across: float, head: float) -> Size:
    inside = sum(lane.size.width for lane in planned) + PAD * (len(planned) + 1)
    return Size(max(across, inside), head + max(lane.size.height for lane in planned) + PAD)


def _lane(label: str, series: Series, highlight: Highlight | None) -> PlannedLane:
    inner = plan(series, highlight, outermost=False)
    label = cut(label, NOTE, max(_LONGEST, inner.layout.size.width))
    across = max(inner.layout.size.width, width(label, NOTE)) + 2 * PAD
    size = Size(across, inner.layout.size.height + 2 * PAD + LINE + 2)
    return PlannedLane(label, inner, _of(highlight, series.id), size)
