"""Kills, pauses and cuts off replicas that share a PostgreSQL, and looks for anything that one server would not have answered.

    python -m tests.crash_replicas [--rounds N] [--seed N]

Three replicas, each with a way of its own to the database; clients go to any of them. In each round one is killed, paused, cut
off from the database, or has its session ended, for longer or shorter than the database waits for it. The record of all calls is
checked: what a call has answered, every call that begins afterwards has to know. So no start that was acknowledged is missing,
one name is one execution, nothing that has ended goes on, no history loses an event, and no two replicas own a world.
Prints what was compared; exit 1 if something was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfmock.api.client import send, signed_request
from cfmock.base.errors import ServiceError
from tests.crash import ENDED, FLOWS, INPUTS
from tests.support.postgres import Cluster, cluster
from tests.support.processes import Serving, serving

STARTED = ("waits", "retries", "callback", "nested", "maps", "canned")
REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing")
REPLICAS = 3
RECENT = 60

Key = tuple[str, str, str]
"""Region, flow and name of an execution."""


class Way:
    """A way to the database that can be blocked: what was sent meanwhile arrives afterwards."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.open = threading.Event()
        self.open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.open.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.open.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@dataclass
class Known:
    """What was answered of one execution, and when the first of these answers had come."""

    started: str | None = None
    acknowledged: float = float("inf")
    end: dict[str, Any] | None = None
    ended: float = float("inf")
    events: list[Any] = field(default_factory=list)
    told: float = float("inf")


