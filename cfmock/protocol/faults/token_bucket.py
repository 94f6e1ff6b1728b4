"""Token buckets on the flow clock: of `rate_limit` faults, and of the limits page (`rate_limits: documented`)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

from cfmock.base.clocks import Clock

# A token may be taken this much early, since a clock that is advanced step by step adds up the rounding of its steps:
_EARLY = 0.001  # seconds
_PART = 0.01  # of a token, at most


class Throttled(Struct, frozen=True):
    """Facts for the answer to a throttled call: the number of calls that fit at once, and the seconds until the next one does."""

    limit: float
    wait: float


class TokenBucket:
    """Holds at most `burst` tokens, full at first; gains `per_second` of them a second of flow time."""

    __slots__ = ("_clock", "_enough", "_seen", "_tokens", "burst", "per_second")

    def __init__(self, clock: Clock, per_second: float, burst: float) -> None:
        self.per_second = per_second
        self.burst = burst
        self._clock = clock
        self._seen = clock.steady()
        self._tokens = float(burst)
        self._enough = 1 - min(per_second * _EARLY, _PART)

    def take(self) -> bool:
        """Take a token; False, and nothing taken, when there is none."""
        now = self._clock.steady()
        gained = (now - self._seen) * self.per_second
        self._seen = now
        self._tokens = min(self.burst, self._tokens + gained)
        if self._tokens < self._enough:
            return False
        self._tokens -= 1
        return True

    def throttled(self) -> Throttled:
        """Return the facts after `take` found no token."""
        missing = self._enough - self._tokens
        return Throttled(self.burst, missing / self.per_second if self.per_second else math.inf)


class DocumentedLimits(dict[str, TokenBucket]):
    """The rates of the limits page: `rates` has `{burst, per_second}` by operation, and `*` for any other. Each operation has a
    bucket to itself, those others too, as only the page's text of 2026 says plainly."""

    def __init__(self, clock: Clock, rates: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__()
        self._clock = clock
        self._rates = rates

    def __missing__(self, operation: str) -> TokenBucket:
        rate = self._rates.get(operation) or self._rates["*"]
        bucket = self[operation] = TokenBucket(self._clock, **rate)
        return bucket
