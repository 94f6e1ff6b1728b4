"""Why fault rules did not strike a call: noted as the call is decided, worked out when somebody asks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from cfmock.base.clocks import iso
from cfmock.base.patterns import MISSING, Difference, NearMiss, Spent
from cfmock.protocol.faults.rules import FaultRule
from cfmock.protocol.wire.messages import OperationCall

_STANDING = 150  # bytes of a `Standing`
_FOR_A_HINT = 16  # rules that are looked at while a client waits for its answer

_PARAMETERS = {"when.flow": "FlowName", "when.execution": "ExecutionName"}


class Standing(Struct, frozen=True):
    """A rule as it stood after a call: how many calls it had struck, how many had matched, and the dice of the last."""

    name: str
    rule: FaultRule
    hits: int
    matched: int
    dice: float


class Trace(Struct, frozen=True):
    """A call and the rules it met. `now` is flow time, `struck` the names of the rules that struck."""

    call: OperationCall
    now: float
    rules: Sequence[Standing]
    struck: Collection[str] = ()

    @property
    def size(self) -> int:
        """About how many bytes it takes beside the call."""
        return _STANDING * len(self.rules)

    def near_misses(self) -> list[NearMiss]:
        """Return the rules that did not strike and why, the nearest first, those for other operations last; without those that
        only came too late, or whose rate limit had room."""
        found = [
            NearMiss("fault", standing.name, differences)
            for standing in self.rules
            if standing.name not in self.struck and (differences := tuple(self._differences(standing)))
        ]
        return sorted(found, key=lambda miss: (miss.differences[0].path == "when.operation", len(miss.differences)))

    def nearest(self) -> NearMiss | None:
        """Return a rule for this operation that a single thing in the request kept from striking."""
        operation = self.call.operation.name
        for standing in self.rules[:_FOR_A_HINT]:
            if not standing.rule.when.operation.cover(operation):
                return None  # nor do those behind it
            miss = NearMiss("fault", standing.name, tuple(self._of_request(standing.rule)))
            if miss.near and self._could_have(miss.differences[0]):
                return miss
        return None

    def _could_have(self, difference: Difference) -> bool:
        """Return whether calls of this operation can have what differs: of one that takes no flow, none is missing."""
        parameter = _PARAMETERS.get(difference.path)
        return difference.actual is not MISSING or parameter is None or parameter in self.call.operation.parameters

    def _differences(self, standing: Standing) -> Iterator[Difference]:
        rule, when = standing.rule, standing.rule.when
        found = list(self._of_request(rule))
        if when.between is not None and not when.between[0] <= self.now < when.between[1]:
            found.append(Difference("when.between", [iso(moment) for moment in when.between], iso(self.now)))
        if rule.times is not None and standing.hits >= rule.times:
            found.append(Spent("times", rule.times, standing.hits))
        yield from found or _chances(standing)

    def _of_request(self, rule: FaultRule) -> Iterator[Difference]:
        call = self.call
        for name, globs, actual in rule.when.unmet(call.operation.name, call.flow, call.execution, call.access_key_id):
            yield Difference(f"when.{name}", str(globs), actual or MISSING)


def _chances(standing: Standing) -> Iterator[Difference]:
    """Why not, of a call that matches."""
    when, number = standing.rule.when, standing.matched
    if when.call and number not in when.call:
        yield Difference("when.call", list(when.call), number)
    elif number % when.every:
        yield Difference("when.every", when.every, number)
    elif standing.dice >= when.probability:
        yield Difference("when.probability", when.probability, round(standing.dice, 3))
