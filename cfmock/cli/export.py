"""`cfmock export`: a running server's world as a fixture file."""

from __future__ import annotations

from urllib.parse import urlencode

import click

from cfmock.base.errors import SettingsError
from cfmock.cli.options import admin_token, server_options, writing


@click.command
@click.argument("file", metavar="[FILE]", required=False)
@server_options
@click.option("--executions", is_flag=True, help="Include the executions that have ended.")
@click.option("--account", metavar="ID", help="The account; default: that of keys without one.")
@click.option("--region", metavar="REGION", help="The region; default: that of calls that do not name one.")
def command(
    file: str | None, url: str, ca_file: str | None, executions: bool, account: str | None, region: str | None
) -> None:
    """Write the state of a running server as a fixture file.

    The file has the flows with versions and aliases, schedules, outcomes, mocks, faults and settings. Loading it restores
    this state. Credentials and Python functions are left out. A server with an admin token needs CFMOCK_ADMIN_TOKEN.
    FILE is JSON if its name ends in .json, else YAML. Without FILE, it is written to stdout.

    \b
    Example:
      cfmock export fixtures/orders.yaml
      cfmock export --url http://127.0.0.1:8790 --executions > orders.yaml
    """
    from cfmock.api import client
    from cfmock.fixtures.text import fixture_text, write_fixture

    wanted = {"account": account, "region": region, "executions": "true" if executions else None}
    query = urlencode({key: value for key, value in wanted.items() if value is not None})
    status, document = client.ask(url, "fixture" + (f"?{query}" if query else ""), ca_file, admin_token())
    if status != 200:
        raise SettingsError(f"{url}: {document.get('error', document)}")
    if file is None:
        click.echo(fixture_text(document), nl=False)
        return
    with writing(file):
        write_fixture(file, document)
