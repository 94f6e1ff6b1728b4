"""Shell globs (`*`, `?`, `[abc]`), case-sensitive.

What stands between two stars is looked for once, from left to right, as the first place that fits leaves the most room for the
rest. `fnmatch` does the same, but compares long texts letter by letter, so globs of stars alone are searched for by `str.find`.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Iterable
from heapq import merge
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

MAX_GLOB = 1024
"""Characters of a glob. A longer text is none: it stands for itself."""

Match = Callable[[str], bool]
"""Whether a glob covers the whole of a text."""


def glob_matches(pattern: str, text: str) -> bool:
    """Return whether the glob covers the whole text, or is the text itself."""
    return pattern == "*" or pattern == text or (len(pattern) <= MAX_GLOB and glob(pattern)(text))


def is_glob(text: str) -> bool:
    """Return whether it may cover anything but itself."""
    return "*" in text or "?" in text or "[" in text


_HEAD = re.compile(r"[*?[]")


def ends(pattern: str) -> tuple[str, str] | None:
    """Return the beginning and the end of the texts that a glob of one star and nothing else covers; None for other globs."""
    head, star, tail = pattern.partition("*")
    return (head, tail) if star and not is_glob(head + tail) else None


@functools.lru_cache(maxsize=4096)
def glob(pattern: str) -> Match:
    """Compile a glob of at most `MAX_GLOB` characters."""
    if not is_glob(pattern):
        return pattern.__eq__
    if not is_glob(pattern.replace("*", "")):
        return _with_pieces(*pattern.split("*"))
    match = re.compile(fnmatch.translate(pattern)).match
    return lambda text: match(text) is not None


def _with_pieces(head: str, *rest: str) -> Match:
    *inner, tail = rest
    least = len(head) + len(tail)

    def match(text: str) -> bool:
        if len(text) < least or not text.startswith(head) or not text.endswith(tail):
            return False
        at, end = len(head), len(text) - len(tail)
        for piece in inner:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return match


C = TypeVar("C")


class Named(NamedTuple):
    """What is asked of a name: that it is `name`, or else that it begins with `head`, and maybe more."""

    name: str | None = None
    head: str = ""

    @classmethod
    def of(cls, pattern: str) -> Named:
        """Read what a pattern asks, which stands for itself if it is no glob."""
        return (
            cls(head=_HEAD.split(pattern, maxsplit=1)[0])
            if is_glob(pattern) and len(pattern) <= MAX_GLOB
            else cls(pattern)
        )


ANYTHING = Named()


class Candidates(Generic[C]):
    """Candidates for an execution, or a call, in the order in which they are tried; `asks` says what each asks of the name. Most
    ask for one name, or for names that begin alike: these are found by the name instead of tried one by one."""

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
