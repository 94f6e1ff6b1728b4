"""Set-ups that nothing used: what counts as one, what counts as used, and what came nearest."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from cfmock import CloudFlow, ServiceError, SettingsError
from cfmock.control import setups
from tests.support.calls import task_flow

FLOW = {"cfmock": 1, **task_flow("Charge", "Ship")}

Act = Callable[[CloudFlow], Any]


def judged(act: Act, *sources: Any, unused: str = "error", clock: str = "virtual") -> tuple[list[str], list[str]]:
    """What a server is left with: the lines of its failure, and its warnings."""
    cf = CloudFlow(FLOW, *sources, clock=clock, unused=unused)
    lines: list[str] = []
    try:
        with cf:
            act(cf)
    except AssertionError as error:
        head, *lines = str(error).split("\n")
        assert head == f"{len(lines)} set-up{'s' * (len(lines) != 1)} that nothing used"
    return [line.removeprefix("  ") for line in lines], cf.warnings


def start(cf: CloudFlow, name: str = "e1", **parameters: Any) -> None:
    cf.call("StartExecution", FlowName="order", ExecutionName=name, **parameters)


def post(cf: CloudFlow, path: str, body: Any) -> None:
    request = urllib.request.Request(f"{cf.url}/_cfmock/{path}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def throttled(cf: CloudFlow) -> None:
    with pytest.raises(ServiceError, match="ResourceThrottled"):
        cf.call("ListFlows")


USED: dict[str, Act] = {
    "a chain of which one mock answers": lambda cf: (
        cf.task("order", "Charge").returns({}, times=1).fails("Late"), cf.run("order")
    ),
    "an action": lambda cf: (cf.task("order", "FC:InvokeFunction").returns({}), cf.run("order")),
    "a function": lambda cf: (cf.task("order", "Ship").calls(lambda event: {}), cf.run("order")),
    "an outcome": lambda cf: (cf.outcome("order", status="Failed"), start(cf)),
    "an outcome of a flow that is deleted": lambda cf: (
        cf.outcome("order"), start(cf), cf.call("DeleteFlow", Name="order")
    ),
    "a fault": lambda cf: (cf.fault(when={"operation": "Start*"}, delay=0), start(cf)),
    "a fault that is removed": lambda cf: (fault := cf.fault(delay=0), start(cf), fault.remove()),
    "a limit that a call exceeds": lambda cf: (cf.fault(rate_limit={"per_second": 1}), start(cf), throttled(cf)),
    "what is used before a reset": lambda cf: (cf.outcome("order"), start(cf), cf.reset()),
    "a mock of a flow that comes later": lambda cf: (
        cf.task("later", "Charge").returns({}), cf.load({"cfmock": 1, **task_flow("Charge", name="later")}), cf.run("later")
    ),
    "mocks over HTTP": lambda cf: (
        post(cf, "mocks", {"flow": "order", "task": "Ship", "mocks": [{"returns": {}, "times": 1}, {"waits": True}]}),
        cf.run("order"),
    ),
    "a chain that is begun before a reset": lambda cf: (
        task := cf.task("order", "Ship"), cf.reset(), task.returns({}), cf.run("order")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", USED)
def test_what_was_used_is_not_told(name: str) -> None:
    lines, warnings = judged(USED[name])
    assert lines == []
    assert [each for each in warnings if "nothing used" in each] == []


UNUSED: dict[str, tuple[Act, str]] = {
    "a mock of a state that is never entered": (
        lambda cf: (cf.task("order", "Charge").fails("No"), cf.task("order", "Ship").fails("No"), cf.run("order", name="e1")),
        "mock of task 'Ship' of flow 'order': execution 'e1' of the flow never entered it; it entered Charge",
    ),
    "a mock behind another": (
        lambda cf: (cf.task("order", "Ship").returns({}), cf.task("order", "Ship").fails("No"), cf.run("order", name="e1")),
        "mock of task 'Ship' of flow 'order': execution 'e1' of the flow entered it, and was answered by a mock before this "
        "one or does not match its `when`",
    ),
    "a mock of an action": (
        lambda cf: (
            cf.task("order", "Charge").returns({}), cf.task("order", "Ship").returns({}),
            cf.task("order", "FC:InvokeFunction").waits(), cf.run("order", name="e1"),
        ),
        "mock of task 'FC:InvokeFunction' of flow 'order': execution 'e1' of the flow made no such call, or a mock of the "
        "state's own name answered it; it entered Charge > Ship",
    ),
    "a mock of a flow with an outcome": (
        lambda cf: (cf.task("order", "Ship").returns({}), cf.outcome("order"), start(cf)),
        "mock of task 'Ship' of flow 'order': execution 'e1' of the flow followed an outcome, and ran no task",
    ),
    "a mock of a flow that nobody starts": (
        lambda cf: cf.task("order", "Ship").returns({}, times=1).waits(),
        "mock of task 'Ship' of flow 'order': no execution of the flow was started",
    ),
    "a chain without a mock": (
        lambda cf: cf.task("order", "Ship"),
        "mock of task 'Ship' of flow 'order': it has no answer: add .returns(...), .fails(...), .calls(...) or .waits()",
    ),
    "a mock of another flow": (
        lambda cf: (cf.task("ordr", "Ship").returns({}), start(cf)),
        "mock of task 'Ship' of flow 'ordr': there is no flow 'ordr' (did you mean 'order'?); the nearest call: "
        "StartExecution(FlowName=order, ExecutionName=e1) -> 200",
    ),
    "a mock of a task that the flow turns out not to have": (
        lambda cf: (
            cf.task("later", "Chrage").returns({}), cf.load({"cfmock": 1, **task_flow("Charge", name="later")}),
            cf.run("later"),
        ),
        "mock of task 'Chrage' of flow 'later': flow 'later' has no task 'Chrage' (did you mean 'Charge'?)",
    ),
    "an outcome of other executions": (
        lambda cf: (
            cf.outcome("order", when={"execution": "bad-*", "input": {"a": 1}}, status="Failed"),
            start(cf, "bad-1", Input={"a": 2}), start(cf, "e2", Input={"a": 2}),
        ),
        'outcome Failed of flow \'order\' for {"execution":"bad-*","input":{"a":1}}: the nearest is execution \'bad-1\': '
        "input.a: expected 1, got 2",
    ),
    "an outcome behind another": (
        lambda cf: (cf.outcome("order"), cf.outcome("order", status="Failed"), start(cf)),
        "outcome Failed of flow 'order': execution 'e1' was decided by an outcome before this one, or was started earlier",
    ),
    "a fault on another operation": (
        lambda cf: (cf.fail("StopExecution", "AccessDenied", flow="order"), start(cf)),
        'fault \'added-1\' {"when":{"operation":"StopExecution","flow":"order"},"error":"AccessDenied"}: the nearest call: '
        "StartExecution(FlowName=order, ExecutionName=e1) -> 200: operation: expected 'StopExecution', got 'StartExecution'",
    ),
    "a fault on a later call": (
        lambda cf: (cf.fault(name="third", when={"call": 3}, delay=0), start(cf), cf.call("ListFlows")),
        'fault \'third\' {"name":"third","when":{"call":3},"delay":0}: the nearest call: ListFlows() -> 200: it matches, but '
        "is not one of the calls asked for, or another rule decided it",
    ),
    "a limit that no call exceeds": (
        lambda cf: (cf.fault(rate_limit={"per_second": 100}), start(cf)),
        'fault \'added-1\' {"rate_limit":{"per_second":100}}: the nearest call: StartExecution(FlowName=order, '
        "ExecutionName=e1) -> 200: it matches, and the limit was not exceeded",
    ),
    "a fault without any call": (
        lambda cf: cf.fault(name="any", delay=0), "fault 'any' {\"name\":\"any\",\"delay\":0}: no call came",
    ),
    "mocks over HTTP": (
        lambda cf: post(cf, "mocks", {"flow": "order", "task": "Ship", "mocks": [{"returns": {}}, {"waits": True}]}),
        "mock of task 'Ship' of flow 'order': no execution of the flow was started",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSED)
def test_what_nothing_used_is_named_with_what_came_nearest(name: str) -> None:
    act, line = UNUSED[name]
    lines, warnings = judged(act)
    assert lines == [line]
    _, told = judged(act, unused="warn")
    assert [each for each in told if each not in warnings] == [f"nothing used this set-up: {line}"]
    assert judged(act, unused="ignore")[0] == []


def test_a_mock_over_http_behind_one_that_answers_for_ever_is_warned_of() -> None:
    mocks = [{"when": {"execution": "a"}, "fails": {"code": "A"}}, {"returns": {}}, {"fails": {"code": "B"}}]
    _, warnings = judged(
        lambda cf: post(cf, "mocks", {"flow": "order", "task": "Ship", "mocks": mocks}), unused="ignore"
    )
    assert warnings == [
        "mock 3 of task 'Ship' of flow 'order' never answers: the one before it has no `times`, so it always answers; give "
        "it `times`, for example times=1"
    ]


def test_a_fault_that_has_yet_to_expire_on_a_real_clock_is_unused() -> None:
    lines, warnings = judged(lambda cf: cf.fault(name="f", delay=1, expires="10m"), clock="real")
    assert lines[0].startswith("fault 'f'")
    assert warnings == []


TOLD: dict[str, tuple[Act, str]] = {
    "removed": (lambda cf: cf.fault(name="f", delay=1).remove(), "fault 'f'"),
    "expired": (lambda cf: (cf.fault(name="f", delay=1, expires="1s"), cf.clock.advance("2s")), "fault 'f'"),
    "by chance": (lambda cf: cf.fault(name="f", when={"probability": 0.5}, delay=1), "fault 'f'"),
    "at a time": (
        lambda cf: cf.fault(name="f", when={"between": ["2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]}, delay=1),
        "fault 'f'",
    ),
    "reset": (lambda cf: (cf.task("order", "Ship").waits(), cf.reset()), "mock of task 'Ship' of flow 'order'"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_what_may_be_unused_though_all_is_right_is_only_told(name: str) -> None:
    act, what = TOLD[name]
    lines, warnings = judged(act)
    assert lines == []
    (warning,) = warnings
    assert warning.startswith(f"nothing used this set-up: {what}")
    assert judged(act, unused="ignore") == ([], [])


def test_what_is_loaded_is_no_set_up() -> None:
    document = {
        "cfmock": 1,
        **task_flow("A", name="f", tasks={"A": [{"waits": True}]}, outcomes=[{"status": "Failed"}]),
    }
    assert judged(
        lambda cf: cf.load({**document, "faults": [{"delay": 1}]}), {"cfmock": 1, "faults": [{"delay": 1}]}
    ) == ([], [])


def test_a_chain_that_goes_on_after_a_reset_is_a_new_set_up() -> None:
    def act(cf: CloudFlow) -> None:
        chain = cf.task("order", "Ship").waits()
        cf.reset()
        chain.returns({})

    lines, _ = judged(act)
    assert lines == ["mock of task 'Ship' of flow 'order': no execution of the flow was started"]


def test_a_failing_program_is_not_told_of_set_ups() -> None:
    with pytest.raises(ServiceError, match="FlowNotExists"):
        judged(lambda cf: (cf.outcome("order"), cf.call("DescribeFlow", Name="none")))


@pytest.mark.asyncio
async def test_it_is_judged_in_a_running_loop_too() -> None:
    with pytest.raises(AssertionError, match="1 set-up that nothing used"):
        async with CloudFlow(FLOW, unused="error") as cf:
            cf.outcome("order")


def test_what_unused_may_be() -> None:
    with pytest.raises(
        SettingsError, match=r"unused: 'eror' is not one of error, warn, ignore \(did you mean 'error'\?\)"
    ):
        CloudFlow(unused="eror").__enter__()


def test_in_a_world_of_its_own_a_set_up_is_used_all_the_same() -> None:
    def act(cf: CloudFlow) -> None:
        cf.outcome("order", status="Failed")
        cf.call("StartExecution", FlowName="order", RegionId="cn-beijing")

    assert judged(act) == ([], [])


def test_a_server_that_runs_for_long_remembers_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setups, "_KEPT", 2)
    lines, _ = judged(lambda cf: [cf.outcome("order", status=status) for status in ("Failed", "Stopped", "TimedOut")])
    assert [line.split()[1] for line in lines] == ["Stopped", "TimedOut"]


def test_of_very_many_set_ups_the_first_are_explained() -> None:
    lines, _ = judged(lambda cf: [cf.outcome("order") for _ in range(60)])
    named = "outcome Succeeded of flow 'order'"
    assert lines == [f"{named}: no execution of the flow was started"] * 50 + [named] * 10
