"""An emulator and calls to it, without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cfmock.api.client import signed_request
from cfmock.base.errors import ServiceError
from cfmock.emulator.emulator import Emulator
from cfmock.fixtures.loader import load
from cfmock.fixtures.seeding import build
from cfmock.protocol.wire.messages import Pending, Reply, Request
from cfmock.settings import resolve

NOW = 1_717_200_000.0
"""2024-06-01T00:00:00Z: where virtual clocks of tests start."""

PASS = """\
Type: StateMachine
SpecVersion: v1
Name: echo
StartAt: Take
States:
  - Type: Pass
    Name: Take
    End: true
"""


class Service:
    """An emulator with hands: `service("StartExecution", FlowName="f")` is a signed call and gives the answer's fields."""

    def __init__(self, emulator: Emulator, key: int = 0) -> None:
        """`key` is the place of the credential that calls are signed with."""
        self.emulator = emulator
        self.credential = emulator.credentials[key]

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Raises ServiceError for an error answer, AssertionError for one that is still to come."""
        reply = self.send(operation, **parameters)
        assert isinstance(reply, Reply), f"{operation} has no answer yet"
        return answer(reply)

    def send(self, operation: str, **parameters: Any) -> Reply | Pending:
        return self.emulator.handle(self.request(operation, **parameters))

    def request(self, operation: str, **parameters: Any) -> Request:
        credential = self.credential
        return signed_request(
            operation, parameters,
            access_key_id=credential.access_key_id, access_key_secret=credential.access_key_secret,
        )  # fmt: skip

    def refusal(self, operation: str, **parameters: Any) -> ServiceError:
        """The error that a call is answered with."""
        try:
            fields = self(operation, **parameters)
        except ServiceError as error:
            return error
        raise AssertionError(f"{operation} was answered {fields}")


def make_service(*fixtures: Mapping[str, Any] | str, **settings: Any) -> Service:
    """A service from fixture documents (without `cfmock: 1`) and settings; on a virtual clock unless told otherwise."""
    documents = [{"cfmock": 1, **each} if isinstance(each, Mapping) else each for each in fixtures]
    found = load(documents)
    flags = {"clock": "virtual", "now": NOW, "seed": 1} | settings
    return Service(build(found, resolve(flags, {}, found.settings, keywords=True)))


def echo_flow(*outcomes: Mapping[str, Any], name: str = "echo", **more: Any) -> dict[str, Any]:
    """A fixture with one flow of these outcomes."""
    return {"flows": [{"name": name, "definition": PASS, "outcomes": list(outcomes), **more}]}


def task_flow(*tasks: str, name: str = "order", **more: Any) -> dict[str, Any]:
    """A fixture with one flow: these tasks, one after the other, each a call of a function."""
    rows = [
        {"Type": "Task", "Name": task, "Action": "FC:InvokeFunction", **({"Next": after} if after else {"End": True})}
        for task, after in zip(tasks, (*tasks[1:], None), strict=True)
    ]
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": tasks[0], "States": rows}
    return {"flows": [{"name": name, "definition": definition, **more}]}


def answer(reply: Reply) -> dict[str, Any]:
    """The fields of a reply. Raises ServiceError for an error answer."""
    fields = json.loads(reply.body)
    assert isinstance(fields, dict)
    assert fields["RequestId"] == reply.request_id
    if reply.status >= 400:
        raise ServiceError(
            fields["Code"], status=reply.status, message=fields["Message"], request_id=fields["RequestId"]
        )
    assert "Code" not in fields
    return fields
