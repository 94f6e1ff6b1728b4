"""Two servers under mixed traffic of the vendor's SDKs for minutes, with faults, reloads, real and virtual flows.

    python tests/benchmarks/soak.py [--minutes N]

One server goes by a real clock and one by a virtual one that is moved on all the time. Prints, for each, what the memory
grew by in the last half of the time, how many executions were started and how many of them are lost, how many answers were
other than asked for, what it told of mistakes of its own, and how long it took to stop; exits 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bench
import load

from cfmock.api import client
from tests.e2e import environments
from tests.e2e.sdks import KINDS, Refused, Sdk, driver

MINUTES = 10.0
GROWTH, STOPS = 2.0, 2.0
"""The limits: per cent in the last half, seconds to stop."""

KEPT = 2_000
"""Ended executions that a server keeps here, so that it comes to this bound in the first half."""

CLIENTS = ("tea", "tea-async", "legacy", "pop-core", "acs3-sha256")
MODELS = ("tea", "tea-async")
"""Those of `CLIENTS` that take values as they are; the others take texts."""

OLD = ("legacy", "pop-core")
"""Those that know nothing of versions, and of synchronous starts."""

FLOWS = """\
cfmock: 1
credentials:
  - {access_key_id: bench-ak, access_key_secret: bench-secret}
  - {access_key_id: e2e-ak, access_key_secret: e2e-secret}
flows:
  - {name: canned, outcomes: [{output: {ok: true}}]}
  - name: work
    definition:
      Type: StateMachine
      SpecVersion: v1
      Name: work
      StartAt: Take
      States:
        - {Type: Pass, Name: Take, OutputConstructor: {n.$: $Input.n, items.$: "toArray($Input.n, 1, 2)"}, Next: Each}
        - Type: Map
          Name: Each
          ItemsPath: $Input.items
          Processor: {StartAt: Call, States: [{Type: Task, Name: Call, Action: "FC:InvokeFunction", End: true}]}
          Next: Nap
        - {Type: Wait, Name: Nap, Seconds: 1, End: true}
    tasks: {Call: [{returns: {receipt: r1}}]}
  - name: reports
    definition:
      Type: StateMachine
      SpecVersion: v1
      Name: reports
      StartAt: Ask
      States:
        - {Type: Task, Name: Ask, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback, Timeout: 86400, End: true}
  - name: fast
    execution_mode: Express
    definition: {Type: StateMachine, SpecVersion: v1, Name: fast, StartAt: P, States: [{Type: Pass, Name: P, End: true}]}
  - {name: faulty}
faults:
  - {when: {operation: DescribeFlow, flow: faulty}, error: InternalServerError}
  - {when: {operation: ListExecutions, flow: faulty}, delay: 5ms}
