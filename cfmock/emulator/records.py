"""Makes the journal record of an answered call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cfmock.base.clocks import stopwatch
from cfmock.base.errors import ServiceError
from cfmock.base.short_text import LONGEST, shortened
from cfmock.emulator.stages import Decoded, Reached, called, decoded, struck_rules
from cfmock.observe.journal import MAX_ANSWER, CallRecord, Details, kept_bytes, masked
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import UNANSWERED, Reply, Transport

_NO_PARAMETERS: Mapping[str, str] = {}
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
    transport = reply.transport
    status = 0 if transport in UNANSWERED else reply.status
    body = reply.body if said is None and status else b""
    answer = body[:MAX_ANSWER]
    message = _kept(said.message, reached, failure) if said is not None else None
    if type(reached) is Decoded:
        request, operation, parameters, key_id = reached, _action(reached), _NO_PARAMETERS, ""
        account, flow, execution = DEFAULT_ACCOUNT, None, None
    else:
        call, request = reached.call, reached.decoded
        operation, flow, execution = call.operation.name, call.flow, call.execution
        parameters = masked(call.arguments, call.operation.parameters.keys())
        key_id, account, region = shortened(call.access_key_id), call.account, call.region
    # By place, in the order of the fields: names would cost as much as all else here, on every call.
    return CallRecord(
        operation,
        parameters,
        key_id,
        time,
        status,
        said.code if said is not None else None,
        reply.request_id,
        stopwatch() - request.began,
        account,
        region,
        flow,
        execution,
        request.began,
        shortened(request.claim.nonce),
        shortened(request.claim.time),
        message,
        tuple(violations),
        struck_rules(reached),
        None if transport is Transport.WHOLE else transport.value,
        reply.delay,
        kept_bytes(parameters, message, violations, details) + len(answer),
        details,
        shortened(request.request.header("traceparent")) or None,
        answer,
        len(body),
    )


def _kept(message: str, reached: Reached, failure: ServiceError | None) -> str:
    """The gateway's messages repeat the string to sign, and with it whatever secret the client has sent. What is kept
    shortened is shortened here, too."""
    request, stage = decoded(reached), called(reached)
    for text in (request.claim.time, stage.call.access_key_id if stage is not None else ""):
        if len(text) > LONGEST:
            message = message.replace(text, shortened(text))
    signed = getattr(failure, "facts", {}).get("string_to_sign")
    return message.replace(signed, "***") if signed else message


def _action(request: Decoded) -> str:
    named = request.parameters.values.get("Action") or request.request.header("x-acs-action")
    return named[:_LONGEST_ACTION]
