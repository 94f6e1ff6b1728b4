"""`cfmock check`."""

import json
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


STATES = """\
Type: StateMachine
Name: {name}
SpecVersion: v1
StartAt: Charge
States:
  - {{Type: Task, Name: Charge, Action: FC:InvokeFunction, End: true}}
  - {{Type: Pass, Name: Lost, End: true}}
  # cfmock: ignore[CF101]
  - {{Type: Pass, Name: Spare, End: true}}
"""


def test_what_is_allowed_and_probably_not_meant_is_a_warning_with_its_place(cfmock):
    Path("apart.yaml").write_text(STATES.format(name="apart"))
    block = "".join(f"      {line}" for line in STATES.format(name="block").splitlines(keepends=True))
    quoted = json.dumps(STATES.format(name="quoted"))
    Path("f.yaml").write_text(
        f"cfmock: 1\nflows:\n  - name: block\n    definition: |\n{block}    tasks: {{Charge: [{{returns: {{}}}}]}}\n"
        f"  - {{name: quoted, definition: {quoted}, tasks: {{FC:InvokeFunction: [{{returns: {{}}}}]}}}}\n"
    )
    ran = cfmock("check", ".")
    assert (ran.code, ran.out) == (0, "ok: 3 flows\n")
    assert ran.err.splitlines() == [
        "warning: f.yaml:11:11: CF101: state 'Lost' cannot be reached",
        "warning: f.yaml:flows[1].definition:7:5: CF101: state 'Lost' cannot be reached",
        "warning: apart.yaml:6:5: CF106: task 'Charge' (FC:InvokeFunction) has no mock",
        "warning: apart.yaml:7:5: CF101: state 'Lost' cannot be reached",
    ]
