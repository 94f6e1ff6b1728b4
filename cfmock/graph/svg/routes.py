"""Lines for a layered layout: heights of ranks and gaps, curves between ranks, and channels at the sides.

Between two ranks lies a gap in which curves swing over and detours run along *tracks*. What goes round leaves its cell
downwards, runs along a track to its *channel*, up or down that, and along a track above its target into the target's
top. Detours of one lane to one target share channel and last track.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct
from msgspec.structs import replace

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


class _Round(Struct):
    """Detours that share a channel, the one that joins it farthest from the target first."""

    detours: list[Detour]
    target: Cell
    left: bool
    x: float  # where it comes into the target
    channel: float = 0.0
    top: float = 0.0  # of its track above the target

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last rank that its channel passes."""
        passed = [self.target.rank, *(detour.source.rank for detour in self.detours)]
        return min(passed), max(passed)


def lay_out(boxes: Sequence[Size], arcs: Sequence[Arc]) -> Layout:
    """Place boxes in ranks and draw the arcs between them. The first box stands on top."""
    layers = layer(boxes, arcs)
    rounds = _rounds(layers.detours)
    *ends, bottom = _stack(layers.ranks, rounds)
    _place_channels(layers.ranks, rounds)
    _place_ports(layers)
    lines = [*_curves(layers, ends), *(line for each in rounds for line in _round(each))]
    return _framed(layers, lines, bottom)


def _framed(layers: Layers, lines: list[Line], bottom: float) -> Layout:
    """Move everything so that it begins at 0, however far channels reach to the left."""
    across = [x for line in lines for x, _ in line.points]
    cells = [*layers.boxes, *layers.pills.values()]
    left = min([cell.x - cell.width / 2 for cell in cells] + across)
    right = max([cell.x + cell.width / 2 for cell in cells] + across)
    return Layout(
        Size(right - left, bottom),
        tuple((cell.x - left, cell.y) for cell in layers.boxes),
        {index: (cell.x - left, cell.y) for index, cell in layers.pills.items()},
        tuple(replace(line, points=tuple((x - left, y) for x, y in line.points)) for line in lines),
    )


def _rounds(detours: Sequence[Detour]) -> list[_Round]:
    """Group the detours, and let each group come into its target's top at its own side, each beside the others."""
    together: dict[tuple[int, str, bool], list[Detour]] = {}
    for detour in detours:
        together.setdefault((id(detour.target), detour.lane, detour.left), []).append(detour)
    found = []
    before: dict[tuple[int, bool], int] = {}
    for group in together.values():
        target, left = group[0].target, group[0].left
        group.sort(key=lambda detour: -abs(detour.source.rank + 0.5 - detour.target.rank))
        number = before[id(target), left] = before.get((id(target), left), 0) + 1
        aside = min(_ASIDE * number, max(0.0, target.width / 2 - _ASIDE))
        found.append(_Round(group, target, left, target.x - aside if left else target.x + aside))
    return found


def _stack(ranks: Sequence[Sequence[Cell]], rounds: Sequence[_Round]) -> list[float]:
    """Give cells and tracks their heights. Returns where each rank ends, and at last where everything does."""
    leaving: list[list[Detour]] = [[] for _ in range(len(ranks) + 1)]  # by the rank below
    coming: list[list[_Round]] = [[] for _ in ranks]
    for each in rounds:
        coming[each.target.rank].append(each)
        for detour in each.detours:
            leaving[detour.source.rank + 1].append(detour)
    at, ends = 0.0, []
    for index, rank in enumerate(ranks):
        tracks = _TRACK * (len(leaving[index]) + len(coming[index]))
        if index:
            # The farther a curve swings over, the more room it gets to do so gently.
            swing = max((abs(cell.x - below.x) for cell in ranks[index - 1] for below, _ in cell.down), default=0.0)
            at += GAP + tracks + min(26.0, swing * 0.08)
        elif tracks:
            at += tracks + GAP / 2
        for number, each in enumerate(coming[index]):
            each.top = at - 15.0 - _TRACK * number
        for cell in rank:
            cell.y = at
        at += max(cell.height for cell in rank)
        ends.append(at)
        for number, detour in enumerate(leaving[index + 1], 1):
            detour.y = at + _TRACK * number
    return [*ends, at + (_TRACK * (len(leaving[-1]) + 1) if leaving[-1] else 0.0)]


