"""The values that travel between the stages of a call.

Request ──decode──► Parameters ──claim──► OperationCall ──dispatch──► Fields, DeferredAnswer or error ──encode──► Reply
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, final

from msgspec import Struct

from cfmock.base.json_text import json_text, quoted
from cfmock.protocol.spec.model import Operation


class Request(Struct, frozen=True, gc=False):
    """One HTTP request as it came: `target` is raw (maybe absolute, or very long), `headers` are looked up by lower-case name.
    Of a body that is too large none is kept: `dropped` is how many bytes it had."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    dropped: int = 0

    @property
    def size(self) -> int:
        """Bytes of target and body, as sent."""
        return len(self.target) + len(self.body) + self.dropped

    def header(self, name: str) -> str:
        """The header's value, empty if it was not sent. `name` in lower case."""
        return self.headers.get(name, "")


class Parameters(Struct, frozen=True, gc=False):
    """The parameters of a request, wherever they stood: `values` are all of them, decoded, bytes that are no UTF-8 as
    surrogates; `arguments` are the operation's own, unknown and empty ones too. `canonical` is the text that is signed:
    `E(name)=E(value)` in the order of names. `problem` says what is wrong with a body that could not be read, reported once the
    caller is known. `untyped` are the types of what a JSON body gave as no text: boolean, integer, number, object or array."""

    values: dict[str, str]
    arguments: dict[str, str]
    canonical: str
    path: str
    query: str
    media_type: str
    problem: str = ""
    untyped: Mapping[str, str] = MappingProxyType({})


class OperationCall(Struct, frozen=True, gc=False):
    """A request that names a known operation. `arguments` are its own parameters, as text, without the common ones."""

    operation: Operation
    arguments: dict[str, str]
    access_key_id: str = ""
    account: str = ""
    region: str = ""

    @property
    def flow(self) -> str | None:
        """The flow it is about: FlowName, or Name where the operation is about flows themselves."""
        flow = self.arguments.get("FlowName")
        return flow or (None if "FlowName" in self.operation.parameters else self.arguments.get("Name"))

    @property
    def execution(self) -> str | None:
        return self.arguments.get("ExecutionName")


class Transport(enum.Enum):
    """How the edge sends an answer, or breaks it."""

    WHOLE = "whole"
    RESET = "reset"
    CLOSE = "close"
    HANG = "hang"
    TRUNCATE = "truncate"
    GARBAGE = "garbage"
    SLOW = "slow"
    LEFT = "left"  # nothing is sent: the client has gone


TOLD = (Transport.WHOLE, Transport.SLOW)
"""Those with which the client learns the result of its call."""

UNANSWERED = (Transport.RESET, Transport.CLOSE, Transport.HANG, Transport.LEFT)
"""Those with which the client gets no byte of an answer."""


class Reply(Struct, frozen=True, gc=False):
    """One HTTP answer. The edge waits `delay` seconds before it sends it; the core never waits."""

    status: int
    body: bytes
    request_id: str
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    transport: Transport = Transport.WHOLE


class Pending(Struct, eq=False):  # each is itself only: many may wait alike
    """An answer to come; whoever waits is called once, with the Reply. After `timeout` seconds of real time call `expire`, when
    the client leaves `abandon`."""

    timeout: float | None = None
    reply: Reply | None = None
    on_expire: Callable[[], None] | None = None
    on_abandon: Callable[[], None] | None = None
    _waiter: Callable[[Reply], None] | None = None

    def then(self, waiter: Callable[[Reply], None]) -> None:
        """Call `waiter` with the reply: now if it is there, else when it comes."""
        self._waiter = waiter
        if self.reply is not None:
            waiter(self.reply)

    def settle(self, reply: Reply) -> None:
        """Give the reply to whoever waits; only the first one counts."""
        if self.reply is None:
            self.reply = reply
            if self._waiter is not None:
                self._waiter(reply)

    def expire(self) -> None:
        """The time is over: answer with what there is."""
        if self.reply is None and self.on_expire is not None:
            self.on_expire()

    def abandon(self) -> None:
        """Nobody waits any more."""
        if self.reply is None and self.on_abandon is not None:
            self.on_abandon()


Fields = dict[str, Any]
"""The fields of a success answer, without RequestId, in the service's own names."""


class WrittenFields(Fields):
    """The fields of a page: a list of this name, whose items are JSON text already, and what stands behind it."""

    __slots__ = ("items_name", "texts")

    def __init__(self, items_name: str, texts: Sequence[str], more: Fields) -> None:
        super().__init__(more)
        self.items_name = items_name
        self.texts = texts

    def members(self) -> str:
        """The members of a JSON object, without its braces."""
        behind = "".join(f",{quoted(name)}:{json_text(value)}" for name, value in self.items())
        return f'"{self.items_name}":[{",".join(self.texts)}]{behind}'


Undo = Callable[[], None]
"""Ends what was begun by the call that returned it."""

Subscribe = Callable[[Callable[[], None]], Undo]
"""Registers whom to tell that something is done."""


@final
class DeferredAnswer(Struct, frozen=True):
    """What a handler returns when the answer depends on something to come. `ready` makes it from the state at that time (and may
    raise ServiceError); `subscribe` registers whom to tell, and gives back how to undo that. `timeout` is in seconds of real
    time; None: for ever."""

    ready: Callable[[], Fields]
    subscribe: Subscribe
    timeout: float | None = None
