"""What nearly matched a call, and how its client is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cfmock.base.patterns import ExecutionCondition
from cfmock.control.control import Control
from cfmock.emulator.hints import one_line
from cfmock.engine.task_calls import Returns, TaskMock
from cfmock.protocol.wire.messages import Reply, Request
from cfmock.service.executions import LOOKS
from cfmock.service.world import MOST_NAMES
from tests.support.calls import Service, echo_flow, make_service

TASK = """\
Type: StateMachine
SpecVersion: v1
Name: order
StartAt: Charge
States:
  - {Type: Task, Name: Charge, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, End: true}
"""


def order(**tasks: list[Any]) -> dict[str, Any]:
    return {"flows": [{"name": "order", "definition": TASK, "tasks": tasks}]}


def hint_of(service: Service, operation: str, **parameters: Any) -> str | None:
    """The hint that comes with an answer; the journal has it, too."""
    reply = service.send(operation, **parameters)
    assert isinstance(reply, Reply)
    (call,) = service.emulator.journal.find(request_id=reply.request_id)
    hint = dict(reply.headers).get("x-cfmock-hint")
    assert call.hint == hint
    return hint


def near_misses(service: Service, number: int = -1) -> list[str]:
    """Those of the newest call, or of another one."""
    call = list(service.emulator.journal.find())[number]
    shown = Control(service.emulator).show_call(call.request_id)
    return [
        f"{miss['kind']} {miss['name']}: {'; '.join(each['message'] for each in miss['differences'])}"
        for miss in shown["near_misses"]
    ]


def test_a_start_that_no_outcome_takes_is_told_of_the_nearest() -> None:
    service = make_service(
        echo_flow({"when": {"execution": "x-*", "input": {"kind": "a"}}}, {"when": {"input": {"kind": "express"}}})
    )
    hint = hint_of(service, "StartExecution", FlowName="echo", ExecutionName="e", Input={"kind": "slow"})
    assert hint == "outcome 2 of flow 'echo' nearly matched: input.kind: expected 'express', got 'slow'"
    assert near_misses(service) == [
        "outcome 2 of flow 'echo': input.kind: expected 'express', got 'slow'",
        "outcome 1 of flow 'echo': execution: expected 'x-*', got 'e'; input.kind: expected 'a', got 'slow'",
    ]


def test_a_call_for_a_flow_where_there_are_none_is_told_so() -> None:
    service = make_service({})
    hint = hint_of(service, "StartExecution", FlowName="echo")
    assert hint is not None
    assert hint.endswith(" has no flows in region 'cn-hangzhou': no fixture that was loaded defines one there")
    service("CreateFlow", Name="echo", Definition=TASK, Type="FDL", Description="")
    assert hint_of(service, "StartExecution", FlowName="other") is None
    service("DeleteFlow", Name="echo")
    assert hint_of(service, "StartExecution", FlowName="echo") is None


@pytest.mark.parametrize(("after", "said"), [(False, True), (True, False)])
def test_a_client_that_believes_a_scripted_already_exists_is_told_that_nothing_was_created(
    after: bool, said: bool
) -> None:
    service = make_service(echo_flow())
    fault = {"when": {"operation": "StartExecution"}, "error": "ExecutionAlreadyExists", "name": "twice", "times": 1}
    Control(service.emulator).add_fault({**fault, "after_operation": after})
    assert service.refusal("StartExecution", FlowName="echo", ExecutionName="e").code == "ExecutionAlreadyExists"
    hint = hint_of(service, "DescribeExecution", FlowName="echo", ExecutionName="e")
    assert (hint is not None) == said
    if said:
        assert hint == (
            "ExecutionAlreadyExists came from the fault 'twice', which creates nothing: 'after_operation: true' does"
        )


def test_a_spent_outcome_is_a_near_miss() -> None:
    service = make_service(echo_flow({"times": 1}))
    assert hint_of(service, "StartExecution", FlowName="echo") is None
    assert hint_of(service, "StartExecution", FlowName="echo") == (
        "outcome 1 of flow 'echo' nearly matched: times: spent, 1 of 1"
    )


def test_a_task_that_no_mock_answers_is_told_of_the_nearest_and_warned_of() -> None:
    service = make_service(order(Charge=[{"when": {"input": {"amount": 0}}, "fails": {"code": "Invalid"}}]))
    hint = hint_of(service, "StartExecution", FlowName="order", ExecutionName="e", Input={"amount": 5})
    assert hint == "mock 1 of 'Charge' nearly matched: input.amount: expected 0, got 5"
    (call,) = Control(service.emulator).list_calls()["calls"]
    assert call["warnings"] == ["flow 'order': no mock for the task 'Charge' (FC:InvokeFunction); it succeeded with {}"]
    assert [each["text"] for each in Control(service.emulator).list_calls()["warnings"]] == call["warnings"]


EACH = """\
Type: StateMachine
SpecVersion: v1
Name: each
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.list
    Processor:
      StartAt: Charge
      States:
        - Type: Task
          Name: Charge
          Action: FC:InvokeFunction
          Retry: [{Errors: [FnF.ALL], MaxAttempts: 3, IntervalSeconds: 1}]
          Next: Ship
        - {Type: Task, Name: Ship, Action: "FC:InvokeFunction", End: true}
    End: true
