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

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from cfmock.base.clocks import HeldClock, Slice, VirtualClock
from cfmock.base.json_text import Json, json_text
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timeline, Timer, TimerKind, Timers
from cfmock.engine.commands import (
    EVENT_LIMIT,
    EXECUTION_TIMEOUT,
    RUNTIME_ERROR,
    AwaitTask,
    CallTask,
    Datum,
    Emit,
    Failure,
    Fork,
    RunMap,
    Wait,
    WaitUntil,
)
from cfmock.engine.data_flow import MAX_NESTING, Context
from cfmock.engine.events import (
    EXECUTION_FAILED,
    EXECUTION_STOPPED,
    EXECUTION_SUCCEEDED,
    EXECUTION_TIMED_OUT,
    MAX_EVENTS,
    EventShape,
    EventSink,
    Told,
)
from cfmock.engine.execution import ExecutionStatus, Fiber, FlowExecution, Group, Members, TaskResolver
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.interpreter import execute
from cfmock.engine.jobs import Job
from cfmock.engine.map_runs import MapChild, MapRun
from cfmock.engine.pending_task import BLOCKED, PendingTask
from cfmock.engine.recorded_answers import kept_end, path_of
from cfmock.engine.recording import (
    CHILD,
    ENDING,
    MAP_CHANGED,
    MAP_ENDED,
    TURNED,
    WAITED,
    ExecutionRecording,
    RecordedIds,
    ReplayError,
)

TURN = 500
"""Events one fiber may tell before others have their turn."""

YEAR = 31_536_000.0
EXPRESS_LIMIT = 300.0
"""How long a standard and an express execution may take, in seconds; documented."""

INTERNAL_ERROR = "FnF.InternalError"
"""A mistake of ours, not of the definition."""

_FIRST = -1  # the rank of the rest of a slice: ahead of all that has one
_ENDS = (EXECUTION_SUCCEEDED, EXECUTION_FAILED)
_LAST = MAX_EVENTS - 1  # the very last event is kept for the end


class Ending(NamedTuple):
    """A failure that is about to end what a fiber waits for.

    `turns`: how often it still lets others go first, so that branches which fork for ever do not keep it waiting; no
    deeper than that do forks nest.
    """

    fiber: Fiber
    members: Members
    failure: Failure
    turns: int = MAX_NESTING


