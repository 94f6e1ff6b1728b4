"""`cfmock call`: one signed call to a running server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from cfmock.base.errors import SettingsError
from cfmock.cli.options import admin_token, server_options

if TYPE_CHECKING:
    from cfmock.protocol.wire.messages import Request


@click.command(
    "call",
    help="Make a signed call to a running server and print the answer as JSON. OPERATION can also be an endpoint of the admin "
    "API: list_executions, show_flow, start_execution and others; see docs/admin.md.",
    epilog="Example: cfmock call StartExecution FlowName=order_flow Input='{\"amount\": 10}'",
)
@click.argument("operation")
@click.argument("parameters", nargs=-1, metavar="[Key=Value]...")
@server_options
@click.option(
    "--explain", is_flag=True, help="Explain on stderr how the server understood the call, and why it was refused."
)
def command(operation: str, parameters: tuple[str, ...], url: str, ca_file: str | None, explain: bool) -> int:
    from cfmock.api import client

    endpoint = client.endpoint(operation)
    if endpoint is None:
        client.check_operation(operation, client.names())
    given = {}
    for each in parameters:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise SettingsError(f"'{each}' is not of the form Key=Value, as in FlowName=order_flow")
        if name in given:
            raise SettingsError(f"{name} is given twice")
        given[name] = value
    if endpoint is not None:
        return _steer(url, client.admin_request(endpoint, given, admin_token()), ca_file)
    request = client.signed_request(
        operation,
        given,
        access_key_id=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID") or "cfmock",
        access_key_secret=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET") or "cfmock-secret",
        security_token=os.environ.get("ALIBABA_CLOUD_SECURITY_TOKEN") or None,
    )
    status, answer = client.send(url, request, ca_file)
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    if explain:
        from cfmock.base.short_text import printable

        told, call = client.ask(url, f"calls/{answer.get('RequestId')}", ca_file, admin_token())
        lines = explained(call, request) if told == 200 else [f"the server does not explain it: {call.get('error')}"]
        click.echo("\n".join(map(printable, lines)), err=True)
    return 1 if status >= 400 else 0


def _steer(url: str, request: Request, ca_file: str | None) -> int:
    """Ask the admin API, and print its answer as it comes: JSON in lines of its own, all else as it is."""
    from cfmock.api import client

    timeout = None if "/changes" in request.target else client.TIMEOUT
    with client.opened(url, request, ca_file, timeout=timeout) as answer:
        if answer.headers.get_content_type() == "application/json":
            fields = client.fields_of(answer.status, answer.read())
            click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
        else:
            for line in answer:
                click.echo(line.decode(), nl=False)
        return 1 if answer.status >= 400 else 0


def explained(call: dict[str, Any], request: Request) -> Iterator[str]:
    """Describe a call by its journal record, in lines. `request` is the call as we sent it."""
    from cfmock.base.time_text import duration_text
    from cfmock.emulator.hints import one_line

    took = duration_text(call["duration"], digits=3)
    took += f" and a delay of {duration_text(call['delay'], digits=3)}" if call["delay"] else ""
    yield f"{call['operation']} was answered {call['status']} {call['code'] or ''}".rstrip() + f" in {took}"
    for rule in call["faults"]:
        yield f"affected by the fault rule {rule}"
    for violation in call["violations"]:
        yield f"violation: {violation}"
    for warning in call["warnings"]:
        yield f"warning: {warning}"
    # Near misses that a single thing kept from matching; of other operations there are none.
    single = [(miss, miss["differences"][0]) for miss in call["near_misses"] if len(miss["differences"]) == 1]
    near = [
        f"{miss['kind']} {miss['name']} nearly matched: {first['message']}"
        for miss, first in single
        if first["path"] != "when.operation"
    ]
    yield from near
    if call["signature"] is not None:
        yield from _signature(call["signature"], request)
    if call["hint"] and call["hint"] not in map(one_line, near):
        yield call["hint"]


def _signature(server: dict[str, str], request: Request) -> Iterator[str]:
    from cfmock.protocol.auth.diagnosis import by_fault

    ours = by_fault(request).string_to_sign
    yield f"the server's string to sign: {server['string_to_sign']}"
    yield "ours is the same" if ours == server["string_to_sign"] else f"ours:                        {ours}"
