"""Drives executions: sends their generators what they wait for, on the flow clock.

Everything that can go on stands in one queue, served in order, so that no execution starves another, a nested flow
costs no stack, and the same calls always give the same history. A slice is served at once; what is left waits for the
next tick, so that an endless loop does not starve the server either.

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

from cfmock.base.clocks import VirtualClock
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
    Event,
    EventShape,
    EventSink,
)
from cfmock.engine.execution import ExecutionStatus, Fiber, FlowExecution, Group, Members, TaskResolver
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.interpreter import execute
from cfmock.engine.map_runs import MapRun
from cfmock.engine.pending_task import BLOCKED, PendingTask

SLICE = 500
"""Events one fiber may tell before others have their turn."""

TICK = 2_000
"""Events of all executions together before the server has its turn: some 20 milliseconds."""

YEAR = 31_536_000.0
EXPRESS_LIMIT = 300.0
"""How long a standard and an express execution may take, in seconds; documented."""

INTERNAL_ERROR = "FnF.InternalError"
"""A mistake of ours, not of the definition."""

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

    `timers` hold what they wait for, `ids` is all their chance. `start_child` may be replaced by who keeps the rows of
    executions: it is given the execution, a map run of it and the index of a child, and starts it by `start`.
    """

    def __init__(self, timers: Timers, ids: Ids) -> None:
        self.timers = timers
        self.ids = ids
        self.start_child: Callable[[FlowExecution, MapRun, int], FlowExecution] = self._start_child
        self._ready: deque[tuple[Fiber, Any]] = deque()
        self._held = False
        self._scheduled = False
        self._rank = 0
        self._virtual = isinstance(timers.clock, VirtualClock)
        self._attended: dict[Timeline, list[FlowExecution]] = {}
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
    ) -> FlowExecution:
        """Start an execution. What can run at once has run when this returns, unless the engine itself asked for it.

        `on_begin` is given the execution before any of it has run: what its first tasks call may already report them.
        `timeline`: that of the execution that waits for this one. `observe` is told the id of each `Point` passed. The
        limits of the execution's duration stand as guards.
        """
        context = Context(identity, value, self.ids, observe)
        self._rank += 2
        execution = FlowExecution(self, flow, context, timeline or self.timers.timeline(), resolver, sink, self._rank)
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
                execution.started + seconds, TimerKind.GUARD, timed_out, execution.timeline, execution.rank
            )
        return execution

    def stop(self, execution: FlowExecution, error: str, cause: str) -> None:
        """End an execution from outside, and with it the children it waits for."""
        self._close(execution, ExecutionStatus.STOPPED, EXECUTION_STOPPED, Failure(error, cause))
        self.go_on()

    def retire(self, execution: FlowExecution, error: str, cause: str) -> None:
        """End an execution as soon as a step of it that runs now is over, as the deletion of its flow does."""
        sink = execution.sink

        def last(event: Event) -> None:
            sink(event)
            if event.type == "StepExited":
                self.stop(execution, error, cause)

        execution.sink = last

    def attend(self, execution: FlowExecution) -> None:
        """Somebody waits for the end of the execution: on a virtual clock its timeline jumps from now on, until `leave`."""
        self._attended.setdefault(execution.timeline, []).append(execution)
        self._touched[execution.timeline] = None
        self.go_on()

    def leave(self, execution: FlowExecution) -> None:
        """The counterpart of `attend`."""
        attended = self._attended.get(execution.timeline, [])
        if execution in attended:
            attended.remove(execution)
        if not attended:
            self._attended.pop(execution.timeline, None)

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
        self._ready.append((fiber, outcome))
        fiber.execution.timeline.busy += 1

    def go_on(self) -> None:
        """Serve the queue, then let timelines that somebody waits for jump, until nothing moves or the slice is spent."""
        if self._held:
            return
        self._held = True
        spent = 0
        try:
            while spent < TICK:
                if self._ready:
                    fiber, outcome = self._ready.popleft()
                    spent += self._serve(fiber, outcome)
                elif self._jump():
                    spent += 1
                else:
                    return
        finally:
            self._held = False
            if spent >= TICK or self._ready:
                self._schedule()

    def _serve(self, fiber: Fiber, outcome: Any) -> int:
        timeline = fiber.execution.timeline
        timeline.busy -= 1
        if timeline in self._attended:
            self._touched[timeline] = None
        elif timeline.joiners:
            self._touched.update(dict.fromkeys(self._attended))
        if fiber.part is not None:
            return self._drive(fiber, fiber.part, outcome)
        if type(outcome) is Ending:
            self._end_members(fiber, outcome)
        return 1

    def _jump(self) -> bool:
        while self._virtual and self._touched:
            timeline = next(iter(self._touched))
            attended = self._attended.get(timeline, ())
            if not all(execution.ended for execution in attended) and any(each.jump() for each in timeline.reach()):
                return True
            del self._touched[timeline]
        return False

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self.timers.add(self.timers.clock.now(), TimerKind.SCHEDULE, self._tick)

    def _tick(self) -> None:
        self._scheduled = False
        self.go_on()

    # -- fibers

    def _drive(self, fiber: Fiber, part: Any, outcome: Any) -> int:
        """Let a fiber run until it must wait; returns the number of events it told, at least 1."""
        execution = fiber.execution
        begun = execution.last
        enough = begun + SLICE
        send, sink, moment = part.send, execution.sink, execution.timeline.now()
        try:
            while True:
                command = part.throw(outcome) if isinstance(outcome, Failure) else send(outcome)
                while type(command) is Emit:
                    execution.last = number = execution.last + 1
                    if number > _LAST and command.shape not in _ENDS:
                        self._too_long(execution)
                        return number - begun
                    sink(Event(number, command.cause, command.shape, command.step, moment, command.parts))
                    if number >= enough:
                        self.resume(fiber, number)
                        return SLICE
                    command = send(number)
                outcome = _COMMANDS[type(command)](self, fiber, command)
                if outcome is BLOCKED:
                    break
        except StopIteration as stop:
            self._over(fiber, stop.value)
        except Failure as failure:
            self._failed(fiber, failure)
        except Exception as error:
            self._close(execution, ExecutionStatus.FAILED, EXECUTION_FAILED, Failure(INTERNAL_ERROR, repr(error)))
            raise
        return execution.last - begun + 1

    def _over(self, fiber: Fiber, result: Any) -> None:
        if fiber.part is None:
            return  # called off while it told an event
        fiber.part, group = None, fiber.group
        if group is None:
            fiber.execution.output = result
            self._close(fiber.execution, ExecutionStatus.SUCCEEDED)
        elif group.end(fiber, result):
            self.resume(group.fiber, group.results)
        else:
            self._begin(group)

    def _failed(self, fiber: Fiber, failure: Failure) -> None:
        fiber.part, group = None, fiber.group
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
        timeline = fiber.execution.timeline
        if turns and not fiber.begun():
            self.resume(over, ending._replace(turns=turns - 1))
        elif turns and timeline.progress_due():
            self._later(over, ending._replace(turns=0), timeline.now())  # behind all that is due
        else:
            members.cancel()
            self.resume(fiber, failure)

    def _begin(self, group: Group) -> None:
        fiber = group.begin()
        if fiber is not None:
            self.resume(fiber, None)

    # -- commands

    def _wait(self, fiber: Fiber, command: Wait) -> Any:
        return self._wait_until(fiber, WaitUntil(fiber.execution.timeline.now() + command.seconds))

    def _wait_until(self, fiber: Fiber, command: WaitUntil) -> Any:
        timeline = fiber.execution.timeline
        ahead = command.moment - timeline.now()
        if ahead <= 0:
            return None
        if ahead > command.longest:
            return Failure(RUNTIME_ERROR, f"the time to wait for is more than {command.longest:g} seconds away")

        fiber.waiting = self._later(fiber, None, command.moment)
        return BLOCKED

    def _later(self, fiber: Fiber, outcome: Any, moment: float) -> Timer:
        def due() -> None:
            self.resume(fiber, outcome)
            self.go_on()

        return self.timers.add(moment, TimerKind.PROGRESS, due, fiber.execution.timeline)

    def _call(self, fiber: Fiber, command: CallTask) -> Any:
        fiber.waiting = task = PendingTask(fiber, command.call, fiber.execution.timeline.now())
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
            now=execution.timeline.now,
            start=partial(self.start_child, execution),
            held=self.held,
            done=partial(self.resume, fiber),
            failed=partial(self._map_failed, fiber),
        )
        execution.map_runs[map_run.name] = map_run
        map_run.begin()
        return BLOCKED

    def _map_failed(self, fiber: Fiber, failure: Failure) -> None:
        map_run: Any = fiber.waiting
        self.resume(Fiber(fiber.execution, None), Ending(fiber, map_run, failure))

    def _start_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        """A child that nobody keeps a row of."""
        request = map_run.request
        return self.start(
            parent.flow.child(request.processor, express=request.express),
            parent.identity._replace(execution=map_run.child_name(index)),
            request.inputs[index],
            resolver=parent.resolver,
            sink=lambda event: None,
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
        execution.last -= 1
        failure = Failure(EVENT_LIMIT, f"the execution has more than {MAX_EVENTS} events")
        self._close(execution, ExecutionStatus.FAILED, EXECUTION_FAILED, failure)

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
        execution.stopped = execution.timeline.now()
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
                    cause, execution.last = execution.last, execution.last + 1
                    execution.sink(Event(execution.last, cause, shape, "", execution.stopped, failure.parts))
            callbacks, execution.on_end = execution.on_end, []
            for told in callbacks:
                told(execution)
        finally:
            self._held = before
        self.go_on()


_COMMANDS: dict[type[Any], Callable[[FlowScheduler, Fiber, Any], Any]] = {
    Wait: FlowScheduler._wait,
    WaitUntil: FlowScheduler._wait_until,
    CallTask: FlowScheduler._call,
    AwaitTask: FlowScheduler._await,
    Fork: FlowScheduler._fork,
    RunMap: FlowScheduler._run_map,
}