"""
COUNTED = ("canned", "work", "reports", "fast")
"""The flows whose executions are counted."""

DEFINITION = "version: v1\ntype: flow\nsteps: [{type: pass, name: P}]\n"


@dataclass
class Place:
    """A server under test, and what was seen of it. `started` are names of executions by flow."""

    clock: str
    folder: Path
    server: bench.Server
    log: Any
    started: dict[str, set[str]] = field(default_factory=lambda: {flow: set() for flow in COUNTED})
    surprises: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_cfmock/{path}", data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.load(answer)

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """A call by our own client."""
        keys = {"access_key_id": load.ACCESS_KEY_ID, "access_key_secret": load.SECRET}
        status, answer = client.send(self.url, client.signed_request(operation, parameters, **keys))
        assert status == 200, answer
        return answer

    def write(self, number: int) -> None:
        """Change a fixture file; the server reloads it."""
        flows = {"cfmock": 1, "flows": [{"name": "reloaded", "description": f"the {number}th"}]}
        beside = self.folder / "reloaded.tmp"
        beside.write_text(json.dumps(flows), encoding="utf-8")
        beside.rename(self.folder / "reloaded.json")


class User(threading.Thread):
    """One client at work in rounds, until the time is over."""

    def __init__(self, place: Place, name: str, sdk: Sdk, ends: float) -> None:
        super().__init__(name=f"{place.clock}-{name}", daemon=True)
        self.place = place
        self.sdk = sdk
        self.ends = ends
        self.typed = name in MODELS
        self.old = name in OLD

    def run(self) -> None:
        number = 0
        while time.monotonic() < self.ends:
            number += 1
            try:
                self.round(number, f"{self.name}-{number}")
            except Exception as error:
                with self.place.lock:
                    self.place.surprises[f"{type(error).__name__} for {self.sdk.kind.driver}: {error}"[:200]] += 1

    def call(self, operation: str, *, code: str | None = None, **parameters: Any) -> dict[str, Any]:
        """A call that should be answered, or refused with this code; what else comes is noted, and gives nothing."""
        if not self.typed:
            parameters = {key: client.wire_text(value) for key, value in parameters.items()}
        got, answer = None, {}
        try:
            answer = self.sdk.call(operation, **parameters)
        except Refused as refused:
            got = refused.code
        with self.place.lock:
            self.place.calls += 1
            if got != code:
                self.place.surprises[f"{operation} by {self.name}: {got} instead of {code}"] += 1
            if operation.startswith("Start") and got is None:
                # A synchronous start adds something to the name.
                self.place.started[parameters["FlowName"]].add(answer["Name"])
        return answer

    def round(self, number: int, name: str) -> None:
        """Some calls that belong together, another kind of them each time."""
        self.call(
            "StartExecution", FlowName="work", ExecutionName=name, Input=json.dumps({"n": number, "pad": "x" * 500})
        )
        self.call("DescribeExecution", FlowName="work", ExecutionName=name)
        match number % 8:
            case 0:
                self.changes(name)
            case 1:
                self.call("GetExecutionHistory", FlowName="work", ExecutionName=name, Limit=10)
                self.call("ListExecutions", FlowName="work", Limit=10)
            case 2:
                self.reports(name, number)
            case 3:
                self.call("DescribeFlow", Name="faulty", code="InternalServerError")
                self.call("ListExecutions", FlowName="faulty", Limit=5)
                self.call("DescribeFlow", Name="nowhere", code="FlowNotExists")
            case 4 if not self.old:
                self.call("StartSyncExecution", FlowName="fast", ExecutionName=name, Input='{"a": 1}')
            case 5:
                self.call("StartExecution", FlowName="canned", ExecutionName=name)
                self.call("ListFlows", Limit=20)
            case 6:
                schedule = {"FlowName": "faulty", "ScheduleName": name}
                self.call("CreateSchedule", **schedule, CronExpression="@every 5m", Enable=True)
                self.call("DescribeSchedule", **schedule)
                self.call("DeleteSchedule", **schedule)
            case _:
                self.call("DescribeFlow", Name="reloaded")
                self.call("StartExecution", FlowName="canned", ExecutionName=name)
                self.call("StartExecution", FlowName="canned", ExecutionName=name, code="ExecutionAlreadyExists")

    def changes(self, name: str) -> None:
        self.call("CreateFlow", Name=name, Type="FDL", Description="d", Definition=DEFINITION)
        self.call("UpdateFlow", Name=name, Description="another")
        if not self.old:
            self.call("PublishFlowVersion", FlowName=name)
            routes = [{"Version": "1", "Weight": 100}]
            self.call("CreateFlowAlias", FlowName=name, Name="live", RoutingConfigurations=routes)
            self.call("DeleteFlowAlias", FlowName=name, Name="live")
            self.call("DeleteFlowVersion", FlowName=name, FlowVersion="1")
        self.call("DeleteFlow", Name=name)

    def reports(self, name: str, number: int) -> None:
        self.call("StartExecution", FlowName="reports", ExecutionName=name)
        if number % 16 == 2:
            self.call("StopExecution", FlowName="reports", ExecutionName=name, Error="Enough", Cause="of it")
            return
        waiting = self.place.admin("GET", "tasks?flow=reports")["tasks"]
        for task in waiting:
            if task["execution"] == name:
                self.call("ReportTaskSucceeded", TaskToken=task["token"], Output='{"ok": true}')


# -- what goes on beside ---------------------------------------------------------------------------------------------------


def disturb(place: Place, ends: float) -> None:
    """Change files, add and remove faults, move the virtual clock on, and look at the memory, once a second."""
    began, number = time.monotonic(), 0
    while time.monotonic() < ends:
        number += 1
        place.memory.append((time.monotonic() - began, place.server.rss()))
        if place.clock == "virtual":
            place.admin("POST", "clock", {"advance": "90s"})
        if number % 5 == 0:
            place.write(number)
        if number % 7 == 0:
            fault = place.admin("POST", "faults", {"when": {"flow": "faulty"}, "delay": "2ms", "times": 3})
            place.admin("GET", "calls?limit=20")
            place.admin("DELETE", f"faults/{fault['id']}")
        time.sleep(1)


def settle(place: Place, patience: float = 60.0) -> None:
    """Let what still runs come to its end."""
    if place.clock == "virtual":
        place.admin("POST", "clock", {"advance": "1h"})
    ends = time.monotonic() + patience
    while running(place) and time.monotonic() < ends:
        time.sleep(0.2)


def running(place: Place) -> bool:
    return any(place.call("ListExecutions", FlowName=flow, Status="Running", Limit=1)["Executions"] for flow in COUNTED)


def kept(place: Place, flow: str) -> Iterator[dict[str, Any]]:
    """The executions of a flow that the server still has."""
    token: dict[str, Any] = {}
    while True:
        page = place.call("ListExecutions", FlowName=flow, Limit=100, MetadataOnly=True, **token)
        yield from page["Executions"]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


# -- the report ------------------------------------------------------------------------------------------------------------


def growth(samples: list[tuple[float, float]]) -> tuple[float, str]:
    """By how many per cent the memory grew in the last half, along the straight line that fits best; and between what."""
    half = samples[len(samples) // 2 :]
    times, sizes = zip(*half, strict=True)
    slope = statistics.linear_regression(times, sizes).slope
    note = f"{min(sizes):.1f} to {max(sizes):.1f} MB in {times[-1] - times[0]:.0f} s"
    return 100 * slope * (times[-1] - times[0]) / statistics.fmean(sizes), note


def lost(place: Place) -> tuple[int, str]:
    """How many executions that were started are neither there nor among those that the server says it dropped, and how many
    are there that nobody started or did not end well."""
    found = {flow: {each["Name"]: each["Status"] for each in kept(place, flow)} for flow in COUNTED}
    missing = sum(len(place.started[flow] - found[flow].keys()) for flow in COUNTED)
    strange = sum(len(found[flow].keys() - place.started[flow]) for flow in COUNTED if flow != "canned")
    unwell = sum(status not in ("Succeeded", "Stopped") for flow in COUNTED for status in found[flow].values())
    dropped = place.admin("GET", "health")["dropped"]
    note = f"{missing} not there, {dropped} dropped by its bounds, {strange} unknown, {unwell} did not end well"
    return max(0, missing - dropped) + strange + unwell, note


def measures(place: Place) -> Iterator[bench.Measure]:
    """What came of the soak; stops the server."""
    settle(place)
    clock = f"{place.clock} clock"
    grown, note = growth(place.memory)
    yield bench.Measure(f"{clock}: growth in the last half", grown, GROWTH, " %", note=note)
    number, note = lost(place)
    started = sum(map(len, place.started.values()))
    yield bench.Measure(f"{clock}: executions lost", number, 0, note=f"of {started}: {note}")
    total = place.surprises.total()
    note = "; ".join(f"{count}x {what}" for what, count in place.surprises.most_common(3))
    yield bench.Measure(f"{clock}: answers nobody asked for", total, 0, note=f"of {place.calls}. {note}")
    began = time.monotonic()
    place.server.stop()
    yield bench.Measure(f"{clock}: SIGTERM to the end", time.monotonic() - began, STOPS, " s")
    place.log.seek(0)
    said = place.log.read().decode(errors="replace")
    reloads = said.count("reloaded:")
    mistakes = said.count("Traceback") + said.count("a mistake of cfmock's own")
    yield bench.Measure(f"{clock}: mistakes told", mistakes, 0, note=f"{reloads} reloads")


# -- all of it -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(clock: str) -> Iterator[Place]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "flows.yaml").write_text(f"{FLOWS}settings: {{keep_executions: {KEPT}}}\n", encoding="utf-8")
        log = stack.enter_context(tempfile.TemporaryFile())
        command = [*bench.CFMOCK[:4], str(folder), "--reload", "--clock", clock, "--port"]
        place = Place(clock, folder, bench.Server(command, log), log)
        stack.callback(lambda: place.server.process.poll() is None and place.server.stop())
        place.started["canned"].update(each["Name"] for each in kept(place, "canned"))
        place.write(0)
        yield place


def users(place: Place, ends: float, stack: contextlib.ExitStack) -> Iterator[User]:
    for name in CLIENTS:
        try:
            process = stack.enter_context(driver(KINDS[name], place.url))
        except environments.Unavailable as error:
            print(f"without {name}: {error}")
            continue
        yield User(place, name, Sdk(KINDS[name], process, place.url), ends)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description="Mixed traffic of the SDKs for minutes.")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"how long ({MINUTES:g})")
    minutes = parser.parse_args().minutes
    missed = False
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(serving(clock)) for clock in ("real", "virtual")]
        ends = time.monotonic() + 60 * minutes
        work: list[threading.Thread] = [user for place in places for user in users(place, ends, stack)]
        work += [threading.Thread(target=disturb, args=(place, ends), daemon=True) for place in places]
        for each in work:
            each.start()
        for each in work:
            each.join()
        for place in places:
            for measure in measures(place):
                print(measure, flush=True)
                missed |= not measure.met
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
