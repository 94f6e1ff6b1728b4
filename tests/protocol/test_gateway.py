"""`errors: gateway`: calls that the gateway would refuse are refused in its words, the rest goes through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cfmock.api.client import signed_request
from cfmock.control.control import Control
from cfmock.protocol.auth import signature
from cfmock.protocol.wire.decode import decode_parameters
from cfmock.protocol.wire.messages import Reply, Request
from tests.support.calls import Service, echo_flow, make_service

KEYS = {
    "credentials": [
        {"access_key_id": "ak", "access_key_secret": "sk"},
        {"access_key_id": "STS.x", "access_key_secret": "sk", "security_token": "t", "expires": "2030-01-01T00:00:00Z"},
        {
            "access_key_id": "STS.old",
            "access_key_secret": "sk",
            "security_token": "t",
            "expires": "2020-01-01T00:00:00Z",
        },
        {"access_key_id": "reader", "access_key_secret": "sk", "allow": ["fnf:List*"], "account": "100"},
    ]
}


@pytest.fixture
def service() -> Service:
    return make_service({**echo_flow(), **KEYS}, errors="gateway")


def send(service: Service, request: Request) -> dict[str, Any]:
    reply = service.emulator.handle(request)
    assert isinstance(reply, Reply)
    fields: dict[str, Any] = json.loads(reply.body)
    return {**fields, "status": reply.status}


def call(operation: str = "ListFlows", key: str = "ak", secret: str = "sk", **options: Any) -> Request:
    parameters = options.pop("parameters", {})
    return signed_request(operation, parameters, access_key_id=key, access_key_secret=secret, **options)


def without(request: Request, *names: str) -> Request:
    parts = [part for part in request.target[2:].split("&") if part.partition("=")[0] not in names]
    headers = {} if "Version" in names or "Action" in names else request.headers
    return Request(request.method, "/?" + "&".join(parts), headers)


def having(request: Request, **values: str) -> Request:
    stripped = without(request, *values)
    return Request(
        request.method,
        stripped.target + "".join(f"&{name}={value}" for name, value in values.items()),
        stripped.headers,
    )


def acs3(*missing: str) -> Request:
    names = {
        "x-acs-action": "ListFlows", "x-acs-version": "2019-03-15", "x-acs-date": "2024-06-01T00:00:00Z",
        "x-acs-signature-nonce": "n", "x-acs-content-sha256": "0", "host": "h",
        "authorization": "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=host,Signature=00",
    }  # fmt: skip
    return Request("GET", "/", {name: value for name, value in names.items() if name not in missing})


CASES: dict[str, tuple[Any, int, str]] = {
    "a wrong secret": (lambda: call(secret="no"), 400, "SignatureDoesNotMatch"),
    "an unknown key": (lambda: call(key="who"), 404, "InvalidAccessKeyId"),
    "an old time": (lambda: call(moment=0.0), 400, "InvalidTimeStamp.Expired"),
    "a time of another form": (lambda: having(call(), Timestamp="now"), 400, "InvalidTimeStamp.Format"),
    "no key": (lambda: without(call(), "AccessKeyId"), 400, "MissingAccessKeyId"),
    "no nonce": (lambda: without(call(), "SignatureNonce"), 400, "MissingSignatureNonce"),
    "no time": (lambda: without(call(), "Timestamp"), 400, "IllegalTimestamp"),
    "no token": (lambda: call(key="STS.x"), 400, "MissingSecurityToken"),
    "a wrong token": (
        lambda: call(key="STS.x", security_token="no"), 400, "InvalidSecurityToken.MismatchWithAccessKey",
    ),
    "an old token": (lambda: call(key="STS.old", security_token="t"), 400, "InvalidSecurityToken.Expired"),
    "no action": (lambda: without(call(), "Action"), 400, "MissingParameter"),
    "no version": (lambda: without(call(), "Version"), 400, "InvalidVersion"),
    "no version and no such action": (lambda: without(call("Nothing"), "Version"), 400, "InvalidVersion"),
    "another version": (lambda: having(call(), Version="2020-01-01"), 400, "InvalidVersion"),
    "no such action": (lambda: call("Nothing"), 404, "InvalidAction.NotFound"),
    "another path": (lambda: Request("GET", "/x?Action=ListFlows&Version=2019-03-15", {}), 404, "InvalidApi.NotFound"),
    "another method": (lambda: Request("PUT", "/?Action=ListFlows&Version=2019-03-15", {}), 405, "UnsupportedHTTPMethod"),
    "another signature method": (lambda: having(call(), SignatureMethod="HMAC-MD5"), 400, "IncompleteSignature"),
    "another signature version": (lambda: having(call(), SignatureVersion="3.0"), 400, "IncompleteSignature"),
    "a header that is missing": (lambda: acs3("x-acs-date"), 400, "MissingParameter"),
    "an action that is not allowed": (
        lambda: call("DescribeFlow", key="reader", parameters={"Name": "echo"}), 403, "NoPermission",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_gateway_answers_what_it_would_not_let_through(service: Service, case: str) -> None:
    make, status, code = CASES[case]
    fields = send(service, make())
    assert (fields["status"], fields["Code"]) == (status, code)
    assert f"q={code}&" in fields["Recommend"]
    assert fields["RequestId"] in fields["Recommend"]
    (record,) = Control(service.emulator).list_calls()["calls"]
    said, signed, _ = fields["Message"].partition("string to sign is:")
    kept = said + signed + ("***" if signed else "")  # a client may have put a secret anywhere in what it signs
    assert (record["code"], record["status"], record["message"]) == (code, status, kept)


@pytest.mark.parametrize("case", CASES)
def test_without_it_the_service_answers_itself(case: str) -> None:
    service = make_service({**echo_flow(), **KEYS})
    fields = send(service, CASES[case][0]())
    assert fields["Code"] in service.emulator.spec.errors
    assert "Recommend" not in fields


def test_what_passes_the_gateway_is_answered_by_the_service(service: Service) -> None:
    refusal = service.refusal("DescribeFlow", Name="nobody")
    assert (refusal.code, refusal.status, refusal.message) == ("FlowNotExists", 404, "Flow nobody does not exist.")
    assert service.refusal("DescribeFlow").code == "MissingRequiredParams"
    assert service("ListFlows")["Flows"]


def test_the_string_to_sign_is_the_one_that_the_server_made(service: Service) -> None:
    request = call(secret="no", parameters={"Limit": 5})
    text = signature.v1_string_to_sign("GET", decode_parameters(request).canonical)
    assert send(service, request)["Message"].partition(":")[2] == text


def test_a_refusal_by_policy_says_which_action_on_what(service: Service) -> None:
    fields = send(service, call("DescribeFlow", key="reader", parameters={"Name": "echo"}))
    assert fields["Message"] == (
        "the caller is not authorized to perform 'fnf:DescribeFlow' on resource 'acs:fnf:cn-hangzhou:100:flow/echo'"
    )
    assert fields["AccessDeniedDetail"]["AuthPrincipalOwnerId"] == "100"


def test_a_nonce_is_taken_once_whatever_was_answered(service: Service) -> None:
    for operation in ("ListFlows", "DescribeFlow"):
        request = call(operation)
        first = send(service, request)
        assert first.get("Code") in (None, "MissingRequiredParams")
        assert send(service, request)["Code"] == "SignatureNonceUsed"


def test_a_nonce_whose_answer_was_lost_is_still_good(service: Service) -> None:
    Control(service.emulator).add_fault({"when": {"operation": "ListFlows"}, "transport": "reset", "times": 1})
    request = call()
    service.emulator.handle(request)
    assert "Flows" in send(service, request)


@pytest.mark.parametrize(
    ("operation", "parameters", "action", "flow"),
    [
        ("DescribeFlow", {"Name": "echo"}, "fnf:DescribeFlow", "echo"),
        ("StartExecution", {"FlowName": "echo"}, "fnf:StartExecution", "echo"),
        ("DescribeExecution", {"FlowName": "gone", "ExecutionName": "e"}, "fnf:DescribeExecution", "gone"),
        ("DescribeFlow", {}, "fnf:DescribeFlow", "*"),
        ("ReportTaskFailed", {"TaskToken": "t", "Error": "E"}, "fnf:ReportTaskFailed", "*"),
        ("ListFlows", {"RegionId": "cn-beijing"}, None, "*"),
    ],
)
def test_an_allow_list_answers_with_the_code_of_the_service_and_the_text_that_was_seen(
    operation: str, parameters: dict[str, str], action: str | None, flow: str
) -> None:
    service = make_service({**echo_flow(), **KEYS})
    fields = send(service, call(operation, key="reader", parameters=parameters))
    if action is None:
        assert fields["status"] == 200
        return
    assert (fields["status"], fields["Code"]) == (403, "AccessDenied")
    assert fields["Message"] == (
        f"the caller is not authorized to perform '{action}' on resource 'acs:fnf:cn-hangzhou:100:flow/{flow}'"
    )
    assert "AccessDeniedDetail" not in fields
    (record,) = Control(service.emulator).list_calls()["calls"]
    assert record["message"] == fields["Message"]


def test_the_region_of_a_refusal_is_that_of_the_call() -> None:
    service = make_service({**echo_flow(), **KEYS})
    fields = send(service, call("DescribeFlow", key="reader", parameters={"Name": "f", "RegionId": "cn-beijing"}))
    assert fields["Message"].endswith("'acs:fnf:cn-beijing:100:flow/f'")


@pytest.mark.parametrize("errors", ["documented", "gateway"])
def test_a_fault_and_a_wrong_token_have_the_text_of_the_catalogue(errors: str) -> None:
    service = make_service({**echo_flow(), **KEYS, "faults": [{"error": "AccessDenied"}]}, errors=errors)
    template = service.emulator.spec.errors["AccessDenied"].render(())
    fault = send(service, call())
    assert (fault["status"], fault["Code"], fault["Message"]) == (403, "AccessDenied", template)
    if errors == "documented":
        assert send(service, call(key="STS.x", security_token="no"))["Message"] == template
