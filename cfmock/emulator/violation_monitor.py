"""Watches what clients do, in all worlds: the violations of each call, and those that only several calls show."""

from __future__ import annotations

from cfmock.base.clocks import Clock
from cfmock.base.errors import ServiceError
from cfmock.emulator.exchange import Exchange
from cfmock.observe import argument_violations
from cfmock.observe.client_history import ClientHistory, Start, start_of
from cfmock.observe.journal import Journal, Seen, WorldKey
from cfmock.protocol.spec.model import Spec
from cfmock.protocol.wire.decode import is_acs3
from cfmock.protocol.wire.messages import TOLD, Fields, OperationCall, Parameters, Reply, Transport

_WAITED_FOR = (Transport.SLOW, Transport.HANG)
_LATE = 1000  # delayed answers whose clients may be told of to have left


class ViolationMonitor:
    """`wall_clock` is real: what clients do takes real time, whatever the flow clock shows."""

    def __init__(self, spec: Spec, wall_clock: Clock, journal: Journal) -> None:
        self._spec = spec
        self._clock = wall_clock
        self._journal = journal
        self._histories: dict[WorldKey, ClientHistory] = {}
        self._late: dict[str, tuple[WorldKey, Start | None]] = {}  # by request id

    def came(self, exchange: Exchange, call: OperationCall, parameters: Parameters) -> None:
        """Look at a call whose sender is known."""
        exchange.violations = argument_violations.violations(call.operation, parameters, call.arguments)
        acs3 = "Signature" not in parameters.values and is_acs3(exchange.request)
        exchange.violations += self._history(exchange.key).came(call, exchange.nonce, acs3=acs3)

    def went(self, exchange: Exchange, reply: Reply, failure: ServiceError | None, fields: Fields) -> None:
        """Look at it again, now that it is known what came of it. `fields` are those of a success."""
        call, decision = exchange.call, exchange.decision
        assert call is not None
        history = self._history(exchange.key)
        if reply.transport not in TOLD or (failure is not None and decision is not None and decision.after is not None):
            history.lost(start_of(call), reply.request_id)
        elif failure is None:
            history.succeeded(call, exchange.nonce, fields, reply.request_id)
        else:
            if failure.code == "InvalidArgument" and (decision is None or decision.before is None):
                exchange.violations += argument_violations.refused(call.operation, call.arguments, self._spec)
            exchange.violations += history.refused(call, exchange.nonce, failure.code, reply.status)
        if reply.delay or reply.transport in _WAITED_FOR:
            self._late[reply.request_id] = exchange.key, start_of(call)
            if len(self._late) > _LATE:
                del self._late[next(iter(self._late))]

    def left(self, reply: Reply) -> None:
        """The client did not wait for an answer that a fault delays, or keeps back."""
        late = self._late.pop(reply.request_id, None)
        if late is not None:
            key, start = late
            self._history(key).lost(start, reply.request_id)
            self._journal.left(key, reply.request_id)

    def violations(self, now: float, account: str | None = None, region: str | None = None) -> list[Seen]:
        """Those seen so far, then those that will have been some if nothing more comes. `now` is flow time."""
        unfinished = [
            Seen(now, *key, "DescribeExecution", request_id, violation)
            for key, history in self._histories.items()
            if account in (None, key[0]) and region in (None, key[1])
            for request_id, violation in history.unfinished()
        ]
        return [*self._journal.violations(account, region), *unfinished]

    def forget(self, key: WorldKey) -> None:
        """Begin anew in a world."""
        self._histories.pop(key, None)

    def _history(self, key: WorldKey) -> ClientHistory:
        history = self._histories.get(key)
        if history is None:
            rate = self._spec.limits["api_rate"]["DescribeExecution"]
            history = self._histories[key] = ClientHistory(self._clock, rate)
        return history