"""


def test_that_a_task_has_no_mock_is_said_once_however_often_it_is_tried() -> None:
    service = make_service({"flows": [{"name": "each", "definition": EACH}]})
    warnings = [
        f"flow 'each': no mock for the task '{task}' (FC:InvokeFunction); it succeeded with {{}}"
        for task in ("Charge", "Ship")
    ]
    for name in ("e", "f"):
        service("StartExecution", FlowName="each", ExecutionName=name, Input={"list": [{}, {}, {}]})
    control = Control(service.emulator)
    assert [call["warnings"] for call in control.list_calls()["calls"]] == [warnings, warnings], "with every call"
    assert control.list_warnings() == warnings
    service.emulator.reset()
    service("StartExecution", FlowName="each", Input={"list": [{}]})
    assert control.list_warnings() == warnings


def test_a_mock_that_nearly_matched_is_told_of_once_however_often_it_is_tried() -> None:
    tasks = {"Charge": [{"when": {"input": {"n": 1}}, "returns": {}}]}
    service = make_service(
        {"flows": [{"name": "each", "definition": EACH, "tasks": tasks}], "settings": {"unmocked_tasks": "fail"}}
    )
    service("StartExecution", FlowName="each", ExecutionName="e", Input={"list": [{"n": 2}, {"n": 2}, {"n": 3}]})
    service("DescribeExecution", FlowName="each", ExecutionName="e", WaitTimeSeconds=60)
    assert (
        near_misses(service, 0)
        == near_misses(service, 1)
        == [f"mock 1 of 'Charge': input.n: expected 1, got {n}" for n in (2, 3)]
    )


def test_a_mock_of_a_misspelt_task_is_a_near_miss() -> None:
    service = make_service(order())
    Control(service.emulator).add_mock("order", "Chrage", TaskMock(Returns({})))
    assert hint_of(service, "StartExecution", FlowName="order") == (
        "mock 1 of 'Chrage' nearly matched: task: expected 'Chrage', got 'Charge'"
    )


def test_a_call_that_a_fault_nearly_strikes_is_told_which_field_differs() -> None:
    service = make_service(echo_flow(), {"faults": [
        {"name": "far", "when": {"operation": "StopExecution"}, "error": "InternalServerError"},
        {"name": "near", "when": {"flow": "ehco"}, "error": "InternalServerError"},
    ]})  # fmt: skip
    hint = hint_of(service, "StartExecution", FlowName="echo")
    assert hint == "fault near nearly matched: when.flow: expected 'ehco', got 'echo'"
    assert near_misses(service) == [
        "fault near: when.flow: expected 'ehco', got 'echo'",
        "fault far: when.operation: expected 'StopExecution', got 'StartExecution'",
    ]


def test_what_is_two_fields_away_is_not_named_and_stays_in_the_journal() -> None:
    two = {"name": "two", "when": {"flow": "other", "execution": "x-*"}, "error": "InternalServerError"}
    service = make_service(echo_flow({"when": {"execution": "x-*", "input": {"kind": "a"}}}), {"faults": [two]})
    assert hint_of(service, "StartExecution", FlowName="echo", ExecutionName="e", Input={"kind": "b"}) is None
    assert near_misses(service) == [
        "outcome 1 of flow 'echo': execution: expected 'x-*', got 'e'; input.kind: expected 'a', got 'b'",
        "fault two: when.flow: expected 'other', got 'echo'; when.execution: expected 'x-*', got 'e'",
    ]


@pytest.mark.parametrize(
    "fixture",
    [
        {},
        {"faults": [{"when": {"flow": "ehco"}, "delay": 0}, {"delay": 0}]},
        {"faults": [{"when": {"flow": "ehco"}, "delay": 0}, {"clock_skew": "1s"}]},
        {"faults": [{"when": {"call": 3}, "delay": 0}]},
    ],
    ids=["no rule", "another rule struck", "the clock was skewed", "a later call is meant"],
)
def test_there_is_no_hint_where_something_matched_or_nothing_was_near(fixture: dict[str, Any]) -> None:
    service = make_service(echo_flow(), fixture)
    assert hint_of(service, "DescribeFlow", Name="echo") is None


def test_there_is_no_hint_on_faults_where_an_outcome_matched() -> None:
    service = make_service(echo_flow({}), {"faults": [{"when": {"flow": "ehco"}, "delay": 0}]})
    assert hint_of(service, "StartExecution", FlowName="echo") is None
    assert near_misses(service) == ["fault fault-1: when.flow: expected 'ehco', got 'echo'"]


def test_there_is_no_hint_on_outcomes_where_a_mock_matched() -> None:
    flow = {"name": "order", "definition": TASK, "tasks": {"Charge": [{"returns": {}}]}}
    service = make_service({"flows": [{**flow, "outcomes": [{"when": {"execution": "x-*"}}]}]})
    assert hint_of(service, "StartExecution", FlowName="order", ExecutionName="e") is None
    assert near_misses(service) == ["outcome 1 of flow 'order': execution: expected 'x-*', got 'e'"]


def test_a_flow_that_is_not_there_is_told_of_the_one_that_may_be_meant() -> None:
    service = make_service(echo_flow(name="order_flow"))
    assert hint_of(service, "StartExecution", FlowName="order_flw") == (
        "there is no flow 'order_flw' (did you mean 'order_flow'?)"
    )
    assert hint_of(service, "StartExecution", FlowName="something_else") is None


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The executions and inputs for which the differences of an outcome or mock are listed from now on."""
    found: list[tuple[str, Any]] = []
    plain = ExecutionCondition.differences

    def counted(self: ExecutionCondition, execution: str, value: Any) -> Any:
        found.append((execution, value))
        return plain(self, execution, value)

    monkeypatch.setattr(ExecutionCondition, "differences", counted)
    return found


