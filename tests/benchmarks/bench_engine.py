"""How fast definitions run, in process, against the limits.

    python tests/benchmarks/bench_engine.py

Prints transitions a second through a flow of Pass, Choice, Task (mocked, with one retry) and Map, with history; what a
transition costs in a long execution against a short one; the wait of ten minutes that a client waits for on a virtual
clock; and what ten thousand waiting executions take, in memory and to advance over. Exits 1 if a limit is missed. The
best of several rounds counts, as whatever else the machine does only adds.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from cfmock.api.client import signed_request
from cfmock.base.clocks import VirtualClock
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timers
from cfmock.engine.events import History
from cfmock.engine.execution import Answer, CalledTask
from cfmock.engine.identity import Identity
from cfmock.engine.languages import compile_definition
from cfmock.engine.scheduler import FlowScheduler
from cfmock.engine.task_calls import Fails, TaskMock
from cfmock.engine.task_mocks import ScriptedTasks, TaskMocks
from cfmock.fixtures.loader import load
from cfmock.fixtures.seeding import build
from cfmock.settings import resolve

ROUNDS = 9
RATE, FLATNESS, WAIT_MS, MEMORY_MB, ADVANCE_S = 40_000, 1.25, 5.0, 100.0, 2.0
WAITING = 10_000
PASSES, PASS_RATE = 500, 100_000

FLOW = """
Type: StateMachine
SpecVersion: v1
Name: bench
StartAt: Count
States:
  - {Type: Pass, Name: Count, OutputConstructor: {n.$: 'intAdd($Input.n, 1)', last.$: $Input.last, items.$:
  $Input.items}, Next: Call}
  - Type: Task
    Name: Call
    Action: FC:InvokeFunction
    Parameters: {resourceArn: 'acs:fc:::functions/f', body: {n.$: $Input.n}}
    Retry: [{Errors: [FC.ResourceThrottled], MaxAttempts: 1, IntervalSeconds: 1}]
    OutputConstructor: {n.$: $Input.n, last.$: $Input.last, items.$: $Input.items, receipt.$: $Output.Body.receipt}
    Next: Each
  - Type: Map
    Name: Each
    ItemsPath: $Input.items
    Processor: {StartAt: One, States: [{Type: Pass, Name: One, OutputConstructor: {id.$: $Input.id}, End: true}]}
    OutputConstructor: {n.$: $Input.n, last.$: $Input.last, items.$: $Input.items}
    Next: More
  - {Type: Choice, Name: More, Branches: [{Condition: $Input.n < $Input.last, Next: Count}], Default: Done}
  - {Type: Succeed, Name: Done}
"""
MOCKS = TaskMocks({"Call": [TaskMock.from_mapping({"returns": {"Body": {"receipt": "r1"}}})]})
ITEMS = [{"id": number} for number in range(4)]

WAIT = "{version: v1, type: flow, steps: [{type: wait, name: pause, duration: 600}]}"


class Throttled(ScriptedTasks):
    """Refuses the first try of every task."""

    def resolve(self, task: CalledTask) -> Answer:
        return Fails("FC.ResourceThrottled") if task.call.retries == 0 else super().resolve(task)


def run(text: str, value: Any, mocks: TaskMocks) -> Callable[[], History]:
    """Runs a definition to its end on virtual time, as if a client waited for it; gives its history."""
    flow = compile_definition(text)
    timers = Timers(VirtualClock(1_717_200_000.0))
    runner = FlowScheduler(timers, Ids(1))
    resolver = Throttled(mocks)

    def once() -> History:
        history = History()
        execution = runner.start(flow, Identity("bench", "e1"), value, resolver=resolver, sink=history.sink)
        leave = runner.attend(execution)
        while not execution.ended:
            timers.run_due()
        leave()
        assert execution.output is not None, (execution.error, execution.cause)
        return history

    return once


def best(work: Callable[[], Any]) -> float:
    """Seconds of processor time, so that what else the machine does counts as little as possible."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        rounds.append(time.process_time() - began)
    return min(rounds)


def per_transition(last: int) -> tuple[float, int]:
    """Seconds a transition, and events, of an execution of so many turns of the loop."""
    once = run(FLOW, {"n": 0, "last": last, "items": ITEMS}, MOCKS)
    history = once()
    transitions = sum(event.type == "StepEntered" for event in history)
    return best(once) / transitions, len(history)


def _passes() -> str:
    names = [f"S{number}" for number in range(PASSES)]
    states: list[dict[str, Any]] = [{"Type": "Pass", "Name": name, "Next": after} for name, after in pairwise(names)]
    states.append({"Type": "Pass", "Name": names[-1], "End": True})
    return json.dumps({"Type": "StateMachine", "SpecVersion": "v1", "Name": "p", "StartAt": names[0], "States": states})


def waiting() -> tuple[float, float]:
    """Megabytes that ten thousand waiting executions add to a server, and seconds to advance over their end."""
    fixture = load([{"cfmock": 1, "flows": [{"name": "pause", "definition": WAIT}]}])
    emulator = build(
        fixture, resolve({"clock": "virtual", "now": 1_717_200_000.0}, {}, fixture.settings, keywords=True)
    )
    credential = emulator.credentials[0]
    keys = {"access_key_id": credential.access_key_id, "access_key_secret": credential.access_key_secret}

    def start(name: str) -> None:
        emulator.handle(signed_request("StartExecution", {"FlowName": "pause", "ExecutionName": name}, **keys))

    for number in range(2_000):  # so that the journal is full
        start(f"warm-{number}")
    emulator.time.advance_to(emulator.clock.now() + 600)
    gc.collect()
    before = resident()
    for number in range(WAITING):
        start(f"e-{number}")
    gc.collect()
    grown = resident() - before
    began = time.perf_counter()
    emulator.time.advance_to(emulator.clock.now() + 600)
    return grown, time.perf_counter() - began


def resident() -> float:
    """Resident memory in MB; the most there ever was where the system does not tell what there is now."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def measures() -> Iterator[tuple[str, float, float, bool, str]]:
    """What it is, its figure, its limit, whether that is a lower one, and a note."""
    long, events = per_transition(105)
    short, few = per_transition(10)
    yield "transitions a second", 1 / long, RATE, True, f"{long * 1e6:.1f} us each, over {events} events"
    yield f"a transition of {events} events to one of {few}", long / short, FLATNESS, False, ""
    yield (
        "Pass states a second",
        PASSES / best(run(_passes(), {"order": 12}, TaskMocks())),
        PASS_RATE,
        True,
        "with history",
    )
    yield "a wait of ten minutes, ms", best(run(WAIT, {}, TaskMocks())) * 1000, WAIT_MS, False, ""
    grown, seconds = waiting()
    yield f"{WAITING} waiting executions, MB", grown, MEMORY_MB, False, f"{grown * 1024 / WAITING:.1f} kB each"
    yield "advancing over their ends, s", seconds, ADVANCE_S, False, ""


def main() -> int:
    missed = False
    for what, figure, limit, at_least, note in measures():
        met = figure >= limit if at_least else figure <= limit
        missed |= not met
        bound = f"{'>=' if at_least else '<='} {limit:g}"
        print(f"{what:<48} {figure:>10.2f}   {bound:>9}  {'ok' if met else 'MISSED':<6} {note}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
