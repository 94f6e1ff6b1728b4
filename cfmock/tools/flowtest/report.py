"""Report on a run of tests, as text for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.source_marks import Mark
from cfmock.base.time_text import duration_text
from cfmock.tools.flowtest.cases import Cases, Result
from cfmock.tools.flowtest.coverage import Coverage, FlowCoverage, Spot


class TestReport(Struct, frozen=True):
    """A whole run: its results in the order of the tests, the coverage, and what was not run.

    `left` is how many tests were not run because one before them had failed.
    """

    cases: Cases
    results: Sequence[Result]
    coverage: Coverage
    left: int = 0

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.passed]

    def summary(self) -> str:
        """`5 passed, 1 failed; coverage 93 % (42 of 45 points)`."""
        mistaken = len({problem.mark.file for problem in self.cases.problems})
        counts = (
            (len(self.results) - len(self.failed), "passed"),
            (len(self.failed), "failed"),
            (self.left + len(self.cases.without_flow), "not run"),
            (mistaken, f"file{'s' * (mistaken != 1)} with mistakes"),
        )
        said = [f"{count} {word}" for count, word in counts if count]
        covered = f"coverage {self.coverage.percent} % ({self.coverage.reached} of {self.coverage.total} points)"
        return "; ".join([", ".join(said) or "no test", *([covered] if self.coverage.total else [])])

    def document(self) -> Json:
        """Return it in the form of `--json`."""
        return {
            "tests": [result.document() for result in self.results],
            "coverage": self.coverage.document(),
            "problems": [str(problem) for problem in self.cases.problems],
            "not_run": [
                {"name": test.name, "flow": test.flow, "file": test.mark.file, "line": test.mark.line}
                for test in self.cases.without_flow
            ],
            "summary": {
                "passed": len(self.results) - len(self.failed),
                "failed": len(self.failed),
                "left": self.left,
                "percent": self.coverage.percent,
                "points": self.coverage.total,
                "reached": self.coverage.reached,
            },
        }


RESULT_COLUMNS = ("RESULT", "FLOW", "TEST", "ENDS", "TIME")


def result_rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Return a row for each test; times are virtual."""
    return [
        ("ok" if result.passed else "FAILED", result.flow, result.name, result.status, duration_text(result.duration))
        for result in results
    ]


COVERAGE_COLUMNS = ("FLOW", "TESTS", "POINTS", "COVERED", "")


def coverage_rows(coverage: Coverage, results: Sequence[Result]) -> list[tuple[str, ...]]:
    """Return a row for each flow."""
    tests = Counter(result.flow for result in results)
    return [
        (flow.name, str(tests[flow.name]), f"{flow.reached} of {flow.total}", f"{flow.percent} %", bar(flow.percent))
        for flow in coverage
    ]


def bar(percent: int, width: int = 20) -> str:
    """Return a share of 100 as a line of text."""
    full = percent * width // 100
    return "#" * full + "." * (width - full)


def failure(result: Result) -> list[str]:
    """Return a failed test in lines: where it stands, what differs, the way taken, and where that left the expectation."""
    lines = [f"FAILED {result.flow}: {result.name} ({result.mark})"]
    lines += [f"    {line}" for difference in result.differences for line in difference.lines]
    first, *further = result.path or ("nowhere",)
    lines += ["", f"  path: {first}", *(f"        {line}" for line in further), f"  they part at {result.parting}"]
    return [*lines, *(f"  warning: {warning}" for warning in (*result.warnings, *result.unused))]


def warnings(results: Sequence[Result]) -> list[str]:
    """Return the warnings of tests that passed, each once, at the first test that has it."""
    found: dict[str, list[Mark]] = {}
    for result in results:
        for text in (*result.warnings, *result.unused) if result.passed else ():
            found.setdefault(text, []).append(result.mark)
    return [f"{first}: {text}{_more(len(further))}" for text, (first, *further) in found.items()]


def _more(tests: int) -> str:
    return f" (and in {tests} more test{'s' * (tests > 1)})" if tests else ""


def missed(flow: FlowCoverage) -> list[str]:
    """List the points of a flow that are not covered, a line each; a flow without any covered in one line."""
    if flow.spots and not flow.reached:
        start = flow.flow.mark if flow.flow is not None else next(iter(flow.spots.values())).mark
        return [f"{start}: {flow.name}: nothing of it"]
    return [f"{spot.mark}: {flow.name}: {named(spot)}" for spot in flow.missed]


def named(spot: Spot) -> str:
    """`state 'Charge'`, `choice 'Pick: default'`, `'Charge: catch PaymentRefused'`."""
    return f"{spot.kind} '{spot.label}'" if spot.kind in ("state", "choice") else f"'{spot.label}'"
