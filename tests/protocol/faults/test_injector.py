"""Which rules strike a call, and what comes of it."""

import fnmatch
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cfmock.base.clocks import VirtualClock
from cfmock.base.errors import InvalidValue
from cfmock.base.randomness import Ids
from cfmock.protocol.faults.injector import ActiveFault, FaultDecision, FaultInjector
from cfmock.protocol.faults.rules import Action, FaultRule, RateLimit
from cfmock.protocol.faults.token_bucket import Throttled
from cfmock.protocol.spec import model
from cfmock.protocol.wire.messages import OperationCall

DENIED = Action(error="AccessDenied")
NOON = 1_717_243_200.0


def struck(injector, call, calls):
    """The numbers, from 1, of those of so many equal calls that are struck."""
    return [number for number in range(1, calls + 1) if injector.decide(call) is not None]


def test_without_a_rule_nothing_happens(injector, call):
    assert injector.decide(call()) is None
    assert injector.skew(call()) == 0.0
    assert injector.list() == ()


# -- which calls -------------------------------------------------------------------------------------------------------


@given(st.text("ab*?[]\n", min_size=1, max_size=5), st.text("ab\n", max_size=6))
@example("ab*ba", "aba")
@example("*", "")
def test_an_execution_is_covered_by_what_a_shell_says(pattern, execution):
    spec = model.load()
    try:
        made = FaultRule.from_mapping(
            {"when": {"execution": pattern}, "delay": 0}, operations=spec.operations, codes=spec.errors
        )
    except InvalidValue:
        return  # no line of text
    injector = FaultInjector(VirtualClock(NOON), Ids(7))
    injector.add(made)
    named = {"FlowName": "f", "ExecutionName": execution} if execution else {"FlowName": "f"}
    struck = injector.decide(OperationCall(spec.operations["StartExecution"], named, "cfmock")) is not None
    assert struck is (fnmatch.fnmatchcase(execution, pattern) if execution else pattern.strip("*") == "")


@pytest.mark.parametrize(
    ("when", "strikes"),
    [
        ({}, True),
        ({"operation": "StartExecution"}, True),
        ({"operation": "Start*"}, True),
        ({"operation": ["StopExecution", "StartExecution"]}, True),
        ({"operation": "StopExecution"}, False),
        ({"operation": "*Flow*"}, False),
        ({"flow": "order_*", "execution": "e?", "access_key_id": "cf*"}, True),
        ({"flow": "Order_*"}, False),
        ({"flow": "order"}, False),
        ({"flow": ["a", "order_*"]}, True),
        ({"execution": "e[2-9]"}, False),
        ({"access_key_id": "reader"}, False),
        ({"operation": "StartExecution", "flow": "order_flow", "execution": "other"}, False),
    ],
)
def test_a_rule_strikes_the_calls_that_all_its_globs_cover(injector, rule, call, when, strikes):
    injector.add(rule(when=when, error="AccessDenied"))
    assert (injector.decide(call()) is not None) is strikes


@pytest.mark.parametrize("field", ["flow", "execution"])
@pytest.mark.parametrize(
    ("pattern", "strikes"), [("*", True), ("**", True), (["x", "*"], True), ("?*", False), ("e*", False)]
)
def test_what_a_request_does_not_name_is_covered_by_the_star_alone(injector, rule, call, field, pattern, strikes):
    injector.add(rule(when={field: pattern}, error="AccessDenied"))
    assert (injector.decide(call(**{field: None})) is not None) is strikes


