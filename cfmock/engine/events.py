"""Events: the rows of the history of an execution.

An event is a tuple, cheap to make and to keep. Its detail is held in parts, each the JSON text of one key, because the
same data are told by several events and every text is made, and measured, once. `Event.detail` puts them together when
somebody reads it.

Types are those of the API metadata for both languages. Where the pages show no detail (all but the five events of a
Pass step) the keys are our choice.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from sys import getsizeof
from typing import Any, NamedTuple, Protocol, overload

from cfmock.base.clocks import iso
from cfmock.base.json_text import quoted, value_size

MAX_EVENTS = 5_000
"""Events of one execution; documented."""


class EventShape(NamedTuple):
    """A type of event and the keys of its detail."""

    type: str
    keys: tuple[str, ...]


Told = tuple[tuple[EventShape, tuple[str, ...]], ...]
"""Events one after another, each following from the one before: their shapes, and their details in parts."""


class Event(NamedTuple):
    """One row: `id` from 1, `cause` the id of the event it follows from (0 for the first), `time` in seconds since
    1970.
    """

    id: int
    cause: int
    shape: EventShape
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
        """Return the event in the fields of GetExecutionHistory."""
        return {
            "EventId": self.id,
            "ScheduleEventId": self.cause,
            "Type": self.shape.type,
            "StepName": self.step,
            "Time": iso(self.time),
            "EventDetail": self.detail,
        }


class History(Sequence[Event]):
    """The events of one execution, oldest first.

    Kept in one flat list: a tuple for each would be half of what a finished execution takes, and most of what the garbage
    collector has to look through on a busy server. `size` is about how many bytes that takes, a text that several events
    tell counted once; `running_size` is that and what the values of a running execution take: its global variables, and those
    behind its newest large texts, which it may still work with.

    `trail` is what the events do not tell: the id of each `Point` that was passed, as an observer is told it, and for each try
    of a task who answers it (`engine.task_mocks.Try`), in the order in which it happened.
    """

    __slots__ = ("_enough", "_flat", "_globals", "_large", "_on_growth", "_values", "running_size", "size", "trail")

    def __init__(self) -> None:
        self.size = 0
        self.running_size = 0
        self.trail: list[Any] = []
        self._flat: list[Any] = []
        self._on_growth: Callable[[int], int] | None = None
        self._enough = 0
        self._large: set[int] = set()  # the ids of large texts: who told them once may tell them in every event
        self._values: deque[int] = deque()  # bytes of the values behind the newest of them
        self._globals = 0

    def watch_size(self, grown: Callable[[int], int], enough: int) -> None:
        """Call `grown` with the size in bytes once that is more than `enough`, then beyond what it returns, until `close`."""
        self._on_growth, self._enough = grown, enough

    def sink(self, number: int, cause: int, step: str, time: float, told: Told) -> None:
        """Take the next events."""
        flat, size = self._flat, self.size
        before = size
        for shape, parts in told:
            flat += (number, cause, shape, step, time, parts)
            cause, number = number, number + 1
            more = _EVENT
            for part in parts:
                more += len(part)
            if more > _LARGE:
                more = _EVENT + sum(map(self._weigh, parts))
            size += more
        self.size = size
        self.running_size = size = self.running_size + size - before
        if size > self._enough and self._on_growth is not None:
            self._enough = self._on_growth(size)

    def hold(self, size: int) -> None:
        """Note the bytes that the global variables take, to count them with the next events."""
        self.running_size += size - self._globals
        self._globals = size

    def _weigh(self, part: str) -> int:
        if len(part) <= _LARGE:
            return len(part)
        if id(part) in self._large:
            return 0
        self._large.add(id(part))
        if self._on_growth is not None:
            self._values.append(value_size(part) - len(part))
            self.running_size += self._values[-1]
            if len(self._values) > _NEWEST:
                self.running_size -= self._values.popleft()
        return getsizeof(part)

    def close(self) -> None:
        """There are no more events."""
        self._on_growth = None
        self._values.clear()
        self.running_size, self._globals = self.size, 0
        self._large = set()

    def texts(self, start: int, stop: int) -> Iterator[str]:
        """Some of them as JSON text, the same as their rows.

        Joined of few parts, since histories are long, and many events of one tell the same data.
        """
        fields = iter(self._flat[start * _WIDTH : stop * _WIDTH])
        frames: dict[int, _Frame] = {}  # by the id of their shape
        inner: dict[str, str] = {}  # parts as they stand in a text
        last, stamp = -1.0, ""
        for number, cause, shape, step, time, parts in zip(*[fields] * _WIDTH, strict=True):
            frame = frames.get(id(shape))
            if frame is None:
                frame = frames[id(shape)] = _frame(shape)
            if time != last:
                last, stamp = time, iso(time)
            kind, between, detail = frame
            if len(parts) == 1:
                text = inner.get(parts[0])
                if text is None:
                    text = inner[parts[0]] = _inner(parts[0])
            else:
                text = detail % tuple(map(_inner, parts))
            yield (
                f'{{"EventId":{number},"ScheduleEventId":{cause}{kind}{quoted(step)},"Time":"{stamp}{between}{text}}}"}}'
            )

    def __len__(self) -> int:
        return len(self._flat) // _WIDTH

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        start = range(len(self))[index] * _WIDTH
        return Event(*self._flat[start : start + _WIDTH])


_Frame = tuple[str, str, str]
"""What stands in an event's text before its step and behind its time, and how the parts of its detail stand there."""


