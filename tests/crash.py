"""Kills a server with a state file again and again, and compares what it acknowledged with what the next one says.

    python -m tests.crash [--kills N] [--seed N] [--sdk]

Clients start, stop, report and look at executions of mixed flows (waits, retries, callbacks, nested flows, maps, schedules,
canned ones) on a real clock, and on a virtual one that is moved on all the time. SIGKILL comes at random. Whatever was answered
has to be there afterwards: no start is lost, nothing that has ended goes on, no history has a gap, repeats an event or says
something else.
Prints what was compared; exit 1 if something was lost. `--sdk`: half of the clients are the vendor's Python SDK.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfmock.api.client import send, signed_request
from cfmock.base.errors import ServiceError
from tests.e2e.sdks import KINDS, Refused, Sdk, driver
from tests.support.processes import Serving, serving

FLOWS = """\
cfmock: 1
flows:
  - name: waits
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: waits
      StartAt: A
      States:
        - {Type: Wait, Name: A, Seconds: 1, Next: B}
        - {Type: Pass, Name: B, OutputConstructor: {id.$: uuid()}, Next: C}
        - {Type: Wait, Name: C, Seconds: 1, End: true}
  - name: retries
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: retries
      StartAt: A
      States:
        - Type: Task
          Name: A
          Action: FC:InvokeFunction
          Retry: [{Errors: [X], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 1}]
          End: true
    tasks: {A: [{fails: {code: X}, times: 2}, {returns: {ok: true}, after: 200ms}]}
  - name: callback
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: callback
      StartAt: A
      States:
        - {Type: Task, Name: A, Action: "FC:InvokeFunction", TaskMode: WaitForCustomCallback, Timeout: 600, Next: B}
        - {Type: Pass, Name: B, End: true}
  - name: nested
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: nested
      StartAt: A
      States:
        - Type: Task
          Name: A
          Action: FNF:StartExecution
          TaskMode: WaitForSystemCallback
          Parameters: {resourceArn: "acs:fnf:::flow/waits"}
          End: true
  - name: maps
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: maps
      StartAt: M
      States:
        - Type: Map
          Name: M
          ItemsPath: $Input.l
          MaxConcurrency: 2
          ProcessorConfig: {ExecutionMode: Standard}
          Processor:
            StartAt: W
            States: [{Type: Wait, Name: W, Seconds: 1, End: true}]
          Next: N
        - Type: Map
          Name: N
          ItemsPath: $Input.l
          Processor:
            StartAt: W
            States: [{Type: Pass, Name: W, End: true}]
          End: true
  - {name: canned, outcomes: [{when: {execution: "late-*"}, after: 1s}, {output: {ok: true}}]}
faults:
  - {when: {operation: "*", call: [1000000]}, error: InternalServerError}  # counts calls, those that change nothing too
schedules:
  - {flow: canned, name: ticks, cron: "@every 1m"}
"""
INPUTS = {"maps": {"l": [1, 2, 3, 4]}}
STARTED = ("waits", "retries", "callback", "nested", "maps", "canned")
MANY = 100
"""Executions after which a new file is begun, so that comparing all does not take ever longer."""

ENDED = ("Succeeded", "Failed", "Stopped", "TimedOut")

Call = Callable[..., dict[str, Any]]


@dataclass
class Known:
    """What a server has acknowledged of one execution."""

    fields: dict[str, Any] | None = None  # of its end
    events: list[dict[str, Any]] = field(default_factory=list)


class Broken(Exception):
    """The server is gone: what was asked may or may not have happened."""


class Record:
    """What was acknowledged so far, and what was found wrong."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.executions: dict[tuple[str, str], Known] = {}
        self.reported: set[str] = set()
        self.flows: set[str] = set()
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()

    def until_more(self, count: int) -> None:
        """Wait until so many more answers have come, or for five seconds."""
        wanted, end = self.counts.total() + count, time.monotonic() + 5
        while self.counts.total() < wanted and time.monotonic() < end:
            time.sleep(0.001)

    def started(self, flow: str, name: str) -> None:
        with self.lock:
            self.executions.setdefault((flow, name), Known())
            self.counts["starts"] += 1

    def seen(self, flow: str, name: str, fields: dict[str, Any]) -> None:
        """What DescribeExecution answered."""
        fields = {key: value for key, value in fields.items() if key != "RequestId"}
        with self.lock:
            self.counts["looks"] += 1
            known = self.executions[flow, name]
            if known.fields is not None and known.fields != fields:
                self.wrong.append(f"{flow}/{name} had ended as {known.fields}, and is {fields}")
            elif fields["Status"] in ENDED:
                known.fields = fields

    def told(self, flow: str, name: str, events: list[dict[str, Any]]) -> None:
        """What GetExecutionHistory answered."""
        with self.lock:
            self.counts["histories"] += 1
            known = self.executions[flow, name]
            if [event["EventId"] for event in events] != list(range(1, len(events) + 1)):
                self.wrong.append(f"{flow}/{name}: the ids of its events are {[event['EventId'] for event in events]}")
            elif events[: len(known.events)] != known.events:
                before = next(pair for pair in zip(known.events, [*events, None], strict=False) if pair[0] != pair[1])
                self.wrong.append(f"{flow}/{name}: an event was {before[0]}, and is {before[1]}")
            else:
                known.events = events


