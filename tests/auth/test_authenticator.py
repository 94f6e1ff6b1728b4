"""The signature vectors, and the order in which a call's credentials are checked."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cfmock.auth.authenticator import Authenticator, Credential
from cfmock.client import signed_request
from cfmock.errors import ServiceError
from cfmock.spec.model import load
from cfmock.wire.decode import decode_parameters
from cfmock.wire.messages import Request

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))["vectors"]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc).timestamp()
DESCRIBE = load().operations["DescribeExecution"]
KEY = Credential("ak", "sk")


def authenticator(*credentials: Credential, now: float = NOW, **options: Any) -> Authenticator:
    defaults: dict[str, Any] = {"strict": True, "max_skew": 900, "accept_acs3": True, "check_nonce": False}
    return Authenticator(credentials or (KEY,), **(defaults | options), wall_clock=lambda: now)


def signed(operation: str = "DescribeExecution", **options: Any) -> Request:
    options = {"access_key_id": "ak", "access_key_secret": "sk", "moment": NOW} | options
    return signed_request(operation, {"FlowName": "f", "ExecutionName": "e"}, **options)


def authenticate(request: Request, checker: Authenticator, skew: float = 0.0) -> Any:
    return checker.authenticate(request, decode_parameters(request), DESCRIBE, skew)


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


def test_temporary_credentials_expire() -> None:
    assert refusal(sts("token"), authenticator(STS, now=NOW + 61)).code == "AccessDenied"


def test_a_key_with_an_allow_list_may_do_what_stands_there_and_nothing_else() -> None:
    assert authenticate(signed(), authenticator(Credential("ak", "sk", allow=("fnf:Describe*",)))).access_key_id == "ak"
    assert refusal(signed(), authenticator(Credential("ak", "sk", allow=("fnf:Start*",)))).code == "AccessDenied"


def test_a_nonce_is_refused_once_it_was_answered_and_not_before() -> None:
    checker = authenticator(check_nonce=True)
    request = signed()
    authenticate(request, checker)
    authenticate(request, checker)  # the answer to the first was lost on its way
    checker.answered(request, decode_parameters(request))
    assert refusal(request, checker).code == "InvalidArgument"


def test_without_authentication_everybody_is_who_they_say() -> None:
    assert authenticate(signed(access_key_id="any"), authenticator(strict=False)).access_key_id == "any"
    assert authenticate(Request("GET", "/", {}), authenticator(strict=False)).access_key_id == ""


def test_no_secret_shows_in_a_printed_credential() -> None:
    printed = repr(Credential("ak", "hidden", security_token="hidden", bearer_token="hidden"))
    assert "hidden" not in printed
