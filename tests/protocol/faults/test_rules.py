"""What a fault rule may say, and how a wrong one is told."""

import math
from pathlib import Path

import pytest

from cfmock.base import yaml_source
from cfmock.base.errors import InvalidValue
from cfmock.base.randomness import Ids
from cfmock.base.source_marks import path_text
from cfmock.protocol.faults.rules import (
    DISTRIBUTIONS,
    TRANSPORTS,
    Action,
    CustomError,
    FaultRule,
    Fixed,
    Lognormal,
    RateLimit,
    Uniform,
)
from cfmock.protocol.spec import model
from cfmock.protocol.wire.messages import Transport

NOON, ONE = "2024-06-01T12:00:00Z", "2024-06-01T13:00:00Z"


def problems(given):
    spec = model.load()
    with pytest.raises(InvalidValue) as caught:
        FaultRule.from_mapping(given, operations=spec.operations, codes=spec.errors)
    return [(path, str(mistake)) for path, mistake in caught.value.problems]


def test_every_key_means_what_the_fixture_format_says(rule):
    made = rule(
        name="slow-then-throttled",
        when={
            "operation": "StartExecution",
            "flow": "order_*",
            "execution": ["a", "b*"],
            "access_key_id": "cf*",
            "call": [1, 2],
            "every": 10,
            "probability": 0.1,
            "between": [NOON, ONE],
        },
        times=2,
        expires="10m",
        after_operation=True,
        delay="100ms",
        error="ResourceThrottled",
        retry_after="500ms",
    )
    when = made.when
    assert (made.name, made.times, made.expires, made.after_operation) == ("slow-then-throttled", 2, 600, True)
    assert made.action == Action(error="ResourceThrottled", retry_after=0.5)
    assert made.delay == Fixed(0.1)
    assert (when.call, when.every, when.probability) == ((1, 2), 10, 0.1)
    assert when.between == (1_717_243_200.0, 1_717_246_800.0)
    assert [str(globs) for globs in (when.operation, when.flow, when.execution, when.access_key_id)] == [
        "StartExecution", "order_*", "a or b*", "cf*"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "action"),
    [
        (
            {"custom_error": {"status": 418, "code": "Teapot", "message": "short"}},
            Action(custom_error=CustomError(418, "Teapot", "short")),
        ),
        (
            {"custom_error": {"status": 503, "code": "X"}, "retry_after": 0},
            Action(custom_error=CustomError(503, "X"), retry_after=0),
        ),
        ({"rate_limit": {"per_second": 20, "burst": 40}}, Action("ResourceThrottled", rate_limit=RateLimit(20, 40))),
        ({"rate_limit": {"per_second": 2.5}}, Action("ResourceThrottled", rate_limit=RateLimit(2.5, 3))),
        ({"rate_limit": {"per_second": 0}}, Action("ResourceThrottled", rate_limit=RateLimit(0, 1))),
        ({"transport": "reset"}, Action(transport="reset")),
        ({"delay": 1}, None),
        ({"clock_skew": "20m"}, None),
    ],
)
def test_each_kind_of_fault_has_its_action(rule, given, action):
    assert rule(**given).action == action


@pytest.mark.parametrize(
    ("given", "delay"),
    [
        ("90ms", Fixed(0.09)),
        (2, Fixed(2)),
        ({"distribution": "fixed", "value": "1s"}, Fixed(1)),
        ({"distribution": "uniform", "min": "50ms", "max": "1s"}, Uniform(0.05, 1)),
        ({"distribution": "lognormal", "median": "90ms", "sigma": 0.4}, Lognormal(0.09, 0.4)),
    ],
)
def test_a_delay_is_a_duration_or_a_distribution(rule, given, delay):
    assert rule(delay=given).delay == delay


def test_delays_are_drawn_from_their_distribution():
    ids = Ids(7)
    assert {Fixed(0.2).draw(ids) for _ in range(10)} == {0.2}
    uniform = sorted(Uniform(1, 3).draw(ids) for _ in range(2000))
    assert 1 <= uniform[0] < 1.1 < 1.9 < uniform[1000] < 2.1 < 2.9 < uniform[-1] <= 3
    lognormal = sorted(Lognormal(0.09, 0.4).draw(ids) for _ in range(2000))
    assert lognormal[1000] == pytest.approx(0.09, rel=0.05)
    assert lognormal[1900] == pytest.approx(0.09 * math.exp(1.645 * 0.4), rel=0.1)
    assert all(math.isfinite(Lognormal(1e9, 10).draw(ids)) for _ in range(1000))


def test_a_skew_goes_either_way(rule):
    assert rule(clock_skew="20m").clock_skew == 1200
    assert rule(clock_skew="-20m").clock_skew == -1200


@pytest.mark.parametrize(
    ("given", "lets_happen"),
    [
        ({"error": "InternalServerError"}, False),
        ({"error": "InternalServerError", "after_operation": True}, True),
        ({"custom_error": {"status": 500, "code": "X"}, "after_operation": True}, True),
        ({"transport": "reset"}, False),
        ({"transport": "hang"}, False),
        ({"transport": "close"}, False),
        ({"transport": "close", "after_operation": True}, True),
        ({"transport": "truncate"}, True),
        ({"transport": "garbage"}, True),
        ({"transport": "slow"}, True),
        ({"transport": "slow", "after_operation": False}, True),
        ({"rate_limit": {"per_second": 1}}, False),
    ],
)
def test_whether_the_operation_happens_depends_on_the_kind_and_after_operation(rule, given, lets_happen):
    assert rule(**given).lets_happen is lets_happen


