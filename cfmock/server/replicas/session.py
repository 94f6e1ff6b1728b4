"""The session of one replica in PostgreSQL. It holds the locks of the worlds that the replica owns, and writes their changes: a
batch that it has written proves that they were its own. The database ends a session that it does not hear of for `SILENCE`, so
that a replica that is paused, or cut off, holds no lock; and nobody else gets one before all that the session wrote is there.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import psycopg
from psycopg import conninfo

from cfmock.base.errors import SettingsError
from cfmock.emulator.kept_state import ADDED
from cfmock.observe.journal import WorldKey
from cfmock.server.replicas.statements import FREE, HOLDER, SCHEMA, TABLES, folded
from cfmock.service.store.statements import Change

log = logging.getLogger("cfmock")

SILENCE = 1.5
"""Seconds after which the database ends the session of a replica that it does not hear of."""

BEAT = 0.4  # seconds between two signs of life
LONGEST = 3.0  # seconds that the database may take for one thing, after which it counts as lost

OLDEST = 14
"""The oldest PostgreSQL with which this goes: the first that ends idle sessions."""

POOLER = "a pooler stands between, in which locks do not stay with a session: name PostgreSQL itself"

REFUSALS = {
    "unsupported startup parameter": POOLER,  # of PgBouncer
    "session is read-only": "is read-only (a standby, or default_transaction_read_only is on), and replicas write to it",
}
"""What is said where the error of a connection has these words."""

CHANNEL = "cfmock_owners"

NAME = "cfmock"  # by which the database knows the sessions of replicas

TABLES_LOCK = "the tables"

_KEY = "hashtextextended('cfmock/' || %s, 0)"
_MILLISECONDS = round(SILENCE * 1000)
_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in (
        ("idle_session_timeout", _MILLISECONDS),
        ("idle_in_transaction_session_timeout", _MILLISECONDS),
        ("tcp_user_timeout", _MILLISECONDS),
        ("default_transaction_isolation", r"read\ committed"),
    )
)


class WorldRows(NamedTuple):
    """What the database had of one world when it was taken."""

    kinds: dict[str, list[tuple[str, str]]]
    all_executions: list[tuple[str, int, str, str]]
    entries: dict[int, list[str]]

    def rows(self, world: str, kind: str) -> Iterable[tuple[str, str]]:
        """Key and value of each row of a kind."""
        return self.kinds.get(kind, ())

    def executions(self, world: str) -> Iterable[tuple[str, int, str, str]]:
        """Flow, serial, state of the flow, and value of each execution, oldest first."""
        return self.all_executions

    def recording(self, world: str, serial: int) -> list[str]:
        """The entries of an execution that goes on, in order."""
        return self.entries.get(serial, [])


class DatabaseSession:
    """A session, which begins again after a loss. Its methods block; one thread at a time has it."""

    failures: tuple[type[Exception], ...] = (psycopg.Error, OSError)
    proves = True

    def __init__(self, url: str, token: str | None = None) -> None:
        """Connect, and make the tables; `token` is what replicas share. Raises SettingsError, naming the database, where that
        cannot be, for one that is too old or of a newer version, and where a pooler stands between."""
        self.url = url
        user, _, _ = url.partition("://")[2].rpartition("@")
        if re.search("[@/]", user):  # what is behind the first one would be taken for the host, or the name
            raise SettingsError("--state: write @ in a user name or password as %40, and / as %2F (percent-encoding)")
        try:
            given = conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            words = re.sub('".*"', "a value of it", _line(error))  # which could be its password
            raise SettingsError(f"--state: {words}") from None
        if not re.fullmatch("[0-9,]*", str(given.get("port") or "")):  # it can be a password without a host
            raise SettingsError(
                "--state: the port is no number; a database is postgresql://USER:PASSWORD@HOST:PORT/NAME"
            )
        self.name = f"database {given.get('dbname', '')} at {given.get('host', 'the socket')}".replace("  ", " ")
        self.address = ""
        """Where other replicas reach this one; empty until it is known."""
        self.on_owner: Callable[[WorldKey, str], object] = lambda world, address: None
        """Told, in any thread, who owns a world."""
        self._meta: dict[str, str] = {}
        self._common: dict[str, list[tuple[str, str]]] = {}
        self._one = threading.RLock()
        self._stopped = threading.Event()
        try:
            self._connection = self._connect()
            with contextlib.ExitStack() as undo:
                undo.callback(self._connection.close)
                self._check()
                self._make()
                if token is not None:
                    self._share(token)
                undo.pop_all()
        except psycopg.Error as error:
            words = next((known for told, known in REFUSALS.items() if told in str(error)), _line(error))
            raise SettingsError(f"{self.name}: {words}") from None
        threading.Thread(target=self._beat, daemon=True, name="cfmock-session").start()

    def _connect(self) -> psycopg.Connection[Any]:
        given = conninfo.conninfo_to_dict(self.url)
        given["target_session_attrs"] = "read-write"
        options = f"{given.pop('options', '') or ''} {_OPTIONS}".strip()
        more: dict[str, Any] = {
            "connect_timeout": 5, "application_name": NAME, "keepalives_idle": 1, "keepalives_interval": 1,
            "keepalives_count": 3, "tcp_user_timeout": round(LONGEST * 1000),
        }  # fmt: skip
        connection = psycopg.connect(**{**more, **given, "options": options}, autocommit=True)
        connection.add_notify_handler(self._heard)
        return connection

    def _check(self) -> None:
        connection = self._connection
        version = connection.info.server_version // 10000
        if version < OLDEST:
            raise SettingsError(f"{self.name}: is PostgreSQL {version}, and {OLDEST} or later is needed")
        (pid,) = self._row("SELECT pg_backend_pid()")
        if pid != connection.info.backend_pid:
            raise SettingsError(f"{self.name}: {POOLER}")

    def _make(self) -> None:
        with self._locked():
            (found,) = self._row("SELECT to_regclass('cfmock.meta') IS NOT NULL")
            if not found:
                self._connection.execute(TABLES)
                rows = [("schema", str(SCHEMA)), ("key", secrets.token_hex(32))]
                self._connection.cursor().executemany("INSERT INTO cfmock.meta VALUES (%s, %s)", rows)
        self.read_common()
        schema = self._meta.get("schema", "0")
        if not schema.isdecimal() or int(schema) > SCHEMA:
            text = f"was written by a newer cfmock: its schema is {schema}, this one knows {SCHEMA}"
            raise SettingsError(f"{self.name}: {text}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One transaction, which one replica at a time has. Raises SettingsError where another session keeps it waiting."""
        try:
            with self._one, self._connection.transaction():
                self._connection.execute(f"SET LOCAL lock_timeout = '{LONGEST}s'")
                self._connection.execute(f"SELECT pg_advisory_xact_lock({_KEY})", [TABLES_LOCK])
                yield
        except psycopg.errors.LockNotAvailable:
            what = f"has held the lock of cfmock's tables for {LONGEST:g} seconds: end it, or try again"
            raise SettingsError(f"{self.name}: {self._holder(TABLES_LOCK) or 'another session'} {what}") from None

    def holder(self, world: WorldKey) -> str:
        """The session that holds the lock of a world, in words; empty where none does."""
        with self._one:
            return self._holder(_text(world))

    def _holder(self, key: str) -> str:
        found = self._connection.execute(HOLDER, [key]).fetchone()
        return f"session {found[0]} ({found[1] or 'no application_name'}, user {found[2]})" if found else ""

    def _share(self, token: str) -> None:
        """Note the token that replicas share. Raises SettingsError where others use another one: calls would go in circles."""
        mark = hmac.new(self._meta["key"].encode(), token.encode(), "sha256").hexdigest()
        with self._locked():
            (others,) = self._row(
                "SELECT EXISTS (SELECT FROM cfmock.meta WHERE key = 'token' AND value <> %s) AND EXISTS (SELECT FROM"
                " pg_stat_activity WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid())",
                [mark, NAME],
            )
            if others:
                raise SettingsError(f"{self.name}: is in use by replicas with another --replica-token")
            put = "INSERT INTO cfmock.meta VALUES ('token', %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            self._connection.execute(put, [mark])

    def _row(self, statement: str, values: Iterable[Any] = ()) -> tuple[Any, ...]:
        found: tuple[Any, ...] | None = self._connection.execute(statement, list(values)).fetchone()
        assert found is not None
        return found

    # -- signs of life

    def _beat(self) -> None:
        """A thread of its own, so that a loop which is busy for long loses nothing."""
        while not self._stopped.wait(BEAT):
            with self._one, contextlib.suppress(*self.failures):
                self._connection.execute("SELECT 1", prepare=True)

    def cut(self) -> None:
        """End the connection under whoever waits for the database."""
        with contextlib.suppress(*self.failures), socket.socket(fileno=os.dup(self._connection.fileno())) as own:
            own.shutdown(socket.SHUT_RDWR)

    def _heard(self, notify: psycopg.Notify) -> None:
        account, region, address = json.loads(notify.payload)
        self.on_owner((account, region), address)

    # -- what a store does

    def meta(self) -> dict[str, str]:
        """The values that concern all worlds, as they were when the session began."""
        return self._meta

    def worlds(self) -> list[str]:
        """None: they come when they are taken."""
        return []

    def rows(self, world: str, kind: str) -> Iterable[tuple[str, str]]:
        """What is of all worlds, as it was read last: rows of a world come with it."""
        return self._common.get(kind, ()) if not world else ()

    def read_common(self) -> Iterable[tuple[str, str]]:
        """Read what has been added to all worlds."""
        with self._one:
            self._meta = dict(self._connection.execute("SELECT key, value FROM cfmock.meta").fetchall())
            self._common = {}
            for kind, key, value in self._all("SELECT kind, key, value FROM cfmock.rows WHERE world = %s", ""):
                self._common.setdefault(kind, []).append((key, value))
            return self._common.get(ADDED, ())

    def executions(self, world: str) -> Iterable[tuple[str, int, str, str]]:
        """None: they come with their world."""
        return ()

    def recording(self, world: str, serial: int) -> list[str]:
        """None, likewise."""
        return []

    def write(self, changes: Iterable[Change]) -> None:
        """Make all changes, or none. Raises one of `failures`, also where the session has ended."""
        statements = folded(changes)
        with self._one:
            self._tell("; ".join(sql for sql, _ in statements) or "SELECT 1", [rows for _, rows in statements])

    def _tell(self, statements: str, values: list[str]) -> None:
        """Send statements as one message, which is one transaction. In the midst of several messages, as with prepared statements
        or a pipeline, the database would wait for the next for ever, however long its client is silent."""
        psycopg.ClientCursor(self._connection).execute(statements, values)

    def try_to_write(self) -> None:
        """Begin another session. Raises one of `failures`."""
        with self._one:
            self._connection.close()
            self._connection = self._connect()
            if self.address:
                self.join()
            self.read_common()  # what is added from here on, this replica is told of

    def close(self) -> None:
        """End the session, and with it own nothing any more."""
        self._stopped.set()
        with self._one:
            with contextlib.suppress(*self.failures):
                self._connection.execute("DELETE FROM cfmock.replicas WHERE pid = pg_backend_pid()")
            self._connection.close()

    # -- replicas and their worlds

    @property
    def local_host(self) -> str:
        """The address of this machine from which the database is reached."""
        with contextlib.suppress(*self.failures), socket.socket(fileno=os.dup(self._connection.fileno())) as own:
            if own.family in (socket.AF_INET, socket.AF_INET6):
                return str(own.getsockname()[0])
        return "127.0.0.1"

    def join(self) -> None:
        """Let others know the address of this replica, and hear from them."""
        with self._one:
            self._connection.execute(f"LISTEN {CHANNEL}")
            self._tell(  # one at a time: none takes out what another puts in
                "SET LOCAL lock_timeout = %s; LOCK TABLE cfmock.replicas IN SHARE ROW EXCLUSIVE MODE;"
                " DELETE FROM cfmock.replicas AS r WHERE NOT EXISTS"
                " (SELECT FROM pg_stat_activity AS a WHERE a.pid = r.pid AND a.backend_start = r.since);"
                " INSERT INTO cfmock.replicas SELECT %s, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
                " ON CONFLICT (address) DO UPDATE SET pid = excluded.pid, since = excluded.since",
                [f"{LONGEST}s", self.address],
            )

    def peers(self) -> list[str]:
        """The addresses of the other replicas whose sessions live."""
        with self._one:
            found = self._connection.execute(
                "SELECT address FROM cfmock.replicas AS r JOIN pg_stat_activity AS a"
                " ON a.pid = r.pid AND a.backend_start = r.since WHERE address <> %s ORDER BY address",
                [self.address],
            )
            return [address for (address,) in found]

    def take(self, world: WorldKey) -> WorldRows | str:
        """What there is of a world that this replica owns from here on; the address of its owner if that is another one, empty
        where it is not known: a session that this replica has lost holds its locks until the database ends it."""
        key = _text(world)
        with self._one:
            (taken,) = self._row(f"SELECT pg_try_advisory_lock({_KEY})", [key])
            if not taken:
                found = self._connection.execute("SELECT address FROM cfmock.owners WHERE world = %s", [key]).fetchone()
                return str(found[0]) if found is not None and found[0] != self.address else ""
            self._tell(
                "INSERT INTO cfmock.owners VALUES (%s, %s) ON CONFLICT (world) DO UPDATE SET address = excluded.address;"
                " SELECT pg_notify(%s, %s)",
                [key, self.address, CHANNEL, json.dumps([*world, self.address])],
            )
            return self._read(key)

    def free_worlds(self, owned: Iterable[WorldKey]) -> list[WorldKey]:
        """The worlds whose owner is gone, as it seems."""
        with self._one:
            found = self._connection.execute(FREE, [[_text(world) for world in owned]], prepare=True)
            return [_key(world) for (world,) in found]

    def _read(self, key: str) -> WorldRows:
        kinds: dict[str, list[tuple[str, str]]] = {}
        for kind, name, value in self._all("SELECT kind, key, value FROM cfmock.rows WHERE world = %s", key):
            kinds.setdefault(kind, []).append((name, value))
        entries: dict[int, list[str]] = {}
        order = "SELECT serial, entry FROM cfmock.recordings WHERE world = %s ORDER BY serial, number"
        executions = "SELECT flow, serial, state, value FROM cfmock.executions WHERE world = %s ORDER BY serial"
        for serial, entry in self._all(order, key):
            entries.setdefault(serial, []).append(entry)
        return WorldRows(kinds, list(self._all(executions, key)), entries)

    def _all(self, statement: str, key: str) -> Iterator[Any]:
        return iter(self._connection.execute(statement, [key]))


def _text(world: WorldKey) -> str:
    return "/".join(world)


def _key(text: str) -> WorldKey:
    account, _, region = text.rpartition("/")
    return account, region


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
