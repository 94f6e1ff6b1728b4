"""The engine alone: definitions, mocks and a clock, without a service around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from cfmock.base.clocks import Clock, Slice, VirtualClock
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timeline, Timers
from cfmock.engine.commands import Failure
from cfmock.engine.events import Event, as_events
from cfmock.engine.execution import CalledTask, FlowExecution, Nested
from cfmock.engine.flow import Flow
from cfmock.engine.identity import Identity
from cfmock.engine.languages import compile_definition
from cfmock.engine.map_runs import MapRun
from cfmock.engine.scheduler import FlowScheduler
from cfmock.engine.task_calls import TaskMock
from cfmock.engine.task_mocks import UNMOCKED, FlowStart, Functions, ScriptedTasks, TaskMocks

HEADS = {
    "text": "",
    "states": "Type: StateMachine\nSpecVersion: v1\nName: f\nStartAt: A\nStates:\n",
    "steps": "version: v1\ntype: flow\nsteps:\n",
}


def text_of(case: Mapping[str, Any]) -> str:
    """The definition of a case: `text`, or the `states` or `steps` of one."""
    key = next(key for key in HEADS if key in case)
    lines = case[key].split("\n")
    return HEADS[key] + "\n".join(lines if key == "text" else [f"  {line}" for line in lines])


def check_history(events: Sequence[Event]) -> None:
    """Ids run from 1 without a gap, and every event follows from an earlier one."""
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert all(event.cause < event.id for event in events)
    assert all(event.cause > 0 for event in events[1:])
    assert all(before.time <= after.time for before, after in pairwise(events))


class Seen:
    """An execution and what was seen of it."""

    def __init__(self) -> None:
        self.run: FlowExecution
        self.events: list[Event] = []
        self.points: list[str] = []

    @property
    def status(self) -> str:
        return self.run.status.value

    @property
    def output(self) -> Any:
        return self.run.output.value if self.run.output is not None else None

    @property
    def error(self) -> tuple[str, str]:
        return self.run.error, self.run.cause

    @property
    def duration(self) -> float:
        assert self.run.stopped is not None
        return self.run.stopped - self.run.started

    @property
    def visits(self) -> list[str]:
        return [event.step for event in self.events if event.type == "StepEntered"]

    def history(self) -> list[tuple[int, int, str, str, dict[str, Any]]]:
        return [(event.id, event.cause, event.type, event.step, event.data) for event in self.events]

    def told(self, type_: str) -> list[Event]:
        return [event for event in self.events if event.type == type_]


class Looks(Slice):
    """A slice that is over when it has been looked at so many times."""

    __slots__ = ("_left",)

    def __init__(self, number: int) -> None:
        self._left = number

    def over(self) -> bool:
        self._left -= 1
        return self._left <= 0


class Lab:
    """Runs definitions on a virtual clock that starts at 0, or on the one given, in slices of so many `looks`.

    `flows` are known by name, so that tasks can start them; `seen` are all executions, children too.
    """

    def __init__(
        self, *, clock: Clock | None = None, seed: int = 1, functions: Functions | None = None, looks: int = 1000
    ) -> None:
        self.clock = clock or VirtualClock(0.0)
        self.timers = Timers(self.clock)
        self.scheduler = FlowScheduler(self.timers, Ids(seed), lambda: Looks(looks))
        self.functions = functions
        self.flows: dict[str, tuple[Flow, TaskMocks]] = {}
        self.seen: dict[str, Seen] = {}
        self.unmocked: list[str] = []
        self.fail_unmocked = False

    def add(self, name: str, text: str, tasks: Mapping[str, list[Any]] | None = None, *, express: bool = False) -> Flow:
        mocks = {
            task: [mock if isinstance(mock, TaskMock) else TaskMock.from_mapping(mock) for mock in found]
            for task, found in (tasks or {}).items()
        }
        flow = compile_definition(text, name=name, express=express)
        self.flows[name] = flow, TaskMocks(mocks)
        return flow

    def start(
        self,
        flow: str,
        value: Any = None,
        *,
        name: str = "e1",
        timeline: Timeline | None = None,
        environment: Mapping[str, str] | None = None,
        on_begin: Callable[[FlowExecution], object] | None = None,
    ) -> Seen:
        seen = self.seen[name] = Seen()
        compiled, mocks = self.flows[flow]
        seen.run = self.scheduler.start(
            compiled,
            Identity(flow, name, "acs:ram::1:role/r", "cn-hangzhou", environment),
            {} if value is None else value,
            resolver=Tasks(self, mocks),
            sink=lambda rows: seen.events.extend(as_events(rows)),
            observe=seen.points.append,
            timeline=timeline,
            on_begin=on_begin,
        )
        return seen

    def run(self, text: str, value: Any = None, tasks: Mapping[str, list[Any]] | None = None, **more: Any) -> Seen:
        """Run a definition until nothing moves, as if a client waited for it."""
        self.add("f", text, tasks, express=more.pop("express", False))
        seen = self.start("f", value, **more)
        self.settle(seen)
        return seen

    def settle(self, seen: Seen) -> None:
        """Wait for an execution as a client does, until it has ended or only the outside can move it."""
        leave = self.scheduler.attend(seen.run)
        self.rest()
        leave()

    def rest(self) -> None:
        """Run what is due at this moment until nothing is."""
        self.timers.run_due()
        while self.timers.next_due() is not None and self.timers.next_due() <= self.clock.now():  # type: ignore[operator]
            self.timers.run_due()

    def advance(self, seconds: float) -> None:
        self.timers.advance_to(self.clock.now() + seconds)

    def note(self, task: CalledTask) -> None:
        """A task without a mock."""
        self.unmocked.append(task.call.state)
        if self.fail_unmocked:
            raise Failure(UNMOCKED, f"no mock for '{task.call.state}'")

    def start_map_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        return self.scheduler.start_map_child(parent, map_run, index)

    def start_nested(self, task: CalledTask, start: FlowStart) -> Nested:
        if start.flow not in self.flows:
            raise Failure(f"{task.call.product}.FlowNotExists", f"Flow {start.flow} does not exist.")
        name = start.execution or f"child{len(self.seen)}"
        if name in self.seen:
            raise Failure(f"{task.call.product}.ExecutionAlreadyExists", f"Execution {name} exists.")
        waits = task.call.mode.value != "RequestComplete"
        timeline = task.execution.timeline if waits else self.timers.timeline(task.execution.timeline.skipped)
        child = self.start(start.flow, start.input, name=name, timeline=timeline)
        return Nested(child.run, {"FlowName": start.flow, "ExecutionName": name, "RequestID": "r"})


class Tasks(ScriptedTasks):
    """Tells the laboratory of tasks without a mock, and starts nested flows in it."""

    def __init__(self, lab: Lab, mocks: TaskMocks) -> None:
        super().__init__(mocks, lab.functions)
        self.lab = lab

    def unmocked(self, task: CalledTask) -> None:
        self.lab.note(task)

    def start_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        return self.lab.start_map_child(parent, map_run, index)

    def start_flow(self, task: CalledTask, start: FlowStart) -> Nested:
        return self.lab.start_nested(task, start)
