"""Storage of rows: two narrow protocols, so that a backend is little code and one test body proves it.

Rows stand in partitions (one world's flows, one flow's executions), which can be dropped whole. Uniqueness, cascades and
page tokens are the service's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

R = TypeVar("R")
Moment = tuple[float, float]
"""The start of something, in seconds, and its serial: a number that no two rows of an index share."""

Place = tuple[str, str]
"""A part of an index: a group of rows, and their status."""


class Listed(Protocol):
    """A value that an index can hold: it never changes, and knows its places."""

    @property
    def started(self) -> float: ...

    @property
    def serial(self) -> int: ...

    @property
    def places(self) -> Iterable[Place]: ...


L = TypeVar("L", bound=Listed)


class Table(Protocol[R]):
    """Rows by text key, in key order inside a partition. A page costs its length, wherever it begins."""

    def get(self, partition: str, key: str) -> R | None: ...

    def put(self, partition: str, key: str, row: R) -> None: ...

    def delete(self, partition: str, key: str) -> bool: ...

    def drop(self, partition: str) -> None:
        """Forget the partition and all its rows."""

    def count(self, partition: str) -> int: ...

    def rows(self, partition: str) -> Iterable[R]:
        """All rows, in no order. The table must not change meanwhile."""

    def keys(self, partition: str, start: str = "", stop: str | None = None) -> Iterator[str]:
        """Keys from `start` (included) up to `stop` (excluded), ascending, lazily. The table must not change meanwhile."""


class Index(Protocol[L]):
    """Rows by place and moment inside a partition, for listings that are not by key."""

    def add(self, partition: str, row: L) -> None: ...

    def discard(self, partition: str, row: L) -> None: ...

    def drop(self, partition: str) -> None: ...

    def descend(self, partition: str, place: Place, low: float, high: Moment) -> Iterator[L]:
        """Rows of a place from below `high` (excluded) down to those that started at `low` (included), lazily. The index must
        not change meanwhile."""

    def count(self, partition: str, place: Place) -> int:
        """Count the rows in a place, without looking at them."""
