"""Origins of web pages, and host names that only mean this machine."""

from __future__ import annotations

import ipaddress
import re

from msgspec import Struct

_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[^\s/\\@?#:\[\]]+)(?::([0-9]{1,5}))?\Z", re.ASCII)
_PORTS = {"http": 80, "https": 443}


class Origin(Struct, frozen=True):
    """Scheme, host and port of a page, as the header `Origin` has them; `port` None where its scheme has no usual one."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Origin | None:
        """Read an `Origin` header; None for text that is no `scheme://host[:port]`, such as `null`."""
        found = _ORIGIN.match(text.strip().lower())
        if found is None:
            return None
        scheme, host, port = found.groups()
        return cls(scheme, host.strip("[]"), int(port) if port is not None else _PORTS.get(scheme))


def is_loopback_name(host: str) -> bool:
    """Return whether a host name or address, in small letters and without brackets, can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
