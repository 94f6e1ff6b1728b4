"""What is written to PostgreSQL is what a state file would hold, however a batch is folded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfmock.server.replicas.session import DatabaseSession
from cfmock.server.replicas.statements import folded
from cfmock.service.store import statements as sqlite
from cfmock.service.store.state_file import StateFile
from tests.support.postgres import Cluster

WORLDS, FLOWS, KINDS = st.sampled_from(["/a", "/b"]), st.sampled_from(["f", "g"]), st.sampled_from(["flow", "state"])
KEYS, SERIALS = st.sampled_from(["f/x", "g/y", "s1", "s2"]), st.integers(1, 4)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=4)
CHANGES = st.one_of(
    st.tuples(st.just(sqlite.PUT_META), KEYS, TEXTS),
    st.tuples(st.just(sqlite.PUT_ROW), WORLDS, KINDS, KEYS, TEXTS),
    st.tuples(st.just(sqlite.DELETE_ROW), WORLDS, KINDS, KEYS),
    st.tuples(st.just(sqlite.DELETE_ROWS), WORLDS, KINDS, st.sampled_from(["f/*", "g/*"])),
    st.tuples(st.just(sqlite.PUT_EXECUTION), WORLDS, FLOWS, SERIALS, st.sampled_from(["s1", "s2"]), TEXTS),
    st.tuples(st.just(sqlite.DELETE_EXECUTION), WORLDS, FLOWS, SERIALS),
    st.tuples(st.just(sqlite.DELETE_EXECUTIONS), WORLDS, FLOWS),
    st.builds(lambda world, flow: (sqlite.DELETE_RECORDINGS, world, world, flow), WORLDS, FLOWS),
    st.tuples(st.just(sqlite.DELETE_STATES), WORLDS),
    *(st.tuples(st.just(statement), WORLDS) for statement, _ in sqlite.forget_world("")),
)
TABLES = ("meta", "rows", "executions", "recordings")


@pytest.fixture(scope="module")
def session(postgres: Cluster) -> Any:
    session = DatabaseSession(postgres.url(postgres.database()))
    yield session
    session.close()


def test_a_batch_makes_the_same_of_both(session: DatabaseSession, tmp_path: Path) -> None:
    number = 0

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(CHANGES, max_size=12), max_size=3))
    def same(batches: list[list[tuple[Any, ...]]]) -> None:
        nonlocal number
        number += 1
        file = StateFile(tmp_path / f"{number}.db")
        connection = session._connection
        connection.execute("; ".join(f"TRUNCATE cfmock.{table}" for table in TABLES))  # type: ignore[arg-type]
        for batch in batches:
            # Recordings are of executions that go on: entries are written once.
            entries = (
                [(sqlite.ADD_ENTRY, "/a", serial, 1, "[]") for serial in range(1, 5)] if batch is batches[0] else []
            )
            file.write([*entries, *batch])
            session.write([*entries, *batch])
        for table in TABLES:
            where = " WHERE key NOT IN ('clock', 'version')" if table == "meta" else ""
            ours = sorted(file._database.execute(f"SELECT * FROM {table}{where}"))
            assert sorted(connection.execute(f"SELECT * FROM cfmock.{table}{where}")) == ours  # type: ignore[arg-type]
        file.close()

    same()


def test_many_changes_are_few_statements() -> None:
    changes: list[tuple[Any, ...]] = []
    for serial in range(100):
        changes += [
            (sqlite.DELETE_RECORDING, "/a", serial),
            (sqlite.PUT_EXECUTION, "/a", "f", serial, "s", lambda: "[]"),
            (sqlite.DELETE_EXECUTION, "/a", "f", serial - 50),
        ]
    assert len(folded(changes)) == 3
