"""Who is calling, and may they: keys, age, signature, token, nonce, `allow` lists, in the order the service is thought to ask."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import NamedTuple

from cfmock.auth import signature
from cfmock.clock import iso_seconds
from cfmock.errors import ServiceError
from cfmock.matching import glob_matches
from cfmock.spec.model import Operation
from cfmock.wire.decode import is_acs3, read_pairs, split_target
from cfmock.wire.messages import Parameters, Request

DEFAULT_ACCOUNT = ""
"""The account of credentials that name none."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One access key. `expires` is in seconds since 1970; `allow` holds globs of RAM actions (`fnf:Describe*`), None: all."""

    access_key_id: str
    access_key_secret: str = field(default="", repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires: float | None = None
    account: str = DEFAULT_ACCOUNT
    allow: tuple[str, ...] | None = None
    public_key: str | None = None
    bearer_token: str | None = field(default=None, repr=False)


DEFAULT_CREDENTIAL = Credential("cfmock", "cfmock-secret")
"""What everybody may use where no fixture names a key."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The caller, once known."""

    access_key_id: str
    account: str = DEFAULT_ACCOUNT


class Authenticator:
    """Checks calls against the known credentials.

    `strict` False lets everybody in, as whom they say they are. `max_skew` is in seconds to either side. `wall_clock` gives
    seconds since 1970: a signature's age is judged by real time, whatever the flow clock shows.
    """

    def __init__(
        self,
        credentials: Iterable[Credential],
        *,
        strict: bool,
        max_skew: float,
        accept_acs3: bool,
        check_nonce: bool,
        wall_clock: Callable[[], float],
    ) -> None:
        self._given = {each.access_key_id: each for each in credentials}
        self._credentials = dict(self._given)
        self._strict = strict
        self._max_skew = max_skew
        self._accept_acs3 = accept_acs3
        self._nonces: Nonces | None = Nonces(max_skew) if check_nonce else None
        self._now = wall_clock

    def add(self, credentials: Iterable[Credential]) -> None:
        """Let more keys in; one of a known id replaces it."""
        self._credentials |= {each.access_key_id: each for each in credentials}

    def forget_added(self) -> None:
        """Know those keys only that were given at first."""
        self._credentials = dict(self._given)

    @property
    def accounts(self) -> set[str]:
        """The accounts that have a key."""
        return {each.account for each in self._credentials.values()}

    def authenticate(
        self, request: Request, parameters: Parameters, operation: Operation, skew: float = 0.0
    ) -> Identity:
        """The caller. `skew` makes the server's clock seem off by so many seconds.

        Raises MissingRequiredParams, MissingRequiredHeader, InvalidArgument, InvalidAccessKeyID, RequestTimeTooSkewed,
        SignatureNotMatch and AccessDenied.
        """
        if not self._strict:
            return self.claimed(request, parameters)
        proof = _acs3_proof(request) if self._accept_acs3 and is_acs3(request) else _v1_proof(parameters)
        credential = self._credentials.get(proof.access_key_id)
        if credential is None:
            raise ServiceError("InvalidAccessKeyID", proof.access_key_id)
        now = self._now() + skew
        if abs(_moment(proof.time_name, proof.time) - now) > self._max_skew:
            raise ServiceError("RequestTimeTooSkewed", proof.time, iso_seconds(now))
        proof.verify(request, parameters, credential)
        _check_token(credential, proof.security_token, now)
        if self._nonces is not None and not self._nonces.is_new(proof.access_key_id, proof.nonce, now):
            raise ServiceError("InvalidArgument", detail="SignatureNonce was used already.")
        if credential.allow is not None and not any(glob_matches(each, operation.action) for each in credential.allow):
            raise ServiceError("AccessDenied")
        return Identity(credential.access_key_id, credential.account)

    def claimed(self, request: Request, parameters: Parameters) -> Identity:
        """Whom a request says it comes from, unchecked: for `--auth off`, and for the journal of refused calls."""
        name = parameters.values.get("AccessKeyId") or _claimed_by_header(request)
        credential = self._credentials.get(name)
        return Identity(name, credential.account if credential else DEFAULT_ACCOUNT)

    def answered(self, request: Request, parameters: Parameters) -> None:
        """Remember the nonce of a call that got its answer. Not before: transports repeat a call whose answer was lost."""
        if self._nonces is not None:
            nonce = parameters.values.get("SignatureNonce") or request.header("x-acs-signature-nonce")
            self._nonces.remember(self.claimed(request, parameters).access_key_id, nonce, self._now())


class _Proof(NamedTuple):
    access_key_id: str
    time_name: str
    time: str
    nonce: str
    security_token: str
    verify: Callable[[Request, Parameters, Credential], None]


_V1_REQUIRED = ("AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp")


def _v1_proof(parameters: Parameters) -> _Proof:
    values = parameters.values
    for name in _V1_REQUIRED:
        if not values.get(name):
            raise ServiceError("MissingRequiredParams", name)
    return _Proof(
        values["AccessKeyId"], "Timestamp", values["Timestamp"], values["SignatureNonce"],
        values.get("SecurityToken", ""), _verify_v1,
    )  # fmt: skip


def _verify_v1(request: Request, parameters: Parameters, credential: Credential) -> None:
    values = parameters.values
    if values["SignatureMethod"].upper() != signature.V1_METHOD:
        raise ServiceError("InvalidArgument", detail="SignatureMethod must be HMAC-SHA1.")
    if values.get("SignatureVersion", "1.0") != "1.0":
        raise ServiceError("InvalidArgument", detail="SignatureVersion must be 1.0.")
    text = signature.v1_string_to_sign(request.method, signature.canonical_query(parameters.encoded))
    if not signature.same(signature.v1_signature(credential.access_key_secret, text), values["Signature"]):
        raise ServiceError("SignatureNotMatch")


_ACS3_REQUIRED = (
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
    "host",
)


def _acs3_proof(request: Request) -> _Proof:
    for name in _ACS3_REQUIRED:
        if not request.header(name):
            raise ServiceError("MissingRequiredHeader", name)
    authorization = signature.parse_authorization(request.header("authorization"))
    if authorization is None:
        raise ServiceError("InvalidArgument", detail="The Authorization header is not of the form ACS3-<algorithm> "
                           "Credential=...,SignedHeaders=...,Signature=...")  # fmt: skip
    return _Proof(
        authorization.credential, "x-acs-date", request.header("x-acs-date"), request.header("x-acs-signature-nonce"),
        request.header("x-acs-security-token"), functools.partial(_verify_acs3, authorization),
    )  # fmt: skip


def _verify_acs3(
    authorization: signature.Authorization, request: Request, parameters: Parameters, credential: Credential
) -> None:
    payload_hash = signature.acs3_payload_hash(authorization.algorithm, request.body)
    given_hash = request.header("x-acs-content-sha256")
    text = acs3_text(request, authorization, given_hash)
    if authorization.algorithm == "ACS3-RSA-SHA256":
        right = credential.public_key is not None and _rsa_right(credential.public_key, authorization.signature, text)
    else:
        expected = signature.acs3_signature(authorization.algorithm, credential.access_key_secret, text)
        right = bool(credential.access_key_secret) and signature.same(expected, authorization.signature.lower())
    if not right or not signature.same(payload_hash, given_hash.lower()):
        raise ServiceError("SignatureNotMatch")


def acs3_text(request: Request, authorization: signature.Authorization, payload_hash: str) -> str:
    """The string to sign of a request, as the server sees it."""
    path, query = split_target(request.target)
    encoded: dict[str, str] = {}
    if query:
        read_pairs(query, {}, encoded)
    canonical = signature.acs3_canonical_request(
        request.method, path or "/", "&".join(encoded[name] for name in sorted(encoded)), request.headers,
        authorization.signed_headers, payload_hash,
    )  # fmt: skip
    return signature.acs3_string_to_sign(authorization.algorithm, canonical)


def _rsa_right(public_key: str, given: str, text: str) -> bool:
    try:
        raw = binascii.unhexlify(given)
    except ValueError:
        try:
            raw = base64.b64decode(given, validate=True)
        except ValueError:
            return False
    return signature.rsa_verifies(public_key, raw, text)


def _check_token(credential: Credential, token: str, now: float) -> None:
    if credential.security_token is None:
        if token:
            raise ServiceError("AccessDenied")
        return
    if not signature.same(credential.security_token, token):
        raise ServiceError("AccessDenied")
    if credential.expires is not None and now >= credential.expires:
        raise ServiceError("AccessDenied")


_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)


@functools.lru_cache(maxsize=64)
def _moment(name: str, text: str) -> float:
    if _TIME.match(text):
        try:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            pass
    raise ServiceError("InvalidArgument", detail=f"{name} must be of the form YYYY-MM-DDThh:mm:ssZ.")


def _claimed_by_header(request: Request) -> str:
    authorization = signature.parse_authorization(request.header("authorization"))
    return authorization.credential if authorization else request.header("x-acs-accesskey-id")


class Nonces:
    """The nonces answered within the time a request stays valid, oldest first."""

    def __init__(self, keep: float) -> None:
        self._keep = 2 * keep
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def is_new(self, access_key_id: str, nonce: str, now: float) -> bool:
        while self._seen and next(iter(self._seen.values())) < now - self._keep:
            self._seen.popitem(last=False)
        return (access_key_id, nonce) not in self._seen

    def remember(self, access_key_id: str, nonce: str, now: float) -> None:
        self._seen[access_key_id, nonce] = now
