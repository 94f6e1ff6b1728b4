"""Every operation through the SDKs' own methods, and nothing of an answer lost on the way through their models.

A walk makes the same calls twice, once with an SDK and once with our own client, on flows of different names; each pair of
answers must have the same fields, all the way down.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cfmock.api import client
from cfmock.protocol.spec.model import load
from tests.e2e.conftest import Server
from tests.e2e.sdks import ACCESS_KEY, Sdk

OPERATIONS = set(load().operations)
OLD = {
    "CreateFlow", "UpdateFlow", "DeleteFlow", "DescribeFlow", "ListFlows", "StartExecution", "StopExecution",
    "DescribeExecution", "ListExecutions", "GetExecutionHistory", "ReportTaskSucceeded", "ReportTaskFailed",
    "CreateSchedule", "UpdateSchedule", "DeleteSchedule", "DescribeSchedule", "ListSchedules",
}  # fmt: skip
KNOWN = {"legacy": OLD | {"StartSyncExecution"}, "node": OLD}
"""The operations that the older SDKs have a method for; the others have all."""

ASK = """\
Type: StateMachine
SpecVersion: v1
Name: ask
StartAt: Ask
States:
  - Type: Task
    Name: Ask
    Action: FC:InvokeFunction
    TaskMode: WaitForCustomCallback
    Parameters: {resourceArn: "acs:fc:::functions/ask"}
    End: true
"""
FAN = """\
Type: StateMachine
SpecVersion: v1
Name: fan
StartAt: Each
States:
  - Type: Map
    Name: Each
    ItemsPath: $Input.list
    Processor:
      ProcessorConfig: {ExecutionMode: Standard}
      StartAt: Nap
      States:
        - {Type: Wait, Name: Nap, Seconds: 300, End: true}
    End: true
"""
VARIABLES = {"Variables": [{"Name": "A", "Value": "1", "Description": "first"}]}

Call = Callable[..., dict[str, Any]]


def walk(call: Call, server: Server, name: str) -> list[tuple[str, dict[str, Any]]]:
    """All operations once or more, in an order in which each has what it needs: the answers, with their operations."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def do(operation: str, **parameters: Any) -> dict[str, Any]:
        answer = call(operation, **parameters)
        seen.append((operation, answer))
        return answer

    flow, ask, fan, fast = (f"{name}_{kind}" for kind in ("flow", "ask", "fan", "fast"))
    common = {"Description": "d", "Type": "FDL"}
    do("DescribeRegions", AcceptLanguage="en-US")
    do("CreateFlow", Name=flow, Definition=ASK, RoleArn="acs:ram::1:role/r", Environment=VARIABLES, **common)
    do("UpdateFlow", Name=flow, Description="new", ExternalStorageLocation="/x")
    do("DescribeFlow", Name=flow)
    for other, definition, mode in ((ask, ASK, "Standard"), (fan, FAN, "Standard"), (fast, FAN, "Express")):
        do("CreateFlow", Name=other, Definition=definition, ExecutionMode=mode, **common)
    do("ListFlows", Limit=100)
    do("PublishFlowVersion", FlowName=flow, Description="one")
    do("PublishFlowVersion", FlowName=flow, Description="two")
    do("ListFlowVersions", FlowName=flow, Limit="1")
    routes = [{"Version": "1", "Weight": 30}, {"Version": "2", "Weight": 70}]
    do("CreateFlowAlias", FlowName=flow, Name="live", Description="a", RoutingConfigurations=routes)
    do("UpdateFlowAlias", FlowName=flow, Name="live", Description="b", RoutingConfigurations=routes[::-1])
    do("DescribeFlowAlias", FlowName=flow, Name="live")
    do("ListFlowAliases", FlowName=flow, Limit=10)
    do("StartExecution", FlowName=flow, ExecutionName="e1", Input='{"a": 1}', Qualifier="live")
    do("DescribeExecution", FlowName=flow, ExecutionName="e1")
    do("ListExecutions", FlowName=flow, Limit=10)
    do("ListExecutions", FlowName=flow, Limit=10, MetadataOnly=True)
    do("GetExecutionHistory", FlowName=flow, ExecutionName="e1", Limit=2)
    do("StopExecution", FlowName=flow, ExecutionName="e1", Error="Enough", Cause="of it")
    do("DeleteFlowAlias", FlowName=flow, Name="live")
    do("DeleteFlowVersion", FlowName=flow, FlowVersion="1")
    for execution, report in (("good", "ReportTaskSucceeded"), ("bad", "ReportTaskFailed")):
        do("StartExecution", FlowName=ask, ExecutionName=execution)
        (task,) = server.admin("GET", f"tasks?flow={ask}")["tasks"]
        how = {"Output": '{"ok": true}'} if execution == "good" else {"Error": "E", "Cause": "c"}
        do(report, TaskToken=task["token"], **how)
    do("CreateSchedule", FlowName=ask, ScheduleName="s", CronExpression="0 0 0 1 1 *", Payload='{"b": 1}', Enable=False)
    do("UpdateSchedule", FlowName=ask, ScheduleName="s", Description="d", Enable=True)
    do("DescribeSchedule", FlowName=ask, ScheduleName="s")
    do("ListSchedules", FlowName=ask, Limit=10)
    do("DeleteSchedule", FlowName=ask, ScheduleName="s")
    do("StartExecution", FlowName=fan, ExecutionName="f", Input='{"list": [1, 2]}')
    events = call("GetExecutionHistory", FlowName=fan, ExecutionName="f").get("Events", [])
    for event in events:
        if event["Type"] == "MapRunStarted":
            run = json.loads(event["EventDetail"])["output"]["MapRunName"]
            do("UpdateMapRun", FlowName=fan, ExecutionName="f", MapRunName=run, Concurrency=1, ToleratedFailedCount=1)
            do("DescribeMapRun", FlowName=fan, ExecutionName="f", MapRunName=run)
            do("ListExecutions", FlowName=fan, MapRunName=run)
    do("StartSyncExecution", FlowName=fast, ExecutionName="s", Input='{"list": []}')
    for each in (flow, ask, fan, fast):
        do("DeleteFlow", Name=each)
    return seen


