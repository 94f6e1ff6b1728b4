"""The word that was probably meant, and wrong values as messages show them."""

from __future__ import annotations

import difflib
import heapq
import reprlib
from collections.abc import Iterable
from typing import Any


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known word, or nothing when none is near."""
    return meant(nearest(word, known))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is probably a misspelling of, in whatever case of letters; None if none is near.

    The work is bounded: of very many known words only those that begin, end and are as long as the word are compared.
    """
    if len(word) > _LONGEST_WORD:
        return None
    wanted, size = word.casefold(), len(word)
    folded = {name.casefold(): name for name in known if 0.4 * size <= len(name) <= 2.5 * size}
    if not folded:
        return None
    most = max(1, _PAIRS // (max(1, size) * max(map(len, folded))))
    candidates: Iterable[str] = folded
    if len(folded) > most:
        head, tail = wanted[:2], wanted[-2:]
        candidates = heapq.nsmallest(
            most, folded, key=lambda name: ((name[:2] != head) + (name[-2:] != tail), abs(len(name) - size))
        )
    found = difflib.get_close_matches(wanted, candidates, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def meant(near: str | None) -> str:
    """The words for the nearest known word, nothing if none is near."""
    return f" (did you mean '{near}'?)" if near is not None else ""


def shown(value: Any) -> str:
    """A wrong value as a message shows it: as Python writes it, cut to a readable length and depth."""
    return _SHORT.repr(value)


_LONGEST_WORD = 200  # comparing grows with the length, and what is longer is no slip of the pen
_PAIRS = 100_000  # pairs of letters that are compared at most, in a few hundredths of a second
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 2
