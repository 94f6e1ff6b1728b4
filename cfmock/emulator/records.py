"""Makes the journal record of an answered call."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cfmock.base.clocks import stopwatch
from cfmock.base.errors import ServiceError
from cfmock.base.short_text import LONGEST, shortened
from cfmock.emulator.stages import Called, Decoded, Reached
from cfmock.observe.call_record import MAX_ANSWER, CallRecord, Details, kept_bytes, masked
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.protocol.spec.model import Operation
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import UNANSWERED, OperationCall, Reply, Transport

_LONGEST_ACTION = 128  # characters of an action that the API does not have


def record(
    reached: Reached,
    reply: Reply,
    failure: ServiceError | None,
    said: Rendered | None,
    violations: Sequence[ViolationNote],
    details: Details,
    time: float,
    region: str,
) -> CallRecord:
    """Return the record of a call: of the last stage that it reached, its reply, and the error in the reply, `said` so. `time` is
    flow time, in seconds since 1970; `region` that of calls that name none."""
    body, whole = reply.body, reply.transport is Transport.WHOLE
    status = reply.status if whole or reply.transport not in UNANSWERED else 0
    if said is not None:
        said = said._replace(message=_kept(said.message, reached, failure))
    if said is not None or not status or len(body) > MAX_ANSWER:
        body = body if said is None and status else b""
        reply = replace(reply, body=body[:MAX_ANSWER])
    if type(reached) is Decoded:
        request, call = reached, OperationCall(_unknown(reached), {}, "", DEFAULT_ACCOUNT, region)
    else:
        request, call = reached.decoded, _masked(reached.call)
    return CallRecord(
        call,
        reply,
        said,
        status,
        time,
        request.began,
        stopwatch() - request.began,
        shortened(request.claim.nonce),
        shortened(request.claim.time),
        shortened(request.request.header("traceparent")) or None,
        tuple(violations),
        tuple(reached.struck),
        details,
        kept_bytes(call.arguments, said.message if said is not None else None, violations, details) + len(reply.body),
        len(body),
    )


def _masked(call: OperationCall) -> OperationCall:
    """Return the call as it may be kept."""
    arguments = masked(call.arguments, call.operation.parameters.keys())
    if arguments is call.arguments and len(call.access_key_id) <= LONGEST:
        return call
    return replace(call, arguments=arguments, access_key_id=shortened(call.access_key_id))


def _kept(message: str, reached: Reached, failure: ServiceError | None) -> str:
    """The gateway's messages repeat the string to sign, and with it whatever secret the client has sent. What is kept
    shortened is shortened here, too."""
    for text in (reached.decoded.claim.time, reached.call.access_key_id if isinstance(reached, Called) else ""):
        if len(text) > LONGEST:
            message = message.replace(text, shortened(text))
    signed = getattr(failure, "facts", {}).get("string_to_sign")
    return message.replace(signed, "***") if signed else message


def _unknown(request: Decoded) -> Operation:
    """Stands for the operation of a call that did not get so far that it is known."""
    named = request.parameters.values.get("Action") or request.request.header("x-acs-action")
    return Operation(named[:_LONGEST_ACTION], "", "", {}, ())
