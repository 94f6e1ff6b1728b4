"""When schedules run: `cases/cron.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cfmock.base.time_text import parse_time
from cfmock.base.yaml_source import parse
from cfmock.service import cron

CASES: list[dict[str, Any]] = parse((Path(__file__).parent / "cases/cron.yaml").read_bytes(), "cron.yaml").value


@pytest.mark.parametrize("case", [case for case in CASES if "next" in case], ids=lambda case: case["cron"])
def test_runs_follow_one_another(case: dict[str, Any]) -> None:
    rule = cron.parse(case["cron"])
    moment = parse_time(case.get("at", "2024-06-01T00:00:00Z"))
    for expected in case["next"]:
        moment = rule.after(moment)
        assert moment == parse_time(expected)


@pytest.mark.parametrize("case", [case for case in CASES if "refused" in case], ids=lambda case: case["cron"])
def test_a_wrong_expression_is_refused_naming_what_is_wrong(case: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        cron.parse(case["cron"])
    assert case["refused"] in str(caught.value)


def test_a_case_either_runs_or_is_refused() -> None:
    assert all(("next" in case) != ("refused" in case) for case in CASES)
