"""The journal of a server: the newest calls of each world, bounded in number and in bytes."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.clocks import stopwatch
from cfmock.observe.call_record import CallRecord
from cfmock.observe.call_ring import CallRing
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.wire.messages import Transport

MAX_BYTES = 64 * 1024 * 1024
"""Bytes that the kept calls of all worlds may take together."""

WARNINGS = 200
"""Warnings that are kept at most."""

VIOLATIONS = 1000
"""Violations that are kept at most, also of calls that are not."""

WorldKey = tuple[str, str]
"""Account and region."""

Scope = tuple[str | None, str | None]
"""An account and a region; None: any."""

ALL: Scope = (None, None)


def is_of(key: WorldKey, scope: Scope) -> bool:
    """Return whether a world is one of this account and region."""
    account, region = scope
    return account in (None, key[0]) and region in (None, key[1])


class Warned(Struct, frozen=True):
    """Something worth knowing that happened; `time` of the flow clock."""

    time: float
    world: WorldKey
    text: str


class Seen(Struct, frozen=True):
    """A violation, and the call that it was seen in."""

    time: float
    world: WorldKey
    operation: str
    request_id: str
    violation: ViolationNote


class Journal:
    """The newest `size` calls of every world, and of all worlds no more than about `max_bytes`. Everything is oldest first."""

    def __init__(self, size: int, max_bytes: int = MAX_BYTES) -> None:
        self._rings: defaultdict[WorldKey, CallRing] = defaultdict(CallRing)
        self._size = size
        self._max_bytes = max_bytes
        self._bytes = 0
        self._warnings: deque[Warned] = deque(maxlen=WARNINGS)
        self._violations: deque[Seen] = deque(maxlen=VIOLATIONS)
        self.listeners: list[Callable[[CallRecord], None]] = []
        """Told of each call after it is kept."""

    def add(self, record: CallRecord) -> None:
        """Keep a call in the journal of its world; the oldest go where there is no room for it. Tells the listeners."""
        key = record.call.account, record.call.region
        ring = self._rings[key]
        ring.add(record)
        self._bytes += record.size
        if len(ring) > self._size:
            self._bytes -= ring.drop()
        while self._bytes > self._max_bytes:  # nobody loses calls to a world that takes less
            self._bytes -= max(self._rings.values(), key=lambda each: each.bytes).drop()
        if record.violations:
            seen = record.time, key, record.operation, record.request_id
            self._violations += [Seen(*seen, violation) for violation in record.violations]
        for listener in tuple(self.listeners) if self.listeners else ():
            listener(record)

    def warn(self, warning: Warned) -> None:
        """Keep a warning; the oldest go when there are too many."""
        self._warnings.append(warning)

    def find(self, scope: Scope = ALL, **filters: str | int | None) -> Iterator[CallRecord]:
        """Find the calls of these worlds for which `matches` is true."""
        found = map(chain.from_iterable, self.find_by_blocks(scope, **filters))
        return heapq.merge(*found, key=attrgetter("ended"))

    def find_by_blocks(self, scope: Scope = ALL, **filters: str | int | None) -> list[Iterator[Sequence[CallRecord]]]:
        """Find likewise, for each world of its own and some at each iteration, in the calls that there are at this moment."""
        wanted = {name: value for name, value in filters.items() if value is not None}
        return [ring.find_by_blocks(wanted) for ring in self._of(scope)]

    def dropped(self, scope: Scope = ALL) -> int:
        """Count the calls that were dropped."""
        return sum(ring.dropped for ring in self._of(scope))

    def held(self) -> tuple[int, int]:
        """Return how many calls are kept, and about how many bytes they take."""
        rings = self._rings.values()
        return sum(map(len, rings)), sum(ring.bytes for ring in rings)

    def warnings(self, scope: Scope = ALL) -> list[Warned]:
        return [each for each in self._warnings if is_of(each.world, scope)]

    def violations(self, scope: Scope = ALL) -> list[Seen]:
        return [each for each in self._violations if is_of(each.world, scope)]

    def forget(self, scope: Scope = ALL) -> None:
        """Drop all of these worlds; it counts as neither seen nor dropped."""
        for key in [key for key in self._rings if is_of(key, scope)]:
            self._bytes -= self._rings.pop(key).bytes
        self._warnings = deque((each for each in self._warnings if not is_of(each.world, scope)), WARNINGS)
        self._violations = deque((each for each in self._violations if not is_of(each.world, scope)), VIOLATIONS)

    def left(self, key: WorldKey, request_id: str) -> None:
        """Mark a call as abandoned and record how long its client waited."""
        if key in self._rings:
            self._rings[key].replace(request_id, _left)

    def _of(self, scope: Scope) -> list[CallRing]:
        return [ring for key, ring in self._rings.items() if is_of(key, scope)]


def _left(record: CallRecord) -> CallRecord:
    waited = max(0.0, stopwatch() - record.ended)
    transport = Transport.LEFT if record.reply.transport is Transport.WHOLE else record.reply.transport
    return replace(record, status=0, reply=replace(record.reply, transport=transport, delay=waited))
