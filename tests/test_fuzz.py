"""What `make fuzz` feeds, for a moment: that each target takes its inputs, and that nothing wrong would go unseen."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets
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
    FEW(given(TARGETS[name].inputs)(meter.feed))()
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
