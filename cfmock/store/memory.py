"""The default backend: sorted containers in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from sortedcontainers import SortedDict, SortedList

from cfmock.store.base import Entry

R = TypeVar("R")


class MemoryTable(Generic[R]):
    """A `Table` in memory."""

    def __init__(self) -> None:
        self._partitions: dict[str, SortedDict] = {}

    def get(self, partition: str, key: str) -> R | None:
        rows = self._partitions.get(partition)
        return rows.get(key) if rows is not None else None

    def put(self, partition: str, key: str, row: R) -> None:
        rows = self._partitions.get(partition)
        if rows is None:
            rows = self._partitions[partition] = SortedDict()
        rows[key] = row

    def delete(self, partition: str, key: str) -> bool:
        rows = self._partitions.get(partition)
        return rows is not None and rows.pop(key, None) is not None

    def drop(self, partition: str) -> None:
        self._partitions.pop(partition, None)

    def count(self, partition: str) -> int:
        return len(self._partitions.get(partition, ()))

    def keys(self, partition: str, start: str = "", stop: str | None = None) -> Iterator[str]:
        rows = self._partitions.get(partition)
        return rows.irange(start, stop, inclusive=(True, False)) if rows is not None else iter(())


class MemoryIndex:
    """An `Index` in memory."""

    def __init__(self) -> None:
        self._partitions: dict[str, SortedList] = {}

    def add(self, partition: str, entry: Entry) -> None:
        entries = self._partitions.get(partition)
        if entries is None:
            entries = self._partitions[partition] = SortedList()
        entries.add(entry)

    def discard(self, partition: str, entry: Entry) -> None:
        entries = self._partitions.get(partition)
        if entries is not None:
            entries.discard(entry)

    def drop(self, partition: str) -> None:
        self._partitions.pop(partition, None)

    def descend(self, partition: str, low: Entry, high: Entry) -> Iterator[Entry]:
        entries = self._partitions.get(partition)
        if entries is None:
            return iter(())
        found: Iterator[Entry] = entries.irange(low, high, inclusive=(True, False), reverse=True)
        return found
