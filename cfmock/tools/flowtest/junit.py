"""A run of tests as JUnit XML, the form that CI services read: a suite for each file, a case for each test."""

from __future__ import annotations

from collections.abc import Iterator

from cfmock.base import markup
from cfmock.base.markup import escaped, quoted
from cfmock.tools.flowtest.report import TestReport, failure


def junit(report: TestReport) -> str:
    """The whole document."""
    broken: dict[str, list[str]] = {problem.mark.file: [] for problem in report.cases.problems}
    for problem in report.cases.problems:
        broken[problem.mark.file].append(str(problem))
    suites = {file: [_error(file, "\n".join(lines))] for file, lines in broken.items()}
    failures: dict[str, int] = {}
    for result in report.results:
        suites.setdefault(result.file, []).append(
            f"<testcase classname={quoted(result.flow)} name={quoted(result.name)} file={quoted(result.file)} "
            f'line="{result.line}" time="{result.seconds:.6f}">'
            + ("" if result.passed else _failure([line.what for line in result.differences], failure(result)))
            + "</testcase>"
        )
        failures[result.file] = failures.get(result.file, 0) + (not result.passed)
    for test in report.cases.without_flow:
        suites.setdefault(test.mark.file, []).append(
            f"<testcase classname={quoted(test.flow)} name={quoted(test.name)} file={quoted(test.mark.file)} "
            f'line="{test.mark.line}"><skipped message="its flow has mistakes"/></testcase>'
        )
    return markup.junit(_suites(suites, failures, set(broken)))


def _suites(suites: dict[str, list[str]], failures: dict[str, int], broken: set[str]) -> Iterator[str]:
    for file, cases in suites.items():
        yield (
            f'<testsuite name={quoted(file)} tests="{len(cases)}" failures="{failures.get(file, 0)}" '
            f'errors="{int(file in broken)}">'
        )
        yield from cases
        yield "</testsuite>"


def _failure(what: list[str], lines: list[str]) -> str:
    message = f"{', '.join(what)} not as expected"
    return f"<failure message={quoted(message)}>{escaped(chr(10).join(lines))}</failure>"


def _error(file: str, text: str) -> str:
    return (
        f'<testcase classname="fixture" name={quoted(file)}><error message="mistakes in the file">'
        f"{escaped(text)}</error></testcase>"
    )
