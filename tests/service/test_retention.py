"""Executions that have ended are dropped, the oldest first, when there are too many or when they take too much."""

from __future__ import annotations

import gc
import json
import logging
import random
import tracemalloc
from typing import Any

import pytest

from cfmock.control.control import Control
from cfmock.service import world as worlds
from cfmock.service.retention import _size
from cfmock.service.store.memory import SortedBlocks
from cfmock.service.world import World
from tests.support.calls import PASS, Service, echo_flow, make_service, task_flow

KIB = 1024
ENDS_LATER = {"when": {"execution": "later*"}, "after": "1h"}
RUNS = {"when": {"execution": "runs*"}, "status": "Running"}


def start(service: Service, *names: str, flow: str = "echo", **more: Any) -> None:
    for name in names:
        service("StartExecution", FlowName=flow, ExecutionName=name, **more)


def listed(service: Service, flow: str = "echo", **more: Any) -> list[str]:
    return [each["Name"] for each in service("ListExecutions", FlowName=flow, **more)["Executions"]]


def world_of(service: Service) -> World:
    return service.emulator.worlds.default()


def refused(service: Service, name: str, flow: str = "echo", **more: Any) -> tuple[str, int | None]:
    error = service.refusal("StartExecution", FlowName=flow, ExecutionName=name, **more)
    return error.code, error.status


def checked(service: Service) -> int:
    """The bytes that are counted, which are those of the executions that there are."""
    memory = service.emulator.memory
    running = [size for one in memory.retentions for _, size in one._running.values()]
    ended = [_size(row) for one in memory.retentions for row in one.finished if row.serial not in one._gone]
    kept = running + ended
    assert memory.bytes == sum(kept) + sum(size for _, size in memory._flows.values())
    assert sum(one.count for one in memory.retentions) == len(kept) == sum(used for used, _ in memory._flows.values())
    return memory.bytes


# -- how many ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcomes", [(), ({"output": {"a": 1}},)], ids=["definition", "outcome"])
def test_the_oldest_that_have_ended_go_first(outcomes: tuple[Any, ...]) -> None:
    service = make_service(echo_flow(*outcomes), keep_executions=3)
    start(service, "a", "b", "c", "d", "e")
    assert listed(service) == ["e", "d", "c"]
    assert listed(service, ExecutionNamePrefix="c") == ["c"]
    checked(service)


def test_the_oldest_is_the_one_that_ended_first() -> None:
    service = make_service(echo_flow(ENDS_LATER), keep_executions=3)
    start(service, "later", "a", "b")
    service.emulator.time.advance_to(service.emulator.clock.now() + 3600)
    start(service, "c", "d")
    assert listed(service) == ["d", "c", "later"]


def test_a_dropped_execution_is_as_if_it_had_never_been() -> None:
    service = make_service(echo_flow(), keep_executions=2)
    start(service, "a", "b", "c")
    for operation in ("DescribeExecution", "GetExecutionHistory", "StopExecution"):
        assert service.refusal(operation, FlowName="echo", ExecutionName="a").code == "ExecutionNotExists"
    assert service("StartExecution", FlowName="echo", ExecutionName="a", Input='{"again": true}')["Status"] == "Running"
    assert service("DescribeExecution", FlowName="echo", ExecutionName="a")["Input"] == '{"again": true}'
    assert listed(service) == ["a", "c"]


def test_page_tokens_go_on_behind_what_was_dropped() -> None:
    service = make_service(echo_flow(), keep_executions=6)
    start(service, *"abcdef")
    newest = service("ListExecutions", FlowName="echo", Limit=3)
    assert [each["Name"] for each in newest["Executions"]] == ["f", "e", "d"]
    start(service, "g", "h")  # a and b go, and the token names c
    assert listed(service, NextToken=newest["NextToken"]) == ["c"]
    start(service, "i")
    assert listed(service, NextToken=newest["NextToken"]) == []
    by_name = service("ListExecutions", FlowName="echo", ExecutionNamePrefix="e", Limit=1)
    assert "NextToken" not in by_name


