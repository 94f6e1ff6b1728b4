"""Running executions, the fibers they are made of, and the interfaces that they need.

With pending tasks and map runs these are the mutable things of the engine. A `Scheduler` moves them; others look at
them, and stop and report through them. A `TaskResolver` answers their tasks.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from inspect import GEN_CREATED, getgeneratorstate
from typing import Protocol

from msgspec import Struct

from cfmock.base.clocks import HeldClock, Slice
from cfmock.base.json_text import Json
from cfmock.base.timers import Timeline, Timer, Timers
from cfmock.engine.commands import CommandOutcome, Datum, Emit, Failure, Part
from cfmock.engine.data_flow import Context
from cfmock.engine.events import EventSink, HistoryChild
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.jobs import Job
from cfmock.engine.map_runs import MapRun
from cfmock.engine.recording import DRAW, PAUSE, Entry, ReplayError
from cfmock.engine.task_calls import AnswersLater, Fails, Returns, TaskCall, Waits


class Scheduler(Protocol):
    """The scheduler as executions and their tasks see it."""

    timers: Timers
    on_waiting: Callable[[FlowExecution], object]

    @property
    def job(self) -> Job:
        """The job at work: whatever becomes ready belongs to it."""

    def at_work(self, job: Job) -> AbstractContextManager[None]:
        """Make all that becomes ready in this block part of this job."""

    def held(self) -> AbstractContextManager[None]:
        """Let what becomes ready in this block go on only at its end."""

    def resume(self, fiber: Fiber, outcome: CommandOutcome) -> None:
        """Let a fiber go on with an outcome, a `Failure` included, when its turn comes."""

    def resume_at(self, due: float, fiber: Fiber, outcome: CommandOutcome, job: Job | None = None) -> Timer:
        """Let a fiber go on at a moment, in steady seconds of its timeline."""

    def resume_now(self, fiber: Fiber, outcome: CommandOutcome, job: Job | None = None) -> None:
        """Let a fiber go on whose time has come. `job` is what it belongs to, if not to who has moved the clock."""

    def take_turn_again(self, execution: FlowExecution, label: str, allowed: int, slice_: Slice) -> None:
        """Let the fiber of this label go on as it did when its turn was recorded. Raises ReplayError if it is not ready."""

    def run_ready(self) -> None:
        """Let everything that can go on do so, in turn."""

    def stop(self, execution: FlowExecution, error: str, cause: str) -> None:
        """End an execution from outside, and with it the children it waits for."""

    def start_map_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        """Start a child of a map run that nobody keeps a row of."""


class CalledTask(Protocol):
    """One try of a task, as those see it who answer and report it. `since` is when it was called, in the time of its execution;
    `over`: it has ended; `handed_out`: a function was given its token, and may report it at any time."""

    call: TaskCall
    since: float
    handed_out: bool

    @property
    def over(self) -> bool: ...

    @property
    def execution(self) -> FlowExecution: ...

    @property
    def token(self) -> str: ...

    def report(self, outcome: Json | Failure) -> None:
        """End it with a value as its output, or with a failure."""

    def answer(self, answer: Answer | Failure) -> None:
        """Give the answer promised by `AnswersLater`; comes to nothing if the task is over by now."""


class Nested(Struct, frozen=True):
    """Another execution was started, or is `joined`, as it was going on already; and what StartExecution answered. The callback
    modes wait for its end."""

    execution: StartedExecution | None
    answer: Json
    joined: bool = False


Answer = Returns | Fails | Waits | AnswersLater | Nested
"""The answers of a `TaskResolver`."""


class Children(Protocol):
    """Finds what an execution that is run again had started, each by its serial number."""

    def child(self, serial: int, waits: FlowExecution | None) -> StartedExecution:
        """The execution, or what stands for it until it is there; `waits` is the one that waits for it, if one does."""

    def again(self, task: CalledTask, serial: int, joined: bool) -> Waits:
        """The answer for a task that waits for a canned child, which had begun already if it is `joined`."""

    def spent(self, execution: FlowExecution, mock: Json) -> None:
        """Count a use of a mock, which is given by its reference."""

    def nested(self, execution: FlowExecution, child: HistoryChild) -> None:
        """Note that an execution has started another, or joined it."""


class ExecutionRecording:
    """Writes entries of one execution (`engine.recording`), or, while it is `replaying`, reads them.

    `children` finds what it had started; who replays sets it. `later` are calls out of the core that had not been answered
    when the process died, `endings` the timers of failures that let go first what is due, by label.
    """

    children: Children

    def __init__(self, write: Callable[[Entry], object]) -> None:
        self.write = write
        self.replaying = False
        self.entries: deque[Entry] = deque()
        self.step: Callable[[], object] = deque  # does what the next entry says
        self.later: dict[CalledTask, None] = {}
        self.endings: dict[str, Timer] = {}

    def keep(self, kind: str, *facts: Json) -> None:
        """Write what running it again would not show."""
        if not self.replaying:
            self.write([kind, *facts])

    def draw(self, make: Callable[[], Json]) -> Json:
        """A value that running again would not give."""
        if self.replaying:
            return self.next(DRAW)[1]
        value = make()
        self.write([DRAW, value])
        return value

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


class TaskResolver(Protocol):
    """Answers the tasks of an execution, and starts the children of its map runs."""

    def resolve(self, task: CalledTask, /) -> Answer:
        """Answer a try of a task. A raised `Failure` fails it, in the callback modes before it was submitted."""

    def start_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        """Start a child of a map run by its index. Who keeps rows of executions overrides this: here nobody does."""
        return parent.scheduler.start_map_child(parent, map_run, index)


class Awaited(Protocol):
    """Work that a fiber waits for, which has fibers of its own: a fork, a map run, a task."""

    def cancel(self) -> None:
        """Call it off, and what runs of it."""

    def fibers(self) -> Iterable[object]:
        """Return its fibers that run; None stands for one that is over."""


class ExecutionStatus(enum.Enum):
    """The API's names."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    STOPPED = "Stopped"


