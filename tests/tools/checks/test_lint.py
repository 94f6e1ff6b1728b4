"""What is found in definitions that are allowed and probably not meant: cases in `cases/lint/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cfmock.base import yaml_source
from cfmock.base.findings import RULES
from cfmock.engine.languages import compile_definition
from cfmock.tools.checks.lint import lint
from tests.support.lab import text_of

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
