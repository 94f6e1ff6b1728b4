"""`cfmock check`: what is wrong with fixtures and definitions, before they are served."""

from __future__ import annotations

import click


@click.command
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def command(paths: tuple[str, ...]) -> None:
    """Validate fixtures and flow definitions without serving.

    PATH is a fixture, a flow definition, or a folder of them. Every mistake of every file is listed with its line; then
    the exit code is 2.

    \b
    Example:
      cfmock check fixtures/
    """
    from cfmock.fixtures.loader import load

    found = load(paths)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    counts = (
        ("flow", len(found.flows)),
        ("credential", len(found.credentials)),
        ("schedule", len(found.schedules)),
        ("fault", len(found.faults)),
        ("test", len(found.tests)),
    )
    said = [f"{count} {what}{'s' * (count != 1)}" for what, count in counts if count]
    click.echo(f"ok: {', '.join(said) or 'nothing there'}")
