"""What does not go with replicas is refused at the start, with one line."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

import pytest

from cfmock import CloudFlow
from cfmock.base.errors import SettingsError
from cfmock.fixtures.loader import load
from cfmock.server.composition import compose
from cfmock.server.replicas.session import DatabaseSession
from cfmock.settings import resolve
from tests.support.pages import blocks
from tests.support.postgres import Cluster, free_port, listens, not_root
from tests.support.processes import ROOT, serving, system_program
from tests.support.waiting import until

URL = "postgresql://cfmock@127.0.0.1:1/none"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"clock": "virtual"}, "--clock virtual"),
        ({"tls": True}, "--tls"),
        ({"replica_token": None}, "--replica-token"),
        ({}, "refused"),
        ({"state": "postgresql://host/name?nothing=1"}, "--state: "),
        ({"state": "postgresql://u:top secret@host/name"}, "--state: "),
        ({"state": "postgresql://u:top%zzsecret@host/name"}, "--state: "),
        ({"state": "postgresql://u:top@secret@host/name"}, "percent-encoding"),
        ({"state": "postgresql://u:top/secret@host/name"}, "percent-encoding"),
        ({"state": "postgresql://u:topsecret"}, "the port is no number"),
        ({"state": "host=db password=topsecret"}, "a database is postgresql://"),
        ({"state": "PostgreSQL+psycopg://u:topsecret@host/name"}, "a database is postgresql://"),
    ],
)
def test_a_setting_that_does_not_go_with_replicas_is_refused(given: dict[str, object], said: str) -> None:
    fixtures = load([])
    settings = resolve({"state": URL, "replica_token": "t"} | given, {}, {})
    with pytest.raises(SettingsError) as error:
        compose(fixtures, settings, None)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)


def test_a_server_in_a_test_keeps_no_state_in_a_database() -> None:
    with pytest.raises(SettingsError, match="CloudFlow keeps state in a file"), CloudFlow(state=URL):
        pass


def test_a_newer_schema_is_refused_and_left_as_it_is(postgres: Cluster) -> None:
    name = postgres.database()
    DatabaseSession(postgres.url(name)).close()
    with postgres.connect(name) as connection:
        connection.execute("UPDATE cfmock.meta SET value = '99' WHERE key = 'schema'")
    with pytest.raises(SettingsError, match="written by a newer cfmock: its schema is 99"):
        DatabaseSession(postgres.url(name))


def test_a_database_whose_tables_are_locked_is_refused(postgres: Cluster) -> None:
    name = postgres.database()
    with postgres.connect(name) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('cfmock/the tables', 0))")
        with pytest.raises(SettingsError, match=r"session \d+ \(no application_name, user cfmock\) has held the lock"):
            DatabaseSession(postgres.url(name))


def test_a_database_that_is_read_only_is_refused(postgres: Cluster) -> None:
    name = postgres.database()
    with postgres.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(SettingsError, match="is read-only"):
        DatabaseSession(postgres.url(name))


def test_who_joins_takes_out_replicas_that_are_gone(postgres: Cluster) -> None:
    url = postgres.url(name := postgres.database())
    one, two = DatabaseSession(url), DatabaseSession(url)
    with postgres.connect(name) as connection:
        connection.execute("INSERT INTO cfmock.replicas VALUES ('gone:1', 0, now())")
        for session, address in ((one, "one:1"), (two, "two:2")):
            session.address = address
            session.join()
        found = connection.execute("SELECT address FROM cfmock.replicas ORDER BY address").fetchall()
    assert found == [("one:1",), ("two:2",)]
    one.close()
    two.close()


def test_another_token_is_refused_while_replicas_run(postgres: Cluster) -> None:
    url = postgres.url(postgres.database())
    one, two = DatabaseSession(url, "one"), DatabaseSession(url, "one")
    with pytest.raises(SettingsError, match="in use by replicas with another --replica-token"):
        DatabaseSession(url, "two")
    one.close()
    two.close()

    def other() -> bool:
        with contextlib.suppress(SettingsError):
            DatabaseSession(url, "two").close()
            return True
        return False

    until(other)


def test_replicas_start_as_the_guide_shows(postgres: Cluster, tmp_path: Path) -> None:
    """The command in docs/replicas.md, twice."""
    (tmp_path / "echo.yaml").write_text('{"cfmock": 1, "flows": [{"name": "echo"}]}', encoding="utf-8")
    (block,) = (
        each for each in blocks((ROOT / "docs/replicas.md").read_text(encoding="utf-8")) if each.language == "sh"
    )
    given = {
        "fixtures/": str(tmp_path),
        "postgresql://cfmock:secret@db.internal/cfmock": postgres.url(postgres.database()),
    }
    _, _, *words = (given.pop(word, word) for word in shlex.split(block.text.replace("\\\n", "")))
    assert not given
    with serving(*words) as one, serving(*words) as two:
        for each in (one, two):
            request = Request(f"{each.url}/_cfmock/flows", headers={"authorization": "Bearer team-token"})
            assert [flow["name"] for flow in json.load(urlopen(request, timeout=30))["flows"]] == ["echo"]
        for each in (one, two):
            assert each.stop()[0] == 0


BOUNCER = """\
[databases]
* = host=127.0.0.1 port={target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
{more}
"""


@contextmanager
def bouncer(target: int, mode: str, more: str) -> Iterator[int]:
    """A PgBouncer in front of a PostgreSQL."""
    port = free_port()
    with TemporaryDirectory() as folder:
        Path(folder, "users").write_text('"cfmock" ""', encoding="utf-8")
        config = Path(folder, "ini")
        config.write_text(
            BOUNCER.format(target=target, port=port, folder=folder, mode=mode, more=more), encoding="utf-8"
        )
        Path(folder).chmod(0o755)
        process = subprocess.Popen(
            [str(system_program("pgbouncer")), "-q", str(config)], stderr=subprocess.DEVNULL, **not_root()
        )
        try:
            until(lambda: listens(port))
            yield port
        finally:
            process.terminate()
            process.wait()


@pytest.mark.skipif(
    system_program("pgbouncer") is None,
    reason="PgBouncer is not on this machine (Debian: apt-get install pgbouncer)",
)
@pytest.mark.parametrize(
    ("mode", "more"), [("transaction", ""), ("session", ""), ("transaction", "ignore_startup_parameters = options")]
)
def test_a_pooler_is_refused(postgres: Cluster, mode: str, more: str) -> None:
    with bouncer(postgres.port, mode, more) as port, pytest.raises(SettingsError, match="a pooler stands between"):
        DatabaseSession(postgres.url("postgres", port))
