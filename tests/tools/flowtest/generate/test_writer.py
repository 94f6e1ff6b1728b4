"""The first tests of a flow: cases in `cases.yaml`, and the text they are written as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cfmock.base import yaml_source
from cfmock.fixtures.loader import load
from cfmock.fixtures.text import one_line
from cfmock.tools.flowtest.generate.writer import Drafts, text
from tests.support.lab import text_of

FILE = Path(__file__).parent / "cases.yaml"
CASES: list[dict[str, Any]] = yaml_source.parse(FILE.read_text(encoding="utf-8"), FILE.name).value


@pytest.mark.parametrize("case", [pytest.param(case, id=case["says"]) for case in CASES])
def test_first_tests(case):
    flows = load([{"cfmock": 1, "flows": [{"name": "f", "definition": text_of(case)}]}])
    drafts = Drafts(flows, flows.flows[0])
    tests = yaml_source.parse(text([drafts], {})).value["tests"] or []
    found = {test["name"]: {key: test[key] for key in ("input", "tasks", "expect") if key in test} for test in tests}
    wanted = {name: {key: value for key, value in test.items() if value != {}} for name, test in case["tests"].items()}
    assert found == wanted
    assert [point.label for point in drafts.missing] == case.get("missing", [])


def test_what_is_left_to_the_author_is_a_comment_that_begins_a_test():
    case = next(case for case in CASES if "missing" in case)
    flows = load([{"cfmock": 1, "flows": [{"name": "f", "definition": text_of(case)}]}])
    lines = text([Drafts(flows, flows.flows[0])], {}).splitlines()
    at = lines.index('  # - name: "A: $Input.n > 2 && $Input.n < 1"')
    assert lines[at - 1].startswith('  # Fill in: nothing was found that leads to "A: $Input.n > 2 && $Input.n < 1" (')
    assert lines[at + 1 : at + 3] == ["  #   flow: f", "  #   input: {}"]


@pytest.mark.parametrize(
    "value",
    [
        {}, [], None, True, 1, -2.5, "plain", "two words", "FC.ResourceThrottled", "a/b@c+d", "",
        "yes", "Off", "null", "12", "1e3", "0x1F", "2024-01-01", "~", "a: b", "a #b", "- a", "'", '"', "\\", "{a}", "[a",
        "tab\there", "line\nend", "\x00\x7f\x85\u2028", "退款", "😀", " lead", "trail ", "%", "@a", "`a", "&a", "*a", "!a", "|",
        {"退款": [{"a b": ["x", 1, {"y": None}]}], "yes": "no", "5": 5},
    ],
)  # fmt: skip
def test_a_value_in_one_line_is_read_as_it_was(value):
    assert yaml_source.parse(f"value: {one_line(value)}\nafter: 1").value == {"value": value, "after": 1}
