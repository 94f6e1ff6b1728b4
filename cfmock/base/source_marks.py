"""Places in files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct


class Mark(Struct, frozen=True):
    """A place in a text: file as the user named it, line and column from 1. Line 0: the whole, or what stands at `path`."""

    file: str
    line: int
    column: int
    path: str = ""

    def __str__(self) -> str:
        return self.at(self.path)

    def at(self, path: str) -> str:
        """Return the place with a path in the document, as people read it."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {path}" if path else place


def mark_at(file: str, text: str, position: int) -> Mark:
    """Return the place of a position in the text of a file."""
    return Mark(file, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))


class Marked(Protocol):
    """A text that knows where its parts stand."""

    def mark(self, path: Sequence[str | int] = (), *, key: bool = False) -> Mark: ...


class TextPlace(Struct, frozen=True):
    """A place in a text, whose line and column are looked for only when needed: few places are ever shown."""

    text: Marked
    path: tuple[str | int, ...]
    key: bool = False

    def __repr__(self) -> str:
        return f"TextPlace({path_text(self.path)!r})"  # without the whole text

    @property
    def mark(self) -> Mark:
        return self.text.mark(self.path, key=self.key)


class Placed:
    """A value with a `place` in a text among its fields."""

    __slots__ = ()
    place: TextPlace

    @property
    def mark(self) -> Mark:
        return self.place.mark


class _Unwritten:
    """The text of what nobody wrote."""

    def mark(self, path: Sequence[str | int] = (), *, key: bool = False) -> Mark:
        return Mark("", 0, 0)


NOWHERE = TextPlace(_Unwritten(), ())
"""The place of what nobody wrote."""


def path_text(path: Iterable[str | int]) -> str:
    """Return a document path as people write it: `('flows', 0, 'name')` → `flows[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


class ValuePlace(Struct):
    """The place of a value (counted from 0), and, for collections, of its keys and parts."""

    line: int
    column: int
    keys: dict[str, tuple[int, int]] | None = None
    parts: dict[str, ValuePlace] | list[ValuePlace] | None = None
