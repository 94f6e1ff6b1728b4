"""Statements that change a state file. They stand apart from it, so that a server without state does not load SQLite."""

from __future__ import annotations

from typing import Any

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
