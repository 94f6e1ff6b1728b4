"""Diagnostics of a call that handlers note beside its answer: near misses and warnings."""

from __future__ import annotations

from sys import getsizeof

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.near_misses import Unmatched
from cfmock.base.patterns import NearMiss

MOST = 50
"""Near misses, and warnings, that are kept of one call."""

_UNMATCHED = 400  # bytes of an `Unmatched` beside its input

LONGEST = 1_000
"""Characters of a warning."""


class Noted(Struct, frozen=True):
    """The notes of one call: the starts and tasks that nothing matched, and warnings.

    `matched`: an outcome or a mock decided how an execution of this call goes.
    """

    unmatched: tuple[Unmatched, ...] = ()
    warnings: tuple[str, ...] = ()
    matched: bool = False

    @property
    def size(self) -> int:
        """About how many bytes are kept to explain why nothing matched, and to warn."""
        return sum(_UNMATCHED + getsizeof(each.input) for each in self.unmatched) + sum(map(getsizeof, self.warnings))

    def to_keep(self) -> Noted:
        """Return the notes without what can be worked out again."""
        return replace(self, unmatched=tuple([each.to_keep() for each in self.unmatched]))

    def near_misses(self) -> list[NearMiss]:
        """Work out the near misses, in the order in which they were met."""
        found: list[NearMiss] = []
        for each in self.unmatched:
            found += each.near_misses()
            if len(found) >= MOST:
                break
        return found[:MOST]


_NOTHING = Noted()
_MATCHED = Noted(matched=True)


class CallDiagnostics:
    """Takes notes of the call that is handled; between calls it notes nothing. `matched` is as in `Noted`."""

    __slots__ = ("_unmatched", "_warnings", "active", "matched")

    def __init__(self) -> None:
        self.active = False
        self.matched = False
        self._unmatched: list[Unmatched] = []
        self._warnings: list[str] = []

    def begin(self) -> None:
        """Take notes of the call that begins now."""
        self.active = True
        self.matched = False

    def end(self) -> Noted:
        """Stop, and return what was noted."""
        self.active = False
        if not (self._unmatched or self._warnings):
            return _MATCHED if self.matched else _NOTHING
        noted = Noted(tuple(self._unmatched), tuple(self._warnings), self.matched)
        self._unmatched, self._warnings = [], []
        return noted

    @property
    def explains(self) -> bool:
        """Return whether there is room for one more start or task that nothing matched."""
        return self.active and len(self._unmatched) < MOST

    def missed(self, unmatched: Unmatched | None) -> None:
        """Note a start or task that nothing matched."""
        if unmatched is not None and self.explains:
            self._unmatched.append(unmatched)

    def warn(self, text: str) -> None:
        """Note a warning, each text once."""
        text = text[:LONGEST]
        if self.active and len(self._warnings) < MOST and text not in self._warnings:
            self._warnings.append(text)
