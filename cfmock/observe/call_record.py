"""The record of one call, as the journal keeps it, and the forms in which it is shown.

Only the operation's own parameters are kept, and the caller's key id: signatures, tokens of credentials and secrets never
get in, and what an unknown parameter holds is masked if its name says that it is secret. Entries stay as the text they
came as until somebody looks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from operator import attrgetter
from sys import getsizeof
from typing import Any, TypeVar, cast

from msgspec import Struct

from cfmock.base.clocks import iso
from cfmock.base.json_text import ascii_text
from cfmock.base.patterns import NearMiss
from cfmock.base.short_text import LONGEST, shortened
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.auth.refused_signature import RefusedSignature
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import OperationCall, Reply, Transport

MAX_ANSWER = 16 * 1024
"""Bytes of a successful answer that are kept with its call."""

T = TypeVar("T")


class Details(Struct, frozen=True):
    """The rare parts of a record. `hint` is one line on what the client may have meant; `near_misses` works out what nearly
    matched, the nearest first; `warnings` are sentences; `signature` explains one that was refused; `size` is about how many
    bytes are kept for that."""

    hint: str | None = None
    warnings: tuple[str, ...] = ()
    near_misses: Callable[[], Collection[NearMiss]] = tuple
    retry_after: float | None = None
    signature: RefusedSignature | None = None
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
    flow = cast("str | None", property(attrgetter("call.flow")))
    execution = cast("str | None", property(attrgetter("call.execution")))

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


_SECRET = re.compile(r"secret|token|password|passwd|signature|credential|bearer|private", re.IGNORECASE)


def masked(arguments: dict[str, str], known: Set[str]) -> dict[str, str]:
    """Return the arguments as they may be kept: of those unknown to the operation, secret ones without their value, and the
    beginning of long names."""
    if arguments.keys() <= known:
        return arguments
    return {
        shortened(name): "***" if name not in known and (len(name) > LONGEST or _SECRET.search(name)) else value
        for name, value in arguments.items()
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
