"""A PostgreSQL of the tests' own: a cluster in a folder, gone at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "postgres"
"""Who runs it where the tests are run by root, which PostgreSQL refuses."""


class Missing(Exception):
    """There is no PostgreSQL on this machine."""


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise Missing("PostgreSQL is not on this machine (Debian: apt-get install postgresql)")
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int) -> bool:
    """Return whether somebody takes connections there."""
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


def not_root() -> dict[str, Any]:
    """What makes a process run as somebody else than root, for `Popen`."""
    return {"user": USER, "group": USER, "extra_groups": []} if os.getuid() == 0 else {}


class Cluster:
    """A running cluster."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid
        self._databases = 0

    def connect(self, database: str = "postgres") -> Any:
        import psycopg

        return psycopg.connect(self.url(database), autocommit=True)

    def url(self, database: str, port: int | None = None) -> str:
        return f"postgresql://cfmock@127.0.0.1:{port or self.port}/{database}"

    def database(self) -> str:
        """Make an empty one; its name."""
        self._databases += 1
        name = f"d{self._databases}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name

    def cpu(self) -> float:
        """Processor time that its processes have used so far, in seconds."""
        told = (path for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == self.pid)
        return sum(int(path.with_name("schedstat").read_text().split()[0]) for path in told) / 1e9


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@contextmanager
def cluster(**settings: object) -> Iterator[Cluster]:
    """A cluster with these settings. Raises Missing, and RuntimeError where it does not start."""
    initdb, server = _program("initdb"), _program("postgres")
    who = not_root()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="cfmock-pg-", ignore_cleanup_errors=True) as folder:
        if who:
            shutil.chown(folder, USER, USER)
        data = f"{folder}/data"
        subprocess.run(
            [initdb, "-D", data, "-A", "trust", "-U", "cfmock", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, cwd=folder, **quiet, **who,
        )  # fmt: skip
        more = {"listen_addresses": "127.0.0.1", "unix_socket_directories": folder, **settings}
        options = [word for name, value in more.items() for word in ("-c", f"{name}={value}")]
        log = Path(folder, "log")
        with log.open("w") as told:
            command = [server, "-D", data, "-p", str(port), *options]
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=told, **who)
        try:
            _until_ready(process, port, log)
            yield Cluster(port, process.pid)
        finally:
            process.send_signal(signal.SIGQUIT)  # at once
            process.wait()


def _until_ready(process: subprocess.Popen[Any], port: int, log: Path) -> None:
    import psycopg

    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            psycopg.connect(f"postgresql://cfmock@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL does not start: {log.read_text()[-500:]}")
