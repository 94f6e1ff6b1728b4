"""JSON text as answers, histories and limits have it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.base.json_text import json_text, json_value

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_text_is_what_the_standard_encoder_makes(value: Any) -> None:
    assert json_text(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), {"a": b"x"}])
def test_what_is_no_json_value_has_no_text(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        json_text(value)


@given(VALUES)
def test_a_text_means_what_it_was_made_of(value: Any) -> None:
    assert json_value(json_text(value)) == value


def test_blanks_around_a_text_mean_nothing() -> None:
    assert json_value(' \t\r\n{"a": 1}\n') == {"a": 1}


@pytest.mark.parametrize(
    "text", ["", " ", "{", "{} {}", "1 2", "NaN", "[-Infinity]", "1e999", "\u00a01", "\ufeff1", "'a'"]
)
def test_what_is_no_json_text_means_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json_value(text)


def test_half_of_a_surrogate_pair_stays_an_escape() -> None:
    assert json_text({"a\ud83d": "\ude00 你"}) == '{"a\\ud83d":"\\ude00 你"}'
    assert json_text("\U0001f600") == '"\U0001f600"'
