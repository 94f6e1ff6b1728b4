"""The path of an execution through its definition, read from its events and its trail when somebody looks.

Every event names the one that it follows from. So an event belongs to the innermost state that was entered and not left
before it, or to the one around that whose name it bears.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from cfmock.engine.events import Event, History, HistoryChild
from cfmock.engine.flow import Flow, PointKind
from cfmock.engine.task_mocks import Try
from cfmock.service.rows import ExecutionRow

_TASK_ENDS = frozenset(("TaskSucceeded", "TaskFailed", "TaskTimedOut", "TaskSubmitFailed"))


class TaskTry(Struct):
    """One try of a task. `scheduled` is the event of its call; `end` None while there is none, `answer` if nobody was asked."""

    scheduled: Event
    given: str  # what mocks are matched by, JSON text
    end: Event | None = None
    answer: Try | None = None


class Visit(Struct):
    """One passage through a state, in seconds. `point` is the state's id, empty if unknown; `left` None while it goes on;
    `first` and `last` are the events of its entry and end; it `holds` passages through other states."""

    state: str
    point: str
    entered: float
    first: int
    last: int | None = None
    holds: bool = False
    left: float | None = None
    failed: bool = False
    given: str = "{}"  # the state's input, JSON text
    tries: list[TaskTry] = field(default_factory=list)
    children: list[HistoryChild] = field(default_factory=list)  # the executions that its task started or joined

    def status(self, *, ended: bool) -> str:
        """`succeeded`, `failed`, `caught` or `running`; `ended` tells whether the whole execution has."""
        if self.left is None:
            return "failed" if self.failed or ended else "running"
        return "caught" if self.failed else "succeeded"


def visits(row: ExecutionRow) -> list[Visit]:
    """All passages, in the order in which they began. None for one that goes by a canned outcome."""
    if row.events is None:
        return []
    reader = _Reader(row.flow.compiled, row.events)
    for event in row.events:
        reader.read(event)
    return list(reader.visits.values())


def hits(row: ExecutionRow) -> dict[str, int]:
    """Count the passages of each `Point` of the definition, by its id."""
    trail = row.events.trail if row.events is not None else ()
    return dict(Counter(trail or [visit.point for visit in visits(row)]))


class _Reader:
    """Takes events in their order. `visits` are by the event of their entry."""

    def __init__(self, flow: Flow, history: History) -> None:
        states = {point.id: point.label for point in flow.points() if point.kind is PointKind.STATE}
        # For histories of an earlier process, which have no trail.
        self._by_name = {label: point for point, label in states.items()}
        self.visits: dict[int, Visit] = {}
        # The id of a state is told right before the event of its entry.
        self._states = iter([each for each in history.trail if each in states])
        self._answers: dict[int, list[Try]] = defaultdict(list)
        for each in history.tries:
            self._answers[each[0]].append(each)
        self._children: dict[int, list[HistoryChild]] = defaultdict(list)
        for child in history.children:
            self._children[child.event].append(child)
        self._inside: dict[int, int] = {}  # by event, the entry of the innermost state that is open after it; 0: none
        self._around: dict[int, int] = {}  # by entry, that of the state around
        self._tries: dict[int, TaskTry] = {}  # by event

    def read(self, event: Event) -> None:
        kind, around = event.type, self._inside.get(event.cause, 0)
        if kind == "StepEntered":
            self._around[event.id], self._inside[event.id] = around, event.id
            point = next(self._states, "") or self._by_name.get(event.step, "")
            children = self._children.get(event.id, [])
            self.visits[event.id] = Visit(event.step, point, event.time, event.id, children=children)
            if around in self.visits:
                self.visits[around].holds = True
            return
        entry = self._entry(event, around)
        visit = self.visits.get(entry)
        self._inside[event.id] = entry
        if visit is None:
            return
        if kind == "StepExited":
            visit.left, visit.last = event.time, event.id
            self._inside[event.id] = self._around[entry]
        elif kind == "StepFailed":
            visit.failed, visit.last = True, event.id
        elif kind == "StepStarted":
            visit.given = event.parts[0]
        elif kind.startswith("Task"):
            self._read_task(event, kind, entry, visit)

    def _entry(self, event: Event, innermost: int) -> int:
        entry = innermost
        while event.step and entry and self.visits[entry].state != event.step:
            entry = self._around[entry]
        return entry

    def _read_task(self, event: Event, kind: str, entry: int, visit: Visit) -> None:
        made = self._tries.get(event.cause)
        if kind == "TaskScheduled":
            answers, number = self._answers.get(entry, ()), len(visit.tries)
            made = TaskTry(event, _given(event, visit), answer=answers[number] if number < len(answers) else None)
            visit.tries.append(made)
        elif made is not None and kind in _TASK_ENDS:
            made.end = event
        if made is not None:
            self._tries[event.id] = made


def _given(event: Event, visit: Visit) -> str:
    """What mocks of a call are matched by: the input of its state; where an old step names an action, its parameters."""
    keys = event.shape.keys
    if "input" in keys and "parameters" in keys:
        parameters = event.parts[keys.index("parameters")]
        return parameters if parameters != "{}" else event.parts[keys.index("input")]
    return visit.given


def part(event: Event | None, key: str) -> str | None:
    """One key of an event's detail as JSON text, None if there is none of that name, or no event."""
    if event is None:
        return None
    keys: Sequence[Any] = event.shape.keys
    return event.parts[keys.index(key)] if key in keys else None
