"""The stages of a call on its path, each with all that is known by then.

    Decoded ─► Claimed ─► Identified ─► Decided

The pipeline makes each of these whole, and none is ever changed. A call that is refused gets no further: its answer, its hint
and its record are made of the last stage that it has reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from cfmock.base.errors import ServiceError
from cfmock.observe.violation_kinds import ViolationNote
from cfmock.protocol.auth.request_credentials import Claim
from cfmock.protocol.faults.injector import FaultDecision
from cfmock.protocol.faults.near_misses import Trace
from cfmock.protocol.wire.messages import OperationCall, Parameters, Request
from cfmock.service.world import World


@final
class Decoded(Struct, frozen=True, gc=False):
    """A request with its parameters: none, where `refusal` says why they cannot be read. `began` is when it came, by the
    stopwatch, in seconds; `claim` says whose it would be."""

    request: Request
    began: float
    parameters: Parameters
    request_id: str
    claim: Claim
    refusal: ServiceError | None


@final
class Claimed(Struct, frozen=True, gc=False):
    """A call of a known operation by whom it says it is, in the world of that account; nothing is proved yet.

    `struck` are the names of the fault rules that skewed the clock, `skew` by how many seconds.
    """

    decoded: Decoded
    call: OperationCall
    world: World
    struck: Sequence[str]
    skew: float


@final
class Identified(Struct, frozen=True, gc=False):
    """A call whose sender is known."""

    decoded: Decoded
    call: OperationCall
    world: World
    struck: Sequence[str]


@final
class Decided(Struct, frozen=True, gc=False):
    """A call with what faults do to it: `decision` None if nothing, `trace` None where the world has no rules."""

    decoded: Decoded
    call: OperationCall
    world: World
    struck: Sequence[str]
    violations: Sequence[ViolationNote]
    decision: FaultDecision | None
    trace: Trace | None


Called = Claimed | Identified | Decided
"""The stages that know which operation is called."""

Reached = Decoded | Called
"""The stages that a call can be answered from."""


def called(reached: Reached) -> Called | None:
    """The stage, if it knows which operation is called."""
    return None if type(reached) is Decoded else reached


def decoded(reached: Reached) -> Decoded:
    """The request of a call, decoded."""
    return reached if type(reached) is Decoded else reached.decoded


def struck_rules(reached: Reached) -> tuple[str, ...]:
    """The names of the fault rules that struck."""
    if type(reached) is Decoded:
        return ()
    if type(reached) is Decided and reached.decision is not None:
        return (*reached.struck, *reached.decision.rules)
    return tuple(reached.struck)
