"""Treatment of set-ups that nothing used, in a program or a test: an error, a warning, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast, get_args

from cfmock.base.errors import InvalidValue, SettingsError
from cfmock.base.readers import one_of
from cfmock.base.short_text import printable
from cfmock.control.control import Control

Unused = Literal["error", "warn", "ignore"]
"""The treatment of set-ups that nothing used."""

UNUSED: tuple[str, ...] = get_args(Unused)


def unused_mode(value: object) -> Unused:
    """Return the value, if it is one of these. Raises SettingsError."""
    try:
        return cast("Unused", one_of(UNUSED)(value))
    except InvalidValue as error:
        raise SettingsError(f"unused: {error}") from None


def judged_setups(control: Control, *, fails: bool) -> str:
    """Warn of set-ups that nothing used. If that is an error (`fails`), the certain ones are returned in words instead."""
    unused = control.setups.unused()
    for line in unused.other if fails else (*unused.certain, *unused.other):
        control.warn(f"nothing used this set-up: {line}")
    return unused_text(unused.certain) if fails and unused.certain else ""


def unused_text(lines: Sequence[str]) -> str:
    """Write all of them, for people."""
    count = f"{len(lines)} set-up{'s' * (len(lines) != 1)}"
    return "\n".join([f"{count} that nothing used", *(f"  {printable(line)}" for line in lines)])
