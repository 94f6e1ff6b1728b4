"""What a request offers to show who sent it, in the four ways that clients know.

A V1 signature by secret or by RSA key pair, an ACS3 signature in headers, or a bearer token in either layout. Reading these
checks that its parts are there and of the right form; whether it proves anything is asked by `verify`, against a credential.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from msgspec import Struct

from cfmock.base.clocks import iso_seconds
from cfmock.base.errors import Refused
from cfmock.protocol.auth import signature
from cfmock.protocol.wire.decode import FORM, is_acs3, read_pairs, split_target
from cfmock.protocol.wire.messages import Parameters, Request

if TYPE_CHECKING:
    from cfmock.protocol.auth.credentials import Credential

BEARER = "BEARERTOKEN"
KEY_PAIR = "PRIVATEKEY"
"""Values of SignatureType; a signature by secret has none, or an empty one."""


class RequestCredentials(Struct, frozen=True):
    """What one request presents. `bearer` is a token that stands for key and signature, else None; `verify` raises `Refused`."""

    access_key_id: str
    bearer: str | None
    time_name: str
    time: str
    nonce: str
    security_token: str
    verify: Callable[[Request, Parameters, Credential], None]

    @property
    def moment(self) -> float:
        """When it was made, in seconds since 1970. Raises `Refused` for a time of another form."""
        return _moment(self.time_name, self.time)


def request_credentials_of(request: Request, parameters: Parameters, *, accept_acs3: bool) -> RequestCredentials:
    """What a request presents. Raises `Refused` for the first part that is missing, or a header of another form."""
    if accept_acs3 and is_acs3(request):
        return _acs3_signed(request, parameters)
    if parameters.values.get("SignatureType") == BEARER:
        return _v1_bearer(parameters)
    return _v1_signed(parameters)


def bearer_token(request: Request, parameters: Parameters, *, acs3: bool) -> str:
    """The token by which a request of this layout says who sent it; empty where it does so by a key."""
    if acs3:
        return request.header("x-acs-bearer-token")
    values = parameters.values
    return values.get("BearerToken", "") if values.get("SignatureType") == BEARER else ""


# -- V1 ----------------------------------------------------------------------------------------------------------------

_V1_REQUIRED = ("AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp")
_V1_BEARER_REQUIRED = ("BearerToken", "SignatureNonce", "Timestamp")


def _v1_signed(parameters: Parameters) -> RequestCredentials:
    values = parameters.values
    get = values.get
    key, nonce, time = get("AccessKeyId"), get("SignatureNonce"), get("Timestamp")
    if not (key and nonce and time and get("Signature") and get("SignatureMethod")):
        raise _missing_parameter(next(name for name in _V1_REQUIRED if not get(name)))
    return RequestCredentials(key, None, "Timestamp", time, nonce, get("SecurityToken", ""), _verify_v1)


def _v1_bearer(parameters: Parameters) -> RequestCredentials:
    # darabonba sends neither key nor signature, the Go SDK both, the signature made with an empty secret: neither is asked.
    values = parameters.values
    for name in _V1_BEARER_REQUIRED:
        if not values.get(name):
            raise _missing_parameter(name)
    return RequestCredentials(
        values.get("AccessKeyId", ""), values["BearerToken"], "Timestamp", values["Timestamp"], values["SignatureNonce"],
        "", _nothing_to_verify,
    )  # fmt: skip


def _missing_parameter(name: str) -> Refused:
    reason = "missing-timestamp" if name == "Timestamp" else "missing-common"
    return Refused("MissingRequiredParams", name, reason=reason, name=name)


def _verify_v1(request: Request, parameters: Parameters, credential: Credential) -> None:
    values = parameters.values
    if values.get("SignatureVersion", "1.0") != "1.0":
        raise _malformed("SignatureVersion must be 1.0.")
    key_pair = values.get("SignatureType") == KEY_PAIR
    method = signature.V1_KEY_PAIR_METHOD if key_pair else signature.V1_METHOD
    if values["SignatureMethod"].upper() != method.upper():
        raise _malformed(f"SignatureMethod must be {method}.")
    text = signature.v1_string_to_sign(request.method, signature.canonical_query(parameters.encoded))
    if key_pair:
        right = rsa_right(credential, values["Signature"], text)
    else:
        expected = signature.v1_signature(credential.access_key_secret, text)
        right = bool(credential.access_key_secret) and signature.same(expected, values["Signature"])
    if not right:
        raise Refused("SignatureNotMatch", reason="signature-v1", string_to_sign=text)


def _nothing_to_verify(request: Request, parameters: Parameters, credential: Credential) -> None:
    """Who knows a bearer token is its bearer."""


# -- ACS3 --------------------------------------------------------------------------------------------------------------

_ACS3_REQUIRED = (
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
    "host",
)
_ACS3_BEARER_REQUIRED = ("x-acs-bearer-token", "x-acs-date", "x-acs-signature-nonce")


def _acs3_signed(request: Request, parameters: Parameters) -> RequestCredentials:
    bearer = request.header("x-acs-bearer-token")
    for name in _ACS3_BEARER_REQUIRED if bearer else _ACS3_REQUIRED:
        if not request.header(name):
            raise Refused("MissingRequiredHeader", name, reason="missing-parameter", name=name)
    moment, nonce = request.header("x-acs-date"), request.header("x-acs-signature-nonce")
    if bearer:
        return RequestCredentials("", bearer, "x-acs-date", moment, nonce, "", _nothing_to_verify)
    authorization = signature.parse_authorization(request.header("authorization"))
    if authorization is None:
        raise _malformed(
            "The Authorization header is not of the form ACS3-<algorithm> Credential=...,SignedHeaders=...,Signature=..."
        )
    return RequestCredentials(
        authorization.credential, None, "x-acs-date", moment, nonce, request.header("x-acs-security-token"),
        functools.partial(_verify_acs3, authorization),
    )  # fmt: skip


def _verify_acs3(
    authorization: signature.Authorization, request: Request, parameters: Parameters, credential: Credential
) -> None:
    payload_hash = signature.acs3_payload_hash(authorization.algorithm, request.body)
    given_hash = request.header("x-acs-content-sha256")
    # Where the body has no pairs, those of the query are known.
    encoded = None if request.body and parameters.media_type == FORM else parameters.encoded
    text = acs3_text(request, authorization, given_hash, encoded)
    if authorization.algorithm == "ACS3-RSA-SHA256":
        right = rsa_right(credential, authorization.signature, text)
    else:
        expected = signature.acs3_signature(authorization.algorithm, credential.access_key_secret, text)
        right = bool(credential.access_key_secret) and signature.same(expected, authorization.signature.lower())
    if not right or not signature.same(payload_hash, given_hash.lower()):
        raise Refused("SignatureNotMatch", reason="signature-acs3", string_to_sign=text)


def acs3_text(
    request: Request,
    authorization: signature.Authorization,
    payload_hash: str,
    encoded: Mapping[str, str] | None = None,
) -> str:
    """The string to sign of a request, as the server sees it. `encoded` are the pairs of its query, if they are known."""
    path, query = split_target(request.target)
    if encoded is None:
        read_pairs(query, {}, encoded := {})
    canonical = signature.acs3_canonical_request(
        request.method, path or "/", "&".join(encoded[name] for name in sorted(encoded)), request.headers,
        authorization.signed_headers, payload_hash,
    )  # fmt: skip
    return signature.acs3_string_to_sign(authorization.algorithm, canonical)


# -- both --------------------------------------------------------------------------------------------------------------


def _malformed(detail: str) -> Refused:
    return Refused("InvalidArgument", reason="incomplete-signature", detail=detail)


def rsa_right(credential: Credential, given: str, text: str) -> bool:
    """Whether it was signed with the private half of the credential's key. V1 writes Base64, ACS3 hex."""
    if credential.public_key is None:
        return False
    try:
        raw = binascii.unhexlify(given)
    except ValueError:
        try:
            raw = base64.b64decode(given, validate=True)
        except ValueError:
            return False
    return signature.rsa_verifies(credential.public_key, raw, text)


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)

