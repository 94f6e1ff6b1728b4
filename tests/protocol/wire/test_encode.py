"""Answers: errors in the words of the service, or of the gateway in front of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import cfmock
from cfmock.base.errors import Refused, ServiceError
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire import encode

SPEC = load()
SOURCES = Path(cfmock.__file__).parent
FACTS = {
    "name": "AccessKeyId", "string_to_sign": "GET&%2F&{x}", "action": "fnf:ListFlows", "resource": "*",
    "principal": "reader", "principal_type": "SubUser", "account": "100",
}  # fmt: skip


def body(failure: ServiceError, *, gateway: bool) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(encode.error(failure, "R-1", "host", SPEC, gateway=gateway).body)
    return fields


def test_a_success_has_its_request_id_and_no_code() -> None:
    reply = encode.success({"Name": "f"}, "R-1")
    assert (reply.status, json.loads(reply.body)) == (200, {"RequestId": "R-1", "Name": "f"})


def test_a_wait_has_the_milliseconds_it_was_given_in_and_is_never_shorter() -> None:
    """2.007 s are 2007.0000000000002 ms to a computer, and 4.03 s a little more than 4030."""
    assert [n for n in range(20_000) if encode.milliseconds(n / 1000) != n] == []
    assert [encode.milliseconds(seconds) for seconds in (0.0004, 1.0001, 1.9999)] == [1, 1001, 2000]


def test_an_error_in_the_words_of_the_service() -> None:
    failure = ServiceError("FlowNotExists", "f")
    assert body(failure, gateway=False) == {
        "RequestId": "R-1", "HostId": "host", "Code": "FlowNotExists", "Message": "Flow f does not exist.",
    }  # fmt: skip


def test_what_the_service_answers_comes_through_the_gateway_with_a_recommendation() -> None:
    fields = body(ServiceError("FlowNotExists", "f"), gateway=True)
    assert fields.pop("Recommend") == "https://api.aliyun.com/troubleshoot?q=FlowNotExists&product=fnf&requestId=R-1"
    assert fields == body(ServiceError("FlowNotExists", "f"), gateway=False)


@pytest.mark.parametrize("reason", SPEC.gateway)
def test_each_reason_has_words_of_the_gateway_and_words_of_the_service(reason: str) -> None:
    failure = Refused("InvalidArgument", reason=reason, **FACTS)
    said = encode.rendered(failure, SPEC, gateway=True)
    assert said.status == SPEC.gateway[reason].status
    assert "{name}" not in said.code + said.message
    assert said.code not in SPEC.errors
    assert all(
        isinstance(value, str) for name, value in body(failure, gateway=True).items() if name != "AccessDeniedDetail"
    )
    assert encode.rendered(failure, SPEC).code == "InvalidArgument"


def test_reasons_in_the_code_and_in_the_table_are_the_same() -> None:
    text = "".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py"))
    used = set(re.findall(r'reason="([a-z0-9-]+)"', text))
    # Chosen between, or handed on: they stand in the code beside no `reason=`.
    used |= {word for word in re.findall(r'"([a-z0-9-]+)"', text) if word.startswith("missing-")} | {"version"}
    assert used == set(SPEC.gateway)


def test_a_signature_is_refused_with_the_string_to_sign_as_it_is() -> None:
    failure = Refused("SignatureNotMatch", reason="signature-v1", string_to_sign="GET&%2F&{x}%s")
    message = encode.rendered(failure, SPEC, gateway=True).message
    # Clients look for it behind the first colon.
    assert message.partition(":")[2] == "GET&%2F&{x}%s"


def test_a_policy_that_refuses_is_told_in_an_object() -> None:
    detail = body(Refused("AccessDenied", reason="forbidden", **FACTS), gateway=True)["AccessDeniedDetail"]
    assert detail["AuthAction"] == "fnf:ListFlows"
    assert detail["AuthPrincipalDisplayName"] == "reader"
    assert detail["NoPermissionType"] == "ImplicitDeny"
    assert "AccessDeniedDetail" not in body(Refused("AccessDenied", reason="forbidden", **FACTS), gateway=False)


def test_a_custom_error_carries_its_own_words() -> None:
    failure = ServiceError("Teapot", status=418, message="short and stout")
    for gateway in (False, True):
        assert encode.rendered(failure, SPEC, gateway=gateway) == ("Teapot", 418, "short and stout")