def test_what_runs_counts_too_and_leaves_no_room_at_last() -> None:
    service = make_service(echo_flow(RUNS), keep_executions=3)
    start(service, "runs-1", "a", "runs-2", "runs-3")
    assert listed(service) == ["runs-3", "runs-2", "runs-1"]
    assert refused(service, "b") == ("ResourceThrottled", 429)
    assert service("StartExecution", FlowName="echo", ExecutionName="runs-1")["Status"] == "Running"
    service("StopExecution", FlowName="echo", ExecutionName="runs-2")
    start(service, "b")
    assert listed(service) == ["b", "runs-3", "runs-1"]
    checked(service)


def test_what_fixtures_write_stays_and_does_not_count() -> None:
    written = [
        {"name": "w1", "status": "Succeeded"},
        {"name": "w2", "status": "Running"},
        {"name": "w3", "status": "Failed"},
    ]
    service = make_service(echo_flow(executions=written), keep_executions=1)
    service("StopExecution", FlowName="echo", ExecutionName="w2")
    start(service, "a", "b", "c")
    assert sorted(listed(service)) == ["c", "w1", "w2", "w3"]


def test_each_world_keeps_as_many() -> None:
    service = make_service(echo_flow(), keep_executions=2)
    start(service, "a", "b")
    start(service, "a", "b", "c", RegionId="cn-beijing")
    assert (listed(service), listed(service, RegionId="cn-beijing")) == (["b", "a"], ["c", "b"])
    control = Control(service.emulator)
    dropped = [
        control.list_executions(scope=(None, region))["dropped"] for region in ("cn-hangzhou", "cn-beijing", None)
    ]
    assert (dropped, control.health()["dropped"]) == ([0, 1, 1], 1)


def test_that_executions_are_dropped_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    service = make_service(echo_flow(), keep_executions=1)
    with caplog.at_level(logging.WARNING, "cfmock"):
        start(service, "a")
        assert caplog.messages == []
        start(service, "b", "c")
        start(service, "a", "b", RegionId="cn-beijing")
    assert caplog.messages == ["executions that have ended are dropped from now on, the oldest first (keep_executions)"]


def test_what_was_started_by_an_execution_may_drop_it() -> None:
    task = {"Type": "Task", "Action": "FNF:StartExecution", "Parameters": {"resourceArn": "acs:fnf:::flow/echo"}}
    states = [{**task, "Name": name, "Next": after} for name, after in (("A", "B"), ("B", "C"))]
    states.append({**task, "Name": "C", "End": True})
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "p", "StartAt": "A", "States": states}
    service = make_service(
        {"flows": [*echo_flow()["flows"], {"name": "p", "definition": definition}]}, keep_executions=2
    )
    start(service, "p1", "p2", flow="p")
    assert len(listed(service)) + len(listed(service, "p")) <= 2
    checked(service)


def test_counts_of_a_map_run_stay_when_its_children_go(fan: Service) -> None:
    map_run = _map_run(fan, "m")
    assert len(listed(fan, "fan", MapRunName=map_run)) == 3  # with the parent
    described = fan("DescribeMapRun", FlowName="fan", ExecutionName="m", MapRunName=map_run)
    assert (described["Status"], described["ItemCounts"]["Succeed"]) == ("Succeeded", 9)
    for number in range(4):
        fan("StartExecution", FlowName="fan", ExecutionName=f"n{number}", Input='{"items": []}')
    assert (
        fan.refusal("DescribeMapRun", FlowName="fan", ExecutionName="m", MapRunName=map_run).code
        == "ExecutionNotExists"
    )
    assert world_of(fan).stores.map_runs.count(_flow_id(fan, "fan")) == 4
    checked(fan)


