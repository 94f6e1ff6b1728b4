"""The accepted matrix: a file with the known behaviour of a client, read, compared and written again.

It holds the cases of a JSON report, a line each, sorted. The line of a case stays as it is for as long as the client
does the same, so that timings do not stir the file, and a change of it is a change of the client.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, convert

from cfmock.base import readers
from cfmock.base.errors import InvalidValue, SourceError
from cfmock.base.json_text import Json
from cfmock.base.problems import Mistake, Problem
from cfmock.base.yaml_source import parse
from cfmock.control.contract import case_reader
from cfmock.tools.contract.outcome import Facts, Reaction
from cfmock.tools.contract.plan import Case

KEPT = ("operation", "code", "transport", "exit", "calls", "spacing", "recovered", "seen", "timed_out", "polls")
"""Keys that are kept of a case, in this order; a report has more."""


class MatrixDifference(Struct, frozen=True):
    """A case that is not as accepted: `before` None if it was not known, `after` None if it was not run."""

    case: Case
    before: Facts | None
    after: Facts | None

    def __str__(self) -> str:
        """`StartExecution reset: recovered -> failed, exit 0 -> 1, retries 1 -> 0`."""
        before, after = self.before, self.after
        if before is None:
            return f"{self.case}: not accepted yet: {after}"
        if after is None:
            return f"{self.case}: this case no longer exists: {before}"
        pairs = [("", before.verdict, after.verdict)]
        pairs += [(f"{name.replace('_', ' ')} ", _word(old), _word(new)) for name, old, new in _fields(before, after)]
        return f"{self.case}: {', '.join(f'{label}{old} -> {new}' for label, old, new in pairs if old != new)}"


def _fields(before: Facts, after: Facts) -> list[tuple[str, Json, Json]]:
    """Return names and values of the fields; without those that a change of the verdict implies."""
    told = ("recovered", "seen", "timed_out") if before.verdict != after.verdict else ()
    return [row for row in zip(Facts._fields, before, after, strict=True) if row[0] not in told]


def _word(value: Json) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def differences(
    accepted: Sequence[Reaction], found: Sequence[Reaction], covers: Callable[[Case], bool]
) -> list[MatrixDifference]:
    """Find the cases that are not as accepted, in the order of `found`; then those that are gone, of the cases asked for."""
    known = {each.case: each.facts for each in accepted}
    changed = [
        MatrixDifference(each.case, known.get(each.case), each.facts)
        for each in found
        if known.get(each.case) != each.facts
    ]
    run = {each.case for each in found}
    return changed + [
        MatrixDifference(case, facts, None) for case, facts in known.items() if case not in run and covers(case)
    ]


def text(accepted: Sequence[Reaction], found: Sequence[Reaction], covers: Callable[[Case], bool]) -> str:
    """Write the file that accepts the cases found, and keeps those not asked for."""
    known = {each.case: each for each in accepted}
    kept = {case: old for case, old in known.items() if not covers(case)}
    for each in found:
        old = known.get(each.case, each)
        kept[each.case] = old if old.facts == each.facts else each
    cases = sorted(kept, key=lambda case: (case.operation, case.code is None, case.fault))
    return lines(_kept(kept[case].to_mapping()) for case in cases)


def lines(cases: Iterable[Json]) -> str:
    """Write a document of cases, a line for each."""
    said = ",\n".join(f"  {json.dumps(case, ensure_ascii=False)}" for case in cases)
    return f'{{"cases": [\n{said}\n]}}\n' if said else '{"cases": []}\n'


# -- reading -----------------------------------------------------------------------------------------------------------


def read(content: bytes, name: str) -> list[Reaction]:
    """Read the cases of a file. Raises SourceError with all mistakes and their places."""
    document = parse(content, name)
    try:
        readers.mapping({"cases": readers.items(case_reader())}, required=("cases",))(document.value)
    except InvalidValue as error:
        raise SourceError(
            document.problem(path, mistake, key=bool(path) and isinstance(path[-1], str))
            for path, mistake in error.problems
        ) from None
    entries = map(_kept, document.value["cases"])
    found = [convert({"case": entry, **entry}, Reaction) for entry in entries]
    first: dict[Case, int] = {}
    problems: list[Problem] = []
    for number, each in enumerate(found):
        if (each.case.code is None) == (each.case.transport is None):
            problems.append(document.problem(("cases", number), Mistake("has either a code or a transport")))
        elif first.setdefault(each.case, number) != number:
            problems.append(document.problem(("cases", number), Mistake("{} is there twice", (str(each.case),))))
    if problems:
        raise SourceError(problems)
    return found


def _kept(entry: Json) -> Json:
    return {key: entry[key] for key in KEPT if key in entry}
