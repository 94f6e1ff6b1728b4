"""What handlers note of a call beside its answer: what nearly matched, and what its author should know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cfmock.base.patterns import NearMiss

MOST = 50
"""Near misses, and warnings, that are kept of one call."""


class Noted(NamedTuple):
    """What was noted of one call."""

    misses: tuple[NearMiss, ...]
    warnings: tuple[str, ...]


class CallDiagnostics:
    """Takes notes while a call is handled; what happens between calls belongs to none, and is not noted.

    `matched`: an outcome or a mock decided how an execution of this call goes.
    """

    __slots__ = ("_misses", "_warnings", "active", "matched")

    def __init__(self) -> None:
        self.active = False
        self.matched = False
        self._misses: list[NearMiss] = []
        self._warnings: list[str] = []

    def begin(self) -> None:
        self.active = True
        self.matched = False

    def end(self) -> Noted | None:
        """Stop; what was noted, None if nothing."""
        self.active = False
        if not (self._misses or self._warnings):
            return None
        noted = Noted(tuple(self._misses[:MOST]), tuple(self._warnings[:MOST]))
        self._misses, self._warnings = [], []
        return noted

    def missed(self, misses: Iterable[NearMiss]) -> None:
        if self.active:
            self._misses += misses

    def warn(self, text: str) -> None:
        if self.active and text not in self._warnings:
            self._warnings.append(text)
