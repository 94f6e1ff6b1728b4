"""Environment variables that send a program's calls through a proxy."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Their names; programs read them in small letters, too."""


def proxy_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the proxy variables that are set, as they are written."""
    return sorted(name for name, value in environ.items() if value and name.upper() in VARIABLES)


def proxy_warning(environ: Mapping[str, str]) -> str | None:
    """Warn of the proxy variables that are set, None if there are none."""
    names = ", ".join(proxy_variables(environ))
    return f"unset {names}: SDKs send even calls to 127.0.0.1 there and ignore NO_PROXY" if names else None


def without_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without proxy variables."""
    return {name: value for name, value in environ.items() if name.upper() not in VARIABLES}
