"""Violations: what a client sent that the real service would take differently from how it was meant.

Each kind says what was meant and what the real service would do; `violation_kinds.json` is the table, `docs/calls.md` shows it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cfmock.base.json_text import packaged_json
from cfmock.base.problems import MOST_TOLD
from cfmock.base.suggestions import did_you_mean, shared_allowance, shown
from cfmock.protocol.spec.model import Operation, Parameter, Spec
from cfmock.protocol.wire.messages import Parameters

LONGEST = 1_000
"""Characters of a text about a violation."""


@functools.cache
def violation_kinds() -> Mapping[str, Mapping[str, str]]:
    """Return the texts `meant` and `real` of each kind. What is in `{}` in them is filled in by what was seen."""
    kinds: Mapping[str, Mapping[str, str]] = packaged_json(__file__, "violation_kinds.json")
    return kinds


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
    row = violation_kinds()[kind]
    texts = message, row["meant"].format(**seen), row["real"].format(**seen)
    return ViolationNote(kind, *(text[:LONGEST] for text in texts))


def violations(operation: Operation, parameters: Parameters, arguments: Mapping[str, str]) -> list[ViolationNote]:
    """Find the violations in the arguments of a call, whatever the service then answers."""
    found: list[ViolationNote] = []
    unknown: list[str] = []
    known = operation.parameters
    for name, text in arguments.items():
        parameter = known.get(name)
        if parameter is None:
            unknown.append(name)
        elif parameter.type != "string":
            if text and not _USUAL[parameter.type].match(text):
                found.append(_mistyped(parameter, f"{name}={shown(text)}"))
        elif len(text) <= _SHORT:
            if text in _NOTHINGS and parameter.format in (None, "name"):
                message = f"{name} is the text '{text}'"
                found.append(violation("stringified nothing", message, name=name, text=f"'{text}'"))
        elif parameter.format == "name" and _LONG_NAME < len(text) <= 128:
            message = f"{name} has {len(text)} of the 128 characters that fit"
            found.append(violation("name near its limit", message, name=name))
    if parameters.untyped:
        for name, sent in parameters.untyped.items():
            parameter = known.get(name)
            if parameter is not None and parameter.type != sent:
                found.append(_mistyped(parameter, f"{name} is a JSON {sent}"))
    return found + _unknown(operation, unknown) if unknown else found


def refused(operation: Operation, arguments: Mapping[str, str], spec: Spec) -> list[ViolationNote]:
    """Return the violations for which arguments are refused as InvalidArgument: names outside their pattern."""
    names = {each.name for each in operation.parameters.values() if each.format == "name"}
    return [
        violation("name outside its pattern", f"{name}={shown(text)}", name=name)
        for name, text in arguments.items()
        if name in names and text and not spec.name_pattern.match(text)
    ]


_NOTHINGS = frozenset(("None", "null", "undefined", "NaN", "[object Object]"))
"""Texts that languages make of nothing, or of an object, when it is put into a text."""

_SHORT = max(map(len, _NOTHINGS))
_LONG_NAME = 119  # characters, of 128

_USUAL = {
    "boolean": re.compile(r"(true|false)\Z"),
    "integer": re.compile(r"(0|-?[1-9][0-9]*)\Z", re.ASCII),
    "number": re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?\Z", re.ASCII),
}
_WANTED = {"boolean": "true or false", "integer": "an integer", "number": "a number", "string": "a text"}


@shared_allowance()
def _unknown(operation: Operation, names: Sequence[str]) -> list[ViolationNote]:
    """Return a violation for each name, the last one for all beyond `MOST_TOLD`, and one for all parts of the same parameter."""
    parts = {whole: name for name in reversed(names) if (whole := name.partition(".")[0]) in operation.parameters}
    found = [
        violation("flattened value", f"{operation.name} got {part[:128]} in place of {whole}", name=whole)
        for whole, part in parts.items()
    ]
    names = [name for name in names if name.partition(".")[0] not in parts]
    for name in names[:MOST_TOLD]:
        message = f"{operation.name} has no parameter '{name[:128]}'{did_you_mean(name, operation.parameters)}"
        found.append(violation("unknown parameter", message, name=f"'{name[:128]}'"))
    if (rest := len(names) - MOST_TOLD) > 0:
        message = f"{operation.name} has none of {rest} more parameters"
        found.append(violation("unknown parameter", message, name=f"{rest} more"))
    return found


def _mistyped(parameter: Parameter, message: str) -> ViolationNote:
    return violation("wrong type", message, wanted=_WANTED[parameter.type])
