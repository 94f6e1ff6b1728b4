"""`cfmock test`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.support.flowtests import document
from tests.support.processes import environment, watching
from tests.support.processes import run as run_process

GOOD = """\
- name: small order
  flow: order
  input: {amount: 1}
  expect: {status: Succeeded, output: {receipt: r1}}
"""
BAD = """\
- name: large order
  flow: order
  input: {amount: 500}
  expect: {status: Succeeded, duration: 5s}
"""
OTHER = "cfmock: 1\ntests:\n- {name: refused <card>, flow: order, input: {amount: 1}, expect: {visits: [Refund]}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(tests: str, name: str = "orders.cfmock.yaml") -> None:
    Path(name).write_text(document(tests).text)


def test_what_passes_is_a_row_and_exit_code_0(cfmock):
    write(GOOD)
    ran = cfmock("test", "orders.cfmock.yaml")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out == (
        "RESULT  FLOW   TEST         ENDS       TIME\n"
        "ok      order  small order  Succeeded  0s\n"
        "\n"
        "FLOW   TESTS  POINTS  COVERED\n"
        "order  1      4 of 9  44 %     ########............\n"
        "\n"
        "not covered:\n"
        "  orders.cfmock.yaml:15:19: order: 'Charge: retry Busy'\n"
        "  orders.cfmock.yaml:16:19: order: 'Charge: catch Refused'\n"
        "  orders.cfmock.yaml:21:22: order: choice 'Size: $Input.amount > 100'\n"
        "  orders.cfmock.yaml:23:11: order: state 'Pause'\n"
        "  orders.cfmock.yaml:25:11: order: state 'Refund'\n"
        "\n"
        "1 passed; coverage 44 % (4 of 9 points)\n"
    )


def test_a_failure_is_told_and_is_exit_code_1(cfmock):
    write(GOOD + BAD)
    ran = cfmock("test", ".")
    assert ran.code == 1
    assert "FAILED  order  large order  Succeeded  1m" in ran.out
    assert "FAILED order: large order (orders.cfmock.yaml:31:5)\n    - duration: 5s\n    + duration: 1m\n" in ran.out
    assert ran.out.endswith("1 passed, 1 failed; coverage 66 % (6 of 9 points)\n")


def test_what_passes_with_a_mock_that_answers_nothing_or_without_one_is_warned_of(cfmock):
    tests = [
        "- {name: a, flow: order, input: {amount: 1}, tasks: {'FC:InvokeFunction': [{returns: {}}]}}",
        "- {name: b, flow: order, input: {amount: 1}, tasks: {Charge: []}, expect: {status: Failed}}",
        "- {name: c, flow: order, input: {amount: 1}, tasks: {Charge: []}, expect: {status: Failed}}",
    ]
    write("\n".join(tests))
    ran = cfmock("test", ".")
    assert ran.code == 0
    assert ran.err.splitlines() == [
        "",
        "warning: orders.cfmock.yaml:27:5: the test's own mock of task 'FC:InvokeFunction' answered nothing: no task made "
        "this call, or mocks of its state answered it",
        "warning: orders.cfmock.yaml:28:5: flow 'order': no mock for the task 'Charge' (FC:InvokeFunction); it succeeded "
        "with {} (and in 1 more test)",
    ]


def test_a_test_that_expects_nothing_fails_where_its_execution_does(cfmock):
    write("- {name: a, flow: order, input: {amount: 1}, tasks: {Charge: [{fails: {code: Refused}}]}}")
    ran = cfmock("test", ".")
    assert ran.code == 1
    assert "ended Failed: OrderRefused: no money, and the test expects nothing" in ran.out


def test_k_picks_by_text_or_glob_in_file_flow_and_name(cfmock):
    write(GOOD + BAD)
    assert cfmock("test", ".", "-k", "SMALL").code == 0
    assert "1 failed;" in cfmock("test", ".", "-k", "l*e order").out
    assert "1 passed, 1 failed" in cfmock("test", ".", "-k", "small", "-k", "large").out
    ran = cfmock("test", ".", "-k", "none such")
    assert (ran.code, ran.err) == (2, "no test in . has 'none such' in its file, flow or name\n")


def test_fail_fast_runs_no_more_after_the_first_failure(cfmock):
    write(BAD + GOOD)
    ran = cfmock("test", ".", "--fail-fast")
    assert ran.code == 1
    assert "small order" not in ran.out
    assert "1 failed, 1 not run" in ran.out


def test_min_coverage_is_held_to_the_sum_of_all_flows(cfmock):
    write(GOOD)
    assert cfmock("test", ".", "--min-coverage", "44").code == 0
    ran = cfmock("test", ".", "--min-coverage", "44.5")
    assert (ran.code, ran.err) == (1, "coverage 44 % is less than the 44.5 % asked for\n")


def test_a_file_with_mistakes_is_exit_code_2_and_the_tests_of_the_others_run(cfmock):
    write(GOOD)
    Path("wrong.cfmock.yaml").write_text(
        """\
