"""`cfmock check`."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_what_is_right_is_counted(cfmock):
    Path("f.yaml").write_text("cfmock: 1\nflows: [{name: a}, {name: b}]\nfaults: [{error: FlowNotExists}]\n")
    ran = cfmock("check", "f.yaml")
    assert (ran.code, ran.out, ran.err) == (0, "ok: 2 flows, 1 fault\n", "")


def test_an_empty_fixture_is_right(cfmock):
    Path("f.yaml").write_text("cfmock: 1\n")
    assert (cfmock("check", "f.yaml").out) == "ok: nothing there\n"


def test_every_mistake_is_a_line_on_stderr(cfmock):
    Path("orders.yaml").write_text("cfmock: 1\nflows:\n- name: a\n  outcomes:\n    - status: Suceeded\n  taks: {}\n")
    ran = cfmock("check", "orders.yaml", "gone.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "gone.yaml: no such file or folder",
        "orders.yaml:5:7: flows[0].outcomes[0].status: "
        "'Suceeded' is not one of Starting, Running, Stopped, Succeeded, Failed, TimedOut",
        "orders.yaml:6:3: flows[0].taks: unknown key 'taks' (did you mean 'tasks'?)",
    ]


def test_a_warning_changes_no_exit_code(cfmock):
    Path("other.yaml").write_text("a: 1\n")
    ran = cfmock("check", ".")
    assert (ran.code, ran.out) == (0, "ok: nothing there\n")
    assert ran.err == "warning: skipped, neither a fixture (no 'cfmock' key) nor a flow definition: other.yaml\n"


def test_nothing_to_check_is_bad_usage(cfmock):
    ran = cfmock("check")
    assert ran.code == 2
    assert "PATH" in ran.err
