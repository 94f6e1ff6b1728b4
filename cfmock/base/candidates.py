"""Several things of which one is for an execution, or a call: found by the name of the execution instead of tried one by one.

Most of them ask for one execution by its name, or for names that begin alike. The others are tried in any case, and all of
them in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import merge
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from cfmock.base.globs import MAX_GLOB, is_glob, literal_head

C = TypeVar("C")


class Named(NamedTuple):
    """What is asked of a name: that it is `name`, or else that it begins with `head`, and maybe more."""

    name: str | None = None
    head: str = ""

    @classmethod
    def of(cls, pattern: str) -> Named:
        """Read what a pattern asks, which stands for itself if it is no glob."""
        return cls(head=literal_head(pattern)) if is_glob(pattern) and len(pattern) <= MAX_GLOB else cls(pattern)


ANYTHING = Named()


class Candidates(Generic[C]):
    """Candidates in the order in which they are tried; `asks` says what each asks of the name."""

    __slots__ = ("_by_name", "_heads", "_of_any_head", "_unnamed")

    def __init__(self, every: Iterable[C], asks: Callable[[C], Named]) -> None:
        self._by_name: dict[str, list[_Placed[C]]] = {}
        self._unnamed: list[_Placed[C]] = []
        self._of_any_head: list[_Placed[C]] = []
        heads: dict[str, None] = {}
        for placed in enumerate(every):
            name, head = asks(placed[1])
            if name is not None:
                self._by_name.setdefault(name, []).append(placed)
                continue
            self._unnamed.append(placed)
            if head:
                heads[head] = None
            else:
                self._of_any_head.append(placed)
        self._heads = tuple(heads)

    def for_name(self, name: str) -> Iterable[_Placed[C]]:
        """Return those that may be for this name, with their places from 0."""
        # All heads are compared in one go, while a glob takes a call each.
        others = self._unnamed if not self._heads or name.startswith(self._heads) else self._of_any_head
        named = self._by_name.get(name)
        return others if named is None else merge(named, others, key=itemgetter(0)) if others else named


_Placed = tuple[int, C]