class StartedExecution:
    """An execution as those see it who wait for its end: then it has an `output` if it succeeded, else `error` and `cause`.
    `timeline` is the time it lives in, shared with the children it waits for."""

    __slots__ = ("cause", "error", "on_end", "output", "status", "timeline")

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.status = ExecutionStatus.RUNNING
        self.output: Datum | None = None
        self.error = ""
        self.cause = ""
        self.on_end: list[Callable[[FlowExecution], object]] = []

    @property
    def root(self) -> Fiber | None:
        """The fiber of the whole, while it runs."""
        return None

    @property
    def ended(self) -> bool:
        return self.status is not ExecutionStatus.RUNNING

    def failure(self) -> Failure:
        """Its end as an error of whoever waited for it."""
        return Failure(self.error or self.status.value, self.cause)

    def kept_end(self) -> Entry:
        """Its end as values, for recordings: status, output as JSON text (None without one), error, cause."""
        return [self.status.value, None if self.output is None else self.output.text, self.error, self.cause]

    def stop(self, error: str = "", cause: str = "") -> None:
        """End it as StopExecution does; nothing happens if it has ended."""
        raise NotImplementedError


class FlowExecution(StartedExecution):
    """One execution that runs its definition.

    `waiting` are the tasks that can be reported, by token; `map_runs` those it has begun; `spent` counts what task mocks have
    answered in it; `latest` is the time of its last event. Of limits that are reached at one moment the one of the lowest `rank`
    comes first: this is that of its own duration, the next whole number that of its tasks; executions that it starts have
    higher ones. Where state is kept, `recording` is what running it again takes.
    """

    __slots__ = (
        "context", "flow", "guard", "latest", "map_runs", "rank", "recording", "resolver", "root", "scheduler", "sink", "spent",
        "started", "stopped", "waiting",
    )  # fmt: skip

    def __init__(
        self,
        scheduler: Scheduler,
        flow: Flow,
        context: Context,
        timeline: Timeline,
        resolver: TaskResolver,
        sink: EventSink,
        rank: int,
        recording: ExecutionRecording | None = None,
    ) -> None:
        super().__init__(timeline)
        self.scheduler = scheduler
        self.recording = recording
        self.rank = rank
        self.flow = flow
        self.context = context
        self.resolver = resolver
        self.sink = sink
        self.started = self.latest = timeline.now()
        self.stopped: float | None = None
        self.waiting: dict[str, CalledTask] = {}
        self.map_runs: dict[str, MapRun] = {}
        self.spent: dict[object, int] = {}
        self.root: Fiber | None = None
        self.guard: Timer | None = None

    @property
    def identity(self) -> Identity:
        return self.context.identity

    def now(self) -> float:
        """The time, as its events tell it: a machine's clock may be set back, a history goes on."""
        moment = self.latest = max(self.latest, self.timeline.now())
        return moment

    def hand_over(self) -> None:
        """Let the sink have the events that it has still to get."""
        rows, self.context.rows = self.context.rows, []
        if rows:
            self.sink(rows)

    def record(self, kind: str, label: str, *facts: Json) -> None:
        """Take down, where state is kept, what came from outside for the fiber of this label, or that it has its turn."""
        if self.recording is not None and not self.recording.replaying:
            clock = self.scheduler.timers.clock
            if isinstance(clock, HeldClock):
                clock.hold()
            self.recording.write([kind, clock.now(), self.timeline.skipped, label, *facts])

    def stop(self, error: str = "", cause: str = "") -> None:
        self.scheduler.stop(self, error, cause)

    def report(self, token: str, outcome: Json | Failure) -> bool:
        """End a waiting task with a value as its output, or with a failure. False if no task waits with that token."""
        task = self.waiting.get(token)
        if task is not None:
            task.report(outcome)
        return task is not None


