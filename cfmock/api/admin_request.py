"""Requests to the admin API, made of the names of its endpoints and of texts, for `cfmock call`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from cfmock.base.errors import SettingsError
from cfmock.base.json_text import Json
from cfmock.base.suggestions import did_you_mean
from cfmock.control.endpoints import ENDPOINTS, WORLD, Argument, Endpoint
from cfmock.protocol.wire.messages import Request


def endpoint(name: str) -> Endpoint | None:
    """Return the endpoint of this name, None if there is none."""
    return next((each for each in ENDPOINTS if each.name == name), None)


def names() -> list[str]:
    """Return the names of all endpoints."""
    return [each.name for each in ENDPOINTS]


def admin_request(to: Endpoint, given: Mapping[str, str], token: str | None = None) -> Request:
    """Make a request of arguments as texts. What belongs into no path or query goes into the body, if there is one, as JSON
    where it is such; `token` is the admin token.

    Raises SettingsError for arguments that are missing, or that the endpoint does not take.
    """
    rest, query, path = dict(given), {}, to.path
    for argument in _arguments(to):
        if argument.place == "path":
            if not rest.get(argument.name):
                raise SettingsError(f"{to.name} needs {argument.name}={argument.help.replace(' ', '_')}")
            path = path.replace(f"{{{argument.name}}}", quote(rest.pop(argument.name), safe=""))
        elif argument.place == "query" and argument.name in rest:
            query[argument.name] = rest.pop(argument.name)
    body = b""
    if any(argument.place == "body" for argument in to.arguments):
        body = json.dumps({name: _value(text) for name, text in rest.items()}).encode()
    elif rest:
        known = [argument.name for argument in _arguments(to)]
        name = next(iter(rest))
        raise SettingsError(
            f"{to.name} takes no {name}{did_you_mean(name, known)}; it takes {', '.join(known) or 'nothing'}"
        )
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    target = f"/_cfmock/{path}" + (f"?{urlencode(query)}" if query else "")
    return Request(to.method, target, headers, body)


def _arguments(to: Endpoint) -> Sequence[Argument]:
    return (*to.arguments, *WORLD) if to.world else to.arguments


def _value(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text
