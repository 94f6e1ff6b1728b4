"""Set-ups that nothing used, seen from an inner pytest run."""

from __future__ import annotations

import re

import pytest

from tests.pytest_plugin.test_plugin import inner as inner
from tests.pytest_plugin.test_plugin import run, run_here

pytest_plugins = ["pytester"]

FLOW = """\
cfmock: 1
flows:
  - name: order
    definition: {type: flow, version: v1, steps: [{type: task, name: Charge, resourceArn: r}]}
    outcomes: [{when: {execution: never}}]
    tasks: {Charge: [{when: {execution: never}, waits: true}]}
faults: [{name: never, when: {execution: never}, delay: 1}]
"""

TESTS = """
import pytest
from cfmock import ServiceError

pytestmark = pytest.mark.cfmock("orders.yaml", clock="virtual")

@pytest.fixture
def prepared(cfmock):
    cfmock.task("order", "Charge").fails("Never", times=1)
    return cfmock

def test_mock(cfmock):
    cfmock.task("order", "Charge").fails("No")

def test_outcome(cfmock):
    cfmock.outcome("order", when={"execution": "bad-*"}, status="Failed")
    cfmock.run("order", name="good-1")

def test_fault(cfmock):
    cfmock.fail("StopExecution", "AccessDenied")

def test_used(cfmock):
    cfmock.task("order", "Charge").fails("No")
    assert cfmock.run("order").error["code"] == "No"

def test_of_a_fixture(prepared):
    prepared.call("ListFlows")

def test_of_a_fixture_and_its_own(prepared):
    prepared.fail("StopExecution", "AccessDenied")

def test_loaded(cfmock):
    cfmock.load({"cfmock": 1, "flows": [{"name": "other", "outcomes": [{"status": "Failed"}]}]})

def test_removed(cfmock):
    cfmock.fail("StopExecution", "AccessDenied").remove()

@pytest.mark.cfmock(unused="ignore")
def test_ignored(cfmock):
    cfmock.fail("StopExecution", "AccessDenied")

@pytest.mark.cfmock(unused="warn")
def test_warned(cfmock):
    cfmock.fail("StopExecution", "AccessDenied")

def test_of_the_session(cfmock_session):
    cfmock_session.fault(name="late", when={"operation": "StopExecution"}, error="AccessDenied")

def test_failed(cfmock):
    cfmock.outcome("ordr")
    assert cfmock.executions("order")

def test_skipped(cfmock):
    cfmock.outcome("order")
    pytest.skip("no")

@pytest.fixture
def late(cfmock):
    yield
    cfmock.outcome("order")

def test_after_it(late):
    pass
"""


@pytest.fixture
def tests(inner: pytest.Pytester) -> pytest.Pytester:
    inner.path.joinpath("orders.yaml").write_text(FLOW)
    inner.makepyfile(test_it=TESTS)
    return inner


