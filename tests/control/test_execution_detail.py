"""One execution: who answered each task and why, what nearly did, which outcome decided."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.control import execution_detail
from cfmock.control.control import Control
from cfmock.control.execution_path import visits
from cfmock.control.part import NotFoundError
from tests.support.calls import Service, echo_flow, make_service, task_flow

CHARGE = [
    {"when": {"execution": "bad-*"}, "fails": {"code": "Refused"}},
    {"when": {"input": {"amount": 0}}, "returns": {"free": True}},
    {"fails": {"code": "FC.ResourceThrottled", "detail": "slow"}, "times": 1},
    {"returns": {"paid": True}},
]


def detail_of(fixture: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """What is told of an execution of the first flow, started with these parameters."""
    service = make_service(fixture)
    flow = fixture["flows"][0]["name"]
    service("StartExecution", FlowName=flow, ExecutionName="e", **parameters)
    told: dict[str, Any] = Control(service.emulator).show_execution(flow, "e")
    return told


RETRIES = """
Type: StateMachine
Name: order
SpecVersion: v1
StartAt: Charge
States:
  - {Type: Task, Name: Charge, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, Next: Ship,
     Retry: [{Errors: [FC.ResourceThrottled], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1}]}
  - {Type: Task, Name: Ship, Action: "FC:InvokeFunction", Parameters: {resourceArn: s}, End: true}
"""


def test_each_try_tells_who_answered_it_why_and_what_came_before() -> None:
    service = make_service({"flows": [{"name": "order", "definition": RETRIES, "tasks": {"Charge": CHARGE}}]})
    control = Control(service.emulator)
    service("StartExecution", FlowName="order", ExecutionName="e", Input={"amount": 5})
    list(control.steps(2))
    told = control.show_execution("order", "e")
    charge, ship = told["tasks"]
    assert (charge["state"], charge["action"], charge["omitted"]) == ("Charge", "FC:InvokeFunction", 0)
    first, second = charge["tries"]
    assert first["error"] == {"code": "FC.ResourceThrottled", "detail": "slow"}
    assert (first["answered_by"], first["why"]) == ("mock", "mock 3 of 'Charge' (times 1)")
    assert (second["answered_by"], second["why"]) == ("mock", "mock 4 of 'Charge' (always)")
    assert (second["result"], second["error"], second["input"]) == ({"paid": True}, None, {"amount": 5})
    assert (first["at"], second["at"]) == ("2024-06-01T00:00:00.000Z", "2024-06-01T00:00:01.000Z")
    nearly = [(miss["name"], [each["message"] for each in miss["differences"]]) for miss in second["near_misses"]]
    assert nearly == [
        ("1 of 'Charge'", ["execution: expected 'bad-*', got 'e'"]),
        ("2 of 'Charge'", ["input.amount: expected 0, got 5"]),
        ("3 of 'Charge'", ["times: spent, 1 of 1"]),
    ]
    ids = {row["EventId"]: row for row in control.list_events("order", "e")["events"]}
    of_charge, _ = told["timeline"]
    assert [ids[each["from"]]["Type"] for each in (of_charge, *of_charge["tries"])] == [
        "StepEntered",
        *["TaskScheduled"] * 2,
    ]
    ends = [(ids[each["to"]]["Type"], each["failed"]) for each in (of_charge, *of_charge["tries"])]
    assert ends == [("StepExited", False), ("TaskFailed", True), ("TaskSucceeded", False)]
    assert ship["tries"][0]["answered_by"] == "unmocked"
    assert ship["tries"][0]["why"] == "no mock: succeeded with {} (unmocked_tasks)"
    assert told["visits"] == ["Charge", "Ship"]
    assert (told["status"], told["outcome"], told["waiting"]) == ("Succeeded", None, [])


def test_what_was_added_later_changes_nothing_of_what_was() -> None:
    service = make_service(task_flow("Charge", tasks={"Charge": [{"returns": {}}]}))
    control = Control(service.emulator)
    service("StartExecution", FlowName="order", ExecutionName="e")
    control.add_mocks(
        {"flow": "order", "task": "Charge", "mocks": [{"when": {"execution": "x"}, "fails": {"code": "C"}}]}
    )
    (tried,) = control.show_execution("order", "e")["tasks"][0]["tries"]
    assert (tried["why"], tried["near_misses"]) == ("mock 1 of 'Charge' (always)", [])


@pytest.mark.parametrize(
    ("mock", "by"),
    [
        ({"returns": {}}, "mock"),
        ({"waits": True}, "report"),
        ({"http": "http://127.0.0.1:1/"}, "http"),
        (None, "unmocked"),
    ],
)
def test_who_answers_in_a_word(mock: dict[str, Any] | None, by: str) -> None:
    told = detail_of(task_flow("Charge", tasks={"Charge": [mock]} if mock is not None else {}))
    assert told["tasks"][0]["tries"][0]["answered_by"] == by


BOTH = """
Type: StateMachine
Name: parent
SpecVersion: v1
StartAt: Both
States:
  - Type: Parallel
    Name: Both
    End: true
    Branches:
      - StartAt: Child
        States: [{Type: Task, Name: Child, Action: "FNF:StartExecution", TaskMode: WaitForSystemCallback, End: true,
                  Parameters: {resourceArn: "acs:fnf:::flow/echo"}}]
      - StartAt: Approve
        States: [{Type: Task, Name: Approve, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback, End: true,
                  Parameters: {resourceArn: r}}]
