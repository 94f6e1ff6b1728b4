"""CreateFlow, UpdateFlow, DeleteFlow, DescribeFlow, ListFlows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.calls import PASS, Service, echo_flow, make_service

VARIABLES = {"Variables": [{"Name": "A", "Value": "1", "Description": "first"}]}


@pytest.fixture
def service() -> Service:
    return make_service()


def create(service: Service, name: str = "f", **more: Any) -> dict[str, Any]:
    return service("CreateFlow", **{"Name": name, "Definition": PASS, "Description": "d", "Type": "FDL"} | more)


def test_a_created_flow_is_described_as_it_was_given(service: Service) -> None:
    created = create(service, RoleArn="acs:ram::1:r", Environment=json.dumps(VARIABLES))
    described = service("DescribeFlow", Name="f")
    assert {**described, "RequestId": ""} == {**created, "RequestId": ""}
    assert described["Definition"] == PASS
    assert described["Environment"] == VARIABLES
    assert described["ExecutionMode"] == "Standard"
    assert described["CreatedTime"] == "2024-06-01T00:00:00.000Z"


def test_a_name_is_taken_once(service: Service) -> None:
    create(service)
    refusal = service.refusal("CreateFlow", Name="f", Definition=PASS, Description="d", Type="FDL")
    assert (refusal.code, refusal.status, refusal.message) == ("FlowAlreadyExists", 409, "Flow f already exists.")


def test_the_first_mistakes_of_a_definition_are_told_and_the_others_counted(service: Service) -> None:
    states = "".join(f"  - {{Type: Pass, Name: s{number}, Next: t{number}}}\n" for number in range(2_000))
    text = f"Type: StateMachine\nName: f\nSpecVersion: v1\nStartAt: s0\nStates:\n{states}"
    refusal = service.refusal("CreateFlow", Name="f", Definition=text, Description="d", Type="FDL")
    assert refusal.message.count("there is no state") == 5
    assert refusal.message.endswith("'t4' in this scope And 1995 more.")


def test_aliases_that_add_up_to_too_many_levels_are_refused(service: Service) -> None:
    text = "".join(f"x{number}: &x{number} [*x{number - 1}]\n" for number in range(1, 1_000))
    refusal = service.refusal("CreateFlow", Name="f", Definition=f"x0: &x0 []\n{text}", Description="d", Type="FDL")
    assert (refusal.status, refusal.code) == (400, "InvalidArgument")
    assert "Definition:100:" in refusal.message
    assert "nested more than 100 levels deep" in refusal.message


@pytest.mark.parametrize("missing", ["Name", "Definition", "Description", "Type"])
def test_what_create_needs_is_named(service: Service, missing: str) -> None:
    given = {"Name": "f", "Definition": PASS, "Description": "d", "Type": "FDL"}
    del given[missing]
    refusal = service.refusal("CreateFlow", **given)
    assert refusal.code == "MissingRequiredParams"
    assert refusal.message == f"The HTTP query '{missing}' must be specified."


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("Name", "1x"), ("Name", "a b"), ("Name", "x" * 129), ("Name", "流"), ("Type", "XML"), ("ExecutionMode", "Fast"),
        ("Definition", "just text"), ("Definition", "Type: Other"), ("Definition", "{"),
        ("Environment", "x"), ("Environment", "[]"), ("Environment", '{"Variables": [{"Value": "1"}]}'),
    ],
)  # fmt: skip
def test_a_wrong_value_is_an_invalid_argument_that_names_the_parameter(
    service: Service, parameter: str, value: str
) -> None:
    given = {"Name": "f", "Definition": PASS, "Description": "d", "Type": "FDL", parameter: value}
    refusal = service.refusal("CreateFlow", **given)
    assert (refusal.code, refusal.status) == ("InvalidArgument", 400)
    assert refusal.message is not None
    assert refusal.message.startswith("Parameter error. ")
    assert parameter in refusal.message


@pytest.mark.parametrize("name", ["a", "_", "A-b_9", "x" * 128])
def test_names_of_the_documented_pattern_are_taken(service: Service, name: str) -> None:
    assert create(service, name)["Name"] == name


def test_only_a_description_may_be_empty(service: Service) -> None:
    assert create(service, Description="")["Description"] == ""
    assert service.refusal("CreateFlow", Name="", Definition=PASS, Description="", Type="FDL").code == (
        "MissingRequiredParams"
    )


def test_an_update_changes_what_it_names_and_keeps_the_rest(service: Service) -> None:
    create(service, RoleArn="r1")
    service.emulator.time.advance_to(service.emulator.clock.now() + 5)
    updated = service("UpdateFlow", Name="f", Description="new")
    assert (updated["Description"], updated["RoleArn"], updated["Definition"]) == ("new", "r1", PASS)
    assert (updated["CreatedTime"], updated["LastModifiedTime"]) == (
        "2024-06-01T00:00:00.000Z",
        "2024-06-01T00:00:05.000Z",
    )
    assert "ExecutionMode" not in updated


def test_unknown_flows_do_not_exist(service: Service) -> None:
    for operation in ("UpdateFlow", "DeleteFlow", "DescribeFlow"):
        refusal = service.refusal(operation, Name="nope")
        assert (refusal.code, refusal.status, refusal.message) == ("FlowNotExists", 404, "Flow nope does not exist.")


def test_a_deleted_flow_takes_its_executions_along_and_frees_its_name(service: Service) -> None:
    create(service)
    service("StartExecution", FlowName="f", ExecutionName="e")
    service("DeleteFlow", Name="f")
    assert service.refusal("DescribeFlow", Name="f").code == "FlowNotExists"
    assert service.refusal("DescribeExecution", FlowName="f", ExecutionName="e").code == "FlowNotExists"
    create(service)
    assert service.refusal("DescribeExecution", FlowName="f", ExecutionName="e").code == "ExecutionNotExists"
    assert service("ListExecutions", FlowName="f")["Executions"] == []


def test_deleting_a_flow_stops_what_runs_and_answers_who_waits() -> None:
    service = make_service(echo_flow({"status": "Running"}))
    service("StartExecution", FlowName="echo", ExecutionName="e")
    waiting = service.send("DescribeExecution", FlowName="echo", ExecutionName="e", WaitTimeSeconds=60)
    replies: list[Any] = []
    waiting.then(replies.append)  # type: ignore[union-attr]
    service("DeleteFlow", Name="echo")
    assert json.loads(replies[0].body)["Code"] == "FlowNotExists"


def test_pages_of_flows_are_complete_while_flows_come_and_go(service: Service) -> None:
    names = [f"f{number:02}" for number in range(25)]
    for name in names:
        create(service, name)
    seen: list[str] = []
    token: str | None = ""
    while token is not None:
        page = service("ListFlows", Limit=4, NextToken=token or None)
        seen += [flow["Name"] for flow in page["Flows"]]
        assert len(page["Flows"]) <= 4
        token = page.get("NextToken")
        if len(seen) == 8:
            service("DeleteFlow", Name=token)
            create(service, "f00a")
    assert seen == [name for name in names if name != "f08"]


def test_the_last_page_has_no_token(service: Service) -> None:
    create(service)
    assert "NextToken" not in service("ListFlows", Limit=1)


@pytest.mark.parametrize("limit", ["0", "1000", "-1", "x", "1.5"])
def test_a_limit_outside_its_range_is_refused(service: Service, limit: str) -> None:
    refusal = service.refusal("ListFlows", Limit=limit)
    assert refusal.code == "InvalidArgument"
    assert "Limit" in str(refusal.message)


def test_environment_and_storage_location_are_kept(service: Service) -> None:
    create(service, Environment=json.dumps(VARIABLES), ExternalStorageLocation="/bucket/path")
    updated = service("UpdateFlow", Name="f", Description="new")
    assert updated["ExternalStorageLocation"] == "/bucket/path"
    assert updated["Environment"] == VARIABLES
    assert service("UpdateFlow", Name="f", ExternalStorageLocation="/other")["ExternalStorageLocation"] == "/other"
    assert service("ListFlows")["Flows"][0]["Environment"] == VARIABLES