cfmock: 1
tests:
  - {name: a, flow: ordre}
  - {name: b, flow: order, tasks: {Chrage: [{returns: 1}]}}
  - {name: c, flow: order, expect: {visits: [Chrge], duration: 3 moons, status: Done}}
  - {name: d, flow: order, expect: {visit: [Charge], output: 7}}
  - {name: fine, flow: order}
"""
    )
    ran = cfmock("test", ".")
    assert ran.code == 2
    assert "small order" in ran.out
    assert "fine" not in ran.out
    assert ran.out.endswith("1 passed, 1 file with mistakes; coverage 44 % (4 of 9 points)\n")
    assert ran.err.strip().splitlines() == [
        "wrong.cfmock.yaml:3:15: tests[0].flow: there is no flow 'ordre' (did you mean 'order'?)",
        "wrong.cfmock.yaml:4:36: tests[1].tasks.Chrage: the flow has no task 'Chrage' (did you mean 'Charge'?)",
        "wrong.cfmock.yaml:5:46: tests[2].expect.visits[0]: the flow has no state 'Chrge' (did you mean 'Charge'?)",
        "wrong.cfmock.yaml:5:54: tests[2].expect.duration: "
        "'3 moons' is not a duration like 100ms, 2s, 5m, 1h, 1d or a number of seconds",
        "wrong.cfmock.yaml:5:73: tests[2].expect.status: "
        "'Done' is not one of Starting, Running, Stopped, Succeeded, Failed, TimedOut",
        "wrong.cfmock.yaml:6:37: tests[3].expect.visit: unknown key 'visit' (did you mean 'visits'?)",
        "wrong.cfmock.yaml:6:54: tests[3].expect.output: 7 is not a mapping",
    ]


def test_the_tests_of_a_flow_with_mistakes_are_not_run(cfmock):
    write(GOOD)
    Path("broken.yaml").write_text("cfmock: 1\nflows: [{name: broken, definition: {Type: StateMachine}}]\n")
    Path("b.cfmock.yaml").write_text("cfmock: 1\ntests: [{name: b, flow: broken}]\n")
    ran = cfmock("test", ".")
    assert ran.code == 2
    assert "b.cfmock.yaml:2:9: 'b' was not run: flow 'broken' has mistakes" in ran.err
    assert "1 passed, 1 not run, 1 file with mistakes" in ran.out


def test_no_test_at_all_is_exit_code_2(cfmock):
    write("")
    ran = cfmock("test", ".")
    assert ran.code == 2
    assert ran.err == "no test in .; `cfmock test --init PATH` writes the first for a flow\n"


def test_json_holds_results_and_coverage_as_graph_reads_it(cfmock):
    write(GOOD + BAD)
    assert cfmock("test", ".", "--json", "report.json").code == 1
    document = json.loads(Path("report.json").read_text())
    assert document["summary"] == {
        "passed": 1, "failed": 1, "left": 0, "percent": 66, "points": 9, "reached": 6,
    }  # fmt: skip
    small, large = document["tests"]
    assert (small["name"], small["flow"], small["outcome"], small["line"]) == ("small order", "order", "passed", 27)
    assert large["differences"] == [
        {"what": "duration", "expected": 5, "actual": 60, "lines": ["- duration: 5s", "+ duration: 1m"]}
    ]
    assert large["path"] == ["Charge -> Size ($Input.amount > 100) -> Pause -> Ship"]
    assert large["parting"].startswith("event 15, after 1m: StepSucceeded of 'Pause'")
    (coverage,) = document["coverage"]
    assert coverage["points"][0] == {
        "id": "Charge", "kind": "state", "label": "Charge", "file": "orders.cfmock.yaml", "line": 11, "column": 11,
        "hits": 2,
    }  # fmt: skip
    ran = cfmock("graph", "orders.cfmock.yaml", "--format", "svg", "--coverage", "report.json")
    assert "coverage 66 %" in ran.out


@pytest.mark.parametrize("words", [["--json", "-"], ["--json"], ["--json", "--fail-fast"]])
def test_json_on_stdout_is_nothing_but_json(cfmock, words):
    write(GOOD)
    ran = cfmock("test", ".", *words)
    assert json.loads(ran.out)["summary"]["passed"] == 1


def test_coverage_of_other_runs_counts(cfmock):
    write(GOOD)
    cfmock("test", ".", "--json", "first.json")
    write(BAD)
    ran = cfmock("test", "orders.cfmock.yaml", "--coverage", "first.json")
    assert "coverage 66 % (6 of 9 points)" in ran.out
    ran = cfmock("test", "orders.cfmock.yaml", "--coverage", "orders.cfmock.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("--coverage orders.cfmock.yaml: ")


def test_junit_has_a_suite_for_each_file_with_its_mistakes(cfmock):
    write(GOOD + BAD)
    Path("other.cfmock.yaml").write_text(OTHER)
    Path("wrong.yaml").write_text("cfmock: 1\ntests: [{name: a}]\n")
    assert cfmock("test", ".", "--junit", "junit.xml").code == 2
    suites = ElementTree.parse("junit.xml").getroot()
    found = {suite.get("name"): suite for suite in suites}
    assert sorted(found) == ["orders.cfmock.yaml", "other.cfmock.yaml", "wrong.yaml"]
    assert (found["orders.cfmock.yaml"].get("tests"), found["orders.cfmock.yaml"].get("failures")) == ("2", "1")
    assert found["wrong.yaml"].get("errors") == "1"
    (case,) = found["other.cfmock.yaml"]
    assert (case.get("name"), case.get("classname")) == ("refused <card>", "order")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "visits not as expected"
    assert "path: Charge" in (failure.text or "")


def test_the_page_holds_everything_in_one_file_and_names_are_text(cfmock):
    write(GOOD)
    Path("other.cfmock.yaml").write_text(OTHER)
    cfmock("test", ".", "--html", "page.html")
    page = Path("page.html").read_text()
    assert "refused &lt;card&gt;" in page
    assert "<card>" not in page
    assert page.count("<svg") == 1
    assert "coverage 44 %" in page
    assert "orders.cfmock.yaml:25:11: order: state &#x27;Refund&#x27;" in page
    assert "<script" not in page
    assert "src=" not in page


def test_a_file_that_cannot_be_written_is_told(cfmock):
    write(GOOD)
    ran = cfmock("test", ".", "--junit", "none/such.xml")
    assert ran.code == 2
    assert ran.err == "--junit: cannot write none/such.xml: No such file or directory\n"


def test_jobs_share_the_tests_out_and_tell_the_same(cfmock, folder):
    write(GOOD + BAD)
    alone = cfmock("test", ".", "--json", "1.json")
    shared = run_process("test", ".", "--jobs", "2", "--json", "2.json", cwd=folder)
    assert (shared.returncode, shared.stdout) == (1, alone.out)

    def timeless(name: str) -> list[dict[str, object]]:
        return [{**test, "seconds": 0} for test in json.loads(Path(name).read_text())["tests"]]

    assert timeless("1.json") == timeless("2.json")


def test_jobs_stop_at_the_first_failure_too(folder):
    write(BAD)
    ran = run_process("test", ".", "--jobs", "2", "--fail-fast", cwd=folder)
    assert ran.returncode == 1
    assert "1 failed" in ran.stdout


def test_watch_runs_again_when_a_file_changes_or_comes_and_ends_by_ctrl_c():
    write(GOOD)
    with watching("test", ".") as watcher:
        watcher.until("1 passed;", "watching 1 file;")
        write(GOOD + BAD)
        watcher.until("1 passed, 1 failed;", "watching 1 file;")
        Path("more.cfmock.yaml").write_text(OTHER)
        watcher.until("1 passed, 2 failed;", "watching 2 files;")
        assert watcher.interrupt() == 1


def on_a_terminal(folder, **variables) -> bytes:
    """What `cfmock test` shows there."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cfmock", "test", "."], stdout=theirs, stderr=subprocess.STDOUT,
        env=environment(COLUMNS="100", **variables), cwd=folder,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:
        pass  # the other end is closed
    finally:
        os.close(ours)
        assert process.wait() == 1
    return shown


def test_a_terminal_gets_tables_drawn_and_colours(folder):
    write(GOOD + BAD)
    shown = on_a_terminal(folder, TERM="xterm-256color")
    assert "─".encode() in shown
    assert b"\x1b[32m    - duration: 5s" in shown


@pytest.mark.parametrize("variables", [{"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_a_terminal_without_colours_gets_none(folder, variables):
    write(GOOD + BAD)
    shown = on_a_terminal(folder, **variables)
    assert b"\r\n    - duration: 5s\r\n" in shown
    assert b"\x1b[3" not in shown