"""


def test_a_nested_flow_and_a_report_answer_tasks() -> None:
    told = detail_of({"flows": [{"name": "parent", "definition": BOTH}, *echo_flow()["flows"]]})
    answered = {task["state"]: task["tries"][0]["answered_by"] for task in told["tasks"]}
    assert answered == {"Child": "nested", "Approve": "report"}
    assert [(each["state"], each["since"]) for each in told["waiting"]] == [("Approve", "2024-06-01T00:00:00.000Z")]
    assert (told["status"], told["visits"]) == ("Running", ["Both", "Child", "Approve"])


JOINING = """
Type: StateMachine
Name: parent
SpecVersion: v1
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.names
    End: true
    Processor:
      StartAt: Child
      States: [{Type: Task, Name: Child, Action: "FNF:StartExecution", TaskMode: RequestComplete, End: true,
                Parameters: {resourceArn: "acs:fnf:::flow/order", executionName.$: $Input}}]
"""


def test_an_execution_and_those_that_it_started_or_joined_name_each_other() -> None:
    order = task_flow("Charge", tasks={"Charge": [{"waits": True}]})["flows"]
    service = make_service({"flows": [{"name": "parent", "definition": JOINING}, *order]})
    control = Control(service.emulator)
    service("StartExecution", FlowName="order", ExecutionName="there-before")
    service("StartExecution", FlowName="parent", ExecutionName="p", Input={"names": ["a", "there-before"]})
    told = control.show_execution("parent", "p")
    running = [{"flow": "order", "name": name, "status": "Running"} for name in ("a", "there-before")]
    assert [task["started"] for task in told["tasks"]] == [[each] for each in running]
    parent = {"flow": "parent", "name": "p", "state": "Child"}
    assert {row["name"]: row["parent"] for row in control.list_executions()["executions"]} == {
        "p": None, "a": parent, "there-before": None,
    }  # fmt: skip
    assert control.find_execution("order", "a").parent == parent
    service("DeleteFlow", Name="order")
    (gone, _) = control.show_execution("parent", "p")["tasks"]
    assert gone["started"] == [{**running[0], "status": None}]


def test_a_timeline_tells_what_goes_on_and_what_the_end_of_the_execution_cut_off() -> None:
    service = make_service({"flows": [{"name": "parent", "definition": BOTH}, *echo_flow()["flows"]]})
    control = Control(service.emulator)
    service("StartExecution", FlowName="parent", ExecutionName="e")
    both, child, approve = control.show_execution("parent", "e")["timeline"]
    assert [(each["state"], each["holds"]) for each in (both, child)] == [("Both", True), ("Child", False)]
    assert (approve["to"], approve["failed"], approve["tries"][0]["to"]) == (None, False, None)
    service("StopExecution", FlowName="parent", ExecutionName="e")
    approve = control.show_execution("parent", "e")["timeline"][-1]
    last = len(control.list_events("parent", "e")["events"])
    assert [(each["to"], each["failed"]) for each in (approve, *approve["tries"])] == [(last, True)] * 2


def test_an_old_task_is_told_by_its_resource_and_what_mocks_are_matched_by() -> None:
    definition = """
