"""A request to its parameters and its operation, whatever the client's layout.

Clients put the same call on the wire in three ways: everything in the query and the operation's parameters in a form
(Python, legacy core, Go), everything in the form (pop-core), or action and version in headers (ACS3). So parameters are query
plus body, the body's last, and action and version fall back to headers (measured with six SDKs).
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import urllib.parse
from binascii import a2b_qp
from collections.abc import Mapping

from cfmock.base.errors import Refused, ServiceError
from cfmock.base.json_text import is_utf8
from cfmock.base.short_text import shortened
from cfmock.protocol.spec.model import Operation, Spec
from cfmock.protocol.wire.messages import Parameters, Request

COMMON = frozenset(
    ("Action", "Version", "Format", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce",
     "SignatureType", "Timestamp", "SecurityToken", "BearerToken", "RegionId", "RequestId",
     "SourceIp", "SecureTransport", "ResourceOwnerAccount", "ResourceOwnerId", "OwnerAccount", "OwnerId")
)  # fmt: skip
"""Parameters that carry no operation meaning; clients and command-line tools add them to any call."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
OCTETS = "application/octet-stream"

MAX_PARAMETERS = 1000
"""Parameters of a request. The operations have twenty at most, and a client adds a dozen."""

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}\Z")


def media_type(request: Request) -> str:
    """The content type without its parameters, lower case; a body without one is a form."""
    content_type = request.headers.get("content-type")
    return _without_parameters(shortened(content_type)) if content_type else FORM


