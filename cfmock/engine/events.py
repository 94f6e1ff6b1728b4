"""What an execution does, as events: the rows of its history.

An event is a tuple, cheap to make and to keep. Its detail is held in parts, each the JSON text of one key, because the
same data are told by several events and every text is made, and measured, once. `Event.detail` puts them together when
somebody reads it.

Types are those of the API metadata for both languages. Where the pages show no detail (all but the five events of a
Pass step) the keys are our choice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from cfmock.clock import iso

MAX_EVENTS = 5_000
"""Events of one execution; documented."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def _encoder() -> Callable[[Any], str]:
    """What `_ENCODER.encode` does. It makes a C encoder for every value, at more than the cost of a small one: kept
    here.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    encode = make(None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


_encode = _encoder()
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def json_text(value: Any) -> str:
    """A value as the compact JSON text that histories, outputs and limits are made of.

    Half of a surrogate pair, which JSON can name and UTF-8 cannot hold, stays an escape. Raises TypeError, ValueError or
    RecursionError for what is no JSON value.
    """
    text = _encode(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _HALF_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    return text


class Shape(NamedTuple):
    """A type of event and the keys of its detail."""

    type: str
    keys: tuple[str, ...]


class Event(NamedTuple):
    """One row: `id` from 1, `cause` the id of the event it follows from (0 for the first), `time` in seconds since
    1970.
    """

    id: int
    cause: int
    shape: Shape
    step: str
    time: float
    parts: tuple[str, ...]

    @property
    def type(self) -> str:
        return self.shape.type

    @property
    def detail(self) -> str:
        """The detail as JSON text."""
        return "{" + ",".join(f'"{key}":{part}' for key, part in zip(self.shape.keys, self.parts, strict=True)) + "}"

    @property
    def data(self) -> dict[str, Any]:
        """The detail as values."""
        return {key: json.loads(part) for key, part in zip(self.shape.keys, self.parts, strict=True)}

    def row(self) -> dict[str, Any]:
        """As GetExecutionHistory gives it."""
        return {
            "EventId": self.id,
            "ScheduleEventId": self.cause,
            "Type": self.shape.type,
            "StepName": self.step,
            "Time": iso(self.time),
            "EventDetail": self.detail,
        }


class EventSink(Protocol):
    """Where the events of one execution go, in order. `list.append` is one."""

    def __call__(self, event: Event, /) -> object: ...


ERROR = ("error", "cause")
OUTPUT = ("output",)

EXECUTION_STARTED = Shape("ExecutionStarted", ("input",))
EXECUTION_SUCCEEDED = Shape("ExecutionSucceeded", OUTPUT)
EXECUTION_FAILED = Shape("ExecutionFailed", ERROR)
EXECUTION_STOPPED = Shape("ExecutionStopped", ERROR)
EXECUTION_TIMED_OUT = Shape("ExecutionTimedOut", ERROR)

STEP_STARTED = Shape("StepStarted", ("input",))
STEP_SUCCEEDED = Shape("StepSucceeded", OUTPUT)
STEP_FAILED = Shape("StepFailed", ERROR)

BRANCH_ENTERED = Shape("BranchEntered", ("index",))
ITERATION_ENTERED = Shape("IterationEntered", ("index",))

TASK_STARTED = Shape("TaskStarted", ())
TASK_SUBMITTED = Shape("TaskSubmitted", ())
TASK_SUBMIT_FAILED = Shape("TaskSubmitFailed", ERROR)
TASK_SUCCEEDED = Shape("TaskSucceeded", OUTPUT)
TASK_FAILED = Shape("TaskFailed", ERROR)
TASK_TIMED_OUT = Shape("TaskTimedOut", ERROR)

MAP_RUN_STARTED = Shape("MapRunStarted", OUTPUT)
"""Named by the map run pages only, which say that its Output carries MapRunName."""
