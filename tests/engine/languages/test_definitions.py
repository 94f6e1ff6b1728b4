"""Which definitions are accepted, and what is said of the others and where: cases in `cases/definitions/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cfmock.base import yaml_source
from cfmock.base.errors import DefinitionError
from cfmock.base.source_marks import Mark, TextPlace
from cfmock.engine.expr import evaluate
from cfmock.engine.flow import PointKind
from cfmock.engine.languages import compile_definition
from cfmock.engine.model import EdgeKind, Language, Retry, edges
from tests.support.lab import HEADS, text_of

CASES = Path(__file__).parents[1] / "cases" / "definitions"


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        document = yaml_source.parse(path.read_text(encoding="utf-8"), path.name)
        for index, case in enumerate(document.value):
            found.append(pytest.param(case, id=f"{path.name}:{document.mark([index]).line}"))
    return found


@pytest.mark.parametrize("case", cases())
def test_definition(case: dict[str, Any]) -> None:
    problems, unread = [], []
    try:
        flow = compile_definition(text_of(case), express=case.get("express", False))
        unread = [f"{field.mark.line}:{field.mark.column}: {field.path}{field.near}" for field in flow.unread]
    except DefinitionError as error:
        problems = [f"{p.mark.line}:{p.mark.column}: {p.path}: {p.message}" for p in error.problems]
    assert problems == [problem.rstrip("\n") for problem in case.get("problems", [])]
    assert unread == case.get("unread", [])


FLOW = """
Type: StateMachine
SpecVersion: v1
Name: f
StartAt: Pick/one
States:
  - Type: Choice
    Name: Pick/one
    Branches:
      - {Condition: $Input.a, Next: Both}
    Default: Each
  - Type: Parallel
    Name: Both
    Branches:
      - {StartAt: X, States: [{Type: Pass, Name: X, End: true}]}
      - {StartAt: X, States: [{Type: Pass, Name: X, End: true}]}
    Retry: [{Errors: [A, B], MaxAttempts: 1, IntervalSeconds: 1}]
    Catch: [{Errors: [FnF.ALL], Next: Each}]
    Next: Each
  - Type: Map
    Name: Each
    ItemsPath: $Input.list
    Processor: {StartAt: X, States: [{Type: Succeed, Name: X}]}
    End: true
