"""Mermaid and Graphviz texts of whole flows, as in `cases/graph/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cfmock.base import yaml_source
from cfmock.engine.languages import compile_definition
from cfmock.graph import FORMATS, Highlight

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


@pytest.mark.parametrize("language", ["mermaid", "dot"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_flow_is_told_in_both_languages(path, language):
    case = yaml_source.parse(path.read_text(encoding="utf-8"), path.name).value
    marks = case.get("highlight")
    highlight = Highlight(marks["hits"], frozenset(marks["failed"])) if marks else None
    assert FORMATS[language](compile_definition(case["definition"]), highlight) == case[language]
