"""`cfmock call`: one signed call to a running server."""

from __future__ import annotations

import json
import os

import click


@click.command("call", help="Make a signed call to a running server and print its answer as JSON.")
@click.argument("operation")
@click.argument("parameters", nargs=-1, metavar="[Key=Value]...")
@click.option("--url", metavar="URL", help="the server [CFMOCK_URL; default: http://127.0.0.1:8790]")
@click.option("--ca-file", metavar="FILE", help="a CA to trust, for a server with TLS [CFMOCK_CA_FILE]")
def command(operation: str, parameters: tuple[str, ...], url: str | None, ca_file: str | None) -> int:
    from cfmock import client
    from cfmock.errors import SettingsError

    client.check_operation(operation)
    given = {}
    for each in parameters:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise SettingsError(f"'{each}' is not of the form Key=Value, as in FlowName=order_flow")
        given[name] = value
    request = client.signed_request(
        operation,
        given,
        access_key_id=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID") or "cfmock",
        access_key_secret=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET") or "cfmock-secret",
        security_token=os.environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None,
    )
    status, answer = client.send(
        url or os.environ.get("CFMOCK_URL") or "http://127.0.0.1:8790",
        request,
        ca_file or os.environ.get("CFMOCK_CA_FILE") or None,
    )
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    return 1 if status >= 400 else 0


command.epilog = "Example: cfmock call StartExecution FlowName=order_flow Input='{\"amount\": 10}'"