class Record:
    """All calls, and what is wrong with them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[Key, Known] = {}
        self.recent: list[Key] = []
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()

    def start(self, key: Key, answer: dict[str, Any]) -> None:
        with self.lock:
            self.counts["starts"] += 1
            known = self.known.setdefault(key, Known())
            if known.started not in (None, answer["StartedTime"]):
                self.wrong.append(f"{key} was started at {known.started}, and at {answer['StartedTime']}")
            if known.started is None:
                self.recent = [*self.recent[-RECENT:], key]
            known.started = answer["StartedTime"]
            known.acknowledged = min(known.acknowledged, time.monotonic())

    def missing(self, key: Key, asked: float) -> None:
        with self.lock:
            if asked > self.known[key].acknowledged:
                self.wrong.append(f"{key} was acknowledged, and is not there")

    def look(self, key: Key, asked: float, answer: dict[str, Any]) -> None:
        fields = {name: value for name, value in answer.items() if name != "RequestId"}
        with self.lock:
            self.counts["looks"] += 1
            known = self.known[key]
            if known.started != fields["StartedTime"]:
                self.wrong.append(f"{key} was started at {known.started}, and is of {fields['StartedTime']}")
            if known.end is not None and asked > known.ended and fields != known.end:
                self.wrong.append(f"{key} had ended as {known.end}, and is {fields}")
            if fields["Status"] in ENDED and known.end is None:
                known.end, known.ended = fields, time.monotonic()

    def read(self, key: Key, asked: float, events: list[Any]) -> None:
        with self.lock:
            self.counts["histories"] += 1
            known = self.known[key]
            both = min(len(events), len(known.events))
            if [each["EventId"] for each in events] != list(range(1, len(events) + 1)):
                self.wrong.append(f"{key}: the ids of its events are {[each['EventId'] for each in events]}")
            elif asked > known.told and events[:both] != known.events[:both]:
                at = next(n for n in range(both) if events[n] != known.events[n])
                self.wrong.append(f"{key}: an event was {known.events[at]}, and is {events[at]}")
            elif asked > known.told and len(events) < len(known.events):
                self.wrong.append(f"{key}: had {len(known.events)} events, and has {len(events)}")
            elif len(events) > len(known.events):
                known.events, known.told = events, time.monotonic()


class Lost(Exception):
    """No answer that says what has happened: it may have, or not."""


class Members:
    """The replicas that are there now."""

    def __init__(self, postgres: Cluster, fixture: Path) -> None:
        self._words = (str(fixture), "--replica-token", "shared", "--keep-executions", "100000")
        self._database = postgres.database()
        self._postgres = postgres
        self.ways = [Way(postgres.port) for _ in range(REPLICAS)]
        self._stacks = [ExitStack() for _ in range(REPLICAS)]
        self.servers: list[Serving] = [self._begin(number) for number in range(REPLICAS)]

    def _begin(self, number: int) -> Serving:
        url = self._postgres.url(self._database, self.ways[number].port)
        return self._stacks[number].enter_context(serving(*self._words, "--state", url))

    def kill(self, number: int, chance: random.Random) -> None:
        self.servers[number].process.send_signal(signal.SIGKILL)
        self._stacks[number].close()
        time.sleep(chance.uniform(0, 1))
        self.servers[number] = self._begin(number)

    def pause(self, number: int, chance: random.Random) -> None:
        self.servers[number].process.send_signal(signal.SIGSTOP)
        time.sleep(chance.uniform(0.1, 3.5))
        self.servers[number].process.send_signal(signal.SIGCONT)

    def cut_off(self, number: int, chance: random.Random) -> None:
        self.ways[number].open.clear()
        time.sleep(chance.uniform(0.1, 3.5))
        self.ways[number].open.set()

    def end_session(self, number: int, chance: random.Random) -> None:
        with self._postgres.connect(self._database) as connection:
            found = connection.execute("SELECT pid FROM cfmock.replicas ORDER BY random() LIMIT 1").fetchone()
            if found is not None:
                connection.execute("SELECT pg_terminate_backend(%s)", found)

    def names_twice(self) -> list[Any]:
        """Executions of one name: rows that only two owners could have written."""
        with self._postgres.connect(self._database) as connection:
            statement = "SELECT world, flow, value::jsonb->>0, count(*) FROM cfmock.executions GROUP BY 1, 2, 3"
            return list(connection.execute(f"{statement} HAVING count(*) > 1"))

    def close(self) -> None:
        for number in range(REPLICAS):
            with contextlib.suppress(OSError):
                self.servers[number].process.send_signal(signal.SIGCONT)
            self.ways[number].close()
            self._stacks[number].close()


class Hand:
    """A client, which goes to any replica."""

    def __init__(self, members: Members, record: Record, chance: random.Random, rest: float = 0) -> None:
        self._members = members
        self._rest = rest  # seconds
        self.record = record
        self.chance = chance
        self.stop = threading.Event()

    def call(self, operation: str, region: str, server: Serving | None = None, **parameters: Any) -> dict[str, Any]:
        """Raises ServiceError for an answered error, and Lost."""
        server = server or self.chance.choice(self._members.servers)
        given = {"RegionId": region, **parameters}
        request = signed_request(operation, given, access_key_id="cfmock", access_key_secret="cfmock-secret")
        try:
            status, fields = send(server.url, request, timeout=1.5)
        except Exception as error:
            self.record.counts["no answer"] += 1
            raise Lost from error
        if status >= 500:
            self.record.counts["internal errors"] += 1
            raise Lost
        if status >= 400:
            raise ServiceError(fields["Code"], status=status, message=fields["Message"])
        return fields

    def work(self) -> None:
        while not self.stop.is_set():
            with contextlib.suppress(ServiceError, Lost):
                self.chance.choices([self.start, self.again, self.look, self.read, self.report, self.end],
                                    (6, 2, 5, 2, 2, 1))[0]()  # fmt: skip
            self.stop.wait(self._rest)

    def start(self) -> None:
        flow = self.chance.choice(STARTED)
        late = "late-" if flow == "canned" and self.chance.random() < 0.5 else "e-"
        self.start_of((self.chance.choice(REGIONS), flow, f"{late}{self.chance.getrandbits(64):x}"))

    def start_of(self, key: Key) -> None:
        region, flow, name = key
        given = json.dumps(INPUTS.get(flow, {"a": self.chance.random()}))
        self.record.start(key, self.call("StartExecution", region, FlowName=flow, ExecutionName=name, Input=given))

    def some(self) -> Key:
        with self.record.lock:
            if not self.record.recent:
                raise Lost
            return self.chance.choice(self.record.recent)

    def again(self) -> None:
        self.start_of(self.some())

    def look(self) -> None:
        self.look_at(self.some())

    def look_at(self, key: Key, server: Serving | None = None) -> None:
        region, flow, name = key
        asked = time.monotonic()
        try:
            answer = self.call("DescribeExecution", region, server, FlowName=flow, ExecutionName=name)
        except ServiceError as error:
            if "NotExist" in error.code:
                self.record.missing(key, asked)
            raise
        self.record.look(key, asked, answer)

    def read(self) -> None:
        self.read_of(self.some())

    def read_of(self, key: Key, server: Serving | None = None) -> None:
        region, flow, name = key
        asked = time.monotonic()
        found = self.call("GetExecutionHistory", region, server, FlowName=flow, ExecutionName=name, Limit=999)
        self.record.read(key, asked, found["Events"])

    def end(self) -> None:
        region, flow, name = self.some()
        self.call("StopExecution", region, FlowName=flow, ExecutionName=name, Cause="crash test")

    def report(self) -> None:
        import urllib.request

        server = self.chance.choice(self._members.servers)
        try:
            with urllib.request.urlopen(f"{server.url}/_cfmock/tasks", timeout=1.5) as answer:
                tasks = json.load(answer)["tasks"]
        except (OSError, ValueError):
            raise Lost from None
        if tasks:
            task = self.chance.choice(tasks)
            self.call("ReportTaskSucceeded", task["region"], TaskToken=task["token"], Output='{"reported": true}')
            self.record.counts["reports"] += 1


def crash(
    rounds: int, seed: int, postgres: Cluster, folder: Path, hands: int = 8, rest: float = 0, *, progress: bool = False
) -> Record:
    """So many rounds; each hand rests so many seconds between two calls."""
    chance, record = random.Random(seed), Record()
    fixture = folder / "flows.yaml"
    fixture.write_text(re.sub(r"(?m)^faults:\n.*\n", "", FLOWS), encoding="utf-8")  # a read that counts proves nothing
    members = Members(postgres, fixture)
    try:
        with at_work(members, record, chance, hands, rest):
            for number in range(rounds):
                harm = chance.choice([members.kill, members.pause, members.cut_off, members.end_session])
                harm(chance.randrange(REPLICAS), chance)
                record.counts[harm.__name__] += 1
                time.sleep(chance.uniform(0, 0.8))
                if record.wrong:
                    break
                if progress and (number + 1) % 20 == 0:
                    print(f"{number + 1} rounds, {dict(record.counts)}", file=sys.stderr, flush=True)
        check(members, Hand(members, record, chance))
        record.wrong += [f"two of one name: {row}" for row in members.names_twice()]
    finally:
        members.close()
    return record


@contextlib.contextmanager
def at_work(members: Members, record: Record, chance: random.Random, count: int, rest: float) -> Iterator[None]:
    hands = [Hand(members, record, random.Random(chance.random()), rest) for _ in range(count)]
    threads = [threading.Thread(target=hand.work, daemon=True) for hand in hands]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for hand in hands:
            hand.stop.set()
        for thread in threads:
            thread.join()


def check(members: Members, hand: Hand) -> None:
    """Compare everything that was acknowledged with what any replica says now."""
    for key in list(hand.record.known):
        for look in (hand.look_at, hand.read_of):
            server = hand.chance.choice(members.servers)
            for _ in range(100):
                try:
                    look(key, server)
                    break
                except Lost:
                    time.sleep(0.1)
                except ServiceError as error:
                    hand.record.wrong.append(f"{key} was acknowledged: {error}")
                    break
            else:
                hand.record.wrong.append(f"{key}: no answer within ten seconds")
                return


def main() -> int:
    """Harm replicas; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash_replicas", description="Harm replicas, and see what is lost."
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cfmock-crash-") as folder, cluster(fsync="off") as postgres:
        record = crash(given.rounds, given.seed, postgres, Path(folder), progress=True)
    told = ", ".join(f"{count} {name}" for name, count in sorted(record.counts.items()))
    print(f"replicas: {told}; {len(record.wrong)} wrong", flush=True)
    for line in record.wrong[:20]:
        print(f"  {line}")
    return 1 if record.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
