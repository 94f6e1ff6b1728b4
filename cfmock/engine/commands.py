"""Commands that an execution gives to the scheduler, and their outcomes.

The interpreter yields commands and is sent their outcomes; a failure is thrown into it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Generator, Sequence
from typing import Any

from msgspec import Struct

from cfmock.base.errors import CfmockError
from cfmock.base.json_text import json_text
from cfmock.engine.events import EventParts, EventShapes
from cfmock.engine.model import Series
from cfmock.engine.task_calls import TaskCall

# Observed in public flows of the old language:
TASK_TIMEOUT = "FnF.TaskTimeout"  # a task that took too long
INVALID_LOCAL = "FnF.InvalidLocal"  # a result that is not a JSON object
RUNTIME_ERROR = "FnF.RuntimeError"  # an expression that does not fit the data; that it means this is our choice
# Our names:
INVALID_OUTPUT = "FnF.InvalidOutput"  # in the new language, a result that is not a JSON object
DATA_LIMIT = (
    "FnF.DataLimitExceeded"  # more than 64 KiB (old language 32 KiB) in a state, or too large a global variable
)
EVENT_LIMIT = "FnF.EventLimitExceeded"  # more than 5,000 events
ITEM_LIMIT = "FnF.ItemLimitExceeded"  # more than 10,000 items in a distributed map
MAP_RUN_LIMIT = "FnF.MapRunLimitExceeded"  # more than 10 map runs of one execution at once
EXECUTION_TIMEOUT = "FnF.ExecutionTimeout"  # an execution that took too long
UNNAMED = "FnF.Failed"  # a failure to which nobody gave a code


class Failure(CfmockError):  # noqa: N818 - reads as what happened where it is raised
    """An error in a flow: its code and detail (the old language's error and cause).

    `event` is the id of the last event that told of it, for the event that comes next; 0 as long as none did.
    `catchable` is false for the limits of an execution, which no Retry or Catch gets to see. `place` is where a user's function
    raised what it did not mean as the error of its task.
    """

    catchable = True

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.event = 0
        self.place = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code

    def forget_path(self) -> None:
        """Let go of what it came through: that holds on to the execution, which may hold on to it."""
        self.__traceback__ = self.__context__ = self.__cause__ = None

    @property
    def parts(self) -> tuple[str, str]:
        """The two texts for the detail of an event."""
        return json_text(self.code), json_text(self.detail)


class LimitExceeded(Failure):
    """A limit of executions was exceeded: the execution fails, whatever its definition catches."""

    catchable = False


class TaskTimedOut(Failure):
    """A task was not over in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(TASK_TIMEOUT, f"the task did not end within {seconds:g} seconds")


class Datum(Struct, frozen=True, eq=False):
    """A JSON value with its text: made and measured once, however many events tell it."""

    value: Any
    text: str

    @property
    def size(self) -> int:
        """Bytes of the text."""
        text = self.text
        return len(text) if text.isascii() else len(text.encode())


EMPTY = Datum({}, "{}")


class Signal(enum.Enum):
    """An outcome that is no data."""

    SUBMITTED = "submitted"
    BLOCKED = "blocked"


SUBMITTED = Signal.SUBMITTED  # a task was handed over; its end comes by `AwaitTask`
BLOCKED = Signal.BLOCKED  # there is no outcome yet

CommandOutcome = object
"""What a command comes to: what that is stands with each of them. A `Failure` is thrown into the fiber, all else is sent."""


Emit = tuple[str, int, EventShapes, EventParts]
"""Record events: of a step of this name, the first following from the event of this id. Outcome: the id of the last.

A plain tuple, of as many events as are sure to follow one another: most of what an execution does is to tell them.
"""


class Wait(Struct, frozen=True):
    """Go on after `seconds` of the flow clock. Outcome: None."""

    seconds: float


class WaitUntil(Struct, frozen=True):
    """Go on at a moment of the flow clock, in seconds since 1970: at once if it has passed; one more than `longest` seconds away
    is a failure. Outcome: None."""

    moment: float
    longest: float = math.inf


class CallTask(Struct, frozen=True):
    """Make a call. Outcome: its result, or `SUBMITTED` in the callback modes; a failure is thrown."""

    call: TaskCall


class AwaitTask(Struct, frozen=True):
    """Wait for the end of a task that was submitted. Outcome: its result; a failure is thrown."""

    call: TaskCall


class Fork(Struct, frozen=True):
    """Run several parts of the execution at once, at most `limit` of them at a time.

    Outcome: their results in order. When one fails the others are stopped, and its failure is thrown.
    """

    parts: Sequence[Callable[[], Part]]
    limit: int


class RunMap(Struct, frozen=True):
    """Run the children of a distributed map. Outcome: their outputs in the order of the items; a failure is thrown.

    `name` is the map run's, `state` the map's; each child executes `processor`, as an express execution if `express`, with
    one of `inputs`, at most `concurrency` of them at once. More failures than `tolerated_count` children and
    `tolerated_percentage` of them fail the map.
    """

    name: str
    state: str
    processor: Series
    express: bool
    inputs: Sequence[Any]
    concurrency: int
    tolerated_count: int
    tolerated_percentage: float


Command = Emit | Wait | WaitUntil | CallTask | AwaitTask | Fork | RunMap

Part = Generator[Command, Any, Any]
"""An execution, or a branch of one, as the interpreter writes it: yields commands, is sent outcomes, returns its
result.
"""
