"""`cfmock schema`: the fixture format, for editors."""

from __future__ import annotations

import click


@click.command
def command() -> None:
    """Print the JSON Schema of the fixture format.

    An editor that knows it completes, explains and checks fixtures as they are written.

    \b
    Example:
      cfmock schema > cfmock.schema.json
    """
    from cfmock.fixtures.schema import schema_text

    click.echo(schema_text(), nl=False)
