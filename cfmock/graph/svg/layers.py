"""A layered layout: boxes in ranks from the top down, few crossings, straight lines where they fit.

After Sugiyama: arcs give ranks (longest path), long arcs are cut by a cell in every rank they pass, and `arrange` orders
and places the cells. Two turns are our own. Arcs of one *lane* to the same box share their cells, so that fifty catches
of one handler are one line. And what leads back, or very far, leaves the ranks for a channel at the side, where `routes`
draws it; so the work does not grow with the length of arcs.

Everything is decided by the order of what is given: the same boxes and arcs are always drawn alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cfmock.graph.svg.arrange import Cell, Size, order, place

FAR = 6
"""Ranks an arc may pass between boxes; longer ones go round."""


class Arc(Struct, frozen=True):
    """From one box to another, by index. `back`: it leads up. Arcs of one `lane` to one box may share a line.

    `pill` is the size of a label that the arc passes through; `weight` is how much the arc wants to be straight. `port`
    is where it leaves the box, from the middle of its lower edge; without one the layout finds a place.
    """

    source: int
    target: int
    lane: str
    back: bool = False
    pill: Size | None = None
    weight: float = 1.0
    port: float | None = None


class LayerLink(Struct):
    """A line from a cell to one in the next rank, and the arcs (by index) that run along it."""

    source: Cell
    target: Cell
    arcs: list[int]
    port: float | None = None
    weight: float = 1.0
    x: float = 0.0  # where it leaves its cell


class Detour(Struct):
    """An arc that goes round: from `source` by a channel at the left or right into the top of `target`."""

    source: Cell
    target: Cell
    lane: str
    left: bool
    arc: int
    port: float | None = None
    x: float = 0.0  # where it leaves its cell
    y: float = 0.0  # of its track below that


class Layers(Struct):
    """Cells in ranks, placed from left to right; `y` is still to be given. `pills` are by the index of their arc."""

    ranks: list[list[Cell]]
    boxes: list[Cell]
    pills: dict[int, Cell]
    steps: list[LayerLink]
    detours: list[Detour]


def layer(boxes: Sequence[Size], arcs: Sequence[Arc]) -> Layers:
    """Rank, order and place boxes and what connects them. The first box comes first."""
    ranks = _ranks(len(boxes), arcs)
    cells = [Cell(rank, size.width, size.height, box=True) for rank, size in zip(ranks, boxes, strict=True)]
    layers = Layers([], cells, {}, [], [])
    shared: dict[tuple[int, str, int], Cell] = {}
    steps: dict[tuple[int, int, float | None], LayerLink] = {}
    everything = list(cells)

    def step(source: Cell, target: Cell, index: int) -> Cell:
        port = arcs[index].port if source is cells[arcs[index].source] else None
        found = steps.setdefault((id(source), id(target), port), LayerLink(source, target, [], port))
        found.arcs.append(index)
        found.weight = max(found.weight, arcs[index].weight)
        return target

    far = {(arc.target, arc.lane) for arc in arcs if not arc.back and ranks[arc.target] - ranks[arc.source] > FAR}
    for index, arc in enumerate(arcs):
        at, target = cells[arc.source], cells[arc.target]
        if arc.pill is not None:
            pill = layers.pills[index] = Cell(at.rank + 1, arc.pill.width, arc.pill.height)
            everything.append(pill)
            at = step(at, pill, index)
        if arc.back or (arc.target, arc.lane) in far:
            port = arc.port if arc.pill is None else None
            layers.detours.append(Detour(at, target, arc.lane, arc.back, index, port))
            continue
        for rank in range(at.rank + 1, target.rank):
            key = (arc.target, arc.lane, rank)
            if key not in shared:
                shared[key] = Cell(rank, passing=True)
                everything.append(shared[key])
            at = step(at, shared[key], index)
        step(at, target, index)
    layers.steps = list(steps.values())
    for each in layers.steps:
        weight = 8.0 if each.source.passing and each.target.passing else each.weight
        each.source.down.append((each.target, weight))
        each.target.up.append((each.source, weight))
    layers.ranks = _fill(everything, cells)
    order(layers.ranks)
    place(layers.ranks)
    return layers


def _ranks(count: int, arcs: Sequence[Arc]) -> list[int]:
    """Return the longest way to each box along arcs that lead down; an arc with a label is two ranks long."""
    waiting = [0] * count
    outgoing: list[list[Arc]] = [[] for _ in range(count)]
    for arc in arcs:
        if not arc.back:
            waiting[arc.target] += 1
            outgoing[arc.source].append(arc)
    ranks = [0] * count
    ready = [box for box in range(count) if not waiting[box]]
    for box in ready:
        for arc in outgoing[box]:
            ranks[arc.target] = max(ranks[arc.target], ranks[box] + (1 if arc.pill is None else 2))
            waiting[arc.target] -= 1
            if not waiting[arc.target]:
                ready.append(arc.target)
    return ranks


def _fill(everything: Sequence[Cell], boxes: Sequence[Cell]) -> list[list[Cell]]:
    """Cells by rank, in the order in which a walk from the first box comes upon them."""
    ranks: list[list[Cell]] = [[] for _ in range(max(cell.rank for cell in everything) + 1)]
    seen: set[int] = set()
    for root in (*boxes, *everything):
        stack = [root]
        while stack:
            cell = stack.pop()
            if id(cell) not in seen:
                seen.add(id(cell))
                ranks[cell.rank].append(cell)
                stack.extend(reversed([below for below, _ in cell.down]))
    return ranks
