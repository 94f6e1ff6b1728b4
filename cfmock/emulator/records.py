"""From an answered call to what the journal keeps of it."""

from __future__ import annotations

from cfmock.base.clocks import stopwatch
from cfmock.base.short_text import LONGEST, shortened
from cfmock.emulator.stages import AnsweredCall, Decoded, called, decoded, rules, world_key
from cfmock.observe.journal import CallRecord, kept_bytes, masked
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import UNANSWERED, Transport

_LONGEST_ACTION = 128  # characters of an action that the API does not have


def record(answered: AnsweredCall, said: Rendered | None, time: float, region: str) -> CallRecord:
    """What is kept of a call. `said` is the error as it was answered; `time` is flow time, in seconds since 1970; `region` that
    of calls that name none."""
    reached, reply, details = answered.reached, answered.reply, answered.details
    request, stage = decoded(reached), called(reached)
    transport, violations = reply.transport, answered.violations
    account, region = world_key(reached, region)
    call = stage.call if stage is not None else None
    parameters = masked(call.arguments, call.operation.parameters.keys()) if call is not None else {}
    message = _kept(said.message, answered) if said is not None else None
    return CallRecord(
        operation=call.operation.name if call is not None else _action(request),
        parameters=parameters,
        access_key_id=shortened(call.access_key_id) if call is not None else "",
        time=time,
        status=0 if transport in UNANSWERED else reply.status,
        code=said.code if said is not None else None,
        request_id=reply.request_id,
        duration=stopwatch() - request.began,
        account=account,
        region=region,
        flow=call.flow if call is not None else None,
        execution=call.execution if call is not None else None,
        began=request.began,
        nonce=shortened(request.nonce),
        timestamp=shortened(request.timestamp),
        message=message,
        violations=tuple(violations),
        faults=rules(reached),
        transport=None if transport is Transport.WHOLE else transport.value,
        delay=reply.delay,
        size=kept_bytes(parameters, message, violations, details),
        details=details,
        traceparent=shortened(request.request.header("traceparent")) or None,
    )


def _kept(message: str, answered: AnsweredCall) -> str:
    """The gateway's messages repeat the string to sign, and with it whatever secret the client has sent. What is kept
    shortened is shortened here, too."""
    request, stage = decoded(answered.reached), called(answered.reached)
    for text in (request.timestamp, stage.call.access_key_id if stage is not None else ""):
        if len(text) > LONGEST:
            message = message.replace(text, shortened(text))
    signed = getattr(answered.failure, "facts", {}).get("string_to_sign")
    return message.replace(signed, "***") if signed else message


def _action(request: Decoded) -> str:
    named = request.parameters.values.get("Action") or request.request.header("x-acs-action")
    return named[:_LONGEST_ACTION]
