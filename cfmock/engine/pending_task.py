"""A task from its call to its end, on the flow clock: a table of states.

A fiber waits twice: for the call to be answered (`CallTask`) and, in the callback modes, for the end (`AwaitTask`).

             ┌─► ASKED ──────┐
    CALLED ──┼─► SUBMITTED ──┼─► SETTLED ───┐
             └───────────────┼─► OPEN ──────┼─► OVER
                             └─► FOLLOWING ─┘

OVER can come after every state: by an answer that takes no time, a report with the token, the end of a nested execution, and
whoever calls the task off; or as a failure, if the call is refused or its time is over. A call that fails before it was
answered is REFUSED.

What only a mock decides is certain, so its end is a *progress* timer, even if that end is the time-out. While anybody
may still report the task its time-out is a *guard* that no waiting client jumps to. Either way a time-out comes before all
else that is due at its moment, an answer included, unless that is the time-out of something around the task.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from cfmock.base.json_text import Json
from cfmock.base.timers import RANK, Timer, TimerKind
from cfmock.engine.commands import BLOCKED, EXECUTION_TIMEOUT, SUBMITTED, CommandOutcome, Failure, TaskTimedOut
from cfmock.engine.execution import Answer, ExecutionStatus, Fiber, StartedExecution
from cfmock.engine.model import Mode
from cfmock.engine.recorded_answers import kept_answer, kept_outcome, resolve_recorded
from cfmock.engine.recording import DUE, ENDED, LATE, REPORT
from cfmock.engine.task_calls import AnswersLater, Fails, Returns, TaskCall, Waits

CALLED_OFF = "FnF.ParentStopped"
"""How a nested execution ends when the one that waits for it no longer does; our name."""


class TaskState(enum.Enum):
    """States of a task."""

    __hash__ = object.__hash__  # there is one of each; enum's own hashes their names

    CALLED = "called"  # nobody has answered yet
    ASKED = "asked"  # somebody outside has promised an answer to the call
    SUBMITTED = "submitted"  # the call was answered, and somebody outside has promised the end
    SETTLED = "settled"  # its end is known, and comes at its time
    OPEN = "open"  # anybody may report it, and nothing else is going to end it
    FOLLOWING = "following"  # it ends as another execution does
    REFUSED = "refused"  # the call itself has failed
    OVER = "over"


_ENDS = frozenset((TaskState.OVER,))
_ANSWERED = _ENDS | {TaskState.SETTLED, TaskState.OPEN, TaskState.FOLLOWING}
_UNANSWERED = _ANSWERED | {TaskState.REFUSED}

NEXT: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.CALLED: _UNANSWERED | {TaskState.ASKED, TaskState.SUBMITTED},
    TaskState.ASKED: _UNANSWERED,
    TaskState.SUBMITTED: _ANSWERED,
    TaskState.SETTLED: _ENDS,
    TaskState.OPEN: _ENDS,
    TaskState.FOLLOWING: _ENDS,
    TaskState.REFUSED: frozenset(),
    TaskState.OVER: frozenset(),
}
"""The states that can come after each."""

_PROMISED = frozenset((TaskState.ASKED, TaskState.SUBMITTED))
_NOT_SUBMITTED = frozenset((TaskState.CALLED, TaskState.ASKED, TaskState.REFUSED))


class PendingTask:
    """One try of a task that was called. `since`: when, in the time of its execution; `followed`: the execution whose end is
    its own, and `child` the same if it has started it; `handed_out`: a function was given its token. `timer` is that of its end,
    `guard` that of its time-out while something else may end it."""

    __slots__ = (
        "_begun", "_call_off", "_early", "_job", "_outcome", "_submitted", "_wanted", "call", "child", "execution", "fiber",
        "followed", "guard", "handed_out", "since", "state", "timer",
    )  # fmt: skip

    def __init__(self, fiber: Fiber, call: TaskCall) -> None:
        execution = fiber.execution
        self.fiber = fiber
        self.execution = execution
        self.call = call
        self.state = TaskState.CALLED
        self.since = execution.now()
        self.handed_out = False
        self.child: StartedExecution | None = None
        self.followed: StartedExecution | None = None
        self.timer: Timer | None = None
        self.guard: Timer | None = None
        self._begun = execution.timeline.steady()
        self._job = execution.scheduler.job
        self._outcome: CommandOutcome = BLOCKED
        self._early: Answer | Failure | None = None  # a promised answer that came before the promise
        self._call_off: Callable[[str, str], object] | None = None  # told if the end comes from elsewhere
        self._submitted = False  # as the fiber knows
        self._wanted = False  # the fiber waits

    @property
    def over(self) -> bool:
        """Return whether it has ended."""
        return not NEXT[self.state]

    @property
    def token(self) -> str:
        return self.call.token

    # -- for the scheduler

    def begin(self) -> CommandOutcome:
        """Ask for an answer. The outcome of `CallTask`, if there is one already."""
        if self.call.mode is Mode.CUSTOM_CALLBACK:
            self._show_token()
        try:
            execution, recording = self.execution, self.execution.recording
            answer = execution.resolver.resolve(self) if recording is None else resolve_recorded(self, recording)
            if not self.over:  # a function may have reported it before it answered
                self._take(answer)
        except Failure as failure:
            self._fail(failure)
        return self._want()

    def wait(self) -> CommandOutcome:
        """The outcome of `AwaitTask`, if there is one already."""
        self._submitted = True
        return self._want()

    def fibers(self) -> list[Fiber | None]:
        """Return the fiber of the nested execution, if there is one."""
        return [] if self.child is None else [self.child.root]

    def cancel(self) -> None:
        """Call it off: nobody waits for it any more."""
        self._wanted = False
        self._end(BLOCKED)

    # -- for others

    def report(self, outcome: Json | Failure) -> None:
        """End it as somebody reports: with a value, or a failure."""
        self.execution.record(REPORT, self.fiber.path, kept_outcome(outcome))
        self._end(outcome)
        self.execution.scheduler.run_ready()

    def answer(self, answer: Answer | Failure) -> None:
        """Take the answer promised by `AnswersLater`; comes to nothing if the task is over by now."""
        if self.over:
            return
        if self.state not in _PROMISED:
            self._early = answer
            return
        self.execution.record(LATE, self.fiber.path, kept_answer(answer))
        reported = self.call.mode is Mode.CUSTOM_CALLBACK
        with self.execution.scheduler.at_work(self._job):
            if isinstance(answer, Failure):
                self._fail(answer)
            elif reported and isinstance(answer, Fails):
                self._fail(Failure(answer.code, answer.detail))
            elif reported:  # a function was called and has answered; its report is still to come
                self._open()
            else:
                self._take(answer)
            self._resume_fiber()
        self.execution.scheduler.run_ready()

    # -- what the fiber waits for

    def _want(self) -> CommandOutcome:
        """Return what the fiber is to be sent next: SUBMITTED, then the end of the task; BLOCKED if that is still to come."""
        untold = not self._submitted and self.call.mode is not Mode.REQUEST_COMPLETE
        found = SUBMITTED if untold and self.state not in _NOT_SUBMITTED else self._outcome
        self._wanted = found is BLOCKED
        return found

    def _resume_fiber(self) -> None:
        """Let the fiber go on if what it waits for is there."""
        if self._wanted and (found := self._want()) is not BLOCKED:
            self.execution.scheduler.resume(self.fiber, found)

    # -- answers

    def _take(self, answer: Answer) -> None:
        """Move to the state that an answer to the call leads to."""
        mode = self.call.mode
        if isinstance(answer, Returns):
            self._end_in(answer.after, answer.value)
        elif isinstance(answer, Fails):
            self._end_in(answer.after, Failure(answer.code, answer.detail))
        elif isinstance(answer, AnswersLater):
            self._move(TaskState.SUBMITTED if mode is Mode.SYSTEM_CALLBACK else TaskState.ASKED)
            self._set_time_out()
            if self._early is not None:
                self.answer(self._early)
        elif isinstance(answer, Waits):
            self._call_off = answer.call_off
            self._open()
        elif mode is Mode.REQUEST_COMPLETE:
            self._end(answer.answer)
        elif answer.execution is not None and mode is Mode.SYSTEM_CALLBACK:
            self._follow(answer.execution, joined=answer.joined)
        else:
            self._open()

    def _end_in(self, seconds: float, outcome: Json | Failure) -> None:
        """End with an outcome after `seconds`, or by the time-out if that comes before."""
        if seconds <= 0:
            self._end(outcome)
            return
        self._move(TaskState.SETTLED)
        longest = self.call.timeout
        if longest is not None and longest <= seconds:
            seconds, outcome = longest, TaskTimedOut(longest)
        self.timer = self._end_at(seconds, TimerKind.PROGRESS, outcome)

    def _open(self) -> None:
        self._move(TaskState.OPEN)
        self._show_token()
        self._set_time_out()

    def _show_token(self) -> None:
        self.execution.waiting[self.token] = self
        self.execution.scheduler.on_waiting(self.execution)

    def _follow(self, child: StartedExecution, *, joined: bool) -> None:
        self.followed = child
        if not joined:
            self.child = child
        if child.ended:
            self.child_ended(child)
            return
        self._move(TaskState.FOLLOWING)
        self._set_time_out()
        child.on_end.append(self.child_ended)

    def child_ended(self, child: StartedExecution) -> None:
        """End as the execution that it follows has ended."""
        if self.over:
            return
        self.execution.record(ENDED, self.fiber.path, [*child.kept_end(), child.timeline.skipped])
        self.execution.timeline.catch_up(child.timeline.skipped)
        if child.output is not None:
            self._end(child.output.value)
        elif child.status is ExecutionStatus.TIMED_OUT:
            self._end(Failure(EXECUTION_TIMEOUT, child.cause))
        else:
            self._end(child.failure())
        self.execution.scheduler.run_ready()

    # -- time

    def _set_time_out(self) -> None:
        seconds = self.call.timeout
        if seconds is not None and self.guard is None:
            self.guard = self._end_at(seconds, TimerKind.GUARD, TaskTimedOut(seconds))

    def _end_at(self, seconds: float, kind: TimerKind, outcome: Json | Failure) -> Timer:
        execution = self.execution
        rank = execution.rank + 1 if isinstance(outcome, TaskTimedOut) else RANK

        def due() -> None:
            guarded = kind is TimerKind.GUARD
            execution.record(DUE, self.fiber.path, guarded)
            (self._fail if guarded else self._end)(outcome)
            execution.scheduler.run_ready()

        return execution.scheduler.timers.add(self._begun + seconds, kind, due, execution.timeline, rank)

    # -- states

    def _move(self, after: TaskState) -> None:
        """Leave a state for the next one, with what each of them means to the timeline of the execution."""
        before, self.state = self.state, after
        assert after in NEXT[before]
        timeline = self.execution.timeline
        timeline.busy += (after in _PROMISED) - (before in _PROMISED)
        timeline.open += (after is TaskState.OPEN) - (before is TaskState.OPEN)
        if self.followed is not None and self.followed.timeline is not timeline:
            if after is TaskState.FOLLOWING:
                timeline.join(self.followed.timeline)
            elif before is TaskState.FOLLOWING:
                timeline.part(self.followed.timeline)

    def _fail(self, failure: Json | Failure) -> None:
        self._end(failure, TaskState.OVER if self.state not in _NOT_SUBMITTED else TaskState.REFUSED)

    def _end(self, outcome: Json | Failure, after: TaskState = TaskState.OVER) -> None:
        before = self.state
        if self.over:
            return
        self._outcome = outcome
        if before is TaskState.CALLED and self.call.mode is not Mode.CUSTOM_CALLBACK:
            self.state = after  # nothing stands yet that would have to go
            return
        self._move(after)
        for timer in (self.timer, self.guard):
            if timer is not None:
                timer.cancel()
        execution = self.execution
        if before is TaskState.OPEN or self.call.mode is Mode.CUSTOM_CALLBACK:
            del execution.waiting[self.token]
            execution.scheduler.on_waiting(execution)
        if self.child is not None and not self.child.ended:
            self._call_off = self.child.stop
        if self._call_off is not None:
            self._call_off(CALLED_OFF, f"'{self.call.state}' of {execution.identity.execution} no longer waits")
        self._resume_fiber()
