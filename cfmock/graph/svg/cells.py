"""The cells of a layered layout: what takes room in a rank."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    width: float
    height: float


class Cell:
    """A thing that takes room in a rank: a box, a pill, or (`passing`) a line on its way."""

    __slots__ = ("box", "down", "height", "passing", "rank", "up", "width", "x", "y")

    def __init__(self, rank: int, size: Size, *, box: bool = False, passing: bool = False) -> None:
        self.rank = rank
        self.width = size.width
        self.height = size.height
        self.box = box
        self.passing = passing
        self.x = 0.0  # the middle
        self.y = 0.0  # the top
        self.up: list[tuple[Cell, float]] = []
        self.down: list[tuple[Cell, float]] = []