_LANGUAGE = "the vendor's Java SDKs print it in the machine's language: start the JVM with -Duser.language=en"

_OTHER_FORMS = [
    (r"[^\x00-\x7f]", f"its digits are not 0 to 9; {_LANGUAGE}"),
    (r"\d\d?-", f"its year is of another calendar; {_LANGUAGE}"),
    (r"[^.]*\.\d+Z\Z", "leave the fraction of the second out; aliyun-openapi-core-rust-sdk 1.1.0 sends one"),
    (r".*%", "it is percent-encoded twice"),
    (r"\d{4}.*[+-]\d\d:?\d\d\Z", "send it in UTC, with Z at its end"),
    (r"\d+\Z", "send it as text, not as a number of seconds"),
]
"""Forms of the time that clients are known to send, each with a hint. Measured with the SDKs that are named."""

_BUDDHIST = 543
"""Years by which the Buddhist calendar is ahead."""


@functools.lru_cache(maxsize=64)
def _moment(name: str, text: str) -> float:
    if _TIME.match(text):
        try:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            pass
    detail = f"{name} must be of the form YYYY-MM-DDThh:mm:ssZ."
    hint = next((hint for form, hint in _OTHER_FORMS if re.match(form, text)), None)
    raise Refused("InvalidArgument", reason="time-format", detail=detail, hint=hint and f"{name}: {hint}")


_ZONE = 1800
"""Seconds: time zones differ by multiples of it. The furthest is 14 hours ahead of UTC."""


def skew_hint(time: str, moment: float, now: float) -> str:
    """Return what explains a time that is off. `time` is as signed, and means `moment`; both times in seconds since 1970."""
    if int(time[:4]) - datetime.fromtimestamp(now, timezone.utc).year == _BUDDHIST:
        return f"the year is of the Buddhist calendar; {_LANGUAGE}"
    zone = round((moment - now) / _ZONE) * _ZONE
    local = zone and abs(moment - now - zone) <= 120 and abs(zone) <= 14 * 3600
    off = _hours(abs(zone if local else moment - now))
    words = f"the client's clock is {off} {'ahead of' if moment > now else 'behind'} the server's ({iso_seconds(now)})"
    return f"{words}: local time was probably sent as UTC" if local else words


def _hours(seconds: float) -> str:
    """Describe a span to the minute, as `5 h 30 min`; a shorter one to the second."""
    minutes = round(seconds / 60)
    parts = (minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or f"{seconds:.0f} s"
