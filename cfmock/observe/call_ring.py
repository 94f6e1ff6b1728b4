"""The newest calls of one world, in blocks, so that a query passes over those in which nothing can match.

Nothing is done for that when a call is kept: what values the calls of a full block have is worked out for the first query that
asks for them, field by field, and known from then on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from cfmock.base.globs import glob_matches, is_glob
from cfmock.observe.call_record import CallRecord

BLOCK = 256
"""Calls of a block."""

Wanted = Mapping[str, str | int]
"""The values that a call has to have, by field or parameter; those of `GLOBS` are globs."""

GLOBS = ("operation", "flow", "execution", "code")
"""Fields that are asked for by globs."""

FIELDS = (*GLOBS, "status", "access_key_id", "request_id", "fault", "account", "region")
"""By what calls can be asked for, beside their parameters."""


class _CallBlock:
    """Calls one after another, and the values that they have, for the fields that were asked for."""

    __slots__ = ("records", "values")

    def __init__(self) -> None:
        self.records: deque[CallRecord] = deque()
        self.values: dict[str, frozenset[Any]] = {}

    def fitting(self, name: str, value: str | int) -> Collection[Any]:
        """Return those of its values for a field that are asked for. They are known from then on."""
        values = self.values.get(name)
        if values is None:
            values = self.values[name] = frozenset(map(_GET[name], self.records))
        if name in GLOBS and is_glob(str(value)):
            return {each for each in values if each is not None and glob_matches(str(value), each)}
        wanted = value or None if name == "code" else value
        return (wanted,) if wanted in values else ()


_GET: Mapping[str, Callable[[CallRecord], Any]] = {
    name: attrgetter(name) for name in ("request_id", "execution", "flow", "operation", "code", "access_key_id")
}
"""The fields that are worth it, the rarest values first."""


class CallRing:
    """The newest calls of one world, oldest first; `bytes` is about what they take, `dropped` how many there were before."""

    __slots__ = ("_blocks", "_count", "bytes", "dropped")

    def __init__(self) -> None:
        self._blocks: deque[_CallBlock] = deque([_CallBlock()])
        self._count = 0
        self.bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def add(self, record: CallRecord) -> None:
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

    def find_by_blocks(self, wanted: Wanted) -> Iterator[Sequence[CallRecord]]:
        """Find the calls with these values, of a block at each iteration, among those that there are when this is called."""
        by_value = {name: wanted[name] for name in _GET if name in wanted}
        tests = [_test(name, value) for name, value in wanted.items() if name not in _GET]
        *full, growing = self._blocks
        copied = _CallBlock()  # what values it has is not known for long
        copied.records.extend(growing.records)
        return (_found(block, by_value, tests) for block in (*full, copied))

    def replace(self, request_id: str, change: Callable[[CallRecord], CallRecord]) -> None:
        """Put what becomes of the newest call of this id in its place."""
        for block in reversed(self._blocks):
            records = block.records
            for index in range(len(records) - 1, -1, -1):
                if records[index].request_id == request_id:
                    records[index] = change(records[index])
                    block.values.clear()
                    return


def _found(block: _CallBlock, by_value: Wanted, tests: Sequence[Callable[[CallRecord], bool]]) -> Sequence[CallRecord]:
    """Return the calls of a block that have these values and pass these tests."""
    asked = [(_GET[name], block.fitting(name, value)) for name, value in by_value.items()]
    if not all(fitting for _, fitting in asked):
        return ()
    found = list(block.records)
    for get, fitting in asked:
        found = [record for record in found if get(record) in fitting]
    for test in tests:
        found = [record for record in found if test(record)]
    return found


def _test(name: str, value: str | int) -> Callable[[CallRecord], bool]:
    """Make the test whether a call has this value."""
    text = str(value)
    if name not in FIELDS:
        return lambda record: record.parameters.get(name) == value
    if name == "fault":
        return lambda record: value in record.faults
    if name == "code" and not text:
        return lambda record: record.code is None
    get = attrgetter(name)
    if name in GLOBS:
        return lambda record: (found := get(record)) is not None and glob_matches(text, found)
    return lambda record: str(get(record)) == text


def matches(record: CallRecord, filters: Mapping[str, str | int | None]) -> bool:
    """Return whether fields and parameters (in the service's spelling) equal the filters, those of `GLOBS` as globs. A
    filter of None asks nothing.

    An empty `code` is that of a success; `fault` is the name of a rule that struck.
    """
    return all(value is None or _test(name, value)(record) for name, value in filters.items())