version: v1
type: flow
name: old
steps:
  - {type: task, name: Resize, action: "oss:Process", serviceParams: {width: 5}}
  - {type: task, name: Store, resourceArn: "acs:fc:::services/s/functions/f"}
"""
    mocks = {"FC:InvokeFunction": [{"when": {"input": {"a": 2}}, "returns": {}}, {"returns": {"x": 1}}]}
    told = detail_of({"flows": [{"name": "old", "definition": definition, "tasks": mocks}]}, Input={"a": 1})
    resize, store = (task["tries"][0] for task in told["tasks"])
    assert (resize["input"], resize["answered_by"]) == ({"width": 5}, "unmocked")
    assert (store["why"], len(store["near_misses"])) == ("mock 2 of 'FC:InvokeFunction' (always)", 1)


def test_the_outcome_that_decided_is_told_with_those_before_it() -> None:
    outcomes = [
        {"when": {"execution": "x"}, "status": "Failed"}, {"times": 1, "status": "Failed"}, {"when": {"input": {"a": 1}}},
    ]  # fmt: skip
    service = make_service(echo_flow(*outcomes))
    control = Control(service.emulator)
    for name in ("first", "second"):
        service("StartExecution", FlowName="echo", ExecutionName=name, Input={"a": 1})
    first, second = (control.show_execution("echo", name)["outcome"] for name in ("first", "second"))
    assert (first["name"], len(first["near_misses"])) == ("outcome 2 of flow 'echo'", 1)
    assert second["why"] == 'outcome 3 of flow \'echo\' (when {"input":{"a":1}})'
    assert [miss["differences"][0]["message"] for miss in second["near_misses"]] == [
        "execution: expected 'x', got 'second'",
        "times: spent, 1 of 1",
    ]


def test_where_no_outcome_matched_it_is_told_why() -> None:
    told = detail_of(echo_flow({"when": {"execution": "x"}}))
    assert told["outcome"]["name"] is None
    assert [miss["name"] for miss in told["outcome"]["near_misses"]] == ["1 of flow 'echo'"]
    assert told["visits"] == ["Take"]


def test_what_an_execution_holds_bounds_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"text": "x" * 1000}
    service = make_service(
        task_flow(*(f"T{number}" for number in range(6)), tasks={"FC:InvokeFunction": [{"returns": large}]})
    )
    control = Control(service.emulator)
    service("StartExecution", FlowName="order", ExecutionName="e", Input=large)
    monkeypatch.setattr(execution_detail, "MAX_TEXT", 5000)
    tasks = control.show_execution("order", "e")["tasks"]
    assert [len(task["tries"]) for task in tasks] == [0, 0, 0, 0, 1, 1]
    assert [task["omitted"] for task in tasks] == [1, 1, 1, 1, 0, 0]
    page = control.list_events("order", "e", limit=1000)
    assert 1 <= len(page["events"]) < 10
    assert page["next"] == str(len(page["events"]))


def test_a_history_is_told_in_pages_each_event_once() -> None:
    service = make_service(echo_flow())
    control = Control(service.emulator)
    service("StartExecution", FlowName="echo", ExecutionName="e")
    every = service("GetExecutionHistory", FlowName="echo", ExecutionName="e")["Events"]
    told, after = [], None
    while True:
        page = control.list_events("echo", "e", limit=2, after=after)
        told += page["events"]
        after = page.get("next")
        if after is None:
            break
    assert told == every
    assert control.list_events("echo", "e", after="999") == {"events": []}


@pytest.fixture
def service() -> Service:
    return make_service(echo_flow())


@pytest.mark.parametrize(
    ("flow", "name", "words"),
    [
        ("ecko", "e", r"there is no flow 'ecko' \(did you mean 'echo'\?\)"),
        ("echo", "order-2", r"there is no execution 'order-2' of flow 'echo' \(did you mean 'order-1'\?\)"),
    ],
)
def test_what_is_not_there_is_told_with_what_was_meant(service: Service, flow: str, name: str, words: str) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="order-1")
    for ask in (Control(service.emulator).show_execution, Control(service.emulator).list_events):
        with pytest.raises(NotFoundError, match=words):
            ask(flow, name)


DECIDED = """
Type: StateMachine
Name: order
SpecVersion: v1
StartAt: Book
States:
  - {Type: Task, Name: Book, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, Next: Full,
     Retry: [{Errors: [Busy], IntervalSeconds: 90, MaxAttempts: 1}], Catch: [{Errors: [NoSeats, Busy], Next: Undo}]}
  - {Type: Choice, Name: Full, Branches: [{Condition: "$Input.Code == 503", Next: NoRoom}], Default: Done}
  - {Type: Task, Name: Undo, Action: "FC:InvokeFunction", Parameters: {resourceArn: u}, Next: NoRoom}
  - {Type: Succeed, Name: Done}
  - {Type: Fail, Name: NoRoom, Code: NoRoom}
