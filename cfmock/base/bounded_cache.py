"""Dictionaries with bounds: on how many values they keep, and on how large these are together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def keep_newest(kept: dict[K, V], key: K, value: V, most: int) -> None:
    """Put a value last in a dictionary; the first goes where there are more than `most`."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


class BoundedCache(Generic[K, V]):
    """Values by key, of which the least recently used go first; one larger than `size` is never kept. Threads may share it: at
    worst a value is made twice, goes too early, or is counted wrong."""

    def __init__(self, *, count: int, size: int) -> None:
        """`count` is the largest number of values kept, `size` the largest sum of their sizes, in the unit that `put` gets."""
        self._count = count
        self._size = size
        self.size = 0
        """The sizes of all kept values together."""
        self._kept: dict[K, tuple[V, int]] = {}  # the least recently used first

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Return the value kept under the key, None if there is none."""
        found = self._kept.pop(key, None)
        if found is None:
            return None
        self._kept[key] = found
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value of this size, and let go of as many others as that takes."""
        self._let_go(key)
        if size > self._size:
            return
        self._kept[key] = value, size
        self.size += size
        while len(self._kept) > self._count or self.size > self._size:
            oldest = next(iter(self._kept), key)
            if oldest == key:
                return
            self._let_go(oldest)

    def _let_go(self, key: K) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.size -= found[1]
