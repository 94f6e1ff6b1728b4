"""Calls about worlds that are not here: what the edge knows of the other replicas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from cfmock.base.errors import ServiceError
from cfmock.protocol.wire.messages import Pending, Reply, Request


class HandedOn(NamedTuple):
    """A call about a world that is not here, and how to get its `answer`."""

    answer: Callable[[], Awaitable[Reply]]


class Handover(Protocol):
    """The way to the other replicas, and from them."""

    def is_peer(self, headers: Mapping[str, str]) -> bool:
        """Return whether another replica has sent this."""

    def handle(self, request: Request, denied: ServiceError | None) -> Reply | Pending | HandedOn:
        """Take a call of a client or of another replica."""

    def unbroken(self, reply: Reply) -> Reply:
        """The reply as another replica gets it, which breaks it as a fault says."""
