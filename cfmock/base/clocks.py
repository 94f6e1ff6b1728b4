"""Time as a value we own: the flow clock and the wall clock.

The *flow clock* has the time of the service and its executions; it is real, or virtual and moved by hand. Signature age, `Date`
headers and latency go by the *wall clock*, which is always real. As a machine's clock may be set, durations are counted in
*steady* seconds, which only go on.
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timezone
from typing import Protocol


class Clock(Protocol):
    """`now()` in seconds since 1970, UTC; `steady()` in seconds since some moment, whatever the clock is set to."""

    def now(self) -> float: ...

    def steady(self) -> float: ...


class RealClock:
    """The machine's time; the time of day is what a test may have made of it (freezegun), since clients sign with that."""

    steady = staticmethod(time.monotonic)

    @staticmethod
    def now() -> float:
        return time.time()


def whole(moment: float) -> float:
    """Return a time to the nearest microsecond."""
    return round(moment * 1e6) / 1e6


class VirtualClock:
    """A clock that stands still until it is set."""

    def __init__(self, start: float) -> None:
        self._now = whole(start)

    def now(self) -> float:
        return self._now

    steady = now

    def set(self, moment: float) -> None:
        """Move the clock forwards to `moment`; an earlier one changes nothing."""
        self._now = max(self._now, whole(moment))

    def restart(self, moment: float) -> None:
        """Begin again at any moment, as a new clock does. Only sound while no timer stands."""
        self._now = whole(moment)


class HeldClock:
    """The machine's time, which stands while one thing is being done, so that this can be done again at the same moment:
    `held` is that moment with its steady time."""

    def __init__(self) -> None:
        self.held: tuple[float, float] | None = None

    def now(self) -> float:
        return RealClock.now() if self.held is None else self.held[0]

    def steady(self) -> float:
        return RealClock.steady() if self.held is None else self.held[1]

    def hold(self) -> None:
        """Stand still, unless it does already."""
        if self.held is None:
            self.held = RealClock.now(), RealClock.steady()

    def release(self) -> None:
        """Go on with the machine's time."""
        self.held = None


def iso(moment: float) -> str:
    """`2024-06-24T02:58:42.043Z`: how flows, executions and events give a time."""
    milliseconds = math.floor(moment * 1000 + 0.5)
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_iso_seconds(seconds)}.{rest:03d}Z"


def iso_seconds(moment: float) -> str:
    """`2024-06-24T02:58:42Z`: how requests give their time."""
    return _iso_seconds(int(moment)) + "Z"


_last: tuple[int, str] = (0, "1970-01-01T00:00:00")


def _iso_seconds(seconds: int) -> str:
    # Calls come many to the second; formatting is most of the cost.
    global _last
    if _last[0] != seconds:
        _last = (seconds, datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"))
    return _last[1]


stopwatch = time.perf_counter
"""Seconds of real time since some moment: for how long a call took."""


SLICE = 0.02
"""Seconds that work which goes on in steps may take before others have their turn."""


class Slice:
    """Begins when it is made; `over` says when others should have their turn. Only time in which this thread worked counts."""

    __slots__ = ("_end", "_worked")

    def __init__(self) -> None:
        self._end = stopwatch() + SLICE / 2
        self._worked: float | None = None

    def over(self) -> bool:
        now = stopwatch()
        if now < self._end:
            return False
        # Asked for as rarely as can be: on some machines it costs ten times as much. Nearly all slices end in their first half.
        worked = time.thread_time()
        if self._worked is None:
            self._worked = worked + SLICE / 2
        left = self._worked - worked
        self._end = now + left
        return left <= 0
