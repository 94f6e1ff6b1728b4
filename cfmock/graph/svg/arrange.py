"""The order of cells within their ranks, and their places from left to right.

Order follows the middle of the neighbours, rank by rank, down and up, and the sweep with the fewest crossings counts.
Places come from isotonic regression: each rank moves as near to its neighbours as order and distance allow. At last
*spines*, boxes that plainly follow one another, and long lines are given one position from top to bottom.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from operator import attrgetter

from msgspec import Struct, field


class Size(Struct, frozen=True):
    width: float
    height: float


class Cell(Struct, eq=False):
    """A thing that takes room in a rank: a box, a pill, or (`passing`) a line on its way."""

    rank: int
    width: float = 0.0
    height: float = 0.0
    box: bool = False
    passing: bool = False
    x: float = 0.0  # the middle
    y: float = 0.0  # the top
    up: list[tuple[Cell, float]] = field(default_factory=list)
    down: list[tuple[Cell, float]] = field(default_factory=list)


SPINE = 50.0
"""The weight of an arc from which on boxes want to stand above one another."""

SPACE = 26.0
"""Between boxes of a rank, pixels."""

_NARROW = 14.0  # beside a passing line
_SWEEPS = 8
_MOVES = 10


def order(ranks: list[list[Cell]]) -> None:
    """Order the cells of every rank so that few lines cross."""
    best, fewest = [list(rank) for rank in ranks], _crossings(ranks)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for rank in ranks[1:] if downwards else reversed(ranks[:-1]):
            _sort(rank, attrgetter("up" if downwards else "down"))
        if (crossings := _crossings(ranks)) < fewest:
            best, fewest = [list(rank) for rank in ranks], crossings
    ranks[:] = best
    for rank in ranks:
        _number(rank)


def _number(rank: Sequence[Cell]) -> None:
    for index, cell in enumerate(rank):
        cell.x = float(index)


def _sort(rank: list[Cell], neighbours: Callable[[Cell], list[tuple[Cell, float]]]) -> None:
    """By the middle of the neighbours; a cell without any stays about where it is."""

    def middle(cell: Cell) -> float:
        near = neighbours(cell)
        return sum(other.x for other, _ in near) / len(near) if near else cell.x

    rank.sort(key=middle)
    _number(rank)


def _crossings(ranks: Sequence[Sequence[Cell]]) -> int:
    found = 0
    for rank in ranks:
        _number(rank)
    for rank in ranks:
        ends: list[float] = []
        for cell in rank:
            below = sorted(other.x for other, _ in cell.down)
            found += sum(len(ends) - bisect_right(ends, end) for end in below)
            for end in below:
                insort(ends, end)
    return found


def place(ranks: Sequence[Sequence[Cell]]) -> None:
    """Give every cell its `x`, without changing the order."""
    for rank in ranks:
        at = 0.0
        for left, cell in zip((None, *rank), rank, strict=False):
            at += _distance(left, cell) if left is not None else 0.0
            cell.x = at
    _settle(ranks, frozenset())
    # Spines stand where they are now, straight, and the rest gathers round them again.
    _settle(ranks, frozenset(_straighten(ranks, _spine)))
    _straighten(ranks, _passing)


def _settle(ranks: Sequence[Sequence[Cell]], fixed: frozenset[int]) -> None:
    for move in range(_MOVES):
        # First each rank follows the one before it, at last both neighbours.
        both = move >= _MOVES - 2
        for rank in ranks if move % 2 == 0 else reversed(ranks):
            _fit(rank, fixed, up=both or move % 2 == 0, down=both or move % 2 == 1)


def _fit(rank: Sequence[Cell], fixed: frozenset[int], *, up: bool, down: bool) -> None:
    """Move a rank's cells as near to their neighbours as order and distance allow: pool adjacent violators."""
    blocks: list[list[float]] = []  # mean, weight, number of cells
    offset, offsets = 0.0, []
    for index, cell in enumerate(rank):
        if index:
            offset += _distance(rank[index - 1], cell)
        offsets.append(offset)
        near = () if id(cell) in fixed else (cell.up if up else []) + (cell.down if down else [])
        weight = sum(weight for _, weight in near)
        wanted = sum(other.x * weight for other, weight in near) / weight if near else cell.x
        blocks.append([wanted - offset, 1e6 if id(cell) in fixed else weight or 0.01, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, weight, count = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * weight) / (last[1] + weight)
            last[1] += weight
            last[2] += count
    index = 0
    for mean, _, count in blocks:
        for _ in range(int(count)):
            rank[index].x = mean + offsets[index]
            index += 1


def _straighten(ranks: Sequence[Sequence[Cell]], follow: Callable[[Cell], Cell | None]) -> set[int]:
    """Give the cells of a line one position, as far as what stands beside them leaves room. Gives all such cells."""
    places = {id(cell): index for rank in ranks for index, cell in enumerate(rank)}
    done: set[int] = set()
    for rank in ranks:
        for cell in rank:
            line = [cell]
            while id(cell) not in done and (below := follow(line[-1])) is not None and id(below) not in done:
                line.append(below)
            if len(line) > 1:
                done.update(map(id, line))
                lows, highs = ([_room(ranks[part.rank], places[id(part)], step) for part in line] for step in (-1, 1))
                _align(line, lows, highs)
    return done


def _room(rank: Sequence[Cell], place: int, step: int) -> float:
    """Return how far left (`step` -1) or right (1) a cell may go. A box can push aside cells that are no boxes."""
    needed = 0.0
    for index in range(place + step, len(rank) if step > 0 else -1, step):
        needed += _distance(rank[index - step], rank[index])
        if rank[index].box or not rank[place].box:
            return rank[index].x - step * needed
    return step * float("inf")


def _spine(cell: Cell) -> Cell | None:
    """Return the box that follows a box plainly, if nothing else leads there as plainly."""
    below = max(cell.down, key=lambda link: link[1], default=None)
    if below is None or below[1] < SPINE or max(below[0].up, key=lambda link: link[1])[0] is not cell:
        return None
    return below[0]


def _passing(cell: Cell) -> Cell | None:
    below = cell.down[0][0] if cell.passing else None
    return below if below is not None and below.passing else None


def _align(line: Sequence[Cell], lows: Sequence[float], highs: Sequence[float]) -> None:
    """One position for all cells of a line, or for as many in a row as have room for that."""
    run: list[Cell] = []
    least, most = float("-inf"), float("inf")
    for cell, low, high in zip(line, lows, highs, strict=True):
        if run and max(least, low) > min(most, high):
            _stand(run, least, most)
            run, least, most = [], float("-inf"), float("inf")
        run.append(cell)
        least, most = max(least, low), min(most, high)
    _stand(run, least, most)


def _stand(run: Sequence[Cell], least: float, most: float) -> None:
    x = min(max(sum(cell.x for cell in run) / len(run), least), most)
    for cell in run:
        cell.x = x


def _distance(left: Cell, right: Cell) -> float:
    space = _NARROW if left.passing or right.passing else SPACE
    return (left.width + right.width) / 2 + space
