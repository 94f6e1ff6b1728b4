"""Token buckets on the flow clock."""

import pytest

from cfmock.base.clocks import VirtualClock
from cfmock.protocol.faults.token_bucket import DocumentedLimits, TokenBucket
from cfmock.protocol.spec import model
from tests.support.clock import MachineClock


def taken(bucket, tries):
    return [bucket.take() for _ in range(tries)].count(True)


def test_a_bucket_is_full_at_first(clock):
    assert taken(TokenBucket(clock, per_second=1, burst=3), tries=5) == 3


@pytest.mark.parametrize("per_second", [1, 5, 20, 300])
def test_a_token_comes_back_in_the_time_that_one_takes(clock, per_second):
    bucket = TokenBucket(clock, per_second, burst=1)
    assert taken(bucket, tries=2) == 1
    for _ in range(100):
        clock.set(clock.now() + 0.6 / per_second)
        assert not bucket.take()
        clock.set(clock.now() + 0.4 / per_second)
        assert taken(bucket, tries=2) == 1


def test_over_long_the_rate_is_kept(clock):
    bucket = TokenBucket(clock, per_second=20, burst=40)
    passed = 0
    for _ in range(10_000):
        passed += bucket.take()
        clock.set(clock.now() + 0.01)
    assert passed == 40 + 20 * 100 - 1  # the last try is a hundredth before the hundred seconds are over


def test_a_bucket_never_holds_more_than_its_burst(clock):
    bucket = TokenBucket(clock, per_second=100, burst=2)
    clock.set(clock.now() + 3600)
    assert taken(bucket, tries=5) == 2


def test_without_a_refill_what_is_taken_is_gone(clock):
    bucket = TokenBucket(clock, per_second=0, burst=2)
    assert taken(bucket, tries=3) == 2
    clock.set(clock.now() + 86_400)
    assert not bucket.take()


def test_a_clock_that_is_set_back_neither_gives_nor_takes():
    clock = MachineClock(100.0)
    bucket = TokenBucket(clock, per_second=1, burst=2)
    bucket.take()
    clock.set(50.0)
    assert taken(bucket, tries=2) == 1
    clock.go_on(1.0)
    assert bucket.take()


@pytest.mark.parametrize(
    ("operation", "burst", "per_second"),
    [("StartExecution", 100, 100), ("DescribeExecution", 50, 5), ("GetExecutionHistory", 50, 5), ("ListFlows", 10, 2)],
)
def test_the_documented_rates_are_those_of_the_limits_page(operation, burst, per_second):
    clock = VirtualClock(0.0)
    limits = DocumentedLimits(clock, model.load().limits["api_rate"])
    assert [limits[operation].take() for _ in range(burst + 1)] == [True] * burst + [False]
    clock.set(1.0)
    assert [limits[operation].take() for _ in range(per_second + 1)] == [True] * per_second + [False]


def test_each_operation_has_a_bucket_to_itself(clock):
    limits = DocumentedLimits(clock, model.load().limits["api_rate"])
    while limits["ListFlows"].take():
        pass
    assert limits["CreateFlow"].take()
    assert limits["StartExecution"].take()
