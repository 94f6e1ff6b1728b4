"""`cfmock test`: the flow tests of fixtures, their coverage and their failures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from cfmock.base.errors import SettingsError
from cfmock.cli.main import FAILED, MISUSED, SUCCESS
from cfmock.cli.options import variable_option, write_file

if TYPE_CHECKING:
    from cfmock.fixtures.model import FixtureSet
    from cfmock.tools.flowtest.cases import Cases, Result
    from cfmock.tools.flowtest.report import TestReport


class TestOptions(Struct, frozen=True):
    """`paths` hold the tests, of which `wanted` texts pick some; `junit`, `json` and `html` are files to write, `coverage` files
    whose coverage counts too, `variables` those of files of deployment tools."""

    paths: tuple[str, ...]
    wanted: tuple[str, ...]
    fail_fast: bool
    jobs: int
    junit: str | None
    json: str | None
    html: str | None
    min_coverage: float | None
    coverage: tuple[str, ...]
    variables: dict[str, str]


@click.command
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "-k", "wanted", metavar="TEXT", multiple=True,
    help="Run only tests whose file, flow or name contains this text or glob. Can be repeated.",
)  # fmt: skip
@click.option("--fail-fast", is_flag=True, help="Stop after the first failure.")
@click.option("--jobs", metavar="N", type=click.IntRange(1, 64), default=1, help="Run in N processes.")
@click.option("--junit", metavar="FILE", help="Write JUnit XML.")
@click.option(
    "--json", metavar="[FILE]", is_flag=False, flag_value="-",
    help="Write results and coverage as JSON; - or no FILE writes to stdout, without the table.",
)  # fmt: skip
@click.option("--html", metavar="FILE", help="Write an HTML page that shows the coverage in a picture of each flow.")
@click.option(
    "--min-coverage", metavar="N", type=click.FloatRange(0, 100),
    help="Exit with 1 if less than N percent of all points are covered.",
)  # fmt: skip
@click.option(
    "--coverage", metavar="FILE", multiple=True,
    help="Add the coverage of another run: a file written by this command, pytest or `cfmock run`.",
)  # fmt: skip
@variable_option
@click.option("--watch", is_flag=True, help="Run again whenever a file changes.")
@click.option("--init", is_flag=True, help="Write first tests for the flows in PATH, next to it.")
@click.option("--part", hidden=True)
def command(watch: bool, init: bool, part: str | None, **given: Any) -> int:
    """Run the flow tests in fixtures and show what they cover.

    Each test runs separately, on virtual time. PATH is a fixture, a flow definition, or a folder of them.
    Exit code 1: a test failed, or the coverage is too low.
    Exit code 2: a file has mistakes (the tests of the other files ran), or there is no test.

    \b
    Example:
      cfmock test fixtures/
      cfmock test fixtures/ -k order --min-coverage 90 --junit report.xml
      cfmock test --init order_flow.fdl.yaml
    """
    options = TestOptions(**given)
    if init:
        from cfmock.cli.test_generate import write_tests

        return write_tests(options.paths, options.variables)
    if part is not None:
        from cfmock.cli.test_parallel import run_part
        from cfmock.tools.flowtest.cases import gather

        return run_part(gather(options.paths, options.wanted, variables=options.variables), part)
    if watch:
        from cfmock.cli.file_watch import watch as watching

        return watching(lambda: _run(options), options.paths)
    return _run(options)[0]


def _run(options: TestOptions) -> tuple[int, FixtureSet]:
    from cfmock.tools.flowtest.cases import gather
    from cfmock.tools.flowtest.coverage import Coverage
    from cfmock.tools.flowtest.report import TestReport

    cases = gather(options.paths, options.wanted, variables=options.variables)
    coverage = Coverage()
    coverage.count_all(cases.fixtures.flows)
    for file in options.coverage:
        try:
            coverage.add_document(json.loads(Path(file).read_bytes()))
        except (OSError, ValueError) as error:
            raise SettingsError(f"--coverage {file}: {getattr(error, 'strerror', error)}") from None
    found = _results(options, cases)
    for result in found:
        coverage.add(result.hits)
    report = TestReport(cases, found, coverage, left=len(cases.tests) - len(found))
    if options.json != "-":
        _print(report)
    _write(options, report)
    return _code(options, report), cases.fixtures


def _results(options: TestOptions, cases: Cases) -> list[Result]:
    from cfmock.tools.flowtest.cases import results

    if options.jobs > 1 and len(cases.tests) > 1:
        import asyncio

        from cfmock.cli.test_parallel import run_parts

        wanted = [word for text in options.wanted for word in ("-k", text)]
        variables = [word for name, value in options.variables.items() for word in ("--var", f"{name}={value}")]
        words = [*wanted, *variables, "--", *options.paths]
        return asyncio.run(run_parts(words, min(options.jobs, len(cases.tests)), options.fail_fast))
    found = []
    for result in results(cases.fixtures, cases.tests):
        found.append(result)
        if options.fail_fast and not result.passed:
            break
    return found


# -- what is told ------------------------------------------------------------------------------------------------------


def _print(report: TestReport) -> None:
    from cfmock.cli.terminal import print_table
    from cfmock.tools.flowtest import report as words

    for warning in report.cases.fixtures.warnings:
        click.echo(f"warning: {warning}", err=True)
    if report.results:
        rows = words.result_rows(report.results)
        print_table(words.RESULT_COLUMNS, rows, lambda row: "red" if row[0] == "FAILED" else "")
    for result in report.failed:
        click.echo()
        for line in words.failure(result):
            colour = {"    - ": "green", "    + ": "red", "FAILED": "red"}.get(line[:6])
            click.secho(line, fg=colour, bold=True if line.startswith("FAILED") else None)
    if report.coverage.total:
        click.echo()
        print_table(words.COVERAGE_COLUMNS, words.coverage_rows(report.coverage, report.results))
        missed = [line for flow in report.coverage for line in words.missed(flow)]
        if missed:
            click.echo("\nnot covered:")
            for line in missed:
                click.echo(f"  {line}")
    warnings = [f"warning: {warning}" for warning in words.warnings(report.results)]
    for lines in filter(None, (warnings, list(map(str, report.cases.problems)))):
        sys.stdout.flush()
        click.echo("\n".join(["", *lines]), err=True)
    for test in report.cases.without_flow:
        click.echo(f"{test.mark}: '{test.name}' was not run: flow '{test.flow}' has mistakes", err=True)
    click.echo(f"\n{report.summary()}")


def _write(options: TestOptions, report: TestReport) -> None:
    if options.json is not None:
        text = json.dumps(report.document(), indent=1, ensure_ascii=False) + "\n"
        if options.json == "-":
            click.echo(text, nl=False)
        else:
            write_file("--json", options.json, text)
    if options.junit is not None:
        from cfmock.tools import junit

        write_file("--junit", options.junit, junit.of_tests(report))
    if options.html is not None:
        from cfmock.tools.flowtest.page import page

        write_file("--html", options.html, page(report))


def _code(options: TestOptions, report: TestReport) -> int:
    if report.cases.problems:
        return MISUSED
    if not report.results and not report.left:
        click.echo(_no_test(options), err=True)
        return MISUSED
    code = FAILED if report.failed else SUCCESS
    wanted = options.min_coverage
    if wanted is not None and not report.coverage.at_least(wanted):
        click.echo(f"coverage {report.coverage.percent} % is less than the {wanted:g} % asked for", err=True)
        code = FAILED
    return code


def _no_test(options: TestOptions) -> str:
    from cfmock.cli.test_generate import tests_beside

    files, wanted = ", ".join(options.paths), options.wanted
    if wanted:
        return f"no test in {files} has {' or '.join(map(repr, wanted))} in its file, flow or name"
    beside = tests_beside(options.paths, options.variables)
    return f"no test in {files}; {beside or '`cfmock test --init PATH` writes the first for a flow'}"
