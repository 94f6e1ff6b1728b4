"""The file in which state outlives the process: SQLite, one writer, rows of JSON.

`FILE` holds the meta data, `rows` by world, kind and key, executions, and for each execution that goes on the entries of its
recording. A batch of changes is one transaction: after any death of the process the file holds whole batches only.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cfmock.base.errors import SettingsError
from cfmock.service.store.statements import PUT_META, Change, StateStore

if sys.platform != "win32":
    import fcntl

SCHEMA = 1
"""The version of the tables; a file of a newer one is refused."""

_APPLICATION = 0x63664D6B  # in the header of our SQLite files: cfMk
_DATABASE = re.compile(
    r"\w[\w+.-]*://|(.*\s)?(host|hostaddr|port|dbname|user|password|passfile|service|sslmode)\s*=", re.DOTALL
)
"""How the address of a database begins, which is no name of a file: a URL, or the pairs of libpq, such as `host=...`."""

_HEADER = b"SQLite format 3\0"
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows (world TEXT, kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (world, kind, key)) WITHOUT ROWID;
CREATE TABLE executions (
  world TEXT, flow TEXT, serial INTEGER, state TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (world, flow, serial)
) WITHOUT ROWID;
CREATE TABLE recordings (
  world TEXT, serial INTEGER, number INTEGER, entry TEXT NOT NULL, PRIMARY KEY (world, serial, number)
) WITHOUT ROWID;
"""


class StateFile(StateStore):
    """An open file. `read_only`: of a server that may be running meanwhile."""

    failures: tuple[type[Exception], ...] = (sqlite3.Error,)
    proves = False

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        """Open a file, or make it. Raises SettingsError, naming the file, for a foreign, damaged or newer one, one that another
        process holds, and where it cannot be read or made; it is then as it was."""
        if _DATABASE.match(os.fspath(path)):  # it is not repeated: it can have a password
            raise SettingsError(
                "state: this is no file; a database is postgresql://..., and only `cfmock serve` takes one"
            )
        self.path = Path(path)
        self.name = f"state file {self.path}"
        self._lock: int | None = None
        new = self._check_place(read_only=read_only)
        try:
            if not read_only:
                self._take_lock()
            self._database = self._open(read_only=read_only)
            if new:
                self._make()
            if not read_only:
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = NORMAL")
            (found,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise self._refused(f"is damaged: {' '.join(found.split())}")
            self._database.execute("SELECT value FROM meta WHERE key = ''").fetchone()
        except sqlite3.DatabaseError as error:
            self.close()
            raise self._refused(_why(error)) from None
        except SettingsError:
            self.close()
            raise

    def _check_place(self, *, read_only: bool) -> bool:
        """Return whether the file is still to be made."""
        path = self.path
        if not path.parent.is_dir():
            raise self._refused(f"there is no folder {path.parent}")
        if path.is_dir():
            raise self._refused("is a folder")
        try:
            with path.open("rb") as file:
                header = file.read(100)
        except FileNotFoundError:
            if read_only:
                raise self._refused("there is no such file") from None
            if not os.access(path.parent, os.W_OK | os.X_OK):
                raise self._refused("the folder may not be written to") from None
            return True
        except OSError as error:
            raise self._refused(f"cannot be read: {os.strerror(error.errno or 0)}") from None
        if not read_only and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
            raise self._refused("may not be written to, or its folder may not")
        if not header and not read_only:
            return True
        if not header.startswith(_HEADER) or len(header) < 100:
            raise self._refused("is not a state file of cfmock")
        version, application = struct.unpack(">I4xI", header[60:72])
        if application != _APPLICATION:
            raise self._refused("is not a state file of cfmock")
        if version > SCHEMA:
            raise self._refused(f"was written by a newer cfmock: its schema is {version}, this one knows {SCHEMA}")
        return False

    def _take_lock(self) -> None:
        if sys.platform == "win32":  # SQLite's own locks have to do
            return
        # One that SQLite knows nothing of, and that readers need not take.
        self._lock = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise self._refused("another process holds it") from None

    def _open(self, *, read_only: bool) -> sqlite3.Connection:
        if read_only:
            return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        path = self.path.absolute()  # a name that begins with "file:" would be a URI
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)

    def _make(self) -> None:
        self._database.executescript(
            f"BEGIN; PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {SCHEMA}; {_TABLES} COMMIT;"
        )

    def _refused(self, why: str) -> SettingsError:
        return SettingsError(f"{self.name}: {why}")

    def try_to_write(self) -> None:
        self.write([(PUT_META, "tried", os.urandom(8).hex() * 256), ("DELETE FROM meta WHERE key = 'tried'",)])

    def write(self, changes: Iterable[Change]) -> None:
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement, *values in changes:
                database.execute(statement, [value() if callable(value) else value for value in values])
            database.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise

    def meta(self) -> dict[str, str]:
        return dict(self._database.execute("SELECT key, value FROM meta"))

    def worlds(self) -> list[str]:
        union = "SELECT world FROM rows UNION SELECT world FROM executions"
        return [world for (world,) in self._database.execute(f"{union} ORDER BY world")]

    def rows(self, world: str, kind: str) -> Iterator[tuple[str, str]]:
        return self._database.execute("SELECT key, value FROM rows WHERE world = ? AND kind = ?", (world, kind))

    def executions(self, world: str) -> Iterator[tuple[str, int, str, str]]:
        order = "SELECT flow, serial, state, value FROM executions WHERE world = ? ORDER BY serial"
        return self._database.execute(order, (world,))

    def recording(self, world: str, serial: int) -> list[str]:
        order = "SELECT entry FROM recordings WHERE world = ? AND serial = ? ORDER BY number"
        return [entry for (entry,) in self._database.execute(order, (world, serial))]

    def count(self, world: str, kind: str) -> int:
        """Count the rows of a kind; `executions` and `recordings` count theirs."""
        if kind == "executions":
            return self._number("SELECT count(*) FROM executions WHERE world = ?", world)
        if kind == "recordings":
            return self._number("SELECT count(DISTINCT serial) FROM recordings WHERE world = ?", world)
        return self._number("SELECT count(*) FROM rows WHERE world = ? AND kind = ?", world, kind)

    def version(self) -> int:
        """Return the version of the tables."""
        return self._number("PRAGMA user_version")

    def _number(self, statement: str, *values: str) -> int:
        (number,) = self._database.execute(statement, values).fetchone()
        return int(number)

    def size(self) -> int:
        """Bytes of the file, with what has not been moved into it yet."""
        files = [self.path, self.path.with_name(self.path.name + "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def close(self) -> None:
        database: sqlite3.Connection | None = getattr(self, "_database", None)
        if database is not None:
            database.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _why(error: sqlite3.DatabaseError) -> str:
    text = str(error)
    return "another process holds it" if "locked" in text else f"is damaged: {text}"
