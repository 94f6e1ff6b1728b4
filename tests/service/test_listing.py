"""ListExecutions: its filters, and pages that stay complete."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.base.json_text import json_text
from cfmock.protocol.wire.messages import Reply
from tests.support.calls import NOW, PASS, Service, echo_flow, make_service


def start(service: Service, name: str, **more: Any) -> None:
    service("StartExecution", FlowName="echo", ExecutionName=name, **more)


@pytest.fixture
def busy() -> Service:
    """Thirty executions, one a second: a-00, b-01, c-02, a-03 ..., every third of them failed."""
    service = make_service(echo_flow({"when": {"execution": "c-*"}, "status": "Failed"}, {}))
    for number in range(30):
        start(service, f"{'abc'[number % 3]}-{number:02}")
        service.emulator.time.advance_to(service.emulator.clock.now() + 1)
    return service


def names(service: Service, **filters: Any) -> list[str]:
    found: list[str] = []
    token = None
    while True:
        page = service("ListExecutions", FlowName="echo", Limit=4, NextToken=token, **filters)
        found += [each["Name"] for each in page["Executions"]]
        token = page.get("NextToken")
        if token is None:
            return found
        assert len(page["Executions"]) == 4


def test_executions_are_listed_newest_first(busy: Service) -> None:
    assert [name[-2:] for name in names(busy)] == [f"{number:02}" for number in reversed(range(30))]


def test_executions_are_listed_by_status(busy: Service) -> None:
    assert names(busy, Status="Failed") == [f"c-{number:02}" for number in range(29, 0, -3)]
    assert names(busy, Status="Running") == []


def test_executions_are_listed_by_prefix(busy: Service) -> None:
    assert names(busy, ExecutionNamePrefix="b-") == [f"b-{number:02}" for number in range(1, 30, 3)]
    assert names(busy, ExecutionNamePrefix="b-", Status="Failed") == []


def test_executions_are_listed_by_start_time_both_ends_included(busy: Service) -> None:
    found = names(busy, StartedTimeBegin="2024-06-01T00:00:05.000Z", StartedTimeEnd="2024-06-01T00:00:09Z")
    assert [name[-2:] for name in found] == ["09", "08", "07", "06", "05"]


def test_all_filters_hold_together(busy: Service) -> None:
    assert names(busy, Status="Failed", StartedTimeBegin="2024-06-01T00:00:20Z") == ["c-29", "c-26", "c-23", "c-20"]
    assert names(busy, ExecutionNamePrefix="a-", StartedTimeEnd="2024-06-01T00:00:03Z") == ["a-00", "a-03"]


def test_metadata_only_leaves_out_what_is_long(busy: Service) -> None:
    item = busy("ListExecutions", FlowName="echo", Limit=1, MetadataOnly="true")["Executions"][0]
    assert item.keys() == {"FlowName", "Name", "Status", "StartedTime", "StoppedTime"}


def test_pages_are_complete_while_executions_come(busy: Service) -> None:
    first = busy("ListExecutions", FlowName="echo", Limit=10)
    start(busy, "late")
    second = busy("ListExecutions", FlowName="echo", Limit=100, NextToken=first["NextToken"])
    found = [each["Name"][-2:] for page in (first, second) for each in page["Executions"]]
    assert found == [f"{number:02}" for number in reversed(range(30))]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("NextToken", "x"), ("NextToken", "1-2-3"), ("Limit", "101"), ("Limit", "0"), ("Status", "Done"),
     ("StartedTimeBegin", "yesterday"), ("MetadataOnly", "maybe")],
)  # fmt: skip
def test_a_wrong_filter_is_refused(busy: Service, parameter: str, value: str) -> None:
    refusal = busy.refusal("ListExecutions", FlowName="echo", **{parameter: value})
    assert refusal.code == "InvalidArgument"
    assert parameter in str(refusal.message)


# -- versions and aliases ------------------------------------------------------------------------------------------------


@pytest.fixture
def versioned() -> Service:
    """Versions 1 and 2, the alias `live` of version 2, and an execution each way: plain, one, two, live."""
    service = make_service(echo_flow())
    for _ in range(2):
        service("PublishFlowVersion", FlowName="echo")
    routes = '[{"Version": "2", "Weight": 100}]'
    service("CreateFlowAlias", FlowName="echo", Name="live", RoutingConfigurations=routes)
    for name, qualifier in (("plain", None), ("one", "1"), ("two", "2"), ("live", "live")):
        start(service, name, Qualifier=qualifier)
    return service


@pytest.mark.parametrize(
    ("qualifier", "expected"),
    [(None, ["live", "two", "one", "plain"]), ("1", ["one"]), ("2", ["live", "two"]), ("live", ["live"])],
)
def test_a_version_lists_what_ran_it_and_an_alias_what_named_it(
    versioned: Service, qualifier: str | None, expected: list[str]
) -> None:
    assert names(versioned, Qualifier=qualifier) == expected
    assert names(versioned, Qualifier=qualifier, Status="Succeeded") == expected
    assert names(versioned, Qualifier=qualifier, Status="Failed") == []
    assert set(names(versioned, Qualifier=qualifier, ExecutionNamePrefix="l")) == {"live"} & set(expected)


def test_what_a_deleted_version_ran_is_still_listed_by_it(versioned: Service) -> None:
    versioned("DeleteFlowVersion", FlowName="echo", FlowVersion="1")
    assert names(versioned, Qualifier="1") == ["one"]
    assert names(versioned, Qualifier="7") == []


def test_pages_of_a_version_are_complete(versioned: Service) -> None:
    for number in range(9):
        start(versioned, f"more-{number}", Qualifier="1")
        start(versioned, f"other-{number}")
    assert names(versioned, Qualifier="1") == [f"more-{number}" for number in reversed(range(9))] + ["one"]


def test_a_status_that_changes_is_listed_once_whatever_it_is_asked_by() -> None:
    service = make_service(echo_flow({"after": "5s"}))
    service("PublishFlowVersion", FlowName="echo")
    start(service, "e", Qualifier="1")
    for filters in ({}, {"Qualifier": "1"}):
        assert names(service, Status="Running", **filters) == ["e"]
    service.emulator.time.advance_to(service.emulator.clock.now() + 5)
    for filters in ({}, {"Qualifier": "1"}):
        assert names(service, Status="Running", **filters) == []
        assert names(service, Status="Succeeded", **filters) == ["e"]
        assert names(service, **filters) == ["e"]


# -- cost ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filters",
    [
        {}, {"Status": "Failed"}, {"ExecutionNamePrefix": "rare"}, {"StartedTimeEnd": "2024-06-01T00:05:00Z"},
        {"Qualifier": "1"}, {"MapRunName": "nobody"}, {"NextToken": "1717200300000-300"},
    ],
    ids=str,
)  # fmt: skip
def test_a_page_looks_at_no_more_executions_than_it_shows(
    filters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(echo_flow({"when": {"execution": "*-3?"}, "status": "Failed"}, {}))
    service("PublishFlowVersion", FlowName="echo")
    for number in range(600):
        start(service, f"{'rare' if number < 5 else 'usual'}-{number}", Qualifier="1" if number % 100 == 0 else None)
        service.emulator.time.advance_to(service.emulator.clock.now() + 1)
    table = service.emulator.worlds.default().stores.executions
    looked, get = [], table.get

    def counting(partition: str, key: str) -> Any:
        looked.append(key)
        return get(partition, key)

    monkeypatch.setattr(table, "get", counting)
    page = service("ListExecutions", FlowName="echo", Limit=4, **filters)["Executions"]
    assert len(page) == (0 if "MapRunName" in filters else 4)
    assert len(looked) <= 5


@pytest.mark.parametrize("metadata_only", [False, True])
def test_an_item_is_what_describe_execution_answers(metadata_only: bool) -> None:
    """To the letter: items are joined as text, while the other goes through the encoder."""
    service = make_service(
        echo_flow(
            {"when": {"execution": "f*"}, "status": "Failed", "error": {"code": 'a"b', "detail": "\n"}},
            {"when": {"execution": "r*"}, "status": "Running"},
            {"when": {"execution": "o*"}, "output": {"out": '"\\ \u2028名'}, "after": "1s"},
        )
    )
    service("CreateFlow", Name="other", Definition=PASS, Description="", Type="FDL",
            Environment='{"Variables": [{"Name": "a", "Value": "\\"名", "Description": "d"}, {"Name": "b"}]}')  # fmt: skip
    for name in ("failed", "running", "out", "plain"):
        for flow in ("echo", "other"):
            service("StartExecution", FlowName=flow, ExecutionName=name, Input='{"a": "\\ud83d x \\n", "名": 1e2}')
    service.emulator.time.advance_to(NOW + 2)
    long = ("FlowDefinition", "Input", "Output") if metadata_only else ()
    for flow in ("echo", "other"):
        listed = service.send("ListExecutions", FlowName=flow, MetadataOnly=metadata_only)
        assert isinstance(listed, Reply)
        described = [
            {name: value for name, value in fields.items() if name not in ("RequestId", *long)}
            for name in ("plain", "out", "running", "failed")
            for fields in [service("DescribeExecution", FlowName=flow, ExecutionName=name)]
        ]
        assert listed.body == json_text({"RequestId": listed.request_id, "Executions": described}).encode()
