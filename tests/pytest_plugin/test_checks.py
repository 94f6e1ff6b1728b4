"""Findings of `cfmock check` in the flows that a test loads, seen from an inner pytest run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfmock.fixtures.loader import load
from cfmock.pytest_plugin import checks
from tests.pytest_plugin.test_plugin import inner as inner
from tests.pytest_plugin.test_plugin import run

pytest_plugins = ["pytester"]

ODD = """\
Type: StateMachine
SpecVersion: v1
Name: odd
StartAt: A
States:
  - {Type: Task, Name: A, Action: "FC:InvokeFunction", Parameters: {body: {url: $Input.url}}, End: true}
  - Type: Map
    Name: B
    ItemsPath: $Input.list
    Processor: {StartAt: X, States: [{Type: Pass, Name: X, GlobalConstructor: {a: 1}, End: true}]}
    End: true
"""
FLOW_TESTS = """\
cfmock: 1
flows:
  - {name: odd, definition: {file: odd.fdl}}
  - name: noted
    definition:
      Type: StateMachine
      SpecVersion: v1
      Name: noted
      StartAt: B
      States:
        - Type: Map
          Name: B
          ItemsPath: toArray()
          Processor: {StartAt: X, States: [{Type: Pass, Name: X, GlobalConstructor: {a: 1}, End: true}]}
          End: true
tests:
  - {name: passes, flow: odd}
  - {name: fails, flow: odd, expect: {status: Failed}}
  - {name: other, flow: noted}
"""
TESTS = """
import pytest

@pytest.mark.cfmock("odd.fdl", unused="ignore")
def test_passes(cfmock):
    pass

@pytest.mark.cfmock("odd.fdl", "more")
def test_fails(cfmock):
    assert not cfmock.url

def test_loads(cfmock):
    cfmock.load("odd.fdl")
    assert not cfmock.url

def test_takes_back(cfmock):
    cfmock.load("odd.fdl")
    cfmock.reset()
    assert not cfmock.url

def test_without(cfmock):
    assert not cfmock.url

def test_fault(cfmock):
    cfmock.load({"cfmock": 1, "faults": [{"when": {"flow": "shpo"}, "delay": 1}]})

def test_session(cfmock_session):
    cfmock_session.load("odd.fdl")

def test_skipped(cfmock):
    cfmock.load("odd.fdl")
    pytest.skip("no")
"""


@pytest.fixture
def tests(inner: pytest.Pytester) -> pytest.Pytester:
    inner.path.joinpath("odd.fdl").write_text(ODD)
    inner.path.joinpath("odd.cfmock.yaml").write_text(FLOW_TESTS)
    inner.path.joinpath("more").mkdir()
    inner.path.joinpath("more/other.yaml").write_text("a: 1\n")
    inner.path.joinpath("more/flows.yaml").write_text("cfmock: 1\n")
    inner.makepyfile(test_it=TESTS)
    return inner


FINDINGS = (
    "odd.fdl:6:81: CF114: '$Input.url' is constant text; an expression goes under 'url.$'\n",
    "odd.fdl:7:5: CF101: state 'B' cannot be reached\n",
    "odd.fdl:10:38: CF112: state 'X' writes global variables inside a map\n",
)


def sections(result: pytest.RunResult) -> dict[str, str]:
    """What is shown of each test that failed."""
    text = result.stdout.str().partition("= FAILURES =")[2].partition("short test summary")[0]
    parts = [part.strip("_ \n") for part in text.split("\n_")]
    return {part.split(" _", 1)[0].strip(): part for part in parts if part}


def test_findings_are_shown_below_a_test_that_fails(tests: pytest.Pytester) -> None:
    result = run(tests)
    result.assert_outcomes(passed=5, failed=5, skipped=1)
    shown = {name: text for name, text in sections(result).items() if "- cfmock check finds -" in text}
    assert sorted(shown) == ["odd: fails", "test_fails", "test_loads"]
    for text in shown.values():
        assert [finding for finding in FINDINGS if f"{finding}" in f"{text}\n"] == list(FINDINGS)
        assert "CF106" not in text  # tests mock tasks as they run
    assert "\nwarning: skipped, neither a fixture" in shown["test_fails"]
    assert "\nnote: " in shown["test_loads"]


def test_the_ini_option_lets_warnings_fail_a_test_that_passes(tests: pytest.Pytester) -> None:
    tests.makeini("[pytest]\ncfmock_checks = error")
    result = run(tests)
    result.assert_outcomes(passed=1, failed=9, skipped=1)
    found = sections(result)
    for name in ("test_passes", "test_session", "odd: passes"):
        assert "cfmock check finds:\n" in found[name]
        assert FINDINGS[0] in found[name]
        assert found[name].count("CF114") == 1
        assert "CF112" not in found[name]  # a note
        assert "Traceback" not in found[name]
    assert "CF121: there is no flow 'shpo'" in found["test_fault"]


def test_the_ini_option_leaves_them_out(tests: pytest.Pytester) -> None:
    tests.makeini("[pytest]\ncfmock_checks = ignore")
    result = run(tests)
    result.assert_outcomes(passed=5, failed=5, skipped=1)
    assert "CF1" not in result.stdout.str()
    tests.makeini("[pytest]\ncfmock_checks = eror")
    assert "cfmock_checks: 'eror' is not one of ignore, show, error" in run(tests).stderr.str()


def test_what_the_author_ignores_is_not_shown_and_findings_are_worked_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("odd.fdl").write_text(ODD)
    entry = {"name": "odd", "definition": {"file": str(tmp_path / "odd.fdl")}, "ignore": ["CF114", "CF112"]}
    tmp_path.joinpath("f.json").write_text(str({"cfmock": 1, "flows": [entry]}).replace("'", '"'))
    (flow,) = load([tmp_path / "f.json"]).flows
    assert [finding.code for finding in checks._of([flow, flow])] == ["CF101"]
    monkeypatch.setattr("cfmock.tools.checks.report.findings_of", None)
    assert [finding.code for finding in checks._of([flow])] == ["CF101"]
