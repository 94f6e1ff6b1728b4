"""What the expressions of one step may cost, so that no definition holds up a server.

A definition is bounded and so is each value that it works with; what it makes of them is not: an expression may name the
largest input a thousand times, or compare it with itself as often. So what is evaluated and looked through is counted, and
what is built is measured before it is built. Counts, not times: an execution fails on every machine or on none.
"""

from __future__ import annotations

from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids
from cfmock.engine.expr.errors import DataTooLarge

MAX_EFFORT = 500_000
"""What one step may take. A word of an expression, an element of an array or a map, and eight characters count one each: a
sixth of a second at most."""

MAX_VALUE = 262_144
"""Characters of a value while it is built, which is what the largest of all, a global variable, may have."""

_TOO_LONG = f"the value takes more than {MAX_VALUE} characters"

_LITTLE = 32
"""Effort that is too small to make something large of values within their limits."""


class Effort:
    """What one step may still take, and where its chance comes from."""

    __slots__ = ("_enough", "ids", "left")

    def __init__(self, ids: Ids, left: int = MAX_EFFORT) -> None:
        self.ids = ids
        self.left = left
        self._enough = left - _LITTLE

    @property
    def slight(self) -> bool:
        """Return whether next to nothing was done."""
        return self.left >= self._enough

    def spend(self, amount: int) -> None:
        """Count some work before it is done. Raises `DataTooLarge` beyond the bound."""
        self.left -= amount
        if self.left < 0:
            raise DataTooLarge("the expressions of one step work with too much data")

    def check_length(self, characters: int) -> None:
        """Count a text that is about to be made. Raises `DataTooLarge` for one that would be too long."""
        if characters > MAX_VALUE:
            raise DataTooLarge(_TOO_LONG)
        self.spend(characters >> 3)

    def check(self, value: Json, times: int = 1) -> None:
        """Count a value that is about to be looked through so many `times`, or written as JSON. Raises `DataTooLarge` for one
        whose text would be too long."""
        length = _json_length(value)
        self.check_length(length)
        self.spend((times - 1) * length >> 3)

    def check_built(self, value: Json) -> None:
        """Raises `DataTooLarge` for what came of a step if its JSON text would be too long; not looked at after little effort."""
        if self.left < self._enough and _json_length(value) > MAX_VALUE:
            raise DataTooLarge(_TOO_LONG)


def _json_length(value: Json) -> int:
    """About the length of the JSON text, or something beyond `MAX_VALUE`."""
    length, parts = 0, [value]
    while parts and length <= MAX_VALUE:
        part = parts.pop()
        if isinstance(part, str):
            length += len(part) + 2
        elif isinstance(part, list):
            length += len(part) + 1
            parts.extend(part)
        elif isinstance(part, dict):
            length += 4 * len(part) + 1 + sum(map(len, part))
            parts.extend(part.values())
        else:
            length += 1
    return length
