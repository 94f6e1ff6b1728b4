"""`cfmock replay`: recorded executions of the service against a definition."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cfmock.base.errors import SettingsError
from cfmock.cli.main import FAILED, SUCCESS
from cfmock.cli.options import format_options, variable_option, write_file

if TYPE_CHECKING:
    from cfmock.fixtures.history.recording import RecordedExecution
    from cfmock.fixtures.model import FixtureSet, FlowFixture
    from cfmock.tools.replay.report import ReplayReport


@click.command
@click.argument("histories", metavar="HISTORY...", nargs=-1, required=True)
@click.option(
    "--flow", "path", metavar="DEFINITION", required=True,
    help="The flow that was executed: a flow definition, a fixture, or a file of a deployment tool.",
)  # fmt: skip
@click.option(
    "--write-test", metavar="FILE", help="Write the executions as flow tests, with the recorded task results as mocks."
)
@click.option(
    "--keep", metavar="FIELD", multiple=True,
    help="With --write-test: do not mask this field, although it looks like a secret.",
)  # fmt: skip
@variable_option
@format_options(("table", "json", "junit"))
def command(
    histories: tuple[str, ...],
    path: str,
    write_test: str | None,
    keep: tuple[str, ...],
    variables: dict[str, str],
    form: str,
) -> int:
    """Compare recorded executions of the service with a definition.

    HISTORY is the answer of GetExecutionHistory, as an SDK or the CLI prints it: one or more pages, of one or more
    executions. The answer of DescribeExecution can be one more HISTORY. The definition runs with the same input and the
    same task results, on virtual time. The first event that differs is shown from both sides.
    Exit code 1: something differs. Exit code 2: a history is incomplete, or not of this flow.

    \b
    Example:
      cfmock replay run1.json --flow orders.fdl.yaml
      cfmock replay run1.json --flow orders.fdl.yaml --write-test orders.cfmock.yaml
    """
    from cfmock.fixtures.history.reader import read_histories
    from cfmock.fixtures.loader import load
    from cfmock.tools.replay.compare import compare
    from cfmock.tools.replay.report import ReplayReport
    from cfmock.tools.replay.run import flow_for, replay

    fixtures = load([path], variables=variables)
    pairs = [(each, flow_for(each, fixtures.flows, path)) for each in read_histories(histories)]
    report = ReplayReport([compare(replay(recording, flow)) for recording, flow in pairs])
    _print(report, form)
    if write_test is not None:
        _write(fixtures, pairs, Path(path), Path(write_test), keep)
    return SUCCESS if report.agrees else FAILED


def _print(report: ReplayReport, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(report.document(), indent=1, ensure_ascii=False))
    elif form == "junit":
        from cfmock.tools import junit

        click.echo(junit.of_replays(report), nl=False)
    else:
        _print_lines(report)


def _print_lines(report: ReplayReport) -> None:
    from cfmock.tools.replay.report import FIDELITY, evidence_lines, lines

    for found in report.comparisons:
        for line in lines(found):
            colour = {"    - ": "green", "    + ": "red", "DIFFER": "red"}.get(line[:6])
            click.secho(line, fg=colour, bold=True if line.startswith("DIFFERS") else None)
    evidence = list(evidence_lines(report.comparisons))
    if evidence:
        click.echo("\n" + "\n".join(evidence))
    if report.confirmed:
        click.echo(f"\nconfirmed choices of {FIDELITY}: {', '.join(report.confirmed)}")
    click.echo(f"\n{report.summary()}")


def _write(
    fixtures: FixtureSet,
    pairs: Sequence[tuple[RecordedExecution, FlowFixture]],
    path: Path,
    target: Path,
    keep: Sequence[str],
) -> None:
    from cfmock.fixtures.sources import SourceKind, find, kind_of, read
    from cfmock.tools.replay.flow_test import written_tests

    if target.exists():
        raise SettingsError(f"--write-test: {target} already exists: rename or remove it")
    bare = path.is_file() and kind_of(read(next(find(path))).value) is SourceKind.DEFINITION
    text, masked = written_tests(fixtures, pairs, keep=keep, definition=path if bare else None, target=target)
    write_file("--write-test", str(target), text)
    for field in filter(None, masked):
        click.echo(f"masked: {field} (--keep {field} leaves it as it is)", err=True)
    click.echo(
        f"run {'it' if len(pairs) == 1 else 'them'}: cfmock test {target if bare else f'{path} {target}'}", err=True
    )
