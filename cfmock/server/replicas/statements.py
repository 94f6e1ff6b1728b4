"""What PostgreSQL is told where a state file would get the statements of SQLite. Rows go as one JSON array for each statement: of
all ways to hand over many rows this costs the fewest cycles on both sides (a fifth of `executemany`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from cfmock.service.store import statements as sqlite
from cfmock.service.store.statements import Change

SCHEMA = 1  # the version of the tables; a database with a newer one is refused

TABLES = """
CREATE SCHEMA IF NOT EXISTS cfmock;
CREATE TABLE cfmock.meta (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE cfmock.rows (
  world text COLLATE "C", kind text COLLATE "C", key text COLLATE "C", value text NOT NULL, PRIMARY KEY (world, kind, key)
);
CREATE TABLE cfmock.executions (
  world text COLLATE "C", flow text COLLATE "C", serial bigint, state text NOT NULL, value text NOT NULL,
  PRIMARY KEY (world, flow, serial)
);
CREATE TABLE cfmock.recordings (
  world text COLLATE "C", serial bigint, number integer, entry text NOT NULL, PRIMARY KEY (world, serial, number)
);
CREATE TABLE cfmock.owners (world text COLLATE "C" PRIMARY KEY, address text NOT NULL);
CREATE TABLE cfmock.replicas (address text PRIMARY KEY, pid integer NOT NULL, since timestamptz NOT NULL);
"""

_LOCKS = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32 | objid::bigint) = hashtextextended('cfmock/' || world, 0)"
)
"""The sessions that hold the lock of a `world`."""

FREE = f"SELECT world FROM cfmock.owners WHERE NOT world = ANY(%s) AND NOT EXISTS (SELECT {_LOCKS})"
"""Those that have an owner whose session is gone."""

_NAMED = "SELECT pid, application_name, usename FROM pg_stat_activity WHERE pid ="
HOLDER = f"{_NAMED} (SELECT pid {_LOCKS.replace('world', '%s')} LIMIT 1)"
"""Who holds the lock of one."""


class _Rows(NamedTuple):
    """A statement for many rows, whose first `key` values name a row; 0: many, so that nothing before may come behind it."""

    sql: str
    table: str = ""
    key: int = 0


_FROM = "FROM jsonb_array_elements(%s::jsonb) AS r"


def _put(table: str, columns: str, key: str, update: str = "") -> _Rows:
    """A row that is there already gets the values of `update`; without those it is an error."""
    names = columns.split()
    values = ", ".join(
        f"(r->>{n})::{'bigint' if name in ('serial', 'number') else 'text'}" for n, name in enumerate(names)
    )
    updates = ", ".join(f"{name} = excluded.{name}" for name in update.split())
    again = f" ON CONFLICT ({key}) DO UPDATE SET {updates}" if update else ""
    return _Rows(f"INSERT INTO cfmock.{table} SELECT {values} {_FROM}{again}", table, key.count(",") + 1)


def _delete(table: str, conditions: str, key: int = 0) -> _Rows:
    using = _FROM.replace("FROM", "USING")
    return _Rows(f"DELETE FROM cfmock.{table} AS t {using} WHERE {conditions}", table, key)


_OF_WORLD = "t.world = r->>0"
_OF_FLOW = f"{_OF_WORLD} AND t.flow = r->>1"

STATEMENTS: dict[str, _Rows] = {
    sqlite.PUT_META: _put("meta", "key value", "key", "value"),
    sqlite.PUT_ROW: _put("rows", "world kind key value", "world, kind, key", "value"),
    sqlite.DELETE_ROW: _delete("rows", f"{_OF_WORLD} AND t.kind = r->>1 AND t.key = r->>2", 3),
    sqlite.DELETE_ROWS: _delete("rows", f"{_OF_WORLD} AND t.kind = r->>1 AND starts_with(t.key, rtrim(r->>2, '*'))"),
    sqlite.PUT_EXECUTION: _put("executions", "world flow serial state value", "world, flow, serial", "state value"),
    sqlite.DELETE_EXECUTION: _delete("executions", f"{_OF_FLOW} AND t.serial = (r->>2)::bigint", 3),
    sqlite.DELETE_EXECUTIONS: _delete("executions", _OF_FLOW),
    # One that is there already is of another owner: the batch fails, and this replica owns nothing any more.
    sqlite.ADD_ENTRY: _put("recordings", "world serial number entry", "world, serial, number"),
    # Of an execution that has ended: no batch adds to its recording.
    sqlite.DELETE_RECORDING: _delete("recordings", f"{_OF_WORLD} AND t.serial = (r->>1)::bigint", 2),
    sqlite.DELETE_RECORDINGS: _delete(
        "recordings",
        f"{_OF_WORLD} AND t.serial IN (SELECT serial FROM cfmock.executions WHERE world = r->>1 AND flow = r->>2)",
    ),
    sqlite.DELETE_STATES: _delete(
        "rows",
        f"{_OF_WORLD} AND t.kind = 'state' AND t.key NOT IN (SELECT state FROM cfmock.executions WHERE world = r->>0)",
    ),
    **{
        statement: _delete(table, _OF_WORLD)
        for (statement, _), table in zip(sqlite.forget_world(""), ("rows", "executions", "recordings"), strict=True)
    },
}


class _Group(NamedTuple):
    """Rows of one statement, by key."""

    statement: _Rows
    rows: dict[tuple[Any, ...], list[Any]]


def folded(changes: Iterable[Change]) -> list[tuple[str, str]]:
    """The changes as few statements, each with its rows as JSON. Those about different rows may change places."""
    groups: list[_Group] = []
    latest: dict[str, int] = {}  # the last group of each statement
    touched: dict[tuple[Any, ...], int] = {}  # the last group that says something of a row
    for name, *given in changes:
        statement = STATEMENTS[name]
        values = [value() if callable(value) else value for value in given]
        key = (statement.table, *values[: statement.key])
        index = latest.get(name, -1) if statement.key else -1
        if index < 0 or touched.get(key, index) > index:
            index = len(groups)
            groups.append(_Group(statement, {}))
            if statement.key:
                latest[name] = index
            else:  # all that comes behind it stays there
                latest.clear()
        groups[index].rows[key] = values
        touched[key] = index
    return [(statement.sql, json.dumps(list(rows.values()))) for statement, rows in groups]
