"""One line to a client whose call may not have been what it meant: what nearly matched, and which field differed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from cfmock.errors import ServiceError, did_you_mean
from cfmock.faults.misses import Trace
from cfmock.journal import Details
from cfmock.matching import NearMiss
from cfmock.service.notes import Noted
from cfmock.wire.messages import Call

HEADER = "x-cfmock-hint"
LONGEST = 400
"""Characters of a hint."""


def details(
    *,
    failure: ServiceError | None,
    call: Call | None,
    noted: Noted | None,
    matched: bool,
    trace: Trace | None,
    retry_after: float | None,
    flows: Callable[[], Collection[str]],
) -> Details:
    """What there is to tell of a call. `matched`: an outcome or a mock decided; `flows` names those that are there, for
    one that is not."""
    found = _hint(failure, call, _worth_a_hint(noted, matched), None if matched else trace, flows)
    return Details(
        hint=None if found is None else one_line(found),
        warnings=noted.warnings if noted is not None else (),
        near_misses=partial(_near_misses, noted, trace),
        retry_after=retry_after,
    )


def _worth_a_hint(noted: Noted | None, matched: bool) -> Collection[NearMiss]:
    """That a task has no mock is worth it even where other mocks answered."""
    if noted is None:
        return ()
    return [miss for miss in noted.misses if miss.kind == "mock"] if matched else noted.misses


def _hint(
    failure: ServiceError | None,
    call: Call | None,
    misses: Collection[NearMiss],
    trace: Trace | None,
    flows: Callable[[], Collection[str]],
) -> str | None:
    """For a call that no outcome, mock or fault matched."""
    if trace is not None and trace.struck:
        return None
    if misses:
        return str(min(misses, key=lambda miss: len(miss.differences)))
    if failure is not None and failure.code == "FlowNotExists" and call is not None and call.flow is not None:
        near = did_you_mean(call.flow, flows())
        if near:
            return f"there is no flow '{call.flow}'{near}"
    nearest = trace.nearest() if trace is not None else None
    return None if nearest is None else str(nearest)


def _near_misses(noted: Noted | None, trace: Trace | None) -> Collection[NearMiss]:
    found = [*(noted.misses if noted is not None else ()), *(trace.near_misses() if trace is not None else ())]
    return sorted(found, key=lambda miss: (miss.differences[0].path == "when.operation", len(miss.differences)))


def one_line(text: str) -> str:
    """A text as a header can hold it: printable ASCII, cut to a readable length."""
    ascii_text = text.encode("ascii", "backslashreplace").decode()
    plain = "".join(letter if letter.isprintable() else " " for letter in ascii_text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."
