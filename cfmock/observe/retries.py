"""Retries of clients after a failure: groups of equal calls, their spacing, and the values used again.

A group begins with a call that failed, or whose answer was lost, and goes on with equal calls until one succeeds. Equal are
calls of one key with the same operation and parameters; the execution name of a start may differ, as a client that leaves it
out, or makes a new one, repeats the start all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

from msgspec import Struct, to_builtins

from cfmock.base.json_text import Json
from cfmock.base.time_text import duration_text
from cfmock.observe.call_record import CallRecord

Backoff = Literal["none", "fixed", "exponential", "jittered"]
"""Shape of the pauses between retries."""

_APART = 600.0  # seconds after which an equal call is no retry any more
_AT_ONCE = 0.02  # seconds up to which a pause counts as none: a client needs them to sign again
_LOST = ("truncate", "garbage", "left")
_STARTS = ("StartExecution", "StartSyncExecution")


class Retries(Struct, frozen=True):
    """One group of equal calls. Times are in seconds of real time.

    `count` calls, `spacing` from start to start; `codes` is what each was answered: a code, what a fault did to the connection
    (`reset`), or None for a success. `same_name` is None for operations that name no execution. `backoff` is the shape of the
    pauses from answer to retry: none, fixed, exponential, jittered, or None where there are too few to tell.
    `retry_after` is what answers asked for; `honoured` whether each was waited for, None if nothing was asked.
    """

    operation: str
    flow: str | None
    count: int
    spacing: tuple[float, ...]
    codes: tuple[str | None, ...]
    same_nonce: bool
    same_timestamp: bool
    same_name: bool | None
    backoff: Backoff | None
    retry_after: tuple[float | None, ...]
    honoured: bool | None
    request_ids: tuple[str, ...]

    @property
    def recovered(self) -> bool:
        """True if the last of them succeeded."""
        return self.codes[-1] is None

    def to_mapping(self) -> dict[str, Json]:
        """Return it in the form of the admin API."""
        return {**to_builtins(self), "recovered": self.recovered}

    def __str__(self) -> str:
        spaced = ", ".join(duration_text(each, digits=2) for each in self.spacing)
        answers = ", ".join(code or "success" for code in self.codes)
        return f"{self.operation} {self.count} times, {spaced} apart ({self.backoff or 'backoff unclear'}): {answers}"


def groups(records: Iterable[CallRecord]) -> list[Retries]:
    """Return the retries among some calls, by their first call."""
    going: dict[tuple[Any, ...], list[list[CallRecord]]] = {}
    found: list[list[CallRecord]] = []
    for record in sorted(records, key=lambda each: each.began):
        candidates = going.setdefault(_alike(record), [])
        group = next((each for each in candidates if _repeats(record, each[-1])), None)
        if group is None:
            if _failed(record):
                candidates.append([record])
                found.append(candidates[-1])
            continue
        group.append(record)
        if not _failed(record):
            candidates.remove(group)
    return [_summary(group) for group in found if len(group) > 1]


def _alike(record: CallRecord) -> tuple[Any, ...]:
    parameters = dict(record.parameters)
    if record.operation in _STARTS:
        parameters.pop("ExecutionName", None)
    who = record.account, record.region, record.access_key_id
    return (*who, record.operation, tuple(sorted(parameters.items())))


def _repeats(record: CallRecord, last: CallRecord) -> bool:
    """Return whether a call comes after another, and soon enough; calls at the same time are no retries of each other."""
    return last.ended <= record.began <= last.ended + last.delay + _APART


def _failed(record: CallRecord) -> bool:
    return record.code is not None or record.status == 0 or record.transport in _LOST


def _summary(group: Sequence[CallRecord]) -> Retries:
    first = group[0]
    pauses = [later.began - earlier.ended - earlier.delay for earlier, later in pairwise(group)]
    asked = [record.details.retry_after for record in group]
    waited = [pause >= 0.95 * wish - 0.005 for wish, pause in zip(asked, pauses, strict=False) if wish is not None]
    return Retries(
        operation=first.operation,
        flow=first.flow,
        count=len(group),
        spacing=tuple(round(later.began - earlier.began, 3) for earlier, later in pairwise(group)),
        codes=tuple(_answer(record) for record in group),
        same_nonce=_repeated(record.nonce for record in group),
        same_timestamp=_repeated(record.timestamp for record in group),
        same_name=_same_name(group),
        backoff=shape(pauses),
        retry_after=tuple(asked),
        honoured=all(waited) if waited else None,
        request_ids=tuple(record.request_id for record in group),
    )


def _answer(record: CallRecord) -> str | None:
    if record.code is not None:
        return record.code
    return record.transport if _failed(record) else None


def _repeated(values: Iterable[str]) -> bool:
    given = [value for value in values if value]
    return len(set(given)) < len(given)


def _same_name(group: Sequence[CallRecord]) -> bool | None:
    names = {record.execution for record in group}
    if group[0].operation not in _STARTS and names == {None}:
        return None
    return len(names) == 1 and None not in names


def shape(pauses: Sequence[float]) -> Backoff | None:
    """Name the pattern of a client's pauses: none, fixed, exponential (it may stop growing at its cap), jittered."""
    if not pauses:
        return None
    if max(pauses) < _AT_ONCE:
        return "none"
    rest = list(pauses)
    if rest[0] < _AT_ONCE:
        rest.pop(0)  # the first retry at once, then with pauses
    if len(rest) < 2:
        return None
    mean = sum(rest) / len(rest)
    if max(rest) - min(rest) <= max(0.03, 0.15 * mean):
        return "fixed"
    return "exponential" if all(_doubles(rest)) else "jittered"


def _doubles(pauses: Sequence[float]) -> Iterator[bool]:
    """Return for each pause whether it is about twice the one before, or as long, once that is the cap."""
    capped = False
    for number, (earlier, later) in enumerate(pairwise(pauses)):
        ratio = later / max(earlier, 1e-6)
        steady = 0.85 <= ratio <= 1.15 and number > 0
        capped = capped or steady
        yield steady if capped else 1.4 <= ratio <= 3.2
