"""A running world as a fixture document, which loads to the same world."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfmock import CloudFlow
from cfmock.base import yaml_source
from cfmock.base.errors import ServiceError
from cfmock.control import export
from cfmock.control.control import Control
from cfmock.control.part import ControlError
from cfmock.fixtures.loader import load
from cfmock.fixtures.seeding import build
from cfmock.fixtures.text import fixture_text
from cfmock.service import flows, schedules, versions
from cfmock.service.world import FLOWS
from cfmock.settings import resolve
from tests.support.calls import echo_flow, make_service
from tests.support.flowtests import ORDER

PASS = "Type: StateMachine\nSpecVersion: v1\nName: {0}\nStartAt: {1}\nStates: [{{Type: Pass, Name: {1}, End: true}}]\n"

NAMES = st.sampled_from(["a", "b"])
TEXTS = st.sampled_from(
    ["", "in words", "zwei Wörter", "a: b", "line\nline\n", "  x\n\n\ty ", "#", "'\"", "null", "1e3", "\u2028 \x07"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.sampled_from([0.5, 1e300]) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(st.sampled_from(["amount", "kind", "x y", "on"]), VALUES, max_size=2)


def create(world, control, name, text, state):
    definition = ORDER.replace("Name: order\n", f"Name: {name}\n") if state == "Charge" else PASS.format(name, state)
    environment = json.dumps({"Variables": [{"Name": "STAGE", "Value": text}]})
    flows.create_flow(
        world, name=name, definition=definition, description=text, type="FDL", role_arn=text, environment=environment
    )


def update(world, control, name, text, state):
    flows.update_flow(world, name=name, definition=PASS.format(name, state) + "\n" * len(text), description=text)


STEPS = st.one_of(
    st.tuples(st.just(create), NAMES, TEXTS, st.sampled_from(["First", "Charge"])),
    st.tuples(st.just(update), NAMES, TEXTS, st.sampled_from(["First", "Last"])),
    st.tuples(st.just(lambda world, control, name: flows.delete_flow(world, name=name)), NAMES),
    st.tuples(
        st.just(lambda world, control, name, text: versions.publish_flow_version(world, flow_name=name, description=text)),
        NAMES, TEXTS,
    ),
    st.tuples(
        st.just(lambda world, control, name, number: versions.delete_flow_version(world, flow_name=name, flow_version=number)),
        NAMES, st.sampled_from("123"),
    ),
    st.tuples(
        st.just(lambda world, control, name, text, routes: versions.create_flow_alias(
            world, flow_name=name, name="prod", description=text, routing_configurations=json.dumps(routes))),
        NAMES, TEXTS,
        st.sampled_from([
            [{"Version": "1", "Weight": 30}], [{"Version": "1", "Weight": 90}, {"Version": "2", "Weight": 10}],
        ]),
    ),
    st.tuples(
        st.just(lambda world, control, name, text, payload, enabled: schedules.create_schedule(
            world, flow_name=name, schedule_name="s", cron_expression="0 0 3 * * *", description=text,
            payload=json.dumps(payload), enable=enabled)),
        NAMES, TEXTS, OBJECTS, st.booleans(),
    ),
    st.tuples(
        st.just(lambda world, control, name, when, output: control.add_outcome(
            {"flow": name, "when": {"input": when}, "output": output, "after": "2s", "times": 2})),
        NAMES, OBJECTS, st.dictionaries(st.sampled_from(["ok", "n"]), VALUES, max_size=2),
    ),
    st.tuples(
        st.just(lambda world, control, name, value, text: control.add_mocks(
            {"flow": name, "task": "Charge", "mocks": [
                {"fails": {"code": "Busy", "detail": text}, "times": 1, "after": 0.25}, {"returns": value}]})),
        st.just("a"), VALUES, TEXTS,
    ),
    st.tuples(
        st.just(lambda world, control, name, text: control.add_fault(
            {"when": {"operation": "StartExecution", "flow": name}, "custom_error": {"status": 418, "code": "T", "message": text},
             "expires": "1h"})),
        NAMES, TEXTS,
    ),
    st.tuples(st.just(lambda world, control, name, value: control.start(name, value, None)), NAMES, OBJECTS),
)  # fmt: skip


def control_of(document):
    fixtures = load([document])
    control = Control(build(fixtures, resolve({}, {}, fixtures.settings)))
    return control, control.emulator.worlds.default()


def seen(world):
    """All of a world that an export is to keep, from the rows themselves."""
    found = []
    for row in sorted(world.stores.flows.rows(FLOWS), key=lambda row: row.name):
        about = (
            row.name,
            row.definition,
            row.description,
            row.execution_mode,
            row.role_arn,
            row.environment,
            row.published,
        )
        numbered = sorted(
            (each.version, each.description, each.definition) for each in world.stores.versions.rows(row.id)
        )
        aliases = sorted(each[:3] for each in world.stores.aliases.rows(row.id))
        scheduled = [
            (each.name, each.description, json.loads(each.payload or "null"), each.cron, each.enabled)
            for each in world.stores.schedules.rows(row.id)
        ]
        outcomes = [(outcome.status, outcome.when, outcome.text, outcome.after, outcome.times)
                    for outcome, _ in world.outcomes[row.name].uses()]  # fmt: skip
        mocks = {task: [(mock.answer, mock.when, mock.times) for mock in found]
                 for task, found in world.mocks[row.name].by_task.items() if row.compiled.has_task(task)}  # fmt: skip
        ended = sorted(
            (
                each.name,
                each.status,
                json.loads(each.input),
                json.loads(each.output or "null"),
                each.error,
                each.started,
            )
            for each in world.stores.executions.rows(row.id)
            if each.ended
        )
        found.append((about, numbered, aliases, scheduled, outcomes, mocks, ended))
    return found, [fault.rule.to_mapping() for fault in world.faults.list()]


@settings(max_examples=50)
@given(steps=st.lists(STEPS, max_size=12))
def test_what_is_exported_loads_to_the_same_world(steps):
    control, world = control_of({"cfmock": 1, "settings": {"clock": "virtual", "now": "2024-06-01T00:00:00Z"}})
    for do, *arguments in steps:
        try:
            do(world, control, *arguments)
        except (ServiceError, ValueError):
            continue  # such as an alias of a version that is not there
    exported = control.export(executions=True)
    text = fixture_text(exported)
    again, loaded = control_of(yaml_source.parse(text, "exported.yaml").value)
    assert seen(loaded) == seen(world)
    expected = {key: value for key, value in exported.items() if key != "$comment"}
    assert again.export(executions=True) == expected
    assert yaml_source.parse(text, "exported.yaml").value == expected


ALL = {
    "cfmock": 1,
    "credentials": [{"access_key_id": "ak", "access_key_secret": "top-secret"}],
    "flows": [
        {
            "name": "order",
            "definition": ORDER,
            "versions": [{"number": 1, "description": "first"}, {"number": 3, "definition": PASS.format("order", "P")}],
            "published": 4,
            "aliases": [{"name": "prod", "routes": [{"version": 1, "weight": 90}, {"version": 3, "weight": 10}]}],
            "tasks": {"Charge": [{"returns": {"Body": {"receipt": "r"}}}]},
        }
    ],
}


def test_versions_and_aliases_of_a_fixture_are_those_of_the_api(tmp_path):
    with CloudFlow(ALL) as cf:
        assert [each["Version"] for each in cf.call("ListFlowVersions", FlowName="order")["FlowVersions"]] == ["3", "1"]
        assert cf.call("DescribeFlow", Name="order", FlowVersion="3")["Definition"] == PASS.format("order", "P")
        (alias,) = cf.call("ListFlowAliases", FlowName="order")["Aliases"]
        assert alias["RoutingConfigurations"] == [{"Version": "1", "Weight": "90"}, {"Version": "3", "Weight": "10"}]
        assert cf.call("PublishFlowVersion", FlowName="order")["Version"] == "5"


def test_an_exported_file_loads_and_names_what_it_cannot_hold(tmp_path):
    with CloudFlow(ALL) as cf:
        cf.task("order", "Charge").calls(len)
        cf.outcome("ghost", status="Failed")
        cf.export(tmp_path / "w.yaml")
        cf.export(tmp_path / "w.json")
    text = (tmp_path / "w.yaml").read_text()
    assert text.startswith(
        "# Not in this file:\n# - the Python function len, which answers task 'Charge' of flow 'order'\n"
    )
    assert "# - outcomes and mocks of flow 'ghost', which is not there\n" in text
    assert "top-secret" not in text
    document = json.loads((tmp_path / "w.json").read_text())
    assert document["$comment"].startswith("Not in this file:")
    for name in ("w.yaml", "w.json"):
        with CloudFlow(tmp_path / name) as cf:
            assert cf.run("order", {"amount": 1}).output == {"receipt": "r", "shipped": True}


def test_executions_are_exported_on_request(tmp_path):
    with CloudFlow(ALL, clock="virtual", now="2024-06-01T00:00:00Z") as cf:
        cf.run("order", {"amount": 200}, name="one")
        cf.export(tmp_path / "without.yaml")
        cf.export(tmp_path / "with.yaml", executions=True)
    assert "executions" not in (tmp_path / "without.yaml").read_text()
    with CloudFlow(tmp_path / "with.yaml") as cf:
        (found,) = cf.executions("order")
        assert (found.name, found.status, found.output) == ("one", "Succeeded", {"receipt": "r", "shipped": True})
        assert (found.stopped - found.started).total_seconds() == 60


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"versions": [{"number": 1}, {"number": 1}]}, "flows[0].versions[1].number: version 1 is there already"),
        ({"versions": [{"number": 0}]}, "flows[0].versions[0].number: "),
        ({"versions": [{"number": 5}], "published": 4}, "flows[0].published: there is a version 5"),
        ({"aliases": [{"name": "p", "routes": [{"version": 9, "weight": 100}]}]}, "the flow has no version 9 here"),
        (
            {"aliases": [{"name": "p", "routes": [{"version": 1, "weight": 9}, {"version": 3, "weight": 10}]}]},
            "flows[0].aliases[0].routes: the weights do not add up to 100",
        ),
        ({"versions": [{"number": 1, "definition": "Type: StateMachine"}]}, "flows[0].versions[0].definition"),
    ],
)
def test_mistakes_in_versions_and_aliases_are_told(change, says):
    with pytest.raises(Exception, match="flows") as caught:
        load([{"cfmock": 1, "flows": [{**ALL["flows"][0], **change}]}])
    assert says in str(caught.value)


def test_an_export_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    service = make_service(echo_flow())
    control = Control(service.emulator)
    service("StartExecution", FlowName="echo", Input=json.dumps({"a": [[]] * 50}))
    monkeypatch.setattr(export, "MAX_EXPORTED", 600)
    assert len(control.export()["flows"]) == 1
    with pytest.raises(ControlError, match="the export would take more than 600 bytes"):
        control.export(executions=True)


def test_others_have_their_turn_while_many_flows_are_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_TOGETHER", 2)
    service = make_service({"cfmock": 1, "flows": [{"name": f"f{number}"} for number in range(7)]})
    service("StartExecution", FlowName="f6")
    steps = Control(service.emulator).export_in_steps(executions=True)
    works = [next(steps) for _ in range(3)]
    assert [work() for work in works] == [None, None, None]
    (executions, left_out) = next(steps)()
    assert (len(executions), left_out) == (1, [])
