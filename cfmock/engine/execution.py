"""What is alive: an execution that runs, and the fibers it is made of.

With pending tasks and map runs these are the mutable things of the engine. The `Runner` moves them; others look at
them, and stop and report through them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cfmock.base.clocks import Timeline, Timer
from cfmock.engine.commands import Datum, Failure, Part
from cfmock.engine.data_flow import Context, Identity
from cfmock.engine.events import EventSink
from cfmock.engine.map_runs import MapRun
from cfmock.engine.model import Flow
from cfmock.engine.task_calls import TaskResolver

if TYPE_CHECKING:
    from cfmock.engine.pending_task import PendingTask
    from cfmock.engine.scheduler import Runner

Json = Any


class RunStatus(enum.Enum):
    """The API's names."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    STOPPED = "Stopped"


class Run:
    """One execution. Once it has ended: `output` if it succeeded, else `error` and `cause`.

    `timeline` is the time it lives in, shared with the children it waits for; `waiting` are the tasks that can be
    reported, by token; `map_runs` those it has begun; `spent` counts what task mocks have answered in it; `last` is its
    last event.
    """

    __slots__ = (
        "cause", "context", "error", "flow", "guard", "last", "map_runs", "on_end", "output", "resolver", "root",
        "runner", "sink", "spent", "started", "status", "stopped", "timeline", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        runner: Runner,
        flow: Flow,
        context: Context,
        timeline: Timeline,
        resolver: TaskResolver,
        sink: EventSink,
    ) -> None:
        self.runner = runner
        self.flow = flow
        self.context = context
        self.timeline = timeline
        self.resolver = resolver
        self.sink = sink
        self.status = RunStatus.RUNNING
        self.output: Datum | None = None
        self.error = ""
        self.cause = ""
        self.started = timeline.now()
        self.stopped: float | None = None
        self.on_end: list[Callable[[Run], object]] = []
        self.waiting: dict[str, PendingTask] = {}
        self.map_runs: dict[str, MapRun] = {}
        self.spent: dict[object, int] = {}
        self.last = 0
        self.root: Fiber | None = None
        self.guard: Timer | None = None

    @property
    def identity(self) -> Identity:
        return self.context.identity

    @property
    def ended(self) -> bool:
        return self.status is not RunStatus.RUNNING

    def failure(self) -> Failure:
        """Its end as an error of whoever waited for it."""
        return Failure(self.error, self.cause)

    def stop(self, error: str = "", cause: str = "") -> None:
        """End it as StopExecution does; nothing happens if it has ended."""
        self.runner.stop(self, error, cause)

    def report(self, token: str, outcome: Json | Failure) -> bool:
        """End a waiting task with a value as its output, or with a failure. False if no task waits with that token."""
        task = self.waiting.get(token)
        if task is not None:
            task.report(outcome)
        return task is not None


class Fiber:
    """A part of an execution that runs by itself: the whole, a branch, an iteration.

    `waiting` is what it waits for, so that it can be called off.
    """

    __slots__ = ("group", "index", "part", "run", "waiting")

    def __init__(self, run: Run, part: Part, group: Group | None = None, index: int = 0) -> None:
        self.run = run
        self.part: Part | None = part  # None once it is over
        self.group = group
        self.index = index
        self.waiting: Timer | PendingTask | Group | MapRun | None = None


class Group:
    """The parts of a fork: those that run, those still to come, and what has come of them."""

    __slots__ = ("begun", "fiber", "parts", "results", "running")

    def __init__(self, fiber: Fiber, parts: Sequence[Callable[[], Part]]) -> None:
        self.fiber = fiber
        self.parts = parts
        self.results: list[Any] = [None] * len(parts)
        self.running: dict[int, Fiber] = {}
        self.begun = 0

    def begin(self) -> Fiber | None:
        """The next part, about to run; None if all have begun."""
        index = self.begun
        if index == len(self.parts):
            return None
        self.begun += 1
        self.running[index] = fiber = Fiber(self.fiber.run, self.parts[index](), self, index)
        return fiber

    def end(self, fiber: Fiber, result: Any) -> bool:
        """A part is over; whether all are."""
        self.results[fiber.index] = result
        del self.running[fiber.index]
        return not self.running and self.begun == len(self.parts)
