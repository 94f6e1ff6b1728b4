"""The cases that a client is put through: each operation with each error documented for it, and with each broken connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from cfmock.base.errors import SettingsError
from cfmock.base.suggestions import did_you_mean, meant
from cfmock.protocol.faults.catalogue import likely_codes
from cfmock.protocol.faults.rules import TRANSPORTS, FaultRule
from cfmock.protocol.spec.model import load

RULE = "cfmock contract"  # the name of the rule that injects a case's fault
WAITING = ("hang", "slow")  # transports that a client spends its time waiting for


class Case(Struct, frozen=True):
    """One operation and what goes wrong with it: an error `code`, or what happens to the connection (`transport`)."""

    operation: str
    code: str | None = None
    transport: str | None = None

    @property
    def fault(self) -> str:
        """The code, or the name of the transport fault."""
        return self.code or self.transport or ""

    @property
    def waits(self) -> bool:
        """True if the client does next to nothing for seconds."""
        return self.transport in WAITING

    def __str__(self) -> str:
        return f"{self.operation} {self.fault}"

    def rule(self, call: int) -> FaultRule:
        """Make the rule that injects it on the `call`-th call of the operation, counted from 1.

        What is said to exist already does: a client may go on with it.
        """
        spec = load()
        exists = self.code is not None and self.code.endswith("AlreadyExists")
        action = {"error": self.code, "transport": self.transport, "after_operation": exists or None}
        when = {"operation": self.operation, "call": call}
        return FaultRule.from_mapping(
            {"name": RULE, "when": when, **action}, operations=spec.operations, codes=spec.errors
        )


class CaseSelection(Struct, frozen=True):
    """The choice of cases: of these operations, with these faults (codes and transports); empty: any."""

    operations: Collection[str] = ()
    faults: Collection[str] = ()

    @classmethod
    def of(cls, operations: Iterable[str], faults: Iterable[str]) -> CaseSelection:
        """Raises SettingsError for what is no operation, code or transport fault, with all that are none."""
        spec = load()
        wanted = cls(tuple(operations), tuple(faults))
        known = (*spec.errors, *TRANSPORTS)
        wrong = [
            f"--operation: there is no operation '{name}'{did_you_mean(name, spec.operations)}"
            for name in wanted.operations
            if name not in spec.operations
        ]
        wrong += [
            f"--code: '{name}' is neither an error code nor one of {', '.join(TRANSPORTS)}{meant(*likely_codes(name, known))}"
            for name in wanted.faults
            if name not in known
        ]
        if wrong:
            raise SettingsError("\n".join(wrong))
        return wanted

    def covers(self, case: Case) -> bool:
        return case.operation in (self.operations or (case.operation,)) and case.fault in (self.faults or (case.fault,))


def cases_of(operation: str, *, transports: bool = True) -> list[Case]:
    """Return the cases of one operation: its documented codes in their order, then the broken connections."""
    found = [Case(operation, code=code) for code in load().operations[operation].errors]
    return found + [Case(operation, transport=name) for name in TRANSPORTS if transports]


def plan(operations: Sequence[str], wanted: CaseSelection) -> list[Case]:
    """Return the cases of all operations, in their order, as far as they are asked for."""
    return [case for operation in operations for case in cases_of(operation) if wanted.covers(case)]
