"""`when` patterns: shell globs on text, subset matches on mappings, and why something did not match.

A mapping matches a value that has all its keys, each matching in turn. A list matches element by element. Text matches
text as a glob (`*`, `?`, `[abc]`), case-sensitively. Anything else must be equal; true is not 1.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cfmock.base.errors import path_text
from cfmock.base.json_text import Json


@functools.lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def glob_matches(pattern: str, text: str) -> bool:
    """Whether a shell glob covers the whole text, case-sensitively."""
    return pattern == "*" or pattern == text or _glob(pattern).match(text) is not None


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that kept a pattern from matching; `path` is `input.kind`, `actual` `MISSING` where nothing is."""

    path: str
    expected: Json
    actual: Json

    def __str__(self) -> str:
        actual = "missing" if self.actual is MISSING else repr(self.actual)
        return f"{self.path}: expected {self.expected!r}, got {actual}"


@dataclass(frozen=True, slots=True)
class Spent(Difference):
    """All `times` of something are used up: `expected` is how many it has, `actual` how many were used."""

    def __str__(self) -> str:
        return f"{self.path}: spent, {self.actual} of {self.expected}"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class NearMiss(NamedTuple):
    """What might have matched and did not: `kind` is outcome, mock or fault."""

    kind: str
    name: str
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} nearly matched: {'; '.join(map(str, self.differences))}"


def matches(pattern: Json, value: Json, *, exact: bool = False) -> bool:
    """Whether the value matches the pattern; with `exact`, only if it is equal to it."""
    return next(differences(pattern, value, exact=exact), None) is None


def differences(
    pattern: Json, value: Json, path: tuple[str | int, ...] = (), *, exact: bool = False
) -> Iterator[Difference]:
    """Every field in which the value differs from what the pattern asks for."""
    if isinstance(pattern, dict) and isinstance(value, dict):
        for key, part in pattern.items():
            if key in value:
                yield from differences(part, value[key], (*path, key), exact=exact)
            else:
                yield Difference(path_text((*path, key)), part, MISSING)
        if exact:
            for key in value.keys() - pattern.keys():
                yield Difference(path_text((*path, key)), MISSING, value[key])
    elif isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value):
        for index, (part, actual) in enumerate(zip(pattern, value, strict=True)):
            yield from differences(part, actual, (*path, index), exact=exact)
    elif not _same(pattern, value, exact):
        yield Difference(path_text(path), pattern, value)


def _same(pattern: Json, value: Json, exact: bool) -> bool:
    if isinstance(pattern, str) and isinstance(value, str):
        return pattern == value if exact else glob_matches(pattern, value)
    if isinstance(pattern, bool) or isinstance(value, bool):
        return pattern is value
    return bool(pattern == value)
