"""Expectations of calls, and what they say when they fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cfmock import CloudFlow, ServiceError, WaitTimeout
from tests.support.calls import echo_flow


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow({"cfmock": 1, **echo_flow({})}) as server:
        server.call("StartExecution", FlowName="echo", ExecutionName="order-1", Input={"kind": "express", "n": 1})
        server.call("DescribeExecution", FlowName="echo", ExecutionName="order-1")
        server.call("DescribeExecution", FlowName="echo", ExecutionName="order-1")
        yield server


def failure(function: object, *args: object, **parameters: object) -> str:
    with pytest.raises(AssertionError) as caught:
        function(*args, **parameters)  # type: ignore[operator]
    return str(caught.value)


def test_what_was_called_is_given(cf: CloudFlow) -> None:
    (start,) = cf.assert_called("StartExecution")
    assert start.parameters["ExecutionName"] == "order-1"
    assert len(cf.assert_called("DescribeExecution", times=2, ExecutionName="order-*")) == 2
    assert cf.assert_called("StartExecution", 1, FlowName="echo", Input={"kind": "exp*"})
    assert cf.assert_called("StopExecution", times=0) == []


def test_an_operation_may_be_a_glob(cf: CloudFlow) -> None:
    assert len(cf.assert_called("*Execution", FlowName="echo")) == 3
    assert [call.operation for call in cf.assert_order("Start*", ("Describe*", {"ExecutionName": "order-1"}))] == [
        "StartExecution", "DescribeExecution",
    ]  # fmt: skip
    assert cf.assert_retries("Stop*", max=0) == []
    assert failure(cf.assert_called, "Stop*").startswith("expected Stop*() to be called, and it never was; ")


def test_a_call_has_what_calls_are_asked_for_by(cf: CloudFlow) -> None:
    cf.fault(name="late", when={"operation": "List*"}, delay=0)
    cf.call("ListFlows")
    (call,) = cf.calls(fault="late", region=cf.region)
    assert (call.faults, call.region) == (("late",), cf.region)
    assert cf.calls(account=call.account)[-1] == call


def test_that_runs_are_no_calls_is_said_where_one_is_missed() -> None:
    said = "cf.run, which began an execution here, makes no call"
    with CloudFlow({"cfmock": 1, **echo_flow({})}, clock="virtual") as cf:
        assert said not in failure(cf.assert_called, "StartExecution")
        cf.run("echo")
        assert said in failure(cf.assert_called, "StartExecution")
        assert said in failure(cf.assert_called, "Start*", FlowName="echo")
        assert said in failure(cf.assert_order, "StartExecution")
        assert said not in failure(cf.assert_called, "StopExecution")
        cf.run("echo")
        with pytest.raises(WaitTimeout, match=r"cf\.run, which began 2 executions here, makes no call"):
            cf.wait_for_calls("StartExecution", timeout=0)
        cf.reset()
        assert "makes no call" not in failure(cf.assert_called, "StartExecution")


def test_a_failure_shows_the_nearest_calls_first(cf: CloudFlow) -> None:
    told = failure(cf.assert_called, "StartExecution", ExecutionName="order-2", Input={"kind": "slow"})
    first, second, *_ = told.splitlines()
    assert first == (
        "expected StartExecution(ExecutionName='order-2', Input={'kind': 'slow'}) to be called, and it never was; "
        "the calls, the nearest first:"
    )
    assert "StartExecution(FlowName=echo, ExecutionName=order-1, Input=" in second
    assert (
        "-> 200  [ExecutionName: expected 'order-2', got 'order-1'; Input.kind: expected 'slow', got 'express']"
        in second
    )
    assert "[operation: expected 'StartExecution', got 'DescribeExecution'; " in told


def test_another_number_of_calls_fails(cf: CloudFlow) -> None:
    told = failure(cf.assert_called, "DescribeExecution", times=1)
    assert "to be called once, and it was called twice" in told
    assert told.count("[as expected]") == 2
    told = failure(cf.assert_called, "DescribeExecution", times=0)
    assert "DescribeExecution() never to be called, and it was called twice" in told
    with pytest.raises(ValueError, match="times: -1 is less than 0"):
        cf.assert_called("DescribeExecution", times=-1)


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ({"Input": {"n": 2}}, "Input.n: expected 2, got 1"),
        ({"Input": {"m": 1}}, "Input.m: expected 1, got missing"),
        ({"ExecutionName": "x-*"}, "ExecutionName: expected 'x-*', got 'order-1'"),
        ({"Qualifier": "prod"}, "Qualifier: expected 'prod', got missing"),
        ({"ExecutionName": {"a": 1}}, "ExecutionName: expected {'a': 1}, got 'order-1'"),
    ],
)
def test_each_field_that_differs_is_named(cf: CloudFlow, expected: dict[str, object], difference: str) -> None:
    assert difference in failure(cf.assert_called, "StartExecution", **expected)


def test_many_calls_are_cut(cf: CloudFlow) -> None:
    for _ in range(30):
        cf.call("ListFlows")
    told = failure(cf.assert_called, "StopExecution")
    assert len(told.splitlines()) == 12
    assert told.endswith("... and 23 more")


def test_no_calls_at_all_are_said_to_be_none() -> None:
    with CloudFlow() as cf:
        assert failure(cf.assert_called, "ListFlows").endswith("there were no calls at all")


def test_calls_in_their_order_are_given(cf: CloudFlow) -> None:
    cf.call("ListFlows")
    found = cf.assert_order("StartExecution", ("DescribeExecution", {"ExecutionName": "order-1"}), "ListFlows")
    assert [each.operation for each in found] == ["StartExecution", "DescribeExecution", "ListFlows"]


def test_the_first_call_that_is_out_of_order_is_named(cf: CloudFlow) -> None:
    told = failure(cf.assert_order, "DescribeExecution", "StartExecution")
    assert told.startswith(
        "expected StartExecution() after DescribeExecution(FlowName=echo, ExecutionName=order-1) -> 200"
    )
    assert "all calls in their order:\n  StartExecution(" in told
    assert failure(cf.assert_order, "StopExecution").startswith("expected StopExecution(), and it was not called")
    steps = ["DescribeExecution"] * 3
    assert "and it was not called; no call came after that\n" in failure(cf.assert_order, *steps)


@pytest.mark.parametrize(
    ("operation", "parameters", "words"),
    [
        ("StartExecutoin", {}, r"no operation 'StartExecutoin' \(did you mean 'StartExecution'\?\)"),
        ("StartExecution", {"FlowNam": "x"}, r"no parameter 'FlowNam' \(did you mean 'FlowName'\?\)"),
    ],
)
def test_a_slip_in_an_expectation_is_no_failed_expectation(
    cf: CloudFlow, operation: str, parameters: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        cf.assert_called(operation, **parameters)
    with pytest.raises(ValueError, match=words):
        cf.assert_order((operation, parameters))


def start(cf: CloudFlow, *names: str) -> None:
    for name in names:
        try:
            cf.call("StartExecution", FlowName="echo", ExecutionName=name)
        except ServiceError:
            continue


def test_retries_are_given(cf: CloudFlow) -> None:
    cf.fail("StartExecution", "ResourceThrottled", times=2)
    start(cf, "a", "a", "a")
    (group,) = cf.assert_retries("StartExecution", max=2, backoff="none", same_name=True)
    assert (group.count, group.recovered) == (3, True)
    assert cf.assert_retries("DescribeExecution", max=0) == []


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"max": 1}, "expected StartExecution to be repeated 1 times at most, and it was 2"),
        ({"max": 0}, "repeated 0 times at most, and it was 2"),
        ({"backoff": "exponential"}, "expected exponential backoff of StartExecution, and it is none"),
        ({"same_name": True}, "expected StartExecution to be repeated under the same execution names"),
    ],
)
def test_other_retries_fail_with_what_they_were(cf: CloudFlow, expected: dict[str, object], words: str) -> None:
    cf.fail("StartExecution", "ResourceThrottled", times=2)
    start(cf, "a", "b", "c")
    told = failure(cf.assert_retries, "StartExecution", **expected)
    assert words in told
    assert "StartExecution 3 times, " in told
    assert "ResourceThrottled, ResourceThrottled, success" in told


def test_no_retries_where_some_are_expected_fail(cf: CloudFlow) -> None:
    assert failure(cf.assert_retries, "StartExecution") == (
        "expected StartExecution to be repeated after a failure, and it was not"
    )
    cf.fail("StartExecution", "ResourceThrottled", times=1)
    start(cf, "a", "a")
    assert "none" in failure(cf.assert_retries, "StartExecution", backoff="fixed")
    with pytest.raises(ValueError, match="no backoff 'linear'"):
        cf.assert_retries("StartExecution", backoff="linear")
