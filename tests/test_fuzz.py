"""What `make fuzz` feeds, for a moment: that each target takes its inputs, and that nothing wrong would go unseen."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.__main__ import made_up
from tests.fuzz.targets import TARGETS, Meter, Target

FEW = settings(max_examples=4, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    before = logging.root.handlers
    targets.listen()
    yield
    logging.root.handlers = before


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_what_it_is_fed(name: str) -> None:
    meter = Meter(TARGETS[name])

    def feed(value: object) -> None:
        meter.feed(value)

    FEW(given(TARGETS[name].inputs)(feed))()
    assert meter.count >= 4
    assert meter.slowest > 0


def test_what_is_no_refusal_is_seen() -> None:
    def divide(number: int) -> float:
        return 1 / number

    Meter(Target("t", st.integers(), divide, (ZeroDivisionError,))).feed(0)
    with pytest.raises(ZeroDivisionError):
        Meter(Target("t", st.integers(), divide)).feed(0)


def test_what_is_logged_as_a_mistake_is_seen() -> None:
    meter = Meter(Target("t", st.text(), logging.getLogger("cfmock").error))
    with pytest.raises(AssertionError, match="a mistake of ours"):
        meter.feed("a mistake of ours")


def test_the_slowest_input_is_known() -> None:
    meter = Meter(Target("t", st.integers(), lambda number: sum(range(number))))
    for number in (1, 300_000, 2):
        meter.feed(number)
    assert (meter.count, meter.number, meter.worst) == (3, 2, 300_000)


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_are_changed_to_others_that_a_target_takes(name: str) -> None:
    meter, dice, known = Meter(TARGETS[name]), random.Random(1), made_up(TARGETS[name], 1, 3)
    made = [TARGETS[name].change(dice.choice(known), dice.choice(known), dice) for _ in range(3)]
    assert [each for each in made if each not in known]
    for each in made:
        meter.feed(each)


def test_what_took_too_long_is_fed_again_and_the_best_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 9.0, 10.0, 12.0, 20.0, 20.001, 30.0, 39.0, 40.0, 40.1])
    monkeypatch.setattr(targets.time, "process_time", lambda: next(times))
    meter = Meter(Target("t", st.integers(), abs))
    meter.feed(1)
    meter.feed(2)
    assert (meter.slowest, meter.number) == (pytest.approx(0.1), 2)
