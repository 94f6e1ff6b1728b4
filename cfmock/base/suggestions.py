"""The word that was probably meant, and wrong values as messages show them.

Comparing a word with all known ones costs more than most mistakes are worth, so the work is bounded: for one suggestion, and
with `shared_allowance` for all suggestions of one answer. Where it does not reach, nothing is suggested.
"""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

from msgspec import Struct

ALLOWANCE = 60_000
"""Letters that are compared at most, in about a hundredth of a second."""


class _Allowance(Struct):
    """The number of letters that may still be compared."""

    letters: int = ALLOWANCE


_shared: ContextVar[_Allowance | None] = ContextVar("_shared", default=None)


@contextlib.contextmanager
def shared_allowance() -> Iterator[None]:
    """Let all suggestions made inside share one allowance, that of an outer one if there is one."""
    token = _shared.set(_shared.get() or _Allowance())
    try:
        yield
    finally:
        _shared.reset(token)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the `likely` words; nothing when none is near."""
    return meant(*likely(word, known))


def likely(word: Any, known: Iterable[str]) -> tuple[str, ...]:
    """Return the nearest known word, or two that are equally near; nothing when none is near, or for what is no text."""
    found = _near(word, known) if isinstance(word, str) else []
    return tuple(found if len(found) == 2 else found[:1])


def nearest(word: str, known: Iterable[str], *, likeness: float | None = None) -> str | None:
    """Return the known word that `word` is probably a misspelling of, in any case of letters; None if none is near. Without a
    `likeness` that is 0.6, and a little less for short words."""
    return next(iter(_near(word, known, likeness)), None)


def _near(word: str, known: Iterable[str], likeness: float | None = None) -> list[str]:
    """Return the nearest known words, all that are equally near. The likeness of two is twice the letters they share, in the
    same order, to the letters of both. Of many, those of like ends and length come first; a suggestion takes a tenth of the
    allowance."""
    allowance = _shared.get() or _Allowance()
    if not 0 < len(word) <= _LONGEST_WORD or allowance.letters < _GLANCE:
        return []
    looked_at = list(islice(known, allowance.letters // _GLANCE))
    allowance.letters -= _GLANCE * len(looked_at)
    wanted, size = word.casefold(), len(word)
    folded = {name.casefold(): name for name in looked_at if 3 * size <= 7 * len(name) and 3 * len(name) <= 7 * size}
    candidates: Iterable[str] = folded
    if len(folded) > _FEW:
        head, tail = wanted[:2], wanted[-2:]
        candidates = sorted(folded, key=lambda name: ((name[:2] != head) + (name[-2:] != tail), abs(len(name) - size)))
    if likeness is None:
        likeness = _LIKENESS if size > _SHORT_WORD else _SHORT_LIKENESS
    return [folded[name] for name in _likeliest(wanted, candidates, likeness, allowance)]


def _likeliest(word: str, candidates: Iterable[str], likeness: float, allowance: _Allowance) -> list[str]:
    places: dict[str, int] = {}
    for place, letter in enumerate(word):
        places[letter] = places.get(letter, 0) | 1 << place
    best: list[str] = []
    least = max(0, allowance.letters - ALLOWANCE // 10)
    for name in candidates:
        both = len(word) + len(name)
        if 2 * min(len(word), len(name)) < likeness * both:
            continue
        allowance.letters -= len(name)
        if allowance.letters < least:
            break
        alike = 2 * _in_common(places, len(word), name) / both
        if alike > likeness:
            best, likeness = [name], alike
        elif alike == likeness:
            best.append(name)
    return best


def _in_common(places: dict[str, int], size: int, name: str) -> int:
    """Return the length of the longest common subsequence with the word of `size` letters in these places. A row of the usual
    table is one number, a bit for each letter (Hyyrö 2004)."""
    row = full = (1 << size) - 1
    for letter in name:
        met = row & places.get(letter, 0)
        row = (row + met | row - met) & full
    return size - row.bit_count()


def meant(*near: str | None) -> str:
    """Return the words for the nearest known words, nothing if none is near."""
    words = " or ".join(f"'{each}'" for each in near if each is not None)
    return f" (did you mean {words}?)" if words else ""


def shown(value: Any) -> str:
    """Return a wrong value as a message shows it: as Python writes it, cut to a readable length and depth."""
    return _SHORT.repr(value)


_LONGEST_WORD = 200  # what is longer is no slip of the pen
_GLANCE = 3  # letters that a name counts for before it is compared
_FEW = 200
_SHORT_WORD = 4  # letters up to which one more of them may differ: Paid for Pay
_LIKENESS, _SHORT_LIKENESS = 0.6, 0.55
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 2
