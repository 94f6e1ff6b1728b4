"""Events: the rows of the history of an execution.

An event is a tuple, cheap to make and to keep. Its detail is held in parts, each the JSON text of one key, because the
same data are told by several events and every text is made, and measured, once. `Event.detail` puts them together when
somebody reads it.

Types are those of the API metadata for both languages. Where the pages show no detail (all but the five events of a
Pass step) the keys are our choice.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from sys import getsizeof
from typing import Any, NamedTuple, overload

from cfmock.base.clocks import iso
from cfmock.base.json_text import quoted, value_size

MAX_EVENTS = 5_000  # events of one execution; documented


class EventShape(NamedTuple):
    """A type of event and the keys of its detail."""

    type: str
    keys: tuple[str, ...]


EventShapes = tuple[EventShape, ...]  # events one after another, each following from the one before

EventParts = tuple[str, ...]
"""The parts of the details of such events, one behind the other: as many of each as its shape has keys."""


class Event(NamedTuple):
    """One row: `id` from 1, `cause` the id of the event it follows from (0 for the first), `time` in seconds since 1970."""

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


class HistoryChild(NamedTuple):
    """An execution that a task started, or joined; `event` is the id of the event that entered the state of the task."""

    event: int
    flow: str
    execution: str


class History(Sequence[Event]):
    """The events of one execution, oldest first; their ids are 1, 2, 3 and so on.

    Kept as they were told: one row of a flat list for all events that came at once. A tuple for each event would be half of what
    a finished execution takes, and most of what the garbage collector has to look through on a busy server. `size` is about how
    many bytes that takes, a text that several events tell counted once; `running_size` is that and what the values of a running
    execution take.

    Beside the events stands what they do not tell, in the order in which it happened: `trail`, the id of each `Point` that was
    passed, as an observer is told it; `tries`, who answered each try of a task (`engine.task_mocks.Try`); and `children`.
    """

    __slots__ = ("_enough", "_flat", "_on_growth", "_values", "children", "size", "trail", "tries")

    def __init__(self) -> None:
        self.size = 0
        self.trail: list[str] = []
        self.tries: list[Any] = []
        self.children: tuple[HistoryChild, ...] = ()  # of most there are none, and these share one
        self._flat: list[Any] = []
        self._on_growth: Callable[[int], int] | None = None
        self._enough = math.inf  # the size that has to be told
        self._values: _RunningValues | None = None  # made for the few that have large ones

    @property
    def running_size(self) -> int:
        """About how many bytes the events take, and the values of an execution that still runs."""
        return self.size if self._values is None else self.size + self._values.bytes

    def watch_size(self, grown: Callable[[int], int], enough: int) -> None:
        """Call `grown` with the running size in bytes once that is more than `enough`, then beyond what it gives back."""
        self._on_growth, self._enough = grown, enough

    def sink(self, rows: Rows) -> None:
        """Take the next events."""
        self._flat += rows
        parts = rows[_PARTS::_WIDTH]
        texts = sum(map(len, chain.from_iterable(parts)))
        if texts > _LARGE:
            texts = sum(map(self._weigh, chain.from_iterable(parts)))
        self.size = size = self.size + _EVENT * (last_of(rows) - rows[0] + 1) + texts
        if size > self._enough and self._on_growth is not None:
            before = self.running_size
            self._enough = math.inf  # it may have an event told
            self._enough = self._on_growth(before) - (before - size)

    def hold(self, size: int) -> None:
        """Note the bytes that the global variables take, to count them with the next events."""
        self._values = self._values or _RunningValues()
        self._enough -= self._values.replace_globals(size)

    def _weigh(self, part: str) -> int:
        if len(part) <= _LARGE:
            return len(part)
        self._values = values = self._values or _RunningValues()
        if id(part) in values.texts:
            return 0
        values.texts.add(id(part))
        if self._on_growth is not None:
            self._enough -= values.add(value_size(part) - len(part))
        return getsizeof(part)

    def close(self) -> None:
        """There are no more events."""
        self._on_growth = self._values = None

    def texts(self, start: int, stop: int) -> Iterator[str]:
        """Some of them as JSON text, the same as their rows: joined of few parts, since many events tell the same data."""
        frames: dict[int, list[_Frame]] = {}  # by the id of their shapes
        inner: dict[str, str] = {}  # parts as they stand in a text
        last, stamp = -1.0, ""
        for number, cause, step, time, shapes, parts in _each(self._rows(start, stop)):
            if time != last:
                last, stamp = time, iso(time)
            if id(shapes) not in frames:
                frames[id(shapes)] = [_frame(shape) for shape in shapes]
            name, at = quoted(step), 0
            for kind, between, detail, width in frames[id(shapes)]:
                if start < number <= stop:
                    if width == 1:
                        part = parts[at]
                        text = inner.get(part)
                        if text is None:
                            text = inner[part] = _inner(part)
                    else:
                        text = detail % tuple(map(_inner, parts[at : at + width]))
                    yield (
                        f'{{"EventId":{number},"ScheduleEventId":{cause}{kind}{name},"Time":"{stamp}{between}{text}}}"}}'
                    )
                at += width
                cause, number = number, number + 1

    def _rows(self, start: int, stop: int) -> Rows:
        """The rows that hold the events from `start` to before `stop`, counted from 0."""
        begin, end = self._row_of(start), self._row_of(stop - 1) + 1
        return self._flat[begin * _WIDTH : end * _WIDTH]

    def _row_of(self, index: int) -> int:
        flat = self._flat
        return bisect_right(range(len(flat) // _WIDTH), index + 1, key=lambda row: flat[row * _WIDTH]) - 1

    def __len__(self) -> int:
        return last_of(self._flat) if self._flat else 0

    def __iter__(self) -> Iterator[Event]:
        return as_events(self._flat)

    @overload
    def __getitem__(self, index: int) -> Event: ...

    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...

    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        row = self._rows(at, at + 1)
        return next(islice(as_events(row), at + 1 - row[0], None))


class _RunningValues:
    """What the values of a running execution take beside its events: its global variables, and what is behind its newest large
    texts, which it may still work with. `texts` are the ids of all large ones: who told them once may tell them in every event.
    """

    __slots__ = ("_globals", "_newest", "bytes", "texts")

    def __init__(self) -> None:
        self.bytes = 0
        self.texts: set[int] = set()
        self._newest: deque[int] = deque()
        self._globals = 0

    def add(self, size: int) -> int:
        """Count the value of a large text. Returns by how much all of them grow."""
        self._newest.append(size)
        more = size if len(self._newest) <= _NEWEST else size - self._newest.popleft()
        self.bytes += more
        return more

    def replace_globals(self, size: int) -> int:
        """Count the global variables, likewise."""
        more, self._globals = size - self._globals, size
        self.bytes += more
        return more


_Frame = tuple[str, str, str, int]
"""What stands in an event's text before its step and behind its time, how the parts of its detail stand there, and how many."""


