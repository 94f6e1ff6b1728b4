"""Every documented error, twice: by what a client does wrong, and on demand; and the order of the checks."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cfmock.api.client import signed_request
from cfmock.base.clocks import RealClock
from cfmock.base.time_text import parse_time
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import Reply, Request
from tests.support import signing
from tests.support.calls import Service, answer, echo_flow, make_service

SPEC = load()
START = SPEC.operations["StartExecution"]
KEYS = {"credentials": [
    {"access_key_id": "ak", "access_key_secret": "sk"},
    {"access_key_id": "reader", "access_key_secret": "r", "allow": ["fnf:Describe*"]},
]}  # fmt: skip


@pytest.fixture
def service() -> Service:
    return make_service(KEYS, echo_flow({"when": {"execution": "open"}, "status": "Running"}, {}))


def start(operation: str = "StartExecution", key: str = "ak", secret: str = "sk", **options: Any) -> Request:
    moment = options.pop("moment", None)
    parameters = {"FlowName": "echo", **options}
    return signed_request(operation, parameters, access_key_id=key, access_key_secret=secret, moment=moment)


def changed(request: Request, **parts: Any) -> Request:
    values = {"method": request.method, "target": request.target, "headers": request.headers, "body": request.body}
    return Request(**(values | parts))


def acs3_without_date() -> Request:
    headers = {
        "host": "h", "authorization": "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=host,Signature=00",
        "x-acs-action": "StartExecution", "x-acs-version": "2019-03-15", "x-acs-signature-nonce": "n",
        "x-acs-content-sha256": "0",
    }  # fmt: skip
    return Request("POST", "/", headers)


NATURALLY: dict[str, Callable[[Service], Request]] = {
    "ActionNotSupported": lambda service: start("StratExecution"),
    "APIVersionNotSupported": lambda service: changed(
        start(), target=start().target.replace("2019-03-15", "2020-01-01")
    ),
    "EntityTooLarge": lambda service: start(Input=json.dumps({"a": "x" * 1_048_576})),
    "ExecutionAlreadyExists": lambda service: start(ExecutionName="done"),
    "InvalidArgument": lambda service: start(Input="no JSON"),
    "MissingRequiredHeader": lambda service: acs3_without_date(),
    "MissingRequiredParams": lambda service: start(FlowName=None),
    "AccessDenied": lambda service: start(key="reader", secret="r"),
    "InvalidAccessKeyID": lambda service: start(key="nobody"),
    "RequestTimeTooSkewed": lambda service: start(moment=1_000_000_000.0),
    "SignatureNotMatch": lambda service: start(secret="wrong"),
    "FlowNotExists": lambda service: start(FlowName="nope"),
    "UnsupportedMediaType": lambda service: changed(start(), headers={"content-type": "text/xml"}),
    "ResourceThrottled": lambda service: start(ExecutionName="open"),
}

MESSAGES = {
    "ActionNotSupported": "The requested API operation 'StratExecution' is incorrect. Please check.",
    "APIVersionNotSupported": "The requested API version '2020-01-01' is not supported yet. Please check.",
    "EntityTooLarge": "The payload size exceeds maximum allowed size (1048576 bytes).",
    "ExecutionAlreadyExists": "Execution done for flow echo already exists.",
    "MissingRequiredHeader": "The HTTP header 'x-acs-date' must be specified.",
    "MissingRequiredParams": "The HTTP query 'FlowName' must be specified.",
    "InvalidAccessKeyID": "The AccessKey ID nobody is invalid.",
    "FlowNotExists": "Flow nope does not exist.",
}


@pytest.mark.parametrize("code", sorted(set(START.errors) - {"InternalServerError"}))  # our own bugs: test_app.py
def test_each_documented_error_comes_about_by_what_a_client_does_wrong(service: Service, code: str) -> None:
    service("StartExecution", FlowName="echo", ExecutionName="done")
    if code == "ResourceThrottled":
        limit = {"when": {"operation": "StartExecution"}, "rate_limit": {"per_second": 0.001, "burst": 1}}
        service = make_service(KEYS, echo_flow({"status": "Running"}), {"faults": [limit]})
        service("StartExecution", FlowName="echo", ExecutionName="open")
    reply = service.emulator.handle(NATURALLY[code](service))
    assert isinstance(reply, Reply)
    body = json.loads(reply.body)
    assert (body["Code"], reply.status) == (code, SPEC.errors[code].status)
    assert "%s" not in body["Message"]
    if code in MESSAGES:
        assert body["Message"] == MESSAGES[code]


@pytest.mark.parametrize("operation", SPEC.operations)
@pytest.mark.parametrize("code", SPEC.errors)
def test_each_error_of_the_catalogue_comes_about_on_demand(code: str, operation: str) -> None:
    service = make_service({"faults": [{"when": {"operation": operation}, "error": code}]})
    failure = service.refusal(operation)
    assert (failure.code, failure.status) == (code, SPEC.errors[code].status)
    assert failure.message
    assert "%s" not in failure.message


def test_a_fault_fills_its_message_from_the_request() -> None:
    def message(code: str, operation: str = "StartExecution", **parameters: str) -> str | None:
        service = make_service({"faults": [{"when": {}, "error": code}]})
        return service.refusal(operation, **parameters).message

    names = {"FlowName": "f", "ExecutionName": "e"}
    assert message("ExecutionAlreadyExists", **names) == "Execution e for flow f already exists."
    assert message("FlowNotExists", "DescribeFlow", Name="g") == "Flow g does not exist."
    assert message("MissingRequiredParams") == "The HTTP query 'FlowName' must be specified."
    assert message("MissingRequiredHeader") == "The HTTP header 'x-acs-version' must be specified."
    assert message("ActionNotSupported") == "The requested API operation 'StartExecution' is incorrect. Please check."
    assert message("InvalidAccessKeyID") == "The AccessKey ID cfmock is invalid."
    assert message("TaskAlreadyCompleted", "ReportTaskFailed", TaskToken="t") == "Task t has already completed."


@pytest.mark.parametrize("off", [-890, 0, 890])
def test_times_too_far_apart_are_far_apart_also_on_demand(off: int) -> None:
    service = make_service({"faults": [{"when": {}, "error": "RequestTimeTooSkewed"}]})
    request = start("ListFlows", key="cfmock", secret="cfmock-secret", FlowName=None, moment=RealClock.now() + off)
    reply = service.emulator.handle(request)
    assert isinstance(reply, Reply)
    said = json.loads(reply.body)["Message"]
    first, second = map(parse_time, re.findall(r"\d{4}-\S+Z", said))
    assert second - first > service.emulator.settings.max_time_skew


def test_a_fault_strikes_only_who_passed_authentication() -> None:
    service = make_service({"faults": [{"when": {}, "error": "FlowNotExists"}]})
    request = service.request("ListFlows")
    forged = changed(request, target=request.target.replace("ListFlows", "ListSchedules"))
    reply = service.emulator.handle(forged)
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["Code"] == "SignatureNotMatch"


def test_a_fault_after_the_operation_loses_only_its_answer() -> None:
    rule = {
        "when": {"operation": "StartExecution"},
        "error": "InternalServerError",
        "after_operation": True,
        "times": 1,
    }
    service = make_service(echo_flow(), {"faults": [rule]})
    assert service.refusal("StartExecution", FlowName="echo", ExecutionName="e").code == "InternalServerError"
    assert service("DescribeExecution", FlowName="echo", ExecutionName="e")["Status"] == "Succeeded"


def test_a_clock_skew_makes_a_punctual_call_too_late() -> None:
    service = make_service({"faults": [{"when": {}, "clock_skew": "20m"}]})
    failure = service.refusal("ListFlows")
    assert (failure.code, failure.status) == ("RequestTimeTooSkewed", 403)


def test_a_throttled_client_is_told_when_to_come_back() -> None:
    service = make_service({"faults": [{"when": {}, "error": "ResourceThrottled", "retry_after": "1500ms"}]})
    reply = service.send("ListFlows")
    assert isinstance(reply, Reply)
    assert dict(reply.headers)["x-acs-retry-after"] == "1500"


def test_checks_come_in_their_order(service: Service) -> None:
    """A request that is wrong in every way is refused for the first; mended there, for the next, and so on to the last."""

    def code(request: Request) -> str:
        reply = service.emulator.handle(request)
        assert isinstance(reply, Reply)
        return str(json.loads(reply.body)["Code"])

    wrong: dict[str, Any] = {"FlowName": None, "key": "nobody", "moment": 0.0, "secret": "no"}
    request = start(**wrong)
    big = b"x" * 1_100_000
    media = {"content-type": "text/plain"}
    assert code(Request("PUT", "/v1?Action=No", media, big)) == "EntityTooLarge"
    assert code(Request("PUT", "/v1?Action=No", media, b"x")) == "UnsupportedMediaType"
    assert code(Request("PUT", "/v1?Action=No", {})) == "ActionNotSupported"
    assert code(Request("GET", "/?Action=ListFlows&Version=1", {})) == "APIVersionNotSupported"
    assert code(Request("GET", "/?Action=ListFlows&Version=2019-03-15", {})) == "MissingRequiredParams"
    assert code(request) == "InvalidAccessKeyID"
    assert code(start(**{**wrong, "key": "ak"})) == "RequestTimeTooSkewed"
    assert code(start(FlowName=None, secret="no")) == "SignatureNotMatch"
    assert code(start(FlowName=None, key="reader", secret="r")) == "AccessDenied"
    assert code(start(FlowName=None)) == "MissingRequiredParams"
    assert code(start(FlowName="nope")) == "FlowNotExists"


def test_a_callers_request_id_comes_back_on_successes_and_errors(service: Service) -> None:
    chosen = "5AD1E2C4-0000-4000-8000-000000000000"
    assert service("ListFlows", RequestId=chosen)["RequestId"] == chosen
    assert service.refusal("DescribeFlow", Name="nope", RequestId=chosen).request_id == chosen


def test_request_ids_are_unique_and_repeatable_by_seed() -> None:
    first, second = make_service(seed=5), make_service(seed=5)
    ids = [first("ListFlows")["RequestId"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert ids == [second("ListFlows")["RequestId"] for _ in range(3)]


def test_unknown_parameters_do_no_harm_and_are_noted(service: Service) -> None:
    service("StartExecution", FlowName="echo", ExecutionNme="x")
    (record,) = service.emulator.journal.find(operation="StartExecution")
    assert "ExecutionNme" in record.violations[0].message
    assert "ExecutionName" in record.violations[0].message


def test_text_that_is_no_utf8_is_an_invalid_argument(service: Service) -> None:
    from cfmock.protocol.auth import signature
    from cfmock.protocol.wire.decode import decode_parameters

    request = service.request("DescribeFlow", Name="NAME")
    target = request.target.replace("NAME", "%FF")
    unsigned = Request("GET", target[: target.index("&Signature=")] + target[target.index("&Name=") :], {})
    text = signature.v1_string_to_sign("GET", decode_parameters(unsigned).canonical)
    signed = changed(
        unsigned, target=f"{unsigned.target}&Signature={signature.v1_signature('sk', text).replace('+', '%2B')}"
    )
    reply = service.emulator.handle(signed)
    assert isinstance(reply, Reply)
    assert json.loads(reply.body)["Code"] == "InvalidArgument"


class Reads(dict[str, Any]):
    """Counts how often each name is asked for."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.counts = Counter[str]()

    def get(self, name: str, default: Any = None) -> Any:
        self.counts[name] += 1
        return super().get(name, default)


