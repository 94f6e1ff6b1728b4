"""Who answers a task: which mock, how often, with what; and what happens when there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cfmock.base.errors import TaskFailed
from cfmock.engine.identity import Identity
from cfmock.engine.task_calls import Fails, Returns, TaskMock, Waits
from cfmock.engine.task_mocks import TaskMocks
from tests.support.lab import Lab, Seen, text_of


def task(action: str = "FC:InvokeFunction", more: str = "", output: str = "") -> str:
    return text_of({"states": f"- {{Type: Task, Name: A, Action: '{action}', {more} {output} End: true}}"})


def run(mocks: list[Any], text: str | None = None, value: Any = None, **more: Any) -> Seen:
    return Lab().run(text or task(), value, {"A": mocks}, **more)


@pytest.mark.parametrize(
    ("mapping", "answer"),
    [
        ({"returns": {"a": 1}}, Returns({"a": 1})),
        ({"returns": None, "after": "100ms"}, Returns(None, 0.1)),
        ({"fails": {"code": "C"}}, Fails("C")),
        ({"fails": {"code": "C", "detail": "d"}, "after": 2}, Fails("C", "d", 2)),
        ({"waits": True}, Waits()),
    ],
)
def test_a_mock_is_read_from_a_mapping(mapping: dict[str, Any], answer: Any) -> None:
    assert TaskMock.from_mapping(mapping).answer == answer


def test_a_mock_with_a_duration_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        TaskMock.from_mapping({"returns": {}, "after": "soon"})


def test_times_are_counted_in_each_execution() -> None:
    lab = Lab()
    lab.add("f", task(more="Retry: [{Errors: [Oops], MaxAttempts: 1, IntervalSeconds: 1}],"),
            {"A": [{"fails": {"code": "Oops"}, "times": 1}, {"returns": {"ok": True}}]})  # fmt: skip
    both = [lab.start("f", name=name) for name in ("e1", "e2")]
    lab.advance(1)
    assert [(seen.status, seen.points) for seen in both] == [("Succeeded", ["A", "A!retry0"])] * 2


def test_equal_mocks_are_counted_apart() -> None:
    text = task(more="Retry: [{Errors: [Oops], MaxAttempts: 2, IntervalSeconds: 1}],")
    fails = {"fails": {"code": "Oops"}, "times": 1}
    assert run([fails, fails, {"returns": {}}], text).points == ["A", "A!retry0", "A!retry0"]


def test_what_is_added_later_comes_before_what_was_there_in_the_order_it_was_added() -> None:
    mocks = TaskMocks({"A": [TaskMock(answer=Returns(3))]})
    mocks.add("A", TaskMock(answer=Returns(1)))
    mocks.add("A", TaskMock(answer=Returns(2)))
    mocks.add("fc:invokefunction", TaskMock(answer=Returns(4)))
    lab = Lab()
    lab.add("f", task())
    call = _call_of(lab)
    assert [mock.answer.value for mock in mocks.possible(call)] == [1, 2, 3, 4]  # type: ignore[union-attr]


def _call_of(lab: Lab) -> Any:
    """The call that the flow of the lab makes first."""
    found: list[Any] = []
    flow, _ = lab.flows["f"]

    class Catcher:
        def resolve(self, task: Any) -> Any:
            found.append(task.call)
            return Returns({})

    lab.scheduler.start(flow, Identity("f", "x"), {}, resolver=Catcher(), sink=lambda *told: None)
    return found[0]


def test_a_mock_says_why_it_did_not_match() -> None:
    lab = Lab()
    lab.add("f", task())
    mock = TaskMock(when={"execution": "other-*", "input": {"kind": "express"}})
    call = _call_of(lab)
    assert [str(difference) for difference in mock.condition.differences(call.identity.execution, call.input)] == [
        "execution: expected 'other-*', got 'x'",
        "input.kind: expected 'express', got missing",
    ]


# -- functions ---------------------------------------------------------------------------------------------------------


def calling(function: Callable[[Any], Any], text: str | None = None, value: Any = None) -> Seen:
    return run([TaskMock(calls=function)], text, value)


def test_a_function_gets_the_body_and_gives_it() -> None:
    text = task(more="Parameters: {resourceArn: r, body: {n.$: $Input.n}},")
    assert calling(lambda event: {"r": event["n"] * 2}, text, {"n": 3}).output == {"Body": {"r": 6}}


def test_a_function_for_an_http_request_gives_its_body_and_is_given_all_of_it() -> None:
    text = task("HTTP:Request", "Parameters: {url: 'http://x', method: get},")
    assert calling(lambda event: event["url"], text).output == {"Header": {}, "Code": 200, "Body": "http://x"}


def test_a_function_for_any_other_action_gives_the_whole_output() -> None:
    assert calling(lambda event: {"got": event}, task("x:Y", "Parameters: {a: 1},")).output == {"got": {"a": 1}}


def test_a_function_of_an_old_flow_gives_the_local_variable() -> None:
    text = text_of({"steps": "- {type: task, name: A, resourceArn: 'acs:fc:::services/s/functions/f'}"})
    assert calling(lambda event: {"sum": event["a"] + 1}, text, {"a": 1}).output == {"sum": 2}


def test_a_function_for_an_action_of_an_old_flow_gets_the_parameters_of_the_call() -> None:
    step = "{type: task, name: A, action: 'ocr:Recognize', serviceParams: {ImageURL: $.url, Side: face}}"
    text = text_of({"steps": f"- {step}"})
    assert calling(lambda event: {"got": event}, text, {"url": "u"}).output == {
        "got": {"ImageURL": "u", "Side": "face"}
    }


def test_a_function_fails_its_task_by_what_it_raises() -> None:
    def refuse(event: Any) -> None:
        raise TaskFailed("Refused", "no money")

    def break_(event: Any) -> None:
        raise KeyError("amount")

    assert calling(refuse).error == ("Refused", "no money")

    def mistake(event: Any) -> None:
        raise TaskFailed(429)  # type: ignore[arg-type]

    assert calling(break_).error == ("KeyError", "'amount'")
    assert calling(mistake).error == ("ArgumentTypeError", "code: 429 is not text")


def test_a_function_cannot_change_the_data_of_the_flow() -> None:
    def change(event: Any) -> Any:
        event["list"].append(1)
        kept.append(event)
        return event

    kept: list[Any] = []
    text = task("x:Y", "Parameters: {list.$: $Input.list},", "OutputConstructor: {in.$: $Input, out.$: $Output},")
    seen = calling(change, text, {"list": []})
    kept[0]["list"].append(2)
    assert seen.output == {"in": {"list": []}, "out": {"list": [1]}}


def test_what_a_function_gives_must_be_json() -> None:
    assert calling(lambda event: {1, 2}).error[0] == "FnF.RuntimeError"
    assert calling(lambda event: float("nan")).error[0] == "FnF.RuntimeError"
    assert calling(lambda event: (1, 2)).output == {"Body": [1, 2]}


def test_a_function_of_a_callback_task_is_called_and_then_the_report_is_waited_for() -> None:
    events: list[Any] = []
    text = task(more="TaskMode: WaitForCustomCallback, Parameters: {body: {t.$: $Context.Current.TaskToken}},")
    lab = Lab()
    lab.add("f", text, {"A": [TaskMock(calls=events.append)]})
    seen = lab.start("f")
    assert list(seen.run.waiting) == [events[0]["t"]]
    assert seen.run.report(events[0]["t"], {"ok": True})
    assert seen.output == {"ok": True}


def test_a_function_of_a_callback_task_that_raises_did_not_submit_it() -> None:
    def break_(event: Any) -> None:
        raise TaskFailed("Down")

    seen = calling(break_, task(more="TaskMode: WaitForCustomCallback,"))
    assert (seen.error[0], len(seen.told("TaskSubmitFailed"))) == ("Down", 1)


# -- no mock -----------------------------------------------------------------------------------------------------------


def test_a_task_without_a_mock_gives_nothing_and_somebody_is_told() -> None:
    lab = Lab()
    assert lab.run(task()).output == {}
    assert lab.unmocked == ["A"]


def test_a_task_without_a_mock_may_fail_instead() -> None:
    lab = Lab()
    lab.fail_unmocked = True
    assert lab.run(task()).error == ("cfmock.UnmockedTask", "no mock for 'A'")


def test_a_task_that_waits_for_a_custom_callback_needs_no_mock() -> None:
    lab = Lab()
    seen = lab.run(task(more="TaskMode: WaitForCustomCallback,"))
    assert (seen.status, lab.unmocked, len(seen.run.waiting)) == ("Running", [], 1)


def test_without_a_mock_no_items_are_read() -> None:
    text = text_of(
        {
            "states": "- {Type: Map, Name: A, ItemReader: {bucket: b}, ProcessorConfig: {ExecutionMode: Express},"
            " Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}, End: true}"
        }
    )
    lab = Lab()
    assert lab.run(text).output == {"Items": []}
    assert lab.unmocked == ["A.ItemReader"]
