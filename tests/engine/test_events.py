"""Events as the history gives them, and the JSON text that they and all limits are made of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.engine.events import EXECUTION_STARTED, STEP_FAILED, TASK_STARTED, Event, Shape, json_text

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_an_event_is_a_row_of_the_history() -> None:
    event = Event(2, 1, Shape("StepEntered", ("input", "local")), "pass1", 1_719_197_922.043, ('{"名":1}', "{}"))
    assert event.row() == {
        "EventId": 2,
        "ScheduleEventId": 1,
        "Type": "StepEntered",
        "StepName": "pass1",
        "Time": "2024-06-24T02:58:42.043Z",
        "EventDetail": '{"input":{"名":1},"local":{}}',
    }
    assert event.data == {"input": {"名": 1}, "local": {}}


def test_an_event_may_have_nothing_to_tell() -> None:
    assert Event(5, 4, TASK_STARTED, "a", 0.0, ()).detail == "{}"


def test_the_detail_is_json_whatever_it_tells() -> None:
    parts = (json_text('a "quoted"\nline'), json_text("\u2028"))
    assert json.loads(Event(3, 2, STEP_FAILED, "a", 0.0, parts).detail) == {
        "error": 'a "quoted"\nline',
        "cause": "\u2028",
    }


@given(VALUES)
def test_json_text_is_what_the_standard_encoder_makes(value: Any) -> None:
    text = json_text(value)
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert json.loads(Event(1, 0, EXECUTION_STARTED, "", 0.0, (text,)).detail) == {"input": value}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), {"a": b"x"}])
def test_what_is_no_json_value_has_no_text(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        json_text(value)
