"""`cfmock errors`: the catalogue."""

from __future__ import annotations

import json
from typing import Any

import click

_NAMED = 3  # operations; more of them are counted


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all operations of each code.")
def command(as_json: bool) -> None:
    """List the error codes, and how to cause each of them.

    A fault can cause any of them on demand.

    \b
    Example:
      cfmock errors
      cfmock errors --json | jq '.[] | select(.operations | index("StartExecution")) | .code'
    """
    rows = catalogue()
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from cfmock.cli.terminal import print_table

    print_table(
        ("CODE", "STATUS", "MESSAGE", "OPERATIONS", "HOW"),
        [(row["code"], str(row["status"]), row["message"], _named(row["operations"]), row["how"]) for row in rows],
        whole=2,
    )


def catalogue() -> list[dict[str, Any]]:
    """Return a row for each code: `code`, `status`, `message` (template), `operations` that document it, `how` it comes."""
    from cfmock.protocol.spec.model import load

    spec = load()
    return [
        {
            "code": entry.code,
            "status": entry.status,
            "message": entry.message,
            "operations": spec.operations_with(entry.code),
            "how": entry.how,
        }
        for entry in spec.errors.values()
    ]


def _named(operations: list[str]) -> str:
    return ", ".join(operations) if len(operations) <= _NAMED else f"{len(operations)} operations"
