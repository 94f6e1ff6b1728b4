"""One line to a client whose call may not have been what it meant: what nearly matched, and which field differed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from functools import partial

from cfmock.base.errors import Refused, ServiceError
from cfmock.base.patterns import NearMiss
from cfmock.base.suggestions import did_you_mean
from cfmock.emulator.stages import Called, Decided, Decoded, Reached
from cfmock.observe.call_record import Details
from cfmock.protocol.auth.authenticator import Authenticator
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
NO_FIXTURE = "no fixture that was loaded defines one there"
"""The end of the hint for a missing flow where there are no flows at all."""


def details(reached: Reached, noted: Noted, failure: ServiceError | None, authenticator: Authenticator) -> Details:
    """Return the details of a call for its record. The `authenticator` knows keys, and why a signature does not match."""
    decision, trace = (reached.decision, reached.trace) if isinstance(reached, Decided) else (None, None)
    signed = found = None
    if failure is not None and failure.code == "SignatureNotMatch":
        signed = _signature(reached, authenticator)
        found = RIGHT if isinstance(reached, Decided) else _where_to_ask(reached.decoded)
    else:
        found = _hint(reached, noted, failure, authenticator)
    kept = noted.to_keep()
    return Details(
        hint=None if found is None else one_line(found),
        warnings=noted.warnings,
        near_misses=partial(_near_misses, kept, trace),
        retry_after=decision.retry_after if decision is not None else None,
        signature=signed,
        size=sum(each.size for each in (kept, trace, signed) if each is not None),
    )


def _signature(reached: Reached, authenticator: Authenticator) -> RefusedSignature:
    """Return the explanation of a refused signature, and log that it was refused."""
    sent = reached.decoded
    if isinstance(reached, Decided):
        return RefusedSignature(sent.request, partial(_by_fault, sent.request))
    key = reached.call.access_key_id if isinstance(reached, Called) else ""
    log.warning("the signature of a call with the key '%.128s' does not match; %s", key, _where_to_ask(sent))
    return authenticator.explain_later(sent.request, sent.parameters, sent.claim)


def _by_fault(request: Request) -> Diagnosis:
    from cfmock.protocol.auth import diagnosis

    return diagnosis.by_fault(request)


def _where_to_ask(call: Decoded) -> str:
    """Name the endpoint that works out why a signature does not match: to do so for each such call would hold up all others."""
    return f"GET /_cfmock/signature/{call.request_id} says why"


def _hint(reached: Reached, noted: Noted, failure: ServiceError | None, authenticator: Authenticator) -> str | None:
    """Return a hint for a call that no outcome, mock or fault matched."""
    if reached.struck:
        return None
    found = (each.nearest for each in noted.unmatched if each.kind == "mock" or not noted.matched)
    nearest = next((miss for miss in found if miss is not None and miss.near), None)
    if nearest is not None:
        return str(nearest)
    missing = None if failure is None else _missing(reached, failure, authenticator)
    if missing is not None:
        return missing
    trace = reached.trace if isinstance(reached, Decided) else None
    nearest = trace.nearest() if trace is not None and not noted.matched else None
    if nearest is not None:
        return str(nearest)
    # What a call that changes nothing warns of is its client's doing.
    reads = isinstance(reached, Called) and reached.call.operation.method == "GET"
    return next(iter(noted.warnings), None) if reads else None


def _missing(reached: Reached, failure: ServiceError, authenticator: Authenticator) -> str | None:
    """Return the name that may have been meant for a missing one, or the reason that a refusal leaves out."""
    if isinstance(failure, Refused) and failure.hint is not None:
        return failure.hint
    if isinstance(failure, Refused) and failure.reason == "unknown-action":
        action = failure.args[0]
        return _meant(f"there is no operation '{action}'", action, load().operations)
    if not isinstance(reached, Called):
        return None
    call, world = reached.call, reached.world
    flow, name = call.flow or "", call.execution or ""
    match failure.code:
        case "InvalidAccessKeyID":
            key_id = call.access_key_id
            return _meant(f"there is no key '{key_id}'", key_id, authenticator.keys)
        case "FlowNotExists":
            return _pretended(failure.code, world) or for_flow(flow, world)
        case "ExecutionNotExists":
            kind, names = "execution", world.names_in(world.stores.executions, flow, name)
        case "ScheduleNotExists":
            name = call.arguments.get("ScheduleName", "")
            kind, names = "schedule", world.names_in(world.stores.schedules, flow, name)
        case _:
            return None
    return _pretended(failure.code, world) or _meant(f"there is no {kind} '{name}' of flow '{flow}'", name, names)


def _pretended(code: str, world: World) -> str | None:
    """Return the fault by which a client may believe that what is missing exists."""
    already = code.replace("NotExists", "AlreadyExists")
    for fault in world.faults.list():
        action = fault.rule.action
        if fault.hits and action is not None and action.error == already and not fault.rule.after_operation:
            return f"{already} came from the fault '{fault.name}', which creates nothing: 'after_operation: true' does"
    return None


def for_flow(name: str, world: World) -> str | None:
    """Return a hint with the flow that was probably meant by a missing one, or that its account and region have none."""
    names = world.flow_names()
    if not names and not world.shared.former_flows:
        return f"account '{world.account}' has no flows in region '{world.region}': {NO_FIXTURE}"
    return _meant(f"there is no flow '{name}'", name, names)


def _meant(text: str, word: str, known: Iterable[str]) -> str | None:
    near = did_you_mean(word, known)
    return text + near if near else None


def _near_misses(noted: Noted, trace: Trace | None) -> Collection[NearMiss]:
    found = [*noted.near_misses(), *(trace.near_misses() if trace is not None else ())]
    once = {str(miss): miss for miss in found}  # a task may be tried, and miss, often
    return sorted(once.values(), key=lambda miss: (miss.differences[0].path == "when.operation", len(miss.differences)))


def one_line(text: str) -> str:
    """A text as a header can hold it: printable ASCII, cut to a readable length."""
    ascii_text = text[: LONGEST + 1].encode("ascii", "backslashreplace").decode()
    plain = "".join(letter if letter.isprintable() else " " for letter in ascii_text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."
