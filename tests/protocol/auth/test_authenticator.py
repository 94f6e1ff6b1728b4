"""The signature vectors, and the order in which a call's credentials are checked."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cfmock.api.client import signed_request
from cfmock.base.errors import ServiceError, SettingsError
from cfmock.protocol.auth.authenticator import Authenticator, Nonces
from cfmock.protocol.auth.credentials import Credential
from cfmock.protocol.auth.request_credentials import claim_of
from cfmock.protocol.auth.signature import v1_string_to_sign
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.decode import canonical_query, decode_parameters, is_acs3, percent_encode
from cfmock.protocol.wire.messages import OperationCall, Request

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))["vectors"]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc).timestamp()
DESCRIBE = OperationCall(load().operations["DescribeExecution"], {})
KEY = Credential("ak", "sk")


def authenticator(*credentials: Credential, now: float = NOW, **options: Any) -> Authenticator:
    defaults: dict[str, Any] = {"strict": True, "max_skew": 900, "accept_acs3": True, "check_nonce": False}
    return Authenticator(credentials or (KEY,), **(defaults | options), wall_clock=lambda: now)


def signed(operation: str = "DescribeExecution", **options: Any) -> Request:
    options = {"access_key_id": "ak", "access_key_secret": "sk", "moment": NOW} | options
    return signed_request(operation, {"FlowName": "f", "ExecutionName": "e"}, **options)


def authenticate(request: Request, checker: Authenticator, skew: float = 0.0) -> Credential:
    """Whose call it is, if it may pass."""
    acs3 = checker.accept_acs3 and is_acs3(request)
    parameters = decode_parameters(request, acs3=acs3)
    claim = claim_of(request, parameters, checker.keys, acs3)
    checker.authenticate(request, parameters, claim, DESCRIBE, skew)
    return claim.credential


def refusal(request: Request, checker: Authenticator, skew: float = 0.0) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        authenticate(request, checker, skew)
    return caught.value


def vector_request(vector: dict[str, Any]) -> tuple[Request, float]:
    raw = vector["request"]
    headers = {name.lower(): value for name, value in raw["headers"].items()}
    body = raw["body"].encode()
    if vector["scheme"] == "rpc-v1" and body:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    request = Request(raw["method"], f"{raw['path']}?{raw['rawQuery']}", headers, body)
    text = decode_parameters(request).values.get("Timestamp") or headers["x-acs-date"]
    return request, datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_published_or_captured_signature_verifies_as_expected(vector: dict[str, Any]) -> None:
    request, moment = vector_request(vector)
    key = Credential(
        vector["accessKeyId"], vector.get("accessKeySecret", ""),
        security_token=vector.get("securityToken"), public_key=vector.get("publicKeyPem"),
    )  # fmt: skip
    checker = authenticator(key, now=moment)
    if vector["expect"] == "valid":
        request.headers.setdefault("x-acs-accesskey-id", "other")  # type: ignore[attr-defined]
        assert authenticate(request, checker).access_key_id == vector["accessKeyId"]
    else:
        assert refusal(request, checker).code == "SignatureNotMatch"


def test_there_are_forty_vectors_of_which_eight_must_not_verify() -> None:
    assert len(VECTORS) == 40
    assert sum(vector["expect"] == "invalid" for vector in VECTORS) == 8


@pytest.mark.parametrize("name", ["AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp"])
def test_a_missing_common_parameter_is_named(name: str) -> None:
    request = signed()
    parts = [part for part in request.target[2:].split("&") if not part.startswith(f"{name}=")]
    failure = refusal(Request("GET", "/?" + "&".join(parts), request.headers), authenticator())
    assert (failure.code, failure.args) == ("MissingRequiredParams", (name,))


def test_of_several_missing_parameters_the_first_is_named() -> None:
    assert refusal(Request("GET", "/?Action=ListFlows", {}), authenticator()).args == ("AccessKeyId",)


@pytest.mark.parametrize(
    "name", ["x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"]
)
def test_a_missing_header_of_an_acs3_call_is_named(name: str) -> None:
    vector = next(each for each in VECTORS if each["id"] == "acs3-py-get")
    request, moment = vector_request(vector)
    headers = {key: value for key, value in request.headers.items() if key != name}
    key = Credential(vector["accessKeyId"], vector["accessKeySecret"])
    failure = refusal(Request(request.method, request.target, headers), authenticator(key, now=moment))
    assert (failure.code, failure.args) == ("MissingRequiredHeader", (name,))


def test_an_acs3_signature_is_refused_like_an_unsigned_call_where_acs3_is_off() -> None:
    request, moment = vector_request(next(each for each in VECTORS if each["id"] == "acs3-py-get"))
    assert refusal(request, authenticator(now=moment, accept_acs3=False)).code == "MissingRequiredParams"


def test_an_unknown_key_is_refused_before_the_time_is_looked_at() -> None:
    failure = refusal(signed(access_key_id="who", moment=0.0), authenticator())
    assert (failure.code, failure.args) == ("InvalidAccessKeyID", ("who",))


@pytest.mark.parametrize("off", [-901, 901])
def test_a_signature_more_than_fifteen_minutes_off_is_too_skewed(off: int) -> None:
    failure = refusal(signed(moment=NOW + off), authenticator())
    assert failure.code == "RequestTimeTooSkewed"
    assert failure.args[1] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("off", [-900, 0, 900])
def test_a_signature_up_to_fifteen_minutes_off_is_in_time(off: int) -> None:
    assert authenticate(signed(moment=NOW + off), authenticator()).access_key_id == "ak"


def test_a_server_clock_that_seems_off_skews_a_punctual_call() -> None:
    assert refusal(signed(), authenticator(), skew=1200).code == "RequestTimeTooSkewed"


def test_a_wrong_secret_does_not_match() -> None:
    assert refusal(signed(access_key_secret="no"), authenticator()).code == "SignatureNotMatch"


@pytest.mark.parametrize("form", ["2026-01-02T03:04:05.000Z", "2026-01-02 03:04:05", "2026-13-02T03:04:05Z", "x"])
def test_a_time_of_another_form_is_an_invalid_argument(form: str) -> None:
    request = signed()
    target = request.target.replace("2026-01-02T03%3A04%3A05Z", form.replace(":", "%3A").replace(" ", "%20"))
    failure = refusal(Request("GET", target, request.headers), authenticator())
    assert failure.code == "InvalidArgument"
    assert "Timestamp" in failure.detail


STS = Credential("STS.x", "sk", security_token="token", expires=NOW + 60)


def sts(token: str | None) -> Request:
    return signed(access_key_id="STS.x", security_token=token)


def test_temporary_credentials_need_their_own_token() -> None:
    assert authenticate(sts("token"), authenticator(STS)).access_key_id == "STS.x"
    assert refusal(sts("other"), authenticator(STS)).code == "AccessDenied"
    assert refusal(sts(None), authenticator(STS)).code == "AccessDenied"


def test_temporary_credentials_expire_at_their_time() -> None:
    assert authenticate(sts("token"), authenticator(STS, now=NOW + 59.999)).access_key_id == "STS.x"
    assert refusal(sts("token"), authenticator(STS, now=NOW + 60)).code == "AccessDenied"


def test_a_key_with_an_allow_list_may_do_what_stands_there_and_nothing_else() -> None:
    assert authenticate(signed(), authenticator(Credential("ak", "sk", allow=("fnf:Describe*",)))).access_key_id == "ak"
    assert refusal(signed(), authenticator(Credential("ak", "sk", allow=("fnf:Start*",)))).code == "AccessDenied"


def test_a_nonce_is_refused_once_it_was_answered_and_not_before() -> None:
    checker = authenticator(check_nonce=True)
    request = signed()
    authenticate(request, checker)
    authenticate(request, checker)  # the answer to the first was lost on its way
    checker.answered("ak", decode_parameters(request).values["SignatureNonce"])
    assert refusal(request, checker).code == "InvalidArgument"


def test_a_nonce_is_remembered_while_a_request_with_it_can_be_valid_and_no_longer() -> None:
    nonces = Nonces(keep=900)
    nonces.remember("ak", "n", NOW)
    assert not nonces.is_new("ak", "n", NOW + 1800)
    assert nonces.is_new("ak", "n", NOW + 1801)


def test_nonces_go_when_their_time_is_over_whether_or_not_anybody_asks_for_them() -> None:
    nonces = Nonces(keep=900)
    for second in range(5000):
        nonces.remember("ak", f"n{second}", NOW + second)
    assert len(nonces) == 1801


def test_only_so_many_nonces_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfmock.protocol.auth.authenticator.MAX_NONCES", 3)
    nonces = Nonces(keep=900)
    for number in range(5):
        nonces.remember("ak", f"n{number}", NOW)
    assert [nonces.is_new("ak", f"n{number}", NOW) for number in range(5)] == [True, True, False, False, False]


def test_nonces_that_differ_behind_a_long_beginning_are_different() -> None:
    nonces = Nonces(keep=900)
    nonces.remember("ak", "n" * 100_000, NOW)
    assert not nonces.is_new("ak", "n" * 100_000, NOW)
    assert nonces.is_new("ak", "n" * 99_999 + "m", NOW)
    assert nonces.is_new("other", "n" * 100_000, NOW)


def test_where_signatures_are_not_checked_no_nonce_is_kept() -> None:
    checker = authenticator(check_nonce=True, strict=False)
    checker.answered("ak", "n")
    assert authenticate(signed(), checker).access_key_id == "ak"
    assert checker._nonces is None


def test_a_key_without_a_secret_is_not_signed_for_with_an_empty_one() -> None:
    for credential in (Credential("ak", public_key=PUBLIC), Credential("ak", bearer_token="b")):
        assert refusal(signed(access_key_secret=""), authenticator(credential)).code == "SignatureNotMatch"


# -- RSA key pairs -------------------------------------------------------------------------------------------------------

_PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = _PRIVATE.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
).decode()  # fmt: skip
PAIR = Credential("ak", public_key=PUBLIC)


def rsa_signed(**more: str) -> Request:
    """As the legacy core signs with a key pair: SignatureMethod=SHA256withRSA, SignatureType=PRIVATEKEY."""
    values = {
        "Action": "DescribeExecution", "Version": "2019-03-15", "Timestamp": "2026-01-02T03:04:05Z", "FlowName": "f",
        "SignatureNonce": "n", "SignatureMethod": "SHA256withRSA", "SignatureType": "PRIVATEKEY",
        "SignatureVersion": "1.0", "AccessKeyId": "ak", **more,
    }  # fmt: skip
    encoded = {name: f"{percent_encode(name)}={percent_encode(value)}" for name, value in values.items()}
    text = v1_string_to_sign("GET", canonical_query(encoded))
    raw = _PRIVATE.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    encoded["Signature"] = f"Signature={percent_encode(base64.b64encode(raw).decode())}"
    return Request("GET", "/?" + "&".join(encoded.values()), {})


def test_a_key_pair_signs_with_its_private_half() -> None:
    assert authenticate(rsa_signed(), authenticator(PAIR)).access_key_id == "ak"


def test_a_changed_parameter_breaks_the_signature_of_a_key_pair() -> None:
    request = rsa_signed()
    changed = Request("GET", request.target.replace("FlowName=f", "FlowName=g"), {})
    assert refusal(changed, authenticator(PAIR)).code == "SignatureNotMatch"


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64!", "%2B" * 20])
def test_what_is_no_signature_of_a_key_pair_does_not_match(signature: str) -> None:
    target = rsa_signed().target.rpartition("&Signature=")[0] + f"&Signature={signature}"
    expected = "SignatureNotMatch" if signature else "MissingRequiredParams"
    assert refusal(Request("GET", target, {}), authenticator(PAIR)).code == expected


def test_a_key_with_a_secret_is_not_signed_for_by_a_key_pair() -> None:
    assert refusal(rsa_signed(), authenticator()).code == "SignatureNotMatch"


@pytest.mark.parametrize("more", [{"SignatureMethod": "HMAC-SHA1"}, {"SignatureType": ""}, {"SignatureVersion": "2.0"}])
def test_method_type_and_version_of_a_signature_must_go_together(more: dict[str, str]) -> None:
    assert refusal(rsa_signed(**more), authenticator(PAIR)).code == "InvalidArgument"


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_public_key_that_is_none_is_told_when_it_is_given(pem: str) -> None:
    with pytest.raises(SettingsError):
        authenticator(Credential("ak", public_key=pem))


# -- bearer tokens -------------------------------------------------------------------------------------------------------

BEARER = Credential("bearer", bearer_token="let me in", account="100")
COMMON = "Action=DescribeExecution&Version=2019-03-15&SignatureNonce=n&Timestamp=2026-01-02T03%3A04%3A05Z"
DATED = {"x-acs-date": "2026-01-02T03:04:05Z", "x-acs-signature-nonce": "n"}


def borne(token: str = "let me in", more: str = "") -> Request:
    """As darabonba sends it: neither key nor signature."""
    return Request("GET", f"/?{COMMON}&SignatureType=BEARERTOKEN&BearerToken={percent_encode(token)}{more}", {})


@pytest.mark.parametrize(
    "more", ["", "&AccessKeyId=&Signature=AAAA&SignatureMethod=HMAC-SHA1", "&AccessKeyId=ak", "&AccessKeyId=bearer"]
)
def test_a_bearer_token_stands_for_key_and_signature(more: str) -> None:
    assert authenticate(borne(more=more), authenticator(KEY, BEARER)) is BEARER


def test_a_bearer_token_may_come_in_a_header() -> None:
    headers = {"x-acs-bearer-token": "let me in", "x-acs-action": "DescribeExecution", **DATED}
    for query in ("SignatureType=BEARERTOKEN", "AccessKeyId=ak"):
        assert authenticate(Request("GET", f"/?{query}", headers), authenticator(KEY, BEARER)) is BEARER


def test_an_unknown_bearer_token_is_refused() -> None:
    assert refusal(borne("other"), authenticator(KEY, BEARER)).code == "AccessDenied"
    assert refusal(borne("sk"), authenticator(KEY)).code == "AccessDenied"
    headers = {"x-acs-bearer-token": "other", **DATED}
    assert refusal(Request("GET", "/", headers), authenticator(BEARER)).code == "AccessDenied"


@pytest.mark.parametrize("name", ["BearerToken", "SignatureNonce", "Timestamp"])
def test_a_call_with_a_bearer_token_has_its_time_and_nonce(name: str) -> None:
    parts = [part for part in borne().target[2:].split("&") if not part.startswith(f"{name}=")]
    failure = refusal(Request("GET", "/?" + "&".join(parts), {}), authenticator(BEARER))
    assert (failure.code, failure.args) == ("MissingRequiredParams", (name,))


@pytest.mark.parametrize("name", ["x-acs-date", "x-acs-signature-nonce"])
def test_so_has_one_with_the_token_in_a_header(name: str) -> None:
    headers = {key: value for key, value in {"x-acs-bearer-token": "b", **DATED}.items() if key != name}
    failure = refusal(Request("GET", "/", headers), authenticator(BEARER))
    assert (failure.code, failure.args) == ("MissingRequiredHeader", (name,))


def test_a_bearer_token_is_bound_to_its_time_and_its_allow_list() -> None:
    assert refusal(borne(), authenticator(BEARER, now=NOW + 1000)).code == "RequestTimeTooSkewed"
    reader = Credential("bearer", bearer_token="let me in", allow=("fnf:List*",))
    assert refusal(borne(), authenticator(reader)).code == "AccessDenied"


def test_a_token_of_no_use_for_a_signed_call_changes_nothing() -> None:
    request = signed(access_key_secret="no")
    sneaky = Request("GET", request.target + "&BearerToken=let%20me%20in", request.headers)
    assert refusal(sneaky, authenticator(KEY, BEARER)).code == "SignatureNotMatch"


def test_without_authentication_everybody_is_who_they_say() -> None:
    assert authenticate(signed(access_key_id="any"), authenticator(strict=False)).access_key_id == "any"
    assert authenticate(Request("GET", "/", {}), authenticator(strict=False)).access_key_id == ""


def test_no_secret_shows_in_a_printed_credential() -> None:
    printed = repr(Credential("ak", "hidden", security_token="hidden", bearer_token="hidden"))
    assert "hidden" not in printed


def test_keys_given_anew_replace_those_given_first_and_leave_those_added() -> None:
    checker = authenticator(Credential("old"), Credential("ak", "before"))
    checker.add([Credential("added", "s")])
    checker.replace_given([KEY])
    assert list(checker.keys) == ["ak", "added"]
    assert authenticate(signed(), checker) is KEY
    checker.forget_added()
    assert list(checker.keys) == ["ak"]
