"""Drives executions: sends their generators what they wait for, on the flow clock.

Everything that can go on stands in one queue, served in order, so that no execution starves another, a nested flow
costs no stack, and the same calls always give the same history. A slice is served at once; what is left waits for the
next tick, so that an endless loop does not starve the server either.

Whoever moves the clock must run what is due now (`Timers.run_due`), on a virtual clock, too: the rest of a slice is due
now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from cfmock.base.clocks import Timeline, Timer, TimerKind, Timers, VirtualClock
from cfmock.base.json_text import json_text
from cfmock.base.randomness import Ids
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
from cfmock.engine.data_flow import Context, Identity
from cfmock.engine.events import (
    EXECUTION_FAILED,
    EXECUTION_STOPPED,
    EXECUTION_SUCCEEDED,
    EXECUTION_TIMED_OUT,
    MAX_EVENTS,
    Event,
    EventSink,
    Shape,
)
from cfmock.engine.execution import Fiber, Group, Run, RunStatus
from cfmock.engine.interpreter import execute
from cfmock.engine.map_runs import MapRun
from cfmock.engine.model import Flow
from cfmock.engine.pending_task import BLOCKED, PendingTask
from cfmock.engine.task_calls import TaskResolver

Json = Any

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


class Runner:
    """Starts executions and moves them on.

    `timers` hold what they wait for, `ids` is all their chance. `start_child` may be replaced by who keeps the rows of
    executions: it is given a map run and the index of a child, and starts it by `start`.
    """

    def __init__(self, timers: Timers, ids: Ids) -> None:
        self.timers = timers
        self.ids = ids
        self.start_child: Callable[[MapRun, int], Run] = self._start_child
        self._ready: deque[tuple[Fiber, Any]] = deque()
        self._held = False
        self._scheduled = False
        self._virtual = isinstance(timers.clock, VirtualClock)
        self._attended: dict[Timeline, list[Run]] = {}
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
        on_begin: Callable[[Run], object] | None = None,
        on_end: Callable[[Run], object] | None = None,
    ) -> Run:
        """Start an execution. What can run at once has run when this returns, unless the engine itself asked for it.

        `on_begin` is given the run before any of it has run: what its first tasks call may already report them.
        `timeline`: that of the execution that waits for this one. `observe` is told the id of each `Point` passed. The
        limits of the execution's duration stand as guards.
        """
        context = Context(identity, value, self.ids, observe)
        run = Run(self, flow, context, timeline or self.timers.timeline(), resolver, sink)
        if on_begin is not None:
            on_begin(run)
        if on_end is not None:
            run.on_end.append(on_end)
        run.root = Fiber(run, execute(flow, Datum(value, json_text(value)), context))
        self.resume(run.root, None)
        self.go_on()
        if not run.ended:
            longest = EXPRESS_LIMIT if flow.express else YEAR
            seconds = min(flow.timeout or longest, longest)
            timed_out = partial(self._time_out, run, seconds)
            run.guard = self.timers.add(run.started + seconds, TimerKind.GUARD, timed_out, run.timeline)
        return run

    def stop(self, run: Run, error: str, cause: str) -> None:
        """End an execution from outside, and with it the children it waits for."""
        self._close(run, RunStatus.STOPPED, EXECUTION_STOPPED, Failure(error, cause))
        self.go_on()

    def retire(self, run: Run, error: str, cause: str) -> None:
        """End an execution as soon as a step of it that runs now is over, as the deletion of its flow does."""
        sink = run.sink

        def last(event: Event) -> None:
            sink(event)
            if event.type == "StepExited":
                self.stop(run, error, cause)

        run.sink = last

    def attend(self, run: Run) -> None:
        """Somebody waits for the end of the run: on a virtual clock its timeline jumps from now on, until `leave`."""
        self._attended.setdefault(run.timeline, []).append(run)
        self._touched[run.timeline] = None
        self.go_on()

    def leave(self, run: Run) -> None:
        """The counterpart of `attend`."""
        runs = self._attended.get(run.timeline, [])
        if run in runs:
            runs.remove(run)
        if not runs:
            self._attended.pop(run.timeline, None)

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
        fiber.run.timeline.busy += 1

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
        timeline = fiber.run.timeline
        timeline.busy -= 1
        if timeline in self._attended:
            self._touched[timeline] = None
        elif timeline.joiners:
            self._touched.update(dict.fromkeys(self._attended))
        return self._drive(fiber, fiber.part, outcome) if fiber.part is not None else 1

    def _jump(self) -> bool:
        while self._virtual and self._touched:
            timeline = next(iter(self._touched))
            runs = self._attended.get(timeline, ())
            if not all(run.ended for run in runs) and any(each.jump() for each in timeline.reach()):
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
        run = fiber.run
        begun = run.last
        enough = begun + SLICE
        send, sink, moment = part.send, run.sink, run.timeline.now()
        try:
            while True:
                command = part.throw(outcome) if isinstance(outcome, Failure) else send(outcome)
                while type(command) is Emit:
                    run.last = number = run.last + 1
                    if number > _LAST and command.shape not in _ENDS:
                        self._too_long(run)
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
            self._close(run, RunStatus.FAILED, EXECUTION_FAILED, Failure(INTERNAL_ERROR, repr(error)))
            raise
        return run.last - begun + 1

    def _over(self, fiber: Fiber, result: Any) -> None:
        if fiber.part is None:
            return  # called off while it told an event
        fiber.part, group = None, fiber.group
        if group is None:
            fiber.run.output = result
            self._close(fiber.run, RunStatus.SUCCEEDED)
        elif group.end(fiber, result):
            self.resume(group.fiber, group.results)
        else:
            self._begin(group)

    def _failed(self, fiber: Fiber, failure: Failure) -> None:
        fiber.part, group = None, fiber.group
        if group is None:
            self._close(fiber.run, RunStatus.FAILED, None, failure)
        else:
            self._cancel(group)
            self.resume(group.fiber, failure)

    def _begin(self, group: Group) -> None:
        fiber = group.begin()
        if fiber is not None:
            self.resume(fiber, None)

    def _cancel(self, what: Fiber | Group | PendingTask | MapRun | Timer | None) -> None:
        """Call off a fiber, or what one waits for."""
        if what is None:
            return
        if isinstance(what, Fiber):
            part, what.part = what.part, None
            self._cancel(what.waiting)
            if part is not None:
                part.close()
        elif isinstance(what, Group):
            for fiber in what.running.values():
                self._cancel(fiber)
        elif isinstance(what, MapRun):
            what.abort()
        else:
            what.cancel()

    # -- commands

    def _wait(self, fiber: Fiber, command: Wait) -> Any:
        return self._wait_until(fiber, WaitUntil(fiber.run.timeline.now() + command.seconds))

    def _wait_until(self, fiber: Fiber, command: WaitUntil) -> Any:
        timeline = fiber.run.timeline
        ahead = command.moment - timeline.now()
        if ahead <= 0:
            return None
        if ahead > command.longest:
            return Failure(RUNTIME_ERROR, f"the time to wait for is more than {command.longest:g} seconds away")

        def due() -> None:
            self.resume(fiber, None)
            self.go_on()

        fiber.waiting = self.timers.add(command.moment, TimerKind.PROGRESS, due, timeline)
        return BLOCKED

    def _call(self, fiber: Fiber, command: CallTask) -> Any:
        fiber.waiting = task = PendingTask(fiber, command.call, fiber.run.timeline.now())
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
        fiber.waiting = map_run = command.map_run
        fiber.run.map_runs[map_run.name] = map_run
        map_run.begin(fiber.run, self.start_child, partial(self.resume, fiber))
        return BLOCKED

    def _start_child(self, map_run: MapRun, index: int) -> Run:
        """A child that nobody keeps a row of."""
        parent: Any = map_run.parent
        return self.start(
            map_run.flow,
            parent.identity._replace(execution=map_run.child_name(index)),
            map_run.inputs[index],
            resolver=parent.resolver,
            sink=lambda event: None,
            timeline=parent.timeline,
            observe=parent.context.observe,
            on_end=partial(map_run.ended_child, index),
        )

    # -- ends

    def _time_out(self, run: Run, seconds: float) -> None:
        failure = Failure(EXECUTION_TIMEOUT, f"the execution did not end within {seconds:g} seconds")
        self._close(run, RunStatus.TIMED_OUT, EXECUTION_TIMED_OUT, failure)
        self.go_on()

    def _too_long(self, run: Run) -> None:
        run.last -= 1
        failure = Failure(EVENT_LIMIT, f"the execution has more than {MAX_EVENTS} events")
        self._close(run, RunStatus.FAILED, EXECUTION_FAILED, failure)

    def _close(self, run: Run, status: RunStatus, shape: Shape | None = None, failure: Failure | None = None) -> None:
        """End an execution; `shape` is the event to tell, if it has not told its end itself."""
        if run.ended:
            return
        run.status = status
        run.stopped = run.timeline.now()
        if run.guard is not None:
            run.guard.cancel()
        root, run.root = run.root, None
        before, self._held = self._held, True  # as held() does, at a tenth of its cost
        try:
            if root is not None:
                self._cancel(root)
            if failure is not None:
                run.error, run.cause = failure.code, failure.detail
                if shape is not None:
                    cause, run.last = run.last, run.last + 1
                    run.sink(Event(run.last, cause, shape, "", run.stopped, failure.parts))
            callbacks, run.on_end = run.on_end, []
            for told in callbacks:
                told(run)
        finally:
            self._held = before
        self.go_on()


_COMMANDS: dict[type[Any], Callable[[Runner, Fiber, Any], Any]] = {
    Wait: Runner._wait,
    WaitUntil: Runner._wait_until,
    CallTask: Runner._call,
    AwaitTask: Runner._await,
    Fork: Runner._fork,
    RunMap: Runner._run_map,
}
