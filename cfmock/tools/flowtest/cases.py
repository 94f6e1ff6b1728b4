"""The tests of fixture files: which there are, which are asked for, and how each went, as plain values."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike

from msgspec import Struct, to_builtins

from cfmock.base.json_text import Json
from cfmock.base.problems import Problem
from cfmock.base.source_marks import Mark
from cfmock.fixtures.loader import load_sound
from cfmock.fixtures.model import FixtureSet, FlowTest
from cfmock.tools.flowtest.compare import ExpectationDifference, judge
from cfmock.tools.flowtest.run import FlowTestRunner, Hits, path, told


class Cases(Struct, frozen=True):
    """The tests to run, and why others are not run: `problems` are the mistakes in files, whose tests are left out, and
    `without_flow` those of flows that have mistakes.
    """

    fixtures: FixtureSet
    tests: tuple[FlowTest, ...]
    without_flow: tuple[FlowTest, ...]
    problems: Sequence[Problem]


def gather(
    paths: Sequence[str | PathLike[str]], wanted: Sequence[str] = (), *, variables: Mapping[str, str] | None = None
) -> Cases:
    """Load the tests in these files and folders that one of `wanted` picks; none: all."""
    fixtures, problems = load_sound(paths, variables=variables)
    flows = {flow.name for flow in fixtures.flows}
    chosen = [test for test in fixtures.tests if picks(wanted, test)]
    return Cases(
        fixtures,
        tuple(test for test in chosen if test.flow in flows),
        tuple(test for test in chosen if test.flow not in flows),
        problems,
    )


def picks(wanted: Sequence[str], test: FlowTest) -> bool:
    """Return whether one of the texts, or globs, is in the test's name, flow or file, in capitals or not."""
    full = f"{test.mark.file}: {test.flow}: {test.name}".casefold()
    return not wanted or any(fnmatch.fnmatchcase(full, f"*{each.casefold()}*") for each in wanted)


class Result(Struct, frozen=True):
    """The result of a test, as plain data.

    `duration` is in virtual seconds, `seconds` the real time it took. `path` and `parting`, the first event that shows
    a difference, are told of failures only. `unused` tells of mocks of its own that answered nothing. `hits` are points
    passed, by flow and id.
    """

    name: str
    flow: str
    file: str
    line: int
    column: int
    status: str
    error: Mapping[str, str] | None
    duration: float
    visits: tuple[str, ...]
    differences: tuple[ExpectationDifference, ...]
    path: tuple[str, ...]
    parting: str
    warnings: tuple[str, ...]
    unused: tuple[str, ...]
    seconds: float
    hits: Hits

    @property
    def passed(self) -> bool:
        return not self.differences

    @property
    def mark(self) -> Mark:
        return Mark(self.file, self.line, self.column)

    def document(self) -> Json:
        """Return it in the form of `--json`, which can be converted back."""
        found: dict[str, Json] = to_builtins(self)
        for difference in found["differences"]:
            del difference["event"]
        return {"outcome": "passed" if self.passed else "failed", **found}


def results(fixtures: FixtureSet, tests: Iterable[FlowTest]) -> Iterator[Result]:
    """Run the tests, one after the other."""
    lab = FlowTestRunner(fixtures)
    for test in tests:
        yield result(lab, test)


def result(lab: FlowTestRunner, test: FlowTest) -> Result:
    """Run one test."""
    ran = lab.run(test)
    found = judge(test.expect, ran)
    first = min((difference.event for difference in found), default=None)
    return Result(
        name=test.name,
        flow=test.flow,
        file=test.mark.file,
        line=test.mark.line,
        column=test.mark.column,
        status=ran.status,
        error=ran.error,
        duration=ran.duration,
        visits=tuple(name for name, _ in ran.visits),
        differences=tuple(found),
        path=tuple(path(ran)) if found else (),
        parting=told(ran.events[first - 1], ran.started) if first is not None else "",
        warnings=ran.warnings,
        unused=ran.unused,
        seconds=ran.seconds,
        hits=ran.hits,
    )
