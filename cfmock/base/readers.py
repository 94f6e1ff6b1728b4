"""Readers of values as people write them: each returns the meaning, or raises InvalidValue with every mistake and its path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from cfmock.base.errors import InvalidValue
from cfmock.base.problems import MISSING, NOT_ONE_OF, UNKNOWN_KEY, UNKNOWN_KEY_OF, Mistake, Mistakes
from cfmock.base.suggestions import likely, shown
from cfmock.base.time_text import parse_duration, parse_time

Reader = Callable[[Any], Any]

MOST = 1_000_000_000
"""The largest count: no test makes more calls than this."""

HALF = "{} holds half a character (a lone surrogate)"


def mapping(
    readers: Mapping[str, Reader],
    *,
    required: Collection[str] = (),
    misplaced: Mapping[str, Mistake] = MappingProxyType({}),
) -> Reader:
    """Read a mapping with these keys only, null counting as not given. `misplaced` has mistakes of keys that belong elsewhere."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise InvalidValue.of("{} is not a mapping with {}", shown(value), ", ".join(readers))
        found: dict[str, Any] = {}
        problems: Mistakes = []
        for key, part in value.items():
            if key not in readers:
                problems.append(((str(key),), unknown_key(key, readers, misplaced)))
            elif part is not None:
                try:
                    found[key] = readers[key](part)
                except InvalidValue as error:
                    problems += error.below(key)
        problems += [((), Mistake(MISSING, (key,))) for key in required if value.get(key) is None]
        if problems:
            raise InvalidValue(problems)
        return found

    return read


def unknown_key(
    key: Any, known: Collection[str], misplaced: Mapping[str, Mistake] = MappingProxyType({}), *, most: int = MOST
) -> Mistake:
    """Return the mistake of a key that is none of the known ones, which it lists unless there are more than `most`."""
    if str(key) in misplaced:
        return misplaced[str(key)]
    name = str(key).replace("_", "").casefold()
    other = (word for word in _OTHER_NAMES.get(name, ()) if word in known)
    near = tuple(islice(other, 1)) or likely(str(key), known)
    if near or len(known) > most:
        return Mistake(UNKNOWN_KEY, (shown(key),), near)
    return Mistake(UNKNOWN_KEY_OF, (shown(key), ", ".join(known)))


_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "cause": ("detail",), "error": ("code", "fails"), "errorcode": ("code",), "errormessage": ("detail", "message"),
    "message": ("detail",), "reason": ("detail", "message"),
    "flowname": ("flow", "name"), "executionname": ("execution", "name"), "schedulename": ("name",), "task": ("tasks",),
    "actionname": ("operation",), "action": ("operation",), "statuscode": ("status",), "httpcode": ("status",),
    "input": ("payload",), "output": ("returns",), "result": ("returns",), "response": ("returns",),
    "cronexpression": ("cron",), "starttime": ("started",), "startedtime": ("started",), "stoptime": ("stopped",),
    "mock": ("tasks", "mocks"), "mocks": ("tasks",), "responses": ("outcomes",), "results": ("outcomes",),
    "returns": ("output",), "fails": ("error",), "delay": ("after",), "count": ("times",), "match": ("when",),
    "url": ("http",), "expected": ("expect",), "source": ("definition",), "yaml": ("definition",),
    "stoppedtime": ("stopped",), "routingconfigurations": ("routes",), "versionid": ("version", "number"),
}  # fmt: skip
"""The keys for what the API, its clients or other tools call by other names, written small and without `_`."""


def text(value: Any) -> str:
    """Read one line of text, not blank."""
    line = anything(value)
    if not line.strip() or any(letter < " " or letter == "\x7f" for letter in line):
        raise InvalidValue.of("{} is not a line of text", shown(value))
    return line


def anything(value: Any) -> str:
    """Read any text that can be sent."""
    if not isinstance(value, str):
        raise InvalidValue.of("{} is not text", shown(value))
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidValue.of(HALF, shown(value))
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise InvalidValue.of("{} is not true or false", shown(value))
    return value


def one_of(known: Iterable[str], kind: str = "", near: Callable[..., tuple[str, ...]] = likely) -> Reader:
    """Read one of a few words, which the mistake lists; or of many, whose mistake is of this kind. `near` finds likely ones."""
    words = tuple(known)

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        subject = (shown(value),) if kind else (shown(value), ", ".join(words))
        raise InvalidValue.of(kind or NOT_ONE_OF, *subject, near=near(value, words))

    return read


def whole(low: int, high: int = MOST) -> Reader:
    """Read a whole number; 2.0 is one, as JSON has but one kind of number."""

    def read(value: Any) -> int:
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if not is_whole or not low <= value <= high:
            raise InvalidValue.of("{} is not a whole number from {} to {}", shown(value), low, high)
        return int(value)

    return read


def number(low: float, high: float) -> Reader:
    """Read a number in this range, ends included."""

    def read(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidValue.of("{} is not a number from {} to {}", shown(value), f"{low:g}", f"{high:g}")
        return float(value)

    return read


def some(reader: Reader) -> Reader:
    """Read one value, or a list of at least one, to a tuple."""
    of_list = items(reader)

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            return (reader(value),)
        if not value:
            raise InvalidValue.of("the list is empty")
        return tuple(of_list(value))

    return read


def items(reader: Reader) -> Reader:
    """Read a list, which may be empty."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise InvalidValue.of("{} is not a list", shown(value))
        found: list[Any] = []
        problems: Mistakes = []
        for index, part in enumerate(value):
            try:
                found.append(reader(part))
            except InvalidValue as error:
                problems += error.below(index)
        if problems:
            raise InvalidValue(problems)
        return found

    return read


def some_time(value: Any) -> float:
    """Read a duration longer than zero, to seconds."""
    seconds = parse_duration(value)
    if seconds == 0:
        raise InvalidValue.of("{} must be more than zero", shown(value))
    return seconds


def offset(value: Any) -> float:
    """Read a duration to either side, to seconds."""
    return parse_duration(value, signed=True)


def window(value: Any) -> tuple[float, float]:
    """Read two times, the earlier first, to seconds since 1970."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise InvalidValue.of("{} is not a list of two times, from and until", shown(value))
    begin, end = items(parse_time)(value)
    if begin >= end:
        raise InvalidValue.of("ends before it begins")
    return begin, end
