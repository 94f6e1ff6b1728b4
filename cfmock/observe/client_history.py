"""The history of a client from call to call, so far as it makes the next call a violation.

One for each world. It remembers what may matter, each kind bounded: the nonces answered, the starts whose answers were lost
and those that were refused, and what the client last saw of each execution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from cfmock.base.bounded_cache import keep_newest
from cfmock.base.clocks import Clock
from cfmock.base.short_text import digest, shortened
from cfmock.observe.violation_kinds import ViolationNote, violation
from cfmock.protocol.faults.token_bucket import TokenBucket
from cfmock.protocol.wire.messages import OperationCall

KEPT = 1000
"""Entries of each kind that are remembered at most."""

_SOON = 60.0  # seconds within which a start like one whose answer was lost counts as its retry

# For an error that says what is not there: the operation that makes it.
_MADE_BY = {
    "FlowNotExists": "CreateFlow",
    "ExecutionNotExists": "StartExecution",
    "ScheduleNotExists": "CreateSchedule",
}
_STARTS = ("StartExecution", "StartSyncExecution")
_OPEN = ("Running", "Starting")


class Start(Struct, frozen=True):
    """A start as it is remembered: a digest of what is the same in its retry, and the name of the execution."""

    likeness: bytes
    name: str | None


class Lost(Struct, frozen=True):
    """A start whose answer never came: when, under which name, and with which request id."""

    time: float
    name: str | None
    request_id: str


class Look(Struct, frozen=True):
    """A client's last sight of an execution that had not ended. `starts` counts those of the world until then."""

    status: str
    request_id: str
    starts: int


