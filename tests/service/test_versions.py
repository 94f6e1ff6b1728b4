"""Versions and aliases of flows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.calls import PASS, Service, echo_flow, make_service

NOW = "2024-06-01T00:00:00.000Z"
OTHER = PASS.replace("Take", "Other")


@pytest.fixture
def service() -> Service:
    return make_service(echo_flow(description="echoes"))


def publish(service: Service, **more: Any) -> str:
    version: str = service("PublishFlowVersion", FlowName="echo", **more)["Version"]
    return version


def routes(*pairs: tuple[str, int]) -> str:
    return json.dumps([{"Version": version, "Weight": weight} for version, weight in pairs])


def alias(service: Service, *pairs: tuple[str, int], name: str = "live", **more: Any) -> dict[str, Any]:
    return service("CreateFlowAlias", FlowName="echo", Name=name, RoutingConfigurations=routes(*pairs), **more)


def all_pages(service: Service, operation: str, key: str, **more: Any) -> list[list[dict[str, Any]]]:
    pages, token = [], None
    while True:
        fields = service(operation, FlowName="echo", NextToken=token, **more)
        pages.append(fields[key])
        token = fields.get("NextToken")
        if token is None:
            return pages


# -- versions


def test_versions_are_numbered_from_one(service: Service) -> None:
    first = service("PublishFlowVersion", FlowName="echo", Description="the first")
    del first["RequestId"]
    assert first == {"FlowName": "echo", "Version": "1", "Description": "the first", "CreatedTime": NOW}
    assert service("PublishFlowVersion", FlowName="echo")["Version"] == "2"


def test_a_version_is_described_as_the_flow_unless_told_otherwise(service: Service) -> None:
    assert service("PublishFlowVersion", FlowName="echo")["Description"] == "echoes"
    assert service("PublishFlowVersion", FlowName="echo", Description="")["Description"] == ""


def test_a_version_stays_as_the_flow_was_when_it_was_published(service: Service) -> None:
    service(
        "UpdateFlow", Name="echo", RoleArn="acs:ram::1:role/a", Environment='{"Variables":[{"Name":"A","Value":"1"}]}'
    )
    before = service("DescribeFlow", Name="echo")
    publish(service)
    service("UpdateFlow", Name="echo", Definition=OTHER, RoleArn="acs:ram::1:role/b", Environment="{}")
    version = service("DescribeFlow", Name="echo", FlowVersion="1")
    for field in ("Id", "Name", "Definition", "RoleArn", "Environment", "ExecutionMode", "Type"):
        assert version[field] == before[field]
    assert service("DescribeFlow", Name="echo")["Definition"] == OTHER


def test_a_number_is_not_given_twice(service: Service) -> None:
    publish(service)
    publish(service)
    service("DeleteFlowVersion", FlowName="echo", FlowVersion="2")
    assert publish(service) == "3"
    assert service.refusal("DescribeFlow", Name="echo", FlowVersion="2").code == "InvalidArgument"


def test_versions_are_listed_newest_first_in_pages_that_stay_complete(service: Service) -> None:
    for _ in range(5):
        publish(service)
    first = service("ListFlowVersions", FlowName="echo", Limit="2")
    publish(service)
    service("DeleteFlowVersion", FlowName="echo", FlowVersion="3")
    second = service("ListFlowVersions", FlowName="echo", Limit="2", NextToken=first["NextToken"])
    assert [each["Version"] for each in first["FlowVersions"]] == ["5", "4"]
    assert [each["Version"] for each in second["FlowVersions"]] == ["2", "1"]
    assert "NextToken" not in second


@pytest.mark.parametrize("limit", ["0", "1000", "x", "1.5", "-1"])
def test_a_page_of_versions_has_1_to_999(service: Service, limit: str) -> None:
    refusal = service.refusal("ListFlowVersions", FlowName="echo", Limit=limit)
    assert refusal.code == "InvalidArgument"
    assert "Limit" in str(refusal.message)


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "99999999999"])
@pytest.mark.parametrize("operation", ["ListFlowVersions"])
def test_a_token_that_was_never_given_is_refused(service: Service, operation: str, token: str) -> None:
    refusal = service.refusal(operation, FlowName="echo", NextToken=token)
    assert refusal.code == "InvalidArgument"
    assert "NextToken" in str(refusal.message)


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "latest", "1" * 12])
def test_an_unknown_version_is_an_invalid_argument(service: Service, number: str) -> None:
    publish(service)
    for operation, parameters in [
        ("DescribeFlow", {"Name": "echo"}), ("DeleteFlowVersion", {"FlowName": "echo"}),
    ]:  # fmt: skip
        refusal = service.refusal(operation, **parameters, FlowVersion=number)
        assert refusal.code == "InvalidArgument"
        assert "FlowVersion" in str(refusal.message)


# -- aliases


def test_an_alias_leads_to_one_version_or_two_by_weight(service: Service) -> None:
    publish(service)
    publish(service)
    created = alias(service, ("1", 90), ("2", 10), Description="canary")
    del created["RequestId"]
    given = {
        "Name": "live", "Description": "canary", "CreatedTime": NOW,
        "RoutingConfigurations": [{"Version": "1", "Weight": 90}, {"Version": "2", "Weight": 10}],
    }  # fmt: skip
    assert created == {"FlowName": "echo", **given}
    assert service("DescribeFlowAlias", FlowName="echo", Name="live")["Alias"] == given


def test_update_changes_what_is_given(service: Service) -> None:
    publish(service)
    alias(service, ("1", 20), Description="before")
    updated = service("UpdateFlowAlias", FlowName="echo", Name="live", Description="")["Alias"]
    assert (updated["Description"], updated["RoutingConfigurations"]) == ("", [{"Version": "1", "Weight": 20}])
    publish(service)
    given = routes(("1", 0), ("2", 100))
    updated = service("UpdateFlowAlias", FlowName="echo", Name="live", RoutingConfigurations=given)["Alias"]
    assert updated["RoutingConfigurations"] == json.loads(given)
    assert service("DescribeFlowAlias", FlowName="echo", Name="live")["Alias"] == updated


def test_weights_are_text_in_the_list_and_only_there(service: Service) -> None:
    publish(service)
    alias(service, ("1", 30))
    (listed,) = service("ListFlowAliases", FlowName="echo")["Aliases"]
    assert listed["RoutingConfigurations"] == [{"Version": "1", "Weight": "30"}]
    assert listed.keys() == service("DescribeFlowAlias", FlowName="echo", Name="live")["Alias"].keys()


def test_aliases_are_listed_by_name_in_pages(service: Service) -> None:
    publish(service)
    for name in ("c", "a", "e", "b", "d"):
        alias(service, ("1", 100), name=name)
    pages = all_pages(service, "ListFlowAliases", "Aliases", Limit=2)
    assert [[each["Name"] for each in page] for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize(
    "given",
    [
        "x", "{}", "[]", "[1]", '["1"]', "[{}]", '[{"Version": "1"}]', '[{"Weight": 100}]',
        '[{"Version": 1, "Weight": 100}]', '[{"Version": "one", "Weight": 100}]', '[{"Version": "9", "Weight": 100}]',
        '[{"Version": "1", "Weight": "100"}]', '[{"Version": "1", "Weight": true}]', '[{"Version": "1", "Weight": 1.5}]',
        '[{"Version": "1", "Weight": 0}]', '[{"Version": "1", "Weight": 101}]', '[{"Version": "1", "Weight": -1}]',
        routes(("1", 50), ("2", 49)), routes(("1", 100), ("2", 100)), routes(("1", 50), ("1", 50)),
        routes(("1", 50), ("2", 25), ("3", 25)),
    ],
)  # fmt: skip
def test_routes_that_lead_nowhere_are_refused(service: Service, given: str) -> None:
    for _ in range(3):
        publish(service)
    alias(service, ("1", 100), name="there")
    for operation, name in (("CreateFlowAlias", "new"), ("UpdateFlowAlias", "there")):
        refusal = service.refusal(operation, FlowName="echo", Name=name, RoutingConfigurations=given)
        assert (refusal.code, refusal.status) == ("InvalidArgument", 400)
        assert "RoutingConfigurations" in str(refusal.message)


def test_the_name_of_an_alias_is_taken_once(service: Service) -> None:
    publish(service)
    alias(service, ("1", 100))
    refusal = service.refusal("CreateFlowAlias", FlowName="echo", Name="live", RoutingConfigurations=routes(("1", 1)))
    assert refusal.code == "InvalidArgument"
    assert "Name" in str(refusal.message)


@pytest.mark.parametrize("operation", ["UpdateFlowAlias", "DescribeFlowAlias", "DeleteFlowAlias"])
def test_an_unknown_alias_is_an_invalid_argument(service: Service, operation: str) -> None:
    refusal = service.refusal(operation, FlowName="echo", Name="nobody")
    assert refusal.code == "InvalidArgument"
    assert "nobody" in str(refusal.message)


def test_a_version_that_an_alias_leads_to_cannot_be_deleted(service: Service) -> None:
    publish(service)
    alias(service, ("1", 100))
    assert "live" in str(service.refusal("DeleteFlowVersion", FlowName="echo", FlowVersion="1").message)
    service("DeleteFlowAlias", FlowName="echo", Name="live")
    service("DeleteFlowVersion", FlowName="echo", FlowVersion="1")
    assert service("ListFlowVersions", FlowName="echo")["FlowVersions"] == []


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("PublishFlowVersion", {}), ("DeleteFlowVersion", {"FlowVersion": "1"}), ("ListFlowVersions", {}),
        ("CreateFlowAlias", {"Name": "a", "RoutingConfigurations": routes(("1", 100))}), ("UpdateFlowAlias", {"Name": "a"}),
        ("DeleteFlowAlias", {"Name": "a"}), ("DescribeFlowAlias", {"Name": "a"}), ("ListFlowAliases", {}),
    ],
)  # fmt: skip
def test_all_of_it_is_of_a_flow(service: Service, operation: str, more: dict[str, Any]) -> None:
    assert service.refusal(operation, FlowName="nobody", **more).code == "FlowNotExists"


def test_with_the_flow_its_versions_and_aliases_are_gone(service: Service) -> None:
    publish(service)
    alias(service, ("1", 100))
    service("DeleteFlow", Name="echo")
    service("CreateFlow", Name="echo", Definition=PASS, Description="", Type="FDL")
    assert service("ListFlowVersions", FlowName="echo")["FlowVersions"] == []
    assert service("ListFlowAliases", FlowName="echo")["Aliases"] == []
    assert publish(service) == "1"


# -- starts


def started(service: Service, qualifier: str | None, **more: Any) -> str:
    """The definition that a start runs."""
    definition: str = service("StartExecution", FlowName="echo", Qualifier=qualifier, **more)["FlowDefinition"]
    return definition


def test_a_start_runs_the_version_it_names_else_the_flow_itself(service: Service) -> None:
    publish(service)
    service("UpdateFlow", Name="echo", Definition=OTHER)
    publish(service)
    assert started(service, "1") == PASS
    assert started(service, "2") == OTHER
    service("UpdateFlow", Name="echo", Definition=PASS)
    assert started(service, None) == PASS
    assert started(service, "2") == OTHER


def test_a_version_runs_with_the_role_and_environment_it_was_published_with() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    service("UpdateFlow", Name="echo", RoleArn="r1", Environment='{"Variables":[{"Name":"A","Value":"1"}]}')
    publish(service)
    service("UpdateFlow", Name="echo", RoleArn="r2", Environment='{"Variables":[{"Name":"A","Value":"2"}]}')
    service("StartExecution", FlowName="echo", ExecutionName="e", Qualifier="1")
    described = service("DescribeExecution", FlowName="echo", ExecutionName="e")
    assert described["Environment"] == {"Variables": [{"Name": "A", "Value": "1"}]}
    assert service("StopExecution", FlowName="echo", ExecutionName="e")["RoleArn"] == "r1"


def test_a_running_execution_keeps_what_it_started_with() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    service("StartExecution", FlowName="echo", ExecutionName="e")
    service("UpdateFlow", Name="echo", Definition=OTHER, RoleArn="r2", Environment='{"Variables":[]}')
    described = service("DescribeExecution", FlowName="echo", ExecutionName="e")
    assert described["FlowDefinition"] == PASS
    assert "RoleArn" not in service("StopExecution", FlowName="echo", ExecutionName="e")


def shares(seed: int) -> list[str]:
    """Which of two versions a hundred starts by an alias of 80 and 20 ran."""
    service = make_service(echo_flow(), seed=seed)
    publish(service)
    service("UpdateFlow", Name="echo", Definition=OTHER)
    publish(service)
    alias(service, ("1", 80), ("2", 20))
    return [started(service, "live") for _ in range(100)]


def test_an_alias_shares_starts_out_by_weight_the_same_way_for_the_same_seed() -> None:
    first = shares(1)
    assert 65 <= first.count(PASS) <= 95
    assert first == shares(1)
    assert first != shares(2)


@pytest.mark.parametrize(("weights", "definition"), [((100, 0), PASS), ((0, 100), OTHER)])
def test_a_weight_of_0_gets_nothing(service: Service, weights: tuple[int, int], definition: str) -> None:
    publish(service)
    service("UpdateFlow", Name="echo", Definition=OTHER)
    publish(service)
    alias(service, ("1", weights[0]), ("2", weights[1]))
    assert {started(service, "live") for _ in range(50)} == {definition}


def test_a_lone_route_gets_all_starts_whatever_its_weight(service: Service) -> None:
    publish(service)
    alias(service, ("1", 20))
    assert {started(service, "live") for _ in range(20)} == {PASS}


def test_an_express_flow_is_started_by_version_too() -> None:
    service = make_service(echo_flow({"when": {"input": {"v": 1}}, "output": {"out": 1}}, execution_mode="Express"))
    publish(service)
    done = service("StartSyncExecution", FlowName="echo", Qualifier="1", Input='{"v": 1}')
    assert (done["Status"], json.loads(done["Output"])) == ("Succeeded", {"out": 1})
    assert service.refusal("StartSyncExecution", FlowName="echo", Qualifier="2").code == "InvalidArgument"


@pytest.mark.parametrize("qualifier", ["2", "nobody", "a b", "0", "-1"])
def test_a_qualifier_that_leads_nowhere_starts_nothing(service: Service, qualifier: str) -> None:
    publish(service)
    refusal = service.refusal("StartExecution", FlowName="echo", Qualifier=qualifier)
    assert (refusal.code, refusal.status) == ("InvalidArgument", 400)
    assert "Qualifier" in str(refusal.message)
    assert service("ListExecutions", FlowName="echo")["Executions"] == []
