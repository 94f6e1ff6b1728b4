"""A state file: what is not one is refused by name and left as it was, and a batch is written whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cfmock.base.errors import SettingsError
from cfmock.service.store.state_file import SCHEMA, StateFile
from cfmock.service.store.statements import PUT_META, PUT_ROW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def file(path: Path) -> Iterator[StateFile]:
    found = StateFile(path)
    yield found
    found.close()


def refused(path: Path, *, read_only: bool = False) -> str:
    """What is said of a file that is not taken; it is as it was afterwards."""
    before = path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else None
    with pytest.raises(SettingsError) as told:
        StateFile(path, read_only=read_only)
    if before is not None:
        assert path.read_bytes() == before
    text = str(told.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def test_a_batch_is_there_when_the_file_is_opened_again(file: StateFile, path: Path) -> None:
    file.write([(PUT_ROW, "w", "k", "a", lambda: "late"), (PUT_META, "m", "1")])
    file.close()
    again = StateFile(path)
    assert (list(again.rows("w", "k")), again.meta(), again.worlds()) == ([("a", "late")], {"m": "1"}, ["w"])
    again.close()


def test_nothing_of_a_batch_is_there_if_it_fails(file: StateFile) -> None:
    with pytest.raises(sqlite3.Error):
        file.write([(PUT_META, "m", "1"), ("INSERT INTO nowhere VALUES (1)",)])
    assert file.meta() == {}
    file.write([(PUT_META, "m", "2")])
    assert file.meta() == {"m": "2"}


def test_what_is_no_state_file_is_refused(path: Path) -> None:
    path.write_text("flows:\n")
    assert "is not a state file of cfmock" in refused(path)


def test_another_programs_database_is_refused(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE theirs (a)")
    database.commit()
    database.close()
    assert "is not a state file of cfmock" in refused(path)


def test_a_newer_schema_is_refused(file: StateFile, path: Path) -> None:
    file.close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    database.close()
    assert "newer cfmock" in refused(path)


def test_a_damaged_file_is_refused(file: StateFile, path: Path) -> None:
    file.write([(PUT_ROW, "w", "k", str(number), "x" * 500) for number in range(200)])
    file.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(4096) + whole[12288:])
    assert "is damaged" in refused(path)
    path.write_bytes(whole[: len(whole) // 2])
    assert "is damaged" in refused(path)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of another kind")
def test_a_file_that_is_in_use_is_refused_and_can_be_looked_at(file: StateFile, path: Path) -> None:
    file.write([(PUT_ROW, "w", "flow", "a", "[]")])
    assert "another process holds it" in refused(path)
    reader = StateFile(path, read_only=True)
    assert reader.count("w", "flow") == 1
    reader.close()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "there is no folder" in refused(tmp_path / "no" / "state.db")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path)


def test_a_file_that_is_not_there_cannot_be_looked_at(path: Path) -> None:
    assert "there is no such file" in refused(path, read_only=True)
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_permission_is_refused(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        assert "may not be written to" in refused(path)
    finally:
        path.parent.chmod(0o700)


def test_an_empty_file_cannot_be_looked_at_and_can_be_begun(path: Path) -> None:
    path.touch()
    assert refused(path, read_only=True).endswith("is not a state file of cfmock")
    StateFile(path).close()
    StateFile(path, read_only=True).close()


@pytest.mark.skipif(sys.platform == "win32", reason="has no such names")
@pytest.mark.parametrize("name", ["file:x.db", "file:x.db?mode=memory", "a#b %20?.db", "\u4e2d.db", ":memory:"])
def test_a_name_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    StateFile(name).close()
    StateFile(name, read_only=True).close()
    assert [each.name for each in tmp_path.iterdir() if not each.name.endswith(("-wal", "-shm"))] == [name]
