"""Executions that outlive their process: what is recorded of them, and a laboratory that goes on from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cfmock.base.clocks import VirtualClock
from cfmock.base.json_text import Json
from cfmock.base.timers import Timeline
from cfmock.engine.events import as_events
from cfmock.engine.execution import CalledTask, ExecutionRecording, FlowExecution, Nested
from cfmock.engine.identity import Identity
from cfmock.engine.map_runs import MapRun
from cfmock.engine.recording import Entry
from cfmock.engine.replay import StandIn, replay
from cfmock.engine.task_mocks import FlowStart
from tests.support.lab import Lab, Seen, Tasks


@dataclass
class Kept:
    """What is kept of one execution: how it began, and what it has learned since."""

    flow: str
    name: str
    value: Any
    serial: int
    now: float
    skipped: float
    owner: int  # whose timeline it lives on
    parent: tuple[int, str] | None = None  # of a child of a map run: its parent, and the name of the map run
    entries: list[str] = field(default_factory=list)
    ended: bool = False


class RecordingLab(Lab):
    """A laboratory whose executions are recorded. `restarted` gives another one, in which all go on that have not ended."""

    def __init__(
        self, kept: dict[int, Kept] | None = None, now: float = 0.0, looks: int = 1000, functions: Any = None
    ) -> None:
        super().__init__(clock=VirtualClock(now), looks=looks, functions=functions)
        self.looks = looks
        self.kept: dict[int, Kept] = {} if kept is None else kept
        self.runs: dict[int, FlowExecution] = {}
        self.stand_ins: dict[int, StandIn] = {}
        self.timelines: dict[int, Timeline] = {}

    # -- starting

    def start(  # type: ignore[override]
        self, flow: str, value: Any = None, *, name: str = "e1", timeline: Timeline | None = None, **more: Any
    ) -> Seen:
        owner = next((serial for serial, each in self.timelines.items() if each is timeline), None)
        timeline = timeline or self.timers.timeline()
        serial = len(self.kept) + 1
        self.timelines[serial] = timeline
        value = {} if value is None else value
        self.kept[serial] = kept = Kept(
            flow, name, value, serial, self.clock.now(), timeline.skipped, owner or serial, **more
        )
        return self._begin(kept, timeline)

    def _begin(self, kept: Kept, timeline: Timeline) -> Seen:
        def write(entry: Entry) -> None:
            kept.entries.append(json.dumps(entry))

        def begun(run: FlowExecution) -> None:
            seen.run = run
            run.on_end.append(ended)

        def ended(run: FlowExecution) -> None:
            kept.ended = True

        flow, mocks = self.flows[kept.flow]
        if kept.parent is not None:
            state = kept.parent[1]
            flow = flow.child(next(each for each in self.processors if each[0] == (kept.flow, state))[1], express=False)
        seen = self.seen[kept.name] = Seen()
        recording = ExecutionRecording(write)
        recording.children = self
        self.runs[kept.serial] = seen.run = self.scheduler.start(
            flow,
            Identity(kept.flow, kept.name, "acs:ram::1:role/r", "cn-hangzhou", None, 0, "", kept.serial),
            kept.value,
            resolver=Tasks(self, mocks),
            sink=lambda rows: seen.events.extend(as_events(rows)),
            timeline=timeline,
            on_begin=begun,
            recording=recording,
        )
        return seen

    processors: list[tuple[tuple[str, str], Any]] = []  # noqa: RUF012 - of all laboratories

    def start_map_child(self, parent: FlowExecution, map_run: MapRun, index: int) -> FlowExecution:
        request = map_run.request
        key = parent.identity.flow, request.state
        if all(each[0] != key for each in self.processors):
            self.processors.append((key, request.processor))
        seen = self.start(
            parent.identity.flow, request.inputs[index], name=map_run.child_name(index), timeline=parent.timeline,
            parent=(parent.identity.serial, request.state),
        )  # fmt: skip
        return seen.run

    def start_nested(self, task: CalledTask, start: FlowStart) -> Nested:
        name = start.execution or f"child{len(self.kept)}"
        waits = task.call.mode.value != "RequestComplete"
        timeline = task.execution.timeline if waits else self.timers.timeline(task.execution.timeline.skipped)
        child = self.start(start.flow, start.input, name=name, timeline=timeline)
        return Nested(child.run, {"FlowName": start.flow, "ExecutionName": name, "RequestID": "r"})

    # -- going on

    def restarted(self) -> RecordingLab:
        """What a new process makes of what was kept."""
        other = RecordingLab(self.kept, self.clock.now(), looks=self.looks, functions=self.functions)
        other.flows, other.fail_unmocked = self.flows, self.fail_unmocked
        other.seen = {name: seen for name, seen in self.seen.items() if seen.run.ended}
        going_on = [each for each in self.kept.values() if not each.ended]
        for kept in going_on:
            if kept.owner not in other.timelines:
                other.timelines[kept.owner] = other.timers.timeline()
            other.timelines[kept.serial] = other.timelines[kept.owner]
        clock: Any = other.clock
        with other.scheduler.held():
            for kept in going_on:
                timeline = other.timelines[kept.serial]
                clock.restart(kept.now)
                timeline.skipped = kept.skipped
                entries = [json.loads(entry) for entry in kept.entries]
                seen = other._begin(kept, timeline)
                replay(seen.run, entries, clock.restart)
            for serial, stand_in in other.stand_ins.items():
                if serial in other.runs:
                    stand_in.become(other.runs[serial])
            clock.restart(self.clock.now())
            for run in other.runs.values():
                recording: Any = run.recording
                for task in recording.later:
                    assert run.resolver.call_again(task)  # type: ignore[attr-defined]
            for serial, timeline in other.timelines.items():
                timeline.skip_to(self.timelines[serial].skipped)
        return other

    def child(self, serial: int, waits: FlowExecution | None) -> StandIn:
        timeline = self.timelines.get(serial) or (waits.timeline if waits is not None else self.timers.timeline())
        return self.stand_ins.setdefault(serial, StandIn(timeline))

    def again(self, task: CalledTask, serial: int, joined: bool) -> Any:
        raise AssertionError("a laboratory has no canned executions")

    def spent(self, execution: FlowExecution, mock: Json) -> None:
        found = self.flows[execution.identity.flow][1].at(mock)
        assert found is not None
        execution.spent[found] = execution.spent.get(found, 0) + 1


class Calls:
    """Functions outside that answer when the test says so."""

    def __init__(self) -> None:
        self.replies: list[Callable[[Any], None]] = []

    def call_http(self, url: str, event: Any, reply: Callable[[Any], None], /) -> None:
        self.replies.append(reply)

    def call_python(self, function: Any, event: Any, moment: float, reply: Callable[[Any], None], /) -> None:
        self.replies.append(reply)

    def forget(self) -> None:
        self.replies.clear()
