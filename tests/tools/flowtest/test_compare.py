"""What is said of an execution that went otherwise than expected: cases in `cases/differences.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfmock.base import yaml_source
from cfmock.tools.flowtest.compare import seconds
from cfmock.tools.flowtest.report import failure
from tests.support.flowtests import run_one

FILE = Path(__file__).parent / "cases" / "differences.yaml"
CASES = yaml_source.parse(FILE.read_text(encoding="utf-8"), FILE.name).value


@pytest.mark.parametrize("case", [pytest.param(case, id=case["says"]) for case in CASES])
def test_a_difference_is_told(case):
    found = run_one(case["test"])
    told = [] if found.passed else failure(found)[1:]
    assert "\n".join(told).strip("\n") == case.get("told", "").strip("\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1.5, "1.5s"),
        (86400, "1d"),
        (7200, "2h"),
        (90, "90s"),
        (262800, "73h"),
        (60.5, "60.5s"),
        (0.0001, "0.1ms"),
    ],
)
def test_times_are_told_as_they_are_written(value, text):
    assert seconds(value) == text
