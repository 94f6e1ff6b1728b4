"""What is found in definitions that are allowed and probably not meant: cases in `cases/lint/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfmock.base import yaml_source
from cfmock.base.findings import RULES
from cfmock.engine.languages import compile_definition
from cfmock.fixtures.loader import load
from cfmock.lint.lint import lint
from tests.support import definitions
from tests.support.lab import HEADS, text_of

FILE = Path(__file__).parent / "cases" / "findings.yaml"
DOCUMENT = yaml_source.parse(FILE.read_text(encoding="utf-8"), FILE.name)
CASES: list[dict[str, Any]] = DOCUMENT.value


@pytest.mark.parametrize("case", [pytest.param(case, id=case["says"]) for case in CASES])
def test_findings(case: dict[str, Any]) -> None:
    flow = compile_definition(text_of(case), name="f")
    mocked = (lambda task: task.name in case["mocked"]) if "mocked" in case else None
    found = [f"{finding.mark.line} {finding.code} {finding.message}" for finding in lint(flow, mocked=mocked)]
    assert found == case.get("findings", [])


def test_every_rule_has_a_case() -> None:
    found = {finding.split()[1] for case in CASES for finding in case.get("findings", [])}
    assert found | {"CF121", "CF122"} == set(RULES)  # found outside of flows: test_faults.py, test_unreached.py


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.one_of(definitions.state_machines(), definitions.legacy_flows()))
def test_what_is_well_spelt_is_never_told_to_be_otherwise(definition: dict[str, Any]) -> None:
    flow = compile_definition(json.dumps(definition), file="f.json")
    assert {finding.code for finding in lint(flow)} <= {f"CF1{number:02}" for number in range(13)}


def test_places_in_a_definition_that_stands_in_a_fixture_are_those_in_the_file(tmp_path: Path) -> None:
    written = "cfmock: 1\nflows:\n  - name: f\n    definition: "
    odd = "{type: flow, version: v1, steps: [{type: pass, name: a, outputMappings: [{target: b, source: $.b}]}]}"
    for text, place in (
        (written + odd, "4:110"),
        (written + "|\n      " + odd, "5:100"),
        (written + json.dumps(odd), "1:94"),
    ):
        (tmp_path / "f.yaml").write_text(text)
        (flow,) = load([tmp_path / "f.yaml"]).flows
        (finding,) = lint(flow.flow, document=flow.document)
        assert (finding.code, f"{finding.mark.line}:{finding.mark.column}") == ("CF114", place)


def test_places_in_a_mapping_from_python_are_paths() -> None:
    states = [
        {"Type": "Task", "Name": "A", "Action": "FC:InvokeFuncton", "Next": "B", "Comment": "c", "Odd": 1},
        {"Type": "Map", "Name": "B", "ItemsPath": "$Input.l", "MaxConcurrency": 1, "MaxConcuccency": 2, "End": True,
         "Processor": {"StartAt": "X", "States": [{"Type": "Pass", "Name": "X", "End": True, "OutputConstructor": {
             "a": "$Input.a", "b.$": 'regexMatchString("(", $Input.a)'}}]}},
        {"Type": "Pass", "Name": "C", "End": True},
    ]  # fmt: skip
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "A", "States": states}
    (flow,) = load([{"cfmock": 1, "flows": [{"name": "f", "definition": definition}]}]).flows
    found = lint(flow.flow, document=flow.document)
    assert [str(finding).partition(": CF")[0] for finding in found] == [
        f"<mapping>: flows[0].definition.{path}"
        for path in (
            "States[2]", "States[0].Odd", "States[0].Action", "States[1].Processor.States[0].OutputConstructor.a",
            "States[1].MaxConcuccency", "States[0].Comment", "States[1].Processor.States[0].OutputConstructor.b.$",
        )
    ]  # fmt: skip
    (bare,) = load([definition]).flows
    assert str(lint(bare.flow, document=bare.document)[0]) == "<mapping>: States[2]: CF101: state 'C' cannot be reached"


def test_a_finding_reads_like_any_complaint() -> None:
    text = text_of({"states": "- {Type: Pass, Name: A, End: true}\n- {Type: Pass, Name: B, End: true}"})
    (finding,) = lint(compile_definition(text, file="flows/f.yaml"))
    assert str(finding) == "flows/f.yaml:7:5: CF101: state 'B' cannot be reached"


PATTERNS = """
- {Type: Pass, Name: A, InputConstructor: {m: [{x.$: 'regexMatchString("(", $Input.a)'}]}, Next: B}
- Type: Choice
  Name: B
  Branches:
    - {Condition: '!regexMatchString("[z-a]", $Input.a) && $Input.b', Next: C}
    - {Condition: 'regexMatchString($Input.a, $Input.a) || regexMatchString("a+", "b")', Next: C}
  Default: C
- Type: Task
  Name: C
  Action: FC:InvokeFunction
  Timeout.$: intAdd(1, regexMatchString("*", $Input.a))
  Parameters: {x.$: '[{"k": regexMatchString("+", $Input.a)}]'}
  Catch:
    - {Errors: [FnF.ALL], Next: D, OutputConstructor: {x.$: 'regexMatchString("a**", $Input.a)'}}
  Next: D
- Type: Map
  Name: D
  ItemsPath: get($Input, regexMatchString("?", "a"))
  ProcessorConfig: {}
  ItemBatcher: {MaxItemsPerBatch.$: 'intAdd(1, regexMatchString("(?!z)", "a"))'}
  ItemReader: {x.$: 'regexMatchString("(?<=z)", "a")'}
  Processor:
    StartAt: X
    States: [{Type: Pass, Name: X, OutputConstructor: {x.$: 'regexMatchString("x{1001}", "b")'}, End: true}]
  End: true
"""


def test_constant_patterns_are_tried_wherever_an_expression_may_stand() -> None:
    lines = [f"  {line}" for line in PATTERNS.strip().splitlines()]
    text = HEADS["states"] + "\n".join(lines)
    found = lint(compile_definition(text, name="f"))
    patterns = [finding.message.split("'")[1] for finding in found]
    assert patterns == ["(", "[z-a]", "*", "+", "a**", "?", "(?!z)", "(?<=z)", "x{1001}"]
    for finding, pattern in zip(found, patterns, strict=True):
        before, key = text.splitlines()[finding.mark.line - 1][: finding.mark.column - 1], finding.mark.column - 1
        assert before.rstrip(" {[-").endswith((".$:", "Condition:", "ItemsPath:"))
        assert f'regexMatchString("{pattern}"' in text.splitlines()[finding.mark.line - 1][key:]
    assert {finding.message.partition(": '")[0] for finding in found} == {"this call always fails: regexMatchString"}


def test_constant_patterns_of_the_old_language_are_tried() -> None:
    step = """  - {type: choice, name: a, choices: [{condition: 'regexMatchString("[", $.a)', steps: [{type: pass, name: b}]}]}"""
    (finding,) = lint(compile_definition(HEADS["steps"] + step, name="f"))
    assert (finding.code, finding.mark.line, finding.mark.column) == ("CF120", 4, 51)
