"""What is added to a server at work has a bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from cfmock.control import flows, part
from cfmock.control.control import Control
from cfmock.control.part import ControlError
from cfmock.emulator import emulator as emulators
from cfmock.emulator import worlds as worlds_module
from cfmock.emulator.worlds import pause
from cfmock.engine.expr import Effort
from cfmock.service import outcomes
from tests.support.calls import echo_flow, make_service, task_flow

TASK = task_flow("A")["flows"][0]["definition"]
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
    monkeypatch.setattr(part, "MAX_ADDED", 75_000)
    control = Control(make_service(echo_flow({})).emulator)
    for _ in range(3):
        add(control)
    with pytest.raises(ControlError, match=r"what was added since the start takes [67]\d+ bytes, .* reset the server"):
        add(control)
    control.reset()
    assert control.emulator.worlds.added == 0
    add(control)


KEY = {"access_key_id": "k", "access_key_secret": "s"}
FLOW = {"name": "f", "definition": TASK}
RULES: dict[str, tuple[str, list[Callable[[Control, int], Any]]]] = {
    "fault rules": ("fault rules and patterns in them", [
        lambda control, count: [control.add_fault({"error": "AccessDenied", "times": 1}) for _ in range(count)],
        lambda control, count: control.load({"cfmock": 1, "faults": [{"error": "AccessDenied", "times": 1}] * count}),
        lambda control, count: control.add_fault({"error": "AccessDenied", "when": {"flow": ["a", "b*", "c", "d"][:count]}}),
    ]),
    "outcomes": ("outcomes of flow 'f'", [
        lambda control, count: [control.add_outcome({"flow": "f", "output": {}, "times": 1}) for _ in range(count)],
        lambda control, count: control.load({"cfmock": 1, "flows": [{**FLOW, "outcomes": [{"times": 1}] * count}]}),
    ]),
    "mocks": ("mocks of task 'A' of flow 'f'", [
        lambda control, count: [
            control.add_mocks({"flow": "f", "task": "A", "mocks": [{"returns": {}, "times": 1}]}) for _ in range(count)
        ],
        lambda control, count: control.add_mocks({"flow": "f", "task": "A", "mocks": [{"waits": True}] * count}),
        lambda control, count: control.load(
            {"cfmock": 1, "flows": [{**FLOW, "tasks": {"A": [{"returns": {}, "times": 1}] * count}}]}
        ),
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("what", "ways"), RULES.values(), ids=RULES)
def test_calls_pass_by_so_many_rules(
    what: str, ways: list[Callable[[Control, int], Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "MAX_RULES", 3)
    for add in ways:
        control = Control(make_service({"cfmock": 1, "flows": [FLOW]}).emulator)
        add(control, 3)
        with pytest.raises(ControlError, match=f"no more than 3 {what} can be added: reset the server"):
            add(control, 4)
        control.reset()
        add(control, 3)


def test_a_document_has_so_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "MAX_ENTRIES", 3)
    control = Control(make_service(echo_flow({})).emulator)
    executions = [{"name": f"e{number}", "status": "Succeeded"} for number in range(3)]
    with pytest.raises(ControlError, match="a document has at most 3 flows, executions and other entries; it has 4"):
        control.load({"cfmock": 1, "flows": [{"name": "f", "executions": executions}]})
    control.load({"cfmock": 1, "flows": [{"name": "f", "executions": executions[:2]}]})
    assert control.emulator.worlds.added > 3_000, "what it makes takes more than it is long"


def test_a_document_with_too_many_flows_adds_none() -> None:
    control = Control(make_service(echo_flow({}), max_flows=3).emulator)
    with pytest.raises(ControlError, match=r"there would be 4 flows, and an account may have 3 \(max_flows\)"):
        control.load({"cfmock": 1, "flows": [{"name": name} for name in ("a", "echo", "b", "c")]})
    assert control.flow_names() == {"echo"}
    control.load({"cfmock": 1, "flows": [{"name": name} for name in ("a", "echo", "b")]})


def test_keys_of_so_many_accounts_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "MAX_ACCOUNTS", 2)
    control = Control(make_service(echo_flow({})).emulator)
    monkeypatch.setattr(part, "MAX_RULES", 1)
    with pytest.raises(ControlError, match="no more than 1 patterns of `allow` of key 'k'"):
        control.load({"cfmock": 1, "credentials": [{**KEY, "allow": ["fnf:Get*", "fnf:List*"]}]})

    def add(*accounts: str) -> None:
        keys = [{"access_key_id": f"k{each}", "access_key_secret": "s", "account": each} for each in accounts]
        control.load({"cfmock": 1, "credentials": keys})

    add("1", "2")
    add("2")
    with pytest.raises(ControlError, match="keys of no more than 2 accounts can be added"):
        add("3")


def test_others_have_their_turn_while_worlds_get_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds_module, "Slice", lambda: SimpleNamespace(over=lambda: True))
    service = make_service(echo_flow({}))
    control, worlds = Control(service.emulator), service.emulator.worlds
    worlds.of("", "cn-beijing")

    def loading() -> Iterator[int]:
        steps = control.load_in_steps({"cfmock": 1, "flows": [{"name": "f"}, {"name": "g"}]})
        work = steps.send(next(steps)())
        while work is pause:
            yield sum(len(world.flow_names()) for world in worlds)
            work = next(steps, None)  # type: ignore[assignment]

    assert list(loading()) == [3, 4, 5, 6]
    steps = loading()
    next(steps)
    control.reset()
    assert list(steps) == [], "there is nothing left that it is for"
    assert [world.flow_names() for world in worlds] == [["echo"]]


def test_what_is_gone_is_not_held_on_to() -> None:
    control = Control(make_service(echo_flow({})).emulator)
    faults = [control.add_fault({"error": "AccessDenied", "name": f"n{number}"})["id"] for number in range(2)]
    control.add_outcome({"flow": "echo", "output": {"a": LONG}})
    control.add_mocks({"flow": "later", "task": "T", "mocks": [{"returns": {"a": LONG}}]})
    control.remove_fault(faults[0])
    control.clear_faults()
    control.reset()
    told = control.setups.unused()
    assert (told.certain, len(told.other)) == ((), 4)
    held = [each for setup in control.setups._all for each in (setup.nearest, *setup.faults, *setup.uses)]
    assert max(len(repr(each)) for each in held) < 500
    assert not [each for each in held if getattr(each, "__closure__", None) and LONG in repr(cells(each))]


def cells(function: Any) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__]


def test_small_values_count_for_what_they_take() -> None:
    control = Control(make_service(echo_flow({})).emulator)
    control.add_outcome({"flow": "echo", "output": {"a": [{}] * 1_000}})
    assert control.emulator.worlds.added > 64 * 1_000


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


def test_an_outcome_of_too_much_is_told_of_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "Effort", partial(Effort, left=1_000))
    service = make_service(echo_flow())
    Control(service.emulator).add_outcome({"flow": "echo", "output": {"a": [{"b": 1}] * 2_000}})
    service("StartExecution", FlowName="echo", ExecutionName="e")
    assert service("DescribeExecution", FlowName="echo", ExecutionName="e")["Status"] == "Failed"


def test_an_execution_has_no_larger_input_than_a_request() -> None:
    control = Control(make_service(echo_flow()).emulator)
    with pytest.raises(ControlError, match="EntityTooLarge"):
        control.start_execution({"flow": "echo", "input": {"a": "x" * 1_048_576}})
