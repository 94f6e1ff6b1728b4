"""Report on a client's run through its cases, as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from cfmock.base.time_text import duration_text
from cfmock.tools.contract.baseline import MatrixDifference, lines
from cfmock.tools.contract.outcome import Reaction

VERDICTS = ("recovered", "failed", "timed out", "not met")

STYLES = {"recovered": "green", "failed": "yellow", "timed out": "red", "not met": "dim"}
"""Styles of results on a terminal."""

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
