"""Reading a rule as people write it: each key by a reader of its own, and every mistake noted with its path.

A reader takes a plain value and gives what it means. It raises ValueError for a mistake in the value itself and
`RuleError` for mistakes inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cfmock.base.errors import CfmockError
from cfmock.base.source_marks import MOST_TOLD, path_text
from cfmock.base.suggestions import did_you_mean, shown
from cfmock.base.time_text import parse_duration, parse_time

Path = tuple["str | int", ...]
Reader = Callable[[Any], Any]

MOST = 1_000_000_000
"""What no count has to exceed: more calls than this no test makes."""


class RuleError(CfmockError):
    """A rule that cannot be used: `problems` holds every mistake as (path within the rule, what is wrong)."""

    def __init__(self, problems: Iterable[tuple[Path, str]]) -> None:
        self.problems = tuple(problems)
        told = [f"{path_text(path)}: {text}" if path else text for path, text in self.problems[:MOST_TOLD]]
        rest = len(self.problems) - len(told)
        super().__init__("; ".join([*told, f"and {rest} more"] if rest else told))


def mapping(
    readers: Mapping[str, Reader],
    *,
    required: Collection[str] = (),
    misplaced: Mapping[str, str] = MappingProxyType({}),
) -> Reader:
    """A mapping with these keys and no other. A key whose value is null counts as not given.

    `misplaced` says of some other keys where they belong.
    """

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError(f"{shown(value)} is not a mapping with {', '.join(readers)}")
        found: dict[str, Any] = {}
        problems: list[tuple[Path, str]] = []
        for key, part in value.items():
            if key not in readers:
                problems.append(((str(key),), unknown_key(key, readers, misplaced)))
            elif part is not None:
                try:
                    found[key] = readers[key](part)
                except RuleError as error:
                    problems += [((key, *path), text) for path, text in error.problems]
                except ValueError as error:
                    problems.append(((key,), str(error)))
        problems += [((), f"'{key}' is missing") for key in required if value.get(key) is None]
        if problems:
            raise RuleError(problems)
        return found

    return read


def unknown_key(key: Any, known: Collection[str], misplaced: Mapping[str, str] = MappingProxyType({})) -> str:
    near = misplaced.get(str(key)) or did_you_mean(str(key), known)
    return f"unknown key {shown(key)}" + (near or f", known are {', '.join(known)}")


def text(value: Any) -> str:
    """One line of text that says something."""
    line = anything(value)
    if not line.strip() or any(letter < " " or letter == "\x7f" for letter in line):
        raise ValueError(f"{shown(value)} is not a line of text")
    return line


def anything(value: Any) -> str:
    """Any text, as long as it can be sent."""
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is not text")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{shown(value)} holds half a character (a lone surrogate)")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is not true or false")
    return value


def one_of(known: Iterable[str], what: str = "") -> Reader:
    """A word out of a few, which are listed; or out of many, which are only called `what`."""
    words = tuple(known)

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        expected = what or f"one of {', '.join(words)}"
        raise ValueError(
            f"{shown(value)} is not {expected}{did_you_mean(value, words) if isinstance(value, str) else ''}"
        )

    return read


def whole(low: int, high: int = MOST) -> Reader:
    """A whole number; 2.0 is one, as JSON has but one kind of number."""
    expected = f"a whole number from {low} to {high}"

    def read(value: Any) -> int:
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if not is_whole or not low <= value <= high:
            raise ValueError(f"{shown(value)} is not {expected}")
        return int(value)

    return read


def number(low: float, high: float) -> Reader:
    def read(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"{shown(value)} is not a number from {low:g} to {high:g}")
        return float(value)

    return read


def some(reader: Reader) -> Reader:
    """One value, or a list of at least one; gives a tuple."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            return (reader(value),)
        if not value:
            raise ValueError("the list is empty")
        found, problems = [], []
        for index, part in enumerate(value):
            try:
                found.append(reader(part))
            except ValueError as error:
                problems.append(((index,), str(error)))
        if problems:
            raise RuleError(problems)
        return tuple(found)

    return read


def duration(value: Any) -> float:
    return parse_duration(value)


def some_time(value: Any) -> float:
    """A duration that is longer than nothing."""
    seconds = parse_duration(value)
    if seconds == 0:
        raise ValueError(f"{shown(value)} is no time at all")
    return seconds


def offset(value: Any) -> float:
    """A duration to either side."""
    return parse_duration(value, signed=True)


def window(value: Any) -> tuple[float, float]:
    """Two times, the earlier first."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{shown(value)} is not a list of two times, from and until")
    begin, end = some(parse_time)(value)
    if begin >= end:
        raise ValueError("ends before it begins")
    return begin, end
