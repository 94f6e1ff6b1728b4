"""What calls define has a bound in bytes."""

from __future__ import annotations

import json
import random

import pytest

from cfmock.control.control import Control
from cfmock.service import retention
from tests.support.calls import PASS, Service, echo_flow, make_service

LONG = PASS + "# " + "x" * 4_000  # which counts for 84,000 bytes


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(retention, "MAX_DEFINED", 200_000)
    return make_service(echo_flow({}))


def defined(service: Service) -> int:
    return service.emulator.memory.definitions.bytes


def refused(service: Service, operation: str, **parameters: object) -> None:
    error = service.refusal(operation, **parameters)  # type: ignore[arg-type]
    assert (error.code, error.status) == ("InvalidArgument", 400)
    assert "that calls made take" in str(error)


def create(service: Service, name: str, definition: str = LONG, description: str = "d") -> None:
    service("CreateFlow", Name=name, Type="FDL", Definition=definition, Description=description)


def test_flows(service: Service) -> None:
    create(service, "a")
    create(service, "b")
    flow = {"Name": "c", "Type": "FDL", "Definition": LONG, "Description": "d"}
    refused(service, "CreateFlow", **flow)
    refused(service, "UpdateFlow", Name="a", Description="d" * 50_000)
    service("UpdateFlow", Name="a", Definition=PASS)  # what takes less always has room
    service("CreateFlow", **flow)
    service("DeleteFlow", Name="b")
    create(service, "b")
    Control(service.emulator).reset()
    assert defined(service) == 0


@pytest.mark.parametrize(
    "parameter", ["Description", "RoleArn", "ExternalStorageLocation", "ResourceGroupId", "Environment"]
)
def test_each_text_of_a_flow_counts(service: Service, parameter: str) -> None:
    text = "x" * 5_000
    value = f'{{"Variables": [{{"Name": "a", "Value": "{text}"}}]}}' if parameter == "Environment" else text
    flow = {"Name": "f", "Type": "FDL", "Definition": PASS, "Description": "d", parameter: value}
    service("CreateFlow", **flow)
    assert defined(service) > 5_000


def test_what_is_kept_of_values_is_what_counts(service: Service) -> None:
    variables = {"Variables": [{"Name": f"n{number}", "Value": ""} for number in range(200)]}
    flow = {"Name": "f", "Type": "FDL", "Definition": PASS, "Description": "d", "Environment": json.dumps(variables)}
    service("CreateFlow", **flow)
    assert defined(service) > 50_000
    payload = json.dumps({"a": [{}] * 200})
    service("CreateSchedule", FlowName="f", ScheduleName="s", CronExpression="@every 9m", Payload=payload)
    service("UpdateSchedule", FlowName="f", ScheduleName="s", Payload=payload)
    (row,) = service.emulator.worlds.default().stores.schedules.rows(service("DescribeFlow", Name="f")["Id"])
    assert (type(row.payload), row.payload) == (str, payload), "its value is not kept"


def test_versions_count_their_definition_once(service: Service) -> None:
    create(service, "a")
    before = defined(service)
    for _ in range(3):
        service("PublishFlowVersion", FlowName="a")
    assert defined(service) - before < 3 * 1_000
    service("UpdateFlow", Name="a", Definition=LONG + "#")
    refused(service, "UpdateFlow", Name="a", Definition=LONG + "##")
    refused(service, "PublishFlowVersion", FlowName="a", Description="d" * 30_000)
    for number in (1, 2, 3):
        service("DeleteFlowVersion", FlowName="a", FlowVersion=number)
    service("UpdateFlow", Name="a", Definition=LONG + "##")
    assert abs(defined(service) - before) < 100


def test_aliases_and_schedules(service: Service) -> None:
    service("PublishFlowVersion", FlowName="echo")
    routes = [{"Version": "1", "Weight": 100}]
    alias = {"FlowName": "echo", "RoutingConfigurations": routes, "Description": "d" * 120_000}
    service("CreateFlowAlias", Name="a", **alias)
    refused(service, "CreateFlowAlias", Name="b", **alias)
    schedule = {
        "FlowName": "echo",
        "ScheduleName": "s",
        "CronExpression": "@every 60m",
        "Payload": '{"a": "' + "p" * 90_000 + '"}',
    }
    refused(service, "CreateSchedule", **schedule)
    service("DeleteFlowAlias", FlowName="echo", Name="a")
    service("CreateSchedule", **schedule)
    refused(service, "CreateFlowAlias", Name="b", **alias)
    service("DeleteSchedule", FlowName="echo", ScheduleName="s")
    service("CreateFlowAlias", Name="b", **alias)


def test_nothing_counts_when_all_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    service, chance = make_service(echo_flow({})), random.Random(5)
    for number in range(200):
        name, texts = f"f{chance.randrange(3)}", [PASS, LONG, PASS + "#" * chance.randrange(50)]
        match chance.randrange(6):
            case 0:
                service.send("CreateFlow", Name=name, Type="FDL", Definition=chance.choice(texts), Description="d")
            case 1:
                service.send("UpdateFlow", Name=name, Definition=chance.choice(texts))
            case 2 | 3:
                service.send("PublishFlowVersion", FlowName=name)
            case 4:
                service.send("DeleteFlowVersion", FlowName=name, FlowVersion=str(chance.randrange(1, 9)))
            case _:
                service.send("DeleteFlow" if number % 3 else "ListFlows", Name=name)
    for number in range(3):
        service.send("DeleteFlow", Name=f"f{number}")
    assert defined(service) == 0


def test_what_fixtures_write_does_not_count(service: Service) -> None:
    assert defined(service) == 0
