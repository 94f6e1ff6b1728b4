"""A run of tests as JUnit XML, the form that CI services read: a suite for each file, a case for each test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from cfmock.flowtest.report import Report, failure

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """The whole document."""
    broken: dict[str, list[str]] = {problem.mark.file: [] for problem in report.cases.problems}
    for problem in report.cases.problems:
        broken[problem.mark.file].append(str(problem))
    suites = {file: [_error(file, "\n".join(lines))] for file, lines in broken.items()}
    failures: dict[str, int] = {}
    for result in report.results:
        suites.setdefault(result.file, []).append(
            f"<testcase classname={_quoted(result.flow)} name={_quoted(result.name)} file={_quoted(result.file)} "
            f'line="{result.line}" time="{result.seconds:.6f}">'
            + ("" if result.passed else _failure([line.what for line in result.differences], failure(result)))
            + "</testcase>"
        )
        failures[result.file] = failures.get(result.file, 0) + (not result.passed)
    for test in report.cases.without_flow:
        suites.setdefault(test.mark.file, []).append(
            f"<testcase classname={_quoted(test.flow)} name={_quoted(test.name)} file={_quoted(test.mark.file)} "
            f'line="{test.mark.line}"><skipped message="its flow has mistakes"/></testcase>'
        )
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            '<testsuites name="cfmock">',
            *_suites(suites, failures, set(broken)),
            "</testsuites>\n",
        ]
    )


def _suites(suites: dict[str, list[str]], failures: dict[str, int], broken: set[str]) -> Iterator[str]:
    for file, cases in suites.items():
        yield (
            f'<testsuite name={_quoted(file)} tests="{len(cases)}" failures="{failures.get(file, 0)}" '
            f'errors="{int(file in broken)}">'
        )
        yield from cases
        yield "</testsuite>"


def _failure(what: list[str], lines: list[str]) -> str:
    message = f"{', '.join(what)} not as expected"
    return f"<failure message={_quoted(message)}>{_escaped(chr(10).join(lines))}</failure>"


def _error(file: str, text: str) -> str:
    return (
        f'<testcase classname="fixture" name={_quoted(file)}><error message="mistakes in the file">'
        f"{_escaped(text)}</error></testcase>"
    )


def _quoted(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))


def _escaped(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))
