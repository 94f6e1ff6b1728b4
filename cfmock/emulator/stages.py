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
    """A request with its parameters; it has none if they cannot be read, and `refusal` says why. `began` is when it came, by
    the stopwatch, in seconds; `claim` is what it says of its sender."""

    request: Request
    began: float
    parameters: Parameters
    request_id: str
    claim: Claim
    refusal: ServiceError | None

    struck = ()  # faults strike calls of known operations only

    @property
    def decoded(self) -> Decoded:
        return self


class Called(Struct, frozen=True, gc=False):
    """A call of a known operation, in the world of its account. `struck` are the fault rules that struck so far, by name."""

    decoded: Decoded
    call: OperationCall
    world: World
    struck: Sequence[str]


class Claimed(Called, frozen=True, gc=False):
    """A call in the world of the key that it names; nothing is proved yet. Faults make the clock seem `skew` seconds off."""

    skew: float


class Identified(Called, frozen=True, gc=False):
    """A call whose sender is known."""


class Decided(Called, frozen=True, gc=False):
    """A call with what faults do to it: `decision`, None for nothing. `trace` is how all rules stood, None without any."""

    violations: Sequence[ViolationNote]
    decision: FaultDecision | None
    trace: Trace | None


Reached = Decoded | Called
"""The stages that a call can be answered from."""
