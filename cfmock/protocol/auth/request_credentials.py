"""What a request offers to show who sent it, in the four ways that clients know.

A V1 signature by secret or by RSA key pair, an ACS3 signature in headers, or a bearer token in either layout. All of it is read
once, into a `Claim`; `check_parts` says whether its parts are there and of the right form, `verify` whether they prove anything.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from msgspec import Struct

from cfmock.base.clocks import iso_seconds
from cfmock.base.errors import Refused
from cfmock.protocol.auth import signature
from cfmock.protocol.auth.credentials import Credential
from cfmock.protocol.wire.messages import Parameters, Request

BEARER = "BEARERTOKEN"
KEY_PAIR = "PRIVATEKEY"
"""Values of SignatureType; a signature by secret has none, or an empty one."""


class Claim(Struct, frozen=True, gc=False):
    """What one request says of who sent it, each part as it stands there, empty where it is missing; nothing is proved yet.
    `acs3`: it is read from headers. `bearer` is a token in place of key and signature, None: there is none. `credential` is the
    one to check it against, `known` whether the server has it."""

    acs3: bool
    access_key_id: str
    bearer: str | None
    time: str
    nonce: str
    security_token: str
    authorization: signature.Authorization | None
    credential: Credential
    known: bool

    @property
    def moment(self) -> float:
        """When it was made, in seconds since 1970. Raises `Refused` for a time of another form."""
        return _moment("x-acs-date" if self.acs3 else "Timestamp", self.time)


def claim_of(request: Request, parameters: Parameters, keys: Mapping[str, Credential], acs3: bool) -> Claim:
    """Read whom a request says it is from; `keys` are those known, by id. Headers count in ACS3, and where nothing is signed."""
    values, get = parameters.values, parameters.values.get
    authorization = bearer = None
    name = time = nonce = token = ""
    if not acs3:
        name, time, nonce = get("AccessKeyId", ""), get("Timestamp", ""), get("SignatureNonce", "")
        token = get("SecurityToken", "")
        if get("SignatureType") == BEARER:
            bearer = get("BearerToken", "")
    if acs3 or (bearer is None and "Signature" not in values):
        header = request.header
        authorization = signature.parse_authorization(header("authorization"))
        name = name or (header("x-acs-accesskey-id") if authorization is None else authorization.credential)
        time, nonce = time or header("x-acs-date"), nonce or header("x-acs-signature-nonce")
        token = token or header("x-acs-security-token")
        if acs3:
            bearer = header("x-acs-bearer-token") or None
    found = keys.get(name) if bearer is None else _borne(keys, bearer)
    return Claim(acs3, name, bearer, time, nonce, token, authorization, found or Credential(name), found is not None)


def _borne(keys: Mapping[str, Credential], token: str) -> Credential | None:
    for each in keys.values() if token else ():
        if each.bearer_token is not None and signature.same(each.bearer_token, token):
            return each
    return None


_PARTS = {
    (False, False): ("AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp"),
    # darabonba sends neither key nor signature, the Go SDK both, the signature made with an empty secret: neither is asked.
    (False, True): ("BearerToken", "SignatureNonce", "Timestamp"),
    (True, False): (
        "x-acs-action", "x-acs-version", "x-acs-content-sha256", "host", "x-acs-signature-nonce", "x-acs-date",
    ),
    (True, True): ("x-acs-bearer-token", "x-acs-signature-nonce", "x-acs-date"),
}  # fmt: skip
"""The parts that are asked of a claim, nonce and time last: by whether it is ACS3, and whether it has a bearer token."""


def check_parts(claim: Claim, request: Request, parameters: Parameters) -> None:
    """Check that all parts of a claim are there. Raises `Refused` for the first that is not, or a header of another form."""
    get: Callable[[str], str | None] = request.header if claim.acs3 else parameters.values.get
    names = _PARTS[claim.acs3, claim.bearer is not None]
    if not (claim.nonce and claim.time and all(map(get, names[:-2]))):
        name = next(name for name in names if not get(name))
        if claim.acs3:
            raise Refused("MissingRequiredHeader", name, reason="missing-parameter", name=name)
        reason = "missing-timestamp" if name == "Timestamp" else "missing-common"
        hint = _other_scheme(request.header("authorization")) if name == "AccessKeyId" else None
        raise Refused("MissingRequiredParams", name, reason=reason, name=name, hint=hint)
    if claim.acs3 and claim.bearer is None and claim.authorization is None:
        raise _malformed(
            "The Authorization header is not of the form ACS3-<algorithm> Credential=...,SignedHeaders=...,Signature=..."
        )


def _other_scheme(authorization: str) -> str | None:
    """Describe an Authorization header that is not read. `aliyun-gateway-pop` sends ACS4 with SignatureVersion.V4."""
    scheme = authorization.strip().partition(" ")[0]
    if scheme in signature.ALGORITHMS:
        return f"the call is signed with {scheme}, and 'accept_acs3' is off: sign with version 1.0"
    words = f"the Authorization header is of the kind {scheme:.32}: sign with version 1.0 or ACS3-HMAC-SHA256"
    return words if scheme else None


def verify(claim: Claim, request: Request, parameters: Parameters) -> None:
    """Check that a request is signed with the key that it claims; a bearer token needs no signature. Raises `Refused`."""
    if claim.bearer is not None:
        return
    if claim.authorization is not None:
        _verify_acs3(claim.authorization, claim.credential, request, parameters)
    else:
        _verify_v1(claim.credential, request, parameters)


def _verify_v1(credential: Credential, request: Request, parameters: Parameters) -> None:
    values = parameters.values
    if values.get("SignatureVersion", "1.0") != "1.0":
        raise _malformed("SignatureVersion must be 1.0.")
    key_pair = values.get("SignatureType") == KEY_PAIR
    method = signature.V1_KEY_PAIR_METHOD if key_pair else signature.V1_METHOD
    if values["SignatureMethod"].upper() != method.upper():
        raise _malformed(f"SignatureMethod must be {method}.")
    text = signature.v1_string_to_sign(request.method, parameters.canonical)
    if key_pair:
        right = rsa_right(credential, values["Signature"], text)
    else:
        expected = signature.v1_signature(credential.access_key_secret, text)
        right = bool(credential.access_key_secret) and signature.same(expected, values["Signature"])
    if not right:
        raise Refused("SignatureNotMatch", reason="signature-v1", string_to_sign=text)


def _verify_acs3(
    authorization: signature.Authorization, credential: Credential, request: Request, parameters: Parameters
) -> None:
    payload_hash = signature.acs3_payload_hash(authorization.algorithm, request.body)
    given_hash = request.header("x-acs-content-sha256")
    canonical = signature.acs3_canonical_request(
        request.method, parameters.path or "/", parameters.canonical, request.headers, authorization.signed_headers,
        given_hash,
    )  # fmt: skip
    text = signature.acs3_string_to_sign(authorization.algorithm, canonical)
    if authorization.algorithm == "ACS3-RSA-SHA256":
        right = rsa_right(credential, authorization.signature, text)
    else:
        expected = signature.acs3_signature(authorization.algorithm, credential.access_key_secret, text)
        right = bool(credential.access_key_secret) and signature.same(expected, authorization.signature.lower())
    if not right or not signature.same(payload_hash, given_hash.lower()):
        raise Refused("SignatureNotMatch", reason="signature-acs3", string_to_sign=text)


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
    (r"[^\x00-\x7f]|\?", f"its digits are not 0 to 9; {_LANGUAGE}"),
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
    if abs(moment - now) > 86_400:
        return f"{words}: tests that stop the time need a larger 'max_time_skew'"
    return f"{words}: local time was probably sent as UTC" if local else words


def _hours(seconds: float) -> str:
    """Describe a span to the minute, as `5 h 30 min`; a shorter one to the second."""
    minutes = round(seconds / 60)
    parts = (minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min")
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or f"{seconds:.0f} s"