def test_the_transports_are_those_the_edge_knows_but_for_what_no_rule_asks_for():
    assert set(TRANSPORTS) | {"whole", "left"} == {transport.value for transport in Transport}


def test_null_counts_as_not_given(rule):
    assert rule(error="AccessDenied", times=None, delay=None, when={"flow": None}) == rule(error="AccessDenied")


def test_rules_are_equal_by_what_they_mean(rule):
    one = rule(delay="1000ms", when={"call": 1, "flow": "a*b*c*"})
    other = rule(delay=1, when={"call": [1.0], "flow": ["a*b*c*"]})
    assert one == other
    assert hash(one) == hash(other)
    assert one != rule(delay="1001ms", when={"call": 1, "flow": "a*b*c*"})
    assert one != rule(delay="1000ms", when={"call": 1, "flow": "a*b*d*"})


def test_a_rule_is_listed_as_it_was_given_and_keeps_it(rule):
    numbers = [1, 2]
    made = rule(error="AccessDenied", when={"operation": "Start*", "call": numbers}, times=None)
    numbers.append(3)
    assert made.to_mapping() == {"error": "AccessDenied", "when": {"operation": "Start*", "call": [1, 2]}}
    made.to_mapping()["when"]["call"].append(4)
    assert made.to_mapping()["when"]["call"] == [1, 2]
    assert rule(error="AccessDenied", when={"call": (1, 2)}).to_mapping()["when"]["call"] == [1, 2]


def test_what_is_listed_makes_the_same_rule_again(rule):
    made = rule(
        name="n",
        when={"execution": ["a*", "b"], "between": [NOON, ONE]},
        delay={"distribution": "uniform", "min": 0, "max": 1},
        transport="hang",
        expires="1h",
    )
    assert rule(**made.to_mapping()) == made


def wrong_rules():
    text = (Path(__file__).parent / "cases" / "wrong_rules.yaml").read_text(encoding="utf-8")
    return [pytest.param(case, id=case["path"] or "rule") for case in yaml_source.parse(text).value]


@pytest.mark.parametrize("case", wrong_rules())
def test_a_wrong_rule_is_refused_at_its_place_with_what_would_be_right(case):
    found = problems(case["given"])
    assert [path_text(path) for path, _ in found] == [case["path"]]
    assert case["says"] in found[0][1]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"error": "AccessDenied", 7: 1}, "unknown key 7, known are when, error, custom_error, "),
        ({"delay": 1, "when": {"probability": math.nan}}, "nan is not a number from 0 to 1"),
        ({"delay": 1, "times": math.inf}, "inf is not a whole number from 1 to 1000000000"),
        ({"delay": 1, "name": "\ud800"}, "half a character"),
        ({"delay": math.nan}, "nan is not a duration"),
    ],
)
def test_what_only_python_or_json_can_say_wrongly_is_refused_too(given, says):
    found = problems(given)
    assert len(found) == 1
    assert says in found[0][1]


@pytest.mark.parametrize("key", ["operation", "flow", "execution", "access_key_id"])
def test_a_glob_has_1024_characters_at_most(rule, key):
    assert rule(when={key: "*" * 1024}, error="FlowNotExists")
    with pytest.raises(
        InvalidValue, match=f"when.{key}: .* is longer than the 1024 characters that a pattern may have"
    ):
        rule(when={key: "*" * 1025}, error="FlowNotExists")


def test_all_mistakes_are_told_at_once():
    found = problems(
        {
            "when": {"operation": "Nope", "probability": 2, "call": [0, -1]},
            "error": "Nope",
            "transport": "reset",
            "times": -1,
            "delay": {"distribution": "uniform", "min": -1, "max": "x"},
            "color": "red",
        }
    )
    assert [path for path, _ in found] == [
        ("when", "operation"), ("when", "probability"), ("when", "call", 0), ("when", "call", 1),
        ("error",), ("times",), ("delay", "min"), ("delay", "max"), ("color",),
    ]  # fmt: skip


def test_an_error_reads_as_one_line_with_the_paths():
    spec = model.load()
    with pytest.raises(InvalidValue) as caught:
        FaultRule.from_mapping({"error": "Nope", "when": {"call": [0]}}, operations=spec.operations, codes=spec.errors)
    assert str(caught.value) == (
        "error: 'Nope' is not an error code; when.call[0]: 0 is not a whole number from 1 to 1000000000"
    )


def test_a_huge_wrong_value_is_told_briefly_and_at_once():
    nested = []
    for _ in range(500):
        nested = [nested]
    found = problems({"error": "x" * 1_000_000, "transport": nested, "y" * 1_000_000: 1})
    assert len(found) == 3
    assert all(len(text) < 300 for _, text in found)


def test_every_distribution_can_be_told_from_its_keys_alone(rule):
    sample = {"value": 1, "min": 1, "max": 1, "median": 1, "sigma": 0}
    for name, (kind, keys) in DISTRIBUTIONS.items():
        assert isinstance(rule(delay={"distribution": name, **{key: sample[key] for key in keys}}).delay, kind)
