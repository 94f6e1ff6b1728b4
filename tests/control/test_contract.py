"""The last error matrix of a client, kept to be looked at."""

from __future__ import annotations

import pytest

from cfmock.control import contract
from cfmock.control.control import Control
from cfmock.control.part import ControlError, worked_out
from tests.support.calls import echo_flow, make_service

CASE = {"operation": "StartExecution", "code": "FlowNotExists", "exit": 1, "calls": 3, "spacing": [0.1, 0.2],
        "recovered": False, "seen": True}  # fmt: skip


@pytest.fixture
def control() -> Control:
    return Control(make_service(echo_flow()).emulator)


def test_the_last_matrix_is_kept_until_the_next_or_a_reset(control: Control) -> None:
    assert control.show_contract() is None
    before = control.emulator.shared.feed.number
    cases = [CASE, {**CASE, "code": None, "transport": "reset"}]
    worked_out(control.keep_contract({"command": "java -jar worker.jar", "cases": cases}))
    found = control.show_contract()
    assert found["command"] == "java -jar worker.jar"
    assert [(case["code"], case["transport"], case["said"]) for case in found["cases"]] == [
        ("FlowNotExists", None, ""), (None, "reset", ""),
    ]  # fmt: skip
    assert "fault" in {each["kind"] for each in control.follow_changes(before)}
    worked_out(control.keep_contract({"cases": []}))
    assert control.show_contract()["cases"] == []
    control.reset(scope=(None, "cn-shanghai"))
    assert control.show_contract() is not None
    control.reset()
    assert control.show_contract() is None


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (None, "is not a mapping"),
        ({}, "'cases' is missing"),
        ({"cases": [{**CASE, "operation": "StartExecuton"}]}, "did you mean 'StartExecution'"),
        ({"cases": [{"operation": "StartExecution"}]}, "'exit' is missing"),
        ({"cases": [CASE, CASE]}, "at most 1 cases"),
    ],
)
def test_what_is_no_matrix_is_refused_with_its_mistake(
    control: Control, monkeypatch: pytest.MonkeyPatch, report: object, words: str
) -> None:
    monkeypatch.setattr(contract, "MAX_CASES", 1)
    with pytest.raises(ControlError, match=words):
        worked_out(control.keep_contract(report))
    assert control.show_contract() is None
