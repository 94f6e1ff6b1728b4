"""Flows as those see them who look: the list, one with all that belongs to it, pictures."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from cfmock.control import flow_detail
from cfmock.control.control import Control
from cfmock.control.part import ControlError, NotFoundError
from cfmock.control.part import worked_out as done
from cfmock.fixtures.loader import load
from cfmock.fixtures.seeding import build
from cfmock.graph.svg.style import css
from cfmock.settings import resolve
from tests.support.calls import PASS, Service, echo_flow, make_service, task_flow

SVG = "{http://www.w3.org/2000/svg}"


def control_of(*fixtures: Any) -> tuple[Service, Control]:
    service = make_service(*fixtures)
    return service, Control(service.emulator)


def test_flows_are_listed_by_name_with_how_many_of_what_each_has() -> None:
    tasks = {"Charge": [{"when": {"execution": "x"}, "returns": {}}, {"waits": True}]}
    service, control = control_of(
        task_flow("Charge", tasks=tasks, description="takes orders"), echo_flow({"status": "Failed"})
    )
    for name in ("a", "b"):
        service("StartExecution", FlowName="order", ExecutionName=name)
    service("StartExecution", FlowName="echo", ExecutionName="c")
    echo, order = done(control.list_flows())["flows"]
    assert (echo["name"], echo["counts"], echo["outcomes"], echo["mocks"]) == ("echo", {"Failed": 1}, 1, 0)
    assert (echo["coverage"], control.list_executions()["waiting"]) == (0, 2)
    assert order == {
        "name": "order", "execution_mode": "Standard", "description": "takes orders", "counts": {"Running": 2},
        "mocks": 2, "outcomes": 0, "findings": 0, "coverage": 100, "account": order["account"], "region": "cn-hangzhou",
    }  # fmt: skip


def test_counts_follow_executions_that_end_and_are_dropped() -> None:
    service = make_service(echo_flow({"when": {"execution": "r*"}, "status": "Running"}), keep_executions=3)
    control = Control(service.emulator)
    for name in ("e1", "r1", "e2", "e3", "e4"):
        service("StartExecution", FlowName="echo", ExecutionName=name)
    service("StopExecution", FlowName="echo", ExecutionName="r1")
    assert done(control.list_flows())["flows"][0]["counts"] == {"Succeeded": 2, "Stopped": 1}


def test_flows_come_in_pages_each_once_in_every_world() -> None:
    keys = [{"access_key_id": name, "access_key_secret": "s", "account": name} for name in ("one", "two")]
    flows = [each for name in "cab" for each in echo_flow(name=name)["flows"]]
    service, control = control_of({"credentials": keys, "flows": flows})
    Service(service.emulator, 1)("ListFlows")
    found, after = [], None
    while True:
        page = done(control.list_flows(limit=2, after=after))
        found += [(each["name"], each["account"]) for each in page["flows"]]
        after = page.get("next")
        if after is None:
            break
    accounts = sorted({account for _, account in found})
    assert found == [(name, account) for name in "abc" for account in accounts]
    with pytest.raises(ControlError, match=r"^after: "):
        done(control.list_flows(after="x"))


def test_one_flow_is_told_with_all_that_belongs_to_it() -> None:
    fixture = {
        **task_flow("Charge", tasks={"Charge": [{"fails": {"code": "No"}, "times": 1}, {"returns": 1, "after": "2s"}]},
                    outcomes=[{"when": {"execution": "x-*"}, "output": {"n.$": "$Input.n"}, "after": {"polls": 2}}]),
        "schedules": [{"flow": "order", "name": "often", "cron": "0 * * * * *"}, {"flow": "order", "name": "off",
                       "cron": "@every 5m", "enabled": False}],
    }  # fmt: skip
    service, control = control_of(fixture)
    service("PublishFlowVersion", FlowName="order", Description="first")
    service("CreateFlowAlias", FlowName="order", Name="live", RoutingConfigurations=[{"Version": "1", "Weight": 100}])
    service("StartExecution", FlowName="order", ExecutionName="x-1", Input={"n": 1})
    service("StartExecution", FlowName="order", ExecutionName="e")
    told = done(control.show_flow("order"))
    assert [(each["version"], each["description"]) for each in told["versions"]] == [(1, "first")]
    assert [(each["name"], each["routes"]) for each in told["aliases"]] == [("live", [{"version": 1, "weight": 100}])]
    assert [(each["name"], each["next"], each["left_out"]) for each in told["schedules"]] == [
        ("off", None, 0), ("often", "2024-06-01T00:01:00.000Z", 0),
    ]  # fmt: skip
    assert [(each["number"], each["hits"]) for each in told["mocks"]] == [(1, 1), (2, 0)]
    assert told["mocks"][0]["fails"] == {"code": "No", "detail": ""}
    assert (told["mocks"][1]["returns"], told["mocks"][1]["after"]) == (1, 2.0)
    (outcome,) = told["outcomes"]
    assert (outcome["output"], outcome["after"], outcome["hits"]) == ({"n.$": "$Input.n"}, {"polls": 2}, 1)
    assert [(each["name"], each["type"], each["action"]) for each in told["outline"]] == [
        ("Charge", "Task", "FC:InvokeFunction")
    ]
    assert "Charge" in told["definition"]
    keys = list(told)
    assert keys[keys.index("type") :][:5] == ["type", "created", "modified", "definition", "outline"]
    assert list(told["schedules"][0])[-2:] == ["next", "left_out"]
    assert list(outcome)[:3] == ["when", "times", "status"]


def test_coverage_so_far_counts_what_has_ended_and_what_runs() -> None:
    service, control = control_of(task_flow("A", "B", tasks={"B": [{"waits": True}]}))

    def hits() -> dict[str, int]:
        points = done(control.show_flow("order"))["coverage"]["points"]
        return {point["label"]: point["hits"] for point in points}

    assert hits() == {"A": 0, "B": 0}
    service("StartExecution", FlowName="order", ExecutionName="e")
    assert hits() == {"A": 1, "B": 1}
    service("StopExecution", FlowName="order", ExecutionName="e")
    assert hits() == {"A": 1, "B": 1}
    assert done(control.show_flow("order"))["coverage"]["percent"] == 100
    service("UpdateFlow", Name="order", Definition=PASS.replace("echo", "order"))
    assert hits() == {"Take": 0}


def test_lines_are_those_of_the_text_even_of_a_definition_inside_a_file(tmp_path: Path) -> None:
    text = "Type: StateMachine\nSpecVersion: v1\nName: f\nStartAt: A\nStates:\n  - {Type: Succeed, Name: A}\n"
    path = tmp_path / "f.yaml"
    path.write_text(f"cfmock: 1\n\n\nflows:\n  - name: f\n    definition: |\n{indent(text, ' ' * 6)}", encoding="utf-8")
    control = Control(build(load([str(path)]), resolve({}, {}, {})))
    told = done(control.show_flow("f"))
    places = [row["line"] for row in (*told["outline"], *told["coverage"]["points"], *told["findings"])]
    assert (told["definition"], set(places)) == (text, {6})


def test_findings_are_those_of_check_and_follow_the_mocks() -> None:
    _, control = control_of(task_flow("Charge"))
    (finding,) = done(control.show_flow("order"))["findings"]
    assert (finding["code"], finding["severity"]) == ("CF106", "warning")
    assert list(finding) == ["code", "severity", "line", "column", "message"]
    control.add_mocks({"flow": "order", "task": "Charge", "mocks": [{"returns": {}}]})
    assert done(control.show_flow("order"))["findings"] == []


def test_a_flow_that_is_not_there_is_told_with_the_one_meant() -> None:
    _, control = control_of(echo_flow())
    for ask in (control.show_flow, control.draw_flow):
        with pytest.raises(NotFoundError, match=r"there is no flow 'ecko' \(did you mean 'echo'\?\)"):
            done(ask("ecko"))


# -- pictures ----------------------------------------------------------------------------------------------------------

PATHS = """
Type: StateMachine
Name: order
SpecVersion: v1
StartAt: Charge
States:
  - {Type: Task, Name: Charge, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, Next: Ship,
     Catch: [{Errors: [Refused], Next: Each}]}
  - Type: Map
    Name: Each
    ItemsPath: $Context.Execution.Input.items
    Next: Wait
    Processor:
      StartAt: Item
      States: [{Type: Task, Name: Item, Action: "FC:InvokeFunction", Parameters: {resourceArn: r}, End: true}]
  - {Type: Wait, Name: Wait, Seconds: 60, Next: Ship}
  - {Type: Pass, Name: Ship, End: true}
