"""What is added to a server at work has a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cfmock.control import part
from cfmock.control.control import Control
from cfmock.control.part import ControlError
from tests.support.calls import echo_flow, make_service

LONG = "x" * 10_000
ADD: dict[str, Callable[[Control], Any]] = {
    "fixtures": lambda control: control.load(
        {"cfmock": 1, "flows": [{"name": "echo", "outcomes": [{"output": {"a": LONG}}]}]}
    ),
    "credentials": lambda control: control.load(
        {"cfmock": 1, "credentials": [{"access_key_id": "k", "access_key_secret": LONG}]}
    ),
    "outcomes": lambda control: control.add_outcome({"flow": "echo", "output": {"a": LONG}}),
    "mocks": lambda control: control.add_mocks({"flow": "later", "task": "T", "mocks": [{"returns": {"a": LONG}}]}),
    "faults": lambda control: control.add_fault(
        {"when": {"operation": "*"}, "custom_error": {"status": 400, "code": "C", "message": LONG}}
    ),
}


@pytest.mark.parametrize("add", ADD.values(), ids=ADD)
def test_there_is_a_bound(add: Callable[[Control], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "MAX_ADDED", 35_000)
    control = Control(make_service(echo_flow({})).emulator)
    for _ in range(3):
        add(control)
    with pytest.raises(ControlError, match=r"what was added since the start takes 3\d+ bytes, .* reset the server"):
        add(control)
    control.reset()
    assert control.emulator.worlds.added == 0
    add(control)


def test_faults_that_are_removed_count_no_longer() -> None:
    control = Control(make_service(echo_flow({})).emulator)
    for _ in range(3):
        added = control.add_fault({"when": {"operation": "*"}, "error": "AccessDenied"})
        control.remove_fault(added["id"])
    assert control.emulator.worlds.added == 0
    for _ in range(3):
        control.add_fault({"when": {"operation": "*"}, "error": "AccessDenied"})
    control.clear_faults()
    assert control.emulator.worlds.added < 300
