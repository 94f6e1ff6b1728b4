"""Report on a client's run through its cases, as text and a page for people and as JSON for programs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from msgspec import Struct

from cfmock.base import markup
from cfmock.base.markup import cell, escaped
from cfmock.base.time_text import duration_text
from cfmock.tools.contract.baseline import MatrixDifference, lines
from cfmock.tools.contract.outcome import Reaction

VERDICTS = {
    "recovered": ("green", "good"),
    "failed": ("yellow", "odd"),
    "timed out": ("red", "bad"),
    "not met": ("dim", "faint"),
}
"""The verdicts, each with its style on a terminal and its class on a page."""

COLUMNS = ("OPERATION", "FAULT", "RESULT", "EXIT", "CALLS", "RETRIES", "SAID")


class MatrixReport(Struct, frozen=True):
    """A whole run: the command, its reactions in the order of the cases, and what of them is not as accepted; None if
    nothing was to be compared."""

    words: Sequence[str]
    reactions: Sequence[Reaction]
    differences: Sequence[MatrixDifference] | None = None

    def summary(self) -> str:
        """`21 cases: 3 recovered, 17 failed, 1 timed out; 2 not as accepted`."""
        verdicts = [each.verdict for each in self.reactions]
        counts = [(verdicts.count(word), word) for word in VERDICTS]
        said = ", ".join(f"{count} {word}" for count, word in counts if count)
        total = f"{len(verdicts)} case{'s' * (len(verdicts) != 1)}: {said}"
        if self.differences is None:
            return total
        return f"{total}; {len(self.differences) or 'none'} not as accepted"

    def difference(self, reaction: Reaction) -> MatrixDifference | None:
        """Return the difference of a case from the accepted one."""
        return next((each for each in self.differences or () if each.case == reaction.case), None)

    def gone(self) -> list[MatrixDifference]:
        """Return the accepted cases that did not occur."""
        return [each for each in self.differences or () if each.after is None]


def rows(report: MatrixReport) -> list[tuple[str, ...]]:
    """Return a row for each case, under `COLUMNS`."""
    return [
        (
            each.case.operation, each.case.fault, each.verdict, str(each.exit), str(each.calls), retries(each),
            each.said,
        )
        for each in report.reactions
    ]  # fmt: skip


def retries(reaction: Reaction) -> str:
    """`2 (500ms, 1s)`, with the time from call to call; nothing if there were none."""
    spaced = ", ".join(duration_text(each, digits=2) for each in reaction.spacing)
    return f"{len(reaction.spacing)} ({spaced})" if spaced else ""


def footer(report: MatrixReport) -> list[str]:
    """Return the lines under the table: violations that the faults have brought about, and the sum of all."""
    said = [f"{each.case}: violation: {violation}" for each in report.reactions for violation in each.violations]
    return ["", *said, *([""] if said else []), report.summary()]


def document(report: MatrixReport) -> str:
    """Return the whole as JSON."""
    return lines(each.to_mapping() for each in report.reactions)


_STYLE = """\
.overview { table-layout: fixed; } .overview th { white-space: normal; }
"""

_ABREAST = 5  # operations side by side in the overview, that none runs off the page


def page(report: MatrixReport) -> str:
    """Return the whole document."""
    operations = list(dict.fromkeys(each.case.operation for each in report.reactions))
    body = [
        f"<h1>What the client does about errors</h1>\n<p><code>{escaped(shlex.join(report.words))}</code></p>",
        f"<p>{escaped(report.summary())}</p>",
        *markup.alarm("Not as accepted", report.differences or ()),
        *_overview(report, operations),
        *(line for operation in operations for line in _operation(report, operation)),
    ]
    return markup.page(f"Contract: {report.summary()}", body, _STYLE)


def _overview(report: MatrixReport, operations: Sequence[str]) -> Iterator[str]:
    found = {(each.case.operation, each.case.fault): each for each in report.reactions}
    cases = sorted((each.case for each in report.reactions), key=lambda case: case.code is None)
    faults = list(dict.fromkeys(case.fault for case in cases))
    tables = -(-len(operations) // _ABREAST)
    for index in range(tables):
        some = operations[index * len(operations) // tables : (index + 1) * len(operations) // tables]
        names = (f'<a href="#{escaped(name)}">{escaped(name)}</a>' for name in some)
        yield f'<table class="overview">\n{markup.heads("Fault", *names)}'
        for fault in faults:
            cells = (_mark(operation, found.get((operation, fault))) for operation in some)
            yield markup.row(cell(escaped(fault)), *cells)
        yield "</table>"


def _mark(operation: str, reaction: Reaction | None) -> str:
    if reaction is None:
        return cell("")
    verdict = f'<span class="{VERDICTS[reaction.verdict][1]}">{reaction.verdict}</span>'
    count = len(reaction.spacing)
    tried = f' <span class="faint">after {count} retr{"y" if count == 1 else "ies"}</span>' if count else ""
    return cell(verdict + tried, operation)


def _operation(report: MatrixReport, operation: str) -> Iterator[str]:
    yield f'<h2 id="{escaped(operation)}">{escaped(operation)}</h2>\n<table>'
    yield markup.heads("Fault", "Result", "Exit", "Calls", "Retries", "Took", "Said")
    yield from (_row(report, each) for each in report.reactions if each.case.operation == operation)
    yield "</table>"


def _row(report: MatrixReport, reaction: Reaction) -> str:
    notes = [f"violation: {each}" for each in reaction.violations]
    difference = report.difference(reaction)
    notes += [f"not as accepted: {difference}"] if difference is not None else []
    said = f"<code>{escaped(reaction.said)}</code>" if reaction.said else ""
    return markup.row(
        cell(escaped(reaction.case.fault), classes="whole"),
        cell(reaction.verdict, "Result", f"whole {VERDICTS[reaction.verdict][1]}"),
        cell(str(reaction.exit), "Exit"),
        cell(str(reaction.calls), "Calls"),
        cell(escaped(retries(reaction)), "Retries"),
        cell(duration_text(reaction.seconds, digits=2), "Took", "whole"),
        cell(said, "Said"),
        more=f'<span class="bad">{"<br>".join(map(escaped, notes))}</span>' if notes else "",
    )
