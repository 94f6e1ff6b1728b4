"""Signers of our own, from the documents, with a place for every mistake that clients make."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from cfmock.protocol.wire.messages import Request

NONCE = "0123456789abcdef0123456789abcdef"


def encode(text: str) -> str:
    return urllib.parse.quote(text, safe="-_.~")


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def v1(
    operation: str,
    parameters: Mapping[str, str],
    *,
    method: str = "POST",
    key: str = "ak",
    secret: str = "sk",
    signed: Callable[[dict[str, str]], dict[str, str]] = lambda values: values,
    canonical: Callable[[dict[str, str]], str] | None = None,
    text: Callable[[str, str], str] | None = None,
    sign: Callable[[str, str], str] | None = None,
    wire: Callable[[str], str] = encode,
    common: Mapping[str, str] | None = None,
) -> Request:
    """A call with a V1 signature: its own parameters in the form (POST) or, with the common ones, in the query (GET).

    `signed` changes what is signed against what is sent, `canonical` makes the canonical query, `text` the string to sign of
    method and canonical query, `sign` the signature of secret and string, `wire` encodes the own values as they are sent.
    """
    head = {
        "Action": operation, "Version": "2019-03-15", "Format": "json", "AccessKeyId": key, "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0", "SignatureNonce": NONCE, "Timestamp": now(), **(common or {}),
    }  # fmt: skip
    values = signed({**head, **parameters})
    joined = (canonical or canonical_query)(values)
    string = (text or string_to_sign)(method, joined)
    head["Signature"] = (sign or signature)(secret, string)
    query = head if method == "POST" else {**head, **parameters}
    target = "/?" + "&".join(
        f"{name}={(wire if name in parameters else encode)(value)}" for name, value in query.items()
    )
    if method != "POST":
        return Request(method, target, {"host": "h"})
    body = "&".join(f"{name}={wire(value)}" for name, value in parameters.items()).encode()
    return Request(method, target, {"host": "h", "content-type": "application/x-www-form-urlencoded"}, body)


def canonical_query(values: Mapping[str, str], one: Callable[[str], str] = encode) -> str:
    return "&".join(f"{one(name)}={one(values[name])}" for name in sorted(values))


def string_to_sign(method: str, canonical: str) -> str:
    return f"{method}&%2F&{encode(canonical)}"


def signature(secret: str, string: str) -> str:
    return base64.b64encode(hmac.new(f"{secret}&".encode(), string.encode(), "sha1").digest()).decode()


def acs3(
    operation: str,
    parameters: Mapping[str, str],
    *,
    method: str = "POST",
    key: str = "ak",
    secret: str = "sk",
    host: str = "127.0.0.1:8790",
    body: bytes | None = None,
    content_type: str = "application/x-www-form-urlencoded",
    query: str = "",
    signed_headers: tuple[str, ...] | None = None,
    **instead: Any,
) -> Request:
    """A call with an ACS3 signature. `instead` puts other values in place of what is signed: `as_method`, `as_path`, `as_query`,
    `as_host`, `as_hash`, `as_headers` (of the text of the headers), `string` (of the canonical request), `sign` (of secret and
    string)."""
    if body is None:
        body = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote).encode() if method == "POST" else b""
    if method != "POST" and not query:
        query = canonical_query(parameters)
    payload_hash = hashlib.sha256(body).hexdigest()
    headers = {
        "host": host, "x-acs-action": operation, "x-acs-version": "2019-03-15", "x-acs-date": now(),
        "x-acs-signature-nonce": NONCE, "x-acs-content-sha256": payload_hash,
        **({"content-type": content_type} if body else {}),
    }  # fmt: skip
    names = signed_headers or tuple(sorted(headers))
    values = {**headers, "host": instead.get("as_host", host)}
    lines = "".join(f"{name}:{values[name]}\n" for name in names)
    canonical = "\n".join(
        (
            instead.get("as_method", method), instead.get("as_path", "/"), instead.get("as_query", query),
            instead.get("as_headers", lambda text: text)(lines), ";".join(names), instead.get("as_hash", payload_hash),
        )
    )  # fmt: skip
    string = instead.get("string", acs3_string)(canonical)
    given = instead.get("sign", acs3_signature)(secret, string)
    headers["authorization"] = f"ACS3-HMAC-SHA256 Credential={key},SignedHeaders={';'.join(names)},Signature={given}"
    return Request(method, f"/?{query}" if query else "/", headers, body)


def acs3_string(canonical: str) -> str:
    return f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def acs3_signature(secret: str, string: str) -> str:
    return hmac.new(secret.encode(), string.encode(), "sha256").hexdigest()