def parts(result: pytest.RunResult, title: str) -> dict[str, str]:
    """What a part of the report, FAILURES or PASSES, says of each test."""
    text = re.split("\n=+ ", result.stdout.str().partition(f"= {title} =")[2])[0]
    found = re.split(r"^_+ (\S+) _+$", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_what_a_test_function_sets_up_and_nothing_uses_fails_the_test(tests: pytest.Pytester) -> None:
    result = run(tests, "-rP")
    result.assert_outcomes(passed=8, failed=5, skipped=1, warnings=1)
    failed = parts(result, "FAILURES")
    assert list(failed) == ["test_mock", "test_outcome", "test_fault", "test_of_a_fixture_and_its_own", "test_failed"]
    for name, text in failed.items():
        assert text.startswith("\n1 set-up that nothing used\n  ") is (name != "test_failed")
        assert ("(only a warning with cfmock_unused = warn, @pytest.mark.cfmock(unused='warn'))" in text) is (
            name != "test_failed"
        )
        assert "- set-ups that nothing used -" not in text
    assert "\n  mock of task 'Charge' of flow 'order': no execution of the flow was started\n" in failed["test_mock"]
    assert ": the nearest is execution 'good-1': execution: expected 'bad-*', got 'good-1'\n" in failed["test_outcome"]
    assert "\n  fault 'added-1' " in failed["test_fault"]
    assert "mock" not in failed["test_of_a_fixture_and_its_own"].partition("\n(")[0]
    assert "\nwarning: there is no flow 'ordr' (did you mean 'order'?): this outcome has no" in failed["test_failed"]
    assert "PytestWarning: 1 set-up that nothing used\n" in result.stdout.str()


def test_of_others_it_is_only_told(tests: pytest.Pytester) -> None:
    result = run(tests, "-rP")
    passed = parts(result, "PASSES")
    told = {name: text.split(" nothing used -")[1] for name, text in passed.items() if "- set-ups that nothing" in text}
    assert list(told) == ["test_of_a_fixture", "test_removed", "test_of_the_session"]
    assert "\nmock of task 'Charge' of flow 'order'\n" in told["test_of_a_fixture"]
    assert "\nfault 'added-1' " in told["test_removed"]
    assert "\nfault 'late' " in told["test_of_the_session"]
    of_files = [name for name, text in passed.items() if "- set-ups of files that nothing used -" in text]
    assert of_files == ["test_used", "test_of_a_fixture", "test_loaded", "test_removed", "test_warned", "test_after_it"]
    assert (
        "\noutcome 1 of flow 'order'\nmock 1 of task 'Charge' of flow 'order'\nfault 'never'\n" in passed["test_used"]
    )
    assert "\noutcome 1 of flow 'other'\n" in passed["test_loaded"]
    line = "cfmock: 3 tests have set-ups by pytest fixtures, or removed ones, that nothing used; -rP shows them"
    assert line in result.stdout.str()
    assert line not in run(tests, "-q").stdout.str()


def test_a_case_that_never_comes_about_fails_its_test(tests: pytest.Pytester) -> None:
    tests.makepyfile(
        test_cases="""
        import pytest
        from cfmock import ServiceError

        @pytest.mark.cfmock_errors("StartExecution")
        def test_never(cfmock): pass

        @pytest.mark.cfmock_errors("StartExecution")
        def test_struck(cfmock):
            with pytest.raises(ServiceError):
                cfmock.call("StartExecution", FlowName="f", ExecutionName="e")

        @pytest.mark.cfmock_errors("StartExecution")
        @pytest.mark.cfmock(unused="ignore")
        def test_ignored(cfmock): pass

        @pytest.mark.cfmock_errors("StartExecution")
        def test_skipped(cfmock): pytest.skip("no")

        @pytest.mark.cfmock_errors("StartExecution")
        def test_failed(cfmock): assert False
        """
    )
    result = run_here(tests, "-k", "FlowNotExists", "test_cases.py")
    result.assert_outcomes(passed=2, failed=2, skipped=1)
    failed = parts(result, "FAILURES")
    assert "\n  fault 'cfmock_errors' {" in failed["test_never[StartExecution-FlowNotExists]"]
    assert ": no call came\n" in failed["test_never[StartExecution-FlowNotExists]"]
    assert "that nothing used" not in failed["test_failed[StartExecution-FlowNotExists]"]


def test_the_ini_option_makes_warnings_of_them_or_ignores_them(tests: pytest.Pytester) -> None:
    tests.makeini("[pytest]\ncfmock_unused = warn")
    warned = run(tests, "-n", "2")
    warned.assert_outcomes(passed=12, failed=1, skipped=1, warnings=5)
    assert warned.stdout.str().count("PytestWarning: 1 set-up that nothing used\n") == 5
    tests.makeini("[pytest]\ncfmock_unused = ignore")
    ignored = run(tests, "-rP")
    ignored.assert_outcomes(passed=12, failed=1, skipped=1, warnings=1)
    assert [name for name, text in parts(ignored, "PASSES").items() if "nothing used" in text] == ["test_warned"]


def test_a_wrong_word_of_the_marker_is_told_without_our_own_code(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.cfmock(unused="eror")
        def test_it(cfmock):
            pass
        """
    )
    result = run(inner)
    result.assert_outcomes(errors=1)
    assert "unused: 'eror' is not one of error, warn, ignore (did you mean 'error'?)" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
