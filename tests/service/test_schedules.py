"""Schedules, on a virtual clock."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.base.clocks import iso
from cfmock.base.errors import FixtureError
from tests.support.calls import NOW, PASS, Service, echo_flow, make_service

MINUTE, DAY = 60.0, 86_400.0


@pytest.fixture
def service() -> Service:
    return make_service(echo_flow())


def create(service: Service, cron: str = "0 * * * * *", name: str = "s", **more: Any) -> dict[str, Any]:
    return service("CreateSchedule", FlowName="echo", ScheduleName=name, CronExpression=cron, **more)


def describe(service: Service, name: str = "s") -> dict[str, Any]:
    return service("DescribeSchedule", FlowName="echo", ScheduleName=name)


def update(service: Service, name: str = "s", **more: Any) -> dict[str, Any]:
    return service("UpdateSchedule", FlowName="echo", ScheduleName=name, **more)


def advance(service: Service, seconds: float) -> None:
    service.emulator.time.advance_to(service.emulator.clock.now() + seconds)


def runs(service: Service) -> list[dict[str, Any]]:
    """All executions, oldest first."""
    found, token = [], None
    while True:
        fields = service("ListExecutions", FlowName="echo", Limit=100, NextToken=token)
        found += fields["Executions"]
        token = fields.get("NextToken")
        if token is None:
            return found[::-1]


def test_a_schedule_is_described_as_it_was_created(service: Service) -> None:
    created = create(service, "@every 5m", Payload='{ "a": 1 }', Description="often", Enable="false")
    assert describe(service) | {"RequestId": ""} == created | {"RequestId": ""}
    assert created.pop("RequestId") != created.pop("ScheduleId") != ""
    assert created == {
        "ScheduleName": "s", "Description": "often", "Payload": '{ "a": 1 }', "CronExpression": "@every 5m",
        "Enable": False, "CreatedTime": "2024-06-01T00:00:00.000Z", "LastModifiedTime": "2024-06-01T00:00:00.000Z",
    }  # fmt: skip


def test_it_starts_executions_with_its_payload_at_its_times(service: Service) -> None:
    create(service, "30 * * * * *", Payload='{"a": 1}')
    advance(service, 2 * MINUTE)
    found = runs(service)
    assert [each["StartedTime"] for each in found] == ["2024-06-01T00:00:30.000Z", "2024-06-01T00:01:30.000Z"]
    assert {each["Input"] for each in found} == {'{"a": 1}'}
    assert len({each["Name"] for each in found}) == 2


def test_without_a_payload_executions_have_no_input(service: Service) -> None:
    create(service)
    advance(service, MINUTE)
    assert [each["Input"] for each in runs(service)] == [""]


@pytest.mark.parametrize("steps", [1, 7, 24 * 60])
def test_none_is_missed_and_none_comes_twice_however_the_clock_moves(service: Service, steps: int) -> None:
    create(service, "30 */5 * * * *")
    for _ in range(steps):
        advance(service, DAY / steps)
    expected = [iso(NOW + 30 + 300 * number) for number in range(24 * 12)]
    assert [each["StartedTime"] for each in runs(service)] == expected


def test_every_counts_from_the_creation(service: Service) -> None:
    advance(service, 7.0)
    create(service, "@every 90m")
    advance(service, DAY)
    assert len(runs(service)) == 16
    assert runs(service)[0]["StartedTime"] == "2024-06-01T01:30:07.000Z"


def test_flows_of_the_old_language_have_schedules_too() -> None:
    legacy = "version: v1\ntype: flow\nname: echo\nsteps:\n  - type: pass\n    name: one\n"
    service = make_service({"flows": [{"name": "echo", "definition": legacy}]})
    create(service, "@every 1m", Payload='{"a": 1}')
    advance(service, 3 * MINUTE)
    assert [(each["Status"], each["Input"]) for each in runs(service)] == [("Succeeded", '{"a": 1}')] * 3


def test_schedules_of_one_flow_run_beside_each_other(service: Service) -> None:
    create(service, "@every 2m", "a")
    create(service, "@every 3m", "b")
    advance(service, 6 * MINUTE)
    assert [each["StartedTime"][14:16] for each in runs(service)] == ["02", "03", "04", "06", "06"]


def test_a_disabled_schedule_waits_until_it_is_enabled(service: Service) -> None:
    create(service, "@every 1m", Enable=False)
    advance(service, 10 * MINUTE)
    assert runs(service) == []
    assert update(service, Enable=True)["Enable"] is True
    advance(service, MINUTE)
    assert len(runs(service)) == 1
    update(service, Enable=False)
    advance(service, 10 * MINUTE)
    assert len(runs(service)) == 1


def test_a_new_expression_counts_at_once(service: Service) -> None:
    create(service, "0 0 12 * * *")
    advance(service, MINUTE)
    update(service, CronExpression="0 5 * * * *")
    advance(service, DAY)
    assert [each["StartedTime"] for each in runs(service)][:2] == [
        "2024-06-01T00:05:00.000Z",
        "2024-06-01T01:05:00.000Z",
    ]
    assert "2024-06-01T12:00:00.000Z" not in [each["StartedTime"] for each in runs(service)]


def test_other_changes_leave_it_waiting(service: Service) -> None:
    created = create(service, "@every 10m", Payload='{"n": 1}', Description="d")
    advance(service, 9 * MINUTE)
    updated = update(service, Payload='{"n": 2}')
    assert (updated["Description"], updated["CronExpression"], updated["Enable"]) == ("d", "@every 10m", True)
    assert updated["ScheduleId"] == created["ScheduleId"]
    assert updated["LastModifiedTime"] > updated["CreatedTime"]
    advance(service, MINUTE)
    assert [each["Input"] for each in runs(service)] == ['{"n": 2}']


def test_a_deleted_schedule_starts_nothing(service: Service) -> None:
    create(service)
    advance(service, MINUTE)
    service("DeleteSchedule", FlowName="echo", ScheduleName="s")
    advance(service, DAY)
    assert len(runs(service)) == 1
    assert service.refusal("DescribeSchedule", FlowName="echo", ScheduleName="s").code == "ScheduleNotExists"


def test_with_its_flow_a_schedule_is_gone(service: Service) -> None:
    create(service)
    service("DeleteFlow", Name="echo")
    service("CreateFlow", Name="echo", Definition=PASS, Description="", Type="FDL")
    assert service("ListSchedules", FlowName="echo")["Schedules"] == []
    advance(service, DAY)
    assert runs(service) == []


def test_an_execution_runs_the_flow_as_it_is_by_then(service: Service) -> None:
    create(service)
    other = PASS.replace("Take", "Other")
    service("UpdateFlow", Name="echo", Definition=other)
    advance(service, MINUTE)
    assert [each["FlowDefinition"] for each in runs(service)] == [other]


def test_a_name_is_taken_once_in_its_flow() -> None:
    service = make_service(echo_flow(), echo_flow(name="other"))
    create(service)
    refusal = service.refusal("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="@every 1m")
    assert (refusal.code, refusal.status) == ("ScheduleAlreadyExists", 409)
    assert refusal.message == "The schedule s for flow echo already exists."
    assert service("CreateSchedule", FlowName="other", ScheduleName="s", CronExpression="@every 1m")


@pytest.mark.parametrize("operation", ["UpdateSchedule", "DeleteSchedule", "DescribeSchedule"])
def test_an_unknown_schedule_is_not_there(service: Service, operation: str) -> None:
    refusal = service.refusal(operation, FlowName="echo", ScheduleName="nobody")
    assert (refusal.code, refusal.status) == ("ScheduleNotExists", 404)
    assert refusal.message == "The schedule nobody for flow echo does not exist."


@pytest.mark.parametrize(
    "operation", ["CreateSchedule", "UpdateSchedule", "DeleteSchedule", "DescribeSchedule", "ListSchedules"]
)
def test_a_schedule_is_of_a_flow(service: Service, operation: str) -> None:
    more = {} if operation == "ListSchedules" else {"ScheduleName": "s"}
    if operation == "CreateSchedule":
        more["CronExpression"] = "@every 1m"
    assert service.refusal(operation, FlowName="nobody", **more).code == "FlowNotExists"


@pytest.mark.parametrize("cron", ["", "x", "* * * * * *", "@every 1s"])
def test_a_wrong_expression_is_an_invalid_argument_and_changes_nothing(service: Service, cron: str) -> None:
    create(service)
    refusal = service.refusal("CreateSchedule", FlowName="echo", ScheduleName="t", CronExpression=cron)
    assert refusal.code == ("InvalidArgument" if cron else "MissingRequiredParams")
    assert "CronExpression" in str(refusal.message)
    if cron:
        given = {"CronExpression": cron, "Description": "x"}
        assert service.refusal("UpdateSchedule", FlowName="echo", ScheduleName="s", **given).code == "InvalidArgument"
        assert describe(service)["Description"] == ""
    assert [each["ScheduleName"] for each in service("ListSchedules", FlowName="echo")["Schedules"]] == ["s"]


def test_schedules_are_listed_by_name_in_pages(service: Service) -> None:
    for name in ("c", "a", "b"):
        create(service, name=name)
    first = service("ListSchedules", FlowName="echo", Limit=2)
    second = service("ListSchedules", FlowName="echo", Limit=2, NextToken=first["NextToken"])
    assert [each["ScheduleName"] for each in first["Schedules"] + second["Schedules"]] == ["a", "b", "c"]
    assert "NextToken" not in second
    assert first["Schedules"][0].items() <= describe(service, "a").items()


def test_schedules_of_a_fixture_are_there_in_every_world() -> None:
    fixture = {"schedules": [{"flow": "echo", "name": "s", "cron": "@every 1m", "payload": {"a": 1}}]}
    service = make_service({**echo_flow(), **fixture})
    service("ListFlows")
    service("ListFlows", RegionId="cn-shanghai")
    advance(service, 2 * MINUTE)
    assert [each["Input"] for each in runs(service)] == ['{"a": 1}'] * 2
    elsewhere = service("ListExecutions", FlowName="echo", RegionId="cn-shanghai")
    assert len(elsewhere["Executions"]) == 2


def test_a_reset_begins_the_schedules_anew() -> None:
    fixture = {"schedules": [{"flow": "echo", "name": "s", "cron": "@every 1m"}]}
    service = make_service({**echo_flow(), **fixture})
    service("ListFlows")
    create(service, "@every 1m", "added")
    advance(service, 2 * MINUTE)
    service.emulator.reset()
    advance(service, 2 * MINUTE)
    assert len(runs(service)) == 2


def test_a_reset_of_one_world_ends_its_schedules_only() -> None:
    service = make_service(echo_flow())
    create(service)
    service("CreateSchedule", FlowName="echo", ScheduleName="s", CronExpression="@every 1m", RegionId="cn-beijing")
    service.emulator.reset(scope=(None, "cn-beijing"))
    advance(service, MINUTE)
    assert len(runs(service)) == 1
    assert service("ListExecutions", FlowName="echo", RegionId="cn-beijing")["Executions"] == []


def test_a_wrong_expression_in_a_fixture_is_told_with_its_place() -> None:
    with pytest.raises(FixtureError) as caught:
        make_service({**echo_flow(), "schedules": [{"flow": "echo", "name": "s", "cron": "* * * * * *"}]})
    assert "schedules[0].cron: '*' as seconds" in str(caught.value)
