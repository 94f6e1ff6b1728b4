"""Lists of executions: in pages, newest first, of all flows and worlds."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.control import executions
from cfmock.control.control import Control
from cfmock.control.part import ControlError
from cfmock.service import overview
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import World
from tests.support.calls import Service, echo_flow, make_service, task_flow

KEYS = [{"access_key_id": name, "access_key_secret": "s", "account": name} for name in ("one", "two")]
FLOWS = [*echo_flow()["flows"], *echo_flow({"when": {"execution": "bad-*"}, "status": "Failed"}, name="other")["flows"]]


@pytest.fixture
def service() -> Service:
    return make_service({"credentials": KEYS, "flows": FLOWS})


@pytest.fixture
def control(service: Service) -> Control:
    return Control(service.emulator)


def start(service: Service, *names: str, flow: str = "echo") -> None:
    for name in names:
        service("StartExecution", FlowName=flow, ExecutionName=name)


def names(control: Control, **asked: Any) -> list[list[str]]:
    """The names on each page, to the last."""
    pages, after = [], None
    while True:
        answer = control.list_executions(after=after, **asked)
        pages.append([each["name"] for each in answer["executions"]])
        after = answer.get("next")
        if after is None:
            return pages


def test_the_newest_come_first_over_all_flows_and_worlds(service: Service, control: Control) -> None:
    two = Service(service.emulator, 1)
    for number, (each, flow) in enumerate([(two, "echo"), (service, "other"), (service, "echo"), (two, "other")]):
        start(each, f"e{number}", flow=flow)
        list(control.steps(1))
    assert names(control) == [["e3", "e2", "e1", "e0"]]
    assert names(control, flow="echo", limit=1) == [["e2"], ["e0"]]
    assert names(control, scope=("two", None)) == [["e3", "e0"]]


def test_pages_hold_each_once_where_worlds_share_start_and_number(service: Service, control: Control) -> None:
    two = Service(service.emulator, 1)
    for number in range(5):  # the clock stands: all at one moment, numbered alike in both worlds
        start(service, f"a{number}")
        start(two, f"b{number}")
    for limit in (1, 2, 3, 7):
        pages = names(control, limit=limit)
        assert {len(page) for page in pages[:-1]} == {limit}
        assert [name for page in pages for name in page] == [
            f"{letter}{number}" for number in (4, 3, 2, 1, 0) for letter in "ba"
        ]


def test_a_page_goes_on_where_the_one_before_ended_whatever_has_come_since(service: Service, control: Control) -> None:
    start(service, "e1", "e2", "e3")
    first = control.list_executions(limit=2)
    start(service, "e4")
    second = control.list_executions(limit=2, after=first["next"])
    assert [[each["name"] for each in page["executions"]] for page in (first, second)] == [["e3", "e2"], ["e1"]]


def test_filters_may_be_combined(service: Service, control: Control) -> None:
    start(service, "bad-1", "ok-1", "bad-2", flow="other")
    start(service, "bad-3")
    assert names(control, status="Failed") == [["bad-2", "bad-1"]]
    assert names(control, prefix="bad-", limit=2) == [["bad-3", "bad-2"], ["bad-1"]]
    assert names(control, prefix="bad-", status="Succeeded", flow="echo") == [["bad-3"]]
    assert names(control, prefix="nothing") == [[]]


def test_the_flow_may_be_a_glob(service: Service, control: Control) -> None:
    start(service, "a", flow="other")
    start(service, "b")
    assert names(control, flow="*the*") == [["a"]]
    assert names(control, flow="*") == [["b", "a"]]
    found = control.list_executions(flow="no-such-*")
    assert (found["executions"], found["counts"]) == ([], {})


def test_a_prefix_of_very_many_is_looked_for_within_a_bound(
    service: Service, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(service, *(f"a{number}" for number in range(9)), *(f"b{number}" for number in range(9)))
    every = [[f"a{number}" for number in range(8, -1, -1)]]
    assert names(control, prefix="a") == every
    monkeypatch.setattr(overview, "MAX_MATCHES", 5)
    assert names(control, prefix="a") == every
    monkeypatch.setattr(overview, "MAX_LOOKED_AT", 4)
    assert [name for page in names(control, prefix="a") for name in page] == every[0]
    assert names(control, prefix="a")[:2] == [[], []]  # short, and not the last


def test_an_execution_in_short(service: Service, control: Control) -> None:
    start(service, "bad-1", flow="other")
    (found,) = control.list_executions()["executions"]
    assert found == {
        "flow": "other", "name": "bad-1", "status": "Failed", "started": "2024-06-01T00:00:00.000Z",
        "stopped": "2024-06-01T00:00:00.000Z", "error": {"code": "FnF.Failed", "detail": ""}, "waits": None, "parent": None,
        "account": "one", "region": "cn-hangzhou",
    }  # fmt: skip


@pytest.mark.parametrize("after", ["", "x", "1.2", "1.2.cn-hangzhou", "-1.2.r.a", "1.2.r.a\n", "9" * 30 + ".1.r.a"])
def test_what_no_page_named_is_refused(control: Control, after: str) -> None:
    with pytest.raises(ControlError, match=r"^after: "):
        control.list_executions(after=after)


def test_a_page_costs_its_length(service: Service, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    start(service, *(f"e{number}" for number in range(300)))
    looked_at: list[str] = []

    def found(place: overview.ListPlace, world: World, row: ExecutionRow) -> overview.Found:
        looked_at.append(row.name)
        return real(place, world, row)

    real = overview.Found
    monkeypatch.setattr(overview, "Found", found)
    control.list_executions(limit=10)
    assert looked_at == [f"e{number}" for number in range(299, 288, -1)]


def test_a_page_has_counts_by_status_of_all_that_its_flows_have(service: Service, control: Control) -> None:
    start(service, "a", "b")
    start(service, "good-1", "bad-1", flow="other")
    done = control.list_executions(flow="echo")["counts"]
    assert done == {"Succeeded": 2}
    everything = control.list_executions(limit=1)["counts"]
    assert everything["Failed"] == 1
    assert sum(everything.values()) == 4
    assert control.list_executions(flow="echo", status="Failed")["counts"] == done


def test_the_oldest_waiting_tasks_are_told_of_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "MAX_TASKS", 2)
    service = make_service(task_flow("A"), unmocked_tasks="fail", clock="virtual")
    control = Control(service.emulator)
    control.add_mocks({"flow": "order", "task": "A", "mocks": [{"waits": True}]})
    for name in "cab":
        service("StartExecution", FlowName="order", ExecutionName=name)
        list(control.steps(1))
    assert [task["execution"] for task in control.list_tasks()] == ["c", "a"]
