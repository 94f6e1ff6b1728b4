"""Outcomes and mocks in fixtures that never have their turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow
from cfmock.tools.checks.report import Selection, check
from tests.support.calls import task_flow

WHEN: dict[str, Any] = {"when": {"execution": "a"}}
FAILS: dict[str, Any] = {"fails": {"code": "E"}}

FOUND = {
    "an outcome": ({"outcomes": [{}, {"status": "Failed"}]}, {}, "outcome", 1),
    "the first of many": ({"outcomes": [WHEN, {"times": 1}, {}, {}, {}]}, {}, "outcome", 3),
    "an empty `when`": ({"outcomes": [{"when": {}}, {}]}, {}, "outcome", 1),
    "a mock": ({"tasks": {"Charge": [{"waits": True}, FAILS]}}, {}, "mock of task 'Charge'", 1),
    "a mock of a test": ({}, {"tasks": {"Charge": [{"returns": {}}, FAILS]}}, "mock of task 'Charge'", 1),
}
SOUND = {
    "a last one": {"outcomes": [WHEN, {"times": 2}, {}], "tasks": {"Charge": [{**FAILS, "times": 1}, FAILS]}},
    "one that is ignored": {"outcomes": [{}, {}], "ignore": ["CF122"]},
}


def document(flow: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    fixture = task_flow("Charge")
    return {
        "cfmock": 1,
        "flows": [{**fixture["flows"][0], **flow}],
        "tests": [{"name": "t", "flow": fixture["flows"][0]["name"], **test}],
    }


def findings(folder: Path, flow: dict[str, Any], test: dict[str, Any]) -> list[str]:
    path = folder / "f.json"
    path.write_text(json.dumps(document(flow, test), indent=1))
    report = check([str(path)], Selection())
    assert not report.mistaken
    return [issue.message for issue in report.issues if issue.code == "CF122"]


@pytest.mark.parametrize("name", FOUND)
def test_what_is_never_used_is_found_and_warned_of_when_it_is_loaded(name: str, tmp_path: Path) -> None:
    flow, test, what, number = FOUND[name]
    words = f"this {what} is never used: number {number} before it has neither `when` nor `times`"
    assert findings(tmp_path, flow, test) == [words]
    with CloudFlow(document(flow, test)) as cf:
        (warning,) = cf.warnings
        assert words in warning
        cf.load(document({**flow, "name": "other"}, {**test, "flow": "other"}))
        assert len(cf.warnings) == 2


@pytest.mark.parametrize("name", SOUND)
def test_what_may_have_its_turn_is_not_told(name: str, tmp_path: Path) -> None:
    assert findings(tmp_path, SOUND[name], {}) == []