def _frame(shape: EventShape) -> _Frame:
    keys = [f"{_inner(json.dumps(key))}:" for key in shape.keys]
    first = keys[0] if keys else ""
    parts = ",".join(["%s", *(f"{key}%s" for key in keys[1:])]) if keys else ""
    return f',"Type":{quoted(shape.type)},"StepName":', f'","EventDetail":"{{{first}', parts


def _inner(text: str) -> str:
    """A text as it stands inside a JSON text."""
    return quoted(text)[1:-1]


_WIDTH = len(Event._fields)
_EVENT = 160  # bytes of an event without its texts
_LARGE = 1_000  # characters
_NEWEST = 64  # large texts whose values may be in use: a state has 50 branches at most


class EventSink(Protocol):
    """The receiver of the events of one execution, in order."""

    def __call__(self, number: int, cause: int, step: str, time: float, told: Told, /) -> object:
        """Take events one after another: the first has this id and follows from `cause`, each other from the one before."""


def as_events(number: int, cause: int, step: str, time: float, told: Told) -> Iterator[Event]:
    """Return what a sink is given as events."""
    for shape, parts in told:
        yield Event(number, cause, shape, step, time, parts)
        cause, number = number, number + 1


ERROR = ("error", "cause")
OUTPUT = ("output",)

EXECUTION_STARTED = EventShape("ExecutionStarted", ("input",))
EXECUTION_SUCCEEDED = EventShape("ExecutionSucceeded", OUTPUT)
EXECUTION_FAILED = EventShape("ExecutionFailed", ERROR)
EXECUTION_STOPPED = EventShape("ExecutionStopped", ERROR)
EXECUTION_TIMED_OUT = EventShape("ExecutionTimedOut", ERROR)

STEP_STARTED = EventShape("StepStarted", ("input",))
STEP_SUCCEEDED = EventShape("StepSucceeded", OUTPUT)
STEP_FAILED = EventShape("StepFailed", ERROR)

BRANCH_ENTERED = EventShape("BranchEntered", ("index",))
ITERATION_ENTERED = EventShape("IterationEntered", ("index",))

TASK_STARTED = EventShape("TaskStarted", ())
TASK_SUBMITTED = EventShape("TaskSubmitted", ())
TASK_SUBMIT_FAILED = EventShape("TaskSubmitFailed", ERROR)
TASK_SUCCEEDED = EventShape("TaskSucceeded", OUTPUT)
TASK_FAILED = EventShape("TaskFailed", ERROR)
TASK_TIMED_OUT = EventShape("TaskTimedOut", ERROR)

MAP_RUN_STARTED = EventShape("MapRunStarted", OUTPUT)
"""Named by the map run pages only, which say that its Output carries MapRunName."""
