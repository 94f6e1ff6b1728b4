"""`cfmock check`: what is wrong with fixtures and definitions, before they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cfmock.cli.main import MISUSED, SUCCESS
from cfmock.cli.options import format_options, variable_option

if TYPE_CHECKING:
    from cfmock.fixtures.model import FixtureSet
    from cfmock.tools.checks.report import Selection


@click.command
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--select", metavar="CODE,...", multiple=True, help="Show only warnings with these codes or prefixes (CF1)."
)
@click.option(
    "--ignore",
    metavar="CODE,...",
    multiple=True,
    help="Hide warnings with these codes or prefixes; the longer one decides.",
)
@format_options(
    ("text", "json", "sarif", "github"),
    "Format of the report; all but text go to stdout. github: workflow commands that annotate a change.",
)
@variable_option
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
def command(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    form: str,
    variables: dict[str, str],
    watch: bool,
) -> int:
    """Find mistakes in fixtures and flow definitions.

    PATH is a fixture, a flow definition, a ROS, Funcraft, Serverless Devs or Terraform file with flows, or a folder of
    them. All mistakes of all files are listed with their lines; the exit code is then 2. What is valid but probably not
    intended, for example an unreachable state, is a warning with a code. A comment on its line or on the line above
    switches it off: `# cfmock: ignore CF101`.

    \b
    Example:
      cfmock check fixtures/
      cfmock check fixtures/ --ignore CF106 --format sarif > cfmock.sarif
    """
    from cfmock.tools.checks.report import Selection

    selection = Selection.of(select, ignore)
    if watch:
        from cfmock.cli.file_watch import watch as watching

        return watching(lambda: _check(paths, selection, form, variables), paths)
    return _check(paths, selection, form, variables)[0]


def _check(
    paths: tuple[str, ...], selection: Selection, form: str, variables: dict[str, str]
) -> tuple[int, FixtureSet]:
    from cfmock.tools.checks.formats import FORMATS
    from cfmock.tools.checks.report import check

    report = check(paths, selection, variables)
    if form == "text":
        for warning in report.fixtures.warnings:
            click.echo(f"warning: {warning}", err=True)
        for issue in report.issues:
            click.echo(issue.text if issue.level == "error" else f"{issue.level}: {issue.text}", err=True)
        if not report.mistaken:
            counts = report.counts().items()
            said = [f"{count} {kind if count != 1 else kind.removesuffix('s')}" for kind, count in counts if count]
            click.echo(f"ok: {', '.join(said) or 'nothing there'}")
    else:
        click.echo(FORMATS[form](report), nl=False)
    return MISUSED if report.mistaken else SUCCESS, report.fixtures
