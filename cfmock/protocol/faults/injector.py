"""Decides which rules strike a call, and what they do to it.

A call is counted by every rule it matches, also where an earlier rule already decides: `call: [1]` in one rule and
`call: [2]` in the next mean the first and the second call. A rule strikes (`hits`, and one of its `times`) only when it
has a part in the answer. Delays of all rules that strike add up; of all others the first decides.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, MutableSequence, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct

from cfmock.base.bounded_cache import keep_newest
from cfmock.base.clocks import Clock
from cfmock.base.globs import ANYTHING, Candidates, Named
from cfmock.base.randomness import Ids
from cfmock.protocol.faults.near_misses import Standing, Trace
from cfmock.protocol.faults.rules import THROTTLED, Action, FaultRule
from cfmock.protocol.faults.token_bucket import Throttled, TokenBucket
from cfmock.protocol.wire.messages import OperationCall

_MEMO = 512  # combinations of operation, flow and key for which the rules are remembered
_TRACED = 64  # rules that are kept with a call, to explain why they did not strike
_LONGEST_NAME = 128  # a longer name than the service allows is not worth remembering
_GONE = 1000  # rules whose hits are still known when they are gone


class FaultDecision(Struct, frozen=True):
    """The effect of the rules on a call: `before` instead of the operation, or `after` it; the answer is `delay` seconds late.
    `rules` names those that struck, by name or id; `throttled` tells when to come again, where that is known."""

    delay: float = 0.0
    before: Action | None = None
    after: Action | None = None
    rules: tuple[str, ...] = ()
    throttled: Throttled | None = None

    @property
    def retry_after(self) -> float | None:
        """The value of `x-acs-retry-after` in the error answer, in seconds here."""
        action = self.before or self.after
        return action.retry_after if action is not None else None


class ActiveFault:
    """A rule at work: `hits` is how many calls it struck. `id` is unique in its injector and never given again."""

    def __init__(self, rule: FaultRule, id: str, clock: Clock) -> None:
        self.id = id
        self.rule = rule
        self.hits = 0
        self.expires_at = math.inf if rule.expires is None else clock.steady() + rule.expires
        self._calls = 0  # those that matched
        self._dice = 0.0  # thrown for the last of them
        limit = rule.action.rate_limit if rule.action is not None else None
        self._bucket = None if limit is None else TokenBucket(clock, limit.per_second, limit.burst)
        # What every call asks for is kept at hand.
        when = rule.when
        self._flow = when.flow.match
        self._key = when.access_key_id.match
        ends = when.execution.ends
        self._head: str | None = None if ends is None else ends[0]
        self._tail = "" if ends is None else ends[1]
        self._least = 0 if ends is None else len(ends[0]) + len(ends[1])
        self._execution = when.execution.match if ends is None else None
        self._numbers = frozenset(when.call)
        self._window = when.between
        self._every = when.every
        globs = when.execution
        one = globs.match is not None and len(globs.patterns) == 1
        self.named = Named.of(globs.patterns[0]) if one else ANYTHING
        self._standing: Standing | None = None

    @property
    def name(self) -> str:
        return self.rule.name or self.id

    @property
    def spent(self) -> bool:
        """True if its `times` are used up: it matches no more."""
        return self.rule.times is not None and self.hits >= self.rule.times

    def to_mapping(self) -> dict[str, Any]:
        """Return it as the admin API lists it: `id`, `name`, the rule as it was given, `hits`."""
        return {"id": self.id, "name": self.name, **self.rule.to_mapping(), "hits": self.hits}

    def covers(self, flow: str | None, key: str) -> bool:
        """Return whether flow and access key match, in a call of its operation."""
        if self._flow is not None and (flow is None or not self._flow(flow)):
            return False
        return self._key is None or self._key(key)

    def counts(self, execution: str | None, now: float) -> bool:
        """Count a call whose operation, flow and key match, if the rest does; whether it is one of those asked for."""
        head, matches, window = self._head, self._execution, self._window
        if head is not None:
            if execution is None or not execution.startswith(head):
                return False
            tail = self._tail
            if tail and (not execution.endswith(tail) or len(execution) < self._least):
                return False
        elif matches is not None and (execution is None or not matches(execution)):
            return False
        if window is not None and not window[0] <= now < window[1]:
            return False
        self._calls = number = self._calls + 1
        self._dice = 0.0
        self._standing = None
        if self._numbers and number not in self._numbers:
            return False
        return number % self._every == 0

    def strikes(self, ids: Ids) -> bool:
        """Whether chance and the rate limit let it strike a call that counts; if so, that is a hit."""
        self._standing = None
        probability = self.rule.when.probability
        if probability < 1:
            self._dice = ids.random.random()
            if self._dice >= probability:
                return False
        if self._bucket is not None and self._bucket.take():
            return False
        self.hits += 1
        return True

    def throttled(self) -> Throttled | None:
        """Return the time after which a call that it has throttled may come again, if that is known."""
        action = self.rule.action
        if action is None or action.error != THROTTLED:
            return None
        if action.retry_after is not None:
            return Throttled(self._bucket.burst if self._bucket is not None else 1, action.retry_after)
        return self._bucket.throttled() if self._bucket is not None else None

    def resume(self, hits: int, calls: int) -> None:
        """Count on from an earlier process."""
        self.hits, self._calls = hits, calls

    def standing(self) -> Standing:
        """Return its present state, for `Trace`."""
        standing = self._standing
        if standing is None:
            standing = self._standing = Standing(self.name, self.rule, self.hits, self._calls, self._dice)
        return standing


_Possible = tuple["Candidates[ActiveFault] | None", "Candidates[ActiveFault] | None"]
"""The rules that may strike a call, and those that may skew the clock for it; None where there are none."""

_Sorted = tuple["list[ActiveFault]", "list[ActiveFault]"]
"""The rules for an operation that are not spent; and all, those for the operation first."""


class FaultInjector:
    """The rules of one world in their order, with their counts, by the flow clock; `ids` throws the dice, so that a seed repeats
    them."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._faults: dict[str, ActiveFault] = {}
        self._gone: dict[str, int] = {}  # the hits of those that were removed or have expired, the last ones
        self._added = 0  # rules that were given an id here
        self._next_expiry = math.inf
        # Operation, flow and key come again and again, while the names of executions are mostly new.
        self._by_operation: dict[str, _Sorted] = {}
        self._memo: dict[tuple[str, str | None, str], _Possible] = {}
        self._traced: dict[str, Sequence[Standing]] = {}  # by operation, as long as nothing has changed

    def add(self, rule: FaultRule, *, id: str | None = None, first: bool = False) -> ActiveFault:
        """Put a rule behind those there are, or `first`. `id` is for one rule in several worlds; ValueError if it is taken."""
        if id in self._faults:
            raise ValueError(f"there is a fault {id!r} already")
        fault = ActiveFault(rule, id or self._new_id(), self._clock)
        self._faults = {fault.id: fault, **self._faults} if first else {**self._faults, fault.id: fault}
        self._next_expiry = min(self._next_expiry, fault.expires_at)
        self._forget()
        return fault

    def list(self) -> Sequence[ActiveFault]:
        """Return the rules in their order, spent ones too, expired ones not."""
        self._expire()
        return tuple(self._faults.values())

    def remove(self, id: str) -> bool:
        """Take a rule away; False if there is none of this id."""
        fault = self._faults.pop(id, None)
        if fault is None:
            return False
        self._remember([fault])
        self._forget()
        return True

    def clear(self) -> None:
        self._remember(self._faults.values())
        self._faults.clear()
        self._forget()

    def hits_of(self, id: str) -> int:
        """Count the calls that a rule struck, also once it is gone; 0 for one that never was."""
        fault = self._faults.get(id)
        return fault.hits if fault is not None else self._gone.get(id, 0)

    def _remember(self, gone: Iterable[ActiveFault]) -> None:
        for fault in gone:
            keep_newest(self._gone, fault.id, fault.hits, _GONE)

    @property
    def size(self) -> int:
        """The sizes of the rules together."""
        return sum(fault.rule.size for fault in self.list())

    @property
    def has_rules(self) -> bool:
        return bool(self._faults)

    def skew(self, call: OperationCall, struck: MutableSequence[str] | None = None) -> float:
        """Return the seconds by which the server's clock seems off for this call, before authentication: by the first
        `clock_skew` rule that strikes, whose name is appended to `struck`."""
        if not self._faults:
            return 0.0
        now = self._clock.now()
        skew: float | None = None
        skewing = self._possible(call)[1]
        if skewing is None:
            return 0.0
        self._traced = {}
        for _, fault in skewing.for_name(call.execution or ""):
            if fault.counts(call.execution, now) and skew is None and self._struck(fault):
                skew = fault.rule.clock_skew
                if struck is not None:
                    struck.append(fault.name)
        return skew or 0.0

    def decide(self, call: OperationCall) -> FaultDecision | None:
        """Decide the effect of the rules on a call that passed authentication; None if there is none. The counts go on."""
        if not self._faults:
            return None
        striking = self._possible(call)[0]
        if striking is None:
            return None
        now = self._clock.now()
        execution = call.execution
        self._traced = {}
        struck: MutableSequence[ActiveFault] = []
        decider: ActiveFault | None = None
        for _, fault in striking.for_name(execution or ""):
            if not fault.counts(execution, now):
                continue
            rule = fault.rule
            if (rule.action is None or decider is None) and self._struck(fault):
                struck.append(fault)
                if rule.action is not None:
                    decider = fault
        return self._decision(struck, decider) if struck else None

    def trace(self, call: OperationCall, struck: Collection[str] = ()) -> Trace | None:
        """Return the rules as they stand after the call decided last, of which those named `struck` struck; None without rules.
        Of very many some are left out, those for other operations first."""
        if not self._faults:
            return None
        operation = call.operation.name
        rules = self._traced.get(operation)
        if rules is None:
            nearest_first = self._sorted(operation)[1][:_TRACED]
            rules = self._traced[operation] = tuple([fault.standing() for fault in nearest_first])
        return Trace(call, self._clock.now(), rules, struck)

    def _decision(self, struck: Sequence[ActiveFault], decider: ActiveFault | None) -> FaultDecision:
        action = decider.rule.action if decider is not None else None
        after = decider is not None and decider.rule.lets_happen
        return FaultDecision(
            delay=sum((fault.rule.delay.draw(self._ids) for fault in struck if fault.rule.delay is not None), 0.0),
            before=None if after else action,
            after=action if after else None,
            rules=tuple(fault.name for fault in struck),
            throttled=decider.throttled() if decider is not None else None,
        )

    def _struck(self, fault: ActiveFault) -> bool:
        if not fault.strikes(self._ids):
            return False
        if fault.spent:
            self._forget()
        return True

    def _possible(self, call: OperationCall) -> _Possible:
        """Return the rules that match all of a call except its execution and its time."""
        if self._next_expiry < math.inf:
            self._expire()
        operation, flow, access_key_id = call.operation.name, call.flow, call.access_key_id
        faults, _ = self._sorted(operation)
        if not faults:
            return None, None
        key = (operation, flow, access_key_id)
        found = self._memo.get(key)
        if found is None:
            covering = [fault for fault in faults if fault.covers(flow, access_key_id)]
            striking = _candidates(fault for fault in covering if fault.rule.clock_skew is None)
            found = striking, _candidates(fault for fault in covering if fault.rule.clock_skew is not None)
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            if len(flow or "") <= _LONGEST_NAME >= len(access_key_id):
                self._memo[key] = found
        return found

    def _sorted(self, operation: str) -> _Sorted:
        found = self._by_operation.get(operation)
        if found is None:
            ordered = sorted(self._faults.values(), key=lambda fault: not fault.rule.when.operation.cover(operation))
            active = [each for each in ordered if not each.spent and each.rule.when.operation.cover(operation)]
            found = self._by_operation[operation] = active, ordered
        return found

    def _expire(self) -> None:
        now = self._clock.steady()
        if now < self._next_expiry:
            return
        self._remember(fault for fault in self._faults.values() if now >= fault.expires_at)
        self._faults = {fault.id: fault for fault in self._faults.values() if now < fault.expires_at}
        self._next_expiry = min((fault.expires_at for fault in self._faults.values()), default=math.inf)
        self._forget()

    def _forget(self) -> None:
        self._by_operation.clear()
        self._memo.clear()
        self._traced = {}

    def _new_id(self) -> str:
        while True:
            self._added += 1
            if (new := f"fault-{self._added}") not in self._faults:
                return new


def _candidates(faults: Iterable[ActiveFault]) -> Candidates[ActiveFault] | None:
    found = list(faults)
    return Candidates(found, attrgetter("named")) if found else None
