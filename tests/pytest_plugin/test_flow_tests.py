"""Flow tests through pytest: the items of `*.cfmock.yaml`, and the coverage of a pytest run."""

from __future__ import annotations

import json

import pytest

from tests.pytest_plugin.test_plugin import run, run_here
from tests.support.flowtests import document
from tests.support.processes import environment

pytest_plugins = ["pytester"]

TESTS = """\
- {name: small, flow: order, input: {amount: 1}, expect: {status: Succeeded}}
- {name: large, flow: order, input: {amount: 500}, expect: {duration: 5s}}
"""
WARNINGS = ("-W", "always::pytest.PytestWarning")
"""They are errors in the run around."""

FLOWLESS = "cfmock: 1\ntests:\n- {name: small, flow: order, input: {amount: 1}, expect: {output: {receipt: %s}}}\n"


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    return pytester


def write(inner: pytest.Pytester, name: str, text: str) -> None:
    inner.path.joinpath(name).write_text(text)


def test_each_test_of_a_file_is_an_item_and_a_failure_reads_like_that_of_the_command(inner):
    write(inner, "orders.cfmock.yaml", document(TESTS).text)
    write(inner, "orders.yaml", "cfmock: 1\ntests: [{name: not collected, flow: none}]\n")
    result = run(inner, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "orders.cfmock.yaml::order: small PASSED*",
            "orders.cfmock.yaml::order: large FAILED*",
            "duration not as expected (orders.cfmock.yaml:28:5)",
            "    - duration: 5s",
            "    + duration: 1m",
            "  path: Charge -> Size ($Input.amount > 100) -> Pause -> Ship",
            "  they part at event 15, after 1m: *",
            "FAILED orders.cfmock.yaml::order: large - duration not as expected*",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    run(inner, "-k", "small").assert_outcomes(passed=1, deselected=1)


def test_mocks_of_a_test_that_answer_nothing_and_tasks_without_one_are_warnings(inner):
    tests = """\
- {name: a, flow: order, input: {amount: 1}, tasks: {"FC:InvokeFunction": [{returns: {}}]}, expect: {status: Succeeded}}
- {name: b, flow: order, input: {amount: 1}, tasks: {Charge: []}, expect: {status: Failed}}
"""
    write(inner, "orders.cfmock.yaml", document(tests).text)
    result = run_here(inner, *WARNINGS)
    result.assert_outcomes(passed=2, warnings=2)
    result.stdout.fnmatch_lines_random(
        ["*PytestWarning: the test's own mock of task 'FC:InvokeFunction' answered nothing: *",
         "*PytestWarning: flow 'order': no mock for the task 'Charge' (FC:InvokeFunction)*"]
    )  # fmt: skip
    run_here(inner, *WARNINGS, "-o", "cfmock_unused=ignore").assert_outcomes(passed=2, warnings=1)


def test_the_ini_option_s_fixtures_come_first_and_a_file_may_replace_its_flows(inner):
    inner.makeini("[pytest]\ncfmock_fixtures = shared")
    inner.mkdir("shared")
    write(inner, "shared/order.yaml", document("").text)
    write(inner, "uses.cfmock.yaml", FLOWLESS % "r1")
    write(inner, "replaces.cfmock.yaml", document(TESTS.splitlines()[0]).text.replace("r1", "own"))
    write(
        inner, "both.cfmock.yaml", "cfmock: 1\nflows: [{name: order}]\n" + "\n".join((FLOWLESS % "r1").split("\n")[1:])
    )
    result = run(inner, "-v")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["both.cfmock.yaml::order: small FAILED*"])


def test_a_file_with_mistakes_is_an_error_of_collection_and_the_others_run(inner):
    write(inner, "good.cfmock.yaml", document(TESTS.splitlines()[0]).text)
    write(inner, "wrong.cfmock.yaml", "cfmock: 1\ntests:\n- {name: a, flow: ordre}\n")
    result = run(inner, "--continue-on-collection-errors")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["wrong.cfmock.yaml:3:13: tests[[]0].flow: there is no flow 'ordre'*"])


def test_a_file_whose_flow_stands_elsewhere_says_how_it_is_found(inner):
    write(inner, "orders.yaml", document("").text)
    write(inner, "alone.cfmock.yaml", "cfmock: 1\ntests:\n- {name: a, flow: order, input: {amount: 1}}\n")
    result = run(inner)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "alone.cfmock.yaml:3:13: tests[[]0].flow: there is no flow 'order'",
            "each [*].cfmock.yaml is loaded alone: * in the ini option cfmock_fixtures, or under `flows` in the file itself",
        ]
    )
    run(inner, "-o", "cfmock_fixtures=orders.yaml").assert_outcomes(passed=1)
    write(inner, "alone.cfmock.yaml", "cfmock: 1\ntests:\n- {name: a, flow: order, inptu: {}}\n")
    assert "loaded alone" not in run(inner, "-o", "cfmock_fixtures=orders.yaml").stdout.str()


def test_coverage_that_cannot_be_written_is_told_in_a_line(inner):
    write(inner, "good.cfmock.yaml", document(TESTS.splitlines()[0]).text)
    result = run(inner, "--cfmock-coverage", "nowhere/coverage.json")
    result.stderr.fnmatch_lines(["*ERROR: --cfmock-coverage: cannot write nowhere/coverage.json"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    inner.makeconftest("import pytest, shutil\n\ndef pytest_collection_finish():\n    shutil.rmtree('there')\n")
    inner.mkdir("there")
    result = run(inner, "--cfmock-coverage", "there/coverage.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["--cfmock-coverage: cannot write there/coverage.json: No such file or directory"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_coverage_is_that_of_flow_tests_and_of_the_service_in_tests(inner, words):
    inner.makeini("[pytest]\ncfmock_fixtures = shared")
    inner.mkdir("shared")
    write(inner, "shared/order.yaml", document("").text)
    write(inner, "small.cfmock.yaml", FLOWLESS % "r1")
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.cfmock(clock="virtual")
        def test_large(cfmock):
            assert cfmock.run("order", {"amount": 1000}).status == "Succeeded"
        """
    )
    result = run(inner, "--cfmock-coverage", "coverage.json", *words)
    result.stdout.fnmatch_lines(["*coverage of flows*", " 66 %  order (6 of 9 points)"])
    (coverage,) = json.loads(inner.path.joinpath("coverage.json").read_text())["coverage"]
    hits = {point["id"]: point["hits"] for point in coverage["points"] if point["hits"]}
    assert hits == {"Charge": 2, "Size": 2, "Size?0": 1, "Size?default": 1, "Pause": 1, "Ship": 2}
    assert coverage["points"][0]["file"].endswith("order.yaml")
