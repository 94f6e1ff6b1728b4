"""A small client of our own, for `cfmock call`, `cf.call` and tests: signed API calls, and requests to the admin API."""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import quote, urlencode

from cfmock.base.clocks import RealClock, iso_seconds
from cfmock.base.errors import ArgumentError, ServiceError, SettingsError
from cfmock.base.json_text import json_argument, json_or_text, json_text
from cfmock.base.suggestions import did_you_mean, shown
from cfmock.control.endpoints import ENDPOINTS, WORLD, Argument, Endpoint
from cfmock.protocol.auth import signature
from cfmock.protocol.spec import model
from cfmock.protocol.wire.decode import canonical_query, percent_encode
from cfmock.protocol.wire.messages import Request

TIMEOUT = 90.0
"""Seconds to wait for an answer: a long poll takes up to sixty."""


def signed_request(
    operation: str,
    parameters: Mapping[str, Any],
    *,
    access_key_id: str,
    access_key_secret: str,
    security_token: str | None = None,
    host: str = "127.0.0.1",
    moment: float | None = None,
) -> Request:
    """Return the call as a request with a V1 signature, laid out as the vendor's Python SDK does it.

    Values that are no text go out as JSON (true, 3, objects); None is left out. Raises ArgumentError and ArgumentTypeError for
    what cannot be sent.
    """
    method = model.load().operations[operation].method if operation in model.load().operations else "POST"
    own = {name: wire_text(value) for name, value in parameters.items() if value is not None}
    common = {
        "Action": operation,
        "Format": "json",
        "Version": model.load().api_version,
        "Timestamp": iso_seconds(RealClock.now() if moment is None else moment),
        "SignatureNonce": secrets.token_hex(16),
        "SignatureMethod": signature.V1_METHOD,
        "SignatureVersion": "1.0",
        "AccessKeyId": access_key_id,
    }
    if security_token is not None:
        common["SecurityToken"] = security_token
    encoded = {name: _pair(name, value) for name, value in (common | own).items()}
    text = signature.v1_string_to_sign(method, canonical_query(encoded))
    common["Signature"] = signature.v1_signature(access_key_secret, text)
    in_query = common | own if method == "GET" else common
    query = "&".join(_pair(*each) for each in in_query.items())
    body = b"" if method == "GET" else "&".join(_pair(*each) for each in own.items()).encode()
    headers = {"host": host, "x-acs-action": operation, "x-acs-version": common["Version"]}
    if body:
        headers["content-type"] = "application/x-www-form-urlencoded"
    return Request(method, f"/?{query}", headers, body)


def wire_text(value: Any) -> str:
    """Return a parameter's value as text: text as it is, else JSON. Raises ArgumentError and ArgumentTypeError if it has none."""
    if isinstance(value, str):
        return value
    with json_argument():
        return json_text(value)


def check_operation(name: str, others: Iterable[str] = ()) -> None:
    """Raises SettingsError for what is no operation, with the likely one, or one of the `others`."""
    known = model.load().operations
    if name not in known:
        raise SettingsError(f"there is no operation '{name}'{did_you_mean(name, (*known, *others))}")


def send(
    url: str, request: Request, ca_file: str | None = None, *, timeout: float = TIMEOUT
) -> tuple[int, dict[str, Any]]:
    """Send a request to a server and give the HTTP status and fields of its answer. `ca_file` holds a CA to trust; `timeout` are
    the seconds that the server may be silent.

    Raises SettingsError if nothing answers there, or something that is no CloudFlow.
    """
    with opened(url, request, ca_file, timeout=timeout) as answer:
        return answer.status, fields_of(answer.status, answer.read())


@contextlib.contextmanager
def opened(
    url: str, request: Request, ca_file: str | None = None, *, timeout: float | None = TIMEOUT
) -> Iterator[HTTPResponse]:
    """Send a request likewise, and give its answer to be read, whatever its status. Raises SettingsError if nothing answers."""
    if not url.lower().startswith(("http://", "https://")):
        raise SettingsError(f"'{url}' is not a URL such as http://127.0.0.1:8790")
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    try:
        if ca_file is not None:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)))
        opener = urllib.request.build_opener(*handlers)
        outgoing = urllib.request.Request(  # noqa: S310 - the address is the user's own
            url.rstrip("/") + request.target, request.body or None, headers, method=request.method
        )
        try:
            answer: HTTPResponse = opener.open(outgoing, timeout=timeout)
        except urllib.error.HTTPError as error:
            answer = cast("HTTPResponse", error)
        with answer:
            yield answer
    except (OSError, ValueError, HTTPException) as error:
        raise SettingsError(f"no answer from {url}: {getattr(error, 'reason', error)}") from None


def ask(
    url: str, path: str, ca_file: str | None = None, token: str | None = None, *, timeout: float = TIMEOUT
) -> tuple[int, dict[str, Any]]:
    """GET something of a server's admin API, `token` being its admin token. Raises as `send` does."""
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    return send(url, Request("GET", f"/_cfmock/{path}", headers), ca_file, timeout=timeout)


def fields_of(status: int, body: bytes) -> dict[str, Any]:
    """Return the fields of any answer. Raises SettingsError unless it is a JSON object."""
    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise SettingsError(f"the answer (HTTP {status}) is not a JSON object: {body[:200]!r}")
    return fields


def answered(status: int, body: bytes, hint: str | None = None) -> dict[str, Any]:
    """Return the fields of a success. Raises ServiceError, with the hint, for an error answer, SettingsError without JSON."""
    fields = fields_of(status, body)
    if status >= 400 or "Code" in fields:
        raise ServiceError(
            str(fields.get("Code")), status=status, message=str(fields.get("Message", "")),
            request_id=str(fields.get("RequestId", "")), hint=hint,
        )  # fmt: skip
    return fields


def _pair(name: str, value: str) -> str:
    try:
        return f"{percent_encode(name)}={percent_encode(value)}"
    except UnicodeEncodeError:
        raise ArgumentError(f"{name}: {shown(value)} holds half a character (a lone surrogate)") from None


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
        body = json.dumps({name: json_or_text(text) for name, text in rest.items()}).encode()
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
