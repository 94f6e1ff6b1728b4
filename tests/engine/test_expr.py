"""The expression language: meaning as cases in `cases/expr/`, and what no table of cases can say."""

from __future__ import annotations

import contextlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.base import yaml_source
from cfmock.base.randomness import Ids
from cfmock.engine.expr import (
    ConstructorErrors,
    Effort,
    ExpressionError,
    ExpressionSyntaxError,
    MissingPathError,
    compile_constructor,
    compile_expression,
    functions,
)
from cfmock.engine.expr.functions import FUNCTIONS
from cfmock.engine.expr.lexer import tokens
from cfmock.engine.expr.parser import BINDING_POWER, MAX_LENGTH, MAX_NESTING
from tests.support.hostile import JSON, NAMES, expressions

CASES = Path(__file__).parent / "cases" / "expr"
LEGACY = frozenset({"$", "$input", "$local", "$context"})


def cases(key: str) -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        document = yaml_source.parse(path.read_text(encoding="utf-8"), path.name)
        for index, case in enumerate(document.value):
            if key in case:
                found.append(pytest.param(case, id=f"{path.name}:{document.mark([index]).line}"))
    return found


def equal(left: Any, right: Any) -> bool:
    return functions.equal(left, right, Effort(Ids()))


def names_of(case: dict[str, Any]) -> frozenset[str]:
    return LEGACY if case.get("legacy") else NAMES


def outcome_of(case: dict[str, Any], run: Any) -> Any:
    """What the case's expression gives; what it should raise is expected here."""
    if "missing" in case or "raises" in case:
        kind = MissingPathError if "missing" in case else ExpressionError
        with pytest.raises(kind) as failure:
            run()
        assert type(failure.value) is kind
        assert case.get("missing", case.get("raises")) in str(failure.value)
        return None
    return run()


@pytest.mark.parametrize("case", cases("expr"))
def test_an_expression_means_what_its_case_says(case):
    if "error" in case:
        with pytest.raises(ExpressionSyntaxError) as failure:
            compile_expression(case["expr"], names_of(case))
        assert case["error"]["says"] in failure.value.message
        assert failure.value.column == case["error"]["column"]
        return
    expression = compile_expression(case["expr"], names_of(case))
    result = outcome_of(case, lambda: expression.evaluate(case.get("given", {}), Effort(Ids(7))))
    if "result" in case:
        assert equal(result, case["result"])
        assert type(result) is type(case["result"])


@pytest.mark.parametrize("case", cases("test"))
def test_a_condition_decides_what_its_case_says(case):
    expression = compile_expression(case["test"], names_of(case), missing_is_null=not case.get("legacy"))
    result = outcome_of(case, lambda: expression.test(case.get("given", {}), Effort(Ids(7))))
    assert result is case.get("result")


@pytest.mark.parametrize("case", cases("constructor"))
def test_a_constructor_builds_what_its_case_says(case):
    if "errors" in case:
        with pytest.raises(ConstructorErrors) as failure:
            compile_constructor(case["constructor"], NAMES)
        assert str(failure.value).split("\n") == case["errors"]
        return
    constructor = compile_constructor(case["constructor"], NAMES)
    built = outcome_of(case, lambda: constructor.build(case.get("given", {}), Effort(Ids(7))))
    if "result" in case:
        assert equal(built, case["result"])
    if "order" in case:
        assert list(built) == case["order"]


def test_every_function_and_operator_has_a_case():
    texts = " ".join(case.values[0]["expr"] for case in cases("expr") if "error" not in case.values[0])
    assert [name for name in FUNCTIONS if f"{name}(" not in texts] == []
    assert [sign for sign in (*BINDING_POWER, "!", "-") if sign not in texts] == []


# -- the object


def test_an_expression_tells_its_roots():
    assert compile_expression("$Input.a == $Global.b && $Input.c", NAMES).roots == {"$Input", "$Global"}


def test_only_the_given_names_are_visible():
    with pytest.raises(ExpressionSyntaxError, match=r"'\$Output' is not known here"):
        compile_expression("$Output.a", frozenset({"$Input", "$Context"}))


def test_the_same_seed_gives_the_same_chance():
    expression = compile_expression('format("{} {}", uuid(), randomInt(1, 1000000))', NAMES)
    first, again = expression.evaluate({}, Effort(Ids(3))), expression.evaluate({}, Effort(Ids(3)))
    assert first == again
    assert first != expression.evaluate({}, Effort(Ids(4)))


def test_random_int_reaches_both_ends():
    expression, ids = compile_expression("randomInt(1, 3)", NAMES), Effort(Ids(1))
    assert {expression.evaluate({}, ids) for _ in range(100)} == {1, 2, 3}


# -- constructors


def test_a_constant_constructor_is_known():
    assert compile_constructor({"a": {"b": 1}}, NAMES).constant
    assert not compile_constructor({"a": {"b.$": "$Input"}}, NAMES).constant


def test_a_bare_constructor_takes_text_beginning_with_a_dollar_for_an_expression():
    constructor = compile_constructor({"Input": "$", "Names": ["$.name", "x"]}, LEGACY, bare=True)
    assert constructor.build({"$": {"name": "n"}}, Effort(Ids())) == {"Input": {"name": "n"}, "Names": ["n", "x"]}
    assert [expression.text for expression in constructor.expressions] == ["$", "$.name"]


