"""Data of which nothing is known yet: they have every key that is asked for, and remember where they are from.

A symbolic value is a dict, so that the rules of both languages hand it around like any result. What has to have a shape
(a list for a map, a number for a wait) says so by `ShapeConstraint`; the shape is noted in `Shapes` and the flow executed again.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from cfmock.base.json_text import Json

Keys = tuple["str | int", ...]


class Place(Struct, frozen=True):
    """One value in the input of the execution (`state` empty), or in the result of a task's n-th call."""

    state: str = ""
    call: int = 0
    keys: Keys = ()

    def below(self, key: str | int) -> Place:
        return replace(self, keys=(*self.keys, key))


INPUT = Place()


class ShapeConstraint(Exception):  # noqa: N818 - no error: a question that is answered by beginning again
    """Raised with a place and the `ValueShape` that is to be there."""


class ValueShape(Struct, frozen=True):
    """A list of `length` symbolic values, or else `value`."""

    length: int | None = None
    value: Json = None


class Shapes(Struct):
    """Known shapes of symbolic data, and the parts of it that were asked for: the whole and the key of each."""

    known: dict[Place, ValueShape] = field(default_factory=dict)
    lookups: list[tuple[dict[Any, Json], str | int]] = field(default_factory=list)

    def make(self, place: Place) -> Json:
        """Return the value at a place."""
        shape = self.known.get(place)
        if shape is None:
            return SymbolicValue(place, self)
        if shape.length is None:
            return shape.value
        return [self.make(place.below(index)) for index in range(shape.length)]

    def undo_lookups(self, since: int, kept: Container[Place]) -> None:
        """Undo the lookups made after index `since`, except those of places in `kept`."""
        for whole, key in reversed(self.lookups[since:]):
            if not any(part.place in kept for part in unknown_parts(whole[key])):
                del whole[key]
        del self.lookups[since:]


class SymbolicValue(dict["str | int", Json]):
    """A value of which only the parts are known that were asked for, by key or by number."""

    __slots__ = ("place", "shapes")

    def __init__(self, place: Place, shapes: Shapes) -> None:
        super().__init__()
        self.place = place
        self.shapes = shapes

    def __missing__(self, key: str | int) -> Json:
        value = self[key] = self.shapes.make(self.place.below(key))
        self.shapes.lookups.append((self, key))
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SymbolicValue) and self.place == other.place


class MergedValue(dict[str, Json]):
    """The old language's merge where one side is symbolic: what is known of either, else what the later one may hold.

    What a task gave on an earlier call is not taken for what it gives now: a loop that asks again may get another
    answer. `renewed_keys` are the keys of which that is so.
    """

    __slots__ = ("over", "renewed_keys", "shapes", "under")

    def __init__(self, under: Json, over: Json) -> None:
        super().__init__(under)
        self.under = under
        self.over = over
        self.shapes: Shapes = (over if is_symbolic(over) else under).shapes
        self.renewed_keys = {key for key, value in under.items() if _given_before(value, over)}
        self.renewed_keys |= {
            key for part in (under, over) if isinstance(part, MergedValue) for key in part.renewed_keys
        }
        for key in self.renewed_keys:
            self.pop(key, None)
        self.update(over)

    def __missing__(self, key: str) -> Json:
        value = self[key] = self.over[key] if is_symbolic(self.over) else self.under[key]
        self.shapes.lookups.append((self, key))
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str)


def renewed(value: Json, key: str) -> SymbolicValue | None:
    """Return the part that the latest result merged into a value may have for a key of an earlier one."""
    while isinstance(value, MergedValue):
        value = value.over
    return value.shapes.make(value.place.below(key)) if isinstance(value, SymbolicValue) else None


def renew(value: Json, key: str, part: Json) -> None:
    """Let the latest result merged into a value have given this for a key."""
    while isinstance(value, MergedValue):
        value[key] = part
        value = value.over
    value[key] = part


def is_symbolic(value: Json) -> bool:
    return isinstance(value, SymbolicValue | MergedValue)


def merged(under: Mapping[str, Json], over: Mapping[str, Json]) -> Mapping[str, Json]:
    """Later keys overwrite earlier ones."""
    if is_symbolic(under) or is_symbolic(over):
        return MergedValue(under, over) if over or is_symbolic(over) else under
    return {**under, **over}


def _given_before(value: Json, over: Mapping[str, Json]) -> bool:
    if not isinstance(value, SymbolicValue) or not isinstance(over, SymbolicValue):
        return False
    before, now = value.place, over.place
    return bool(now.state) and before.state == now.state and before.call < now.call


def unknown_parts(value: Json) -> Iterator[SymbolicValue]:
    """Yield the symbolic values in a value of which no part was asked for."""
    if isinstance(value, SymbolicValue) and not len(value):
        yield value
    elif isinstance(value, dict):
        for part in list(value.values()):
            yield from unknown_parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from unknown_parts(part)


def concrete(value: Json, given: Mapping[Place, Json]) -> Json:
    """Return a value without anything symbolic: the value found for each place, else its name, to show what goes there."""
    if isinstance(value, SymbolicValue) and value.place in given:
        return given[value.place]
    if isinstance(value, SymbolicValue) and not len(value):
        return placeholder(value.place)
    if isinstance(value, dict):
        numbers = [key for key in value if isinstance(key, int)]  # of elements that were asked for
        if numbers and len(numbers) == len(value) and max(numbers) < _LONGEST:
            return [concrete(value.get(number, "item"), given) for number in range(max(numbers) + 1)]
        return {key: concrete(part, given) for key, part in value.items() if isinstance(key, str)}
    if isinstance(value, list):
        return [concrete(part, given) for part in value]
    return value


_LONGEST = 100  # elements of a list that is made so that it has one of them


def placeholder(place: Place) -> Json:
    """Return a sample for a value that may be anything: the last name on the way to it. A whole result is empty."""
    names = [key for key in place.keys if isinstance(key, str)]
    return names[-1] if names else {}
