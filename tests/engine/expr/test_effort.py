"""What the expressions of one step may cost."""

from __future__ import annotations

import json

import pytest

from cfmock.base.randomness import Ids
from cfmock.engine.expr import DataTooLarge, Effort, Expression, compile_constructor, compile_expression, effort
from cfmock.engine.expr.effort import MAX_VALUE
from tests.support.lab import Lab

NAMES = frozenset({"$Input"})
TEXT = "x" * 60_000
LIST = list(range(5_000))
INPUT = {"t": TEXT, "l": LIST, "m": list(LIST), "o": {f"k{number}": number for number in LIST}, "d": [{"a": 1}] * 5_000}


def many(text: str, count: int) -> str:
    return f"[{','.join([text] * count)}]"


LARGE = [
    f"format('{'{}' * 9}', {','.join(['$Input.t'] * 9)})",
    f"format('{'{}' * 9}', {','.join(['$Input.l'] * 99)})".replace("{}" * 9, "{}" * 99),
    f"jsonToString({many('$Input', 9)})",
    f"length(jsonToString({many(many('$Input.t', 9), 9)}))",
    "toBase64(format('{}{}{}{}', $Input.t, $Input.t, $Input.t, $Input.t))",
]


@pytest.mark.parametrize("text", LARGE)
def test_a_value_that_grows_too_large_fails_before_it_is_made(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    dumps = json.dumps
    monkeypatch.setattr(json, "dumps", lambda *args, **more: made.append(len(found := dumps(*args, **more))) or found)
    with pytest.raises(DataTooLarge, match=f"the value takes more than {MAX_VALUE} characters"):
        compile_expression(text, NAMES).evaluate({"$Input": INPUT}, Effort(Ids()))
    assert sum(made) <= 2 * MAX_VALUE


COSTLY = [
    "$Input.l == $Input.m", "$Input.o == $Input.o", "'x' in $Input.l", "arrayContains($Input.l, 'x')", "$Input.d[*].a",
    "length(arrayUnique($Input.l))", "jsonMerge($Input.o, $Input.o)", "mapKeys($Input.o)", "mapValues($Input.o)",
    "length(split($Input.t, ''))", "hash($Input.t, 'MD5')", "length(toBase64($Input.t))", "length(jsonToString($Input.l))",
    "length(format('{}', $Input.t))", "regexMatchString('(x+x+)+y', $Input.t)", "length($Input.d[*])",
    "length(stringToJson(jsonToString($Input.l)))", f"length({many('1', 500)})", f"length(toArray({'1,' * 500}1))",
]  # fmt: skip


@pytest.mark.parametrize("text", COSTLY)
def test_work_is_counted_and_ends(text: str) -> None:
    expression, left = compile_expression(text, NAMES), Effort(Ids(), 100_000)
    with pytest.raises(DataTooLarge):
        repeat(expression, left)


def repeat(expression: Expression, left: Effort) -> None:
    for _ in range(1_000):
        before = left.left
        expression.evaluate({"$Input": INPUT}, left)
        assert before - left.left >= 100


def test_what_is_built_of_little_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "_json_length", lambda value: pytest.fail("looked through"))
    made = Effort(Ids())
    made.check_built(compile_constructor({"a.$": "$Input.t", "b": 1}, NAMES).build({"$Input": INPUT}, made))


FLOW = "Type: StateMachine\nName: f\nSpecVersion: v1\nStartAt: A\nStates:\n"
CATCH = (
    "Retry: [{Errors: [FnF.ALL], MaxAttempts: 9, IntervalSeconds: 1}], Catch: [{Errors: [FnF.ALL], Next: A}], End: true"
)
MANY = ", ".join(f"a{number}.$: $Input" for number in range(40))
OLD = "type: flow\nversion: v1\nname: f\nsteps:\n"
OLD_MANY = ", ".join(f"{{target: a{number}, source: $input.t}}" for number in range(40))


@pytest.mark.parametrize(
    ("text", "given", "detail"),
    [
        (f"{FLOW}- {{Type: Pass, Name: A, End: true, OutputConstructor: {{{MANY}}}}}", TEXT, "the output of 'A': the value"),
        (f"{FLOW}- {{Type: Pass, Name: A, End: true, InputConstructor: {{{MANY}}}}}", TEXT, "the input of 'A': the value takes"),
        (f"{FLOW}- {{Type: Task, Name: A, Action: x:Y, Parameters: {{{MANY}}}, {CATCH}}}", TEXT, "the parameters of 'A'"),
        (
            f"{FLOW}- {{Type: Map, Name: A, ItemsPath: '{many('$Input', 40)}', {CATCH}, Processor: {{StartAt: B, "
            "States: [{Type: Succeed, Name: B}]}}",
            TEXT,
            "the value takes",
        ),
        (
            f"{FLOW}- {{Type: Pass, Name: A, End: true, GlobalConstructor: {{g.$: 'length({many('$Input.t == $Input', 1)})', "
            f"h.$: \"format('{'{}' * 9}', {', '.join(['$Input.t'] * 9)})\"}}}}",
            TEXT,
            "format: the value takes",
        ),
        (f"{OLD}- {{type: pass, name: A, outputMappings: [{OLD_MANY}]}}", TEXT[:30_000], "the output of 'A': the value takes"),
        (f"{OLD}- {{type: pass, name: A, inputMappings: [{OLD_MANY}]}}", TEXT[:30_000], "the input of 'A': the value takes"),
        (f"{OLD}- {{type: pass, name: A}}\noutputMappings: [{OLD_MANY}]", TEXT[:30_000], "the output of the flow: the value"),
    ],
)  # fmt: skip
def test_a_step_that_makes_too_much_fails_with_the_data_limit(text: str, given: str, detail: str) -> None:
    error = Lab().run(text, {"t": given}, {"A": [{"returns": {}}]}).error
    assert error[0] == "FnF.DataLimitExceeded"
    assert error[1].startswith(detail)


def test_the_conditions_of_a_choice_share_its_effort_and_each_try_has_its_own() -> None:
    branches = ", ".join(["{Condition: '$Input.l == $Input.m && false', Next: A}"] * 200)
    failed = Lab().run(f"{FLOW}- {{Type: Choice, Name: A, Branches: [{branches}], Default: A}}", {"l": LIST, "m": LIST})
    assert failed.error[0] == "FnF.DataLimitExceeded"
    parameters = ", ".join(f"a{number}.$: $Input.l == $Input.m" for number in range(60))
    task = f"{FLOW}- {{Type: Task, Name: A, Action: x:Y, Parameters: {{{parameters}}}, {CATCH}}}"
    mocks = {"A": [{"fails": {"code": "Again"}, "times": 3}, {"returns": {}}]}
    assert Lab().run(task, {"l": LIST, "m": LIST}, mocks).status == "Succeeded"


def test_all_global_variables_together_have_4_mib() -> None:
    states = [
        "- {Type: Pass, Name: A, GlobalConstructor: {g.$: $Input.t}, Next: B0}",
        *(
            f"- {{Type: Pass, Name: B{number}, GlobalConstructor: {{g{number}.$: $Input.t}}, Next: B{number + 1}}}"
            for number in range(80)
        ),
        "- {Type: Succeed, Name: B80}",
    ]
    failed = Lab().run(FLOW + "\n".join(states), {"t": TEXT})
    assert failed.error == ("FnF.DataLimitExceeded", "the global variables together take more than 4194304 bytes")
    assert failed.visits[-1] == "B68"
