"""Task tokens in the published form: base64 of `v1#flow#execution#event id#seal`.

The event is the StepEntered of the task, the seal twenty bytes in base64. Clients must take tokens for opaque; the
service finds by them which execution to look in, and by the seal whether that has given them out.
"""

from __future__ import annotations

import base64
import binascii

from msgspec import Struct

from cfmock.base.randomness import Ids
from cfmock.engine.identity import Identity


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
