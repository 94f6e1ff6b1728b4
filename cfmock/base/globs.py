"""Shell globs (`*`, `?`, `[abc]`), case-sensitive, matched in time proportional to the text.

A glob is cut at its stars. What stands between two of them is looked for once, from left to right: the first place that fits
leaves the most room for the rest, so nothing is ever tried again. Only `?` and `[abc]` take a regular expression, of a fixed
width, with no repetition in it.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

MAX_GLOB = 1024
"""Characters of a glob. A longer text is none: it stands for itself."""

Match = Callable[[str], bool]
"""Whether a glob covers the whole of a text."""


def glob_matches(pattern: str, text: str) -> bool:
    """Return whether the glob covers the whole text, or is the text itself."""
    return pattern == "*" or pattern == text or (len(pattern) <= MAX_GLOB and glob(pattern)(text))


def is_glob(text: str) -> bool:
    """Return whether it may cover anything but itself."""
    return any(letter in text for letter in "*?[")


def literal_head(pattern: str) -> str:
    """What every text begins with that the glob covers, as far as that is plain."""
    return _HEAD.split(pattern, maxsplit=1)[0]


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
    simple = ends(pattern)
    if simple is not None:
        return _with_ends(*simple)
    first, *rest = _pieces(pattern)
    if not rest:
        return lambda text: len(text) == first.width and first.find(text, 0, first.width) == 0
    *inner, last = rest
    inner = [piece for piece in inner if piece.width]

    def match(text: str) -> bool:
        at, end = first.width, len(text) - last.width
        if at > end or first.find(text, 0, at) != 0 or last.find(text, end, len(text)) != end:
            return False
        for piece in inner:
            at = piece.find(text, at, end)
            if at < 0:
                return False
            at += piece.width
        return True

    return match


def _with_ends(head: str, tail: str) -> Match:
    least = len(head) + len(tail)
    if not tail:
        return lambda text: text.startswith(head)
    return lambda text: len(text) >= least and text.startswith(head) and text.endswith(tail)


class _Piece(NamedTuple):
    """A piece of a glob between two stars: the number of characters it covers, and a search for its first place in a part of a
    text (-1: none)."""

    width: int
    find: Callable[[str, int, int], int]


def _pieces(pattern: str) -> Sequence[_Piece]:
    pieces: list[list[str]] = [[]]
    for token in _tokens(pattern):
        if token == "*":  # noqa: S105
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [_piece(tokens) for tokens in pieces]


def _tokens(pattern: str) -> Iterator[str]:
    """Single characters, and sets with their brackets; one that nothing closes is a character."""
    at = 0
    while at < len(pattern):
        found = _SET.match(pattern, at)
        token = found[0] if found else pattern[at]
        yield token
        at += len(token)


_SET = re.compile(r"\[(?:!|(?!!))(?:\][^]]*|[^]]+)\]")  # a ] that comes first is one of the set


def _piece(tokens: Sequence[str]) -> _Piece:
    text = "".join(tokens)
    if all(len(token) == 1 and token != "?" for token in tokens):  # noqa: S105
        return _Piece(len(text), lambda whole, start, end: whole.find(text, start, end))
    search = re.compile("".join(map(_regex, tokens)), re.DOTALL).search

    def find(whole: str, start: int, end: int) -> int:
        found = search(whole, start, end)
        return found.start() if found is not None else -1

    return _Piece(len(tokens), find)


def _regex(token: str) -> str:
    """Of one character or set: as `fnmatch` has it, without the mark of the end."""
    return fnmatch.translate(token)[:-2]
