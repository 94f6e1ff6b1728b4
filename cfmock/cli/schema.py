"""`cfmock schema`: the formats of fixtures and of flow definitions, for editors."""

from __future__ import annotations

import click


@click.command
@click.option("--definitions", is_flag=True, help="That of flow definitions, in both languages, instead.")
def command(definitions: bool) -> None:
    """Print the JSON Schema of the fixture format, or of definitions.

    An editor that knows it completes, explains and checks such files as they are written.

    \b
    Example:
      cfmock schema > cfmock.schema.json
      cfmock schema --definitions > cloudflow.schema.json
    """
    if definitions:
        from cfmock.engine.languages.schema import schema_text
    else:
        from cfmock.fixtures.editor_schema import schema_text
    click.echo(schema_text(), nl=False)