@pytest.fixture
def fan() -> Service:
    """Keeps four executions; its flow runs a child for each item."""
    do = {"Type": "Pass", "Name": "Do", "End": True}
    processor = {"ProcessorConfig": {"Mode": "Distributed"}, "StartAt": "Do", "States": [do]}
    state = {"Type": "Map", "Name": "Each", "ItemsPath": "$Input.items", "Processor": processor, "End": True}
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "fan", "StartAt": "Each", "States": [state]}
    return make_service({"flows": [{"name": "fan", "definition": definition}]}, keep_executions=4)


def _map_run(service: Service, name: str) -> str:
    start(service, name, flow="fan", Input=json.dumps({"items": [{"n": number} for number in range(9)]}))
    (key,) = world_of(service).stores.map_runs.keys(_flow_id(service, "fan"))
    return key.partition("/")[2]


def _flow_id(service: Service, name: str) -> str:
    found: str = service("DescribeFlow", Name=name)["Id"]
    return found


# -- how much ----------------------------------------------------------------------------------------------------------


def text_of(size: int) -> str:
    return json.dumps({"text": "x" * size})


def test_the_oldest_of_all_worlds_go_when_they_take_too_much() -> None:
    service = make_service(echo_flow(), keep_bytes=200 * KIB)
    for number in range(4):
        start(service, f"e{number}", Input=text_of(20_000), RegionId="cn-beijing" if number % 2 else "cn-hangzhou")
    assert len(listed(service) + listed(service, RegionId="cn-beijing")) == 4
    start(service, "e4", Input=text_of(20_000))
    assert (listed(service), listed(service, RegionId="cn-beijing")) == (["e4", "e2"], ["e3", "e1"])
    assert 100 * KIB < checked(service) < 200 * KIB


def test_what_runs_takes_room_until_it_has_ended_and_is_dropped() -> None:
    service = make_service(task_flow("Ask", tasks={"Ask": [{"waits": True}]}), keep_bytes=64 * KIB)
    start(service, "a", flow="order", Input=text_of(40_000))
    assert refused(service, "b", "order") == ("ResourceThrottled", 429)
    service("StopExecution", FlowName="order", ExecutionName="a")
    start(service, "b", flow="order")
    assert listed(service, "order") == ["b"]


def test_a_history_counts_as_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfmock.service.retention.HEADROOM", 100 * KIB)
    service = make_service(echo_flow(name="loop", definition=LOOP), keep_bytes=100 * KIB)
    start(service, "a", flow="loop", Input='{"text": ""}')
    ended = service("DescribeExecution", FlowName="loop", ExecutionName="a")
    (found,) = Control(service.emulator).find_executions("loop")
    history = found.events
    assert (ended["Status"], history[-1]["Type"]) == ("Failed", "ExecutionFailed")
    assert json.loads(history[-1]["EventDetail"])["error"] == "FnF.DataLimitExceeded"
    assert 190 * KIB < checked(service) < 215 * KIB
    start(service, "b", flow="loop", Input='{"text": ""}')
    assert listed(service, "loop") == ["b"]


def test_global_variables_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfmock.service.retention.HEADROOM", 0)
    constructor = {f"k{number}.$": "format('{}{}{}{}', $Input.t, $Input.t, $Input.t, $Input.t)" for number in range(8)}
    states = [
        {"Type": "Pass", "Name": "Keep", "GlobalConstructor": constructor, "Next": "Wait"},
        {"Type": "Wait", "Name": "Wait", "Seconds": 200, "End": True},
    ]
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "keeps", "StartAt": "Keep", "States": states}
    service = make_service(echo_flow(name="keeps", definition=definition), keep_bytes=500 * KIB)
    given = json.dumps({"t": "x" * 10_000})
    start(service, "a", flow="keeps", Input=given)
    assert checked(service) > 320_000
    start(service, "b", flow="keeps", Input=given)
    assert service("DescribeExecution", FlowName="keeps", ExecutionName="a")["Status"] == "Running"
    assert service("DescribeExecution", FlowName="keeps", ExecutionName="b")["Status"] == "Failed"
    service("StopExecution", FlowName="keeps", ExecutionName="a")
    assert checked(service) < 80_000


