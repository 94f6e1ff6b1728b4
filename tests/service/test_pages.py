"""A page ends early where its rows are large."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.service import lookup
from tests.support.calls import PASS, Service, echo_flow, make_service

LARGE = '{"a": "' + "x" * 10_000 + '"}'


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(lookup, "MAX_PAGE_SIZE", 25_000)
    return make_service(echo_flow({}))


def all_pages(service: Service, operation: str, name: str, **more: Any) -> list[list[Any]]:
    found, token = [], {}
    while True:
        answer = service(operation, **more, **token)
        found.append(answer[name])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}


def test_flows(service: Service) -> None:
    for number in range(5):
        service("CreateFlow", Name=f"f{number}", Definition=PASS, Description="d" * 10_000, Type="FDL")
    found = all_pages(service, "ListFlows", "Flows", Limit=4)
    assert [len(page) for page in found] == [3, 2, 1]  # the flow of the fixture is small
    assert [flow["Name"] for page in found for flow in page] == ["echo", "f0", "f1", "f2", "f3", "f4"]


def test_an_environment_counts(service: Service) -> None:
    environment = {"Variables": [{"Name": "N", "Value": "v" * 20_000}]}
    for number in range(2):
        service("CreateFlow", Name=f"f{number}", Definition=PASS, Description="d", Type="FDL", Environment=environment)
    assert [len(page) for page in all_pages(service, "ListFlows", "Flows")] == [2, 1]


@pytest.mark.parametrize("more", [{}, {"ExecutionNamePrefix": "e"}], ids=["by time", "by name"])
def test_executions(service: Service, more: dict[str, str]) -> None:
    for number in range(5):
        service("StartExecution", FlowName="echo", ExecutionName=f"e{number}", Input=LARGE)
    found = all_pages(service, "ListExecutions", "Executions", FlowName="echo", **more)
    assert [len(page) for page in found] == [2, 2, 1]
    assert {each["Name"] for page in found for each in page} == {f"e{number}" for number in range(5)}
    assert [
        len(page) for page in all_pages(service, "ListExecutions", "Executions", FlowName="echo", MetadataOnly=True)
    ] == [5]


def test_events(service: Service) -> None:
    states = [{"Type": "Pass", "Name": f"S{number}", "Next": f"S{number + 1}"} for number in range(3)]
    states.append({"Type": "Succeed", "Name": "S3"})
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "S0", "States": states}
    service("CreateFlow", Name="f", Definition=definition, Description="d", Type="FDL")
    service("StartExecution", FlowName="f", ExecutionName="e", Input=LARGE)
    found = all_pages(service, "GetExecutionHistory", "Events", FlowName="f", ExecutionName="e", Limit=100)
    assert max(map(len, found)) == 2
    ids = [event["EventId"] for page in found for event in page]
    assert ids == list(range(1, len(ids) + 1))
    assert found[-1][-1]["Type"] == "ExecutionSucceeded"


def test_one_row_is_given_however_large_it_is(service: Service) -> None:
    service("CreateFlow", Name="large", Definition=PASS, Description="d" * 100_000, Type="FDL")
    service("StartExecution", FlowName="large", ExecutionName="e", Input='{"a": "' + "x" * 50_000 + '"}')
    assert [len(page) for page in all_pages(service, "ListFlows", "Flows")] == [1, 1]
    assert [len(page) for page in all_pages(service, "ListExecutions", "Executions", FlowName="large")] == [1]
