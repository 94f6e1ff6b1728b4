"""Candidates are found by the name of an execution: the same as if each were tried, with hardly any tried."""

from __future__ import annotations

import random

import pytest

from cfmock.base.globs import Candidates, Named, glob_matches
from cfmock.service.outcomes import Outcome, Outcomes
from tests.support.calls import echo_flow, make_service, task_flow

PATTERNS = ["a", "a1", "a*", "a1*", "*", "*1", "b?", "?1", "[ab]1", "b", "b*1", "", "a[", "[a]"]
NAMES = ["a", "a1", "b1", "b", "c", "", "a[", "[a]", "a1x1"]


@pytest.mark.parametrize("seed", range(20))
def test_the_first_that_matches_is_the_first_of_all_that_do(seed: int) -> None:
    chance = random.Random(seed)
    patterns = [chance.choice(PATTERNS) for _ in range(chance.randrange(12))]
    candidates = Candidates(patterns, Named.of)
    for name in NAMES:
        wanted = [place for place, pattern in enumerate(patterns) if glob_matches(pattern, name)]
        found = list(candidates.for_name(name))
        assert [place for place, _ in found] == sorted(place for place, _ in found)
        assert [place for place, pattern in found if glob_matches(pattern, name)] == wanted


def test_of_a_thousand_that_are_for_other_names_none_is_tried() -> None:
    candidates = Candidates(
        [*(f"n{number}" for number in range(1000)), *(f"g{number}-*" for number in range(1000))], Named.of
    )
    assert list(candidates.for_name("n999")) == [(999, "n999")]
    assert list(candidates.for_name("n1000")) == []


@pytest.mark.parametrize("order", [1, -1], ids=["glob first", "name first"])
def test_the_order_of_the_file_decides_between_a_name_and_a_glob(order: int) -> None:
    when = [{"execution": "e*"}, {"execution": "e1"}][::order]
    outcomes = make_service(echo_flow(*({"when": each, "output": each} for each in when)))
    outcomes("StartExecution", FlowName="echo", ExecutionName="e1")
    assert when[0]["execution"] in outcomes("DescribeExecution", FlowName="echo", ExecutionName="e1")["Output"]
    mocks = make_service(task_flow("A", tasks={"A": [{"when": each, "returns": each} for each in when]}))
    mocks("StartExecution", FlowName="order", ExecutionName="e1")
    assert when[0]["execution"] in mocks("DescribeExecution", FlowName="order", ExecutionName="e1")["Output"]


def test_a_name_whose_times_are_spent_leaves_the_rest_their_turn() -> None:
    outcomes = Outcomes()
    outcomes.replace([Outcome.from_mapping({"when": {"execution": "e"}, "times": 1}), Outcome()])
    first, second = outcomes.choose("e", ""), outcomes.choose("e", "")
    assert first is not None
    assert second is not None
    assert (first.when, second.when) == ({"execution": "e"}, {})
    outcomes.add(Outcome.from_mapping({"when": {"execution": "e"}, "times": 2}))
    assert [each.times for _ in range(3) if (each := outcomes.choose("e", ""))] == [2, 2, None]
