"""The SVG of whole flows."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from cfmock.engine.languages import compile_definition
from cfmock.engine.model import NodeKind
from cfmock.graph.drawing import Highlight
from cfmock.graph.svg.style import css
from cfmock.graph.svg.svg import svg

SVG = "{http://www.w3.org/2000/svg}"
ORDER = """
Type: StateMachine
SpecVersion: v1
Name: order
StartAt: Stock
States:
  - {Type: Choice, Name: Stock, Branches: [{Condition: $Input.n > 0, Next: Charge}], Default: Later}
  - {Type: Wait, Name: Later, Seconds: 5, Next: Stock}
  - Type: Task
    Name: Charge
    Action: HTTP:Request
    Parameters: {url: http://x, method: GET}
    Retry: [{Errors: [FnF.TaskTimeout], MaxAttempts: 3, IntervalSeconds: 1}]
    Catch: [{Errors: [Refused], Next: No}]
    Next: Both
  - Type: Parallel
    Name: Both
    Branches:
      - {StartAt: Mail, States: [{Type: Pass, Name: Mail, End: true}]}
      - StartAt: Each
        States:
          - Type: Map
            Name: Each
            ItemsPath: $Input.list
            Processor: {StartAt: Ship, States: [{Type: Pass, Name: Ship, End: true}]}
            End: true
    Next: Tidy
  - {Type: Pass, Name: Tidy, Next: Done}
  - {Type: Succeed, Name: Done}
  - {Type: Fail, Name: No, Code: Refused, Detail: x}
"""


def draw(text, highlight=None):
    return ET.fromstring(svg(compile_definition(text), highlight))


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


def classes(root, name):
    """The classes of the groups that hold an element of this class directly."""
    return [
        group.get("class").split()
        for group in root.iter(f"{SVG}g")
        if any(name in child.get("class", "").split() for child in group)
    ]


def long_flow(count):
    states = []
    for index in range(count):
        after = f"s{index + 1}"
        if index % 10 == 3:
            options = [("$Input.n > 1", min(count - 1, index + 4)), ("$Input.n", index // 2)]
            branches = ", ".join(f"{{Condition: {condition}, Next: s{target}}}" for condition, target in options)
            states.append(f"{{Type: Choice, Name: s{index}, Default: {after}, Branches: [{branches}]}}")
        else:
            end = f"Next: {after}" if index + 1 < count else "End: true"
            catch = "[{Errors: [FnF.ALL], Next: h}]"
            states.append(f"{{Type: Task, Name: s{index}, Action: 'ECS:Do', {end}, Catch: {catch}}}")
    states.append("{Type: Fail, Name: h, Detail: x}")
    listed = "\n".join(f"  - {state}" for state in states)
    return f"Type: StateMachine\nSpecVersion: v1\nName: long\nStartAt: s0\nStates:\n{listed}\n"


def test_every_state_is_there_with_its_name_and_type():
    root = draw(ORDER)
    assert {"Stock", "Later", "Charge", "Both", "Mail", "Each", "Ship", "Tidy", "Done", "No"} <= set(texts(root))
    assert {"Choice", "Wait", "Task · HTTP:Request", "Parallel", "Pass", "Succeed", "Fail · Refused"} <= set(
        texts(root)
    )


def test_every_type_has_an_icon_of_its_own():
    icons = {
        group.get("class").split()[0]: path.get("d")
        for group in draw(ORDER).iter(f"{SVG}g")
        for path in group
        if path.get("class") == "cf-icon"
    }
    assert icons.keys() == {f"cf-{kind.value}" for kind in NodeKind}
    assert len(set(icons.values())) == len(NodeKind)


def test_catches_and_ways_back_are_lines_of_their_own_kind():
    kinds = Counter(group[0] for group in classes(draw(ORDER), "cf-line"))
    assert kinds["cf-catch"] == 2 + 1  # to the label and on, and the legend's sample
    assert kinds["cf-loop"] == 1 + 1
    assert kinds["cf-next"] > 5
    assert {"catch", "back again"} <= set(texts(draw(ORDER)))
    samples = draw(ORDER, Highlight({"Stock": 1}))[-1]
    assert [group.get("class") for group in samples.iter(f"{SVG}g")][1:3] == ["cf-catch cf-missed", "cf-loop cf-missed"]


def test_a_way_on_from_the_steps_of_an_old_option_has_no_second_label():
    root = draw(
        "version: v1\ntype: flow\nsteps:\n"
        "  - type: choice\n    name: c\n    choices: [{condition: $.n > 2, steps: [{type: pass, name: a}]}]\n"
        "    default: {goto: z}\n"
        "  - {type: pass, name: z}\n"
    )
    assert texts(root).count("$.n > 2") == 1
    assert texts(root).count("default") == 1


def test_what_was_reached_missed_and_failed_is_marked():
    hits = {"Stock": 1, "Stock?0": 1, "Charge": 1, "Charge!retry0": 1, "Both": 1, "Both[0]": 1, "Both[0]/Mail": 1}
    root = draw(ORDER, Highlight(hits, frozenset({"Both[0]/Mail"}), "coverage 60 %"))
    status = {group[0]: group[1] for group in classes(root, "cf-box") if group[0] != "cf-Pass"}
    assert status == {
        "cf-Choice": "cf-reached", "cf-Wait": "cf-missed", "cf-Task": "cf-reached", "cf-Parallel": "cf-reached",
        "cf-Map": "cf-missed", "cf-Succeed": "cf-missed", "cf-Fail": "cf-missed",
    }  # fmt: skip
    passes = Counter(group[1] for group in classes(root, "cf-box") if group[0] == "cf-Pass")
    assert passes == {"cf-failed": 1, "cf-missed": 2}
    assert classes(root, "cf-retry") == [["cf-reached"]]
    assert classes(root, "cf-scope") == [["cf-reached"], ["cf-missed"], ["cf-missed"]]
    assert "order · coverage 60 %" in texts(root)
    assert any("entered once" in title.text for title in root.iter(f"{SVG}title"))


def test_highlighting_moves_nothing():
    plain, marked = draw(ORDER), draw(ORDER, Highlight({"Stock": 1}))
    where = [
        [box.attrib for box in root.iter(f"{SVG}rect") if "cf-box" in box.get("class")] for root in (plain, marked)
    ]
    assert where[0] == where[1]


def test_text_is_text_whatever_it_looks_like():
    name = '</text><script>alert(1)</script> & "q" \'\u0001 订单'
    definition = ORDER.replace("Name: Tidy", "Name: @").replace("Next: Tidy", "Next: @")
    text = svg(
        compile_definition(definition.replace("@", '"' + name.replace('"', '\\"').replace("\x01", "\\x01") + '"'))
    )
    root = ET.fromstring(text)
    assert "<script" not in text
    assert [title.text for title in root.iter(f"{SVG}title") if title.text.startswith("Pass </text>")] == [
        f"Pass {name}".replace("\x01", "\ufffd")
    ]


def test_the_same_flow_gives_the_same_picture():
    assert svg(compile_definition(ORDER)) == svg(compile_definition(ORDER))


def test_colours_are_there_for_light_and_dark():
    light, dark = css().split("@media (prefers-color-scheme: dark)")
    rules = {line.split("{")[0].strip() for line in dark.splitlines() if ":" in line}
    assert rules
    assert all(rule in light for rule in rules)
    assert draw(ORDER).find(f"{SVG}style").text == css()


def test_a_picture_needs_nothing_from_outside_and_runs_nothing():
    text = svg(compile_definition(ORDER))
    assert not re.search(r"href|<script|url\(|@import|\son\w+=", text)


@pytest.mark.parametrize("count", [1, 5, 200])
def test_flows_of_any_length_are_drawn_whole(count):
    names = texts(draw(long_flow(count)))
    assert all(f"s{index}" in names for index in range(count))