class Hand:
    """One client, at work until the server dies."""

    def __init__(self, record: Record, chance: random.Random, call: Call, url: str) -> None:
        self.record = record
        self.chance = chance
        self._call = call
        self._url = url

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Raises ServiceError for an answered error, Broken where there was no answer."""
        try:
            return self._call(operation, **parameters)
        except ServiceError as error:
            if error.code == "InternalServerError":
                self.record.wrong.append(f"{operation} was answered InternalServerError")
            raise
        except Exception as error:
            raise Broken from error

    def work(self) -> None:
        with contextlib.suppress(Broken):
            while True:
                with contextlib.suppress(ServiceError):
                    self.chance.choices([self.start, self.look, self.read, self.report, self.stop], (6, 3, 2, 2, 1))[
                        0
                    ]()

    def start(self) -> None:
        flow = self.chance.choice(STARTED)
        late = "late-" if flow == "canned" and self.chance.random() < 0.5 else "e-"
        name = f"{late}{self.chance.getrandbits(64):x}"
        given = json.dumps(INPUTS.get(flow, {"a": self.chance.random()}))
        self.call("StartExecution", FlowName=flow, ExecutionName=name, Input=given)
        self.record.started(flow, name)

    def some(self) -> tuple[str, str] | None:
        with self.record.lock:
            names = list(self.record.executions)
        return self.chance.choice(names[-200:]) if names else None

    def look(self) -> None:
        if (found := self.some()) is not None:
            self.look_at(*found)

    def look_at(self, flow: str, name: str) -> None:
        self.record.seen(flow, name, self.call("DescribeExecution", FlowName=flow, ExecutionName=name))

    def read(self) -> None:
        if (found := self.some()) is not None:
            self.read_of(*found)

    def read_of(self, flow: str, name: str) -> None:
        self.record.told(
            flow, name, self.call("GetExecutionHistory", FlowName=flow, ExecutionName=name, Limit=999)["Events"]
        )

    def stop(self) -> None:
        if (found := self.some()) is not None:
            self.call("StopExecution", FlowName=found[0], ExecutionName=found[1], Cause="crash test")

    def report(self) -> None:
        try:
            with urllib.request.urlopen(f"{self._url}/_cfmock/tasks", timeout=10) as answer:
                tasks = json.load(answer)["tasks"]
        except (OSError, ValueError) as error:
            raise Broken from error
        if tasks:
            token = self.chance.choice(tasks)["token"]
            self.call("ReportTaskSucceeded", TaskToken=token, Output='{"reported": true}')
            with self.record.lock:
                self.record.counts["reports"] += 1
                self.record.reported.add(token)


def check(record: Record, hand: Hand) -> None:
    """Compare everything that was acknowledged with what the server says now."""
    for (flow, name), known in list(record.executions.items()):
        for look in (hand.look_at, hand.read_of):
            try:
                look(flow, name)
            except ServiceError as error:
                record.wrong.append(
                    f"{flow}/{name} was acknowledged ({known.fields and known.fields['Status']}): {error}"
                )
    for token in record.reported:
        try:
            hand.call("ReportTaskSucceeded", TaskToken=token, Output="{}")
            record.wrong.append(f"{token} was reported, and could be once more")
        except ServiceError as error:
            if error.code != "TaskAlreadyCompleted":
                record.wrong.append(f"{token} was reported: {error}")
    record.reported.clear()
    for flow in STARTED:
        listed = names_of(hand, flow)
        record.counts["listed"] += len(listed)
        if len(set(listed)) < len(listed):
            record.wrong.append(f"{flow}: a name is listed twice")


def names_of(hand: Hand, flow: str) -> list[str]:
    names: list[str] = []
    token = ""
    while True:
        page = hand.call("ListExecutions", FlowName=flow, Limit=100, NextToken=token)
        names += [each["Name"] for each in page["Executions"]]
        token = page.get("NextToken", "")
        if not token:
            return names


def move(url: str, chance: random.Random) -> None:
    """Move a virtual clock on until the server dies."""
    with contextlib.suppress(OSError, ValueError):
        while True:
            body = json.dumps({"advance": f"{chance.randint(10, 900)}ms"}).encode()
            request = urllib.request.Request(f"{url}/_cfmock/clock", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=10):
                time.sleep(0.005)


def crash(
    kills: int, seed: int, clock: str, folder: Path, hands: int = 3, sdk: bool = False, *, progress: bool = False
) -> Record:
    """Kill a server so many times."""
    chance, record = random.Random(seed), Record()
    fixture, state = folder / "flows.yaml", folder / "state.db"
    fixture.write_text(FLOWS, encoding="utf-8")
    for number in range(kills + 1):
        with (
            ExitStack() as until,
            serving(str(fixture), "--state", str(state), "--clock", clock, "--keep-executions", "100000") as server,
        ):
            look = Hand(record, chance, own_client(server), server.url)
            check(record, look)
            if number == kills or record.wrong:
                break
            works = [
                Hand(
                    record,
                    random.Random(chance.random()),
                    sdk_client(server, until) if sdk and each % 2 else own_client(server),
                    server.url,
                ).work
                for each in range(hands)
            ]
            threads = [threading.Thread(target=work, daemon=True) for work in works]
            if clock == "virtual":
                threads.append(
                    threading.Thread(target=move, args=(server.url, random.Random(chance.random())), daemon=True)
                )
            for thread in threads:
                thread.start()
            record.until_more(chance.randint(1, 60))
            time.sleep(chance.uniform(0, 0.02))
            server.process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
        forget_old(record, state)
        record.counts["kills"] += 1
        if progress and record.counts["kills"] % 50 == 0:
            print(f"{record.counts['kills']} kills, {record.counts['starts']} starts", file=sys.stderr, flush=True)
    return record


def forget_old(record: Record, state: Path) -> None:
    """Begin with a new file if there are `MANY`."""
    if len(record.executions) > MANY:
        record.executions.clear()
        record.reported.clear()
        for file in state.parent.glob(f"{state.name}*"):
            file.unlink()


def own_client(server: Serving) -> Call:
    """A client of our own."""

    def call(operation: str, **parameters: Any) -> dict[str, Any]:
        request = signed_request(operation, parameters, access_key_id="cfmock", access_key_secret="cfmock-secret")
        status, fields = send(server.url, request, timeout=20)
        if status >= 400:
            raise ServiceError(fields["Code"], status=status, message=fields["Message"])
        return fields

    return call


def sdk_client(server: Serving, until: ExitStack) -> Call:
    """The vendor's older SDK for Python, in a process of its own. Raises `environments.Unavailable` where it is not installed."""
    sdk = Sdk(KINDS["legacy"], until.enter_context(driver(KINDS["legacy"], server.url)), server.url)
    key = {"access_key_id": "cfmock", "access_key_secret": "cfmock-secret", "security_token": None}

    def call(operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            return sdk.call(operation, using=key, **{name: str(value) for name, value in parameters.items()})
        except Refused as error:
            if error.code is None or error.status is None:
                raise Broken from None
            raise ServiceError(error.code, status=error.status, message=error.message) from None

    return call


def main() -> int:
    """Kill servers on both clocks; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description="Kill servers, and see what is lost.")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--sdk", action="store_true")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    wrong = 0
    for clock in ("real", "virtual"):
        folder = Path(tempfile.mkdtemp(prefix="cfmock-crash-"))
        record = crash(given.kills // 2, given.seed, clock, folder, sdk=given.sdk, progress=True)
        told = ", ".join(f"{count} {name}" for name, count in sorted(record.counts.items()))
        print(f"{clock} clock: {told}; {len(record.wrong)} wrong", flush=True)
        for line in record.wrong[:20]:
            print(f"  {line}")
        wrong += len(record.wrong)
        if not record.wrong:
            shutil.rmtree(folder)
        else:
            print(f"  {folder} is left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
