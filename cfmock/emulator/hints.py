"""One line to a client whose call may not have been what it meant: what nearly matched, and which field differed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial

from cfmock.base.errors import Refused, ServiceError
from cfmock.base.patterns import NearMiss
from cfmock.base.suggestions import did_you_mean
from cfmock.emulator.exchange import Exchange
from cfmock.observe.journal import Details
from cfmock.protocol.auth.refused_signature import RIGHT, Diagnosis, RefusedSignature
from cfmock.protocol.faults.near_misses import Trace
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import Request
from cfmock.service.call_diagnostics import Noted
from cfmock.service.world import World

log = logging.getLogger("cfmock")

HEADER = "x-cfmock-hint"
LONGEST = 400
"""Characters of a hint."""

Names = Callable[[], Collection[str]]


def details(exchange: Exchange, failure: ServiceError | None, *, world: Callable[[], World], keys: Names) -> Details:
    """What there is to tell of a call. `world` and `keys` have the names of what is there, for what is not."""
    decision, trace = exchange.decision, exchange.trace
    signed = _signature(exchange, failure)
    if signed is None:
        found = _hint(exchange, failure, world, keys)
    else:
        found = RIGHT if exchange.refused is None else _asking(exchange)
    noted = exchange.noted.to_keep() if exchange.noted is not None else None
    size = sum(each.size for each in (noted, trace, signed) if each is not None)
    return Details(
        hint=None if found is None else one_line(found),
        warnings=noted.warnings if noted is not None else (),
        near_misses=partial(_near_misses, noted, trace),
        retry_after=decision.retry_after if decision is not None else None,
        signature=signed,
        size=size,
    )


def _signature(exchange: Exchange, failure: ServiceError | None) -> RefusedSignature | None:
    """What explains why a signature was refused; that it was is in the log."""
    if failure is None or failure.code != "SignatureNotMatch" or exchange.parameters is None:
        return None
    if exchange.refused is None:
        return RefusedSignature(exchange.request, partial(_by_fault, exchange.request))
    key = exchange.call.access_key_id if exchange.call is not None else ""
    log.warning("the signature of a call with the key '%.128s' does not match; %s", key, _asking(exchange))
    return exchange.refused


def _by_fault(request: Request) -> Diagnosis:
    from cfmock.protocol.auth import diagnosis

    return diagnosis.by_fault(request)


def _asking(exchange: Exchange) -> str:
    """Where it is worked out why a signature does not match: to do so for each such call would hold up all others."""
    return f"GET /_cfmock/signature/{exchange.request_id} says why"


def _hint(exchange: Exchange, failure: ServiceError | None, world: Callable[[], World], keys: Names) -> str | None:
    """For a call that no outcome, mock or fault matched."""
    trace = exchange.trace
    if exchange.rules:
        return None
    nearest = _nearest(exchange)
    if nearest is not None and nearest.near:
        return str(nearest)
    if failure is not None:
        missing = _missing(exchange, failure, world, keys)
        if missing is not None:
            return missing
    nearest = trace.nearest() if trace is not None and not exchange.matched else None
    return str(nearest) if nearest is not None else None


def _missing(exchange: Exchange, failure: ServiceError, world: Callable[[], World], keys: Names) -> str | None:
    """For what is not there the name that may have been meant; for a refusal what it does not say itself."""
    call = exchange.call
    if isinstance(failure, Refused) and failure.hint is not None:
        return failure.hint
    if isinstance(failure, Refused) and failure.reason == "unknown-action":
        action = failure.args[0]
        return _meant(f"there is no operation '{action}'", action, load().operations)
    if call is None:
        return None
    flow, name = call.flow or "", call.execution or ""
    match failure.code:
        case "InvalidAccessKeyID":
            return _meant(f"there is no key '{call.access_key_id}'", call.access_key_id, keys())
        case "FlowNotExists":
            return for_flow(flow, world())
        case "ExecutionNotExists":
            names = world().execution_names(flow, name)
            return _meant(f"there is no execution '{name}' of flow '{flow}'", name, names)
        case "ScheduleNotExists":
            name = call.arguments.get("ScheduleName", "")
            names = world().schedule_names(flow, name)
            return _meant(f"there is no schedule '{name}' of flow '{flow}'", name, names)
    return None


def for_flow(name: str, world: World) -> str | None:
    """For a flow that is not there, which one was probably meant."""
    return _meant(f"there is no flow '{name}'", name, world.flow_names())


def _nearest(exchange: Exchange) -> NearMiss | None:
    """The nearest outcome or mock. That a task has no mock is worth a hint even where other mocks answered."""
    unmatched = exchange.noted.unmatched if exchange.noted is not None else ()
    found = [each.nearest for each in unmatched if each.kind == "mock" or not exchange.matched]
    return min(found, key=lambda miss: len(miss.differences), default=None)


def _meant(text: str, word: str, known: Iterable[str]) -> str | None:
    near = did_you_mean(word, known)
    return text + near if near else None


def _near_misses(noted: Noted | None, trace: Trace | None) -> Collection[NearMiss]:
    found = [*(noted.near_misses() if noted is not None else ()), *(trace.near_misses() if trace is not None else ())]
    once = {str(miss): miss for miss in found}  # a task may be tried, and miss, often
    return sorted(once.values(), key=lambda miss: (miss.differences[0].path == "when.operation", len(miss.differences)))


def one_line(text: str) -> str:
    """A text as a header can hold it: printable ASCII, cut to a readable length."""
    ascii_text = text[: LONGEST + 1].encode("ascii", "backslashreplace").decode()
    plain = "".join(letter if letter.isprintable() else " " for letter in ascii_text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."
