"""A task from its call to its end, on the flow clock.

A fiber waits twice: for the call to be answered (`CallTask`) and, in the callback modes, for the end (`AwaitTask`).
What can end a task: the answer of a mock, now or later; a report with its token; somebody outside; the end of a nested
execution; its time-out; and whoever calls it off.

What only a mock decides is certain, so its end is a *progress* timer, even if that end is the time-out. While anybody
may still report the task (`open`) its time-out is a *guard* that no waiting client jumps to. Either way a time-out comes
before all else that is due at its moment, an answer included, unless that is the time-out of something around the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfmock.base.json_text import Json
from cfmock.base.timers import RANK, Timeline, Timer, TimerKind
from cfmock.engine.commands import EXECUTION_TIMEOUT, SUBMITTED, Failure, TaskTimedOut
from cfmock.engine.execution import Answer, ExecutionStatus, Fiber, FlowExecution, Nested
from cfmock.engine.model import Mode
from cfmock.engine.recorded_answers import kept_answer, kept_end, kept_outcome, path_of, resolve
from cfmock.engine.recording import DUE, ENDED, LATE, REPORT
from cfmock.engine.task_calls import AnswersLater, Fails, Returns, TaskCall, Waits

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCKED: Any = object()
"""There is no outcome yet."""

CALLED_OFF = "FnF.ParentStopped"
"""How a nested execution ends when the one that waits for it no longer does; our name."""


class PendingTask:
    """One try of a task that was called. `since`: when, in the time of its execution."""

    __slots__ = (
        "_answered", "_asked", "_begun", "_call_off", "_early", "_followed",
        "_guard", "_job", "_joined", "_listed", "_open", "_outcome",
        "_timer", "_wanted",
        "call", "child", "fiber", "handed_out", "over", "since",
    )  # fmt: skip

    def __init__(self, fiber: Fiber, call: TaskCall) -> None:
        execution = fiber.execution
        self.fiber = fiber
        self.call = call
        self.since = execution.now()
        self._begun = execution.timeline.steady()
        self._job = execution.scheduler.job
        self.over = False
        self.handed_out = False
        self.child: FlowExecution | None = None  # the nested execution it started, whose end is the task's
        self._outcome: Any = BLOCKED
        self._answered = False  # the call was answered; only the end is missing
        self._asked = False  # somebody outside has promised an answer
        self._early: Answer | Failure | None = None
        self._call_off: Callable[[str, str], object] | None = None  # told if the end comes from elsewhere
        self._open = False  # anybody may report it, and nothing else is going to end it
        self._followed: FlowExecution | None = None  # the execution whose end is the task's
        self._joined: Timeline | None = None  # that of the execution whose end is the task's, if it is another
        self._listed = False  # its token is known
        self._wanted: Callable[[], Any] | None = None  # what the fiber waits for
        self._timer: Timer | None = None
        self._guard: Timer | None = None

    @property
    def execution(self) -> FlowExecution:
        return self.fiber.execution

    @property
    def token(self) -> str:
        return self.call.token

    # -- for the runner

    def begin(self) -> Any:
        """Ask for an answer. The outcome of `CallTask`, if there is one already."""
        if self.call.mode is Mode.CUSTOM_CALLBACK:
            self._list()
        try:
            recording = self.execution.recording
            answer = self.execution.resolver.resolve(self) if recording is None else resolve(self, recording)
            if not self.over:  # a function may have reported it before it answered
                self._take(answer, late=False)
        except Failure as failure:
            self._end(failure)
        return self._want(self._call_outcome)

    def wait(self) -> Any:
        """The outcome of `AwaitTask`, if there is one already."""
        return self._want(self._end_outcome)

    def fibers(self) -> list[Fiber | None]:
        return [] if self.child is None else [self.child.root]

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self._wanted = None
        self._end(BLOCKED)

    # -- for others

    def report(self, outcome: Json | Failure) -> None:
        """Somebody reports how it ended: a value, or a failure."""
        self._record(REPORT, lambda: kept_outcome(outcome))
        self._answered = True
        self._end(outcome)
        self.execution.scheduler.go_on()

    def answer(self, answer: Answer | Failure) -> None:
        """The answer promised by `AnswersLater`; comes to nothing if the task is over by now."""
        if self.over:
            return
        if not self._asked:
            self._early = answer
            return
        self._record(LATE, lambda: kept_answer(answer))
        self._asked = False
        self.execution.timeline.busy -= 1
        with self.execution.scheduler.at_work(self._job):
            try:
                if isinstance(answer, Failure):
                    raise answer
                self._take(answer, late=True)
            except Failure as failure:
                self._end(failure)
            self._tell()
        self.execution.scheduler.go_on()

    # -- for whoever runs its execution again

    @property
    def child_followed(self) -> FlowExecution | None:
        """The execution whose end is the task's."""
        return self._followed

    def timer(self, *, guard: bool) -> Timer | None:
        """That of its end, or that of its time-out while something else may end it."""
        return self._guard if guard else self._timer

    # -- inside

    def _record(self, kind: str, fact: Callable[[], Json]) -> None:
        recording = self.execution.recording
        if recording is not None:
            recording.told(kind, self.execution, path_of(self.fiber), fact())

    def _want(self, outcome: Callable[[], Any]) -> Any:
        found = outcome()
        self._wanted = outcome if found is BLOCKED else None
        return found

    def _tell(self) -> None:
        """Let the fiber go on if what it waits for is there."""
        if self._wanted is not None and (found := self._wanted()) is not BLOCKED:
            self._wanted = None
            self.execution.scheduler.resume(self.fiber, found)

    def _call_outcome(self) -> Any:
        if self._answered and self.call.mode is not Mode.REQUEST_COMPLETE:
            return SUBMITTED
        return self._outcome

    def _end_outcome(self) -> Any:
        return self._outcome

    def _take(self, answer: Answer, *, late: bool) -> None:
        mode = self.call.mode
        if isinstance(answer, AnswersLater):
            self._ask(answer)
        elif late and mode is Mode.CUSTOM_CALLBACK:
            # A function was called and has answered; that is not yet the report.
            if isinstance(answer, Fails):
                raise Failure(answer.code, answer.detail)
            self._answered = True
            self._open_up()
        elif isinstance(answer, Returns):
            self._answered = True
            self._later(answer.value, answer.after)
        elif isinstance(answer, Fails):
            self._answered = True
            self._later(Failure(answer.code, answer.detail), answer.after)
        elif isinstance(answer, Nested) and mode is Mode.REQUEST_COMPLETE:
            self._end(answer.answer)
        else:
            self._answered = True
            if isinstance(answer, Nested) and answer.execution is not None and mode is Mode.SYSTEM_CALLBACK:
                self._follow(answer.execution, joined=answer.joined)
            else:
                self._call_off = answer.call_off if isinstance(answer, Waits) else None
                self._open_up()

    def _ask(self, answer: AnswersLater) -> None:
        self._answered = self.call.mode is Mode.SYSTEM_CALLBACK
        self._asked = True
        self.execution.timeline.busy += 1
        self._guarded()
        if self._early is not None:
            self.answer(self._early)

    def _later(self, outcome: Json | Failure, seconds: float) -> None:
        """End with this after so many seconds, or by the time-out if that comes before."""
        if seconds <= 0:
            self._end(outcome)
            return
        longest = self.call.timeout
        if longest is not None and longest <= seconds:
            self._timer = self._in(longest, TimerKind.PROGRESS, TaskTimedOut(longest))
        else:
            self._timer = self._in(seconds, TimerKind.PROGRESS, outcome)

    def _open_up(self) -> None:
        self._list()
        self._open = True
        self.execution.timeline.open += 1
        self._guarded()

    def _list(self) -> None:
        self._listed = True
        self.execution.waiting[self.token] = self
        self.execution.scheduler.on_waiting(self.execution)

    def _follow(self, child: FlowExecution, *, joined: bool) -> None:
        self._followed = child
        if not joined:
            self.child = child
        self._guarded()
        if child.ended:
            self.child_ended(child)
            return
        child.on_end.append(self.child_ended)
        if child.timeline is not self.execution.timeline:
            self._joined = child.timeline
            self.execution.timeline.join(child.timeline)

    def child_ended(self, child: FlowExecution) -> None:
        """The execution that it follows has ended."""
        if self.over:
            return
        self._record(ENDED, lambda: [*kept_end(child), child.timeline.skipped])
        self.execution.timeline.catch_up(child.timeline)
        if child.output is not None:
            self._end(child.output.value)
        elif child.status is ExecutionStatus.TIMED_OUT:
            self._end(Failure(EXECUTION_TIMEOUT, child.cause))
        else:
            self._end(child.failure())
        self.execution.scheduler.go_on()

    def _guarded(self) -> None:
        seconds = self.call.timeout
        if seconds is not None and self._guard is None:
            self._guard = self._in(seconds, TimerKind.GUARD, TaskTimedOut(seconds))

    def _in(self, seconds: float, kind: TimerKind, outcome: Json | Failure) -> Timer:
        execution = self.execution
        rank = execution.rank + 1 if isinstance(outcome, TaskTimedOut) else RANK

        def due() -> None:
            self._record(DUE, lambda: kind is TimerKind.GUARD)
            self._end(outcome)
            execution.scheduler.go_on()

        return execution.scheduler.timers.add(self._begun + seconds, kind, due, execution.timeline, rank)

    def _end(self, outcome: Json | Failure) -> None:
        if self.over:
            return
        self.over, self._outcome = True, outcome
        execution = self.execution
        for timer in (self._timer, self._guard):
            if timer is not None:
                timer.cancel()
        if self._asked:
            self._asked = False
            execution.timeline.busy -= 1
        if self._open:
            self._open = False
            execution.timeline.open -= 1
        if self._joined is not None:
            execution.timeline.part(self._joined)
            self._joined = None
        if self._listed:
            del execution.waiting[self.token]
            execution.scheduler.on_waiting(execution)
        if self.child is not None and not self.child.ended:
            self._call_off = self.child.stop
        if self._call_off is not None:
            self._call_off(CALLED_OFF, f"'{self.call.state}' of {execution.identity.execution} no longer waits")
        self._tell()
