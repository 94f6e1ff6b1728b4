"""The catalogue, for people and for programs."""

import json
import re
import sys

import pytest

from cfmock.protocol.spec.model import load


def test_the_table_has_a_line_for_every_code(cfmock):
    ran = cfmock("errors")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].split() == ["CODE", "STATUS", "MESSAGE", "OPERATIONS", "HOW"]
    assert [line.split()[0] for line in lines[1:]] == list(load().errors)
    assert "StopExecution" in next(line for line in lines if line.startswith("ExecutionAlreadyCompleted"))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_code_is_broken_on_a_terminal(cfmock, monkeypatch, width):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", cfmock("errors").out).splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines if re.match(r" ?\w+ +\d{3}\b", line)] == list(load().errors)


def test_the_json_is_the_catalogue(cfmock):
    rows = json.loads(cfmock("errors", "--json").out)
    by_code = {row["code"]: row for row in rows}
    assert list(by_code) == list(load().errors)
    assert len(by_code) == 23
    assert by_code["FlowAlreadyExists"] == {
        "code": "FlowAlreadyExists",
        "status": 409,
        "message": "Flow %s already exists.",
        "operations": ["CreateFlow"],
        "how": "create a flow under a name in use",
    }
    assert all(row["how"] and row["operations"] for row in rows)
