"""The pages of flow tests and of contract, on wide screens and narrow ones, light and dark: facts about their HTML and CSS."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from cfmock.base.json_text import json_text
from cfmock.tools.contract import report as matrix_page
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.plan import Case
from cfmock.tools.contract.report import MatrixReport
from cfmock.tools.flowtest import page as tests_page
from cfmock.tools.flowtest.cases import gather, results
from cfmock.tools.flowtest.coverage import Coverage
from cfmock.tools.flowtest.report import TestReport as report_of

LONG = "aVeryLongNameWithoutAnyBlanks" * 4
CJK = "大额订单需要经理审批并且在一天之内完成否则超时失败退款给客户再通知客服中心人员处理"
OPERATIONS = (
    "StartExecution",
    "DescribeExecution",
    "ListExecutions",
    "StopExecution",
    "CreateFlow",
    "DescribeFlow",
    "ListFlows",
)
VOID = {"meta", "meter", "br", "path", "rect", "circle", "polygon"}


class Page(HTMLParser):
    """Texts by the classes of the cells that hold them, and the rows of tables as numbers of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[tuple[dict[str, str | None], str]] = []
        self.rows: list[int] = []
        self.heads: list[list[str]] = []
        self.style = ""
        self.text = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag == "td":
            self.rows[-1] += 1
            self.cells.append((dict(attrs), ""))
        if tag == "tr" and ("class", "heads") in attrs:
            self.heads.append([])
        if tag == "th":
            self.heads[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._inside:
            self.style += data
            return
        self.text += data
        if "td" in self._inside:
            self.cells[-1] = (self.cells[-1][0], self.cells[-1][1] + data)
        if "th" in self._inside:
            self.heads[-1][-1] += data


def of_matrix(said: str = "") -> str:
    once = Reaction(Case("StartExecution", "AccessDenied"), exit=1, calls=1, said=said)
    reactions = [
        replace(once, case=Case(operation, code), **more)
        for operation in OPERATIONS
        for code, more in (
            ("AccessDenied", {"exit": 0}), ("ResourceThrottled", {"violations": (said or "x",)}),
            ("InternalServerError", {"timed_out": True, "spacing": (0.5, 1.0)}), ("FlowNotExists", {"seen": False}),
        )
    ]  # fmt: skip
    return matrix_page.page(MatrixReport(["client", said], reactions))


def of_tests(folder: Path, name: str = "a test") -> str:
    retry = {"Errors": ["A"], "MaxAttempts": 1, "IntervalSeconds": 1}
    task = {"Type": "Task", "Name": name, "Action": "FC:InvokeFunction", "Retry": [retry], "End": True}
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": name, "States": [task]}
    flow = {"name": "f" * 128, "definition": definition}
    test = {"name": name, "flow": "f" * 128, "expect": {"status": "Failed", "output": {name: name}}}
    (folder / "a.yaml").write_text(json_text({"cfmock": 1, "flows": [flow], "tests": [test]}), encoding="utf-8")
    cases = gather([folder / "a.yaml"])
    ran = list(results(cases.fixtures, cases.tests))
    covered = Coverage()
    covered.count_all(cases.fixtures.flows)
    for each in ran:
        covered.add(each.hits)
    return tests_page.page(report_of(cases, ran, covered))


@pytest.fixture(params=["matrix", "tests"])
def make(request: pytest.FixtureRequest, tmp_path: Path):
    """Makes a page in which a text stands wherever one of an author or a client may."""
    return of_matrix if request.param == "matrix" else lambda *name: of_tests(tmp_path, *name)


def rules(style: str) -> dict[str, str]:
    """The declarations for all screens, by selector."""
    plain = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", style)
    found: dict[str, str] = {}
    for each, body in re.findall(r"([^{}]+)\{([^{}]*)\}", plain):
        for selector in each.split(","):
            found[selector.strip()] = found.get(selector.strip(), "") + body
    return found


@pytest.mark.parametrize("text", [LONG, CJK], ids=["long", "CJK"])
def test_nothing_runs_off_the_page(make, text: str) -> None:
    page = Page(make(text))
    style = rules(page.style)
    assert "overflow-wrap: anywhere" in style["body"]
    assert "white-space: pre-wrap" in style["pre"]
    assert not re.search(r"overflow(-x)?: (auto|scroll|hidden)", page.style), (
        "what does not fit must not be out of sight"
    )
    kept = {selector for selector, body in style.items() if "nowrap" in body}
    assert kept == {"th", ".whole"}
    assert text in page.text
    whole = [words for given, words in page.cells if "whole" in (given.get("class") or "").split()]
    assert whole
    assert max(map(len, whole)) < 40
    assert all(len(head) < 40 for heads in page.heads for head in heads)
    assert max(page.rows) <= 7


def test_where_the_screen_is_narrow_cells_stand_below_one_another_and_name_their_columns(make) -> None:
    page = Page(make())
    (narrow,) = re.findall(r"@media \(max-width: 45rem\) \{(.*?\})\s*\}", page.style, re.DOTALL)
    assert "table, tbody, tr, td { display: block; }" in narrow
    assert "td[data-of]::before { content: attr(data-of)" in narrow
    assert ".whole { white-space: normal; }" in narrow
    heads = {head for heads in page.heads for head in heads}
    for given, words in page.cells:
        assert given.get("data-of") in heads | {None}
        if words.isdigit():
            assert given.get("data-of"), f"nobody knows what {words} is"


def test_every_sign_is_in_every_font(make) -> None:
    signs = {letter for letter in Page(make()).text if not letter.isascii()}
    assert {letter for letter in signs if ord(letter) > 0xFF} <= {"…", "–"}


def test_a_picture_is_as_wide_as_the_page_at_most(tmp_path: Path) -> None:
    page = Page(of_tests(tmp_path, LONG))
    style = rules(page.style)
    assert "max-width: 100%" in style[".picture svg"]
    assert "cf-title" not in of_tests(tmp_path).partition("</style>")[2].partition("<svg")[2].partition("</style>")[2]


def test_an_uncovered_retry_looks_otherwise_than_the_state_that_was_reached(tmp_path: Path) -> None:
    text = of_tests(tmp_path)
    assert re.search(r'<g class="cf-missed">\n<rect class="cf-page cf-rule"', text)
    assert re.search(r'<g class="cf-Task cf-reached"', text)
    colours = re.findall(
        r"\.cf-(reached|missed) > \.cf-rule \{ stroke: (#\w+); \}",
        re.sub(r"[^{}\n]*, (?=\.cf-reached > \.cf-rule)", "", text),
    )
    assert [name for name, _ in colours] == ["reached", "missed"] * 2  # light and dark
    assert len({colour for _, colour in colours}) == 4
    assert ".cf-missed > .cf-rule { stroke-dasharray" in text


def test_every_colour_is_there_for_light_and_dark(make) -> None:
    style = Page(make()).style
    light, dark = re.findall(r":root \{([^}]*)\}", style)
    known = [set(re.findall(r"(--\w+): #", each)) for each in (light, dark)]
    assert known[0] == known[1]
    assert set(re.findall(r"var\((--\w+)\)", style)) <= known[0]
    assert "color-scheme: light dark" in light


def test_the_overview_has_few_operations_abreast() -> None:
    heads = [heads[1:] for heads in Page(of_matrix()).heads if heads[1] in OPERATIONS]
    assert [name for some in heads for name in some] == list(OPERATIONS)
    assert [len(some) for some in heads] == [3, 4]
