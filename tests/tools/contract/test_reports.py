"""The matrix as table, JUnit and page."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from cfmock.tools import junit
from cfmock.tools.contract.baseline import MatrixDifference
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.plan import Case
from cfmock.tools.contract.report import MatrixReport, footer, page, retries, rows

RECOVERED = Reaction(
    Case("StartExecution", "ResourceThrottled"), exit=0, calls=3, spacing=(0.512, 12.3), recovered=True, seconds=13.0
)
FAILED = Reaction(
    Case("StartExecution", transport="reset"), exit=139, calls=1, said="<b>&\x00", violations=("success assumed",)
)
UNMET = Reaction(Case("ListFlows", "AccessDenied"), exit=0, calls=2, seen=False)
GONE = MatrixDifference(Case("ListFlows", transport="hang"), FAILED.facts, None)
CHANGED = MatrixDifference(RECOVERED.case, FAILED.facts, RECOVERED.facts)

PLAIN = MatrixReport(["python", "a client.py"], [RECOVERED, FAILED, UNMET])
COMPARED = replace(PLAIN, differences=[CHANGED, GONE])


def test_the_table_has_a_row_for_each_case():
    assert [row[:6] for row in rows(PLAIN)] == [
        ("StartExecution", "ResourceThrottled", "recovered", "0", "3", "2 (510ms, 12s)"),
        ("StartExecution", "reset", "failed", "139", "1", ""),
        ("ListFlows", "AccessDenied", "not met", "0", "2", ""),
    ]


def test_under_the_table_stand_violations_and_the_sum():
    assert footer(PLAIN) == [
        "", "StartExecution reset: violation: success assumed", "", "3 cases: 1 recovered, 1 failed, 1 not met",
    ]  # fmt: skip
    assert footer(replace(COMPARED, reactions=[RECOVERED])) == ["", "1 case: 1 recovered; 2 not as accepted"]
    assert footer(MatrixReport([], [RECOVERED], []))[-1].endswith("; none not as accepted")


@pytest.mark.parametrize(("spacing", "said"), [((), ""), ((0.02,), "1 (20ms)"), ((1, 2.5), "2 (1s, 2.5s)")])
def test_retries_in_words(spacing, said):
    assert retries(replace(RECOVERED, spacing=spacing)) == said


def test_in_junit_nothing_fails_that_was_not_to_be_compared():
    root = ElementTree.fromstring(junit.of_matrix(PLAIN))
    assert [suite.get("name") for suite in root] == ["StartExecution", "ListFlows"]
    assert {suite.get("failures") for suite in root} == {"0"}
    assert [case.get("name") for case in root.iter("testcase")] == ["ResourceThrottled", "reset", "AccessDenied"]
    assert [skipped.get("message") for skipped in root.iter("skipped")] == ["the call was not made"]
    said = [out.text for out in root.iter("system-out")]
    assert said[0] == "recovered: exit 0, calls 3\nretries: 2 (510ms, 12s)"
    assert said[1] == "failed: exit 139, calls 1\nviolation: success assumed\n<b>&\ufffd"


def test_in_junit_what_is_not_as_accepted_fails_also_what_is_gone():
    root = ElementTree.fromstring(junit.of_matrix(COMPARED))
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("StartExecution", "2", "1"), ("ListFlows", "2", "1"),
    ]  # fmt: skip
    assert [failure.get("message") for failure in root.iter("failure")] == [str(CHANGED), str(GONE)]


class Page(HTMLParser):
    """What a browser would load, and the text of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href") and not value.startswith("#")]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("report", [PLAIN, COMPARED])
def test_the_page_is_whole_and_loads_and_runs_nothing(report):
    shown = Page(page(report))
    assert shown.loads == []
    assert not {"script", "link", "img", "b"} & set(shown.tags)
    assert "url(" not in shown.text
    assert "@import" not in shown.text
    assert all(
        each in shown.text for each in ("python 'a client.py'", "<b>&\ufffd", "2 (510ms, 12s)", "success assumed")
    )
    assert ("Not as accepted" in shown.text) is (report is COMPARED)
    assert (str(GONE) in shown.text) is (report is COMPARED)


def test_the_overview_has_codes_before_connection_faults():
    text = Page(page(PLAIN)).text
    assert text.index("AccessDenied") < text.index("reset")
