"""Arguments of the methods that users call."""

from __future__ import annotations

from cfmock.base.errors import ArgumentError, ArgumentTypeError
from cfmock.base.suggestions import shown


def check_whole(name: str, value: object, least: int = 0) -> None:
    """Raises ArgumentTypeError for what is no whole number, ArgumentError for one below `least`. None: not given."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise ArgumentTypeError(f"{name}: {shown(value)} is not a whole number")
    if value < least:
        raise ArgumentError(f"{name}: {value} is less than {least}")


def check_text(name: str, value: object, *, optional: bool = False) -> None:
    """Raises ArgumentTypeError for what is no text; None may stand for an `optional` one that is not given."""
    if not isinstance(value, str) and not (optional and value is None):
        raise ArgumentTypeError(f"{name}: {shown(value)} is not a text")