def _place_channels(ranks: Sequence[Sequence[Cell]], rounds: Sequence[_Round]) -> None:
    """Place each channel beside all it passes, and beside the channels it would touch; the shortest first."""
    lefts = [min(cell.x - cell.width / 2 for cell in rank) for rank in ranks]
    rights = [max(cell.x + cell.width / 2 for cell in rank) for rank in ranks]
    placed: list[tuple[bool, int, int, float]] = []
    for each in sorted(rounds, key=lambda each: each.span[1] - each.span[0]):
        left, (first, last) = each.left, each.span
        x = min(lefts[first : last + 1]) - _MARGIN if left else max(rights[first : last + 1]) + _MARGIN
        beside = (other for side, a, b, other in placed if side is left and a <= last + 1 and first <= b + 1)
        for other in sorted(beside, reverse=left):
            if abs(other - x) < _CHANNEL:
                x = other - _CHANNEL if left else other + _CHANNEL
        each.channel = x
        placed.append((left, first, last, x))


def _place_ports(layers: Layers) -> None:
    """Place the lines that leave a box side by side along its lower edge, in the order of their targets.

    The plain way on has the middle, and the others keep to their sides of it.
    """
    leaving: dict[int, list[tuple[float, int, LayerLink | Detour]]] = {}
    everything: list[LayerLink | Detour] = [*layers.steps, *layers.detours]
    for number, way in enumerate(everything):
        if way.port is not None:
            way.x = way.source.x + way.port
            continue
        aside = way.target.x - way.source.x if isinstance(way, LayerLink) else -1e6 if way.left else 1e6
        leaving.setdefault(id(way.source), []).append((aside, number, way))
    for ways in leaving.values():
        ways.sort(key=lambda way: way[:2])
        source, count = ways[0][2].source, len(ways)
        spine = [index for index, (_, _, way) in enumerate(ways) if isinstance(way, LayerLink) and way.weight >= SPINE]
        middle = spine[0] if spine else (count - 1) / 2
        most = max(middle, count - 1 - middle)
        apart = min(18.0, 0.4 * source.width / most) if most else 0.0
        for index, (_, _, way) in enumerate(ways):
            way.x = source.x + (index - middle) * apart


def _curves(layers: Layers, ends: Sequence[float]) -> Iterator[Line]:
    onward = {id(step.source): step for step in layers.steps if step.source.passing}
    joining = Counter(id(step.target) for step in layers.steps)
    for step in layers.steps:
        source, target = step.source, step.target
        if source.passing and joining[id(source)] == 1:
            continue  # the middle of a line that was begun further up
        points = [(step.x, source.y + source.height), (step.x, ends[source.rank])]
        while target.passing and joining[id(target)] == 1:
            points += [(target.x, target.y), (target.x, ends[target.rank])]
            target = onward[id(target)].target
        points.append((target.x, target.y))
        yield Line(tuple(points), tuple(step.arcs), bent=False, arrow=target.box)


def _round(group: _Round) -> Iterator[Line]:
    """Draw a group of detours: each up to the channel, and the channel from one to the next, at last into the box."""
    channel, target = group.channel, group.target
    along: list[int] = []
    for detour, following in zip_longest(group.detours, group.detours[1:]):
        bottom = detour.source.y + detour.source.height
        own: tuple[Point, ...] = ((detour.x, bottom), (detour.x, detour.y), (channel, detour.y))
        if along:
            yield Line(own, (detour.arc,), bent=True, arrow=False)
            own = own[-1:]
        along.append(detour.arc)
        into = ((channel, group.top), (group.x, group.top), (group.x, target.y))
        onward = into if following is None else ((channel, following.y),)
        yield Line((*own, *onward), tuple(along), bent=True, arrow=following is None)
