"""Flow tests, contract matrices and replays as JUnit XML, the form that CI services read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from msgspec import Struct, field
from msgspec.structs import replace

from cfmock.base.markup import legal
from cfmock.tools.contract.outcome import Reaction
from cfmock.tools.contract.report import MatrixReport, retries
from cfmock.tools.flowtest.report import TestReport, failure
from cfmock.tools.replay import report as replays

_RESULTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}
"""Elements that say why a case did not pass, and the attribute of a suite that counts them."""


class _JUnitCase(Struct, frozen=True):
    """A case of a suite. `result` is the element that says why it did not pass, with `message` and `detail`; `more` holds
    further attributes, `printed` what it printed."""

    classname: str
    name: str
    seconds: float = 0.0
    result: str | None = None
    message: str = ""
    detail: str = ""
    printed: str = ""
    more: dict[str, str] = field(default_factory=dict)


def of_tests(report: TestReport) -> str:
    """Return a run of flow tests: a suite for each file, a case for each test. Mistakes in a file are an error of it."""
    return _document(_tests(report))


def _tests(report: TestReport) -> Iterator[tuple[str, _JUnitCase]]:
    mistakes: dict[str, list[str]] = {}
    for problem in report.cases.problems:
        mistakes.setdefault(problem.mark.file, []).append(str(problem))
    for file, lines in mistakes.items():
        yield file, _JUnitCase("fixture", file, result="error", message="mistakes in the file", detail="\n".join(lines))
    for result in report.results:
        place = {"file": result.file, "line": str(result.line)}
        case = _JUnitCase(result.flow, result.name, result.seconds, more=place)
        if not result.passed:
            message = f"{', '.join(each.what for each in result.differences)} not as expected"
            case = replace(case, result="failure", message=message, detail="\n".join(failure(result)))
        yield result.file, case
    for test in report.cases.without_flow:
        place = {"file": test.mark.file, "line": str(test.mark.line)}
        yield (
            test.mark.file,
            _JUnitCase(test.flow, test.name, result="skipped", message="its flow has mistakes", more=place),
        )


def of_matrix(report: MatrixReport) -> str:
    """Return a contract matrix: a suite for each operation, a case for each fault.

    What a client does not recover from is a finding; a case fails only if it is not as accepted.
    """
    return _document(_matrix(report))


def _matrix(report: MatrixReport) -> Iterator[tuple[str, _JUnitCase]]:
    for each in report.reactions:
        operation, fault = each.case.operation, each.case.fault
        case = _JUnitCase(operation, fault, each.seconds, printed=_printed(each))
        difference = report.difference(each)
        if difference is not None:
            case = replace(case, result="failure", message=str(difference))
        elif not each.seen:
            case = replace(case, result="skipped", message="the call was not made")
        yield operation, case
    for gone in report.gone():
        operation, fault = gone.case.operation, gone.case.fault
        yield operation, _JUnitCase(operation, fault, result="failure", message=str(gone))


def _printed(reaction: Reaction) -> str:
    lines = [f"{reaction.verdict}: exit {reaction.exit}, calls {reaction.calls}"]
    lines += [f"retries: {retries(reaction)}"] if reaction.spacing else []
    lines += [f"violation: {each}" for each in reaction.violations]
    return "\n".join([*lines, reaction.said] if reaction.said else lines)


def of_replays(report: replays.ReplayReport) -> str:
    """Replays of recorded executions: a suite for each flow, a case for each execution."""
    return _document(_replays(report))


def _replays(report: replays.ReplayReport) -> Iterator[tuple[str, _JUnitCase]]:
    for found in report.comparisons:
        recording, flow, difference = found.replay.recording, found.replay.flow.name, found.difference
        case = _JUnitCase(flow, replays.title(recording), printed="\n".join(replays.evidence_lines([found])))
        if difference is not None:
            case = replace(case, result="failure", message=difference.message, detail="\n".join(replays.lines(found)))
        yield flow, case


def _document(found: Iterable[tuple[str, _JUnitCase]]) -> str:
    """Return the whole document, of cases with the names of their suites."""
    suites: dict[str, list[_JUnitCase]] = {}
    for name, case in found:
        suites.setdefault(name, []).append(case)
    root = Element("testsuites", name="cfmock")
    for name, cases in suites.items():
        counts = {word: str(sum(case.result == kind for case in cases)) for kind, word in _RESULTS.items()}
        suite = SubElement(root, "testsuite", {"name": legal(name), "tests": str(len(cases)), **counts})
        for case in cases:
            given = {"classname": case.classname, "name": case.name, **case.more, "time": f"{case.seconds:.6f}"}
            element = SubElement(suite, "testcase", {key: legal(value) for key, value in given.items()})
            if case.result is not None:
                SubElement(element, case.result, message=legal(case.message)).text = legal(case.detail) or None
            if case.printed:
                SubElement(element, "system-out").text = legal(case.printed)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"
