"""Pages of lists: how long they are, and where they go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cfmock.base.suggestions import shown
from cfmock.control.part import ControlError

PAGE = 50
"""Entries of a page, unless more or fewer are asked for."""

MAX_PAGE = 1_000
"""Entries of a page."""

P = TypeVar("P")


def read_after(text: str, read: Callable[[str], P]) -> P:
    """Read the place where a page begins, as the page before named it; `read` raises ValueError for what none has named."""
    try:
        return read(text)
    except ValueError:
        raise ControlError(f"after: {shown(text)} is not the `next` of a page") from None
