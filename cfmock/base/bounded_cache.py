"""A cache with a bound on how many values it keeps and on how large they are together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Values by key, the least recently used of which go first. A value larger than `size` is never kept.

    Servers in several threads may share one: each step on the dict is atomic, and the worst that two threads can do to each
    other is to make a value twice, or to let go of one too early.
    """

    def __init__(self, *, count: int, size: int) -> None:
        """`count` is the largest number of values kept, `size` the largest sum of their sizes, in the unit that `put` gets."""
        self._count = count
        self._size = size
        self._kept: dict[K, tuple[V, int]] = {}  # the least recently used first

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """The sizes of all kept values together."""
        return sum(size for _, size in list(self._kept.values()))

    def get(self, key: K) -> V | None:
        """Return the value kept under the key, None if there is none."""
        found = self._kept.pop(key, None)
        if found is None:
            return None
        self._kept[key] = found
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value of this size, and let go of as many others as that takes."""
        self._kept.pop(key, None)
        if size > self._size:
            return
        self._kept[key] = value, size
        kept = list(self._kept.items())
        count, total = len(kept), sum(each for _, (_, each) in kept)
        for old, (_, each) in kept:
            if count <= self._count and total <= self._size:
                return
            self._kept.pop(old, None)
            count, total = count - 1, total - each
