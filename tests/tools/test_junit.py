"""JUnit documents of both kinds of reports, for CI services."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

import cfmock
from cfmock.tools import junit
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.plan import Case
from cfmock.tools.contract.report import MatrixReport
from cfmock.tools.flowtest.cases import gather, results
from cfmock.tools.flowtest.coverage import Coverage
from cfmock.tools.flowtest.report import TestReport as report_of
from tests.support.lab import HEADS

ODD = ['"', "&amp;", "<b>", "]]>", "a\nb", "\t", "\x00", "\x1b[31m", "\ufffe", "\ud800", "订单 😀", "--"]


def legal(text: str) -> str:
    return "".join("\ufffd" if each in "\x00\x1b\ufffe\ud800" else each for each in text)


@pytest.mark.parametrize("odd", ODD)
def test_what_a_client_said_is_there_whatever_it_is(odd: str) -> None:
    reaction = Reaction(Case("StartExecution", "AccessDenied"), exit=1, calls=1, said=odd, violations=(odd,))
    (suite,) = ElementTree.fromstring(junit.of_matrix(MatrixReport([], [reaction])))
    assert suite.attrib == {"name": "StartExecution", "tests": "1", "failures": "0", "errors": "0", "skipped": "0"}
    (printed,) = suite.iter("system-out")
    assert printed.text == f"failed: exit 1, calls 1\nviolation: {legal(odd)}\n{legal(odd)}"


@pytest.mark.parametrize("odd", [each for each in ODD if each != "\ud800"])
def test_the_names_of_flow_tests_are_there_whatever_they_are(odd: str, tmp_path: Path) -> None:
    report = ran(tmp_path, odd, "Failed")
    (suite,) = ElementTree.fromstring(junit.of_tests(report))
    assert suite.attrib | {"name": ""} == {"name": "", "tests": "1", "failures": "1", "errors": "0", "skipped": "0"}
    (case,) = suite
    assert (case.get("classname"), case.get("name"), case.get("line")) == ("f", legal(odd), str(report.results[0].line))
    (failure,) = case
    assert (failure.tag, failure.get("message")) == ("failure", "status not as expected")
    assert f"FAILED f: {legal(odd)} (" in (failure.text or "")


def ran(folder: Path, name: str, status: str) -> report_of:
    """The report of one test, whose flow succeeds."""
    file = folder / "a.yaml"
    definition = HEADS["states"] + "  - {Type: Succeed, Name: A}\n"
    flow = {"name": "f", "definition": definition}
    document = {"cfmock": 1, "flows": [flow], "tests": [{"name": name, "flow": "f", "expect": {"status": status}}]}
    file.write_text(json.dumps(document), encoding="utf-8")
    cases = gather([file])
    assert not cases.problems
    return report_of(cases, list(results(cases.fixtures, cases.tests)), Coverage())


def test_one_module_knows_the_form() -> None:
    package = Path(cfmock.__file__).parent
    assert [path.name for path in package.rglob("*.py") if "testsuite" in path.read_text(encoding="utf-8")] == [
        "junit.py"
    ]
