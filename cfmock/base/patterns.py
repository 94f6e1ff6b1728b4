"""`when` patterns: shell globs on text, subset matches on mappings, and why something did not match.

A mapping matches a value that has all its keys, each matching in turn. A list matches element by element. Text matches
text as a glob (`*`, `?`, `[abc]`), case-sensitively. Anything else must be equal; true is not 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict

from cfmock.base.globs import ANYTHING, MAX_GLOB, Named, glob, glob_matches, is_glob
from cfmock.base.json_text import Json
from cfmock.base.source_marks import path_text


class Difference(Struct, frozen=True):
    """One field that kept a pattern from matching; `path` is `input.kind`, `actual` `MISSING` where nothing is."""

    path: str
    expected: Json
    actual: Json

    def __str__(self) -> str:
        actual = "missing" if self.actual is MISSING else repr(self.actual)
        return f"{self.path}: expected {self.expected!r}, got {actual}"


class Spent(Difference, frozen=True):
    """All `times` of something are used up: `expected` is how many it has, `actual` how many were used."""

    def __str__(self) -> str:
        return f"{self.path}: spent, {self.actual} of {self.expected}"


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


class NearMiss(NamedTuple):
    """An outcome, mock or fault (`kind`) that might have matched and did not."""

    kind: str
    name: str
    differences: tuple[Difference, ...]

    @property
    def near(self) -> bool:
        """True if a single thing differs and that is not the operation; with more, some other call was meant."""
        return len(self.differences) == 1 and self.differences[0].path != "when.operation"

    def __str__(self) -> str:
        return f"{self.kind} {self.name} nearly matched: {'; '.join(map(str, self.differences))}"

    def to_mapping(self) -> dict[str, Json]:
        """Return it in the form of the admin API, in which MISSING is null."""
        differences = [{**asdict(each), "message": str(each)} for each in self.differences]
        shown = [{key: None if part is MISSING else part for key, part in each.items()} for each in differences]
        return {"kind": self.kind, "name": self.name, "differences": shown}


def overlong(pattern: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Find the paths of texts that are meant as globs and are longer than `MAX_GLOB`."""
    if isinstance(pattern, str):
        if len(pattern) > MAX_GLOB and is_glob(pattern):
            yield path
    elif isinstance(pattern, dict | list):
        for key, part in pattern.items() if isinstance(pattern, dict) else enumerate(pattern):
            yield from overlong(part, (*path, key))


OVERLONG = f"is longer than the {MAX_GLOB} characters that a pattern may have"


def matches(pattern: Json, value: Json, *, exact: bool = False) -> bool:
    """Return whether the value matches the pattern; with `exact`, only if it is equal to it."""
    return next(differences(pattern, value, exact=exact), None) is None


def differences(
    pattern: Json, value: Json, path: tuple[str | int, ...] = (), *, exact: bool = False
) -> Iterator[Difference]:
    """Yield every field in which the value differs from what the pattern asks for."""
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


Counter = Callable[[Json, int], int]
"""From a value to the number of its differences from a pattern; counting stops at the number given (1: does it match?)."""


def compiled(pattern: Json) -> Counter:
    """Compile a pattern for use with many values: counts what `differences` would yield, at a fraction of the cost."""
    if isinstance(pattern, dict):
        return _compiled_parts(dict, [(key, compiled(part)) for key, part in pattern.items()])
    if isinstance(pattern, list):
        return _compiled_parts(list, [(index, compiled(part)) for index, part in enumerate(pattern)])
    if isinstance(pattern, str):
        # A pattern is also meant as written: `[a]` matches itself.
        if not is_glob(pattern) or len(pattern) > MAX_GLOB:
            return lambda value, most: 0 if isinstance(value, str) and value == pattern else 1
        match = glob(pattern)
        return lambda value, most: 0 if isinstance(value, str) and (value == pattern or match(value)) else 1
    if isinstance(pattern, bool) or pattern is None:
        return lambda value, most: 0 if value is pattern else 1
    return lambda value, most: 0 if value == pattern and not isinstance(value, bool) else 1


def _compiled_parts(kind: type[dict[Any, Any] | list[Any]], parts: list[tuple[Any, Counter]]) -> Counter:
    def count(value: Json, most: int) -> int:
        if not isinstance(value, kind) or (kind is list and len(value) != len(parts)):
            return 1
        found = 0
        for key, part in parts:
            found += part(value[key], most - found) if kind is list or key in value else 1
            if found >= most:
                break
        return found

    return count


class ExecutionCondition:
    """Condition of an outcome or a mock: a glob for the name of the execution and a pattern for the input, both compiled when
    they are first asked: of many that are read, few are ever tried."""

    __slots__ = ("_pattern", "_tests", "reads_input")

    def __init__(self, pattern: Mapping[str, Json]) -> None:
        self._pattern = pattern
        self._tests: tuple[Counter | None, Counter | None] | None = None
        self.reads_input = "input" in pattern

    @property
    def named(self) -> Named:
        """What it asks of the name."""
        name = self._pattern.get("execution", "*")
        return Named.of(name) if isinstance(name, str) else ANYTHING

    def matches(self, execution: str, value: Json) -> bool:
        """Return whether it is for an execution of this name with this value as its input, or that of its state."""
        return not self.count(execution, value, 1)

    def count(self, execution: str, value: Json, most: int) -> int:
        """How many differences there are; it may stop counting at `most`."""
        if self._tests is None:
            name_pattern = self._pattern.get("execution", "*")
            given = compiled(self._pattern["input"]) if self.reads_input else None
            self._tests = None if name_pattern == "*" else compiled(name_pattern), given
        name, given = self._tests
        found = 0 if name is None else name(execution, 1)
        if given is not None and found < most:
            found += given(value, most - found)
        return found

    def differences(self, execution: str, value: Json) -> Iterator[Difference]:
        """Why it is not for such an execution; nothing if it is."""
        for key, actual in (("execution", execution), ("input", value)):
            if key in self._pattern:
                yield from differences(self._pattern[key], actual, (key,))


def _same(pattern: Json, value: Json, exact: bool) -> bool:
    if isinstance(pattern, str) and isinstance(value, str):
        return pattern == value if exact else glob_matches(pattern, value)
    if isinstance(pattern, bool) or isinstance(value, bool):
        return pattern is value
    return bool(pattern == value)


EVERY_EXECUTION = ExecutionCondition({})
"""What is asked of no execution."""
