"""What is said of an execution that went otherwise than expected: cases in `cases/differences.yaml`."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest

from cfmock.base import yaml_source
from cfmock.fixtures.loader import load
from cfmock.tools.flowtest.cases import result
from cfmock.tools.flowtest.report import failure
from cfmock.tools.flowtest.run import FlowTestRunner
from tests.support.flowtests import run_one

FILE = Path(__file__).parent / "cases" / "differences.yaml"
CASES = yaml_source.parse(FILE.read_text(encoding="utf-8"), FILE.name).value


@pytest.mark.parametrize("case", [pytest.param(case, id=case["says"]) for case in CASES])
def test_a_difference_is_told(case):
    found = run_one(case["test"])
    told = [] if found.passed else failure(found)[1:]
    assert "\n".join(told).strip("\n") == case.get("told", "").strip("\n")


def test_of_a_large_output_some_lines_are_shown():
    items = ", ".join(f"k{number}: 1" for number in range(30))
    found = run_one(f"input: {{amount: 1}}\ntasks: {{Charge: [{{returns: {{Body: {{receipt: {{{items}}}}}}}}}]}}\n"
                    "expect: {output: {receipt: r1}}")  # fmt: skip
    (difference,) = found.differences
    assert difference.lines[-1] == "  ... 11 more"
    assert len(difference.lines) == 23


FLOW = """\
Type: StateMachine
Name: f
SpecVersion: v1
StartAt: {first}
States:
{states}
"""


def visits(wanted: str, entered: str, exact: bool) -> str:
    """What is told of a flow that enters these states, a letter each, one after the other."""
    states = "\n".join(
        f"  - {{Type: Pass, Name: {name}, {f'Next: {after}' if after else 'End: true'}}}"
        for name, after in [
            *zip_longest(entered, entered[1:]),
            *((name, "") for name in sorted({*wanted} - {*entered})),
        ]
    )
    definition = FLOW.format(first=entered[0], states=states)
    expect = {"visits": list(wanted), "exact": exact}
    fixture = {
        "cfmock": 1,
        "flows": [{"name": "f", "definition": definition}],
        "tests": [{"name": "t", "flow": "f", "expect": expect}],
    }
    fixtures = load([fixture])
    found = result(FlowTestRunner(fixtures), fixtures.tests[0])
    lines = [line for difference in found.differences for line in difference.lines]
    return " ".join(line.replace(" ", "") for line in lines[1:])


@pytest.mark.parametrize(
    ("wanted", "entered", "exact", "told"),
    [
        ("ABCD", "ACD", False, "A -B C D"),
        ("ACD", "ABCD", False, ""),
        ("ABCDEFGHI", "ABCDEFGI", False, "... E F G -H I"),
        ("ABCDEFGH", "BCDEFGH", False, "-A B C D ..."),
        ("ABCDEFGHIZ", "AqBCrDEFGHsIt", False, "... G H I -Z +t"),
        ("AZ", "ABCDEFGHIJKL", False, "A -Z +B +C +D +E +F +G +H +I ...3more"),
        ("ABCDEFGHIJ", "ABCDEFGHXJ", True, "... F G H -I +X J"),
        ("ABCDEFGHIJ", "XABCDEFGHIJ", True, "+X A B C ..."),
        ("ABCDEFGHIJ", "ABCDEFGHIJX", True, "... H I J +X"),
    ],
)
def test_of_the_visits_only_what_differs_is_told(wanted, entered, exact, told):
    assert visits(wanted, entered, exact) == told
