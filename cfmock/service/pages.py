"""Pages of rows, as the listings by key answer them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from cfmock.protocol.wire.messages import Fields
from cfmock.service.store.base import Table

R = TypeVar("R")


def rows_from(table: Table[R], partition: str, start: str = "", stop: str | None = None) -> Iterator[R]:
    """The rows of a partition in the order of their keys, from `start` (included) up to `stop` (excluded), lazily."""
    for key in table.keys(partition, start, stop):
        if (row := table.get(partition, key)) is not None:
            yield row


def page(name: str, rows: Iterable[R], limit: int, fields: Callable[[R], Fields], token: Callable[[R], str]) -> Fields:
    """The answer with the first `limit` rows under `name`, and the token of the row to go on from if there are more."""
    found: list[Fields] = []
    answer: Fields = {name: found}
    for row in rows:
        if len(found) == limit:
            answer["NextToken"] = token(row)
            break
        found.append(fields(row))
    return answer
