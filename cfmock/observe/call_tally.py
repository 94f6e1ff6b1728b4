"""Counts calls by operation and code, and how long they took: a figure or two for each call, for whoever reads metrics."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection

from cfmock.observe.call_record import CallRecord

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the durations that are counted apart, in seconds; longer ones are counted after the last."""

MAX_SERIES = 1_000
"""Pairs of operation and code, and fault rules, that are counted apart."""

_OTHER = "other"  # stands for what is not counted apart, as operations that the API does not have


class CallTally:
    """What was counted since the start, also of calls that the journal has dropped. `operations` are those of the API."""

    def __init__(self, operations: Collection[str]) -> None:
        self._operations = operations
        self.calls: dict[tuple[str, str], list[float]] = {}
        """By operation and code (empty: a success): counts for each bound and for longer ones, then the sum of durations."""
        self.faults: dict[str, int] = {}
        """How often each rule has struck, by name."""

    def add(self, record: CallRecord) -> None:
        """Count a call."""
        code = record.said.code if record.said is not None else ""
        counts = self.calls.get((record.call.operation.name, code)) or self._series(record)
        counts[bisect_left(BOUNDS, record.duration)] += 1
        counts[-1] += record.duration
        for rule in record.faults:
            name = rule if rule in self.faults or len(self.faults) < MAX_SERIES else _OTHER
            self.faults[name] = self.faults.get(name, 0) + 1

    def _series(self, record: CallRecord) -> list[float]:
        key = record.operation if record.operation in self._operations else _OTHER, record.code or ""
        if key not in self.calls and len(self.calls) >= MAX_SERIES:
            key = _OTHER, _OTHER
        return self.calls.setdefault(key, [0] * (len(BOUNDS) + 2))
