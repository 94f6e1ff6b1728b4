"""The default backend: dictionaries in memory, sorted only for whoever asks for an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from sortedcontainers import SortedList

from cfmock.service.store.base import Entry, Listed

R = TypeVar("R")
T = TypeVar("T")


class Order(Generic[T]):
    """Comparable items in order. `items` gives those of what was added.

    What is added waits as it is until somebody looks: nearly all calls add, and few ever look.
    """

    __slots__ = ("_items", "_sorted", "add", "new")

    def __init__(self, items: Callable[[T], Iterable[Any]]) -> None:
        self.new: list[T] = []
        self.add = self.new.append
        self._items = items
        self._sorted = SortedList()

    def settled(self) -> SortedList:
        """All of it, sorted."""
        if self.new:
            self._sorted.update(item for each in self.new for item in self._items(each))
            self.new.clear()
        return self._sorted


def _itself(key: str) -> tuple[str]:
    return (key,)


class MemoryTable(Generic[R]):
    """A `Table` in memory."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, R]] = {}
        self._orders: dict[str, Order[str]] = {}

    def get(self, partition: str, key: str) -> R | None:
        rows = self._rows.get(partition)
        return rows.get(key) if rows is not None else None

    def put(self, partition: str, key: str, row: R) -> None:
        rows = self._rows.get(partition)
        if rows is None:
            rows = self._rows[partition] = {}
            self._orders[partition] = Order(_itself)
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
        self._orders: dict[str, Order[Listed]] = {}

    def add(self, partition: str, row: Listed) -> None:
        order = self._orders.get(partition)
        if order is None:
            order = self._orders[partition] = Order(_entries)
        order.add(row)

    def discard(self, partition: str, row: Listed) -> None:
        order = self._orders.get(partition)
        if order is not None:
            settled = order.settled()
            for entry in row.entries:
                settled.discard(entry)

    def drop(self, partition: str) -> None:
        self._orders.pop(partition, None)

    def descend(self, partition: str, low: Entry, high: Entry) -> Iterator[Entry]:
        order = self._orders.get(partition)
        if order is None:
            return iter(())
        found: Iterator[Entry] = order.settled().irange(low, high, inclusive=(True, False), reverse=True)
        return found


def _entries(row: Listed) -> Iterable[Entry]:
    return row.entries
