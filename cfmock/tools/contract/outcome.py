"""The behaviour of a client in each case: the matrix, as values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct, to_builtins

from cfmock.base.json_text import Json
from cfmock.observe.call_record import CallRecord
from cfmock.observe.retries import groups
from cfmock.protocol.spec.model import load
from cfmock.tools.contract.plan import RULE, Case
from cfmock.tools.contract.process import Ended


class Facts(NamedTuple):
    """The part of a reaction that is the same in every run of the same client, so that a change is one of the client.

    `calls` counts repeated polls once. Of a client that was ended for its time, calls and retries are a matter of chance: 0.
    """

    exit: int
    calls: int
    retries: int
    recovered: bool
    seen: bool
    timed_out: bool

    def __str__(self) -> str:
        return f"{self.verdict}, exit {self.exit}, calls {self.calls}, retries {self.retries}"

    @property
    def verdict(self) -> str:
        """recovered, failed, timed out, or not met."""
        if not self.seen:
            return "not met"
        if self.timed_out:
            return "timed out"
        return "recovered" if self.recovered else "failed"


class Reaction(Struct, frozen=True):
    """The behaviour of a client in one case; its fields and those of the case are the keys of the JSON report.

    `exit` is its status (128 + n when signal n ended it); `calls` is how many the server saw, `polls` how many of them only
    repeated a successful read; `spacing` holds the seconds from call to call of the retries of the call that was struck; `seen`:
    whether any was struck; `recovered`: whether it succeeded all the same; `timed_out`: whether the client was ended for its
    time. `violations` are the kinds of those that the run without a fault does not have, `seconds` is the time it took, `said`
    its last line.
    """

    case: Case
    exit: int
    calls: int
    spacing: tuple[float, ...] = ()
    recovered: bool = False
    seen: bool = True
    timed_out: bool = False
    polls: int = 0
    violations: tuple[str, ...] = ()
    seconds: float = 0.0
    said: str = ""

    @property
    def facts(self) -> Facts:
        calls, retries = (0, 0) if self.timed_out else (self.calls - self.polls, len(self.spacing))
        return Facts(self.exit, calls, retries, self.recovered, self.seen, self.timed_out)

    @property
    def verdict(self) -> str:
        """recovered, failed, timed out, or not met."""
        return self.facts.verdict

    def to_mapping(self) -> dict[str, Json]:
        """Return it in the form of the JSON report."""
        found: dict[str, Json] = to_builtins(self)
        return {**found.pop("case"), **found}


def reaction(
    case: Case, ended: Ended, records: Sequence[CallRecord], violations: Iterable[str] = (), usual: Collection[str] = (),
    good: Collection[int] = (0,),
) -> Reaction:  # fmt: skip
    """Work out the reaction in a case, from the end of the client and the calls that the server saw, oldest first; with the kinds
    of its violations, which are `usual` without a fault, and the `good` statuses."""
    struck = next((record.request_id for record in records if RULE in record.faults), None)
    group = next((each for each in groups(records) if struck in each.request_ids), None)
    return Reaction(
        case=case,
        exit=ended.exit,
        calls=len(records),
        spacing=group.spacing if group is not None else (),
        recovered=struck is not None and ended.exit in good and not ended.timed_out,
        seen=struck is not None,
        timed_out=ended.timed_out,
        polls=polls(records),
        violations=tuple(sorted(set(violations) - set(usual))),
        seconds=round(ended.seconds, 3),
        said=ended.said,
    )


def polls(records: Iterable[CallRecord]) -> int:
    """Count the calls that only repeat a read that had succeeded: their number is a matter of time."""
    operations = load().operations
    reads = [
        (record.account, record.region, record.operation, tuple(sorted(record.parameters.items())))
        for record in records
        if record.code is None
        and record.status
        and (operation := operations.get(record.operation)) is not None
        and operation.method == "GET"
    ]
    return len(reads) - len(set(reads))


def operations_used(records: Iterable[CallRecord]) -> list[str]:
    """Return the operations that were called, in the order of their first calls."""
    known = load().operations
    return list(dict.fromkeys(record.operation for record in records if record.operation in known))