# -- complaints


@pytest.mark.parametrize(
    ("text", "caret"),
    [
        ("$Input.n = 1", "$Input.n = 1\n         ^"),
        ('"王" = 1', '"王" = 1\n     ^'),
        ("1 &&\n\t2 +", " 2 +\n   ^"),
        ("$Input.n >", "$Input.n >\n          ^"),
        ("1" * 100 + " # " + "1" * 100, "…" + "1" * 59 + " # " + "1" * 58 + "…\n" + " " * 61 + "^"),
    ],
)
def test_the_caret_stands_under_the_column(text, caret):
    with pytest.raises(ExpressionSyntaxError) as failure:
        compile_expression(text, NAMES)
    assert failure.value.caret() == caret


def test_a_failure_can_be_handed_to_another_process():
    with pytest.raises(ExpressionSyntaxError) as failure:
        compile_expression("$Inptu", NAMES)
    copied = pickle.loads(pickle.dumps(failure.value))
    assert (copied.message, copied.column, copied.caret()) == (
        failure.value.message, failure.value.column, failure.value.caret(),
    )  # fmt: skip


# -- hostile texts


def mistake_in(text):
    try:
        compile_expression(text, NAMES)
    except ExpressionSyntaxError as error:
        return error
    return None


@given(expressions())
def test_no_text_makes_the_compiler_raise_anything_but_a_syntax_error(text):
    mistake = mistake_in(text)
    assert mistake is None or 1 <= mistake.column <= len(text) + 1
    assert mistake is None or mistake.caret().endswith("^")


@pytest.mark.parametrize(
    ("begin", "part"),
    [
        ("", "("), ("", "!"), ("", "- "), ("", "length("), ("$Input", "[0]"), ("$Input", "[*]"), ("", "1"), ("", "a"),
        ('"', "\\"), ("", '"\\'), ("$Input.a", "-"), ("$Input.", "a-"), ("", "$Input.a-"), ("true", "&&true"),
        ("", " "), ("1==1", "==1"), ("toArray(1", ",1"), ("", "\\ud800"), ("", "王"), ('"', "\\ud800"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("length", [MAX_LENGTH, 1_000_000])
def test_the_compiler_is_done_quickly_with_texts_made_to_hurt(begin, part, length):
    text = (begin + part * length)[:length]
    mistake = mistake_in(text)
    assert mistake is not None or length == MAX_LENGTH


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(JSON, min_size=1, max_size=3))
def test_a_function_given_any_values_answers_or_raises_an_expression_error(name, values):
    function = FUNCTIONS[name]
    count = len(values) if function.takes(len(values)) else len(function.parameters)
    text = f"{name}({', '.join(f'$Input[{index % len(values)}]' for index in range(count))})"
    expression = compile_expression(text, NAMES)
    with contextlib.suppress(ExpressionError):
        json.dumps(expression.evaluate({"$Input": values}, Effort(Ids(1))), allow_nan=False)


@given(JSON, JSON)
def test_equality_is_that_of_json_values(left, right):
    assert equal(left, left)
    assert equal(left, right) == equal(right, left)
    assert equal([left], [right]) == equal({"a": left}, {"a": right}) == equal(left, right)


def test_a_number_may_begin_with_as_many_zeros_as_fit() -> None:
    assert compile_expression("0" * 5_000 + "7", NAMES).evaluate({}, Effort(Ids())) == 7
    assert compile_expression("0" * 5_000, NAMES).evaluate({}, Effort(Ids())) == 0


def test_brackets_may_stand_forty_deep_and_no_deeper():
    deepest = "(" * MAX_NESTING + "true" + ")" * MAX_NESTING
    assert compile_expression(deepest, NAMES).evaluate({}, Effort(Ids())) is True
    with pytest.raises(ExpressionSyntaxError, match="nested more than 40 deep"):
        compile_expression(f"({deepest})", NAMES)


def test_long_chains_cost_no_depth():
    assert compile_expression("&&".join(["true"] * 10_000), NAMES).test({}, Effort(Ids()))
    path = compile_expression("$Input" + ".a" * 10_000, NAMES)
    with pytest.raises(MissingPathError):
        path.evaluate({"$Input": {"a": {}}}, Effort(Ids()))


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "text",
    ["$Input.a == $Input.b", "arrayUnique(toArray($Input.a))", "jsonToString($Input.a)", "stringToJson($Input.t)"],
)
def test_data_nested_beyond_all_measure_are_an_expression_error(text):
    scope = {"$Input": {"a": nested(100_000), "b": nested(100_000), "t": "[" * 100_000}}
    with pytest.raises(ExpressionError, match="nested too deeply"):
        compile_expression(text, NAMES).evaluate(scope, Effort(Ids()))


def test_a_constructor_nested_beyond_measure_is_refused():
    with pytest.raises(ConstructorErrors, match="nested more than 100 deep"):
        compile_constructor(nested(100_000), NAMES)


def test_nothing_is_read_behind_a_mistake() -> None:
    """A long wrong expression costs what comes before its first mistake."""
    assert next(tokens("* ;")).value == "*"  # the semicolon is no token
    with pytest.raises(ExpressionSyntaxError, match="column 1: expected a value, found"):
        compile_expression("** ;", frozenset())