class ClientHistory:
    """The behaviour of the clients of one world. `clock` is the wall clock; `polling` the documented rate of
    DescribeExecution (`per_second`, `burst`)."""

    def __init__(self, clock: Clock, polling: Mapping[str, float]) -> None:
        self._clock = clock
        self._polls = TokenBucket(clock, **polling)
        self._polls_fast = False
        self._nonces: dict[int, None] = {}  # hashes
        self._lost: dict[bytes, Lost] = {}
        self._refused: dict[bytes, str] = {}
        self._looks: dict[tuple[str, str], Look] = {}
        self._starts = 0

    def call_received(self, call: OperationCall, nonce: str, *, acs3: bool) -> list[ViolationNote]:
        """Return the violations of a call that comes in."""
        found = []
        if acs3:
            found.append(violation("ACS3 signature", "the call is signed with ACS3"))
        if hash(nonce) in self._nonces:
            found.append(violation("repeated nonce", f"the nonce {nonce[:64]} was in a call that was answered"))
        watch = _RECEIVED.get(call.operation.name)
        if watch is not None and (shown := watch(self, call)) is not None:
            found.append(shown)
        return found

    def succeeded(self, call: OperationCall, nonce: str, fields: Mapping[str, Any], request_id: str) -> None:
        """Remember a success whose answer the client got."""
        self._answered(nonce)
        watch = _SUCCEEDED.get(call.operation.name)
        if watch is not None:
            watch(self, call, fields, request_id)

    def refused(self, call: OperationCall, nonce: str, code: str, status: int) -> list[ViolationNote]:
        """Remember an error whose answer the client got; return the violations that only this shows."""
        self._answered(nonce)
        name = call.operation.name
        assumed = self._assumed(call, code)
        if name in _MADE_BY.values() and status < 500 and not code.endswith("AlreadyExists"):
            keep_newest(self._refused, _made(name, call), code, KEPT)
        return [assumed] if assumed is not None else []

    def _answered(self, nonce: str) -> None:
        if nonce:
            keep_newest(self._nonces, hash(nonce), None, KEPT)

    def lost(self, start: Start | None, request_id: str) -> None:
        """Remember a call whose client cannot know the result: the answer was lost on the way, or the client left before."""
        if start is not None:
            keep_newest(self._lost, start.likeness, Lost(self._clock.steady(), start.name, request_id), KEPT)

    def unfinished(self) -> Iterator[tuple[str, ViolationNote]]:
        """Results that were read too early, if nobody asks again: the request id of the last look, and the violation."""
        for (flow, execution), look in self._looks.items():
            if self._starts > look.starts:
                message = (
                    f"DescribeExecution said {look.status} of {flow}/{execution}, and the client went on to start another "
                    "without asking again"
                )
                yield look.request_id, violation("result read too early", message, execution=f"{flow}/{execution}")

    def _looks_again(self, call: OperationCall) -> ViolationNote | None:
        """A DescribeExecution comes in."""
        before, self._polls_fast = self._polls_fast, not self._polls.take()
        if before or not self._polls_fast:
            return None
        rate = {"per_second": f"{self._polls.per_second:g}", "burst": f"{self._polls.burst:g}"}
        message = f"DescribeExecution came faster than {rate['per_second']} times a second"
        return violation("polling too fast", message, **rate)

    def _starts_one(self, call: OperationCall) -> ViolationNote | None:
        """A start comes in."""
        self._starts += 1
        start = start_of(call) if self._lost else None
        lost = self._lost.get(start.likeness) if start is not None else None
        if lost is None or start is None or self._clock.steady() - lost.time > _SOON:
            return None
        if start.name is not None and start.name == lost.name:
            return None
        before = f"'{lost.name}'" if lost.name is not None else "without a name"
        now = f"'{start.name}'" if start.name is not None else "without one again"
        message = (
            f"the answer to a start of {call.flow} {before} was lost ({lost.request_id}), and it is repeated {now}"
        )
        return violation("start under a new name", message)

    def _looked(self, call: OperationCall, fields: Mapping[str, Any], request_id: str) -> None:
        """A DescribeExecution has succeeded."""
        status = fields.get("Status")
        if status in _OPEN:
            look = Look(str(status), request_id, self._starts)
            keep_newest(self._looks, (call.flow or "", call.execution or ""), look, KEPT)
        elif self._looks:
            self._looks.pop((call.flow or "", call.execution or ""), None)

    def _is_made(self, call: OperationCall, fields: Mapping[str, Any], request_id: str) -> None:
        """What an operation makes is there."""
        if self._lost and call.operation.name in _STARTS:
            self._lost.pop(_start_likeness(call), None)
        if self._refused:
            self._refused.pop(_made(call.operation.name, call), None)

    def _looked_otherwise(self, call: OperationCall, fields: Mapping[str, Any], request_id: str) -> None:
        """Forget the last look at an execution that another call shows: its history, its stop, a list."""
        flow = call.flow or ""
        if call.operation.name != "ListExecutions":
            self._looks.pop((flow, call.execution or ""), None)
            return
        for key in [key for key in self._looks if key[0] == flow]:
            del self._looks[key]

    def _assumed(self, call: OperationCall, code: str) -> ViolationNote | None:
        operation = _MADE_BY.get(code)
        if operation is None:
            return None
        refused = self._refused.get(_made(operation, call))
        if refused is None:
            return None
        what = " of ".join(filter(None, (call.execution, call.flow)))
        message = f"{call.operation.name} asks for what {operation} had not made ({what}): it was answered {refused}"
        return violation("success assumed", message, operation=operation, code=refused, answer=code)


_RECEIVED: Mapping[str, Callable[[ClientHistory, OperationCall], ViolationNote | None]] = {
    "DescribeExecution": ClientHistory._looks_again,
    **dict.fromkeys(_STARTS, ClientHistory._starts_one),
}
_SUCCEEDED: Mapping[str, Callable[[ClientHistory, OperationCall, Mapping[str, Any], str], None]] = {
    "DescribeExecution": ClientHistory._looked,
    **dict.fromkeys(("GetExecutionHistory", "StopExecution", "ListExecutions"), ClientHistory._looked_otherwise),
    **dict.fromkeys((*_MADE_BY.values(), *_STARTS), ClientHistory._is_made),
}
"""What is watched, by operation: calls that come in, and those that have succeeded."""


def start_of(call: OperationCall) -> Start | None:
    """Return the part to keep of a call that starts an execution; None for any other."""
    if call.operation.name not in _STARTS:
        return None
    return Start(_start_likeness(call), None if call.execution is None else shortened(call.execution))


def _start_likeness(call: OperationCall) -> bytes:
    return digest("\n".join((call.access_key_id, call.flow or "", call.arguments.get("Input", ""))))


def _made(operation: str, call: OperationCall) -> bytes:
    """Digest an operation that makes something and its name in this call."""
    flow, name = call.flow or "", ""
    if operation != "CreateFlow":
        name = (call.arguments.get("ScheduleName") if operation == "CreateSchedule" else call.execution) or ""
    return digest("\n".join((operation, flow, name)))