"""


def drawn(control: Control, name: str) -> dict[str, str | None]:
    """How each state of a picture went."""
    root = ET.fromstring(done(control.draw_execution("order", name)))
    groups = [group for group in root.iter(f"{SVG}g") if group.get("data-state") is not None]
    return {str(group.get("data-state")): group.get("data-status") for group in groups}


def test_a_picture_of_an_execution_tells_how_each_state_went() -> None:
    tasks = {
        "Charge": [{"fails": {"code": "Refused"}}],
        "Item": [{"when": {"input": {"n": 2}}, "fails": {"code": "No"}}],
    }
    service, control = control_of({"flows": [{"name": "order", "definition": PATHS, "tasks": tasks}]})
    service("StartExecution", FlowName="order", ExecutionName="runs", Input={"items": [{"n": 1}]})
    assert drawn(control, "runs") == {
        "Charge": "caught", "Each": "succeeded", "Item": "succeeded", "Wait": "running", "Ship": None,
    }  # fmt: skip
    service("StopExecution", FlowName="order", ExecutionName="runs")
    assert drawn(control, "runs")["Wait"] == "failed"
    service("StartExecution", FlowName="order", ExecutionName="fails", Input={"items": [{"n": 1}, {"n": 2}, {"n": 1}]})
    assert drawn(control, "fails") == {
        "Charge": "caught", "Each": "failed", "Item": "failed", "Wait": None, "Ship": None,
    }  # fmt: skip


def test_an_execution_of_an_earlier_process_is_drawn_by_the_names_of_its_states() -> None:
    service, control = control_of(task_flow("A", "B"))
    service("StartExecution", FlowName="order", ExecutionName="e")
    row = service.emulator.worlds.default().stores.executions.get(
        service.emulator.worlds.default().stores.flows.get("flows", "order").id,
        "e",  # type: ignore[union-attr]
    )
    assert row is not None
    assert row.events is not None
    row.events.trail.clear()  # as it comes out of a state file
    assert drawn(control, "e") == {"A": "succeeded", "B": "succeeded"}


def test_a_picture_brings_its_style_sheet_or_leaves_it_to_the_page() -> None:
    _, control = control_of(echo_flow())
    inside, outside = (ET.fromstring(done(control.draw_flow("echo", style))) for style in ("inside", "outside"))
    assert inside.find(f"{SVG}style") is not None
    assert outside.find(f"{SVG}style") is None
    assert not any("style" in element.attrib for element in outside.iter())
    assert control.show_style() == css()
    assert [group.get("data-state") for group in inside.iter(f"{SVG}g") if "data-state" in group.attrib] == ["Take"]


def test_a_flow_of_very_many_states_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    _, control = control_of(task_flow("A", "B"))
    monkeypatch.setattr(flow_detail, "MAX_DRAWN", 1)
    with pytest.raises(ControlError, match="the flow has 2 states"):
        done(control.draw_flow("order"))


def test_an_execution_of_a_canned_outcome_has_no_path() -> None:
    service, control = control_of({"flows": [{"name": "order", "definition": PATHS, "outcomes": [{}]}]})
    service("StartExecution", FlowName="order", ExecutionName="e")
    assert set(drawn(control, "e").values()) == {None}


def test_a_picture_of_a_flow_shows_its_coverage_where_it_is_asked_for() -> None:
    service, control = control_of(task_flow("A", "B", tasks={"A": [{"fails": {"code": "No"}}]}))
    service("StartExecution", FlowName="order", ExecutionName="e")

    def colours(**more: bool) -> dict[str, tuple[bool, bool]]:
        root = ET.fromstring(done(control.draw_flow("order", **more)))
        groups = {str(group.get("data-state")): str(group.get("class")) for group in root.iter(f"{SVG}g")}
        return {name: ("cf-reached" in each, "cf-missed" in each) for name, each in groups.items() if name != "None"}

    assert colours(coverage=True) == {"A": (True, False), "B": (False, True)}
    assert colours() == {"A": (False, False), "B": (False, False)}


def test_so_many_versions_aliases_and_schedules_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_detail, "MAX_LISTED", 2)
    service = make_service({"cfmock": 1, "flows": [{"name": "f"}]})
    for number in (1, 2, 3):
        service("PublishFlowVersion", FlowName="f")
        routes = json.dumps([{"Version": str(number), "Weight": 100}])
        service("CreateFlowAlias", FlowName="f", Name=f"a{number}", RoutingConfigurations=routes)
        service("CreateSchedule", FlowName="f", ScheduleName=f"s{number}", CronExpression="@every 9m")
    told = done(Control(service.emulator).show_flow("f"))
    assert [each["version"] for each in told["versions"]] == [3, 2]
    assert [each["name"] for each in told["aliases"] + told["schedules"]] == ["a1", "a2", "s1", "s2"]
