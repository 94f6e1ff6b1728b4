"""Watches what clients do, in all worlds: the violations of each call, and those that only several calls show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from cfmock.base.bounded_cache import keep_newest
from cfmock.base.clocks import Clock
from cfmock.base.errors import ServiceError
from cfmock.emulator.stages import Decided, Identified
from cfmock.observe import violation_kinds
from cfmock.observe.client_history import ClientHistory, Start, start_of
from cfmock.observe.journal import ALL, Journal, Scope, Seen, WorldKey, is_of
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.spec.model import Spec
from cfmock.protocol.wire.decode import is_acs3
from cfmock.protocol.wire.messages import TOLD, Fields, Reply, Transport

_WAITED_FOR = (Transport.SLOW, Transport.HANG)
_LATE = 1000  # delayed answers whose clients may be told of to have left


class ViolationMonitor:
    """`wall_clock` is real: what clients do takes real time, whatever the flow clock shows."""

    def __init__(self, spec: Spec, wall_clock: Clock, journal: Journal) -> None:
        self._spec = spec
        self._journal = journal
        history = partial(ClientHistory, wall_clock, spec.limits["api_rate"]["DescribeExecution"])
        self._histories: defaultdict[WorldKey, ClientHistory] = defaultdict(history)
        self._late: dict[str, tuple[WorldKey, Start | None]] = {}  # by request id

    def call_received(self, identified: Identified) -> list[ViolationNote]:
        """The violations that a call shows before anything is done about it."""
        request, call = identified.decoded, identified.call
        found = violation_kinds.violations(call.operation, request.parameters, call.arguments)
        acs3 = request.claim.acs3 or ("Signature" not in request.parameters.values and is_acs3(request.request))
        return found + self._histories[call.account, call.region].call_received(call, request.claim.nonce, acs3=acs3)

    def call_answered(
        self, stage: Identified | Decided, reply: Reply, failure: ServiceError | None, fields: Fields
    ) -> Sequence[ViolationNote]:
        """Return the violations that a call shows in the light of its answer. `fields` are those of a success."""
        call, nonce = stage.call, stage.decoded.claim.nonce
        decision = stage.decision if type(stage) is Decided else None
        key = call.account, call.region
        history = self._histories[key]
        found: Sequence[ViolationNote] = ()
        if reply.transport not in TOLD or (failure is not None and decision is not None and decision.after is not None):
            history.lost(start_of(call), reply.request_id)
        elif failure is None:
            history.succeeded(call, nonce, fields, reply.request_id)
        else:
            found = history.refused(call, nonce, failure.code, reply.status)
            if failure.code == "InvalidArgument" and (decision is None or decision.before is None):
                found = violation_kinds.refused(call.operation, call.arguments, self._spec) + found
        if reply.delay or reply.transport in _WAITED_FOR:
            keep_newest(self._late, reply.request_id, (key, start_of(call)), _LATE)
        return found

    def left(self, reply: Reply) -> None:
        """The client did not wait for an answer that a fault delays, or keeps back."""
        late = self._late.pop(reply.request_id, None)
        if late is not None:
            key, start = late
            self._histories[key].lost(start, reply.request_id)
            self._journal.left(key, reply.request_id)

    def violations(self, now: float, scope: Scope = ALL) -> list[Seen]:
        """Return the violations seen so far, then those of clients that left something unfinished. `now` is flow time."""
        unfinished = [
            Seen(now, key, "DescribeExecution", request_id, violation)
            for key, history in self._histories.items()
            if is_of(key, scope)
            for request_id, violation in history.unfinished()
        ]
        return [*self._journal.violations(scope), *unfinished]

    def forget(self, key: WorldKey) -> None:
        """Forget the clients of a world."""
        self._histories.pop(key, None)
