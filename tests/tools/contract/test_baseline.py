"""The accepted matrix: read, compared, written anew."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from cfmock.base.errors import SourceError
from cfmock.tools.contract.baseline import differences, read, text
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.plan import Case, CaseSelection
from cfmock.tools.contract.report import MatrixReport, document

THROTTLED = Reaction(Case("StartExecution", "ResourceThrottled"), exit=0, calls=2, spacing=(0.5,), recovered=True)
DENIED = Reaction(Case("StartExecution", "AccessDenied"), exit=1, calls=1)
RESET = Reaction(Case("StartExecution", transport="reset"), exit=1, calls=1)
POLLED = Reaction(Case("DescribeExecution", "AccessDenied"), exit=1, calls=5, polls=3)
ALL = [THROTTLED, DENIED, RESET, POLLED]
ANY = CaseSelection().covers


def accepted(*reactions: Reaction):
    return read(text([], reactions, ANY).encode(), "a.json")


def told(before, after, covers=ANY) -> list[str]:
    return [str(each) for each in differences(accepted(*before), after, covers)]


def test_the_same_again_is_no_difference_whatever_its_timing():
    again = [
        replace(THROTTLED, spacing=(0.9,), seconds=3.0, said="x"),
        DENIED,
        RESET,
        replace(POLLED, calls=9, polls=7),
    ]
    assert told(ALL, again) == []


def test_a_report_as_json_can_be_accepted_as_it_is():
    assert differences(read(document(MatrixReport(["x"], ALL)).encode(), "report.json"), ALL, ANY) == []


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (
            replace(THROTTLED, exit=1, calls=1, spacing=(), recovered=False),
            "recovered -> failed, exit 0 -> 1, calls 2 -> 1, retries 1 -> 0",
        ),
        (replace(THROTTLED, calls=4, spacing=(1.0, 1.0, 1.0)), "calls 2 -> 4, retries 1 -> 3"),
        (
            replace(THROTTLED, exit=143, timed_out=True, recovered=False),
            "recovered -> timed out, exit 0 -> 143, calls 2 -> 0, retries 1 -> 0",
        ),
        (
            replace(THROTTLED, seen=False, spacing=(), calls=0, recovered=False),
            "recovered -> not met, calls 2 -> 0, retries 1 -> 0",
        ),
    ],
)
def test_a_change_says_what_it_was_and_what_it_is(after, line):
    assert told([THROTTLED], [after]) == [f"StartExecution ResourceThrottled: {line}"]


def test_new_and_gone_cases_are_changes():
    assert told([DENIED], [RESET]) == [
        "StartExecution reset: not accepted yet: failed, exit 1, calls 1, retries 0",
        "StartExecution AccessDenied: this case no longer exists: failed, exit 1, calls 1, retries 0",
    ]


def test_what_was_not_asked_for_is_not_gone_and_stays_in_the_file():
    wanted = CaseSelection.of([], ["AccessDenied"])
    changed = [replace(DENIED, exit=2), POLLED]
    assert told(ALL, changed, wanted.covers) == ["StartExecution AccessDenied: exit 1 -> 2"]
    written = json.loads(text(accepted(*ALL), changed, wanted.covers))["cases"]
    assert [(case["code"] or case["transport"], case["exit"]) for case in written] == [
        ("AccessDenied", 1), ("AccessDenied", 2), ("ResourceThrottled", 0), ("reset", 1),
    ]  # fmt: skip


def test_what_has_not_changed_is_written_as_it_stood():
    before = text([], ALL, ANY)
    again = [replace(each, spacing=tuple(gap * 2 for gap in each.spacing), calls=each.calls + 1, polls=each.polls + 1)
             for each in ALL]  # fmt: skip
    assert text(read(before.encode(), "a.json"), again, ANY) == before
    after = text(read(before.encode(), "a.json"), [replace(THROTTLED, exit=3), *again[1:]], ANY)
    assert len(set(after.splitlines()) - set(before.splitlines())) == 1


def test_the_file_is_sorted_a_line_for_each_case():
    lines = text([], [RESET, THROTTLED, POLLED, DENIED], ANY).splitlines()
    assert lines[0] == '{"cases": ['
    assert lines[-1] == "]}"
    assert [json.loads(line.strip(" ,"))["operation"][0] for line in lines[1:-1]] == ["D", "S", "S", "S"]
    assert lines == text([], ALL, ANY).splitlines()
    assert json.loads(text([], [], ANY)) == {"cases": []}


def test_every_mistake_is_told_with_its_place():
    wrong = (
        '{"cases": [\n'
        '  {"operation": "StartExecutions", "code": "AccessDenied", "exit": 1, "calls": 1, "spacing": [],\n'
        '   "recovered": false, "seen": true},\n'
        '  {"operation": "ListFlows", "exit": "x", "calls": 1, "spacing": [-1], "recovered": 0, "sen": true}\n'
        "]}\n"
    )
    with pytest.raises(SourceError) as caught:
        read(wrong.encode(), "a.json")
    assert str(caught.value).splitlines() == [
        "a.json:2:4: cases[0].operation: 'StartExecutions' is not an operation (did you mean 'StartExecution'?)",
        "a.json:4:3: cases[1]: 'seen' is missing",
        "a.json:4:30: cases[1].exit: 'x' is not a whole number from 0 to 255",
        "a.json:4:67: cases[1].spacing[0]: -1 is not a number from 0 to 1e+09",
        "a.json:4:72: cases[1].recovered: 0 is not true or false",
        "a.json:4:88: cases[1].sen: unknown key 'sen' (did you mean 'seen'?)",
    ]


CASE = '{"operation": "ListFlows", "exit": 1, "calls": 1, "spacing": [], "recovered": false, "seen": true%s}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "a.json:1:1: None is not a mapping with cases"),
        ("[]", "a.json:1:1: [] is not a mapping with cases"),
        ('{"cases": [', "a.json:1:12: not JSON"),
        ("<<<<<<< HEAD\n{", "a.json:"),
        (f'{{"cases": [{CASE % ""}]}}', "a.json:1:12: cases[0]: has either a code or a transport"),
        (
            f'{{"cases": [{CASE % ", %scode%s: %sAccessDenied%s, %stransport%s: %sreset%s".replace("%s", chr(34))}]}}',
            "a.json:1:12: cases[0]: has either a code or a transport",
        ),
        (
            '{"cases": [\n' + ",\n".join([CASE % ', "transport": "reset"'] * 2) + "\n]}",
            "a.json:3:1: cases[1]: ListFlows reset is there twice",
        ),
    ],
)
def test_a_file_that_is_no_matrix_is_refused(content, said):
    with pytest.raises(SourceError) as caught:
        read(content.encode(), "a.json")
    assert str(caught.value).startswith(said)
