"""Violations: what a client sent that the real service would take differently from how it was meant.

Each kind says what was meant and what the real service would do; `KINDS` is the table, `docs/calls.md` shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ViolationKind(NamedTuple):
    """One kind of violation. Texts in `{}` are filled in by what was seen."""

    meant: str
    real: str


KINDS: Mapping[str, ViolationKind] = {
    "unknown parameter": ViolationKind(
        "that the service uses {name}",
        "the service is thought to ignore what it does not know: the call has its effect without {name}",
    ),
    "wrong type": ViolationKind(
        "{wanted}",
        "what the service makes of it is not documented: it may read it as cfmock does, or answer InvalidArgument",
    ),
    "stringified nothing": ViolationKind(
        "to leave {name} out",
        "the service takes the text for a value: a name, a description or an error that reads {text}",
    ),
    "name outside its pattern": ViolationKind(
        "that {name} names something",
        "the service answers InvalidArgument: 1 to 128 letters, digits, '_' or '-', beginning with a letter or '_'",
    ),
    "name near its limit": ViolationKind(
        "that {name} goes on fitting",
        "the service answers InvalidArgument from 129 characters on: a longer flow name, date or counter will get there",
    ),
    "repeated nonce": ViolationKind(
        "another call, or a retry of the same one",
        "the gateway refuses a nonce it has answered within 15 minutes: SignatureNonceUsed (400)",
    ),
    "polling too fast": ViolationKind(
        "to learn of the end soon",
        "the service answers ResourceThrottled (429) beyond {per_second} calls a second with bursts of {burst}; "
        "WaitTimeSeconds waits without polling",
    ),
    "start under a new name": ViolationKind(
        "to repeat a start whose answer was lost",
        "the service may have started the first one: now there are two executions. With the same ExecutionName the "
        "second start gives back the first",
    ),
    "result read too early": ViolationKind(
        "to read the result of {execution}",
        "Output is empty until the execution has ended, so a slower one gives no result: ask until Status is final",
    ),
    "success assumed": ViolationKind(
        "to go on with what {operation} had made",
        "{operation} was answered {code} and made nothing, so the service answers {answer}",
    ),
    "ACS3 signature": ViolationKind(
        "to sign the call",
        "CloudFlow is an RPC product with SignatureVersion 1.0: it probably refuses ACS3, as lacking Signature",
    ),
}


class ViolationNote(NamedTuple):
    """One violation: its kind, what was seen, what was meant, and what the real service would do."""

    kind: str
    message: str
    meant: str
    real: str

    def __str__(self) -> str:
        return f"{self.message}; meant: {self.meant}; the real service: {self.real}"


def violation(kind: str, message: str, **seen: object) -> ViolationNote:
    """Make a violation of a kind of the table, its texts filled in."""
    row = KINDS[kind]
    return ViolationNote(kind, message, row.meant.format(**seen), row.real.format(**seen))
