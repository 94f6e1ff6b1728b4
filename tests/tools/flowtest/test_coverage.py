"""What counts as covered, and how coverage adds up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfmock.base.source_marks import Mark
from cfmock.engine.languages import compile_definition
from cfmock.fixtures.loader import load
from cfmock.tools.flowtest.cases import results
from cfmock.tools.flowtest.coverage import Coverage, percent
from tests.support.calls import make_service
from tests.support.flowtests import ORDER, document, fixtures

LEGACY = """\
- name: legacy
  definition: |
    version: v1
    type: flow
    steps:
      - type: parallel
        name: both
        branches:
          - steps: [{type: pass, name: left}]
          - steps: [{type: pass, name: right}]
      - type: foreach
        name: each
        iterationMapping: {collection: $.items, item: it}
        steps: [{type: pass, name: one}]
      - type: task
        name: call
        resourceArn: acs:fc:::services/s/functions/f
        retry: [{errors: [Busy], intervalSeconds: 1, maxAttempts: 1}]
        catch: [{errors: [FnF.ALL], goto: bad}]
      - type: choice
        name: pick
        choices:
          - {condition: $.n > 1, goto: good}
          - {condition: $.n > 0, steps: [{type: pass, name: small}]}
        default: {goto: good}
      - {type: pass, name: after, end: true}
      - {type: pass, name: good, end: true}
      - {type: fail, name: bad}
"""


def covered(tests: str, flows: str = "") -> Coverage:
    found = fixtures(tests, flows)
    coverage = Coverage()
    coverage.count_all(found.flows)
    for result in results(found, found.tests):
        coverage.add(result.hits)
    return coverage


def hits(coverage: Coverage, flow: str) -> dict[str, int]:
    return {id: times for id, times in coverage[flow].hits.items() if times}


def test_states_branches_and_defaults_are_covered_by_passing_them():
    coverage = covered("- {name: a, flow: order, input: {amount: 1}}")
    assert hits(coverage, "order") == {"Charge": 1, "Size": 1, "Size?default": 1, "Ship": 1}
    assert coverage["order"].percent == 44
    assert [spot.id for spot in coverage["order"].missed] == [
        "Charge!retry0", "Charge!catch0", "Size?0", "Pause", "Refund",
    ]  # fmt: skip


def test_the_tests_of_a_flow_add_up():
    coverage = covered(
        """\
- {name: a, flow: order, input: {amount: 1}}
- {name: b, flow: order, input: {amount: 500}}
- {name: c, flow: order, input: {amount: 1}, tasks: {Charge: [{fails: {code: Refused}}]}}
- {name: d, flow: order, input: {amount: 1}, tasks: {Charge: [{fails: {code: Busy}}]}}
"""
    )
    assert coverage["order"].percent == 100
    assert hits(coverage, "order")["Charge!retry0"] == 2
    assert coverage["order"].missed == []


def test_the_old_language_has_branches_processors_and_steps_inside_choices():
    coverage = covered(
        """\
- {name: a, flow: legacy, input: {items: [1, 2], n: 2}}
- {name: b, flow: legacy, input: {items: [1], n: 1}, tasks: {call: [{fails: {code: Busy}}]}}
- {name: c, flow: legacy, input: {items: [1], n: 1}, tasks: {call: [{returns: {}}]}}
- {name: d, flow: legacy, input: {items: [], n: 0}, tasks: {call: [{returns: {}}]}}
""",
        LEGACY,
    )
    assert coverage["legacy"].missed == []
    assert hits(coverage, "legacy") == {
        "both": 4, "both[0]": 4, "both[0]/left": 4, "both[1]": 4, "both[1]/right": 4, "each": 4, "each[]": 4,
        "each[]/one": 4, "call": 4, "call!retry0": 1, "call!catch0": 1, "pick": 3, "pick?0": 1, "pick?1": 1,
        "pick?1/small": 1, "pick?default": 1, "after": 1, "good": 2, "bad": 1,
    }  # fmt: skip


def test_what_a_nested_flow_passes_counts_for_it():
    outer = """\
