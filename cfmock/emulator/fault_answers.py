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
from cfmock.protocol.wire.messages import Reply, Transport

_NAMED_BY = {"flow": "FlowName", "execution": "ExecutionName", "schedule": "ScheduleName", "task": "TaskToken"}


def failure(stage: Called, action: Action, spec: Spec, now: float) -> ServiceError:
    """The error of a fault, its message's arguments taken from the request. `now` is the time that messages give as the
    server's, in seconds since 1970."""
    if action.custom is not None:
        custom = action.custom
        return ServiceError(custom.code, status=custom.status, message=custom.message)
    assert action.error is not None
    entry = spec.errors[action.error]
    return ServiceError(entry.code, *(_argument(stage, name, spec, now) for name in entry.args))


def _argument(stage: Called, name: str, spec: Spec, now: float) -> str:
    """Return the text for one argument of a message; where the request has nothing, the first parameter that could be missing."""
    call = stage.call
    match name:
        case "action":
            return call.operation.name
        case "version":
            return spec.api_version
        case "max_bytes":
            return str(spec.limits["request_size"])
        case "access_key_id":
            return call.access_key_id
        case "header":
            return "x-acs-version"
        case "request_time":
            return stage.decoded.claim.time
        case "current_time":
            return iso_seconds(now)
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
