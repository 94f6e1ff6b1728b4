"""Why a rule did not strike a call."""

from __future__ import annotations

import pytest

from cfmock.base.patterns import MISSING
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import OperationCall


def near_misses(injector, call, struck=()):
    return injector.trace(call, struck).near_misses()


@pytest.mark.parametrize(
    ("when", "differences"),
    [
        ({"operation": ["Stop*", "List*"]}, [("when.operation", "Stop* or List*", "StartExecution")]),
        ({"flow": "other"}, [("when.flow", "other", "order_flow")]),
        ({"execution": "x*", "flow": "o*"}, [("when.execution", "x*", "e1")]),
        ({"access_key_id": "reader"}, [("when.access_key_id", "reader", "cfmock")]),
        ({"flow": "x", "execution": "y"}, [("when.flow", "x", "order_flow"), ("when.execution", "y", "e1")]),
        ({"call": [2, 3]}, [("when.call", [2, 3], 1)]),
        ({"every": 10}, [("when.every", 10, 1)]),
        (
            {"between": ["2024-06-01T13:00:00Z", "2024-06-01T14:00:00Z"]},
            [
                (
                    "when.between",
                    ["2024-06-01T13:00:00.000Z", "2024-06-01T14:00:00.000Z"],
                    "2024-06-01T12:00:00.000Z",
                )
            ],
        ),
        ({}, []),
    ],
)
def test_a_near_miss_names_what_kept_the_rule_from_striking(injector, rule, call, when, differences):
    injector.add(rule(name="r", when=when, error="AccessDenied"))
    decision = injector.decide(call())
    found = near_misses(injector, call(), decision.rules if decision else ())
    expected = [("r", differences)] if differences else []
    assert [(name, [(d.path, d.expected, d.actual) for d in each]) for _, name, each in found] == expected


def test_a_near_miss_tells_what_the_request_lacks(injector, rule, call):
    injector.add(rule(when={"execution": "e*"}, error="AccessDenied"))
    unnamed = call(execution=None)
    injector.decide(unnamed)
    ((_, _, (difference,)),) = near_misses(injector, unnamed)
    assert difference.actual is MISSING
    assert str(difference) == "when.execution: expected 'e*', got missing"


def test_a_spent_rule_and_an_unlucky_one_are_near_misses(injector, rule, call):
    injector.add(rule(name="spent", error="AccessDenied", times=1))
    injector.add(rule(name="unlucky", delay=1, when={"probability": 0}))
    first = injector.decide(call())
    assert [miss.name for miss in near_misses(injector, call(), first.rules)] == ["unlucky"]
    assert injector.decide(call()) is None
    (_, _, (spent,)), (_, _, (unlucky,)) = near_misses(injector, call())
    assert (spent.path, spent.expected, spent.actual) == ("times", 1, 1)
    assert (unlucky.path, unlucky.expected) == ("when.probability", 0)
    assert 0 <= unlucky.actual < 1


def test_the_nearest_miss_comes_first_and_other_operations_last(injector, rule, call):
    injector.add(rule(name="other operation", when={"operation": "StopExecution"}, error="AccessDenied"))
    injector.add(rule(name="two off", when={"flow": "x", "execution": "x"}, error="AccessDenied"))
    injector.add(rule(name="one off", when={"flow": "x"}, error="AccessDenied"))
    injector.decide(call())
    assert [miss.name for miss in near_misses(injector, call())] == ["one off", "two off", "other operation"]


def test_a_rule_that_came_too_late_or_had_room_left_is_no_near_miss(injector, rule, call):
    injector.add(rule(name="first", error="AccessDenied"))
    injector.add(rule(name="late", error="AccessDenied", when={"probability": 0.5}))
    injector.add(rule(name="roomy", rate_limit={"per_second": 1}))
    decision = injector.decide(call())
    assert near_misses(injector, call(), decision.rules) == []


def test_without_rules_there_is_nothing_to_trace(injector, call):
    assert injector.decide(call()) is None
    assert injector.trace(call()) is None


def test_a_trace_tells_of_the_call_it_was_taken_after(injector, rule, call):
    fault = injector.add(rule(name="third", when={"call": 3}, error="AccessDenied"))
    traces = []
    for _ in range(2):
        injector.decide(call())
        traces.append(injector.trace(call()))
    injector.remove(fault.id)
    assert [str(trace.near_misses()[0]) for trace in traces] == [
        "fault third nearly matched: when.call: expected [3], got 1",
        "fault third nearly matched: when.call: expected [3], got 2",
    ]


def test_of_very_many_rules_those_for_the_operation_are_kept(injector, rule, call):
    for number in range(200):
        injector.add(rule(when={"operation": "StopExecution", "flow": f"f{number}"}, error="AccessDenied"))
    injector.add(rule(name="mine", when={"flow": "x"}, error="AccessDenied"))
    injector.decide(call())
    trace = injector.trace(call())
    assert len(trace.rules) == 64
    assert trace.near_misses()[0].name == "mine"


@pytest.mark.parametrize(
    ("whens", "nearest"),
    [
        ([{"flow": "x", "execution": "y"}, {"flow": "x"}], "1"),
        ([{"operation": "StopExecution", "flow": "x"}], None),
        ([{"operation": "StopExecution"}, {"execution": "x"}], "1"),
        ([{"call": 2}, {"every": 9}, {"probability": 0}], None),
        ([{"flow": "x", "execution": "y"}], None),
    ],
)
def test_the_nearest_is_kept_from_striking_by_the_request_alone(injector, rule, call, whens, nearest):
    for number, when in enumerate(whens):
        injector.add(rule(name=str(number), when=when, error="AccessDenied"))
    injector.decide(call())
    found = injector.trace(call()).nearest()
    assert (found.name if found else None) == nearest


@pytest.mark.parametrize(
    ("operation", "arguments", "when", "near"),
    [
        ("StartExecution", {"FlowName": "f"}, {"execution": "e*"}, True),
        ("ListFlows", {}, {"flow": "f"}, False),
        ("ListExecutions", {"FlowName": "f"}, {"execution": "e*"}, False),
        ("DescribeFlow", {"Name": "g"}, {"flow": "f"}, True),
    ],
)
def test_what_an_operation_cannot_have_is_not_missing(injector, rule, operation, arguments, when, near):
    made = OperationCall(load().operations[operation], arguments)
    injector.add(rule(when=when, error="AccessDenied"))
    injector.decide(made)
    assert (injector.trace(made).nearest() is not None) is near