@functools.lru_cache(64)
def _without_parameters(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower() or FORM


def check_media_type(request: Request, parameters: Parameters) -> None:
    """Refuse a body that is neither form, JSON nor octet-stream (the document asks for JSON, every SDK sends forms). Raises
    UnsupportedMediaType."""
    if request.body and parameters.media_type not in (FORM, JSON, OCTETS):
        raise ServiceError("UnsupportedMediaType")


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a raw request target, which may be absolute (a client behind HTTP_PROXY)."""
    head, _, query = target.partition("?")
    if not head.startswith("/") and "://" in head:
        _, _, rest = head.partition("://")
        head = "/" + rest.partition("/")[2]
    return head, query.partition("#")[0]


def decode_parameters(request: Request, *, acs3: bool = False) -> Parameters:
    """Read all parameters of the request, the text that is signed of them (in version 1 query and form, with `acs3` the query),
    and the operation's arguments, each pair once. `problem` tells what cannot be read. Raises InvalidArgument for more than
    `MAX_PARAMETERS` in query and form: without them it is not known who calls."""
    values: dict[str, str] = {}
    encoded: dict[str, str] = {}
    path, query = split_target(request.target)
    kind, problem = media_type(request), ""
    untyped: Mapping[str, str] = _NO_TYPES
    signed, form = query, ""
    if request.body and kind == FORM:
        form = request.body.decode("utf-8", "surrogateescape")
        if not acs3:
            signed, form = f"{query}&{form}" if query else form, ""
    if signed.count("&") + form.count("&") + (form != "") >= MAX_PARAMETERS:
        raise ServiceError("InvalidArgument", detail=_TOO_MANY)
    if signed:
        read_pairs(signed, values, encoded)
    if form:
        read_pairs(form, values, {})
    elif request.body and kind == JSON:
        problem, untyped = _read_json(request.body, values)
    arguments = {name: values[name] for name in itertools.filterfalse(COMMON.__contains__, values)}
    return Parameters(values, arguments, canonical_query(encoded, acs3), path, query, kind, problem, untyped)


def undecoded(request: Request) -> Parameters:
    """Return what is known of a request whose parameters cannot be read, or are too large to be: where it goes."""
    return Parameters({}, {}, "", split_target(request.target)[0], "", media_type(request))


def canonical_query(encoded: Mapping[str, str], acs3: bool = False) -> str:
    """`E(name)=E(value)` of all parameters (in version 1 but Signature), sorted by decoded name. `encoded` has such pieces."""
    names = sorted(encoded)
    if "Signature" in encoded and not acs3:
        names.remove("Signature")
    return "&".join(map(encoded.__getitem__, names))


def read_pairs(text: str, values: dict[str, str], encoded: dict[str, str]) -> None:
    """Add the pairs of a query or form to `values` (decoded) and `encoded` (`E(name)=E(value)`)."""
    if _read_at_once(text, values, encoded):
        return
    for piece in filter(None, text.replace("+", "%20").split("&")):
        name, _, value = map(unquote, piece.partition("="))
        values[name] = value
        encoded[name] = f"{percent_encode(name)}={percent_encode(value)}"


def _read_at_once(text: str, values: dict[str, str], encoded: dict[str, str]) -> bool:
    """Add the pairs of a text that the signing documents would encode as it stands (unreserved characters bare, other bytes as
    %XX in upper case), all in one go. False for other texts, and if there is a NUL, a name twice or a piece without `=`."""
    separators = b"=&" * text.count("&") + b"="
    if text.encode("utf-8", "surrogateescape").translate(None, _BARE_BYTES) != separators or _ODD_ESCAPE.search(text):
        return False
    if "+" in text:
        text = text.replace("+", "%20")
    marked = text.replace("&", "=").replace("=", "\0")
    if "%" in marked:
        marked = _unescape(marked)
    parts, pieces = iter(marked.split("\0")), text.split("&")
    found = dict(zip(parts, parts, strict=True))
    if len(found) != len(pieces):
        return False
    values.update(found)
    encoded.update(zip(found, pieces, strict=True))
    return True


_BARE_BYTES = b"%+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"
_ODD_ESCAPE = re.compile("%(?!0[1-9A-F]|[189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[BCDF])")


def percent_encode(text: str) -> str:
    """E(x) of the signing documents: UTF-8; letters, digits and `-_.~` stay, every other byte is %XX in upper case."""
    return urllib.parse.quote(text, safe="-_.~", errors="surrogateescape")


def unquote(text: str) -> str:
    """What %XX stand for, as UTF-8; other bytes become surrogates, a `%` before anything else stays. The one of urllib takes
    half a second for a megabyte of `%`."""
    if "%" not in text:
        return text
    raw = text.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(lambda found: _BYTES[found[1]], raw).decode("utf-8", "surrogateescape")


_DIGITS = "0123456789ABCDEFabcdef"
_BYTES = {f"{high}{low}".encode(): bytes((int(high + low, 16),)) for high in _DIGITS for low in _DIGITS}
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


def _unescape(text: str) -> str:
    # Only for text proved canonical, which has no "=": as quoted-printable it is read ten times as fast as by unquote().
    return a2b_qp(text.replace("%", "=")).decode("utf-8", "surrogateescape")


_TOO_MANY = f"There are more than {MAX_PARAMETERS} parameters."
_NO_TYPES: Mapping[str, str] = {}
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}


def _read_json(body: bytes, values: dict[str, str]) -> tuple[str, Mapping[str, str]]:
    """Add a JSON body's members to `values`. Gives what is wrong with it, and the types of those that are no text."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return "The body is not JSON.", _NO_TYPES
    if not isinstance(parsed, dict):
        return "The body must be a JSON object.", _NO_TYPES
    if len(parsed) > MAX_PARAMETERS:
        return _TOO_MANY, _NO_TYPES
    problem, untyped = "", {}
    for name, value in parsed.items():
        if value is None:
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if not is_utf8(name) or not is_utf8(text):
            # Half of a surrogate pair, which JSON can name: no text, and nothing that could be signed or written down.
            problem = f"{name[:128].encode(errors='backslashreplace').decode()} is not UTF-8."
            continue
        values[name] = text
        if text is not value:
            untyped[name] = _JSON_TYPES[type(value)]
    return problem, untyped


def decode_operation(request: Request, parameters: Parameters, spec: Spec, *, version_first: bool = False) -> Operation:
    """Find the operation that a request names. `version_first` checks the version before all else, as the gateway does. Raises
    `Refused`: ActionNotSupported, APIVersionNotSupported, MissingRequiredParams, and MissingRequiredHeader for ACS3."""
    values = parameters.values
    path = parameters.path
    if version_first:
        _check_version(request, parameters, spec)
    action = values.get("Action") or request.header("x-acs-action")
    if path not in ("/", ""):
        raise Refused("ActionNotSupported", action or f"{request.method} {path}", reason="unknown-path")
    if request.method not in ("GET", "POST"):
        raise Refused("ActionNotSupported", action or f"{request.method} {path}", reason="method")
    if not action:
        raise _missing("Action", "x-acs-action", request, "missing-parameter")
    operation = spec.operations.get(action)
    if operation is None:
        raise Refused("ActionNotSupported", action, reason="unknown-action")
    _check_version(request, parameters, spec)
    return operation


def _check_version(request: Request, parameters: Parameters, spec: Spec) -> None:
    version = parameters.values.get("Version") or request.header("x-acs-version")
    if not version:
        raise _missing("Version", "x-acs-version", request, "version")
    if version != spec.api_version:
        raise Refused("APIVersionNotSupported", version, reason="version")


def is_acs3(request: Request) -> bool:
    """Whether the request proves by headers who sent it: a signature, or a bearer token."""
    headers = request.headers
    return headers.get("authorization", "").startswith("ACS3-") or bool(headers.get("x-acs-bearer-token"))


def caller_request_id(parameters: Parameters) -> str | None:
    """The RequestId the caller chose, if it looks like an id (documented on every operation until 2024)."""
    chosen = parameters.values.get("RequestId")
    return chosen if chosen and _ID.match(chosen) else None


def region(request: Request, parameters: Parameters, spec: Spec) -> str | None:
    """The region a request names, by RegionId or in its host name (`cn-hangzhou.fnf.aliyuncs.com`); None if it names none."""
    named = parameters.values.get("RegionId", "")
    if named in spec.regions:
        return named
    return _region_of(shortened(request.header("host")), spec.region_ids)


@functools.lru_cache(256)
def _region_of(host: str, regions: frozenset[str]) -> str | None:
    for label in re.split(r"[./:]+", host.lower()):
        name = re.sub(r"-(internal|classic|vpc)\Z", "", label)
        if name in regions:
            return name
    return None


def _missing(parameter: str, header: str, request: Request, reason: str) -> Refused:
    if is_acs3(request):
        return Refused("MissingRequiredHeader", header, reason=reason, name=header)
    return Refused("MissingRequiredParams", parameter, reason=reason, name=parameter)