"""


def test_everything_that_can_be_covered_has_an_id_of_its_own() -> None:
    points = compile_definition(FLOW).points()
    assert [(point.id, point.kind) for point in points] == [
        ("Pick%2Fone", PointKind.STATE),
        ("Pick%2Fone?0", PointKind.CHOICE),
        ("Pick%2Fone?default", PointKind.CHOICE),
        ("Both", PointKind.STATE),
        ("Both[0]", PointKind.BRANCH),
        ("Both[1]", PointKind.BRANCH),
        ("Both!retry0", PointKind.RETRY),
        ("Both!catch0", PointKind.CATCH),
        ("Both[0]/X", PointKind.STATE),
        ("Both[1]/X", PointKind.STATE),
        ("Each", PointKind.STATE),
        ("Each[]", PointKind.MAP),
        ("Each[]/X", PointKind.STATE),
    ]


def test_points_know_their_place_and_words_for_people() -> None:
    points = {point.id: point for point in compile_definition(FLOW, file="f.yaml").points()}
    assert points["Pick%2Fone?0"].mark == Mark("f.yaml", 10, 9)
    assert points["Pick%2Fone?default"].mark == Mark("f.yaml", 11, 5)
    assert points["Pick%2Fone?0"].label == "Pick/one: $Input.a"
    assert points["Both!retry0"].label == "Both: retry A, B"
    assert points["Both[1]/X"].mark == Mark("f.yaml", 16, 31)


def test_edges_are_the_ways_out_of_a_state() -> None:
    nodes = compile_definition(FLOW).series.nodes
    assert [(edge.kind, edge.target, edge.label) for edge in edges(nodes["Pick/one"])] == [
        (EdgeKind.CHOICE, "Both", "$Input.a"),
        (EdgeKind.DEFAULT, "Each", "default"),
    ]
    assert [(edge.kind, edge.target) for edge in edges(nodes["Both"])] == [
        (EdgeKind.NEXT, "Each"),
        (EdgeKind.CATCH, "Each"),
    ]


def test_an_old_choice_without_default_falls_through() -> None:
    flow = compile_definition(
        "{version: v1, type: flow, steps: [{type: choice, name: a, choices: [{condition: $.x, goto: c}]},"
        " {type: pass, name: b}, {type: pass, name: c}]}"
    )
    assert flow.language is Language.LEGACY
    assert [(edge.kind, edge.target) for edge in edges(flow.series.first)] == [
        (EdgeKind.CHOICE, "c"),
        (EdgeKind.DEFAULT, "b"),
    ]


def test_a_flow_keeps_the_name_it_is_known_by_and_its_own() -> None:
    flow = compile_definition(FLOW, name="known")
    assert (flow.name, flow.own_name) == ("known", "f")
    assert compile_definition(FLOW).name == "f"


def rule(**fields: Any) -> Retry:
    return Retry(id="", place=TextPlace(yaml_source.parse(""), ()), errors=("A",), attempts=3, **fields)


def test_retry_delays_grow_to_their_bound() -> None:
    assert [rule(interval=10, rate=2).delay(n) for n in (1, 2, 3)] == [10, 20, 40]
    assert [rule(interval=3, rate=1.5, longest=5).delay(n) for n in (1, 2, 3)] == [3, 4.5, 5]
    assert [rule(interval=7).delay(n) for n in (1, 2, 3)] == [7, 7, 7]
    assert rule(interval=1, rate=1000.0).delay(1_000_000) == 86_400


def test_a_definition_of_a_thousand_states_is_read() -> None:
    states = "\n".join(
        f"  - {{Type: Pass, Name: S{n}, OutputConstructor: {{a.$: $Input.a}}, Next: S{n + 1}}}" for n in range(1000)
    )
    text = f"{HEADS['states'].replace('StartAt: A', 'StartAt: S0')}{states}\n  - {{Type: Succeed, Name: S1000}}\n"
    flow = compile_definition(text)
    assert len(flow.points()) == 1001


@pytest.mark.parametrize("bad", ["End: yes", "End: 1"])
def test_end_is_a_boolean(bad: str) -> None:
    with pytest.raises(DefinitionError, match="'End' must be true or false"):
        compile_definition(HEADS["states"] + f"  - {{Type: Pass, Name: A, {bad}}}")


def many(count: int, branch: str) -> str:
    return ", ".join(branch % {"n": number} for number in range(count))


@pytest.mark.parametrize(("count", "accepted"), [(50, True), (51, False)])
def test_a_parallel_has_50_branches_at_most(count: int, accepted: bool) -> None:
    branches = many(count, "{StartAt: X, States: [{Type: Succeed, Name: X}]}")
    text = HEADS["states"] + f"  - {{Type: Parallel, Name: A, Branches: [{branches}], End: true}}"
    assert refused(text, "more than 50 branches") is not accepted


@pytest.mark.parametrize(("count", "accepted"), [(100, True), (101, False)])
def test_an_old_parallel_has_100_branches_at_most(count: int, accepted: bool) -> None:
    branches = many(count, "{steps: [{type: pass, name: x%(n)d}]}")
    text = HEADS["steps"] + f"  - {{type: parallel, name: a, branches: [{branches}]}}"
    assert refused(text, "more than 100 branches") is not accepted


def refused(text: str, why: str) -> bool:
    try:
        compile_definition(text)
    except DefinitionError as error:
        return [problem.message for problem in error.problems] == [why]
    return False


@pytest.mark.parametrize(("depth", "accepted"), [(10, True), (11, False)])
def test_calls_nest_ten_deep_at_most(depth: int, accepted: bool) -> None:
    calls = "toArray(" * depth + "1" + ")" * depth
    text = HEADS["states"] + f"  - {{Type: Pass, Name: A, OutputConstructor: {{a.$: '{calls}'}}, End: true}}"
    try:
        compile_definition(text)
    except DefinitionError:
        assert not accepted
    else:
        assert accepted


PASS = HEADS["states"] + "  - {Type: Pass, Name: A, End: true, OutputConstructor: {%s}}"


def test_a_definition_has_65536_keys_and_values_at_most() -> None:
    compile_definition(PASS % f"a: [{'1,' * 65_000}]")
    with pytest.raises(DefinitionError, match="expands to more than 65536 values"):
        compile_definition(PASS % f"a: [{'1,' * 66_000}]")
    value = yaml_source.parse(PASS % f"a: [{'1,' * 66_000}]")
    with pytest.raises(DefinitionError, match="a definition has at most 65536 values, not 660"):
        compile_definition(value)


def test_the_expressions_of_a_definition_have_40000_words_at_most() -> None:
    texts = [f"a{number}.$: '[{'1,' * 99}1]'" for number in range(200)]  # of 201 words each
    compile_definition(PASS % ", ".join(texts[:199]))
    with pytest.raises(DefinitionError) as caught:
        compile_definition(PASS % ", ".join(texts))
    assert [problem.message for problem in caught.value.problems] == [
        "this and the expressions before it have more than 40000 words together"
    ]


def test_words_of_what_is_no_expression_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = evaluate.parse
    monkeypatch.setattr(evaluate, "parse", lambda text, names: read.append(text) or parse(text, names))
    states = f"  - {{Type: Pass, Name: A, End: true, OutputConstructor: {{a.$: '[{'1,' * 9_999}]'}}}}\n" * 9
    with pytest.raises(DefinitionError):
        compile_definition(HEADS["states"] + states)
    assert len(read) == 4


def test_expressions_beyond_the_words_of_a_definition_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = evaluate.parse
    monkeypatch.setattr(evaluate, "parse", lambda text, names: read.append(text) or parse(text, names))
    branches = f"{{Condition: '{'1' + '==1 && 1' * 2_000}==1', Next: A}}, " * 100
    with pytest.raises(DefinitionError):
        compile_definition(HEADS["states"] + f"  - {{Type: Choice, Name: A, Default: A, Branches: [{branches}]}}")
    assert len(read) == 5  # of 8,003 words each


def test_a_flow_keeps_the_text_of_its_definition_and_not_its_values() -> None:
    flow = compile_definition(PASS % "a: 1", file="f.yaml")
    assert flow.place.text.value is None
    assert str(next(flow.walk())[1].mark) == "f.yaml:6:5"
