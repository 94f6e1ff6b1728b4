"""Storage of rows: dictionaries in memory, with orders beside them.

Rows stand in partitions (one world's flows, one flow's executions), which can be dropped whole. Uniqueness, cascades and page
tokens are the service's business.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, takewhile
from operator import attrgetter
from typing import Any, Generic, TypeVar

from cfmock.service.rows import ExecutionRow, Place

R = TypeVar("R")

Moment = tuple[float, float]
"""The start of something, in seconds, and its serial: a number that no two rows of an index share."""

PART = 500
"""Items of a block, of which it may have twice as many."""


class SortedBlocks(Generic[R]):
    """Items in order of their keys, all different, in blocks: to put one in or take one out moves no more than a block."""

    __slots__ = ("_blocks", "_key", "_starts")

    def __init__(self, key: Callable[[R], Any]) -> None:
        """`key` finds the key of an item."""
        self._key = key
        self._blocks: list[list[R]] = [[]]  # none is empty unless it is the only one
        self._starts: list[Any] = []  # of blocks but the first: no key in it is below, and none before it above

    def _find(self, key: Any) -> tuple[int, int]:
        """Find the block, and the place in it, of the first item that is not below a key."""
        at = bisect_right(self._starts, key)
        index = bisect_left(self._blocks[at], key, key=self._key)
        return (at + 1, 0) if index == len(self._blocks[at]) and at < len(self._starts) else (at, index)

    def add(self, item: R) -> None:
        key, at = self._key(item), len(self._starts)
        block = self._blocks[at]
        if not block or self._key(block[-1]) < key:  # most come in order
            block.append(item)
        else:
            at = bisect_right(self._starts, key)
            block = self._blocks[at]
            insort(block, item, key=self._key)
        if len(block) > 2 * PART:
            self._blocks[at : at + 1] = [block[:PART], block[PART:]]
            self._starts.insert(at, self._key(block[PART]))

    def discard(self, key: Any) -> None:
        """Take out the item of this key, if there is one."""
        at, index, block = 0, 0, self._blocks[0]
        if not block or self._key(block[0]) != key:  # mostly the first goes
            at, index = self._find(key)
            block = self._blocks[at]
        if index < len(block) and self._key(block[index]) == key:
            del block[index]
            if not block and self._starts:
                del self._blocks[at], self._starts[max(0, at - 1)]

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    def ascend(self, key: Any) -> Iterator[R]:
        """Items from this key on, lazily. They must not change meanwhile."""
        at, index = self._find(key)
        return chain(self._blocks[at][index:], chain.from_iterable(self._blocks[at + 1 :]))

    def descend(self, key: Any) -> Iterator[R]:
        """Items below this key, the last first, lazily. They must not change meanwhile."""
        at, index = self._find(key)
        block, before = self._blocks[at], map(reversed, reversed(self._blocks[:at]))
        return chain(islice(reversed(block), len(block) - index, None), chain.from_iterable(before))


_NONE: SortedBlocks[Any] = SortedBlocks(str)
_moment = attrgetter("started", "serial")


class Table(Generic[R]):
    """Rows by text key, in key order inside a partition. A page costs its length, wherever it begins."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, dict[str, R]] = defaultdict(dict)
        self._orders: defaultdict[str, SortedBlocks[str]] = defaultdict(lambda: SortedBlocks(str))

    def get(self, partition: str, key: str) -> R | None:
        rows = self._rows.get(partition)
        return rows.get(key) if rows is not None else None

    def put(self, partition: str, key: str, row: R) -> None:
        rows = self._rows[partition]
        if key not in rows:
            self._orders[partition].add(key)
        rows[key] = row

    def delete(self, partition: str, key: str) -> bool:
        if self._rows.get(partition, {}).pop(key, None) is None:
            return False
        self._orders[partition].discard(key)
        return True

    def drop(self, partition: str) -> None:
        """Forget the partition and all its rows."""
        self._rows.pop(partition, None)
        self._orders.pop(partition, None)

    def count(self, partition: str) -> int:
        return len(self._rows.get(partition, ()))

    def rows(self, partition: str) -> Iterable[R]:
        """All rows, in no order. The table must not change meanwhile."""
        return self._rows.get(partition, {}).values()

    def keys(self, partition: str, start: str = "", stop: str | None = None) -> Iterator[str]:
        """Keys from `start` (included) up to `stop` (excluded), ascending, lazily. The table must not change meanwhile."""
        found = self._orders.get(partition, _NONE).ascend(start)
        return found if stop is None else takewhile(lambda key: key < stop, found)


class Index:
    """Executions by place and moment inside a partition, for listings that are not by key."""

    def __init__(self) -> None:
        self._orders: defaultdict[str, dict[Place, SortedBlocks[ExecutionRow]]]  # by partition and place
        self._orders = defaultdict(lambda: defaultdict(lambda: SortedBlocks(_moment)))

    def add(self, partition: str, row: ExecutionRow) -> None:
        orders = self._orders[partition]
        for place in row.places:
            orders[place].add(row)

    def discard(self, partition: str, row: ExecutionRow) -> None:
        orders = self._orders.get(partition, {})
        for place in row.places:
            if place in orders:
                orders[place].discard(_moment(row))

    def drop(self, partition: str) -> None:
        self._orders.pop(partition, None)

    def descend(self, partition: str, place: Place, low: float, high: Moment) -> Iterator[ExecutionRow]:
        """Rows of a place from below `high` (excluded) down to those that started at `low` (included), lazily. The index must
        not change meanwhile."""
        order = self._orders.get(partition, {}).get(place, _NONE)
        return takewhile(lambda row: row.started >= low, order.descend(high))

    def count(self, partition: str, place: Place) -> int:
        """Count the rows in a place, without looking at them."""
        return len(self._orders.get(partition, {}).get(place, _NONE))
