"""The identity of an execution, and the tokens of its tasks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids


class Identity(Struct, frozen=True):
    """The identity of an execution, as its definition can read it. `environment` are the variables of its flow.

    `nesting` counts the executions that wait for this one, each inside the one before. `account` and `serial`, its number
    there, tell it from all others of its name, past ones included.
    """

    flow: str
    execution: str
    role_arn: str = ""
    region: str = ""
    environment: Mapping[str, str] | None = None
    nesting: int = 0
    account: str = ""
    serial: int = 0

    def context(self, given: Json) -> dict[str, Json]:
        """Return the value of `$Context` for an execution with this input, the same everywhere in it."""
        return {
            "Execution": {"Name": self.execution, "Input": given, "RoleArn": self.role_arn},
            # No path for these is published; the names are ours.
            "Flow": {"Name": self.flow, "Region": self.region},
            "Environment": dict(self.environment or {}),
        }


class TokenParts(Struct, frozen=True):
    """The parts of a task token."""

    flow: str
    execution: str
    event: int


class TaskToken:
    """The token of one passage through a task. Its text is made when first read: most tasks never show it."""

    __slots__ = ("_identity", "_ids", "_text", "event")

    def __init__(self, identity: Identity, event: int, ids: Ids) -> None:
        self._identity = identity
        self.event = event
        self._ids = ids
        self._text: str | None = None

    @property
    def shown(self) -> bool:
        """Return whether the definition, or anybody else, has read its text."""
        return self._text is not None

    @property
    def text(self) -> str:
        if self._text is None:
            who = self._identity
            plain = f"v1#{who.flow}#{who.execution}#{self.event}"
            seal = self._ids.seal(f"{plain}#{who.account}#{who.region}#{who.serial}")
            self._text = base64.b64encode(f"{plain}#{base64.b64encode(seal).decode()}".encode()).decode()
        return self._text


def read_token(token: str) -> TokenParts | None:
    """The parts of a token, None for a text of any other form."""
    try:
        plain = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    parts = plain.split("#")
    if len(parts) != 5 or parts[0] != "v1" or not (parts[3].isascii() and parts[3].isdigit()) or len(parts[3]) > 18:
        return None
    return TokenParts(parts[1], parts[2], int(parts[3]))
