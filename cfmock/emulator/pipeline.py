"""The path of a call, from a request value to a reply value or a promise of one.

    decode ─► claim ─► identify ─► decide ─► perform ─► finish
       │        │         │          │          │          │
    tables    world,   keys and   faults,   operations  faults (after), encoding,
          skewed clock signature  limits                hint, journal

Each step makes the next stage of the call (`stages`), or raises the `ServiceError` that the call is refused with. Every call is
answered and written down, whichever stage it has reached.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from cfmock.base.clocks import RealClock, stopwatch
from cfmock.base.errors import Refused, ServiceError
from cfmock.base.short_text import shortened
from cfmock.emulator import fault_answers, hints
from cfmock.emulator.flow_time import FlowTime
from cfmock.emulator.records import record
from cfmock.emulator.stages import Claimed, Decided, Decoded, Identified, Reached
from cfmock.emulator.violation_monitor import ViolationMonitor
from cfmock.emulator.worlds import Elsewhere, Worlds
from cfmock.engine.jobs import Job
from cfmock.observe.call_record import NOTHING, Details
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.auth.authenticator import Authenticator
from cfmock.protocol.auth.request_credentials import claim_of
from cfmock.protocol.faults.rules import Action
from cfmock.protocol.faults.token_bucket import Throttled
from cfmock.protocol.wire import decode, encode
from cfmock.protocol.wire.messages import (
    UNANSWERED,
    DeferredAnswer,
    Fields,
    OperationCall,
    Pending,
    Reply,
    Request,
    Transport,
)
from cfmock.service.call_diagnostics import Noted
from cfmock.service.dispatch import dispatch
from cfmock.service.shared import Shared

log = logging.getLogger("cfmock")

Result = Fields | DeferredAnswer | Reply
"""The answer of an operation, or of a fault in its place."""


class RateExceeded(Refused):
    """A call beyond a documented rate."""

    def __init__(self, throttled: Throttled) -> None:
        super().__init__("ResourceThrottled", reason="throttled")
        self.throttled = throttled


class Pipeline:
    """Answers the calls of one emulator, one at a time."""

    def __init__(
        self, shared: Shared, worlds: Worlds, time: FlowTime, authenticator: Authenticator, monitor: ViolationMonitor
    ) -> None:
        self.handled = 0  # calls so far
        self.job: Job | None = None
        """The job of the last call, on a virtual clock: its answer leaves when the job has ended or waits."""
        self._shared = shared
        self._spec = shared.spec
        self._limit: int = shared.spec.limits["request_size"]  # bytes
        self._settings = shared.settings
        self.gateway = shared.settings.errors == "gateway"
        self._worlds = worlds
        self._time = time
        self._authenticator = authenticator
        self._monitor = monitor
        self._wall_clock = RealClock()

    def handle(self, request: Request, denied: ServiceError | None = None) -> Reply | Pending:
        """Answer one API call; one that is `denied` where it came in is refused with that error. Raises only Elsewhere: a mistake
        of ours is an InternalServerError, its traceback in the log."""
        self.handled += 1
        if not self._time.virtual:
            return self._answer(request, denied)
        with self._time.one_job(self._warn_of_stop) as self.job:
            return self._answer(request, denied)

    def _answer(self, request: Request, denied: ServiceError | None) -> Reply | Pending:
        notes = self._shared.notes
        notes.begin()
        stage: Reached
        stage = decoded = self._decode(request, denied)
        result: Result | ServiceError
        try:
            stage = claimed = self._claim(decoded)
            stage = identified = self._identify(claimed)
            stage = decided = self._decide(identified)
            result = self._perform(decided)
        except ServiceError as failure:
            result = failure
            # What it came through would hold on to the request until the garbage collector comes.
            failure.__traceback__ = failure.__context__ = None
        except Elsewhere:
            notes.end()
            raise
        except Exception:  # noqa: BLE001 - the last line of defence: the client gets the documented error all the same
            result = self._our_fault()
        noted = notes.end()
        if type(result) is DeferredAnswer:
            return self._wait(stage, noted, result)
        return self._finish(stage, noted, result)

    # -- the stages ----------------------------------------------------------------------------------------------------

    def _decode(self, request: Request, denied: ServiceError | None) -> Decoded:
        """Find the parameters. Never raises: what cannot be read is refused by the next step."""
        began, limit, refusal = stopwatch(), self._limit, denied
        acs3 = self._authenticator.accept_acs3 and decode.is_acs3(request)
        try:
            if request.size > limit:
                raise ServiceError("EntityTooLarge", str(limit))
            parameters = decode.decode_parameters(request, acs3=acs3)
        except ServiceError as failure:
            parameters, refusal = decode.undecoded(request), denied or failure
        except Exception:  # noqa: BLE001 - as in _answer()
            parameters, refusal = decode.undecoded(request), self._our_fault()
        request_id = decode.caller_request_id(parameters) or self._shared.ids.request_id()
        claim = claim_of(request, parameters, self._authenticator.keys, acs3)
        return Decoded(request, began, parameters, request_id, claim, refusal)

    def _claim(self, decoded: Decoded) -> Claimed:
        """Find the operation, and the world of the account that the call says it is from."""
        request, parameters, spec = decoded.request, decoded.parameters, self._spec
        if decoded.refusal is not None:
            raise decoded.refusal
        decode.check_media_type(request, parameters)
        operation = decode.decode_operation(request, parameters, spec, version_first=self.gateway)
        caller = decoded.claim.credential
        region = decode.region(request, parameters, spec) or self._settings.region
        call = OperationCall(operation, parameters.arguments, caller.access_key_id, caller.account, region)
        world = self._worlds.of(call.account, region)
        if self._shared.changes is not None and world.faults.has_rules:
            world.counted_faults = True  # what its rules count is yet to be written down
            self._shared.changes.touch()
        struck: list[str] = []
        return Claimed(decoded, call, world, struck, world.faults.skew(call, struck))

    def _identify(self, claimed: Claimed) -> Identified:
        """Check who calls. Of the faults only `clock_skew` is asked before it."""
        decoded, call = claimed.decoded, claimed.call
        self._authenticator.authenticate(decoded.request, decoded.parameters, decoded.claim, call, claimed.skew)
        return Identified(decoded, call, claimed.world, claimed.struck)

    def _decide(self, identified: Identified) -> Decided:
        """Ask the limits and the faults what happens to the call, and look for violations in it."""
        decoded, call, world, struck = identified.decoded, identified.call, identified.world, identified.struck
        if decoded.parameters.problem:
            raise ServiceError("InvalidArgument", detail=decoded.parameters.problem)
        limits, faults = world.limits, world.faults
        if limits is not None and not (bucket := limits[call.operation.name]).take():
            raise RateExceeded(bucket.throttled())
        violations = self._monitor.call_received(identified)
        decision, trace = faults.decide(call), None
        if decision is not None:
            struck = (*struck, *decision.rules)
        if faults.has_rules:
            trace = faults.trace(replace(call, access_key_id=shortened(call.access_key_id)), struck)
        return Decided(decoded, call, world, struck, violations, decision, trace)

    def _perform(self, decided: Decided) -> Result:
        """Do what the call asks, unless a fault comes before it."""
        decision = decided.decision
        if decision is None or decision.before is None:
            return dispatch(decided.world, decided.call)
        if decision.before.transport is not None:
            transport = Transport(decision.before.transport)
            return Reply(200, b"", decided.decoded.request_id, transport=transport)
        raise self._fault_error(decided, decision.before)

    def _fault_error(self, decided: Decided, action: Action) -> ServiceError:
        """Return the error that a fault answers a call with."""
        # The time in the message is further than allowed from that of any request that is let in.
        now = self._wall_clock.now() + 2 * self._settings.max_time_skew + 1
        return fault_answers.failure(decided, action, self._spec, now)

    # -- the answer ----------------------------------------------------------------------------------------------------

    def _wait(self, reached: Reached, noted: Noted, later: DeferredAnswer) -> Pending:
        """Promise the reply to a call: made when the answer is ready, or the time of the client is over."""
        pending = Pending(timeout=later.timeout)

        def answer() -> None:
            if not undo:
                return  # the client has left
            leave()
            try:
                result: Fields | ServiceError = later.ready()
            except ServiceError as failure:
                result = failure
            except Exception:  # noqa: BLE001 - as in _answer()
                result = self._our_fault()
            pending.settle(self._finish(reached, noted, result))

        def abandon() -> None:
            leave()
            reply = Reply(200, b"", reached.decoded.request_id, transport=Transport.LEFT)
            self._write_down(reached, reply, None, {})

        def leave() -> None:
            # Each of them knows of the others, so they let go of one another.
            while undo:
                undo.pop()()
            pending.on_expire = pending.on_abandon = None

        undo = [later.subscribe(answer)]
        pending.on_expire, pending.on_abandon = answer, abandon
        if self.job is not None:
            if self.job.stopped:
                pending.expire()
            self.job.on_stop = partial(self._warn_of_stop, pending)
        return pending

    def _finish(self, reached: Reached, noted: Noted, result: Fields | ServiceError | Reply) -> Reply:
        """Encode what came out, spoil it if a fault says so, add a hint, and write the call down."""
        decision, trace = (reached.decision, reached.trace) if type(reached) is Decided else (None, None)
        after = decision.after if decision is not None and not isinstance(result, ServiceError) else None
        if after is not None and after.transport is None and type(reached) is Decided:
            result = self._fault_error(reached, after)
        call = reached.decoded
        failure: ServiceError | None = None
        fields: Fields = {}
        if isinstance(result, dict):
            fields = result
            reply = encode.success(fields, call.request_id)
        elif isinstance(result, Reply):
            reply = result
        else:
            failure = result
            reply = self.refusal(failure, call.request.header("host"), call.request_id)
            if isinstance(failure, RateExceeded):
                reply = replace(
                    reply, headers=encode.rate_limit_headers(failure.throttled.limit, failure.throttled.wait)
                )
        if decision is not None:
            reply = fault_answers.spoilt(reply, decision)
        details = NOTHING
        if failure is not None or trace is not None or noted.unmatched or noted.warnings:
            details = hints.details(reached, noted, failure, self._authenticator)
            if details.hint is not None:
                reply = replace(reply, headers=(*reply.headers, (hints.HEADER, details.hint)))
        self._write_down(reached, reply, failure, fields, details)
        return reply

    def _write_down(
        self, reached: Reached, reply: Reply, failure: ServiceError | None, fields: Fields, details: Details = NOTHING
    ) -> None:
        """Keep an answered call in the journal, with its violations, and the nonce of one that got its answer."""
        violations: Sequence[ViolationNote] = ()
        if type(reached) is Decided or type(reached) is Identified:
            if reply.transport not in UNANSWERED:
                self._authenticator.answered(reached.call.access_key_id, reached.decoded.claim.nonce)
            violations = self._monitor.call_answered(reached, reply, failure, fields)
            if type(reached) is Decided and reached.violations:
                violations = (*reached.violations, *violations)
        said = encode.rendered(failure, self._spec, gateway=self.gateway) if failure is not None else None
        shared = self._shared
        kept = record(reached, reply, failure, said, violations, details, shared.clock.now(), self._settings.region)
        shared.journal.add(kept)
        shared.tally.add(kept)
        world = kept.call.account, kept.call.region
        shared.feed.mark("call", world, reply.request_id)
        for rule in kept.faults:
            shared.feed.mark("fault", world, rule)

    def refusal(self, failure: ServiceError, host: str, request_id: str | None = None) -> Reply:
        """The error answer to a call, or to what never became one."""
        return encode.error(
            failure, request_id or self._shared.ids.request_id(), host, self._spec, gateway=self.gateway
        )

    def _our_fault(self) -> ServiceError:
        log.exception("a mistake of cfmock's own; the client got InternalServerError")
        return ServiceError("InternalServerError")

    def _warn_of_stop(self, pending: Pending | None = None) -> None:
        """A call has started more than it may: say so, and answer with what there is."""
        most = self._settings.max_starts_per_advance
        text = f"a call has started more than {most} executions: the rest stops until you advance the clock"
        self._worlds.warn(f"{text} (max_starts_per_advance)")
        if pending is not None:
            pending.expire()
