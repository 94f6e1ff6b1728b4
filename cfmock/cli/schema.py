"""`cfmock schema`: the formats of fixtures and of flow definitions, for editors."""

from __future__ import annotations

import click


@click.command
@click.option("--definitions", is_flag=True, help="Print the schema of flow definitions, in both languages.")
def command(definitions: bool) -> None:
    """Print the JSON Schema of fixtures, or of definitions.

    With it, an editor completes, explains and checks these files while you type.

    \b
    Example:
      cfmock schema > cfmock.schema.json
      cfmock schema --definitions > cloudflow.schema.json
    """
    if definitions:
        from cfmock.engine.languages import definition_schema as schema_text
    else:
        from cfmock.fixtures.editor_schema import schema_text
    click.echo(schema_text(), nl=False)
