"""The default backend: dictionaries in memory, sorted only for whoever asks for an order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from sortedcontainers import SortedList

from cfmock.service.store.base import Entry, Listed

R = TypeVar("R")


class Order:
    """Comparable items in order.

    What is added and removed waits until somebody looks: nearly all calls change, and few ever look. `new` are those to add,
    by what they can be taken out again by; `gone` those of the sorted that are to go.
    """

    __slots__ = ("_sorted", "gone", "new")

    def __init__(self) -> None:
        self.new: dict[Any, Any] = {}
        self.gone: set[Any] = set()
        self._sorted = SortedList()

    def settled(self, new: Iterable[Any]) -> SortedList:
        """All of it, sorted; `new` are the items that `new` stands for."""
        gone, order = self.gone, self._sorted
        if len(gone) * _FEW > len(order):
            self._sorted = order = SortedList(item for item in order if item not in gone)
        else:
            for item in gone:
                order.discard(item)
        gone.clear()
        if self.new:
            order.update(new)
            self.new.clear()
        return order


_FEW = 10  # of more than one item in so many that are gone, those that stay are sorted anew


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
            self._orders[partition].new[key] = None
        rows[key] = row

    def delete(self, partition: str, key: str) -> bool:
        rows = self._rows.get(partition)
        if rows is None or rows.pop(key, None) is None:
            return False
        order = self._orders[partition]
        if order.new.pop(key, order) is order:
            order.gone.add(key)
        return True

    def drop(self, partition: str) -> None:
        self._rows.pop(partition, None)
        self._orders.pop(partition, None)

    def count(self, partition: str) -> int:
        return len(self._rows.get(partition, ()))

    def rows(self, partition: str) -> Iterable[R]:
        return self._rows.get(partition, {}).values()

    def keys(self, partition: str, start: str = "", stop: str | None = None) -> Iterator[str]:
        order = self._orders.get(partition)
        if order is None:
            return iter(())
        found: Iterator[str] = order.settled(order.new).irange(start, stop, inclusive=(True, False))
        return found


class MemoryIndex:
    """An `Index` in memory."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    def add(self, partition: str, row: Listed) -> None:
        order = self._orders.get(partition)
        if order is None:
            order = self._orders[partition] = Order()
        order.new[row.serial] = row

    def discard(self, partition: str, row: Listed) -> None:
        order = self._orders.get(partition)
        if order is not None and order.new.pop(row.serial, None) is None:
            order.gone.update(row.entries)

    def drop(self, partition: str) -> None:
        self._orders.pop(partition, None)

    def descend(self, partition: str, low: Entry, high: Entry) -> Iterator[Entry]:
        order = self._orders.get(partition)
        if order is None:
            return iter(())
        new = (entry for row in order.new.values() for entry in row.entries)
        found: Iterator[Entry] = order.settled(new).irange(low, high, inclusive=(True, False), reverse=True)
        return found
