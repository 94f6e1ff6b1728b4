"""`cfmock check`."""

import json
from pathlib import Path

import pytest

from tests.support.processes import watching


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
    Path("f.yaml").write_text("cfmock: 1\n")
    Path("other.yaml").write_text("a: 1\n")
    ran = cfmock("check", ".")
    assert (ran.code, ran.out) == (0, "ok: nothing there\n")
    assert ran.err == "warning: skipped, neither a fixture (no 'cfmock' key) nor a flow definition: other.yaml\n"


NOTHING = "no fixture and no flow definition in any *.yaml, *.yml, *.json, *.fdl, *.tf below it"


def test_a_folder_in_which_nothing_is_found_is_bad_usage(cfmock):
    for name in ("empty", "others", "good"):
        Path(name).mkdir()
    Path("others/other.yaml").write_text("a: 1\n")
    Path("good/f.yaml").write_text("cfmock: 1\nflows: [{name: a}]\n")
    ran = cfmock("check", "empty", "others", "good")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "warning: skipped, neither a fixture (no 'cfmock' key) nor a flow definition: others/other.yaml",
        f"empty: {NOTHING}",
        f"others: {NOTHING}",
    ]
    assert (cfmock("check", ".").code, cfmock("check", "good/").code) == (0, 0)
    (finding,) = json.loads(cfmock("check", "empty", "--format", "json").out)["findings"]
    assert (finding["level"], finding["file"], finding["message"]) == ("error", "empty", NOTHING)


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


def test_warnings_are_selected_and_ignored_by_code(cfmock):
    Path("apart.yaml").write_text(STATES.format(name="other"))
    codes = [line.split(": ")[2] for line in cfmock("check", "apart.yaml").err.splitlines()]
    assert codes == ["CF101"]  # nobody mocks tasks where there is no fixture
    flow = {"name": "other", "definition": {"file": "apart.yaml"}}
    Path("f.json").write_text(json.dumps({"cfmock": 1, "flows": [flow]}))
    codes = [line.split(": ")[2] for line in cfmock("check", "f.json").err.splitlines()]
    assert codes == ["CF106", "CF101"]
    assert cfmock("check", "f.json", "--select", "CF101,CF106", "--ignore", "CF106").err.count("warning:") == 1
    assert cfmock("check", "apart.yaml", "--ignore", "CF1").err == ""
    ran = cfmock("check", "apart.yaml", "--select", "CF1O6")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "--select: there is no check 'CF1O6' (did you mean 'CF106'?)\n"


def test_a_flow_in_json_says_itself_what_is_ignored(cfmock):
    def write(*codes):
        flow = {"name": "quoted", "definition": STATES.format(name="quoted"), "ignore": codes}
        Path("f.json").write_text(json.dumps({"cfmock": 1, "flows": [flow]}))

    write("CF101", "CF106")
    assert cfmock("check", "f.json").err == ""
    write("CF10")
    assert cfmock("check", "f.json").err == ""
    write("CF106", "CF1O1")
    assert (
        cfmock("check", "f.json")
        .err.splitlines()[0]
        .endswith(": flows[0].ignore[1]: there is no check 'CF1O1' (did you mean 'CF101'?)")
    )
    write(3)
    assert cfmock("check", "f.json").err.splitlines()[0].endswith(": flows[0].ignore[0]: 3 is not text")


def test_a_mistake_does_not_hide_what_is_odd_in_what_is_sound(cfmock):
    Path("apart.yaml").write_text(STATES.format(name="apart"))
    Path("broken.yaml").write_text(STATES.format(name="broken").replace("StartAt", "StartsAt"))
    ran = cfmock("check", ".")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.splitlines() == [
        "broken.yaml:1:1: missing 'StartAt': there is 'StartsAt', which is not a field here",
        "warning: apart.yaml:7:5: CF101: state 'Lost' cannot be reached",
    ]


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_a_program_reads_all_of_it_on_stdout(cfmock, form):
    Path("apart.yaml").write_text(STATES.format(name="apart"))
    ran = cfmock("check", "apart.yaml", "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("CF101") >= 1
    Path("apart.yaml").write_text("cfmock: 2\n")
    ran = cfmock("check", "apart.yaml", "--format", form)
    assert (ran.code, ran.err) == (2, "")
    assert "2 is not 1" in ran.out


def test_watch_checks_again_when_a_file_changes_and_ends_with_the_last_exit_code():
    Path("a.yaml").write_text("cfmock: 1\nflows: [{name: a}]\n")
    with watching("check", ".") as watcher:
        watcher.until("ok: 1 flow\n", "watching 1 file;")
        Path("b.yaml").write_text("cfmock: 1\nflows: [{name: b}]\n")
        watcher.until("ok: 2 flows\n", "watching 2 files;")
        Path("b.yaml").write_text("cfmock: 1\nflow: []\n")
        watcher.until("b.yaml:2:1: flow: unknown key 'flow' (did you mean 'flows'?)\n", "watching 2 files;")
        assert watcher.interrupt() == 2
