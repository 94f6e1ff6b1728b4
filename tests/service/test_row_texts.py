"""Rows of a state file come back as they were, to the last digit of a time."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from cfmock.engine.events import EXECUTION_STARTED, History
from cfmock.service.row_texts import history_of, history_value

HALF = 1_764_344_564.9685
"""Between two milliseconds."""


@given(st.lists(st.floats(0, 4e9), max_size=4))
def test_events_keep_their_time(moments: list[float]) -> None:
    history = History()
    for number, moment in enumerate([HALF - 1.2, HALF, math.nextafter(HALF, 0), HALF, *moments], 1):
        history.sink([number, number - 1, "A", moment, EXECUTION_STARTED, ("1",)])
    back = history_of(json.loads(json.dumps(history_value(history))))
    assert list(back) == list(history)
    assert list(back.texts(0, len(back))) == list(history.texts(0, len(history)))