def shape(value: Any) -> Any:
    """The fields of an answer, all the way down, without what they hold."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return type(value).__name__


@pytest.mark.parametrize("sdk", ["tea", "tea-async", "legacy", "pop-core"], indirect=True)
def test_every_operation_of_an_sdk_gives_every_field_of_the_answer(sdk: Sdk, server: Server) -> None:
    known = KNOWN.get(sdk.kind.environment, OPERATIONS)
    typed = sdk.kind.environment.startswith("tea")

    def ours(operation: str, **parameters: Any) -> dict[str, Any]:
        if operation not in known:
            parameters = {key: value for key, value in parameters.items() if value is not None}
        request = client.signed_request(
            operation, parameters,
            access_key_id=str(ACCESS_KEY["access_key_id"]), access_key_secret=str(ACCESS_KEY["access_key_secret"]),
        )  # fmt: skip
        status, answer = client.send(server.url, request)
        assert status == 200, answer
        return answer

    def theirs(operation: str, **parameters: Any) -> dict[str, Any]:
        if operation not in known:
            return ours(operation, **parameters)
        if not typed:
            parameters = {key: client.wire_text(value) for key, value in parameters.items()}
        for newer in ("Environment", "Qualifier", "MetadataOnly", "MapRunName"):
            if not typed and newer in parameters:
                return ours(operation, **parameters)
        if operation == "UpdateFlow" and sdk.kind.environment != "node":
            parameters.pop("ExternalStorageLocation")  # only the oldest SDK has this parameter
        return sdk.call(operation, **parameters)

    seen = walk(theirs, server, "theirs")
    assert {operation for operation, _ in seen} == OPERATIONS
    for (operation, got), (_, wanted) in zip(seen, walk(ours, server, "ours"), strict=True):
        assert shape(got) == shape(wanted), operation
