"""The word that was probably meant, and wrong values as messages show them.

Comparing a word with all known ones costs more than most mistakes are worth, so the work is bounded: for one suggestion, and
with `shared_allowance` for all suggestions of one answer. Where it does not reach, nothing is suggested.
"""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import Any

ALLOWANCE = 60_000
"""Letters that are compared at most, in about a hundredth of a second."""


@dataclass(slots=True)
class _Allowance:
    """What may still be compared."""

    letters: int = ALLOWANCE


_shared: ContextVar[_Allowance | None] = ContextVar("_shared", default=None)


@contextlib.contextmanager
def shared_allowance() -> Iterator[None]:
    """All suggestions made inside have one allowance together, that of what is around it if there is one."""
    token = _shared.set(_shared.get() or _Allowance())
    try:
        yield
    finally:
        _shared.reset(token)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known word, or nothing when none is near."""
    return meant(nearest(word, known))


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The known word that `word` is probably a misspelling of, in whatever case of letters; None if none is near.

    The likeness of two words is twice the letters that they have in common, in the same order, to the letters of both.
    Of many words, those that begin and end like it and are as long are compared first; one suggestion takes a tenth of the
    allowance.
    """
    allowance = _shared.get() or _Allowance()
    if not 0 < len(word) <= _LONGEST_WORD or allowance.letters < _GLANCE:
        return None
    looked_at = list(islice(known, allowance.letters // _GLANCE))
    allowance.letters -= _GLANCE * len(looked_at)
    wanted, size = word.casefold(), len(word)
    folded = {name.casefold(): name for name in looked_at if 3 * size <= 7 * len(name) and 3 * len(name) <= 7 * size}
    candidates: Iterable[str] = folded
    if len(folded) > _FEW:
        head, tail = wanted[:2], wanted[-2:]
        candidates = sorted(
            folded, key=lambda name: 1000 * ((name[:2] != head) + (name[-2:] != tail)) + abs(len(name) - size)
        )
    found = _likeliest(wanted, candidates, likeness, allowance)
    return folded[found] if found is not None else None


def _likeliest(word: str, candidates: Iterable[str], likeness: float, allowance: _Allowance) -> str | None:
    """The first of the candidates that are most like the word, and at least so much."""
    places: dict[str, int] = {}
    for place, letter in enumerate(word):
        places[letter] = places.get(letter, 0) | 1 << place
    best = None
    least = max(0, allowance.letters - ALLOWANCE // 10)
    for name in candidates:
        both = len(word) + len(name)
        if 2 * min(len(word), len(name)) < likeness * both:
            continue
        allowance.letters -= len(name)
        if allowance.letters < least:
            break
        alike = 2 * _in_common(places, len(word), name) / both
        if alike > likeness or (best is None and alike == likeness):
            best, likeness = name, alike
    return best


def _in_common(places: dict[str, int], size: int, name: str) -> int:
    """The length of the longest common subsequence with the word of `size` letters that stand in these places: all of a row of
    the usual table in one number, a bit for each letter (Hyyrö 2004)."""
    row = full = (1 << size) - 1
    for letter in name:
        met = row & places.get(letter, 0)
        row = (row + met | row - met) & full
    return size - row.bit_count()


def meant(near: str | None) -> str:
    """The words for the nearest known word, nothing if none is near."""
    return f" (did you mean '{near}'?)" if near is not None else ""


def shown(value: Any) -> str:
    """A wrong value as a message shows it: as Python writes it, cut to a readable length and depth."""
    return _SHORT.repr(value)


_LONGEST_WORD = 200  # what is longer is no slip of the pen
_GLANCE = 3  # letters that a name counts for before it is compared
_FEW = 200
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 2