def test_values_that_an_execution_works_with_count_while_it_runs() -> None:
    """Empty lists take twenty times their text."""
    states = [
        {"Type": "Pass", "Name": "Make", "OutputConstructor": {"a": [[]] * 10_000}, "Next": "Wait"},
        {"Type": "Wait", "Name": "Wait", "Seconds": 200, "End": True},
    ]
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "Make", "States": states}
    service = make_service(echo_flow(name="f", definition=definition))
    start(service, "a", flow="f")
    assert checked(service) > 600_000
    service("StopExecution", FlowName="f", ExecutionName="a")
    assert checked(service) < 70_000


LOOP = {
    "Type": "StateMachine", "SpecVersion": "v1", "Name": "loop", "StartAt": "Grow", "States": [
        {"Type": "Pass", "Name": "Grow", "Next": "Grow",
         "OutputConstructor": {"text.$": "format('{}{}', $Input.text, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')"}},
    ],
}  # fmt: skip


def test_a_text_that_many_events_tell_counts_once() -> None:
    service = make_service(task_flow(*"ABCDEFGH"))
    start(service, "a", flow="order", Input=text_of(50_000))
    assert 100_000 < checked(service) < 130_000


def test_what_a_flow_was_counts_as_long_as_executions_hold_it() -> None:
    service = make_service(echo_flow(), keep_executions=2)
    start(service, "a")
    before = checked(service)
    long = PASS + "# " + "x" * 10_000 + "\n"
    service("UpdateFlow", Name="echo", Definition=long)
    start(service, "b")
    held = checked(service) - before
    assert held < 10_000
    service("UpdateFlow", Name="echo", Definition=PASS)
    assert checked(service) - before - held > 200_000
    start(service, "c", "d")
    assert checked(service) - before < 3_000


def test_nothing_counts_when_all_is_gone() -> None:
    service = make_service(echo_flow(RUNS), keep_executions=20)
    start(service, *(f"e{number}" for number in range(30)), "runs-1")
    start(service, "a", RegionId="cn-beijing")
    service("DeleteFlow", Name="echo")
    assert checked(service) > 0
    Control(service.emulator).reset()
    assert (checked(service), service.emulator.memory.dropped) == (0, 0)


def test_a_deleted_flow_leaves_nothing_but_its_name() -> None:
    service = make_service(task_flow("A", name="first"))
    definition = service("DescribeFlow", Name="first")["Definition"]
    for number in range(3):
        service("CreateFlow", Name=f"f{number}", Definition=definition, Description="", Type="FDL")
        start(service, "a", flow=f"f{number}")
        service("DeleteFlow", Name=f"f{number}")
    world = world_of(service)
    by_flow = (world.mocks, world.outcomes, world.live, world.alarms)
    assert [set(each) - {"first"} for each in by_flow] == [set()] * len(by_flow)
    assert checked(service) == 0


def test_a_long_token_to_report_to_counts() -> None:
    service = make_service(echo_flow(RUNS))
    start(service, "a", "runs-1", CallbackFnFTaskToken="t" * 50_000)
    assert checked(service) > 100_000


def test_what_was_said_of_tasks_and_flows_is_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "MAX_REMEMBERED", 3)
    service = make_service(task_flow("A", name="first"))
    world = world_of(service)
    assert [world.says_first(*task) for task in (("f", "a"), ("f", "a"), ("f", "b"), ("fa",))] == [
        True,
        False,
        True,
        True,
    ]
    for name in "abcdef":
        world.remember(name)
        assert world.says_first("f", name * 300)
    assert (len(world._said), list(service.emulator.shared.former_flows)) == (3, ["d", "e", "f"])
    assert not world.says_first("f", "f" * 300)


