"""Pages of rows: those of the listings by key, and how large any page may be.

Limits of the API count rows, and a row may hold a definition or an input of a mebibyte. So a page ends early, with a token,
where the next row would make it too large (our choice).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from cfmock.base.json_text import json_text
from cfmock.protocol.wire.messages import Fields
from cfmock.service.store.memory import Table

MAX_PAGE_SIZE = 4 * 1024 * 1024
"""Characters of a page's rows, unless it has one row only."""

R = TypeVar("R")


def rows_from(table: Table[R], partition: str, start: str = "", stop: str | None = None) -> Iterator[R]:
    """The rows of a partition in the order of their keys, from `start` (included) up to `stop` (excluded), lazily."""
    for key in table.keys(partition, start, stop):
        if (row := table.get(partition, key)) is not None:
            yield row


def page(name: str, rows: Iterable[R], limit: int, fields: Callable[[R], Fields], token: Callable[[R], str]) -> Fields:
    """The answer with the first `limit` rows under `name`, or as many as a page may hold, and the token of the row to go on
    from if there are more."""
    found: list[Fields] = []
    answer: Fields = {name: found}
    size = 0
    for row in rows:
        item = fields(row) if len(found) < limit else None
        if item is not None:
            size += sum(map(_size, item.values()))
        if item is None or (size > MAX_PAGE_SIZE and found):
            answer["NextToken"] = token(row)
            break
        found.append(item)
    return answer


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json_text(value)) if isinstance(value, (dict, list)) else 0


def fitting(texts: Iterable[str]) -> list[str]:
    """The first of these rows, given as JSON text, that a page may hold: one at least. No more are asked for."""
    found: list[str] = []
    size = 0
    for text in texts:
        size += len(text)
        if size > MAX_PAGE_SIZE and found:
            break
        found.append(text)
    return found
