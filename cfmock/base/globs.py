"""Shell globs (`*`, `?`, `[abc]`), case-sensitive.

No glob is tried again and again: in the expressions that `fnmatch` makes, what stands between two stars is looked for once,
from left to right, since the first place that fits leaves the most room for the rest.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable

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
    match = re.compile(fnmatch.translate(pattern)).match
    return lambda text: match(text) is not None


def _with_ends(head: str, tail: str) -> Match:
    least = len(head) + len(tail)
    if not tail:
        return lambda text: text.startswith(head)
    return lambda text: len(text) >= least and text.startswith(head) and text.endswith(tail)
