"""`cfmock export`: a running server's world as a fixture file."""

from __future__ import annotations

import os
from urllib.parse import urlencode

import click

from cfmock.base.errors import SettingsError


@click.command
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--url", metavar="URL", help="The server. [CFMOCK_URL; default: http://127.0.0.1:8790]")
@click.option("--executions", is_flag=True, help="Include the executions that have ended.")
@click.option("--account", metavar="ID", help="The account; default: that of keys without one.")
@click.option("--region", metavar="REGION", help="The region; default: that of calls that do not name one.")
@click.option("--ca-file", metavar="FILE", help="A CA to trust, for a server with TLS. [CFMOCK_CA_FILE]")
def command(
    file: str | None, url: str | None, executions: bool, account: str | None, region: str | None, ca_file: str | None
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
    url = url or os.environ.get("CFMOCK_URL") or "http://127.0.0.1:8790"
    url = url if "://" in url else f"http://{url}"  # the form of CFMOCK_ENDPOINT
    ca_file, token = ca_file or os.environ.get("CFMOCK_CA_FILE"), os.environ.get("CFMOCK_ADMIN_TOKEN")
    status, document = client.ask(url, "fixture" + (f"?{query}" if query else ""), ca_file or None, token or None)
    if status != 200:
        raise SettingsError(f"{url}: {document.get('error', document)}")
    if file is None:
        click.echo(fixture_text(document), nl=False)
        return
    try:
        write_fixture(file, document)
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from None
