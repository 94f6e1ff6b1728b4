"""Lines for a layered layout: heights of ranks and gaps, curves between ranks, and channels at the sides.

Between two ranks lies a gap in which curves swing over and detours run along *tracks*. What goes round leaves its cell
downwards, runs along a track to its *channel*, up or down that, and along a track above its target into the target's
top. Detours of one lane to one target share channel and last track.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cfmock.graph.svg.arrange import SPINE, Cell, Size
from cfmock.graph.svg.layers import Arc, Detour, LayerLink, Layers, layer

GAP = 26.0
_TRACK = 9.0  # between two lines that run along each other
_CHANNEL = 12.0
_MARGIN = 16.0  # between boxes and the nearest channel
_ASIDE = 12.0  # from the middle of a box's top to where a detour comes in

Point = tuple[float, float]


class Line(Struct, frozen=True):
    """A stretch of line and the arcs (by index) along it. `bent`: straight pieces with round corners, else curves that
    start and end upright. `arrow`: it ends at a box."""

    points: tuple[Point, ...]
    arcs: tuple[int, ...]
    bent: bool
    arrow: bool


class Layout(Struct, frozen=True):
    """Places of everything, from the upper left corner of the whole. Boxes and pills (by arc): middle and top."""

    size: Size
    boxes: tuple[Point, ...]
    pills: dict[int, Point]
    lines: tuple[Line, ...]


def lay_out(boxes: Sequence[Size], arcs: Sequence[Arc]) -> Layout:
    """Place boxes in ranks and draw the arcs between them. The first box stands on top."""
    layers = layer(boxes, arcs)
    rounds = _rounds(layers.detours)
    gaps = _Gaps(layers, rounds)
    channels = _channels(layers, rounds)
    ports = _ports(layers)
    lines = _curves(layers, gaps, ports)
    for detours, channel, aside in zip(rounds, channels, _asides(rounds), strict=True):
        lines += _round(detours, channel, aside, gaps, ports)
    return _framed(layers, lines, gaps.bottom)


def _framed(layers: Layers, lines: list[Line], bottom: float) -> Layout:
    """Move everything so that it begins at 0, however far channels reach to the left."""
    across = [x for line in lines for x, _ in line.points]
    cells = [*layers.boxes, *layers.pills.values()]
    left = min([cell.x - cell.width / 2 for cell in cells] + across)
    right = max([cell.x + cell.width / 2 for cell in cells] + across)
    moved = tuple(
        Line(tuple((x - left, y) for x, y in line.points), line.arcs, line.bent, line.arrow) for line in lines
    )
    return Layout(
        Size(right - left, bottom),
        tuple((cell.x - left, cell.y) for cell in layers.boxes),
        {index: (cell.x - left, cell.y) for index, cell in layers.pills.items()},
        moved,
    )


def _rounds(detours: Sequence[Detour]) -> list[list[Detour]]:
    """Detours that share a channel, the one that joins it farthest from the target first."""
    together: dict[tuple[int, str, bool], list[Detour]] = {}
    for detour in detours:
        together.setdefault((id(detour.target), detour.lane, detour.left), []).append(detour)
    return [
        sorted(group, key=lambda detour: -abs(detour.source.rank + 0.5 - detour.target.rank))
        for group in together.values()
    ]


class _Gaps:
    """The heights of ranks and of the gaps before them, and the tracks in the gaps. Gives every cell its `y`."""

    def __init__(self, layers: Layers, rounds: Sequence[Sequence[Detour]]) -> None:
        count = len(layers.ranks)
        self.leaving: list[list[int]] = [[] for _ in range(count + 1)]
        self.coming: list[list[int]] = [[] for _ in range(count + 1)]
        for detours in rounds:
            self.coming[detours[0].target.rank].append(id(detours[0]))
            for detour in detours:
                self.leaving[detour.source.rank + 1].append(id(detour))
        self.tops: list[float] = []
        self.ends: list[float] = []
        at = 0.0
        for index, rank in enumerate(layers.ranks):
            at += self._height(index, layers.ranks)
            self.tops.append(at)
            for cell in rank:
                cell.y = at
            at += max(cell.height for cell in rank)
            self.ends.append(at)
        self.bottom = at + (_TRACK * (len(self.leaving[count]) + 1) if self.leaving[count] else 0.0)

    def _height(self, index: int, ranks: Sequence[Sequence[Cell]]) -> float:
        tracks = _TRACK * (len(self.leaving[index]) + len(self.coming[index]))
        if index == 0:
            return tracks + GAP / 2 if tracks else 0.0
        # The farther a curve swings over, the more room it gets to do so gently.
        swing = max((abs(cell.x - below.x) for cell in ranks[index - 1] for below, _ in cell.down), default=0.0)
        return GAP + tracks + min(26.0, swing * 0.08)

    def track_out(self, detour: Detour) -> float:
        rank = detour.source.rank
        return self.ends[rank] + _TRACK * (self.leaving[rank + 1].index(id(detour)) + 1)

    def track_in(self, detours: Sequence[Detour]) -> float:
        rank = detours[0].target.rank
        return self.tops[rank] - 15.0 - _TRACK * self.coming[rank].index(id(detours[0]))


def _channels(layers: Layers, rounds: Sequence[Sequence[Detour]]) -> list[float]:
    """Place the channel of each group of detours, up or down: beside all it passes, and beside the channels it would touch."""
    edges = [
        (min(cell.x - cell.width / 2 for cell in rank), max(cell.x + cell.width / 2 for cell in rank))
        for rank in layers.ranks
    ]
    taken: list[tuple[bool, int, int, float]] = []
    found: dict[int, float] = {}
    spans = []
    for index, detours in enumerate(rounds):
        passed = [detours[0].target.rank, *(detour.source.rank for detour in detours)]
        spans.append((max(passed) - min(passed), index, min(passed), max(passed)))
    for _, index, first, last in sorted(spans):
        left = rounds[index][0].left
        passing = edges[first : last + 1]
        x = min(edge for edge, _ in passing) - _MARGIN if left else max(edge for _, edge in passing) + _MARGIN
        beside = sorted(
            (other for side, a, b, other in taken if side is left and a <= last + 1 and first <= b + 1), reverse=left
        )
        for other in beside:
            if abs(other - x) < _CHANNEL:
                x = other - _CHANNEL if left else other + _CHANNEL
        taken.append((left, first, last, x))
        found[index] = x
    return [found[index] for index in range(len(rounds))]


def _ports(layers: Layers) -> dict[int, float]:
    """Place the lines that leave a box, by step or detour: side by side along its lower edge, in the order of their targets.

    The plain way on has the middle, and the others keep to their sides of it.
    """
    leaving: dict[int, list[tuple[float, int, LayerLink | Detour]]] = {}
    ports: dict[int, float] = {}
    everything: list[LayerLink | Detour] = [*layers.steps, *layers.detours]
    for number, way in enumerate(everything):
        source = way.source
        if way.port is not None:
            ports[id(way)] = source.x + way.port
            continue
        aside = way.target.x - source.x if isinstance(way, LayerLink) else -1e6 if way.left else 1e6
        leaving.setdefault(id(source), []).append((aside, number, way))
    for ways in leaving.values():
        ways.sort(key=lambda way: way[:2])
        source, count = ways[0][2].source, len(ways)
        spine = [index for index, (_, _, way) in enumerate(ways) if isinstance(way, LayerLink) and way.weight >= SPINE]
        middle = spine[0] if spine else (count - 1) / 2
        most = max(middle, count - 1 - middle)
        apart = min(18.0, 0.4 * source.width / most) if most else 0.0
        for index, (_, _, way) in enumerate(ways):
            ports[id(way)] = source.x + (index - middle) * apart
    return ports


def _curves(layers: Layers, gaps: _Gaps, ports: dict[int, float]) -> list[Line]:
    onward: dict[int, LayerLink] = {}
    joining: dict[int, int] = {}
    for step in layers.steps:
        if step.source.passing:
            onward[id(step.source)] = step
        joining[id(step.target)] = joining.get(id(step.target), 0) + 1
    lines = []
    for step in layers.steps:
        source = step.source
        if source.passing and joining[id(source)] == 1:
            continue  # the middle of a line that was begun further up
        x = ports[id(step)]
        points = [(x, source.y + source.height), (x, gaps.ends[source.rank])]
        target = step.target
        while target.passing and joining[id(target)] == 1:
            points += [(target.x, target.y), (target.x, gaps.ends[target.rank])]
            target = onward[id(target)].target
        points.append((target.x, target.y))
        lines.append(Line(tuple(points), tuple(step.arcs), bent=False, arrow=target.box))
    return lines


def _asides(rounds: Sequence[Sequence[Detour]]) -> list[float]:
    """Return how far from the middle of the target's top each group comes in: to its own side, each beside the others."""
    found = []
    before: dict[tuple[int, bool], int] = {}
    for detours in rounds:
        target, left = detours[0].target, detours[0].left
        number = before[id(target), left] = before.get((id(target), left), 0) + 1
        aside = min(_ASIDE * number, max(0.0, target.width / 2 - _ASIDE))
        found.append(-aside if left else aside)
    return found


def _round(detours: Sequence[Detour], channel: float, aside: float, gaps: _Gaps, ports: dict[int, float]) -> list[Line]:
    """Return a group of detours: each up to the channel, and the channel from one to the next, at last into the box."""
    lines = []
    target, top = detours[0].target, gaps.track_in(detours)
    x = target.x + aside
    into = ((channel, top), (x, top), (x, target.y))
    along: list[int] = []
    for index, detour in enumerate(detours):
        source, port, y = detour.source, ports[id(detour)], gaps.track_out(detour)
        own: tuple[Point, ...] = ((port, source.y + source.height), (port, y), (channel, y))
        if index:
            lines.append(Line(own, (detour.arc,), bent=True, arrow=False))
            own = own[-1:]
        along.append(detour.arc)
        last = index + 1 == len(detours)
        onward = into if last else ((channel, gaps.track_out(detours[index + 1])),)
        lines.append(Line((*own, *onward), tuple(along), bent=True, arrow=last))
    return lines
