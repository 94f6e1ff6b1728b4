"""Access to the admin API: this machine's own programs, never a web page, and with a token whoever knows it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from cfmock.base.origins import is_loopback_name
from cfmock.server.web_pages import all_of


class Guard(Struct, frozen=True):
    """The rules for one server. `host` is the address bound, `token` None when none was set."""

    host: str
    token: str | None = None
    loopback: bool = True

    @property
    def open(self) -> bool:
        """Return whether there is an admin API at all: bound to other addresses it takes a token."""
        return self.loopback or self.token is not None

    def refusal(self, headers: Mapping[str, str], *, public: bool = False) -> tuple[int, str] | None:
        """Return HTTP status and reason if these request headers may not pass, else None.

        Refuses foreign names in Host (a page whose name was rebound to this machine) and anything a browser sends from another
        origin. With a token any Host will do, since only who knows it gets in. What is `public` needs no token and is there
        whatever the address bound; under which names other machines know that cannot be told, so any Host will do there.
        """
        if not self.open and not public:
            return 403, "the admin API is off: bound to a non-loopback address without --admin-token"
        origins, hosts = all_of(headers, "Origin"), all_of(headers, "Host")
        host = hosts[0] if hosts else ""
        if len(origins) > 1 or len(hosts) > 1:
            return 403, "more than one Origin or Host"
        if "\\" in host or "@" in host:
            return 403, f"Host '{host}' is not a host name"
        if origins and ("://" not in origins[0] or _host_port(origins[0]) != _host_port(host)):
            return 403, "cross-origin requests are refused"
        if any(site not in ("none", "same-origin") for site in all_of(headers, "Sec-Fetch-Site")):
            return 403, "cross-origin requests are refused"
        if public and (self.token is not None or not self.loopback):
            return None
        if self.token is not None:
            scheme, _, given = headers.get("Authorization", "").partition(" ")
            right = hmac.compare_digest(self.token.encode(), given.encode("utf-8", "surrogateescape"))
            if scheme.lower() != "bearer" or not right:
                return 401, "this server asks for 'Authorization: Bearer <admin token>'"
            return None
        name = _host_port(host)[0]
        if name != self.host.lower() and not is_loopback_name(name):
            return 403, f"Host '{host}' is not a name of this machine"
        return None


def _host_port(host: str) -> tuple[str, int | None]:
    try:
        found = urlsplit(host if "://" in host else f"//{host}")  # some clients put a scheme into Host
        return (found.hostname or "").lower(), found.port
    except ValueError:
        return "", None
