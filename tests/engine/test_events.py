"""Events as the history gives them."""

from __future__ import annotations

import json

import pytest

from cfmock.base.json_text import json_text, sendable
from cfmock.engine.events import EXECUTION_SUCCEEDED as OUT
from cfmock.engine.events import STEP_FAILED, TASK_STARTED, Event, EventShape, History, event_shape


def test_an_event_is_a_row_of_the_history() -> None:
    event = Event(2, 1, EventShape("StepEntered", ("input", "local")), "pass1", 1_719_197_922.043, ('{"名":1}', "{}"))
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
    assert Event(5, 4, TASK_STARTED[0], "a", 0.0, ()).detail == "{}"


def test_the_detail_is_json_whatever_it_tells() -> None:
    parts = (json_text('a "quoted"\nline'), json_text("\u2028"))
    assert json.loads(Event(3, 2, STEP_FAILED[0], "a", 0.0, parts).detail) == {
        "error": 'a "quoted"\nline',
        "cause": "\u2028",
    }


def test_a_history_is_the_sequence_of_the_events_it_was_told() -> None:
    told = [Event(number, number - 1, OUT[0], "a", float(number // 3), (str(number),)) for number in range(1, 6)]
    history = History()
    assert not history
    history.sink([1, 0, "a", 0.0, OUT * 2, ("1", "2")])
    history.sink([3, 2, "a", 1.0, OUT, ("3",), 4, 3, "a", 1.0, OUT * 2, ("4", "5")])
    assert len(history) == 5
    assert list(history) == told
    assert (history[0], history[-1], history[1:3], history[::-2]) == (told[0], told[-1], told[1:3], told[::-2])
    with pytest.raises(IndexError):
        history[5]


def test_a_history_gives_its_events_as_the_text_of_their_rows() -> None:
    two, odd = event_shape("StepEntered", "input", "local"), 'ste"p\n%s {0} 名'
    texts = ('{"a":"\\"%s\\" \\\\ 名"}', json_text("\ud800 \u2028"), "{}")
    history = History()
    for number in range(30):
        shapes, parts = ((two, texts[:2]), (STEP_FAILED, texts[1:]), (TASK_STARTED, ()), (OUT, texts[2:]))[number % 4]
        time = 1_719_197_922.0 + number // 7 / 1000
        history.sink([number + 1, number, ("a", odd)[number % 3 == 0], time, shapes, parts])
    assert [sendable(text) for text in history.texts(0, 99)] == [json_text(event.row()) for event in history]
    assert list(history.texts(4, 6)) == list(history.texts(0, 30))[4:6]
