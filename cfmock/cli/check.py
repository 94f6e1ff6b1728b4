"""`cfmock check`: what is wrong with fixtures and definitions, before they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cfmock.engine.lint import Finding
    from cfmock.fixtures.model import FlowFixture


@click.command
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def command(paths: tuple[str, ...]) -> None:
    """Validate fixtures and flow definitions without serving.

    PATH is a fixture, a flow definition, or a folder of them. Every mistake of every file is listed with its line; then
    the exit code is 2. What is allowed and probably not meant, such as a state that cannot be reached, is a warning, which
    a comment on its line or the line above takes back: `# cfmock: ignore[CF101]`.

    \b
    Example:
      cfmock check fixtures/
    """
    from cfmock.fixtures.loader import load

    found = load(paths)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    for flow in found.flows:
        for finding in findings(flow):
            click.echo(f"{finding.severity.value}: {finding}", err=True)
    counts = (
        ("flow", len(found.flows)),
        ("credential", len(found.credentials)),
        ("schedule", len(found.schedules)),
        ("fault", len(found.faults)),
        ("test", len(found.tests)),
    )
    said = [f"{count} {what}{'s' * (count != 1)}" for what, count in counts if count]
    click.echo(f"ok: {', '.join(said) or 'nothing there'}")


def findings(flow: FlowFixture) -> list[Finding]:
    """What is odd about a flow of a fixture, its mocks considered."""
    from cfmock.engine.lint import lint
    from cfmock.engine.mocks import TaskMocks
    from cfmock.fixtures.sources import read_text

    return lint(flow.flow, mocked=TaskMocks(flow.tasks).covers, source=read_text(flow.flow.mark.file))
