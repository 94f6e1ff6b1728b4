"""Where rows are kept: two narrow protocols, so that a backend is little code and one test body proves it.

Rows stand in partitions (one world's flows, one flow's executions), which can be dropped whole. Uniqueness, cascades and
page tokens are the service's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

R = TypeVar("R")
Entry = tuple[float | int | str, ...]


class Listed(Protocol):
    """What can be put into an index: it never changes, knows its entries, and no two of an index have one serial."""

    @property
    def serial(self) -> int: ...

    @property
    def entries(self) -> Iterable[Entry]: ...


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


class Index(Protocol):
    """Entries of comparable parts in order inside a partition, for listings that are not by key."""

    def add(self, partition: str, row: Listed) -> None: ...

    def discard(self, partition: str, row: Listed) -> None: ...

    def drop(self, partition: str) -> None: ...

    def descend(self, partition: str, low: Entry, high: Entry) -> Iterator[Entry]:
        """Entries below `high` (excluded) down to `low` (included), lazily. The index must not change meanwhile."""
