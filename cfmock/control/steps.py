"""Answers that take long: what is pure in them is yielded, to be done wherever its caller likes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from cfmock.base.json_text import Json

T = TypeVar("T")
Work = Callable[[], Any]
Answer = Generator[Work, Any, Json]
"""An answer that takes longer: yields what is to be done, and is sent what came of it."""


def worked_out(steps: Generator[Work, Any, T]) -> T:
    """Return the answer of what yields work, doing that here and at once."""
    done = None
    while True:
        try:
            work = steps.send(done)
        except StopIteration as stop:
            answer: T = stop.value
            return answer
        done = work()
