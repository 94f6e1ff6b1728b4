"""The inputs of one execution from outside, in order: enough to run it again to the same point after a restart.

The interpreter is deterministic, so of an execution that goes on only this has to be kept: which of its fibers had a turn and
when, what chance gave it, how its tasks were answered, and what came from outside (a wait that was over, a report, the end of
a child). Entries are lists of JSON values; `replay` reads them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from cfmock.base.clocks import HeldClock
from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timeline, Timer, Timers
from cfmock.engine.events import HistoryChild

Entry = list[Json]

TURNED = "turn"  # now, skipped, label, events it may tell
PAUSE = "pause"  # the last event: here a slice was over, and the turn went on later
DRAW = "draw"  # a value: what chance gave, or what a look at others showed
SPENT = "spent"  # a mock that answers only so many times has answered
NESTED = "nested"  # a `HistoryChild`: what a task has started or joined
ANSWER = "answer"  # kind and facts: how a call of a task was answered
CHILD = "child"  # the serial of a child that a map run started
WAITED = "waited"  # now, skipped, label: a wait is over
DUE = "due"  # now, skipped, label, guard: the time of a task has come
REPORT = "report"  # now, skipped, label, outcome
LATE = "late"  # now, skipped, label, answer to a call out of the core
ENDED = "ended"  # now, skipped, label, end: the child that a task waits for has ended
MAP_ENDED = "map ended"  # now, skipped, label, index, end
MAP_CHANGED = "map changed"  # now, skipped, label, changes
# A label is the path of a fiber: the indices of the branches and iterations that lead to it.

ENDING = "!"
"""Before a label: not the fiber's own turn, but that of a failure which is about to end what it waits for."""


class ReplayError(Exception):
    """An execution cannot be run again: its entries do not fit its definition in this version."""


class RecordedTimers(Protocol):
    """The owner of the timers of an execution."""

    timers: Timers


class Recorded(Protocol):
    """The execution as its recording sees it."""

    timeline: Timeline

    @property
    def scheduler(self) -> RecordedTimers: ...


TaskT = TypeVar("TaskT")
ChildrenT = TypeVar("ChildrenT")


class ExecutionRecording(Generic[TaskT, ChildrenT]):
    """Writes entries of one execution, or, while it is `replaying`, reads them.

    `children` finds what it had started, `later` are calls out of the core that had not been answered when the process died,
    `endings` the timers of failures that let go first what is due, by label.
    """

    def __init__(self, write: Callable[[Entry], object]) -> None:
        self.write = write
        self.replaying = False
        self.entries: deque[Entry] = deque()
        self.step: Callable[[], object] = deque  # does what the next entry says
        self.children: ChildrenT | None = None
        self.later: dict[TaskT, None] = {}
        self.endings: dict[str, Timer] = {}

    def told(self, kind: str, execution: Recorded, label: str, *facts: Json) -> None:
        """Something came from outside for the fiber of this label, or it has its turn."""
        if not self.replaying:
            clock = execution.scheduler.timers.clock
            if isinstance(clock, HeldClock):
                clock.hold()
            self.write([kind, clock.now(), execution.timeline.skipped, label, *facts])

    def pause(self, last: int) -> None:
        """A slice is over; the turn goes on later."""
        if not self.replaying:
            self.write([PAUSE, last])

    def draw(self, make: Callable[[], Json]) -> Json:
        """A value that running again would not give."""
        if self.replaying:
            return self.next(DRAW)[1]
        value = make()
        self.write([DRAW, value])
        return value

    def used(self, mock: Json) -> None:
        """A mock has answered that does so only a number of times."""
        if not self.replaying:
            self.write([SPENT, mock])

    def nested(self, child: HistoryChild) -> None:
        """A task has started an execution, or joined it."""
        if not self.replaying:
            self.write([NESTED, *child])

    def next(self, kind: str) -> Entry:
        """The entry that has to come now. Raises ReplayError for another one."""
        if not self.entries or self.entries[0][0] != kind:
            raise ReplayError(f"{kind} expected, {self.entries[0][0] if self.entries else 'nothing'} found")
        return self.entries.popleft()

    def paused(self, last: int) -> bool:
        """Return whether the slice was over here."""
        if self.entries and self.entries[0] == [PAUSE, last]:
            self.entries.popleft()
            return True
        return False


class RecordedIds(Ids):
    """The chance of one execution, so that running it again gives the same."""

    def __init__(self, ids: Ids, recording: ExecutionRecording[TaskT, ChildrenT]) -> None:
        self._ids = ids
        self._recording = recording

    def uuid(self) -> str:
        """As the other source does it."""
        return str(self._recording.draw(self._ids.uuid))

    def execution_name(self) -> str:
        """As the other source does it."""
        return str(self._recording.draw(self._ids.execution_name))

    def integer(self, low: int, high: int) -> int:
        """As the other source does it."""
        return int(self._recording.draw(lambda: self._ids.integer(low, high)))

    def seal(self, text: str) -> bytes:
        """Return the same seal for the same text."""
        return self._ids.seal(text)
