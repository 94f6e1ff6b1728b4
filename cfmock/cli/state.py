"""`cfmock state`: what is in a state file."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import click


@click.command
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: str, as_json: bool) -> None:
    """Show what a state file contains. A server can use it at the same time.

    \b
    Example:
      cfmock state state.db
      cfmock state state.db --json | jq '.worlds[].running'
    """
    found = contents(file)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    from cfmock.cli.terminal import print_table

    print_table(
        ("ACCOUNT", "REGION", "FLOWS", "EXECUTIONS", "RUNNING"),
        [tuple(str(world[key]) for key in ("account", "region", "flows", "executions", "running")) for world in found["worlds"]],
    )  # fmt: skip
    click.echo(f"\nschema {found['version']}, {found['bytes']} bytes")


def contents(path: str) -> dict[str, Any]:
    """`version` of the schema, `bytes`, and a row for each world. Raises SettingsError for a file that cannot be used."""
    from cfmock.service.store.state_file import StateFile
    from cfmock.service.tables import FLOWS

    worlds = []
    with contextlib.closing(StateFile(path, read_only=True)) as file:
        for world in filter(None, file.worlds()):
            account, _, region = world.rpartition("/")
            worlds.append(
                {
                    "account": account,
                    "region": region,
                    "flows": file.count(world, FLOWS),
                    "executions": file.count(world, "executions"),
                    "running": file.count(world, "recordings"),
                }
            )
        return {"version": file.version(), "bytes": file.size(), "worlds": worlds}
