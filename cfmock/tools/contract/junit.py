"""The matrix as JUnit XML: a suite for each operation, a case for each fault.

What a client does not recover from is a finding; a case fails only if it is not as accepted.
"""

from __future__ import annotations

from collections.abc import Iterator

from cfmock.base import markup
from cfmock.base.markup import escaped, quoted
from cfmock.tools.contract.baseline import MatrixDifference
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.report import MatrixReport, retries


def junit(report: MatrixReport) -> str:
    """The whole document."""
    return markup.junit(_suites(report))


def _suites(report: MatrixReport) -> Iterator[str]:
    cases: dict[str, list[str]] = {}
    for each in report.reactions:
        cases.setdefault(each.case.operation, []).append(_case(each, report.difference(each)))
    for gone in report.gone():
        cases.setdefault(gone.case.operation, []).append(_gone(gone))
    for operation, found in cases.items():
        failures = sum(each.case.operation == operation for each in report.differences or ())
        skipped = sum("<skipped" in each for each in found)
        yield (
            f'<testsuite name={quoted(operation)} tests="{len(found)}" failures="{failures}" errors="0" skipped="{skipped}">'
        )
        yield from found
        yield "</testsuite>"


def _case(reaction: Reaction, difference: MatrixDifference | None) -> str:
    said = [f"{reaction.verdict}: exit {reaction.exit}, calls {reaction.calls}"]
    said += [f"retries: {retries(reaction)}"] if reaction.spacing else []
    said += [f"violation: {each}" for each in reaction.violations]
    said += [reaction.said] if reaction.said else []
    result = _failure(difference)
    if difference is None and not reaction.seen:
        result = '<skipped message="the call was not made"/>'
    lines = escaped("\n".join(said))
    return (
        f"<testcase classname={quoted(reaction.case.operation)} name={quoted(reaction.case.fault)} "
        f'time="{reaction.seconds:.3f}">{result}<system-out>{lines}</system-out></testcase>'
    )


def _gone(difference: MatrixDifference) -> str:
    case = difference.case
    return (
        f'<testcase classname={quoted(case.operation)} name={quoted(case.fault)} time="0">'
        f"{_failure(difference)}</testcase>"
    )


def _failure(difference: MatrixDifference | None) -> str:
    return "" if difference is None else f"<failure message={quoted(str(difference))}/>"
