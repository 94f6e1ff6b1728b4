"""What does not go with replicas is refused at the start, with one line."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from cfmock import CloudFlow
from cfmock.base.errors import SettingsError
from cfmock.fixtures.loader import load
from cfmock.server.composition import compose
from cfmock.server.replicas.session import DatabaseSession
from cfmock.settings import resolve
from tests.support.postgres import Cluster

URL = "postgresql://cfmock@127.0.0.1:1/none"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"clock": "virtual"}, "--clock virtual"),
        ({"tls": True}, "--tls"),
        ({"replica_token": None}, "--replica-token"),
        ({}, "refused"),
        ({"state": "postgresql://host/name?nothing=1"}, "--state: "),
    ],
)
def test_a_setting_that_does_not_go_with_replicas_is_refused(given: dict[str, object], said: str) -> None:
    fixtures = load([])
    settings = resolve({"state": URL, "replica_token": "t"} | given, {}, {})
    with pytest.raises(SettingsError) as error:
        compose(fixtures, settings, None)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


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


def test_a_pooler_is_refused(postgres: Cluster) -> None:
    with pooler(postgres.port) as port, pytest.raises(SettingsError, match="a pooler stands between"):
        DatabaseSession(postgres.url(postgres.database(), port))


@contextmanager
def pooler(target: int) -> Iterator[int]:
    """What looks like a pooler: clients get a number of its own in place of the server process."""

    def pump(source: socket.socket, sink: socket.socket, numbered: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                at = data.find(b"K\0\0\0\x0c") if numbered else -1
                sink.sendall(data if at < 0 else data[: at + 5] + b"\0\0\0\x01" + data[at + 9 :])
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", target)) as server:
                back = threading.Thread(target=pump, args=(server, client, True))
                back.start()
                pump(client, server, False)
                back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(10)
