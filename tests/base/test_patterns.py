"""What patterns match, and that compiled ones count what plain ones list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.base import patterns
from cfmock.base.patterns import ExecutionCondition, compiled, differences, matches

KEYS = st.sampled_from("abc")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 1),
    st.sampled_from([0.0, 1.0]),
    st.sampled_from(["a", "ab", "b", "", "1", "[a]"]),
)
VALUES = st.recursive(SCALARS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts), max_leaves=8)
GLOBS = st.sampled_from(["*", "a*", "?", "[ab]", "[!a]", "[a]", "*b", "["])
PATTERNS = st.recursive(
    SCALARS | GLOBS, lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts), max_leaves=8
)


@given(PATTERNS, VALUES, st.integers(1, 5))
def test_a_compiled_pattern_counts_the_differences_up_to_a_number(pattern: Any, value: Any, most: int) -> None:
    found = list(differences(pattern, value))
    assert compiled(pattern)(value, 1000) == len(found)
    assert min(compiled(pattern)(value, most), most) == min(len(found), most)
    assert matches(pattern, value) == (compiled(pattern)(value, 1) == 0)


@given(VALUES)
def test_a_value_without_globs_matches_itself(value: Any) -> None:
    assert compiled(value)(value, 1) == 0


@given(st.fixed_dictionaries({}, optional={"execution": GLOBS, "input": PATTERNS}), st.sampled_from(["a", "b"]), VALUES)
def test_a_condition_counts_and_tells_the_same(pattern: dict[str, Any], execution: str, value: Any) -> None:
    when = ExecutionCondition(pattern)
    told = list(when.differences(execution, value))
    assert when.count(execution, value, 1000) == len(told)
    assert when.matches(execution, value) == (told == [])


@pytest.mark.parametrize("order", [("execution", "input"), ("input", "execution")])
def test_the_name_is_told_before_the_input(order: tuple[str, str]) -> None:
    pattern = {"execution": "x-*", "input": {"kind": "a"}}
    when = ExecutionCondition({key: pattern[key] for key in order})
    assert [str(each) for each in when.differences("e", {})] == [
        "execution: expected 'x-*', got 'e'",
        "input.kind: expected 'a', got missing",
    ]


def test_a_condition_is_compiled_when_it_is_first_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(patterns, "compiled", lambda pattern: (made.append(pattern), compiled(pattern))[1])
    conditions = [ExecutionCondition({"execution": "e*", "input": {"n": number}}) for number in range(3)]
    assert all(each.reads_input for each in conditions)
    assert not made
    assert [conditions[1].matches(name, {"n": 1}) for name in ("e1", "e2", "f")] == [True, True, False]
    assert made == [{"n": 1}, 1, "e*"]