- name: outer
  definition: |
    Type: StateMachine
    SpecVersion: v1
    Name: outer
    StartAt: Call
    States:
      - Type: Task
        Name: Call
        Action: FNF:StartExecution
        TaskMode: WaitForSystemCallback
        Parameters: {resourceArn: "acs:fnf:::flow/order", input: {amount: 500}}
        End: true
"""
    coverage = covered("- {name: a, flow: outer}", outer)
    assert hits(coverage, "order") == {"Charge": 1, "Size": 1, "Size?0": 1, "Pause": 1, "Ship": 1}
    assert coverage["outer"].percent == 100


def test_what_is_missed_is_named_with_its_place_in_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = document("").text
    Path("orders.cfmock.yaml").write_text(text)
    coverage = Coverage()
    coverage.count_all(load(["orders.cfmock.yaml"]).flows)
    (missed,) = (spot for spot in coverage["order"].missed if spot.label == "Charge: retry Busy")
    assert missed.kind == "retry"
    assert missed.mark == Mark("orders.cfmock.yaml", missed.mark.line, missed.mark.column)
    assert text.splitlines()[missed.mark.line - 1][missed.mark.column - 1 :].startswith("{Errors: [Busy]")


def test_a_flow_without_a_test_is_covered_to_nothing_and_one_without_a_definition_does_not_count():
    coverage = covered("", "- {name: canned}\n" + LEGACY)
    assert [(flow.name, flow.percent) for flow in coverage] == [("legacy", 0), ("order", 0)]
    assert coverage.percent == 0


def test_percent_is_rounded_down_and_least_is_not():
    assert [percent(199, 200), percent(200, 200), percent(0, 0)] == [99, 100, 100]
    coverage = covered("- {name: a, flow: order, input: {amount: 1}}")
    assert coverage.at_least(44.4)
    assert not coverage.at_least(44.5)


def test_what_was_written_is_added_to_what_is_there():
    small = covered("- {name: a, flow: order, input: {amount: 1}}")
    large = covered("- {name: b, flow: order, input: {amount: 500}}")
    small.add_document(json.loads(large.text()))
    assert hits(small, "order") == {"Charge": 2, "Size": 2, "Size?default": 1, "Size?0": 1, "Pause": 1, "Ship": 2}


def test_flows_that_only_the_other_run_knows_are_added():
    coverage = Coverage()
    coverage.add_document(json.loads(covered("- {name: a, flow: order, input: {amount: 1}}").text()))
    assert coverage["order"].percent == 44
    assert coverage.document() == covered("- {name: a, flow: order, input: {amount: 1}}").document()


@pytest.mark.parametrize("document", [[], {}, {"coverage": 1}, {"coverage": [{"flow": "a"}]}, {"coverage": [{}]}])
def test_what_is_no_coverage_is_refused(document):
    with pytest.raises(ValueError, match="holds no coverage"):
        Coverage().add_document(document)


def test_a_server_counts_the_flows_it_comes_to_have():
    service = make_service()
    coverage = Coverage()
    service.emulator.observe(coverage.observe)
    service("CreateFlow", Name="order", Definition=ORDER, Description="", Type="FDL")
    service("StartExecution", FlowName="order", Input='{"amount": 1}')
    assert hits(coverage, "order") == {"Charge": 1}
    assert coverage["order"].total == len(compile_definition(ORDER).points())


def test_of_a_flow_that_is_updated_both_definitions_count():
    service = make_service()
    coverage = Coverage()
    service.emulator.observe(coverage.observe)
    states = "Type: StateMachine\nSpecVersion: v1\nName: f\nStartAt: A\nStates: [{Type: Pass, Name: A, End: true}]"
    service("CreateFlow", Name="f", Definition=states, Description="", Type="FDL")
    service("StartExecution", FlowName="f")
    service("UpdateFlow", Name="f", Definition=states.replace("Name: A,", "Name: B,").replace("At: A", "At: B"))
    service("StartExecution", FlowName="f")
    assert hits(coverage, "f") == {"A": 1, "B": 1}
    assert coverage["f"].percent == 100