class FlowScheduler:
    """Starts executions and moves them on.

    `timers` hold what they wait for, `ids` is all their chance, `slices` begins a slice. `start_child` may be replaced by
    who keeps the rows of executions: it is given the execution, a map run of it and the index of a child, and starts it by
    `start`. What becomes ready belongs to the `job` that is at work.
    """

    def __init__(self, timers: Timers, ids: Ids, slices: Callable[[], Slice] = Slice) -> None:
        self.timers = timers
        self.ids = ids
        self.job = Job()
        self._slices = slices
        self._slice = slices()
        self._allowed = TURN  # events that the first in the queue may tell
        self._stopped: list[tuple[Fiber, Any]] = []  # what is left of jobs that have started too much
        self.on_waiting: Callable[[FlowExecution], object] = lambda execution: None
        """Called when an execution has begun, or ended, to wait for the report of a task."""
        self.on_turn: Callable[[FlowExecution], object] | None = None
        """Called, if there is one, whenever an execution goes on."""
        self._ready: deque[tuple[Fiber, Any, Job]] = deque()
        self._held = False
        self._scheduled = False
        self._rank = 0
        clock = timers.clock
        self._virtual = isinstance(clock, VirtualClock)
        self._held_clock = clock if isinstance(clock, HeldClock) else None
        self._attended: dict[Timeline, list[tuple[FlowExecution, Job]]] = {}
        self._touched: dict[Timeline, None] = {}  # attended ones that may be able to jump

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
        on_end: Callable[[FlowExecution], object] | None = None,
        recording: ExecutionRecording | None = None,
    ) -> FlowExecution:
        """Start an execution. What can run at once has run when this returns, unless the engine itself asked for it.

        `on_begin` is given the execution before any of it has run: what its first tasks call may already report them.
        `timeline`: that of the execution that waits for this one. `observe` is told the id of each `Point` passed. The
        limits of the execution's duration stand as guards. `recording` takes down what running it again takes.
        """
        ids = self.ids if recording is None else RecordedIds(self.ids, recording)
        context = Context(identity, value, ids, observe)
        self._rank += 2
        self.job.starts += 1
        begun = (timeline or self.timers.clock).steady()
        execution = FlowExecution(
            self, flow, context, timeline or self.timers.timeline(), resolver, sink, self._rank, recording
        )
        if on_begin is not None:
            on_begin(execution)
        if on_end is not None:
            execution.on_end.append(on_end)
        execution.root = Fiber(execution, execute(flow, Datum(value, json_text(value)), context))
        self.resume(execution.root, None)
        self.go_on()
        if not execution.ended:
            longest = EXPRESS_LIMIT if flow.express else YEAR
            seconds = min(flow.timeout or longest, longest)
            timed_out = partial(self._time_out, execution, seconds)
            execution.guard = self.timers.add(
                begun + seconds, TimerKind.GUARD, timed_out, execution.timeline, execution.rank
            )
        return execution

    def stop(self, execution: FlowExecution, error: str, cause: str) -> None:
        """End an execution from outside, and with it the children it waits for."""
        self._close(execution, ExecutionStatus.STOPPED, EXECUTION_STOPPED, Failure(error, cause))
        self.go_on()

    def fail(self, execution: FlowExecution, failure: Failure) -> None:
        """End an execution by a failure that it cannot catch."""
        self._close(execution, ExecutionStatus.FAILED, EXECUTION_FAILED, failure)

    def retire(self, execution: FlowExecution, error: str, cause: str) -> None:
        """End an execution as soon as a step of it that runs now is over, as the deletion of its flow does."""
        sink = execution.sink

        def last(number: int, follows: int, step: str, time: float, told: Told) -> None:
            sink(number, follows, step, time, told)
            if told[-1][0].type == "StepExited":
                self.stop(execution, error, cause)

        execution.sink = last

    def attend(self, execution: FlowExecution) -> Callable[[], None]:
        """Somebody waits for the end of the execution: on a virtual clock its timeline jumps from now on, until what this gives
        back is called."""
        attendance = execution, self.job
        self._attended.setdefault(execution.timeline, []).append(attendance)
        self._touched[execution.timeline] = None
        self.go_on()
        return partial(self._leave, attendance)

    def _leave(self, attendance: tuple[FlowExecution, Job]) -> None:
        timeline = attendance[0].timeline
        attended = self._attended.get(timeline, [])
        if attendance in attended:
            attended.remove(attendance)
        if not attended:
            self._attended.pop(timeline, None)

    @contextmanager
    def at_work(self, job: Job) -> Iterator[None]:
        """Whatever becomes ready in this block belongs to this job."""
        before, self.job = self.job, job
        try:
            yield
        finally:
            self.job = before

    def take_over(self, job: Job) -> None:
        """Let what is left of jobs that have started too much go on, as this job's."""
        left, self._stopped = self._stopped, []
        self._ready.extend((fiber, outcome, job) for fiber, outcome in left)
        job.ready += len(left)
        if left:
            self._schedule()

    def abandon(self) -> None:
        """Nothing goes on any more; whoever waits for a job to rest is told."""
        jobs = {job for _, _, job in self._ready}
        self._ready.clear()
        for job in jobs:
            job.ready = 0
            job.rest()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Whatever becomes ready in this block goes on only at its end."""
        before, self._held = self._held, True
        try:
            yield
        finally:
            self._held = before
        self.go_on()

    # -- the queue

    def resume(self, fiber: Fiber, outcome: Any) -> None:
        """Let a fiber go on with an outcome, a `Failure` included, when its turn comes."""
        self._ready.append((fiber, outcome, self.job))
        self.job.ready += 1
        fiber.execution.timeline.busy += 1

    def _resume_first(self, fiber: Fiber, outcome: Any, allowed: int) -> None:
        """Let a fiber go on as if its turn had not ended: it may still tell so many events."""
        self._ready.appendleft((fiber, outcome, self.job))
        self.job.ready += 1
        fiber.execution.timeline.busy += 1
        self._allowed = allowed

    @property
    def unfinished(self) -> bool:
        """Whether a slice has ended before all could go on that can."""
        return bool(self._ready or self._touched)

    def go_on(self) -> None:
        """Serve the queue, then let timelines that somebody waits for jump, until nothing moves or the slice is over."""
        if self._held:
            return
        if not self.unfinished:
            self._release_clock()
            return
        self._held = True
        before, begun = self.job, self._slices()
        self._slice = begun
        try:
            while self._ready or self._jump():
                if self._ready:
                    self._take_turn(*self._ready.popleft())
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
        """Let the fiber of this label go on as it did when its turn was recorded. Raises ReplayError if it is not ready."""
        for entry in self._ready:
            if entry[0].execution is execution and label_of(*entry[:2]) == label:
                self._ready.remove(entry)
                break
        else:
            raise ReplayError(f"'{label}' cannot go on")
        self._slice, self._allowed = slice_, allowed
        before, self._held = self._held, True
        try:
            self._take_turn(*entry)
        finally:
            self._held = before

    def _take_turn(self, fiber: Fiber, outcome: Any, job: Job) -> None:
        if job.exceeded:
            self._ready.appendleft((fiber, outcome, job))
            self.stop_job(job)
            return
        self.job = job
        try:
            self._serve(fiber, outcome)
        finally:
            job.ready -= 1
            if not job.ready and job.on_rest is not None:
                job.rest()

    def stop_job(self, job: Job) -> None:
        """Let nothing of a job go on, until another takes it over."""
        if job.stopped and not job.ready:
            return
        self._stopped += [(fiber, outcome) for fiber, outcome, each in self._ready if each is job]
        self._ready = deque(entry for entry in self._ready if entry[2] is not job)
        self._allowed = TURN
        job.ready, job.stopped = 0, True
        if job.on_stop is not None:
            job.on_stop()
        job.rest()

    def _serve(self, fiber: Fiber, outcome: Any) -> None:
        allowed, self._allowed = self._allowed, TURN
        timeline = fiber.execution.timeline
        timeline.busy -= 1
        if timeline in self._attended:
            self._touched[timeline] = None
        elif timeline.joiners:
            self._touched.update(dict.fromkeys(self._attended))
        recording = fiber.execution.recording
        if recording is not None:
            recording.told(TURNED, fiber.execution, label_of(fiber, outcome), allowed)
        if fiber.part is not None:
            self._drive(fiber, fiber.part, outcome, allowed)
        elif type(outcome) is Ending:
            self._end_members(fiber, outcome)

    def _jump(self) -> bool:
        while self._touched:
            timeline = next(iter(self._touched))
            attended = self._attended.get(timeline, ()) if self._virtual else ()
            job = next((job for execution, job in attended if not (execution.ended or job.exceeded)), None)
            if job is not None:
                self.job = job
                if any(each.jump() for each in timeline.reach()):
                    return True
            del self._touched[timeline]
        return False

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            # Earlier than whatever else is due.
            due = min(0.0, self.timers.clock.steady())
            self.timers.add(due, TimerKind.SCHEDULE, self._tick, rank=_FIRST)

    def _tick(self) -> None:
        self._scheduled = False
        self.go_on()

    # -- fibers

    def _drive(self, fiber: Fiber, part: Any, outcome: Any, allowed: int) -> None:
        """Let a fiber run until it must wait, has told so many events, or the slice is over."""
        execution, over = fiber.execution, self._slice.over
        context, send, sink, moment = execution.context, part.send, execution.sink, execution.now()
        enough = context.last + allowed
        border = min(enough, _LAST + 1)
        try:
            while True:
                if fiber.untold is not None:
                    command, fiber.untold = fiber.untold, None
                elif isinstance(outcome, Failure):
                    command = part.throw(outcome)
                    outcome.forget_path()
                else:
                    command = send(outcome)
                while type(command) is tuple:
                    step, cause, told = command
                    before = context.last
                    number = before + len(told)
                    if number >= border:
                        if not self._tell_singly(fiber, command, sink, moment, enough):
                            return
                        number = context.last
                    else:
                        context.last = number
                        sink(before + 1, cause, step, moment, told)
                    if len(told) > 1 and over():
                        self._resume_first(fiber, number, enough - number)
                        if execution.recording is not None:
                            execution.recording.pause(number)
                        return
                    command = send(number)
                outcome = _COMMANDS[type(command)](self, fiber, command)
                if outcome is BLOCKED:
                    break
        except StopIteration as stop:
            self._over(fiber, stop.value)
        except Failure as failure:
            failure.forget_path()
            self._failed(fiber, failure)
        except Exception as error:
            self._close(execution, ExecutionStatus.FAILED, EXECUTION_FAILED, Failure(INTERNAL_ERROR, repr(error)))
            raise

    def _tell_singly(self, fiber: Fiber, command: Emit, sink: EventSink, moment: float, enough: int) -> bool:
        """Tell events one by one, where a turn or an execution may have no room for all; whether it had."""
        context, (step, cause, told) = fiber.execution.context, command
        for index, (shape, parts) in enumerate(told, 1):
            context.last = number = context.last + 1
            if number > _LAST and shape not in _ENDS:
                self._too_long(fiber.execution)
                return False
            sink(number, cause, step, moment, ((shape, parts),))
            if number >= enough:
                fiber.untold = (step, number, told[index:]) if index < len(told) else None
                self.resume(fiber, number)
                return False
            cause = number
        return True

    def _over(self, fiber: Fiber, result: Any) -> None:
        if fiber.part is None:
            return  # called off while it told an event
        fiber.part, fiber.waiting, group = None, None, fiber.group
        if group is None:
            fiber.execution.output = result
            self._close(fiber.execution, ExecutionStatus.SUCCEEDED)
        elif group.end(fiber, result):
            self.resume(group.fiber, group.results)
        else:
            self._begin(group)

    def _failed(self, fiber: Fiber, failure: Failure) -> None:
        fiber.part, fiber.waiting, group = None, None, fiber.group
        if group is None:
            self._close(fiber.execution, ExecutionStatus.FAILED, None, failure)
        elif not group.failed:
            group.failed = True
            self.resume(fiber, Ending(group.fiber, group, failure))

    def _end_members(self, over: Fiber, ending: Ending) -> None:
        """Let a failure end what a fiber waits for, or take another turn; `over` is a fiber that has nothing else to do."""
        fiber, members, failure, turns = ending
        if fiber.part is None:
            return  # called off meanwhile, with all that it waited for
        timeline, recording = fiber.execution.timeline, fiber.execution.recording
        look = partial(_what_goes_first, fiber, turns)
        first = look() if recording is None else recording.draw(look)
        if first == "others":
            self.resume(over, ending._replace(turns=turns - 1))
        elif first == "due":
            timer = self._resume_at(timeline.steady(), over, ending._replace(turns=0), self.job)
            if recording is not None:
                recording.endings[ENDING + path_of(fiber)] = timer
        else:
            members.cancel()
            self.resume(fiber, failure)

    def _begin(self, group: Group) -> None:
        fiber = group.begin()
        if fiber is not None:
            self.resume(fiber, None)

    # -- commands

    def _wait(self, fiber: Fiber, command: Wait) -> Any:
        if command.seconds <= 0:
            return None
        fiber.waiting = self._resume_at(fiber.execution.timeline.steady() + command.seconds, fiber, None)
        return BLOCKED

    def _wait_until(self, fiber: Fiber, command: WaitUntil) -> Any:
        timeline = fiber.execution.timeline
        ahead = command.moment - timeline.now()
        if ahead <= 0:
            return None
        if ahead > command.longest:
            return Failure(RUNTIME_ERROR, f"the time to wait for is more than {command.longest:g} seconds away")

        due = partial(self._resume_now, fiber, None)
        fiber.waiting = self.timers.add_moment(command.moment, TimerKind.PROGRESS, due, timeline)
        return BLOCKED

    def _resume_at(self, due: float, fiber: Fiber, outcome: Any, job: Job | None = None) -> Timer:
        resume = partial(self._resume_now, fiber, outcome, job)
        return self.timers.add(due, TimerKind.PROGRESS, resume, fiber.execution.timeline)

    def _resume_now(self, fiber: Fiber, outcome: Any, job: Job | None = None) -> None:
        """`job` is what it belongs to, if not to who has moved the clock."""
        recording = fiber.execution.recording
        if recording is not None:
            recording.told(WAITED, fiber.execution, label_of(fiber, outcome))
        with self.at_work(job or self.job):
            self.resume(fiber, outcome)
        self.go_on()

    def _call(self, fiber: Fiber, command: CallTask) -> Any:
        fiber.waiting = task = PendingTask(fiber, command.call)
        return task.begin()

    def _await(self, fiber: Fiber, command: AwaitTask) -> Any:
        task: Any = fiber.waiting
        return task.wait()

    def _fork(self, fiber: Fiber, command: Fork) -> Any:
        if not command.parts:
            return []
        fiber.waiting = group = Group(fiber, command.parts)
        for _ in range(min(command.limit, len(command.parts))):
            self._begin(group)
        return BLOCKED

    def _run_map(self, fiber: Fiber, command: RunMap) -> Any:
        execution = fiber.execution
        fiber.waiting = map_run = MapRun(
            command,
            now=execution.now,
            start=partial(self._start_or_find, execution),
            held=self.held,
            done=partial(self.resume, fiber),
            failed=partial(self._map_failed, fiber),
            changed=partial(_map_changed, fiber),
            child_ended=partial(_map_child_ended, fiber),
        )
        execution.map_runs[map_run.name] = map_run
        map_run.begin()
        return BLOCKED

    def _map_failed(self, fiber: Fiber, failure: Failure) -> None:
        map_run: Any = fiber.waiting
        self.resume(Fiber(fiber.execution, None), Ending(fiber, map_run, failure))

    def _start_or_find(self, parent: FlowExecution, map_run: MapRun, index: int) -> MapChild:
        recording = parent.recording
        if recording is None:
            return parent.resolver.start_child(parent, map_run, index)
        if not recording.replaying:
            child = parent.resolver.start_child(parent, map_run, index)
            recording.write([CHILD, child.identity.serial])
            return child
        assert recording.children is not None
        found: FlowExecution = recording.children.child(recording.next(CHILD)[1], parent)
        found.on_end.append(partial(map_run.ended_child, index))
        return found

    def start_map_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        """A child that nobody keeps a row of."""
        request = map_run.request
        return self.start(
            parent.flow.child(request.processor, express=request.express),
            parent.identity._replace(execution=map_run.child_name(index)),
            request.inputs[index],
            resolver=parent.resolver,
            sink=lambda *told: None,
            timeline=parent.timeline,
            observe=parent.context.observe,
            on_end=partial(map_run.ended_child, index),
        )

    # -- ends

    def _time_out(self, execution: FlowExecution, seconds: float) -> None:
        failure = Failure(EXECUTION_TIMEOUT, f"the execution did not end within {seconds:g} seconds")
        self._close(execution, ExecutionStatus.TIMED_OUT, EXECUTION_TIMED_OUT, failure)
        self.go_on()

    def _too_long(self, execution: FlowExecution) -> None:
        execution.context.last -= 1
        failure = Failure(EVENT_LIMIT, f"the execution has more than {MAX_EVENTS} events")
        self.fail(execution, failure)

    def _close(
        self,
        execution: FlowExecution,
        status: ExecutionStatus,
        shape: EventShape | None = None,
        failure: Failure | None = None,
    ) -> None:
        """End an execution; `shape` is the event to tell, if it has not told its end itself."""
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
                if shape is not None:
                    cause, execution.context.last = execution.last, execution.last + 1
                    execution.sink(execution.last, cause, "", execution.stopped, ((shape, failure.parts),))
            callbacks, execution.on_end = execution.on_end, []
            for told in callbacks:
                told(execution)
        finally:
            self._held = before
        self.go_on()


def label_of(fiber: Fiber, outcome: object) -> str:
    """Which of the fibers that are ready this is, also in a recording."""
    return ENDING + path_of(outcome.fiber) if type(outcome) is Ending else path_of(fiber)


def _what_goes_first(fiber: Fiber, turns: int) -> str:
    """What a failure lets go first that is to end what a fiber waits for."""
    if turns and not fiber.begun():
        return "others"
    return "due" if turns and fiber.execution.timeline.progress_due() else ""


def _map_changed(fiber: Fiber, changes: Json) -> None:
    recording = fiber.execution.recording
    if recording is not None:
        recording.told(MAP_CHANGED, fiber.execution, path_of(fiber), changes)


def _map_child_ended(fiber: Fiber, index: int, child: Any) -> None:
    recording = fiber.execution.recording
    if recording is not None:
        recording.told(MAP_ENDED, fiber.execution, path_of(fiber), index, kept_end(child))


_COMMANDS: dict[type[Any], Callable[[FlowScheduler, Fiber, Any], Any]] = {
    Wait: FlowScheduler._wait,
    WaitUntil: FlowScheduler._wait_until,
    CallTask: FlowScheduler._call,
    AwaitTask: FlowScheduler._await,
    Fork: FlowScheduler._fork,
    RunMap: FlowScheduler._run_map,
}