"""


def decided(mock: dict[str, Any]) -> dict[str, Any]:
    return {"flows": [{"name": "order", "definition": DECIDED, "tasks": {"Book": [mock]}}]}


def test_a_failed_execution_names_the_task_that_failed_though_others_came_after_it() -> None:
    told = detail_of(decided({"fails": {"code": "NoSeats"}}))
    assert (told["status"], told["visits"]) == ("Failed", ["Book", "Undo", "NoRoom"])
    why = "failed with NoSeats (mock 1 of 'Book' (always))"
    assert told["because"] == {"state": "Book", "why": why}


def test_a_failed_execution_names_the_choice_that_led_to_its_end() -> None:
    told = detail_of(decided({"returns": {"Code": 503}}))
    why = """chose 'NoRoom', after 'Book' returned {"Code":503} (mock 1 of 'Book' (always))"""
    assert told["because"] == {"state": "Full", "why": why}
    assert detail_of(decided({"returns": {"Code": 200}}))["because"] is None


def test_an_execution_tells_what_it_waits_for_and_until_when() -> None:
    retries = detail_of(decided({"fails": {"code": "Busy"}, "times": 1}))
    assert retries["waits"] == {"state": "Book", "for": "retry", "until": "2024-06-01T00:01:30.000Z"}
    later = detail_of(decided({"returns": {}, "after": "5s"}))
    assert later["waits"] == {"state": "Book", "for": "time", "until": "2024-06-01T00:00:05.000Z"}
    asks = detail_of(decided({"waits": True}))
    assert asks["waits"] == {"state": "Book", "for": "report", "until": None}


def test_a_waiting_task_tells_its_input_its_time_out_and_what_is_caught() -> None:
    definition = DECIDED.replace("Name: Book,", "Name: Book, Timeout: 60,")
    service = make_service(
        {"flows": [{"name": "order", "definition": definition, "tasks": {"Book": [{"waits": True}]}}]}
    )
    service("StartExecution", FlowName="order", ExecutionName="e", Input={"seats": 2})
    (task,) = Control(service.emulator).list_tasks()
    assert (task["input"], task["until"]) == ({"seats": 2}, "2024-06-01T00:01:00.000Z")
    assert task["catches"] == ["NoSeats", "Busy"]


ALIKE = """
Type: StateMachine
Name: alike
SpecVersion: v1
StartAt: Both
States:
  - Type: Parallel
    Name: Both
    End: true
    Branches:
      - {StartAt: Same, States: [{Type: Pass, Name: Same, End: true}]}
      - {StartAt: Same, States: [{Type: Pass, Name: Same, End: true}]}
"""


def test_states_of_one_name_in_different_branches_are_told_apart() -> None:
    service = make_service({"flows": [{"name": "alike", "definition": ALIKE}]})
    service("StartExecution", FlowName="alike", ExecutionName="e")
    world = service.emulator.worlds.default()
    (flow,) = world.stores.flows.rows("flows")
    row = world.stores.executions.get(flow.id, "e")
    assert row is not None
    passed = [visit.point for visit in visits(row)]
    assert sorted(passed) == sorted(node.id for _, node in flow.compiled.walk())
    assert len(set(passed)) == 3
