"""The default backend: dictionaries in memory, sorted only for whoever asks for an order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from sortedcontainers import SortedList

from cfmock.store.base import Entry

R = TypeVar("R")


class Order:
    """Comparable items in order.

    What is added waits unsorted until somebody looks: nearly all calls add, and few ever look.
    """

    __slots__ = ("_new", "_sorted")

    def __init__(self) -> None:
        self._new: list[Any] = []
        self._sorted = SortedList()

    def add(self, item: Any) -> None:
        self._new.append(item)

    def settled(self) -> SortedList:
        """All of it, sorted."""
        if self._new:
            self._sorted.update(self._new)
            self._new.clear()
        return self._sorted


class MemoryTable(Generic[R]):
    """A `Table` in memory."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, R]] = {}
        self._orders: dict[str, Order] = {}

    def get(self, partition: str, key: str) -> R | None:
        rows = self._rows.get(partition)
        return rows.get(key) if rows is not None else None

    def put(self, partition: str, key: str, row: R) -> None:
        rows = self._rows.get(partition)
        if rows is None:
            rows = self._rows[partition] = {}
            self._orders[partition] = Order()
        if key not in rows:
            self._orders[partition].add(key)
        rows[key] = row

    def delete(self, partition: str, key: str) -> bool:
        rows = self._rows.get(partition)
        if rows is None or rows.pop(key, None) is None:
            return False
        self._orders[partition].settled().remove(key)
        return True

    def drop(self, partition: str) -> None:
        self._rows.pop(partition, None)
        self._orders.pop(partition, None)

    def count(self, partition: str) -> int:
        return len(self._rows.get(partition, ()))

    def keys(self, partition: str, start: str = "", stop: str | None = None) -> Iterator[str]:
        order = self._orders.get(partition)
        if order is None:
            return iter(())
        found: Iterator[str] = order.settled().irange(start, stop, inclusive=(True, False))
        return found


class MemoryIndex:
    """An `Index` in memory."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def add(self, partition: str, entry: Entry) -> None:
        order = self._orders.get(partition)
        if order is None:
            order = self._orders[partition] = Order()
        order.add(entry)

    def discard(self, partition: str, entry: Entry) -> None:
        order = self._orders.get(partition)
        if order is not None:
            order.settled().discard(entry)

    def drop(self, partition: str) -> None:
        self._orders.pop(partition, None)

    def descend(self, partition: str, low: Entry, high: Entry) -> Iterator[Entry]:
        order = self._orders.get(partition)
        if order is None:
            return iter(())
        found: Iterator[Entry] = order.settled().irange(low, high, inclusive=(True, False), reverse=True)
        return found
