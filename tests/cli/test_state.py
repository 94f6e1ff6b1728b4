"""`cfmock state`, and files that `serve` does not take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.calls import PASS, echo_flow
from tests.support.kept import KeptService


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    service = KeptService(path, echo_flow({"when": {"execution": "r"}, "after": "1h"}))
    service("CreateFlow", Name="other", Definition=PASS, Description="", Type="FDL", RegionId="cn-beijing")
    service("StartExecution", FlowName="echo", ExecutionName="r")
    service("StartExecution", FlowName="echo", ExecutionName="e")
    KeptService.close_all()
    return path


def test_worlds_are_counted(path: Path, cfmock: Any) -> None:
    result = cfmock("state", str(path), "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert found["bytes"] >= path.stat().st_size > 0
    assert found["version"] == 1
    assert found["worlds"] == [
        {"account": "", "region": "cn-beijing", "flows": 2, "executions": 0, "running": 0},
        {"account": "", "region": "cn-hangzhou", "flows": 1, "executions": 2, "running": 1},
    ]


def test_the_table_names_them(path: Path, cfmock: Any) -> None:
    result = cfmock("state", str(path))
    assert "cn-beijing" in result.out
    assert "schema 1" in result.out


@pytest.mark.parametrize("place", ["host=h password=secret", "password = 'secret'", "postgresql://u:secret@h/name"])
def test_a_database_is_no_state_file(place: str, cfmock: Any) -> None:
    result = cfmock("state", place)
    assert result.code == 2
    assert result.err.startswith("state: this is no file; a database is postgresql://")
    assert "secret" not in result.err


@pytest.mark.parametrize("command", [["state"], ["serve", "--port", "0", "--state"]])
def test_what_is_no_state_file_is_one_line_and_exit_code_2(command: list[str], tmp_path: Path, cfmock: Any) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("mine")
    result = cfmock(*command, str(path))
    assert result.code == 2
    assert result.err == f"state file {path}: is not a state file of cfmock\n"
    assert path.read_text() == "mine"
