"""A signature that was refused, kept to be explained if its author asks: to find the mistake takes far longer than to refuse."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import asdict

from cfmock.protocol.wire.messages import Request

RIGHT = "your signature is right: a fault answered this code"


class Diagnosis(Struct, frozen=True):
    """What the server signed, and the client's likely mistake in words, else a `guess`; and what the client signed, if that is
    known: the server's text where the mistake is elsewhere. Of ACS3 also the requests whose hashes are in the texts."""

    canonical_query: str
    string_to_sign: str
    likely_mistake: str | None
    canonical_request: str | None = None
    guess: str | None = None
    client_string_to_sign: str | None = None
    client_canonical_request: str | None = None

    @property
    def words(self) -> str | None:
        """The client's mistake, certain or likely, in words."""
        return self.likely_mistake or self.guess

    def to_mapping(self) -> dict[str, str | None]:
        """As the admin API gives it."""
        found = {**asdict(self), "hint": self.words}
        left_out = ("guess",) if self.canonical_request else ("guess", "canonical_request", "client_canonical_request")
        return {name: text for name, text in found.items() if name not in left_out}


class RefusedSignature:
    """A refused signature. `told` are the words for the client's mistake, None until they are worked out, or without any."""

    __slots__ = ("_diagnose", "_known", "size", "told")

    def __init__(self, request: Request, diagnose: Callable[[], Diagnosis]) -> None:
        self._diagnose = diagnose
        self._known = False
        self.told: str | None = None
        self.size = request.size + sum(len(name) + len(value) for name, value in request.headers.items())
        """Bytes that are kept to explain it."""

    def explain(self) -> None:
        """Work out the words, unless they are known."""
        if not self._known:
            self.to_mapping()

    def to_mapping(self) -> dict[str, str | None]:
        """The server's text and the likely mistake, as the admin API gives them. The texts may be long, so they are not kept."""
        found = self._diagnose()
        self._known, self.told = True, found.words
        return found.to_mapping()
