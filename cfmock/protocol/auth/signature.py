"""The two signatures of Alibaba Cloud's OpenAPI, as pure functions: used by server, client and tests alike.

*V1* (the SDKs say v2, the documents SignatureVersion 1.0) signs query and form with HMAC-SHA1 and travels as the parameter
`Signature`. *ACS3* (documented as V3) signs method, path, query, a list of headers and the body's hash and travels in the
header `Authorization`. Both work on the decoded and re-encoded values, since clients spell the same value differently.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from binascii import b2a_base64
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from cfmock.base.errors import SettingsError

V1_METHOD = "HMAC-SHA1"
V1_KEY_PAIR_METHOD = "SHA256withRSA"
ALGORITHMS = {"ACS3-HMAC-SHA256": "sha256", "ACS3-HMAC-SM3": "sm3", "ACS3-RSA-SHA256": "sha256"}
"""ACS3 algorithm to the hash of its canonical request and body."""


def v1_string_to_sign(method: str, canonical: str) -> str:
    """METHOD & %2F & E(canonical). The canonical text holds only %, = and & to encode once more."""
    return method + "&%2F&" + canonical.replace("%", "%25").replace("=", "%3D").replace("&", "%26")


def v1_signature(secret: str, string_to_sign: str) -> str:
    """Base64 of HMAC-SHA1 under the secret plus `&`."""
    started, ended = _v1_halves(secret)
    inner = started.copy()
    inner.update(string_to_sign.encode("utf-8", "surrogateescape"))
    outer = ended.copy()
    outer.update(inner.digest())
    return b2a_base64(outer.digest(), newline=False).decode()


@functools.lru_cache(maxsize=64)
def _v1_halves(secret: str) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of HMAC-SHA1 (RFC 2104, section 4) after their first block, which depends on the key alone: to go on from
    copies takes half the time of copying an `hmac.HMAC`."""
    key = f"{secret}&".encode()
    block = (bytes.fromhex(digest("sha1", key)) if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (hashlib.new("sha1", bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))  # noqa: S324 - not our choice
    return inner, outer


class Authorization(Struct, frozen=True):
    """A parsed ACS3 Authorization header. `signature` is hex; `signed_headers` are lower-case names."""

    algorithm: str
    credential: str
    signed_headers: tuple[str, ...]
    signature: str


LONGEST_AUTHORIZATION = 8192
"""Characters of an Authorization header that is read; those of clients have some 300."""


def parse_authorization(header: str) -> Authorization | None:
    """`ACS3-HMAC-SHA256 Credential=…,SignedHeaders=a;b,Signature=…`; blanks are tolerated. None if it is not of that form,
    longer than any client's, or names a header twice (what is signed would grow with the product of names and values)."""
    if len(header) > LONGEST_AUTHORIZATION:
        return None
    algorithm, _, rest = header.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        return None
    found = {name.strip(): value.strip() for name, _, value in (field.partition("=") for field in rest.split(","))}
    credential, names, given = map(found.get, ("Credential", "SignedHeaders", "Signature"))
    if credential is None or names is None or given is None:
        return None
    signed = tuple(name.strip().lower() for name in names.split(";") if name.strip())
    return Authorization(algorithm, credential, signed, given) if len(set(signed)) == len(signed) else None


def acs3_payload_hash(algorithm: str, body: bytes) -> str:
    """Hex digest of the body under the algorithm's hash; of the empty string when there is no body."""
    return digest(ALGORITHMS[algorithm], body)


def acs3_canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, Any], signed_headers: tuple[str, ...], payload_hash: str
) -> str:
    """The text whose hash is signed. `query` is canonical already; `headers` may hold several values for a name."""
    lines = [f"{name}:{_header_value(headers, name)}\n" for name in signed_headers]
    return "\n".join((method, path, query, "".join(lines), ";".join(signed_headers), payload_hash))


def acs3_string_to_sign(algorithm: str, canonical_request: str) -> str:
    return f"{algorithm}\n{digest(ALGORITHMS[algorithm], canonical_request.encode('utf-8', 'surrogateescape'))}"


def acs3_signature(algorithm: str, secret: str, string_to_sign: str) -> str:
    """Lower-case hex of the HMAC under the bare secret. Not for ACS3-RSA-SHA256, which signs with a private key."""
    return hmac.new(secret.encode(), string_to_sign.encode(), ALGORITHMS[algorithm]).hexdigest()


@functools.lru_cache(maxsize=64)
def load_public_key(pem: str) -> Any:
    """An RSA public key from its PEM text. Raises SettingsError for a text that is none, and without the extra `tls`."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        raise SettingsError("RSA key pairs need the extra 'tls': pip install 'cfmock[tls]'") from None
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError:
        raise SettingsError("a public_key is not PEM text of a public key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise SettingsError("a public_key is not that of an RSA key pair")
    return key


def rsa_verifies(public_key_pem: str, signature: bytes, string_to_sign: str) -> bool:
    """Whether the PKCS#1 v1.5 SHA-256 signature was made with the private half of this key. Raises as `load_public_key`."""
    key = load_public_key(public_key_pem)
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        key.verify(signature, string_to_sign.encode("utf-8", "surrogateescape"), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def same(expected: str, given: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def digest(name: str, data: bytes) -> str:
    """Hex digest; `sm3` comes from OpenSSL and is missing where that was built without it (SettingsError)."""
    try:
        return hashlib.new(name, data).hexdigest()
    except ValueError:
        raise SettingsError(f"this Python's OpenSSL has no {name}") from None


def _header_value(headers: Mapping[str, Any], name: str) -> str:
    every = getattr(headers, "getall", None)
    values = every(name, ()) if every else [headers[name]] if name in headers else []
    return ",".join(sorted(value.strip() for value in values))
