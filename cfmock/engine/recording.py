"""The inputs of one execution from outside, in order: enough to run it again to the same point after a restart.

The interpreter is deterministic, so of an execution that goes on only this has to be kept: which of its fibers had a turn and
when, what chance gave it, how its tasks were answered, and what came from outside (a wait that was over, a report, the end of
a child). Entries are lists of JSON values; an `ExecutionRecording` writes them, and `replay` reads them.
"""

from __future__ import annotations

from collections.abc import Callable

from cfmock.base.json_text import Json
from cfmock.base.randomness import Ids

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


class RecordedIds(Ids):
    """The chance of one execution, so that running it again gives the same."""

    def __init__(self, ids: Ids, draw: Callable[[Callable[[], Json]], Json]) -> None:
        self._draw = draw
        self._ids = ids

    def uuid(self) -> str:
        return str(self._draw(self._ids.uuid))

    def execution_name(self) -> str:
        return str(self._draw(self._ids.execution_name))

    def integer(self, low: int, high: int) -> int:
        return int(self._draw(lambda: self._ids.integer(low, high)))

    def seal(self, text: str) -> bytes:
        return self._ids.seal(text)
