"""Each parameter of each operation, wrong in each way, gets the documented code and is named.

The cases are made of the tables: `wrongs` says in which ways a parameter can be wrong, by its row. `GOOD` has a call of each
operation that succeeds, so that what is refused is refused for the one thing that was changed.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from cfmock.api.client import signed_request
from cfmock.base.clocks import iso_seconds
from cfmock.control.control import Control
from cfmock.protocol.spec.model import Operation, Parameter, load
from cfmock.protocol.wire import decode
from cfmock.protocol.wire.messages import Reply, Request
from tests.support.calls import PASS, Service, answer, make_service

SPEC = load()

FAN = """\
Type: StateMachine
SpecVersion: v1
Name: fan
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.list
    ProcessorConfig: {ExecutionMode: Standard}
    Processor:
      StartAt: Ask
      States:
        - {Type: Task, Name: Ask, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback, End: true}
    End: true
"""
FIXTURE = {
    "flows": [
        {"name": "f", "definition": PASS, "outcomes": [{"status": "Running"}]},
        {"name": "fast", "definition": PASS, "execution_mode": "Express"},
        {"name": "fan", "definition": FAN},
    ]
}
ROUTES = json.dumps([{"Version": "1", "Weight": 100}])

GOOD: dict[str, dict[str, Any]] = {
    "CreateFlow": {
        "Name": "new", "Definition": PASS, "Description": "d", "Type": "FDL", "RoleArn": "r", "ExecutionMode": "Standard",
        "ExternalStorageLocation": "/b", "Environment": '{"Variables": []}', "ResourceGroupId": "g",
    },
    "UpdateFlow": {
        "Name": "f", "Definition": PASS, "Description": "d", "Type": "FDL", "RoleArn": "r", "Environment": "{}",
        "ExternalStorageLocation": "/b",
    },
    "DeleteFlow": {"Name": "f"},
    "DescribeFlow": {"Name": "f", "FlowVersion": "1"},
    "ListFlows": {"NextToken": "a", "Limit": 5, "ResourceGroupId": "g"},
    "StartExecution": {
        "FlowName": "f", "ExecutionName": "new", "Input": "{}", "Qualifier": "live", "CallbackFnFTaskToken": "{token}",
    },
    "StartSyncExecution": {"FlowName": "fast", "ExecutionName": "new", "Input": "{}", "Qualifier": "1"},
    "StopExecution": {"FlowName": "f", "ExecutionName": "e", "Cause": "c", "Error": "e"},
    "DescribeExecution": {"FlowName": "f", "ExecutionName": "done", "WaitTimeSeconds": 0},
    "ListExecutions": {
        "FlowName": "f", "NextToken": "1717200000000-1", "Limit": 5, "Status": "Running", "MetadataOnly": "true",
        "StartedTimeBegin": "2024-06-01T00:00:00Z", "StartedTimeEnd": "2024-06-01T00:00:00.000Z",
        "ExecutionNamePrefix": "", "Qualifier": "1", "MapRunName": "m",
    },
    "GetExecutionHistory": {"FlowName": "f", "ExecutionName": "e", "NextToken": "1", "Limit": 5},
    "ReportTaskSucceeded": {"TaskToken": "{token}", "Output": "{}"},
    "ReportTaskFailed": {"TaskToken": "{token}", "Error": "e", "Cause": "c"},
    "CreateSchedule": {
        "FlowName": "f", "ScheduleName": "new", "CronExpression": "@every 5m", "Payload": "{}", "Description": "d",
        "Enable": "true",
    },
    "UpdateSchedule": {
        "FlowName": "f", "ScheduleName": "s", "CronExpression": "@every 5m", "Payload": "{}", "Description": "d",
        "Enable": "false",
    },
    "DeleteSchedule": {"FlowName": "f", "ScheduleName": "s"},
    "DescribeSchedule": {"FlowName": "f", "ScheduleName": "s"},
    "ListSchedules": {"FlowName": "f", "NextToken": "a", "Limit": 5},
    "PublishFlowVersion": {"FlowName": "f", "Description": "d"},
    "DeleteFlowVersion": {"FlowName": "f", "FlowVersion": "2"},
    "ListFlowVersions": {"FlowName": "f", "NextToken": "2", "Limit": "5"},
    "CreateFlowAlias": {"FlowName": "f", "Name": "new", "Description": "d", "RoutingConfigurations": ROUTES},
    "UpdateFlowAlias": {"FlowName": "f", "Name": "live", "Description": "d", "RoutingConfigurations": ROUTES},
    "DeleteFlowAlias": {"FlowName": "f", "Name": "live"},
    "DescribeFlowAlias": {"FlowName": "f", "Name": "live"},
    "ListFlowAliases": {"FlowName": "f", "NextToken": "a", "Limit": 5},
    "DescribeMapRun": {"FlowName": "fan", "ExecutionName": "m", "MapRunName": "{map_run}"},
    "UpdateMapRun": {
        "FlowName": "fan", "ExecutionName": "m", "MapRunName": "{map_run}", "Concurrency": 5, "ToleratedFailedCount": 1,
        "ToleratedFailedPercentage": 12.5,
    },
    "DescribeRegions": {"AcceptLanguage": "en-US"},
}  # fmt: skip


def prepared() -> tuple[Service, dict[str, str]]:
    """A service with one of everything, and what `{token}` and `{map_run}` stand for."""
    service = make_service(FIXTURE)
    for flow in ("f", "f", "fast"):
        service("PublishFlowVersion", FlowName=flow)
    service("CreateFlowAlias", FlowName="f", Name="live", RoutingConfigurations=ROUTES)
    service("CreateSchedule", FlowName="f", ScheduleName="s", CronExpression="@every 9m")
    for name in ("e", "done"):
        service("StartExecution", FlowName="f", ExecutionName=name)
    service("StopExecution", FlowName="f", ExecutionName="done")
    service("StartExecution", FlowName="fan", ExecutionName="m", Input='{"list": [1]}')
    events = service("GetExecutionHistory", FlowName="fan", ExecutionName="m")["Events"]
    (begun,) = [json.loads(each["EventDetail"]) for each in events if each["Type"] == "MapRunStarted"]
    (task,) = Control(service.emulator).list_tasks()
    return service, {"token": task["token"], "map_run": begun["output"]["MapRunName"]}


def good(operation: str, names: dict[str, str]) -> dict[str, Any]:
    """A call that succeeds, with every parameter the operation has."""
    marks = {"{" + name + "}": value for name, value in names.items()}
    return {name: marks.get(value, value) for name, value in GOOD[operation].items()}


# -- the ways to be wrong -------------------------------------------------------------------------------------------------

MISSING = "MissingRequiredParams"
INVALID = "InvalidArgument"
ABSENT, EMPTY, NO_UTF8 = None, "", "\udcff"

OF_TYPE = {
    "integer": ["x", "1.5", "true", " ", "1e3", "９", "9" * 30],
    "number": ["x", "true", "NaN", "Infinity", "1e3", "1.", "9" * 30],
    "boolean": ["yes", "1", "null", "x"],
    "string": [],
}
OF_FORMAT = {
    None: [],
    "name": ["1a", "-a", "a b", "a.b", "流", "a\n", "x" * 129],
    "json-object": ["x", "{", "[]", "1", '"x"', "null", '{"a": NaN}', "{} {}", "[" * 5000],
    "json-array": ["x", "[", "{}", "1", '"x"', "null", "[] []"],
    "time": ["x", "2024-06-01", "2024-13-01T00:00:00Z", "2024-06-01T00:00:00", "1717200000"],
    "token": ["x", "-1", "1.5", "1-2-3", "9" * 50],
    "definition": ["x", "{", "[]", "Type: Nothing", "Type: StateMachine"],
    "cron": ["x", "* * * * * *", "@every 1s", "0 99 * * * *"],
    "integer": ["x", "1.5", "true", " "],
    "version": ["x", "0", "-1", "1.5", "01", "9" * 10, "999"],
    "qualifier": ["a b", "0", "-1", "1a", "流", "x" * 129, "nobody", "999"],
}
BY_NAME = {
    "TaskToken": ["x", "eA==", "流"],
    "MapRunName": ["nobody"],
    "RoutingConfigurations": ["[]", "[{}]", f"[{'{},' * 2}{{}}]"],
}


def wrongs(operation: Operation, parameter: Parameter) -> Iterator[tuple[str | None, str]]:
    """Wrong values of a parameter, None for none at all, and the code each gets."""
    if parameter.required:
        yield ABSENT, MISSING
        if not parameter.may_be_empty:
            yield EMPTY, MISSING
    yield NO_UTF8, INVALID
    listing = operation.name.startswith("List")
    for value in (
        *OF_TYPE[parameter.type],
        *OF_FORMAT[parameter.format],
        *(() if listing else BY_NAME.get(parameter.name, ())),
    ):
        # A list may be asked for what is not there.
        if not (listing and value in ("999", "nobody")):
            yield value, INVALID
    if parameter.enum:
        yield "Other", INVALID
        yield str(parameter.enum[0]).swapcase(), INVALID
    for low in (parameter.minimum,) if parameter.minimum is not None else ():
        yield str(low - 1), INVALID
    for high in (parameter.maximum,) if parameter.maximum is not None else ():
        yield str(high + 1), INVALID
    if parameter.max_length is not None:
        yield "x" * (parameter.max_length + 1), INVALID


def send(service: Service, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    reply = service.emulator.handle(encoded(service, operation, parameters))
    assert isinstance(reply, Reply), f"{operation} was not answered at once"
    return {**json.loads(reply.body), "status": reply.status}


def encoded(service: Service, operation: str, parameters: dict[str, Any]) -> Request:
    credential = service.credential
    return signed_request(
        operation, parameters,
        access_key_id=credential.access_key_id, access_key_secret=credential.access_key_secret,
    )  # fmt: skip


CASES = [
    (operation, parameter) for operation in SPEC.operations.values() for parameter in operation.parameters.values()
]


@pytest.mark.parametrize(
    ("operation", "parameter"), CASES, ids=[f"{operation.name}-{parameter.name}" for operation, parameter in CASES]
)
def test_a_wrong_parameter_gets_the_documented_code_that_names_it(operation: Operation, parameter: Parameter) -> None:
    service, names = prepared()
    call = good(operation.name, names)
    seen = set()
    for value, code in wrongs(operation, parameter):
        fields = send(service, operation.name, {**call, parameter.name: value})
        shown = f"{operation.name} with {parameter.name}={value!r:.40} was answered {fields}"
        assert fields.get("Code") == code, shown
        assert fields["status"] == SPEC.errors[code].status
        assert parameter.name in fields["Message"], shown
        assert code in operation.errors
        seen.add(code)
    assert INVALID in seen
    answer(service.send(operation.name, **call))  # type: ignore[arg-type]  # and nothing was changed by what was refused


HALF_PAIRS: list[Any] = ["\ud800", {"a": "\ud800"}, ["x\udfff"]]
"""What JSON can name and UTF-8 cannot hold."""


def json_call(operation: str, parameters: dict[str, Any], common: dict[str, str]) -> Request:
    query = urllib.parse.urlencode({"Action": operation, "Version": SPEC.api_version, **common})
    return Request(
        "POST", f"/?{query}", {"host": "h", "content-type": "application/json"}, json.dumps(parameters).encode()
    )


def names_of(name: str) -> Iterator[tuple[str, Any]]:
    """Half of a surrogate pair in each parameter, the common ones too, and in a name."""
    yield "\udc80\ud800", "x"
    for parameter in (*SPEC.operations[name].parameters, *sorted(decode.COMMON)):
        for value in HALF_PAIRS:
            yield parameter, value


@pytest.mark.parametrize("name", SPEC.operations)
def test_half_of_a_surrogate_pair_in_a_json_body_is_an_invalid_argument(name: str) -> None:
    service = make_service(auth="off")
    for parameter, value in names_of(name):
        reply = service.emulator.handle(json_call(name, {parameter: value}, {}))
        assert isinstance(reply, Reply)
        fields = json.loads(reply.body)
        assert (reply.status, fields["Code"]) == (400, INVALID), parameter
        assert fields["Message"].endswith("is not UTF-8.")


def test_a_wrong_signature_over_half_of_a_surrogate_pair_can_be_explained() -> None:
    service = make_service()
    common = {
        "AccessKeyId": service.credential.access_key_id, "SignatureMethod": "HMAC-SHA1", "Signature": "AAAA",
        "SignatureNonce": "n", "Timestamp": iso_seconds(time.time()),
    }  # fmt: skip
    for parameter, value in list(names_of("StartExecution"))[::9]:
        reply = service.emulator.handle(json_call("StartExecution", {parameter: value}, common))
        assert isinstance(reply, Reply)
        assert json.loads(reply.body)["Code"] == "SignatureNotMatch", parameter
        Control(service.emulator).show_call(reply.request_id)


@pytest.mark.parametrize("name", SPEC.operations)
def test_a_parameter_left_empty_counts_as_absent(name: str) -> None:
    for parameter in SPEC.operations[name].parameters.values():
        if not parameter.required or parameter.may_be_empty:
            service, names = prepared()
            call = {**good(name, names), parameter.name: ""}
            assert "Code" not in send(service, name, call), parameter.name


@pytest.mark.parametrize("name", SPEC.operations)
def test_an_unknown_parameter_changes_nothing_and_is_a_violation(name: str) -> None:
    service, names = prepared()
    call = good(name, names)
    wrong = {"Nonsense": "1", **{parameter.lower(): "x" for parameter in call}}
    assert "Code" not in send(service, name, {**call, **wrong})
    violations = [each.message for each in Control(service.emulator).find_calls()[-1].violations]
    for parameter in wrong:
        assert any(f"'{parameter}'" in each for each in violations)
    for parameter in call:
        assert any(f"did you mean '{parameter}'?" in each for each in violations)


@pytest.mark.parametrize("name", SPEC.operations)
def test_a_parameter_in_another_spelling_is_missing(name: str) -> None:
    for parameter in SPEC.operations[name].parameters.values():
        if parameter.required:
            service, names = prepared()
            call = good(name, names)
            call[parameter.name.lower()] = call.pop(parameter.name)
            fields = send(service, name, call)
            assert fields.get("Code") == MISSING
            assert f"'{parameter.name}'" in fields["Message"]


def test_the_good_calls_have_every_parameter_of_every_operation() -> None:
    assert {name: set(call) for name, call in GOOD.items()} == {
        name: set(operation.parameters) for name, operation in SPEC.operations.items()
    }


@pytest.mark.parametrize("name", SPEC.operations)
def test_the_good_calls_are_good(name: str) -> None:
    service, names = prepared()
    answer(service.send(name, **good(name, names)))  # type: ignore[arg-type]