@pytest.mark.parametrize("acs3", [False, True], ids=["V1", "ACS3"])
def test_of_a_call_nothing_is_read_twice_to_know_whose_it_is(acs3: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from cfmock.protocol.auth import signature
    from cfmock.protocol.wire import decode

    service = make_service(KEYS, echo_flow())
    given = {"FlowName": "echo", "Input": "{}"}
    sent = signing.acs3("StartExecution", given, query="Limit=1") if acs3 else signing.v1("StartExecution", given)
    authenticator = service.emulator._authenticator
    keys = authenticator.keys = Reads(authenticator.keys)
    headers = Reads(sent.headers)
    texts: list[str] = []
    parsed: list[str] = []
    read, parse = decode.read_pairs, signature.parse_authorization
    monkeypatch.setattr(decode, "read_pairs", lambda text, *more: (texts.append(text), read(text, *more)))
    monkeypatch.setattr(signature, "parse_authorization", lambda text: (parsed.append(text), parse(text))[1])
    reply = service.emulator.handle(changed(sent, headers=headers))
    assert isinstance(reply, Reply)
    assert reply.status == 200, reply.body
    assert keys.counts == {"ak": 1}
    assert (headers.counts["x-acs-signature-nonce"], len(parsed)) == ((1, 1) if acs3 else (0, 0))
    assert len("&".join(texts)) == len(sent.target.partition("?")[2]) + len(sent.body) + 1


def test_the_journal_keeps_parameters_but_no_credentials(service: Service) -> None:
    service("StartExecution", FlowName="echo", Input={"a": 1})
    (record,) = service.emulator.journal.find()
    assert dict(record.parameters) == {"FlowName": "echo", "Input": '{"a":1}'}
    assert record.access_key_id == "ak"


def test_the_journal_is_bounded() -> None:
    service = make_service(journal_size=3)
    for number in range(5):
        service("ListFlows", Limit=number + 1)
    assert len(list(service.emulator.journal.find())) == 3
    assert service.emulator.journal.dropped() == 2


def test_without_authentication_an_unsigned_call_is_answered() -> None:
    service = make_service(echo_flow(), auth="off")
    reply = service.emulator.handle(Request("GET", "/?Action=ListFlows&Version=2019-03-15", {}))
    assert isinstance(reply, Reply)
    assert answer(reply)["Flows"][0]["Name"] == "echo"
