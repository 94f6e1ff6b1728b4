"""The flow clock, its timers, and the timelines that jump ahead of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cfmock.base import clocks
from cfmock.base.clocks import RealClock, VirtualClock, iso, iso_seconds
from cfmock.base.timers import RANK, Timeline, TimerKind, Timers
from tests.support.clock import MachineClock

PROGRESS, GUARD, SCHEDULE = TimerKind.PROGRESS, TimerKind.GUARD, TimerKind.SCHEDULE


class Bench:
    """Timers on a virtual clock that stands at 100, and a list of what they did."""

    def __init__(self) -> None:
        self.clock = VirtualClock(100.0)
        self.timers = Timers(self.clock)
        self.done: list[str] = []

    def note(self, name: str) -> Callable[[], None]:
        return lambda: self.done.append(name)

    def add(self, due: float, name: str, timeline: Timeline | None = None, kind: TimerKind = PROGRESS) -> None:
        self.timers.add(due, kind, self.note(name), timeline)


def test_a_virtual_clock_stands_still_and_never_goes_back() -> None:
    clock = VirtualClock(5.0)
    assert clock.now() == clock.now() == 5.0
    clock.set(7.0)
    clock.set(6.0)
    assert clock.now() == 7.0


def test_the_real_clock_is_the_machines() -> None:
    assert abs(RealClock().now() - time.time()) < 5


def test_what_is_due_runs_in_order_of_time_then_of_adding() -> None:
    bench = Bench()
    for due, name in ((103, "c"), (101, "a"), (103, "d"), (102, "b"), (104, "e")):
        bench.add(due, name)
    assert bench.timers.next_due() == 101
    bench.timers.advance_to(103)
    assert bench.done == ["a", "b", "c", "d"]
    assert bench.clock.now() == 103
    assert bench.timers.next_due() == 104


def test_of_what_is_due_at_one_moment_the_lower_rank_runs_first() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    for name, rank, at in (("c", RANK, 103), ("b", 2, 103), ("first", RANK, 102), ("a", 1, 103), ("d", RANK, 103)):
        bench.timers.add(at, PROGRESS, bench.note(name), timeline, rank)
    other = bench.timers.timeline()
    other.catch_up(timeline.skipped)
    bench.timers.add(102.5, PROGRESS, bench.note("skips"), timeline)
    timeline.jump()
    timeline.jump()  # all of its timers are enlisted again
    bench.timers.advance_to(103)
    assert bench.done == ["first", "skips", "a", "b", "c", "d"]


def test_times_are_whole_microseconds() -> None:
    """So that 0.1 and 0.2 make 0.3, and what is due at one moment is due at one moment."""
    bench = Bench()
    bench.clock.restart(0.1 + 0.2)
    assert bench.clock.now() == 0.3
    bench.clock.set(0.3000004)
    assert bench.clock.now() == 0.3
    timeline = bench.timers.timeline()
    assert bench.timers.add(0.1 + 0.2, PROGRESS, bench.note("a"), timeline).due == 0.3
    bench.timers.advance_to(0.7 - 0.4)
    assert bench.done == ["a"]


def test_advancing_shows_each_timer_its_own_time() -> None:
    bench = Bench()
    seen: list[float] = []
    for due in (101.5, 110.0):
        bench.timers.add(due, PROGRESS, lambda: seen.append(bench.clock.now()))
    bench.timers.advance_to(200)
    assert seen == [101.5, 110.0]


def test_advancing_runs_what_is_added_on_the_way() -> None:
    bench = Bench()

    def again() -> None:
        bench.done.append("again")
        bench.add(bench.clock.now() + 10, "later")
        bench.add(bench.clock.now(), "now")

    bench.timers.add(105, PROGRESS, again)
    bench.timers.advance_to(120)
    assert bench.done == ["again", "now", "later"]


def test_running_what_is_due_leaves_what_it_makes_due_for_the_next_time() -> None:
    """So that something that always makes itself due again lets others have their turn."""
    bench = Bench()

    def again() -> None:
        bench.done.append("again")
        bench.timers.add(100, PROGRESS, again)

    bench.timers.add(100, PROGRESS, again)
    bench.add(100, "other")
    assert bench.timers.run_due() == 2
    assert bench.done == ["again", "other"]
    assert bench.timers.run_due() == 1


def test_a_cancelled_timer_does_nothing_and_is_not_due() -> None:
    bench = Bench()
    timer = bench.timers.add(101, PROGRESS, bench.note("a"))
    timer.cancel()
    assert bench.timers.next_due() is None
    bench.timers.advance_to(200)
    assert bench.done == []


def test_cancelled_timers_do_not_pile_up() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    bench.add(101, "kept", timeline)
    for _ in range(10_000):
        bench.timers.add(1_000_000, GUARD, bench.note("never"), timeline).cancel()
    assert len(bench.timers._heap) < 3_000
    assert len(timeline._heap) < 200
    bench.timers.advance_to(200)
    assert bench.done == ["kept"]


def test_only_a_virtual_clock_can_be_advanced() -> None:
    with pytest.raises(TypeError):
        Timers(RealClock()).advance_to(1.0)


def test_whoever_sleeps_is_told_when_something_is_due_before_all_that_was() -> None:
    bench = Bench()
    told: list[float | None] = []
    bench.timers.on_earlier = lambda: told.append(bench.timers.next_due())
    bench.add(110, "a")
    bench.add(120, "b")
    bench.add(105, "c")
    assert told == [110, 105]


# -- a machine's clock ---------------------------------------------------------------------------------------------------


def machine() -> tuple[MachineClock, Timers, list[str]]:
    clock = MachineClock(1000.0)
    return clock, Timers(clock), []


@pytest.mark.parametrize("set_to", [1000.0 - 7200, 1000.0 + 7200])
def test_durations_are_counted_whatever_the_clock_is_set_to(set_to: float) -> None:
    clock, timers, done = machine()
    timers.add(clock.steady() + 5, PROGRESS, lambda: done.append("a"))
    clock.set(set_to)
    clock.go_on(4.9)
    assert (timers.run_due(), done) == (0, [])
    clock.go_on(0.2)
    assert (timers.run_due(), done) == (1, ["a"])


@pytest.mark.parametrize(("set_to", "after"), [(1000.0 - 7200, 7205.0), (1000.0 + 3, 2.0), (1000.0 + 7200, 0.0)])
def test_a_moment_comes_when_the_clock_says_so(set_to: float, after: float) -> None:
    clock, timers, done = machine()
    timers.add_moment(1005.0, PROGRESS, lambda: done.append("a"))
    clock.set(set_to)
    if after:
        clock.go_on(after - 0.1)
        assert (timers.run_due(), done) == (0, [])
        clock.go_on(0.1)
    assert (timers.run_due(), done) == (1, ["a"])
    assert timers.next_due() is None


def test_while_a_moment_is_waited_for_the_clock_is_looked_at_each_second() -> None:
    clock, timers, _ = machine()
    told: list[float | None] = []
    timers.on_earlier = lambda: told.append(timers.next_due())
    timers.add(clock.steady() + 60, PROGRESS, lambda: None)
    moment = timers.add_moment(1100.0, PROGRESS, lambda: None)
    assert told == [clock.steady() + 60, clock.steady() + 1], "whoever sleeps looks from now on"
    moment.cancel()
    clock.go_on(1.0)
    assert timers.run_due() == 0
    assert timers.next_due() == clock.steady() + 59


# -- timelines ---------------------------------------------------------------------------------------------------------


def test_a_timeline_jumps_to_its_own_next_timer_and_nothing_else_moves() -> None:
    bench = Bench()
    mine, other = bench.timers.timeline(), bench.timers.timeline()
    bench.add(160, "mine", mine)
    bench.add(130, "other", other)
    bench.add(140, "schedule", None, SCHEDULE)
    assert mine.jump()
    assert bench.done == ["mine"]
    assert (mine.now(), other.now(), bench.clock.now()) == (160, 100, 100)
    assert not mine.jump()


def test_what_waits_at_the_same_time_costs_the_longest_wait_not_the_sum() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    for seconds in (8, 20, 5):
        bench.add(100 + seconds, str(seconds), timeline)
    while timeline.jump():
        pass
    assert bench.done == ["5", "8", "20"]
    assert timeline.now() == 120


def test_of_equals_the_first_stays_the_first_after_a_jump() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    for name in "abcdefg":
        bench.add(120, name, timeline)
    bench.add(110, "jump", timeline)
    assert timeline.jump()
    bench.timers.advance_to(110)
    assert bench.done == ["jump", *"abcdefg"]


def test_what_a_timeline_has_jumped_over_is_due_earlier_on_the_flow_clock() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    bench.add(150, "jump", timeline)
    bench.add(170, "rest", timeline)
    assert timeline.jump()
    assert bench.timers.next_due() == 120
    bench.timers.advance_to(120)
    assert bench.done == ["jump", "rest"]
    assert timeline.now() == 170


def test_a_timeline_does_not_jump_while_something_is_to_happen_at_this_moment() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    bench.add(110, "a", timeline)
    timeline.busy = 1
    assert not timeline.jump()
    timeline.busy = 0
    assert timeline.jump()


def test_a_guard_is_not_jumped_to_while_a_report_may_come() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    bench.add(110, "guard", timeline, GUARD)
    bench.add(120, "progress", timeline)
    timeline.open = 1
    assert not timeline.jump()
    timeline.open = 0
    assert timeline.jump()
    assert bench.done == ["guard"]


def test_progress_before_a_guard_is_jumped_to_all_the_same() -> None:
    bench = Bench()
    timeline = bench.timers.timeline()
    timeline.open = 1
    bench.add(120, "guard", timeline, GUARD)
    bench.add(110, "progress", timeline)
    assert timeline.jump()
    assert not timeline.jump()
    assert bench.done == ["progress"]


def test_a_thousand_jumps_lose_no_time() -> None:
    clock = VirtualClock(1_717_200_000.0)
    timers = Timers(clock)
    timeline = timers.timeline()
    for step in range(1, 1001):
        timers.add(clock.now() + step * 0.1, PROGRESS, lambda: None, timeline)
    while timeline.jump():
        pass
    assert timeline.now() - clock.now() == pytest.approx(100, abs=1e-6)


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_719_197_922.043, "2024-06-24T02:58:42.043Z"),
        (1_719_197_922.9996, "2024-06-24T02:58:43.000Z"),
    ],
)
def test_a_time_is_given_in_milliseconds_of_utc(moment: float, text: str) -> None:
    assert iso(moment) == text


def test_requests_give_their_time_in_seconds() -> None:
    assert iso_seconds(1_719_197_922.9) == "2024-06-24T02:58:42Z"


# -- slices ------------------------------------------------------------------------------------------------------------


def test_a_slice_is_over_when_this_thread_has_worked_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with others makes it no shorter."""
    passed, worked = [100.0], [7.0]
    monkeypatch.setattr(clocks, "stopwatch", lambda: passed[0])
    monkeypatch.setattr(time, "thread_time", lambda: worked[0])
    begun = clocks.Slice()
    passed[0] += 60.0
    assert not begun.over()
    worked[0] += clocks.SLICE
    assert not begun.over(), "it looks again when it may be over at the earliest"
    passed[0] += clocks.SLICE
    assert begun.over()