def _frame(shape: EventShape) -> _Frame:
    keys = [f"{_inner(json.dumps(key))}:" for key in shape.keys]
    first = keys[0] if keys else ""
    parts = ",".join(["%s", *(f"{key}%s" for key in keys[1:])]) if keys else ""
    return f',"Type":{quoted(shape.type)},"StepName":', f'","EventDetail":"{{{first}', parts, len(keys)


def _inner(text: str) -> str:
    """A text as it stands inside a JSON text."""
    return quoted(text)[1:-1]


_EVENT = 160  # bytes of an event without its texts
_LARGE = 1_000  # characters
_NEWEST = 64  # large texts whose values may be in use: a state has 50 branches at most

Rows = list[Any]
"""Events as they are told: all that come at once, one following from the other, are a row of six fields. These are the id of the
first, that of the event it follows from (0 for the first of all), the step, the time in seconds since 1970, `EventShapes` and
`EventParts`. Rows stand one behind the other in a flat list."""

_WIDTH, _PARTS = 6, 5  # fields of a row, and which of them the parts are

EventSink = Callable[[Rows], object]  # takes the events of one execution, in order; it may not keep the list


def _each(rows: Rows) -> Iterator[tuple[Any, ...]]:
    return zip(*[iter(rows)] * _WIDTH, strict=True)


def last_of(rows: Rows) -> int:
    """The id of the last event."""
    first, shapes = rows[-_WIDTH], rows[-2]
    return int(first) + len(shapes) - 1


def as_events(rows: Rows) -> Iterator[Event]:
    """Return what a sink is given as events."""
    for number, cause, step, time, shapes, parts in _each(rows):
        at = 0
        for shape in shapes:
            begin, at = at, at + len(shape.keys)
            yield Event(number, cause, shape, step, time, parts[begin:at])
            cause, number = number, number + 1


PartShapes = tuple[EventShapes, EventShapes]
"""The events for entering a branch or iteration, and for leaving it."""


def event_shape(type_: str, *keys: str) -> EventShapes:
    """One event of this type, whose detail has these keys. `+` puts several together."""
    return (EventShape(type_, keys),)


ERROR = ("error", "cause")

EXECUTION_STARTED = event_shape("ExecutionStarted", "input")
EXECUTION_SUCCEEDED = event_shape("ExecutionSucceeded", "output")
EXECUTION_FAILED = event_shape("ExecutionFailed", *ERROR)
EXECUTION_STOPPED = event_shape("ExecutionStopped", *ERROR)
EXECUTION_TIMED_OUT = event_shape("ExecutionTimedOut", *ERROR)

STEP_FAILED = event_shape("StepFailed", *ERROR)

TASK_STARTED = event_shape("TaskStarted")
TASK_SUBMITTED = event_shape("TaskSubmitted")
TASK_SUBMIT_FAILED = event_shape("TaskSubmitFailed", *ERROR)
TASK_SUCCEEDED = event_shape("TaskSucceeded", "output")
TASK_FAILED = event_shape("TaskFailed", *ERROR)
TASK_TIMED_OUT = event_shape("TaskTimedOut", *ERROR)

MAP_RUN_STARTED = event_shape("MapRunStarted", "output")
"""Named by the map run pages only, which say that its Output carries MapRunName."""


class StepShapes:
    """The events of a step in one language: those that `begin` and `end` its work, and all of them where it has none."""

    __slots__ = ("begin", "end", "entered", "exited", "whole")

    def __init__(self, entered: EventShapes, exited: EventShapes) -> None:
        self.entered = entered
        self.exited = exited
        self.begin = entered + event_shape("StepStarted", "input")
        self.end = event_shape("StepSucceeded", "output") + exited
        self.whole = self.begin + self.end
