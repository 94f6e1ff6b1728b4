"""Treatment of set-ups that nothing used, in a program or a test: an error, a warning, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast, get_args

from cfmock.base.errors import SettingsError
from cfmock.base.printable import printable
from cfmock.base.suggestions import did_you_mean, shown

Unused = Literal["error", "warn", "ignore"]
"""The treatment of set-ups that nothing used."""

UNUSED: tuple[str, ...] = get_args(Unused)


def unused_mode(value: object) -> Unused:
    """The value, if it is one of these. Raises SettingsError."""
    if value not in UNUSED:
        near = did_you_mean(value, UNUSED) if isinstance(value, str) else ""
        raise SettingsError(f"unused: {shown(value)} is not one of {', '.join(UNUSED)}{near}")
    return cast("Unused", value)


def unused_text(lines: Sequence[str]) -> str:
    """All of them, for who must read them."""
    count = f"{len(lines)} set-up{'s' * (len(lines) != 1)}"
    return "\n".join([f"{count} that nothing used", *(f"  {printable(line)}" for line in lines)])
