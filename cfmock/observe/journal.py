"""The journal of a server: the newest calls of each world, bounded in number and in bytes.

Only the operation's own parameters are kept, and the caller's key id: signatures, tokens of credentials and secrets never
get in, and what an unknown parameter holds is masked if its name says that it is secret. Entries stay as the text they
came as until somebody looks.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from operator import attrgetter
from sys import getsizeof
from typing import Any, Protocol, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.clocks import iso, stopwatch
from cfmock.base.json_text import ascii_text
from cfmock.base.patterns import NearMiss
from cfmock.base.short_text import LONGEST, shortened
from cfmock.observe.call_ring import CallRing, has
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import OperationCall, Reply, Transport

MAX_BYTES = 64 * 1024 * 1024
"""Bytes that the kept calls of all worlds may take together."""

WARNINGS = 200
"""Warnings that are kept at most."""

VIOLATIONS = 1000
"""Violations that are kept at most, also of calls that are not."""

MAX_ANSWER = 16 * 1024
"""Bytes of a successful answer that are kept with its call."""

T = TypeVar("T")

WorldKey = tuple[str, str]
"""Account and region."""

Scope = tuple[str | None, str | None]
"""An account and a region; None: any."""

ALL: Scope = (None, None)


def is_of(key: WorldKey, scope: Scope) -> bool:
    """Return whether a world is one of this account and region."""
    account, region = scope
    return account in (None, key[0]) and region in (None, key[1])


class Explained(Protocol):
    """The reason why a signature did not match: worked out when it is asked for, `told` once it has been."""

    @property
    def told(self) -> str | None: ...

    def explain(self) -> None: ...

    def to_mapping(self) -> dict[str, str | None]: ...


class Details(Struct, frozen=True):
    """The rare parts of a record. `hint` is one line on what the client may have meant; `near_misses` works out what nearly
    matched, the nearest first; `warnings` are sentences; `signature` explains one that was refused; `size` is about how many
    bytes are kept for that."""

    hint: str | None = None
    warnings: tuple[str, ...] = ()
    near_misses: Callable[[], Collection[NearMiss]] = tuple
    retry_after: float | None = None
    signature: Explained | None = None
    size: int = 0


NOTHING = Details()


def _part(path: str, kind: type[T]) -> T:
    """Make a property: what is at a path below a value, of this type."""
    return cast("T", property(attrgetter(path)))


class CallRecord(Struct, frozen=True, gc=False):
    """One call: what was there when it was answered; all else is made of that when somebody reads it.

    `call` is as it may be kept, without secrets; `reply` is what was sent, its body that of a success and no longer than
    `MAX_ANSWER`, while `answered` counts all bytes; `said` is its error. `time` is of the flow clock, seconds since 1970;
    `began` and `duration` (until there was a reply) are in seconds of real time, the first since some moment; `status` is 0
    where no answer was sent. `size` is about how many bytes all this takes.
    """

    call: OperationCall
    reply: Reply
    said: Rendered | None
    status: int
    time: float
    began: float
    duration: float
    nonce: str
    timestamp: str
    traceparent: str | None = None
    violations: tuple[ViolationNote, ...] = ()
    faults: tuple[str, ...] = ()
    details: Details = NOTHING
    size: int = 0
    answered: int = 0

    operation = _part("call.operation.name", str)
    parameters = _part("call.arguments", dict[str, str])
    access_key_id = _part("call.access_key_id", str)
    account = _part("call.account", str)
    region = _part("call.region", str)
    request_id = _part("reply.request_id", str)
    delay = _part("reply.delay", float)
    answer = _part("reply.body", bytes)

    @property
    def flow(self) -> str | None:
        return self.call.flow

    @property
    def execution(self) -> str | None:
        return self.call.execution

    @property
    def code(self) -> str | None:
        """None on success."""
        return self.said.code if self.said is not None else None

    @property
    def message(self) -> str | None:
        return self.said.message if self.said is not None else None

    @property
    def transport(self) -> str | None:
        """What a fault did to the connection."""
        return None if self.reply.transport is Transport.WHOLE else self.reply.transport.value

    @property
    def ended(self) -> float:
        """The time at which its reply was there, on the clock of `began`: calls are in this order."""
        return self.began + self.duration

    @property
    def hint(self) -> str | None:
        """The one in its details, or why its signature was refused, if that has been worked out."""
        signed = self.details.signature
        return self.details.hint if signed is None or signed.told is None else signed.told


class Warned(Struct, frozen=True):
    """Something worth knowing that happened; `time` of the flow clock."""

    time: float
    account: str
    region: str
    text: str


class Seen(Struct, frozen=True):
    """A violation, and the call that it was seen in."""

    time: float
    account: str
    region: str
    operation: str
    request_id: str
    violation: ViolationNote


class Journal:
    """The newest `size` calls of every world, and of all worlds no more than about `max_bytes`. Everything is oldest first."""

    def __init__(self, size: int, max_bytes: int = MAX_BYTES) -> None:
        self._rings: dict[WorldKey, CallRing[CallRecord]] = {}
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
        ring = self._rings.get(key)
        if ring is None:
            ring = self._rings[key] = CallRing()
        ring.add(record)
        self._bytes += record.size
        if len(ring) > self._size:
            self._bytes -= ring.drop()
        while self._bytes > self._max_bytes:  # nobody loses calls to a world that takes less
            self._bytes -= max(self._rings.values(), key=lambda each: each.bytes).drop()
        if record.violations:
            seen = record.time, record.account, record.region, record.operation, record.request_id
            self._violations += [Seen(*seen, violation) for violation in record.violations]
        for listener in tuple(self.listeners) if self.listeners else ():
            listener(record)

    def warn(self, warning: Warned) -> None:
        """Keep a warning; the oldest go when there are too many."""
        self._warnings.append(warning)

    def find(self, scope: Scope = ALL, **filters: str | int | None) -> Iterator[CallRecord]:
        """Find the calls of these worlds for which `matches` is true."""
        found = [ring.find(_wanted(filters)) for ring in self._of(scope)]
        return found[0] if len(found) == 1 else heapq.merge(*found, key=lambda record: record.ended)

    def find_by_blocks(self, scope: Scope = ALL, **filters: str | int | None) -> list[Iterator[Sequence[CallRecord]]]:
        """Find likewise, for each world of its own and some at each iteration, in the calls that there are at this moment."""
        return [ring.find_by_blocks(_wanted(filters)) for ring in self._of(scope)]

    def dropped(self, scope: Scope = ALL) -> int:
        """Count the calls that were dropped."""
        return sum(ring.dropped for ring in self._of(scope))

    def held(self) -> tuple[int, int]:
        """Return how many calls are kept, and about how many bytes they take."""
        rings = self._rings.values()
        return sum(map(len, rings)), sum(ring.bytes for ring in rings)

    def warnings(self, scope: Scope = ALL) -> list[Warned]:
        return [each for each in self._warnings if is_of((each.account, each.region), scope)]

    def violations(self, scope: Scope = ALL) -> list[Seen]:
        return [each for each in self._violations if is_of((each.account, each.region), scope)]

    def forget(self, scope: Scope = ALL) -> None:
        """Drop all of these worlds; it counts as neither seen nor dropped."""
        for key in [key for key in self._rings if is_of(key, scope)]:
            self._bytes -= self._rings.pop(key).bytes
        warnings, violations = self.warnings(scope), self.violations(scope)
        self._warnings = deque((each for each in self._warnings if each not in warnings), WARNINGS)
        self._violations = deque((each for each in self._violations if each not in violations), VIOLATIONS)

    def left(self, key: WorldKey, request_id: str) -> None:
        """Mark a call as abandoned and record how long its client waited."""
        if key in self._rings:
            self._rings[key].replace(request_id, _left)

    def _of(self, scope: Scope) -> list[CallRing[CallRecord]]:
        return [ring for key, ring in self._rings.items() if is_of(key, scope)]


def _left(record: CallRecord) -> CallRecord:
    waited = max(0.0, stopwatch() - record.ended)
    transport = Transport.LEFT if record.reply.transport is Transport.WHOLE else record.reply.transport
    return replace(record, status=0, reply=replace(record.reply, transport=transport, delay=waited))


FIELDS = (
    "operation",
    "flow",
    "execution",
    "code",
    "status",
    "access_key_id",
    "request_id",
    "fault",
    "account",
    "region",
)
"""By what calls can be asked for, beside their parameters."""


def _wanted(filters: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in filters.items() if value is not None}


def matches(record: CallRecord, filters: Mapping[str, str | int | None]) -> bool:
    """Return whether fields and parameters (in the service's spelling) equal the filters, those of `GLOBS` as globs. A
    filter of None asks nothing.

    An empty `code` is that of a success; `fault` is the name of a rule that struck.
    """
    return all(value is None or has(record, name, value) for name, value in filters.items())


def _secret(name: str) -> bool:
    """Return whether a parameter may hold a secret by its name, so far as that is kept."""
    return len(name) > LONGEST or _SECRET.search(name) is not None


_SECRET = re.compile(r"secret|token|password|passwd|signature|credential|bearer|private", re.IGNORECASE)


def masked(arguments: dict[str, str], known: Set[str]) -> dict[str, str]:
    """Return the arguments as they may be kept: of those unknown to the operation, secret ones without their value, and the
    beginning of long names."""
    if arguments.keys() <= known:
        return arguments
    return {
        shortened(name): "***" if name not in known and _secret(name) else value for name, value in arguments.items()
    }


_RECORD = 1_000  # bytes of a call without parameters
_PARAMETER = 160  # bytes of a parameter beside its characters
_VIOLATION = 700  # bytes of a violation beside its message


def kept_bytes(
    parameters: Mapping[str, str], message: str | None, violations: Sequence[ViolationNote], details: Details
) -> int:
    """About how many bytes a call with these takes in the journal."""
    texts = "".join((*parameters, *parameters.values()))
    size = _RECORD + details.size + _PARAMETER * len(parameters) + len(texts)
    if not texts.isascii():  # one wide character makes all of a text wide
        size += sum(map(getsizeof, parameters)) + sum(map(getsizeof, parameters.values()))
    if message is not None:
        size += getsizeof(message)
    for violation in violations:
        size += _VIOLATION + getsizeof(violation.message)
    return size


EXPLAINED, EXPLAINED_BYTES = 5, 1024 * 1024
"""Refused signatures that are explained at once, and the sizes of their calls."""


def explain(records: Sequence[CallRecord]) -> None:
    """Work out why signatures were refused, of the newest calls within both bounds. The hints of others say where to ask."""
    refused = (record for record in reversed(records) if record.details.signature is not None)
    size = 0
    for record in itertools.islice(refused, EXPLAINED):
        assert record.details.signature is not None
        record.details.signature.explain()
        size += record.size
        if size > EXPLAINED_BYTES:
            break


def brief(record: CallRecord) -> str:
    """Describe a call on one line, for people."""
    given = ", ".join(f"{name}={value:.60}" for name, value in record.parameters.items())
    answer = record.transport if record.status == 0 else f"{record.status} {record.code or ''}".rstrip()
    return f"{record.operation}({given}) -> {answer}"


def as_json(record: CallRecord) -> dict[str, Any]:
    """Return a call in the form of the admin API and the journal file."""
    return {
        "operation": record.operation,
        "parameters": dict(record.parameters),
        "access_key_id": record.access_key_id,
        "time": iso(record.time),
        "status": record.status,
        "code": record.code,
        "message": record.message,
        "request_id": record.request_id,
        "duration": round(record.duration, 6),
        "violations": [each.message for each in record.violations],
        "faults": list(record.faults),
        "transport": record.transport,
        "warnings": list(record.details.warnings),
        "hint": record.hint,
        "account": record.account,
        "region": record.region,
        "traceparent": record.traceparent,
    }


def whole(record: CallRecord) -> dict[str, Any]:
    """Return all of `as_json` and the details that only a look at this one call needs."""
    signed = record.details.signature
    signature = signed.to_mapping() if signed is not None else None
    return {
        **as_json(record),
        "nonce": record.nonce,
        "timestamp": record.timestamp,
        "delay": record.delay,
        "retry_after": record.details.retry_after,
        "answer": record.answer.decode("utf-8", "replace") if record.answer else None,
        "answer_bytes": record.answered,
        "signature": signature,
        "near_misses": [miss.to_mapping() for miss in record.details.near_misses()],
    }


def line(record: CallRecord) -> str:
    """Write a call as one line of a journal file."""
    explain((record,))
    return ascii_text(as_json(record)) + "\n"
