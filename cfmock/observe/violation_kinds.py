"""Violations: what a client sent that the real service would take differently from how it was meant.

Each kind says what was meant and what the real service would do; `violation_kinds.json` is the table, `docs/calls.md` shows it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from cfmock.base.json_text import packaged_json

LONGEST = 1_000
"""Characters of a text about a violation."""


class ViolationKind(Struct, frozen=True):
    """One kind of violation. Texts in `{}` are filled in by what was seen."""

    meant: str
    real: str


@functools.cache
def violation_kinds() -> Mapping[str, ViolationKind]:
    """Return the table by the names of the kinds."""
    return {name: ViolationKind(**row) for name, row in packaged_json(__file__, "violation_kinds.json").items()}


class ViolationNote(NamedTuple):
    """One violation: its kind, what was seen, what was meant, and what the real service would do."""

    kind: str
    message: str
    meant: str
    real: str

    def __str__(self) -> str:
        return f"{self.message}; meant: {self.meant}; the real service: {self.real}"


def violation(kind: str, message: str, **seen: object) -> ViolationNote:
    """Make a violation of a kind of the table, its texts filled in."""
    row = violation_kinds()[kind]
    texts = message, row.meant.format(**seen), row.real.format(**seen)
    return ViolationNote(kind, *(text[:LONGEST] for text in texts))
