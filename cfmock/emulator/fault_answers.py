"""Answers of faults, in place of an operation or of its answer."""

from __future__ import annotations

from msgspec.structs import replace

from cfmock.base.clocks import iso_seconds
from cfmock.base.errors import ServiceError
from cfmock.emulator.stages import Called
from cfmock.protocol.faults.injector import FaultDecision
from cfmock.protocol.faults.rules import Action
from cfmock.protocol.spec.model import Spec
from cfmock.protocol.wire.encode import milliseconds, rate_limit_headers
from cfmock.protocol.wire.messages import OperationCall, Reply, Transport

_NAMED_BY = {"flow": "FlowName", "execution": "ExecutionName", "schedule": "ScheduleName", "task": "TaskToken"}


def failure(stage: Called, action: Action, spec: Spec, now: float) -> ServiceError:
    """The error of a fault, its message's arguments taken from the request. `now` is the time that messages give as the
    server's, in seconds since 1970."""
    if action.custom_error is not None:
        custom = action.custom_error
        return ServiceError(custom.code, status=custom.status, message=custom.message)
    assert action.error is not None
    entry, call = spec.errors[action.error], stage.call
    known = {
        "action": call.operation.name,
        "version": spec.api_version,
        "max_bytes": str(spec.limits["request_size"]),
        "access_key_id": call.access_key_id,
        "header": "x-acs-version",
        "request_time": stage.decoded.claim.time,
        "current_time": iso_seconds(now),
    }
    return ServiceError(entry.code, *(known[name] if name in known else _named(call, name) for name in entry.args))


def _named(call: OperationCall, name: str) -> str:
    """Return the name of something in a call; where it has none, the first parameter that could be missing."""
    parameter = _NAMED_BY.get(name, "")
    named = call.flow if name == "flow" else call.arguments.get(parameter)
    required = (each.name for each in call.operation.parameters.values() if each.required)
    return named or parameter or next(required, "Action")


def spoilt(reply: Reply, decision: FaultDecision) -> Reply:
    """A reply with what a fault does to it: delay, headers, a broken connection."""
    transport, headers = reply.transport, reply.headers
    if decision.after is not None and decision.after.transport is not None:
        transport = Transport(decision.after.transport)
    if decision.retry_after is not None:
        headers = (*headers, ("x-acs-retry-after", str(milliseconds(decision.retry_after))))
    if decision.throttled is not None:
        headers = (*headers, *rate_limit_headers(decision.throttled.limit, decision.throttled.wait))
    return replace(reply, delay=decision.delay, transport=transport, headers=headers)
