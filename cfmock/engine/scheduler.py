"""Drives executions: sends their generators what they wait for, on the flow clock.

Everything that can go on stands in one queue, served in order, so that no execution starves another, a nested flow
costs no stack, and the same calls always give the same history. A slice of time is served at once; what is left goes on
where it was in the next tick, ahead of all timers, so that an endless loop does not starve the server either, and that
it makes no difference where a slice ends.

A failure of a branch, an iteration or a child stands in that queue, too, until the others have begun and what is due at
this moment is done; only then it ends them. So it does not depend on their order which of them are called.

Whoever moves the clock must run what is due now (`Timers.run_due`), on a virtual clock, too: the rest of a slice is due
now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from msgspec.structs import replace

from cfmock.base.clocks import HeldClock, Slice, VirtualClock
from cfmock.base.json_text import Json, json_text
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timeline, Timer, TimerKind, Timers
from cfmock.engine import events
from cfmock.engine.commands import BLOCKED, EVENT_LIMIT, EXECUTION_TIMEOUT, CommandOutcome, Datum, Emit, Failure, Part
from cfmock.engine.data_flow import Context
from cfmock.engine.events import MAX_EVENTS, EventShapes, EventSink, Rows
from cfmock.engine.execution import ExecutionRecording, ExecutionStatus, Fiber, FlowExecution, TaskResolver
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.interpreter import Interpreter
from cfmock.engine.jobs import Job
from cfmock.engine.map_runs import MapRun
from cfmock.engine.ready_queue import TURN, Attendance, ReadyQueue
from cfmock.engine.recording import PAUSE, TURNED, WAITED, RecordedIds, ReplayError
from cfmock.engine.serving import SERVED, Ending, begin_part, end_awaited, label_of

YEAR = 31_536_000.0
EXPRESS_LIMIT = 300.0
"""How long a standard and an express execution may take, in seconds; documented."""

INTERNAL_ERROR = "FnF.InternalError"  # a mistake of ours, not of the definition
AHEAD = 64  # events that a fiber may tell before it is asked whether the slice is over

_FIRST = -1  # the rank of the rest of a slice: ahead of all that has one
_ENDS = (events.EXECUTION_SUCCEEDED, events.EXECUTION_FAILED)  # the very last event is kept for these


class FlowScheduler(ReadyQueue):
    """Starts executions and moves them on, in turn. What executions and tasks see of it is explained in `execution.Scheduler`.

    `timers` hold what they wait for, `ids` is all their chance, `slices` begins a slice.
    """

    def __init__(self, timers: Timers, ids: Ids, slices: Callable[[], Slice] = Slice) -> None:
        super().__init__()
        self.timers = timers
        self.ids = ids
        self.attendance = Attendance(virtual=isinstance(timers.clock, VirtualClock))
        self._slices = slices
        self._slice = slices()
        self.on_waiting: Callable[[FlowExecution], object] = lambda execution: None
        """Called when an execution has begun, or ended, to wait for the report of a task."""
        self.on_turn: Callable[[FlowExecution], object] | None = None
        """Called, if there is one, whenever an execution goes on."""
        self._held = False
        self._scheduled = False
        self._rank = 0
        self._held_clock = timers.clock if isinstance(timers.clock, HeldClock) else None

    def start(
        self,
        flow: Flow,
        identity: Identity,
        value: Json,
        *,
        resolver: TaskResolver,
        sink: EventSink,
        observe: Callable[[str], object] | None = None,
        timeline: Timeline | None = None,
        on_begin: Callable[[FlowExecution], object] | None = None,
        recording: ExecutionRecording | None = None,
    ) -> FlowExecution:
        """Start an execution. What can run at once has run when this returns, unless the engine itself asked for it.

        `on_begin` is given the execution before any of it has run: what its first tasks call may already report them.
        `timeline`: that of the execution that waits for this one. `observe` is told the id of each `Point` passed. The
        limits of the execution's duration stand as guards. `recording` takes down what running it again takes.
        """
        ids = self.ids if recording is None else RecordedIds(self.ids, recording.draw)
        context = Context(identity, value, ids, observe, AHEAD)
        self._rank += 2
        self.job.starts += 1
        if timeline is None:
            timeline = self.timers.timeline()
        begun = timeline.steady()
        execution = FlowExecution(self, flow, context, timeline, resolver, sink, self._rank, recording)
        if on_begin is not None:
            on_begin(execution)
        execution.root = Fiber(execution, Interpreter(flow, context).run(Datum(value, json_text(value))))
        self.resume(execution.root, None)
        self.run_ready()
        if not execution.ended:
            longest = EXPRESS_LIMIT if flow.express else YEAR
            seconds = min(flow.timeout or longest, longest)
            timed_out = partial(self._time_out, execution, seconds)
            execution.guard = self.timers.add(begun + seconds, TimerKind.GUARD, timed_out, timeline, execution.rank)
        return execution

    def stop(self, execution: FlowExecution, error: str, cause: str) -> None:
        self._close(execution, ExecutionStatus.STOPPED, events.EXECUTION_STOPPED, Failure(error, cause))

    def fail(self, execution: FlowExecution, failure: Failure) -> None:
        """End an execution by a failure that it cannot catch."""
        self._close(execution, ExecutionStatus.FAILED, events.EXECUTION_FAILED, failure)

    def retire(self, execution: FlowExecution) -> None:
        """End an execution as soon as a step of it that runs now is over, as the deletion of its flow does."""
        sink = execution.sink

        def last(rows: Rows) -> None:
            sink(rows)
            if rows[-2][-1].type == "StepExited":
                execution.stop()

        execution.sink = last
        execution.context.ahead = execution.context.border = 0

    def attend(self, execution: FlowExecution) -> Callable[[], None]:
        """Somebody waits for the end of the execution: on a virtual clock its timeline jumps from now on, until what this gives
        back is called."""
        leave = self.attendance.add(execution, self.job)
        self.run_ready()
        return leave

    def take_over(self, job: Job) -> None:
        super().take_over(job)
        if self.turns:
            self._schedule()

    @contextmanager
    def held(self) -> Iterator[None]:
        before, self._held = self._held, True
        try:
            yield
        finally:
            self._held = before
        self.run_ready()

    # -- the queue

    @property
    def unfinished(self) -> bool:
        """Return whether a slice has ended before all could go on that can."""
        return bool(self.turns or self.attendance.touched)

    def run_ready(self) -> None:
        """Serve the queue, then let timelines that somebody waits for jump, until nothing moves or the slice is over."""
        if self._held:
            return
        attendance = self.attendance
        if not (self.turns or attendance.touched):
            self._release_clock()
            return
        self._held = True
        before, begun = self.job, self._slices()
        self._slice = begun
        try:
            while self.turns or attendance.jump(self):
                if self.turns:
                    self._take_turn(*self.turns.popleft())
                if begun.over():
                    break
        finally:
            self._held = False
            self.job = before
            self._release_clock()
            if self.unfinished:
                self._schedule()

    def _release_clock(self) -> None:
        if self._held_clock is not None:
            self._held_clock.release()

    def take_turn_again(self, execution: FlowExecution, label: str, allowed: int, slice_: Slice) -> None:
        for entry in self.turns:
            if entry[0].execution is execution and label_of(*entry[:2]) == label:
                self.turns.remove(entry)
                break
        else:
            raise ReplayError(f"'{label}' cannot go on")
        self._slice, self.allowed = slice_, allowed
        before, self._held = self._held, True
        try:
            self._take_turn(*entry)
        finally:
            self._held = before

    def _take_turn(self, fiber: Fiber, outcome: CommandOutcome, job: Job) -> None:
        execution = fiber.execution
        if job.exceeded:
            self.turns.appendleft((fiber, outcome, job))
            self.stop_job(job)
            return
        self.job = job
        allowed, self.allowed = self.allowed, TURN  # the next one has a whole turn
        execution.timeline.busy -= 1
        try:
            self.attendance.touch(execution.timeline)
            if self.on_turn is not None:
                self.on_turn(execution)
            if execution.recording is not None:
                execution.record(TURNED, label_of(fiber, outcome), allowed)
            if fiber.part is not None:
                self._drive(fiber, fiber.part, outcome, allowed)
            elif type(outcome) is Ending:
                end_awaited(self, fiber, outcome)
        finally:
            job.ready -= 1
            if not job.ready and job.on_rest is not None:
                job.rest()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            # Earlier than whatever else is due.
            due = min(0.0, self.timers.clock.steady())
            self.timers.add(due, TimerKind.SCHEDULE, self._tick, rank=_FIRST)

    def _tick(self) -> None:
        self._scheduled = False
        self.run_ready()

    # -- fibers

    def _drive(self, fiber: Fiber, part: Part, outcome: CommandOutcome, allowed: int) -> None:
        """Let a fiber run until it must wait, has told `allowed` events, or the slice is over."""
        execution, context, send = fiber.execution, fiber.execution.context, part.send
        context.moment = execution.now()
        enough = context.last + allowed
        context.border = min(enough, MAX_EVENTS, context.last + context.ahead)
        untold, fiber.untold = fiber.untold, None
        try:
            if untold is not None:
                outcome = self._tell(fiber, untold, enough)
            while outcome is not BLOCKED:
                if isinstance(outcome, Failure):
                    command = part.throw(outcome)
                    outcome.forget_path()
                else:
                    command = send(outcome)
                if type(command) is tuple:
                    outcome = self._tell(fiber, command, enough)
                else:
                    outcome = SERVED[type(command)](self, fiber, command)
        except StopIteration as stop:
            self._over(fiber, stop.value)
        except Failure as failure:
            failure.forget_path()
            self._failed(fiber, failure)
        except Exception as error:
            self.fail(execution, Failure(INTERNAL_ERROR, repr(error)))
            raise
        finally:
            execution.hand_over()

    def _tell(self, fiber: Fiber, command: Emit, enough: int) -> CommandOutcome:
        """Record events: one by one, where a turn or an execution may have no room for all. Returns the id of the last, BLOCKED
        where the fiber does not go on."""
        execution, (step, cause, shapes, parts) = fiber.execution, command
        context, several = execution.context, len(shapes) > 1
        together = context.last + len(shapes) < min(enough, MAX_EVENTS)
        while shapes:
            first, told = (shapes, parts) if together else (shapes[:1], parts[: len(shapes[0].keys)])
            shapes, parts = shapes[len(first) :], parts[len(told) :]
            begun, context.last = context.last + 1, context.last + len(first)
            if begun == MAX_EVENTS and first not in _ENDS:
                context.last -= 1
                self.fail(execution, Failure(EVENT_LIMIT, f"the execution has more than {MAX_EVENTS} events"))
                return BLOCKED
            context.rows += (begun, cause, step, context.moment, first, told)
            execution.hand_over()
            cause = context.last
            if fiber.part is None:
                return BLOCKED  # ended by who was told
            if cause >= enough:
                fiber.untold = (step, cause, shapes, parts) if shapes else None
                self.resume(fiber, cause)
                return BLOCKED
        context.border = min(enough, MAX_EVENTS, cause + context.ahead)
        if several and self._slice.over():
            self._pause(fiber, cause, enough - cause)
            return BLOCKED
        return cause

    def _pause(self, fiber: Fiber, outcome: CommandOutcome, allowed: int) -> None:
        """Let a fiber go on first in the next slice, as if its turn had not ended."""
        self.resume(fiber, outcome)
        self.turns.rotate()
        self.allowed = allowed
        recording = fiber.execution.recording
        if recording is not None:
            recording.keep(PAUSE, fiber.execution.context.last)

    def _over(self, fiber: Fiber, result: CommandOutcome) -> None:
        """End a fiber that has returned: with it the execution, or its part of a fork."""
        if fiber.part is None:
            return  # called off while it told an event
        fiber.part, fiber.waiting, group = None, None, fiber.group
        if group is None:
            assert isinstance(result, Datum)
            fiber.execution.output = result
            self._close(fiber.execution, ExecutionStatus.SUCCEEDED)
        elif group.end(fiber, result):
            self.resume(group.fiber, group.results)
        else:
            begin_part(self, group)

    def _failed(self, fiber: Fiber, failure: Failure) -> None:
        """End a fiber that has raised a failure: with it the execution, or soon the fork that it is part of."""
        fiber.part, fiber.waiting, group = None, None, fiber.group
        if group is None:
            self._close(fiber.execution, ExecutionStatus.FAILED, None, failure)
        elif not group.failed:
            group.failed = True
            self.resume(fiber, Ending(group.fiber, failure))

    # -- for commands

    def resume_at(self, due: float, fiber: Fiber, outcome: CommandOutcome, job: Job | None = None) -> Timer:
        resume = partial(self.resume_now, fiber, outcome, job)
        return self.timers.add(due, TimerKind.PROGRESS, resume, fiber.execution.timeline)

    def resume_now(self, fiber: Fiber, outcome: CommandOutcome, job: Job | None = None) -> None:
        if fiber.execution.recording is not None:
            fiber.execution.record(WAITED, label_of(fiber, outcome))
        with self.at_work(job or self.job):
            self.resume(fiber, outcome)
        self.run_ready()

    def start_map_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        request = map_run.request
        return self.start(
            parent.flow.child(request.processor, express=request.express),
            replace(parent.identity, execution=map_run.child_name(index)),
            request.inputs[index],
            resolver=parent.resolver,
            sink=lambda rows: None,
            timeline=parent.timeline,
            observe=parent.context.observe,
        )

    # -- ends

    def _time_out(self, execution: FlowExecution, seconds: float) -> None:
        failure = Failure(EXECUTION_TIMEOUT, f"the execution did not end within {seconds:g} seconds")
        self._close(execution, ExecutionStatus.TIMED_OUT, events.EXECUTION_TIMED_OUT, failure)

    def _close(
        self,
        execution: FlowExecution,
        status: ExecutionStatus,
        shapes: EventShapes | None = None,
        failure: Failure | None = None,
    ) -> None:
        """End an execution; `shapes` is the event to tell, if it has not told its end itself."""
        context = execution.context
        execution.hand_over()  # which may end it
        if execution.ended:
            return
        execution.status = status
        execution.stopped = execution.now()
        if execution.guard is not None:
            execution.guard.cancel()
        root, execution.root = execution.root, None
        before, self._held = self._held, True  # as held() does, at a tenth of its cost
        try:
            if root is not None:
                root.cancel()
            if failure is not None:
                execution.error, execution.cause = failure.code, failure.detail
                if shapes is not None:
                    cause, context.last = context.last, context.last + 1
                    execution.sink([context.last, cause, "", execution.stopped, shapes, failure.parts])
            callbacks, execution.on_end = execution.on_end, []
            for told in callbacks:
                told(execution)
        finally:
            self._held = before
        self.run_ready()
