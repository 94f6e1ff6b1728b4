"""What is found in definitions that are allowed and probably not meant: cases in `cases/lint/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cfmock.base import yaml_source
from cfmock.base.findings import RULES
from cfmock.engine.languages import compile_definition
from cfmock.tools.checks.lint import lint
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
    assert found == set(RULES)


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
    found = lint(compile_definition(HEADS["states"] + "\n".join(lines), name="f"))
    places = [(finding.code, finding.mark.line, finding.message.split("'")[1]) for finding in found]
    assert [place for place in places if place[1] == 13] == [("CF120", 13, "*"), ("CF120", 13, "+")]
    expected = ["(", "[z-a]", "*", "+", "a**", "(?!z)", "(?<=z)", "?", "x{1001}"]
    assert [pattern for _, _, pattern in places] == expected
    assert {finding.message.partition(": '")[0] for finding in found} == {"this call always fails: regexMatchString"}


def test_constant_patterns_of_the_old_language_are_tried() -> None:
    step = """  - {type: choice, name: a, choices: [{condition: 'regexMatchString("[", $.a)', steps: [{type: pass, name: b}]}]}"""
    (finding,) = lint(compile_definition(HEADS["steps"] + step, name="f"))
    assert (finding.code, finding.mark.line) == ("CF120", 4)