@pytest.mark.parametrize("outcomes", [1, 32, 100])
def test_a_start_that_no_outcome_takes_lists_the_differences_of_the_nearest_alone(
    explained: list[Any], outcomes: int
) -> None:
    service = make_service(echo_flow(*({"when": {"execution": f"x{n}", "input": {"n": n}}} for n in range(outcomes))))
    service("StartExecution", FlowName="echo", ExecutionName="e", Input={"n": -1})
    assert len(explained) == 0  # two things differ of each: none is near enough to be told
    service("StartExecution", FlowName="echo", ExecutionName="f", Input={"n": outcomes // 2})
    assert len(explained) == (outcomes < 100)
    explained.clear()
    service("StartExecution", FlowName="echo", ExecutionName="g", Input={"n": 0})
    assert len(explained) == 1
    assert len(near_misses(service)) == min(outcomes, 32)
    assert len(explained) == 1 + min(outcomes, 32)


def test_nothing_is_explained_where_nobody_can_ask(explained: list[Any]) -> None:
    service = make_service(
        {**echo_flow({"when": {"execution": "x"}}), "schedules": [{"flow": "echo", "name": "s", "cron": "@every 1m"}]},
        order(Charge=[{"when": {"execution": "x"}, "returns": {}}]),
    )
    control = Control(service.emulator)
    control.start("order", None, "e")
    list(control.steps(300))
    assert len(control.find_executions("echo")) == 5
    assert explained == []


def test_near_misses_are_those_of_the_call_whatever_happens_after() -> None:
    outcomes = [{"times": 2, "when": {"execution": "a-*"}}, {"when": {"input": {"kind": "b"}}}]
    service = make_service({"flows": [{"name": "order", "definition": TASK, "outcomes": outcomes, "tasks": {
        "Charge": [{"when": {"input": {"n": 1}}, "returns": {}}, {"times": 1, "when": {"execution": "x"}, "returns": {}}],
    }}]})  # fmt: skip
    service("StartExecution", FlowName="order", ExecutionName="e", Input={"kind": "c", "n": 0})
    before = near_misses(service)
    assert before == [
        "outcome 1 of flow 'order': execution: expected 'a-*', got 'e'",
        "outcome 2 of flow 'order': input.kind: expected 'b', got 'c'",
        "mock 1 of 'Charge': input.n: expected 1, got 0",
        "mock 2 of 'Charge': execution: expected 'x', got 'e'",
    ]
    (call,) = list(service.emulator.journal.find())
    control = Control(service.emulator)
    for number in (1, 2):
        service("StartExecution", FlowName="order", ExecutionName=f"a-{number}")  # spends the first outcome
    control.add_outcome({"flow": "order", "when": {"execution": "first"}})
    control.add_mocks({"flow": "order", "task": "Charge", "mocks": [{"when": {"execution": "first"}, "returns": {}}]})
    control.load({"cfmock": 1, "flows": [{"name": "order"}]})
    shown = control.show_call(call.request_id)["near_misses"]
    assert [f"{miss['kind']} {miss['name']}: {miss['differences'][0]['message']}" for miss in shown] == before


def test_a_spent_mock_tells_how_often_it_was_used_by_then() -> None:
    retries = TASK.replace("End: true", "Retry: [{Errors: [FnF.ALL], MaxAttempts: 1, IntervalSeconds: 0}], End: true")
    mocks = {"Charge": [{"times": 1, "fails": {"code": "Busy"}}]}
    service = make_service({"flows": [{"name": "order", "definition": retries, "tasks": mocks}]})
    hint = hint_of(service, "StartExecution", FlowName="order", ExecutionName="e")
    assert hint == "mock 1 of 'Charge' nearly matched: times: spent, 1 of 1"


def test_the_nearest_of_all_that_a_call_starts_is_told() -> None:
    calls = TASK.replace(
        '"FC:InvokeFunction", Parameters: {resourceArn: r}',
        "fnf:StartExecution, Parameters: {resourceArn: 'acs:fnf:::flow/inner', input: {kind: c}}",
    )
    far, near = {"execution": "x", "input": {"kind": "a", "n": 1}}, {"input": {"kind": "b"}}
    service = make_service(
        {"flows": [{"name": "order", "definition": calls, "outcomes": [{"when": far}]}]},
        echo_flow({"when": near}, name="inner"),
    )
    hint = hint_of(service, "StartExecution", FlowName="order", ExecutionName="e")
    assert hint == "outcome 1 of flow 'inner' nearly matched: input.kind: expected 'b', got 'c'"
    assert [miss.partition(":")[0] for miss in near_misses(service)] == [
        "outcome 1 of flow 'inner'",
        "outcome 1 of flow 'order'",
    ]


def test_what_is_kept_to_explain_a_call_counts_among_the_bytes_of_the_journal() -> None:
    service = make_service(echo_flow({"when": {"execution": "x"}}), echo_flow(name="plain"))
    sizes = []
    for flow in ("plain", "echo"):
        service("StartExecution", FlowName=flow, ExecutionName="e", Input={"text": "x" * 10_000})
        sizes.append(list(service.emulator.journal.find())[-1].size)
    assert sizes[1] - sizes[0] > 10_000


def test_an_operation_that_is_not_there_is_told_of_the_one_that_may_be_meant() -> None:
    service = make_service({})
    assert hint_of(service, "StratExecution") == (
        "there is no operation 'StratExecution' (did you mean 'StartExecution'?)"
    )
    assert hint_of(service, "Frobnicate") is None
    elsewhere = service.request("ListFlows")
    reply = service.emulator.handle(Request("GET", f"/v1{elsewhere.target}", elsewhere.headers))
    assert isinstance(reply, Reply)
    assert (json.loads(reply.body)["Code"], dict(reply.headers)) == ("ActionNotSupported", {})


def test_an_execution_that_is_not_there_is_told_of_the_one_that_may_be_meant() -> None:
    service = make_service(echo_flow())
    service("StartExecution", FlowName="echo", ExecutionName="order-17")
    for operation in ("DescribeExecution", "GetExecutionHistory", "StopExecution"):
        assert hint_of(service, operation, FlowName="echo", ExecutionName="odrer-17") == (
            "there is no execution 'odrer-17' of flow 'echo' (did you mean 'order-17'?)"
        )
    assert hint_of(service, "DescribeExecution", FlowName="echo", ExecutionName="x") is None
    assert hint_of(service, "DescribeExecution", FlowName="ehco", ExecutionName="order-17") == (
        "there is no flow 'ehco' (did you mean 'echo'?)"
    )


def test_of_very_many_executions_those_that_begin_alike_are_compared() -> None:
    service = make_service(echo_flow())
    for number in range(MOST_NAMES + 1):
        service("StartExecution", FlowName="echo", ExecutionName=f"a-{number}")
    service("StartExecution", FlowName="echo", ExecutionName="refund-of-march")
    world = service.emulator.worlds.default()
    names = world.names_in(world.stores.executions, "echo", "refund-of-mach")
    assert names == ["refund-of-march"]
    hint = hint_of(service, "DescribeExecution", FlowName="echo", ExecutionName="refund-of-mach")
    assert hint == "there is no execution 'refund-of-mach' of flow 'echo' (did you mean 'refund-of-march'?)"


def test_a_schedule_that_is_not_there_is_told_of_the_one_that_may_be_meant() -> None:
    schedule = {"flow": "echo", "name": "nightly", "cron": "0 0 3 * * *"}
    service = make_service(echo_flow(), {"schedules": [schedule]})
    assert hint_of(service, "DescribeSchedule", FlowName="echo", ScheduleName="nigthly") == (
        "there is no schedule 'nigthly' of flow 'echo' (did you mean 'nightly'?)"
    )


def test_what_a_fault_says_is_missing_is_not_looked_for() -> None:
    service = make_service(echo_flow(), {"faults": [{"when": {}, "error": "FlowNotExists"}]})
    assert hint_of(service, "DescribeFlow", Name="ecko") is None


def test_a_warning_between_calls_is_kept_but_belongs_to_no_call() -> None:
    waits = TASK.replace("StartAt: Charge", "StartAt: W").replace(
        "States:", "States:\n  - {Type: Wait, Name: W, Seconds: 60, Next: Charge}"
    )
    service = make_service({"flows": [{"name": "order", "definition": waits}]})
    service("StartExecution", FlowName="order", ExecutionName="e")
    service.emulator.time.advance_to(service.emulator.clock.now() + 60)
    service("ListFlows")
    listed = Control(service.emulator).list_calls()
    assert [call["warnings"] for call in listed["calls"]] == [[], []]
    assert len(listed["warnings"]) == 1


def test_a_hint_is_one_line_of_printable_ascii() -> None:
    assert one_line("a\r\nX-Evil: 1\x7f 你\ud800") == "a  X-Evil: 1  \\u4f60\\ud800"
    assert len(one_line("x" * 5000)) == 400


WAITING = TASK.replace("End: true}", "Next: Rest}\n  - {Type: Wait, Name: Rest, Seconds: 300, End: true}")
REPORTED = TASK.replace("Parameters:", "TaskMode: WaitForCustomCallback, Timeout: 600, Parameters:")


def polled(service: Service, times: int, **more: Any) -> list[str]:
    """The hints of so many DescribeExecution calls about one execution."""
    hints = (hint_of(service, "DescribeExecution", FlowName="order", ExecutionName="e", **more) for _ in range(times))
    return [hint for hint in hints if hint is not None]


def started(fixture: dict[str, Any], **settings: Any) -> Service:
    service = make_service({"flows": [{"name": "order", **fixture}]}, **settings)
    service("StartExecution", FlowName="order", ExecutionName="e")
    return service


@pytest.mark.parametrize(
    "fixture", [{"definition": WAITING, "tasks": {"Charge": [{"returns": {}}]}}, {"outcomes": [{"after": "5m"}]}]
)
def test_who_polls_while_the_virtual_clock_stands_still_is_told_once_what_moves_it(fixture: dict[str, Any]) -> None:
    service = started(fixture)
    assert polled(service, LOOKS - 1) == []
    (hint,) = polled(service, 1)
    assert hint.startswith("order/e waits until 2024-06-01T00:05:00.000Z and the virtual clock stands still at")
    assert "cf.clock.advance('5m'), POST /_cfmock/clock), give WaitTimeSeconds, or use cf.run" in hint
    assert polled(service, 3 * LOOKS) == []
    assert [each.text for each in service.emulator.journal.warnings()] == [hint]


def test_who_polls_while_the_virtual_clock_moves_is_told_nothing() -> None:
    service = started({"outcomes": [{"after": "5m"}]})
    for _ in range(2 * LOOKS):
        assert polled(service, 1) == []
        service.emulator.time.advance_to(service.emulator.clock.now() + 1)


@pytest.mark.parametrize(
    ("fixture", "settings"),
    [
        ({"outcomes": [{"after": "5m"}]}, {"clock": "real"}),
        ({"outcomes": [{"status": "Running"}]}, {}),
        ({"outcomes": [{"after": {"polls": 100}}]}, {}),
        ({"definition": REPORTED}, {}),
    ],
)
def test_who_polls_for_what_time_alone_does_not_bring_is_told_nothing(
    fixture: dict[str, Any], settings: dict[str, Any]
) -> None:
    assert polled(started(fixture, **settings), 2 * LOOKS) == []
