"""Who is calling, and may they: keys, age, signature, token, nonce, `allow` lists, in the order the service is thought to ask."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from cfmock.base.clocks import iso_seconds
from cfmock.base.errors import Refused
from cfmock.base.globs import glob_matches
from cfmock.base.short_text import digest
from cfmock.protocol.auth import signature
from cfmock.protocol.auth.credentials import Credential
from cfmock.protocol.auth.refused_signature import Diagnosis, RefusedSignature
from cfmock.protocol.auth.request_credentials import Claim, check_parts, skew_hint, verify
from cfmock.protocol.wire.messages import OperationCall, Parameters, Request

MAX_NONCES = 100_000
"""Nonces that are remembered; the oldest go first. Our choice: some 20 MB."""


class Nonces:
    """The nonces answered within the time a request stays valid, as digests. `keep` is that time to either side, in seconds."""

    def __init__(self, keep: float) -> None:
        self._keep = 2 * keep
        self._known: set[bytes] = set()
        self._in_order: deque[tuple[float, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._known)

    def is_new(self, access_key_id: str, nonce: str, now: float) -> bool:
        """Whether no call of this key with this nonce was answered, in the time that counts."""
        self._purge(now)
        return digest(f"{access_key_id}\n{nonce}") not in self._known

    def remember(self, access_key_id: str, nonce: str, now: float) -> None:
        """A call with this nonce was answered."""
        seen = digest(f"{access_key_id}\n{nonce}")
        if seen not in self._known:
            self._known.add(seen)
            self._in_order.append((now, seen))
            self._purge(now)

    def _purge(self, now: float) -> None:
        oldest = self._in_order
        while oldest and (oldest[0][0] < now - self._keep or len(oldest) > MAX_NONCES):
            self._known.discard(oldest.popleft()[1])


class Authenticator:
    """Checks calls against the known credentials; without `strict` everybody is whom they say they are. `max_skew` is in seconds
    to either side. `wall_clock` gives seconds since 1970, whatever the flow clock shows."""

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
        self._given = self.keys = _usable(credentials)
        """The known credentials, by id; replaced as a whole."""
        self._strict = strict
        self._max_skew = max_skew
        self.accept_acs3 = accept_acs3
        self._nonces: Nonces | None = Nonces(max_skew) if check_nonce and strict else None
        self._now = wall_clock

    def add(self, credentials: Iterable[Credential]) -> None:
        """Let more keys in; one of a known id replaces it. Raises SettingsError for a public key that cannot be used."""
        self.keys = self.keys | _usable(credentials)  # the former ones may be kept by refused calls

    def replace_given(self, credentials: Iterable[Credential]) -> None:
        """Know these keys in place of those given at first; those added stay. Raises SettingsError as `add` does."""
        given = _usable(credentials)
        added = {key_id: each for key_id, each in self.keys.items() if self._given.get(key_id) is not each}
        self._given, self.keys = given, given | added

    def forget_added(self) -> None:
        """Know those keys only that were given at first."""
        self.keys = self._given

    @property
    def accounts(self) -> set[str]:
        """The accounts that have a key."""
        return {each.account for each in self.keys.values()}

    def authenticate(
        self, request: Request, parameters: Parameters, claim: Claim, call: OperationCall, skew: float = 0.0
    ) -> None:
        """Check that a call is from whom it claims to be; `skew` is by how many seconds the server's clock seems off. Raises
        `Refused`: MissingRequiredParams, MissingRequiredHeader, InvalidArgument, InvalidAccessKeyID, RequestTimeTooSkewed,
        SignatureNotMatch and AccessDenied."""
        if not self._strict:
            return
        check_parts(claim, request, parameters)
        credential = claim.credential
        if not claim.known:
            if claim.bearer is not None:
                raise Refused("AccessDenied", reason="unknown-key")
            raise Refused("InvalidAccessKeyID", claim.access_key_id, reason="unknown-key")
        now = self._now() + skew
        moment = claim.moment
        if abs(moment - now) > self._max_skew:
            hint = skew_hint(claim.time, moment, now)
            raise Refused("RequestTimeTooSkewed", claim.time, iso_seconds(now), reason="time-expired", hint=hint)
        verify(claim, request, parameters)
        if claim.bearer is None and (claim.security_token or credential.security_token is not None):
            _check_token(credential, claim.security_token, now)
        if self._nonces is not None and not self._nonces.is_new(credential.access_key_id, claim.nonce, now):
            raise Refused("InvalidArgument", reason="nonce", detail="SignatureNonce was used already.")
        action, allow = call.operation.action, credential.allow
        if allow is not None and not any(glob_matches(each, action) for each in allow):
            raise Refused(
                "AccessDenied",
                reason="forbidden",
                action=action,
                resource=f"acs:fnf:{call.region}:{credential.account}:flow/{call.flow or '*'}",
                principal_type="AssumedRoleUser" if credential.security_token is not None else "SubUser",
                principal=credential.access_key_id,
                account=credential.account,
            )

    def explain_later(self, request: Request, parameters: Parameters, claim: Claim) -> RefusedSignature:
        """Keep what it takes of a request to explain, if somebody asks, why its signature does not match."""
        # Headers are signed with ACS3 only.
        kept = request if claim.acs3 else replace(request, headers={"content-type": parameters.media_type})
        credential, acs3, known = claim.credential, claim.acs3, self.keys

        def diagnose() -> Diagnosis:
            from cfmock.protocol.auth import diagnosis

            return diagnosis.diagnose(kept, credential, known.values(), acs3=acs3)

        return RefusedSignature(kept, diagnose)

    def answered(self, access_key_id: str, nonce: str) -> None:
        """Remember the nonce of a call that got its answer. Not before: transports repeat a call whose answer was lost."""
        if self._nonces is not None:
            self._nonces.remember(access_key_id, nonce, self._now())


def _usable(credentials: Iterable[Credential]) -> dict[str, Credential]:
    found = {each.access_key_id: each for each in credentials}
    for each in found.values():
        if each.public_key is not None:
            signature.load_public_key(each.public_key)
    return found


def _check_token(credential: Credential, token: str, now: float) -> None:
    key = f"key '{credential.access_key_id}'"
    if credential.security_token is None:
        if token:
            hint = f"{key} has no security token: send none with it"
            raise Refused("AccessDenied", reason="token-mismatch", hint=hint)
        return
    if not token:
        hint = f"{key} goes with a security token: send it as SecurityToken"
        raise Refused("AccessDenied", reason="missing-common", name="SecurityToken", hint=hint)
    if not signature.same(credential.security_token, token):
        raise Refused("AccessDenied", reason="token-mismatch", hint=f"the security token is not that of {key}")
    if credential.expires is not None and now >= credential.expires:
        hint = f"the security token of {key} has expired ({iso_seconds(credential.expires)})"
        raise Refused("AccessDenied", reason="token-expired", hint=hint)