class Fiber:
    """A part of an execution that runs by itself: the whole, a branch, an iteration. `waiting` is what it waits for, so that it
    can be called off; `untold` are events for which its turn was too short."""

    __slots__ = ("execution", "group", "index", "part", "untold", "waiting")

    def __init__(self, execution: FlowExecution, part: Part | None, group: Group | None = None, index: int = 0) -> None:
        self.execution = execution
        self.part = part  # None once it is over
        self.group = group
        self.index = index
        self.waiting: Timer | Awaited | None = None
        self.untold: Emit | None = None

    @property
    def path(self) -> str:
        """Its place in the execution: the indices of the branches and iterations that lead to it."""
        indices, fiber = [], self
        while fiber.group is not None:
            indices.append(str(fiber.index))
            fiber = fiber.group.fiber
        return "/".join(reversed(indices))

    def begun(self) -> bool:
        """Return whether it has begun, and with it every fiber that it waits for, at any depth."""
        fibers: list[object] = [self]
        for fiber in fibers:
            if not isinstance(fiber, Fiber) or fiber.part is None:
                continue
            if getgeneratorstate(fiber.part) == GEN_CREATED:
                return False
            if fiber.waiting is not None and not isinstance(fiber.waiting, Timer):
                fibers += fiber.waiting.fibers()
        return True

    def cancel(self) -> None:
        """Call it off, and what it waits for."""
        part, self.part = self.part, None
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.cancel()
        if part is not None:
            part.close()


class Group:
    """The parts of a fork: those that run, those still to come, and what has come of them. After one has `failed` no more
    begin."""

    __slots__ = ("begun", "failed", "fiber", "parts", "results", "running")

    def __init__(self, fiber: Fiber, parts: Sequence[Callable[[], Part]]) -> None:
        self.fiber = fiber
        self.parts = parts
        self.results: list[CommandOutcome] = [None] * len(parts)
        self.running: dict[int, Fiber] = {}
        self.begun = 0
        self.failed = False

    def begin(self) -> Fiber | None:
        """Make the fiber of the next part; None if no more are to begin."""
        index = self.begun
        if self.failed or index == len(self.parts):
            return None
        self.begun += 1
        self.running[index] = fiber = Fiber(self.fiber.execution, self.parts[index](), self, index)
        return fiber

    def end(self, fiber: Fiber, result: CommandOutcome) -> bool:
        """Take the result of a part. Returns whether all parts have ended well."""
        self.results[fiber.index] = result
        del self.running[fiber.index]
        return not self.running and self.begun == len(self.parts)

    def fibers(self) -> Iterable[Fiber]:
        return self.running.values()

    def cancel(self) -> None:
        """Call off the parts that run."""
        running, self.running = self.running, {}
        for fiber in running.values():
            fiber.cancel()
