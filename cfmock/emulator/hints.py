"""One line to a client whose call may not have been what it meant: what nearly matched, and which field differed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import TYPE_CHECKING

from cfmock.base.errors import Refused, ServiceError
from cfmock.base.patterns import NearMiss
from cfmock.base.suggestions import did_you_mean
from cfmock.emulator.exchange import Exchange
from cfmock.observe.journal import Details
from cfmock.protocol.faults.near_misses import Trace
from cfmock.protocol.spec.model import load
from cfmock.service.call_diagnostics import Noted
from cfmock.service.world import World

if TYPE_CHECKING:
    from cfmock.protocol.auth.diagnosis import Diagnosis

log = logging.getLogger("cfmock")

HEADER = "x-cfmock-hint"
LONGEST = 400
"""Characters of a hint."""

Names = Callable[[], Collection[str]]


def details(exchange: Exchange, failure: ServiceError | None, *, world: Callable[[], World], keys: Names) -> Details:
    """What there is to tell of a call. `world` and `keys` have the names of what is there, for what is not."""
    decision = exchange.decision
    diagnosis = _diagnosis(exchange, failure)
    found = diagnosis.words if diagnosis is not None else _hint(exchange, failure, world, keys)
    return Details(
        hint=None if found is None else one_line(found),
        warnings=exchange.noted.warnings if exchange.noted is not None else (),
        near_misses=partial(_near_misses, exchange.noted, exchange.trace),
        retry_after=decision.retry_after if decision is not None else None,
        signature=diagnosis,
        size=exchange.noted.size if exchange.noted is not None else 0,
    )


def _diagnosis(exchange: Exchange, failure: ServiceError | None) -> Diagnosis | None:
    """Why a signature was refused, also in the log."""
    if failure is None or failure.code != "SignatureNotMatch" or exchange.parameters is None:
        return None
    found, key = exchange.diagnosis, exchange.call.access_key_id if exchange.call is not None else ""
    if found is None:
        from cfmock.protocol.auth.diagnosis import by_fault

        return by_fault(exchange.request, exchange.parameters)
    unknown = "; ".join(filter(None, ("no known mistake of clients explains it", found.guess)))
    mistake = found.likely_mistake or unknown
    log.warning("the signature of a call with the key '%s' does not match (%s): %s", key, exchange.request_id, mistake)
    return found


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
            return _meant(f"there is no flow '{flow}'", flow, world().flow_names())
        case "ExecutionNotExists":
            names = world().execution_names(flow, name)
            return _meant(f"there is no execution '{name}' of flow '{flow}'", name, names)
        case "ScheduleNotExists":
            name = call.arguments.get("ScheduleName", "")
            names = world().schedule_names(flow, name)
            return _meant(f"there is no schedule '{name}' of flow '{flow}'", name, names)
    return None


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
