"""The newest calls of one world, in blocks, so that a query passes over those in which nothing can match.

Nothing is done for that when a call is kept: what values the calls of a full block have is worked out for the first query that
asks for them, field by field, and known from then on.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from cfmock.base.globs import glob_matches, is_glob

BLOCK = 256
"""Calls of a block."""


class RingRecord(Protocol):
    """A call as far as queries and bounds look at it; see `observe.journal.CallRecord`."""

    @property
    def operation(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, str]: ...

    @property
    def code(self) -> str | None: ...

    @property
    def status(self) -> int: ...

    @property
    def faults(self) -> tuple[str, ...]: ...

    @property
    def request_id(self) -> str: ...

    @property
    def size(self) -> int: ...


R = TypeVar("R", bound=RingRecord)

Wanted = Mapping[str, str | int]
"""The values that a call has to have, by field or parameter; those of `GLOBS` are globs."""

GLOBS = ("operation", "flow", "execution", "code")
"""Fields that are asked for by globs."""


class _CallBlock(Generic[R]):
    """Calls one after another, and the values that they have, for the fields that were asked for."""

    __slots__ = ("records", "values")

    def __init__(self) -> None:
        self.records: deque[R] = deque()
        self.values: dict[str, frozenset[Any]] = {}

    def may_have(self, name: str, value: str | int) -> bool:
        """Return whether any of its calls may have this value."""
        get = _GET.get(name)
        if get is None:
            return True
        values = self.values.get(name)
        if values is None:
            values = self.values[name] = frozenset(map(get, self.records))
        if name in GLOBS and is_glob(str(value)):
            return any(each is not None and glob_matches(str(value), each) for each in values)
        return (value or None if name == "code" else value) in values


_GET: Mapping[str, Callable[[RingRecord], Any]] = {
    name: attrgetter(name) for name in ("request_id", "execution", "flow", "operation", "code", "access_key_id")
}
"""The fields that are worth it, the rarest values first."""


class CallRing(Generic[R]):
    """The newest calls of one world, oldest first; `bytes` is about what they take, `dropped` how many there were before."""

    __slots__ = ("_blocks", "_count", "bytes", "dropped")

    def __init__(self) -> None:
        self._blocks: deque[_CallBlock[R]] = deque([_CallBlock()])
        self._count = 0
        self.bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def add(self, record: R) -> None:
        block = self._blocks[-1]
        if len(block.records) >= BLOCK:
            block = _CallBlock()
            self._blocks.append(block)
        block.records.append(record)
        self._count += 1
        self.bytes += record.size

    def drop(self) -> int:
        """Let go of the oldest; return its size."""
        block = self._blocks[0]
        size = block.records.popleft().size
        if not block.records and len(self._blocks) > 1:
            self._blocks.popleft()
        self._count -= 1
        self.bytes -= size
        self.dropped += 1
        return size

    def find(self, wanted: Wanted) -> Iterator[R]:
        """Find the calls that have these values."""
        tests = [_test(name, value) for name, value in sorted(wanted.items(), key=_rank)]
        last = self._blocks[-1]
        for block in self._blocks:
            if block is last or all(block.may_have(name, value) for name, value in wanted.items()):
                found: Sequence[R] | deque[R] = block.records
                for test in tests:
                    found = [record for record in found if test(record)]
                yield from found

    def replace(self, request_id: str, change: Callable[[R], R]) -> None:
        """Put what becomes of the newest call of this id in its place."""
        for block in reversed(self._blocks):
            records = block.records
            for index in range(len(records) - 1, -1, -1):
                if records[index].request_id == request_id:
                    records[index] = change(records[index])
                    block.values.clear()
                    return


def _rank(item: tuple[str, str | int]) -> int:
    return _ORDER.get(item[0], len(_ORDER))


_ORDER = {name: place for place, name in enumerate(_GET)}


def _test(name: str, value: str | int) -> Callable[[RingRecord], bool]:
    """Make the test whether a call has this value."""
    text = str(value)
    if name in GLOBS and is_glob(text):
        get = attrgetter(name)
        covers = functools.lru_cache(BLOCK)(partial(glob_matches, text))  # there are few values, and many calls of each
        return lambda record: (found := get(record)) is not None and covers(found)
    match name:
        case "fault":
            return lambda record: value in record.faults
        case "code":
            return lambda record: (record.code or "") == value
        case "operation" | "flow" | "execution" | "request_id" | "access_key_id" | "account" | "region":
            get = attrgetter(name)
            return lambda record: get(record) == text
        case "status":
            return lambda record: str(record.status) == text
    return lambda record: record.parameters.get(name) == value


def has(record: RingRecord, name: str, value: str | int) -> bool:
    """Return whether a call has this value."""
    return _test(name, value)(record)