@pytest.mark.parametrize(
    ("when", "numbers"),
    [
        ({"call": 2}, [2]),
        ({"call": [1, 4]}, [1, 4]),
        ({"every": 3}, [3, 6]),
        ({"every": 2, "call": [1, 2, 6]}, [2, 6]),
        ({"probability": 0}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_of_the_matching_calls_some_are_struck(injector, rule, call, when, numbers):
    injector.add(rule(when=when, error="AccessDenied"))
    assert struck(injector, call(), calls=6) == numbers


def test_only_matching_calls_are_counted(injector, rule, call):
    injector.add(rule(when={"flow": "order_*", "execution": "e*", "call": 2}, error="AccessDenied"))
    others = [call(flow="b"), call(execution="f"), call(operation="ListFlows", flow=None, execution=None)]
    assert [injector.decide(each) for each in [*others, call(), *others]] == [None] * 7
    assert injector.decide(call()) is not None


def test_each_rule_counts_for_itself(injector, rule, call):
    injector.add(rule(when={"flow": "a", "call": 2}, error="AccessDenied"))
    injector.add(rule(when={"call": 2}, error="ResourceThrottled"))
    decided = [injector.decide(call(flow=flow)) for flow in ("a", "b", "a")]
    assert [each.before.error if each else None for each in decided] == [None, "ResourceThrottled", "AccessDenied"]


def test_chance_is_the_seeds_and_about_as_often_as_said(rule, call):
    def strikes(seed):
        injector = FaultInjector(VirtualClock(NOON), Ids(seed))
        injector.add(rule(when={"probability": 0.1}, error="AccessDenied"))
        return struck(injector, call(), calls=5000)

    assert strikes(7) == strikes(7) != strikes(8)
    assert 400 < len(strikes(7)) < 600


def test_a_rule_holds_from_the_first_time_until_the_second(injector, clock, rule, call):
    injector.add(
        rule(when={"between": ["2024-06-01T12:00:10Z", "2024-06-01T12:00:20Z"], "call": 2}, error="AccessDenied")
    )
    found = []
    for second in (0, 9.9, 10, 19.9, 20, 30):
        clock.set(NOON + second)
        found.append(injector.decide(call()) is not None)
    assert found == [False, False, False, True, False, False]


def test_a_rule_is_spent_after_its_times(injector, rule, call):
    fault = injector.add(rule(error="AccessDenied", times=2, when={"every": 2}))
    assert struck(injector, call(), calls=9) == [2, 4]
    assert (fault.hits, fault.spent) == (2, True)
    assert injector.list() == (fault,)


def test_a_rule_removes_itself_when_it_expires(injector, clock, rule, call):
    fault = injector.add(rule(error="AccessDenied", expires="10m"))
    other = injector.add(rule(error="ResourceThrottled", expires="20m"))
    clock.set(NOON + 599)
    assert injector.decide(call()).before == DENIED
    clock.set(NOON + 600)
    assert injector.decide(call()).before.error == "ResourceThrottled"
    assert injector.list() == (other,)
    assert injector.hits_of(fault.id) == fault.hits == 1
    clock.set(NOON + 1200)
    assert injector.list() == ()
    assert injector.decide(call()) is None
    assert (injector.hits_of(other.id), injector.hits_of("none")) == (1, 0)


def test_of_very_many_rules_that_are_gone_the_last_are_remembered(injector, rule, call):
    for _ in range(1001):
        fault = injector.add(rule(error="AccessDenied"))
        injector.decide(call())
        injector.remove(fault.id)
    assert (injector.hits_of("fault-1"), injector.hits_of("fault-2"), injector.hits_of("fault-1001")) == (0, 1, 1)


# -- what happens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "half"),
    [
        ({"error": "AccessDenied", "retry_after": "1s"}, "before"),
        ({"custom_error": {"status": 418, "code": "Teapot"}}, "before"),
        ({"error": "AccessDenied", "after_operation": True}, "after"),
        ({"transport": "reset"}, "before"),
        ({"transport": "reset", "after_operation": True}, "after"),
        ({"transport": "slow"}, "after"),
    ],
)
def test_an_action_comes_before_or_after_the_operation(injector, rule, call, given, half):
    made = rule(**given)
    injector.add(made)
    assert injector.decide(call()) == FaultDecision(rules=("fault-1",), **{half: made.action})


def test_retry_after_is_that_of_the_action(injector, rule, call):
    assert FaultDecision(delay=1).retry_after is None
    injector.add(rule(error="AccessDenied", retry_after="500ms", times=1))
    injector.add(rule(error="AccessDenied", retry_after="1s", after_operation=True, times=1))
    injector.add(rule(error="AccessDenied"))
    assert [injector.decide(call()).retry_after for _ in range(3)] == [0.5, 1.0, None]


def test_the_first_action_decides_and_the_others_are_not_spent(injector, rule, call):
    first = injector.add(rule(name="first", error="AccessDenied", times=1))
    second = injector.add(rule(name="second", transport="hang", times=1))
    third = injector.add(rule(name="third", rate_limit={"per_second": 0}))
    decided = [injector.decide(call()) for _ in range(4)]
    assert [each.rules if each else None for each in decided] == [("first",), ("second",), None, ("third",)]
    assert [fault.hits for fault in (first, second, third)] == [1, 1, 1]


def test_a_call_counts_for_a_rule_that_comes_too_late(injector, rule, call):
    injector.add(rule(when={"call": 1}, error="AccessDenied"))
    injector.add(rule(when={"call": 2}, error="ResourceThrottled"))
    assert [injector.decide(call()).before.error for _ in range(2)] == ["AccessDenied", "ResourceThrottled"]
    assert injector.decide(call()) is None


@pytest.mark.parametrize(
    ("given", "calls", "throttled"),
    [
        ({"rate_limit": {"per_second": 4, "burst": 2}}, 3, Throttled(2, 0.25)),
        ({"rate_limit": {"per_second": 0, "burst": 1}}, 2, Throttled(1, math.inf)),
        ({"rate_limit": {"per_second": 4, "burst": 2}, "retry_after": "1s"}, 3, Throttled(2, 1.0)),
        ({"error": "ResourceThrottled", "retry_after": "2s"}, 1, Throttled(1, 2.0)),
        ({"error": "ResourceThrottled"}, 1, None),
        ({"error": "AccessDenied", "retry_after": "2s"}, 1, None),
    ],
)
def test_a_throttled_call_is_told_when_to_come_again_if_that_is_known(injector, rule, call, given, calls, throttled):
    injector.add(rule(**given))
    found = [injector.decide(call()) for _ in range(calls)][-1].throttled
    assert (found and found.limit) == (throttled and throttled.limit)
    assert (found and found.wait) == (throttled and pytest.approx(throttled.wait, abs=0.01))


def test_delays_add_up_wherever_they_stand(injector, rule, call):
    injector.add(rule(name="a", delay="1s"))
    injector.add(rule(name="b", error="AccessDenied", delay="2s", when={"call": 1}))
    injector.add(rule(name="c", transport="reset", delay="4s", when={"call": [1, 2]}))
    injector.add(rule(name="d", delay="8s"))
    assert injector.decide(call()) == FaultDecision(11.0, before=DENIED, rules=("a", "b", "d"))
    assert injector.decide(call()) == FaultDecision(13.0, before=Action(transport="reset"), rules=("a", "c", "d"))
    assert injector.decide(call()) == FaultDecision(9.0, rules=("a", "d"))


def test_delays_are_the_seeds(rule, call):
    def delays(seed):
        injector = FaultInjector(VirtualClock(NOON), Ids(seed))
        injector.add(rule(delay={"distribution": "lognormal", "median": "90ms", "sigma": 0.4}))
        return [injector.decide(call()).delay for _ in range(20)]

    assert delays(7) == delays(7) != delays(8)
    assert len(set(delays(7))) == 20


def test_calls_beyond_a_rate_limit_are_throttled(injector, clock, rule, call):
    limit = {"per_second": 20, "burst": 40}
    fault = injector.add(rule(rate_limit=limit, delay="1s", retry_after="50ms"))
    assert struck(injector, call(), calls=42) == [41, 42]
    assert injector.decide(call()) == FaultDecision(
        1.0,
        before=Action(error="ResourceThrottled", retry_after=0.05, rate_limit=RateLimit(20, 40)),
        rules=("fault-1",),
        throttled=Throttled(40, 0.05),
    )
    assert fault.hits == 3
    clock.set(NOON + 0.5)
    assert struck(injector, call(), calls=12) == [11, 12]


def test_a_rate_limit_is_one_bucket_for_all_it_covers_and_spent_by_throttling(injector, rule, call):
    injector.add(rule(rate_limit={"per_second": 0, "burst": 2}, times=1))
    flows = [call(flow=flow) for flow in "abcd"]
    assert [injector.decide(each) is not None for each in flows] == [False, False, True, False]


def test_two_rate_limits_have_a_bucket_each(injector, rule, call):
    for name in ("wide", "narrow"):
        injector.add(rule(name=name, rate_limit={"per_second": 0, "burst": 3 if name == "wide" else 1}))
    decided = [injector.decide(call()) for _ in range(4)]
    assert [each.rules if each else None for each in decided] == [None, ("narrow",), ("narrow",), ("wide",)]


# -- the clock ---------------------------------------------------------------------------------------------------------


def test_a_skew_is_asked_for_before_authentication_and_decides_nothing_after_it(injector, rule, call):
    fault = injector.add(rule(name="late", clock_skew="20m", when={"operation": "Start*"}, times=2))
    names = []
    assert injector.skew(call(), names) == 1200
    assert injector.decide(call()) is None
    assert injector.skew(call(operation="StopExecution"), names) == 0
    assert injector.skew(call()) == 1200
    assert injector.skew(call(), names) == 0
    assert (names, fault.hits) == (["late"], 2)


def test_the_first_skew_decides_and_the_others_are_not_spent(injector, rule, call):
    injector.add(rule(clock_skew="-20m", times=1))
    injector.add(rule(clock_skew="1h", times=1))
    assert [injector.skew(call()) for _ in range(3)] == [-1200, 3600, 0]


def test_other_rules_do_not_count_what_is_asked_of_the_clock(injector, rule, call):
    injector.add(rule(error="AccessDenied", when={"call": 1}))
    assert injector.skew(call()) == 0.0
    assert injector.decide(call()) is not None


# -- the list ----------------------------------------------------------------------------------------------------------


def test_rules_are_listed_in_order_with_id_name_and_hits(injector, rule, call):
    injector.add(rule(error="AccessDenied", when={"operation": "Start*", "call": [1]}))
    injector.add(rule(name="slow", delay="1s", times=3))
    injector.decide(call())
    assert [fault.to_mapping() for fault in injector.list()] == [
        {
            "id": "fault-1",
            "name": "fault-1",
            "error": "AccessDenied",
            "when": {"operation": "Start*", "call": [1]},
            "hits": 1,
        },
        {"id": "fault-2", "name": "slow", "delay": "1s", "times": 3, "hits": 1},
    ]


def test_a_removed_rule_strikes_no_more_and_keeps_its_hits(injector, rule, call):
    one, two = (injector.add(rule(error=code)) for code in ("AccessDenied", "ResourceThrottled"))
    injector.decide(call())
    injector.remove(one.id)
    injector.remove(one.id)
    assert injector.decide(call()).before.error == "ResourceThrottled"
    assert injector.remove(two.id) is True
    assert injector.remove(two.id) is False
    assert injector.remove(one.id) is False
    assert injector.decide(call()) is None
    assert (one.hits, two.hits) == (1, 1)


def test_clear_takes_all_away_and_ids_are_not_given_again(injector, rule, call):
    injector.add(rule(error="AccessDenied"))
    injector.decide(call())
    injector.clear()
    assert injector.list() == ()
    assert injector.decide(call()) is None
    assert injector.add(rule(error="AccessDenied")).id == "fault-2"


def test_an_id_can_be_chosen_once(injector, rule):
    assert injector.add(rule(delay=1), id="fault-2").id == "fault-2"
    assert [injector.add(rule(delay=1)).id for _ in range(2)] == ["fault-1", "fault-3"]
    with pytest.raises(ValueError, match="there is a fault 'fault-2' already"):
        injector.add(rule(delay=1), id="fault-2")
    assert len(injector.list()) == 3


# -- what is remembered ------------------------------------------------------------------------------------------------


def test_calls_of_many_flows_and_keys_do_not_get_each_others_rules(injector, rule, call):
    injector.add(rule(when={"flow": "*7"}, delay=1))
    injector.add(rule(when={"access_key_id": "b"}, delay=2))
    injector.add(rule(when={"operation": "StopExecution"}, delay=4))
    for number in range(1000):
        flow = f"{'long_' * 50 if number % 3 else ''}{number}"
        for key in "ab":
            for operation in ("StartExecution", "StopExecution"):
                decision = injector.decide(call(operation, flow=flow, access_key_id=key))
                expected = (number % 10 == 7) + 2 * (key == "b") + 4 * (operation == "StopExecution")
                assert (decision.delay if decision else 0) == expected


SPEC = model.load()
GLOBS = st.sampled_from(["*", "a", "b", "a*", "?b"])
RULES = st.fixed_dictionaries(
    {
        "when": st.fixed_dictionaries(
            {"operation": st.sampled_from(["*", "Start*", "StopExecution"])},
            optional={
                "flow": GLOBS,
                "execution": GLOBS,
                "access_key_id": GLOBS,
                "call": st.lists(st.integers(1, 4), min_size=1, max_size=3),
                "every": st.integers(1, 3),
                "probability": st.sampled_from([0.5, 1]),
            },
        )
    },
    optional={"times": st.integers(1, 2), "expires": st.integers(1, 5)},
)
ACTIONS = st.sampled_from(
    [
        {"error": "AccessDenied"},
        {"delay": 1},
        {"transport": "slow", "delay": 2},
        {"rate_limit": {"per_second": 1}},
        {"clock_skew": 60},
    ]
)
NAMES = st.sampled_from([None, "a", "b", "ab", "a" * 200])
CALLS = st.tuples(st.sampled_from(["StartExecution", "StopExecution"]), NAMES, NAMES, st.sampled_from(["a", "b"]))


@given(st.lists(st.tuples(RULES, ACTIONS), min_size=1, max_size=6), st.lists(CALLS, max_size=20))
def test_what_is_remembered_between_calls_changes_no_decision(rules, calls):
    clock = VirtualClock(NOON)
    remembers, forgets = FaultInjector(clock, Ids(1)), FaultInjector(clock, Ids(1))
    for keys, action in rules:
        rule = FaultRule.from_mapping({**keys, **action}, operations=SPEC.operations, codes=SPEC.errors)
        remembers.add(rule)
        forgets.add(rule)
    for operation, flow, execution, key in calls:
        named = {name: text for name, text in (("FlowName", flow), ("ExecutionName", execution)) if text}
        call = OperationCall(SPEC.operations[operation], named, key)
        again = forgets.add(FaultRule(delay=None, times=1))  # adding and removing makes it look at all rules anew
        forgets.remove(again.id)
        assert remembers.skew(call) == forgets.skew(call)
        assert remembers.decide(call) == forgets.decide(call)
        clock.set(clock.now() + 0.5)


def test_of_many_rules_for_other_calls_none_is_looked_at(injector, call, rule, monkeypatch):
    for number in range(30):
        injector.add(rule(when={"operation": "ListFlows"}, error="AccessDenied"))
        injector.add(rule(when={"operation": "StartExecution", "execution": f"n{number}"}, error="AccessDenied"))
    started = call(operation="StartExecution", execution="n7")
    injector.decide(started)
    first = injector.trace(started)
    looked = []
    plain = ActiveFault.counts
    monkeypatch.setattr(ActiveFault, "counts", lambda fault, *asked: looked.append(fault) or plain(fault, *asked))
    assert injector.decide(started) is not None
    assert [fault.rule.when.execution.patterns for fault in looked] == [("n7",)]
    listed = call(operation="DescribeFlow")
    assert injector.decide(listed) is None
    assert injector.trace(listed).rules is injector.trace(listed).rules
    assert len(looked) == 1
    # What stood then is kept: a later call changes nothing of it.
    assert [each.hits for each in first.rules if each.hits] == [1]
    assert [each.hits for each in injector.trace(started).rules if each.hits] == [2]
