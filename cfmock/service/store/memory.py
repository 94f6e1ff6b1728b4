"""Storage of rows: dictionaries in memory, with orders beside them that cost next to nothing as long as nobody looks.

Nearly all calls change, and few ever look; but whoever looks must not wait until all that has come meanwhile is sorted. So
what comes in order is put behind the rest, what does not is sorted in small parts, and keys that go are passed over until they
are many.

Rows stand in partitions (one world's flows, one flow's executions), which can be dropped whole. Uniqueness, cascades and page
tokens are the service's business.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Generic, TypeVar

from cfmock.service.rows import ExecutionRow, Place

R = TypeVar("R")

Moment = tuple[float, float]
"""The start of something, in seconds, and its serial: a number that no two rows of an index share."""

PART = 1_000
"""Items that are sorted at one time."""

_LONG = 65_536  # items of a run that is put together with no other
_FEW = 4  # of more than one item in so many that are gone, those that stay are put together


class KeyOrder:
    """Keys in order: sorted runs, each at most about half as long as the one before. `new` are those still to be sorted, `gone`
    those of the runs that are to be passed over."""

    __slots__ = ("_runs", "gone", "new")

    def __init__(self) -> None:
        self.new: dict[str, None] = {}
        self.gone: set[str] = set()
        self._runs: list[list[str]] = []

    def add(self, key: str) -> None:
        if key in self.gone:
            self.gone.discard(key)
            return
        self.new[key] = None
        if len(self.new) >= PART:
            self.settle()

    def discard(self, key: str) -> None:
        new, gone = self.new, self.gone
        if key in new:
            del new[key]
            return
        gone.add(key)
        if len(gone) > PART and len(gone) * _FEW > sum(map(len, self._runs)):
            self._runs = [[each for each in run if each not in gone] for run in self._runs]
            gone.clear()

    def settle(self) -> None:
        """Sort what is new, and put it together with runs that are no longer."""
        run, runs = sorted(self.new), self._runs
        self.new.clear()
        while runs and len(runs[-1]) < 2 * len(run) and len(run) < _LONG:
            run = sorted(runs.pop() + run)  # merges, as each is in order
        runs.append(run)

    def ascend(self, start: str, stop: str | None) -> Iterator[str]:
        if self.new:
            self.settle()
        found = [_between(run, start, stop) for run in self._runs]
        keys = found[0] if len(found) == 1 else heapq.merge(*found)
        return (key for key in keys if key not in self.gone) if self.gone else iter(keys)


def _between(run: list[str], start: str, stop: str | None) -> Iterator[str]:
    for index in range(bisect_left(run, start), len(run)):
        key = run[index]
        if stop is not None and key >= stop:
            return
        yield key


class Table(Generic[R]):
    """Rows by text key, in key order inside a partition. A page costs its length, wherever it begins."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, R]] = {}
        self._orders: dict[str, KeyOrder] = {}

    def get(self, partition: str, key: str) -> R | None:
        rows = self._rows.get(partition)
        return rows.get(key) if rows is not None else None

    def put(self, partition: str, key: str, row: R) -> None:
        rows = self._rows.get(partition)
        if rows is None:
            rows = self._rows[partition] = {}
            self._orders[partition] = KeyOrder()
        if key not in rows:
            self._orders[partition].add(key)
        rows[key] = row

    def delete(self, partition: str, key: str) -> bool:
        rows = self._rows.get(partition)
        if rows is None or rows.pop(key, None) is None:
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
        order = self._orders.get(partition)
        return iter(()) if order is None else order.ascend(start, stop)


_moment = attrgetter("started", "serial")


class TimeOrder:
    """Executions of one place in the order of their moments, in blocks, none of them empty. Most come in order; `late` are those
    that did not, as long as nobody looks. A row that goes is let go of at once: it may hold much."""

    __slots__ = ("_blocks", "_count", "_last", "late")

    def __init__(self) -> None:
        self.late: dict[int, ExecutionRow] = {}
        self._blocks: list[list[ExecutionRow]] = []
        self._count = 0  # in the blocks
        self._last: Moment = (-1.0, 0)  # no later row has been in a block

    def add(self, row: ExecutionRow) -> None:
        started, serial = self._last
        if row.started > started or (row.started == started and row.serial > serial):
            self._last = row.started, row.serial
            if not self._blocks or len(self._blocks[-1]) >= PART:
                self._blocks.append([])
            self._blocks[-1].append(row)
            self._count += 1
            return
        self.late[row.serial] = row
        if len(self.late) >= PART:
            self._settle()

    def discard(self, row: ExecutionRow) -> None:
        if self.late.pop(row.serial, None) is not None:
            return
        blocks, serial = self._blocks, row.serial
        if not blocks:
            return
        # Most that go are the oldest, or among the newest, which have hardly begun.
        at, index = (0, 0) if blocks[0][0].serial == serial else (-1, -1)
        if blocks[at][index].serial != serial:
            moment = _moment(row)
            at = max(0, bisect_right(blocks, moment, key=_first) - 1)
            index = bisect_left(blocks[at], moment, key=_moment)
            if index == len(blocks[at]) or blocks[at][index].serial != serial:
                return
        del blocks[at][index]
        self._count -= 1
        if not blocks[at]:
            del blocks[at]

    def _settle(self) -> None:
        """Put those that came late where they belong."""
        blocks = self._blocks
        self._count += len(self.late)
        for row in self.late.values():
            if not blocks:
                blocks.append([row])
                continue
            at = max(0, bisect_left(blocks, _moment(row), key=_first) - 1)
            block = blocks[at]
            insort(block, row, key=_moment)
            if len(block) > 2 * PART:
                blocks[at : at + 1] = [block[:PART], block[PART:]]
        self.late.clear()

    def descend(self, low: float, high: Moment) -> Iterator[ExecutionRow]:
        if self.late:
            self._settle()
        blocks = self._blocks
        for at in range(bisect_left(blocks, high, key=_first) - 1, -1, -1):
            block = blocks[at]
            for index in range(bisect_left(block, high, key=_moment) - 1, -1, -1):
                row = block[index]
                if row.started < low:
                    return
                yield row

    def __len__(self) -> int:
        return self._count + len(self.late)


def _first(block: list[ExecutionRow]) -> Moment:
    row = block[0]
    return row.started, row.serial


class Index:
    """Executions by place and moment inside a partition, for listings that are not by key."""

    def __init__(self) -> None:
        self._orders: dict[str, dict[Place, TimeOrder]] = {}

    def add(self, partition: str, row: ExecutionRow) -> None:
        orders = self._orders.get(partition)
        if orders is None:
            orders = self._orders[partition] = {}
        for place in row.places:
            order = orders.get(place)
            if order is None:
                order = orders[place] = TimeOrder()
            order.add(row)

    def discard(self, partition: str, row: ExecutionRow) -> None:
        orders = self._orders.get(partition, {})
        for place in row.places:
            if place in orders:
                orders[place].discard(row)

    def drop(self, partition: str) -> None:
        self._orders.pop(partition, None)

    def descend(self, partition: str, place: Place, low: float, high: Moment) -> Iterator[ExecutionRow]:
        """Rows of a place from below `high` (excluded) down to those that started at `low` (included), lazily. The index must
        not change meanwhile."""
        order = self._orders.get(partition, {}).get(place)
        return iter(()) if order is None else order.descend(low, high)

    def count(self, partition: str, place: Place) -> int:
        """Count the rows in a place, without looking at them."""
        order = self._orders.get(partition, {}).get(place)
        return 0 if order is None else len(order)
