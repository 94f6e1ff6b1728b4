"""Keeps web pages that somebody visits from calling the API: the default key is public, so any page can sign a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from cfmock.base.errors import ServiceError
from cfmock.base.origins import Origin, is_loopback_name


class PageDoor(Struct, frozen=True):
    """`host` is the address bound; `allowed` are the origins whose pages may call."""

    host: str
    allowed: frozenset[Origin | None]

    @classmethod
    def of(cls, host: str, allowed: Iterable[str]) -> PageDoor:
        return cls(host.lower(), frozenset(map(Origin.parse, allowed)))

    def refusal(self, headers: Mapping[str, str]) -> ServiceError | None:
        """AccessDenied for a request that a browser marks as from another site, whatever its Host: a name can lead here."""
        origins = [Origin.parse(each) for each in all_of(headers, "Origin")]
        if origins and all(each is not None and each in self.allowed for each in origins):
            return None
        sites = all_of(headers, "Sec-Fetch-Site")
        if any(each not in ("none", "same-origin") for each in sites) or any(
            each is None or not (each.host == self.host or is_loopback_name(each.host)) for each in origins
        ):
            why = "Web pages of other sites cannot call this server; --allow-origin allows an origin."
            return ServiceError("AccessDenied", detail=why)
        return None


def all_of(headers: Mapping[str, Any], name: str) -> list[str]:
    """The values of a header, which may stand there more than once."""
    every = getattr(headers, "getall", None)
    return list(every(name, ())) if every is not None else [headers[name]] if name in headers else []