def test_executions_that_go_with_their_flows_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfmock.service.retention.MAX_GONE", 10_000)
    service = make_service(echo_flow(name="stays"), keep_executions=50)
    start(service, "first", flow="stays")
    for _ in range(10):
        service("CreateFlow", Name="goes", Definition=PASS, Description="", Type="FDL")
        start(service, *"abcd", flow="goes")
        service("DeleteFlow", Name="goes")
        finished = world_of(service).retention.finished
        assert len(finished) <= 10
        checked(service)
    assert finished[0].name == "first"


@pytest.mark.parametrize("given", [{"Input": text_of(20 * KIB)}, {}], ids=["large inputs", "large definitions"])
def test_much_that_goes_with_its_flow_is_let_go_of_at_once(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    monkeypatch.setattr("cfmock.service.retention.MAX_GONE", 100 * KIB)
    service = make_service(echo_flow(name="stays"))
    start(service, "first", flow="stays")
    for number in range(20):
        definition = PASS if given else f"{PASS}# {number}{'x' * 20 * KIB}"
        service("CreateFlow", Name="goes", Definition=definition, Description="", Type="FDL")
        start(service, "a", flow="goes", **given)
        service("DeleteFlow", Name="goes")
        rows = world_of(service).retention.finished
        assert sum(len(row.input) + len(row.flow.definition) for row in rows) < 130 * KIB


def test_the_books_are_right_whatever_happens() -> None:
    service = make_service(echo_flow(RUNS, ENDS_LATER), keep_executions=12, keep_bytes=60 * KIB)
    chance = random.Random(4)
    for number in range(250):
        match chance.randrange(10):
            case 0:
                service.emulator.time.advance_to(service.emulator.clock.now() + chance.randrange(3000))
            case 1:
                service.send("UpdateFlow", Name="echo", Definition=PASS + "# " + "x" * chance.randrange(3000))
            case 2:
                if chance.random() < 0.1:
                    service.send("DeleteFlow", Name="echo")
                service.send("CreateFlow", Name="echo", Definition=PASS, Description="", Type="FDL")
            case 3 | 4:
                service.send("StopExecution", FlowName="echo", ExecutionName=f"runs-{chance.randrange(number + 1)}")
            case _:
                name = f"{chance.choice(('runs', 'later', 'e'))}-{number}"
                given = text_of(chance.randrange(9000))
                service.send("StartExecution", FlowName="echo", ExecutionName=name, Input=given)
        checked(service)
        world = world_of(service)
        assert world.retention.count <= 12
        assert world.retention.count - len(world.retention.finished) == world.running
    assert service.emulator.memory.dropped > 20


@pytest.mark.parametrize("input", ["", f'{{"a": "\N{GRINNING FACE}{"x" * 20_000}"}}'], ids=["small", "wide"])
@pytest.mark.parametrize("state", ["ended", "runs", "waits", "outcome"])
def test_what_is_counted_is_near_to_what_is_taken(state: str, input: str) -> None:
    mocks = {"A": [{"waits": True}]} if state == "waits" else {}
    outcomes = {"runs": [{"status": "Running"}], "outcome": [{"output": {"a": 1}}]}.get(state, [])
    service = make_service(task_flow("A", tasks=mocks, outcomes=outcomes), journal_size=0)
    start(service, "first", flow="order", Input=input)
    before = checked(service)
    tracemalloc.start()
    try:
        start(service, *(f"e{number}" for number in range(20)), flow="order", Input=input)
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    counted = service.emulator.memory.bytes - before
    assert counted / 2 < taken < counted * 1.5


def test_dropping_costs_the_same_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step of it looks at more than the execution that goes: no table is gone through."""
    service = make_service(echo_flow(), keep_executions=50)
    start(service, *(f"e{number}" for number in range(50)))
    listed(service)
    for order in ("ascend", "descend"):
        monkeypatch.setattr(SortedBlocks, order, _never)
    start(service, *(f"f{number}" for number in range(200)))
    monkeypatch.undo()
    assert listed(service) == [f"f{number}" for number in reversed(range(150, 200))]


def _never(self: object, key: object) -> None:
    raise AssertionError("gone through for nobody")
