"""Statements that change what is kept, as SQLite takes them, and what a store of it does. They stand apart from the stores, so
that a server without state loads none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

PUT_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
PUT_ROW = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)"
DELETE_ROW = "DELETE FROM rows WHERE world = ? AND kind = ? AND key = ?"
DELETE_ROWS = "DELETE FROM rows WHERE world = ? AND kind = ? AND key GLOB ?"
PUT_EXECUTION = "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?)"
DELETE_EXECUTION = "DELETE FROM executions WHERE world = ? AND flow = ? AND serial = ?"
DELETE_EXECUTIONS = "DELETE FROM executions WHERE world = ? AND flow = ?"
ADD_ENTRY = "INSERT INTO recordings VALUES (?, ?, ?, ?)"
DELETE_RECORDING = "DELETE FROM recordings WHERE world = ? AND serial = ?"
DELETE_RECORDINGS = (
    "DELETE FROM recordings WHERE world = ? AND serial IN (SELECT serial FROM executions WHERE world = ? AND flow = ?)"
)
DELETE_STATES = (
    "DELETE FROM rows WHERE world = ?1 AND kind = 'state'"
    " AND key NOT IN (SELECT state FROM executions WHERE world = ?1)"
)

Change = tuple[Any, ...]
"""A statement and its values; a callable among them is called for its value when the change is written."""


class StoredRows(Protocol):
    """What a store has of worlds."""

    def rows(self, world: str, kind: str) -> Iterable[tuple[str, str]]:
        """Key and value of each row of a kind."""

    def executions(self, world: str) -> Iterable[tuple[str, int, str, str]]:
        """Flow, serial, state of the flow, and value of each execution, oldest first."""

    def recording(self, world: str, serial: int) -> list[str]:
        """The entries of an execution that goes on, in order."""


class StateStore(StoredRows, Protocol):
    """Where state is kept. `failures` are what writing raises; where it `proves` ownership, an answer that changed nothing waits
    for a batch, too."""

    name: str
    failures: tuple[type[Exception], ...]
    proves: bool

    def meta(self) -> dict[str, str]:
        """Read the values that concern all worlds."""

    def worlds(self) -> list[str]:
        """The worlds to bring back at the start."""

    def write(self, changes: Iterable[Change]) -> None:
        """Make all changes, or none. Raises one of `failures`."""

    def try_to_write(self) -> None:
        """Raises one of `failures` if nothing can be written."""

    def close(self) -> None: ...


def forget_world(world: str) -> list[Change]:
    """The changes that drop a world."""
    statements = (
        "DELETE FROM rows WHERE world = ?",
        "DELETE FROM executions WHERE world = ?",
        "DELETE FROM recordings WHERE world = ?",
    )
    return [(statement, world) for statement in statements]


def forget_all() -> list[Change]:
    """The changes that drop everything."""
    return [("DELETE FROM meta",), ("DELETE FROM rows",), ("DELETE FROM executions",), ("DELETE FROM recordings",)]
