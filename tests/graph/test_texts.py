"""Mermaid and Graphviz texts of whole flows, as in `cases/graph/`."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cfmock.base import yaml_source
from cfmock.base.json_text import json_text
from cfmock.engine.languages import compile_definition
from cfmock.graph.drawing import Highlight
from cfmock.graph.formats import FORMATS

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


@pytest.mark.parametrize("language", ["mermaid", "dot"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_flow_is_told_in_both_languages(path, language):
    case = yaml_source.parse(path.read_text(encoding="utf-8"), path.name).value
    marks = case.get("highlight")
    highlight = Highlight(marks["hits"], frozenset(marks["failed"])) if marks else None
    assert FORMATS[language](compile_definition(case["definition"]), highlight) == case[language]


ODD = [
    "R&D", "&", "&&", "a &amp; b", "&lt;b&gt;", "&copy;", "&#36;", "&#x41;", "&nbsp;", r"\N", r"\G \E \L", r"a\nb", "x\\",
    '"q"', "<b>", "{a|b}", "订单 & 😀", "$$x$$ and $$y$$", "$", "$$", "$$$", "style:$a b", "classDef a:b#c;", "fa:fa-car",
    "fas:fa-x fab:fa-y", "a: b", "FC:X", "%%", "1. one", "`x`", "_x_", "#36;",
]  # fmt: skip
"""Names that mean something to Graphviz, to Mermaid, or to the HTML that both make."""


def picture(language: str, name: str) -> str:
    """A state with a name, and a condition and a lane that hold it."""
    state = {"Type": "Choice", "Name": name, "Branches": [{"Condition": f"$Input.a == {json_text(name)}", "Next": "E"}]}
    ending = {"Type": "Succeed", "Name": "E"}
    head = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": name}
    return FORMATS[language](
        compile_definition(json_text({**head, "States": [{**state, "Default": "E"}, ending]})), None
    )


@pytest.mark.parametrize("name", ODD)
def test_graphviz_is_given_texts_that_it_shows_as_they_are(name):
    labels = re.findall(r'label="((?:[^"\\]|\\.)*)"', picture("dot", name))
    # Graphviz reads backslash sequences first, and then the names of characters that HTML has.
    lines = [
        line
        for label in labels
        for line in re.sub(r"\\(.)", lambda part: "\n" if part[1] == "n" else part[1], label).split("\n")
    ]
    assert not re.findall(r"&(?!amp;)", "".join(lines))
    shown = list(map(html.unescape, lines))
    assert name in shown
    assert f"$Input.a == {json_text(name)}" in shown


@pytest.mark.skipif(not shutil.which("dot"), reason="there is no Graphviz on this machine")
def test_graphviz_shows_every_text_as_it_is(tmp_path):
    for name in ODD:
        drawn = subprocess.run(["dot", "-Tsvg"], input=picture("dot", name).encode(), capture_output=True, check=True)
        shown = [html.unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", drawn.stdout.decode())]
        assert drawn.stderr == b""
        assert name in shown
        assert f"$Input.a == {json_text(name)}" in shown


@pytest.mark.parametrize("name", ODD)
def test_mermaid_is_given_texts_that_it_shows_as_they_are(name):
    text = picture("mermaid", name)
    assert not re.search(r"\$\$", text), "a formula"
    for label in re.findall(r'"(.*?)"', text):
        assert not re.search(r":\S*#.*;", label), "a colour, after the word style"
        # In a label of several lines codes are undone before formulas, line ends and icons are looked for.
        undone = html.unescape(re.sub(r"#(\d+);", r"&#\1;", label))
        if "<br/>" in label:
            assert not re.search(r"\$\$|\\n|fa[bklrs]?:fa-", undone)
        assert "\n" not in undone
    shown = [
        html.unescape(re.sub(r"#(\d+);", r"&#\1;", each)).replace("\u2060", "") for each in re.findall(r'"(.*?)"', text)
    ]
    assert any(each.startswith(f"{name}<br/>") for each in shown)
    assert f"$Input.a == {json_text(name)}" in shown
