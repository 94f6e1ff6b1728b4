"""One call on its way through the emulator, what each stage found out, and what is written down of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfmock.base.clocks import iso_seconds, stopwatch
from cfmock.base.errors import ServiceError
from cfmock.base.short_text import LONGEST, shortened
from cfmock.observe.journal import CallRecord, Details, WorldKey, kept_bytes, masked
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT
from cfmock.protocol.faults.injector import FaultDecision
from cfmock.protocol.faults.near_misses import Trace
from cfmock.protocol.faults.rules import Action
from cfmock.protocol.faults.token_bucket import Throttled
from cfmock.protocol.spec.model import Spec
from cfmock.protocol.wire.encode import Rendered
from cfmock.protocol.wire.messages import UNANSWERED, OperationCall, Parameters, Reply, Request, Transport
from cfmock.service.call_diagnostics import Noted

if TYPE_CHECKING:
    from cfmock.protocol.auth.refused_signature import RefusedSignature

_NAMED_BY = {"flow": "FlowName", "execution": "ExecutionName", "schedule": "ScheduleName", "task": "TaskToken"}


class Exchange:
    """A call; each stage adds what it finds out. Encoding and journal work with however much there is."""

    __slots__ = (
        "call", "decision", "denied", "key", "known", "matched", "nonce", "noted", "parameters", "refused", "request",
        "request_id", "signed", "started", "struck", "throttled", "timestamp", "trace", "violations",
    )  # fmt: skip

    def __init__(self, request: Request, region: str, denied: ServiceError | None = None) -> None:
        self.request = request
        self.denied = denied
        self.started = stopwatch()
        self.request_id = ""
        self.parameters: Parameters | None = None
        self.nonce = ""
        self.timestamp = ""
        self.call: OperationCall | None = None
        self.key: WorldKey = (DEFAULT_ACCOUNT, region)
        self.known = False  # who calls
        self.decision: FaultDecision | None = None
        self.struck: list[str] = []  # the rules that skewed the clock
        self.trace: Trace | None = None
        self.noted: Noted | None = None
        self.refused: RefusedSignature | None = None
        self.signed = ""  # the string to sign of a signature that was refused
        self.throttled: Throttled | None = None  # by the documented limits
        self.matched = False
        self.violations: list[ViolationNote] = []

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the fault rules that struck."""
        if self.decision is None:
            return tuple(self.struck)
        return (*self.struck, *self.decision.rules)

    def decoded(self, parameters: Parameters) -> None:
        """Its parameters are known."""
        self.parameters = parameters
        self.nonce = parameters.values.get("SignatureNonce") or self.request.header("x-acs-signature-nonce")
        self.timestamp = parameters.values.get("Timestamp") or self.request.header("x-acs-date")

    def failure(self, action: Action, spec: Spec, now: float) -> ServiceError:
        """What a fault answers, its message's arguments taken from the request. `now` is the time that messages give as the
        server's."""
        if action.custom is not None:
            custom = action.custom
            return ServiceError(custom.code, status=custom.status, message=custom.message)
        assert action.error is not None
        entry = spec.errors[action.error]
        return ServiceError(entry.code, *(self._argument(name, spec, now) for name in entry.args))

    def _argument(self, name: str, spec: Spec, now: float) -> str:
        """What a message names; where the request has nothing, the first parameter that could be missing."""
        call = self.call
        assert call is not None
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
                return self.timestamp
            case "current_time":
                return iso_seconds(now)
        parameter = _NAMED_BY.get(name, "")
        named = call.flow if name == "flow" else call.arguments.get(parameter)
        required = (each.name for each in call.operation.parameters.values() if each.required)
        return named or parameter or next(required, "Action")

    def record(self, reply: Reply, said: Rendered | None, details: Details, time: float) -> CallRecord:
        """What is written down of it. `time` is flow time; `said` the error that was answered."""
        call, transport, key = self.call, reply.transport, self.key
        parameters = masked(call.arguments, call.operation.parameters.keys()) if call is not None else {}
        message = self._kept(said.message) if said is not None else None
        # By place, in the order of the fields: names would cost more than all else here, on every call.
        return CallRecord(
            call.operation.name if call is not None else self._action(),
            parameters,
            shortened(call.access_key_id) if call is not None else "",
            time,
            0 if transport in UNANSWERED else reply.status,
            said.code if said is not None else None,
            reply.request_id,
            stopwatch() - self.started,
            key[0],
            key[1],
            call.flow if call is not None else None,
            call.execution if call is not None else None,
            self.started,
            shortened(self.nonce),
            shortened(self.timestamp),
            message,
            tuple(self.violations) if self.violations else (),
            self.rules,
            None if transport is Transport.WHOLE else transport.value,
            reply.delay,
            kept_bytes(parameters, message, self.violations, details),
            details,
        )

    def _kept(self, message: str) -> str:
        """The gateway's messages repeat the string to sign, and with it whatever secret the client has sent. What is kept
        shortened is shortened here, too."""
        for text in (self.timestamp, self.call.access_key_id if self.call is not None else ""):
            if len(text) > LONGEST:
                message = message.replace(text, shortened(text))
        return message.replace(self.signed, "***") if self.signed else message

    def _action(self) -> str:
        named = self.parameters.values.get("Action", "") if self.parameters is not None else ""
        return (named or self.request.header("x-acs-action"))[:128]
