"""What a test's server holds goes with the test, though pytest keeps the test to the end."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.test_plugin import inner, run

pytest_plugins = ["pytester"]
__all__ = ["inner"]

TESTS = """
import gc
import weakref

import pytest

from cfmock.api import access

gc.disable()
SEEN = {}


@pytest.fixture(autouse=True)
def seen(request):
    if "cfmock" in request.fixturenames:
        cf = request.getfixturevalue("cfmock")
        cf.load({"cfmock": 1, "flows": [{"name": "f"}, {"name": "g", "outcomes": [{"status": "Running"}]}]})
        SEEN[request.node.name] = access.ask(cf, lambda control: held(control.emulator))


def held(emulator):
    world = emulator.worlds.default()
    seen = (emulator, world, world.stores.executions, world.retention, world.scheduler, emulator.journal)
    return [weakref.ref(each) for each in seen]


def test_starts(cfmock):
    for number in range(5):
        cfmock.call("StartExecution", FlowName="f", Input={"n": number})
    cfmock.call("StartExecution", FlowName="g")
    cfmock.run("f", {"a": 1})


def test_fails(cfmock):
    cfmock.call("StartExecution", FlowName="f")
    assert cfmock.calls() == []


def test_refused(cfmock):
    cfmock.call("DescribeFlow", Name="nope")


def test_violates(cfmock):
    cfmock.call("DescribeFlow", Name="f", Nmae="f")


@pytest.mark.cfmock(clock="virtual")
def test_waits(cfmock):
    cfmock.load({"cfmock": 1, "flows": [{"name": "w", "definition": {
        "Type": "StateMachine", "SpecVersion": "v1", "Name": "w", "StartAt": "W",
        "States": [{"Type": "Task", "Name": "W", "Action": "FC:InvokeFunction", "End": True}]}}]})
    cfmock.task("w", "W").calls(lambda event: {"a": 1})
    cfmock.run("w")


@pytest.mark.cfmock_errors("ListFlows")
def test_error(cfmock, cfmock_error):
    with pytest.raises(Exception):
        cfmock.call("ListFlows")


def test_setup_unused(cfmock):
    cfmock.outcome("f", status="Failed")


def test_nothing_is_left():
    left = [name for name, refs in SEEN.items() if any(each() is not None for each in refs)]
    assert len(SEEN) > 10
    assert left == []
"""


def test_a_server_goes_with_its_test_even_without_the_collector(inner: pytest.Pytester) -> None:
    inner.makepyfile(TESTS)
    found = run(inner, "-rA", "-o", "cfmock_strict=true", "--cfmock-coverage", "coverage.json")
    found.stdout.fnmatch_lines(["PASSED *::test_nothing_is_left"])
    found.assert_outcomes(passed=15, failed=4)
