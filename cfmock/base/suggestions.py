"""The word that was probably meant, and wrong values as messages show them."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known word, or nothing when none is near."""
    if len(word) > _LONGEST_WORD:
        return ""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f" (did you mean '{folded[near[0]]}'?)" if near else ""


def shown(value: Any) -> str:
    """A wrong value as a message shows it: as Python writes it, cut to a readable length and depth."""
    return _SHORT.repr(value)


_LONGEST_WORD = 200  # comparing grows with the length, and what is longer is no slip of the pen
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 2
