"""Speed and memory against their limits. Usage: bench.py [PART ...]; exit 1 if a limit is missed.

Parts: calls, scans, start, memory, growth, pages, looking, console, reads, loading, fixture, setup, faults, engine, graph,
contract, worker, lab, replay, outer, state, replicas, attacks, peers (default: all).
Times of servers are ratios to the yardstick, measured beside it in interleaved rounds; of each pair of rounds the ratio is
taken, and of the ratios the median. The servers have one core for themselves and the load has another, where there are two.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import load

sys.modules["bench"] = sys.modules[__name__]  # for the parts that import it: once, before this process has a core

HERE = Path(__file__).parent
YARDSTICK = [sys.executable, str(HERE / "yardstick.py")]
CFMOCK = [sys.executable, "-m", "cfmock", "serve", str(HERE / "bench.yaml"), "--port"]
KEEPING = [*CFMOCK[:-1], "--keep-executions", "1000000", "--port"]
_PLAIN = "import sys; sys.modules['uvloop'] = None; from cfmock.__main__ import main; sys.exit(main())"
PLAIN = [sys.executable, "-c", _PLAIN, *CFMOCK[3:]]
"""The same without the extra `fast`."""

# As users have it: with compiled modules, which a developer's machine may be told not to keep, and no settings.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("CFMOCK_", "PYTHONDONTWRITEBYTECODE"))
}


@dataclass(frozen=True)
class Measure:
    """One figure and its limit, which is an upper one unless `at_least`; None: told for comparison only."""

    what: str
    value: float
    limit: float | None
    unit: str = ""
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        return self.limit is None or (self.value >= self.limit if self.at_least else self.value <= self.limit)

    def __str__(self) -> str:
        bound = "" if self.limit is None else f"{'>=' if self.at_least else '<='} {self.limit:g}{self.unit}"
        verdict = "" if self.limit is None else "ok" if self.met else "MISSED"
        return f"{self.what:<52} {self.value:>8.2f}{self.unit:<3} {bound:>11}  {verdict:<6}  {self.note}"


class Server:
    """A server process on a core of its own; `cold` seconds went by until it answered its first call. `log` takes its stderr."""

    def __init__(self, command: list[str], log: IO[bytes] | None = None) -> None:
        self.port = free_port()
        first = load.starts(1)
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, str(self.port)],
            env=ENVIRONMENT, cwd=HERE.parent.parent, stdout=subprocess.DEVNULL, stderr=log,
        )  # fmt: skip
        pin(self.process.pid, 0)
        while True:
            try:
                load.send(self.port, first, connections=1)
                break
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"{' '.join(command)} ended with status {self.process.returncode}") from None
                time.sleep(0.001)
        self.cold = time.perf_counter() - began

    def rss(self) -> float:
        """Resident memory in MB."""
        said = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        return int(said.stdout) / 1024

    def cpu(self) -> float:
        """Processor time used so far, in seconds; NaN where the system does not say."""
        try:
            threads = list(Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"))
            return sum(int(each.read_text(encoding="ascii").split()[0]) for each in threads) / 1e9 or math.nan
        except OSError:
            return math.nan

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[Server]:
    server = Server(command)
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def pin(process: int, core: int) -> None:
    if hasattr(os, "sched_setaffinity") and len(CORES) > 1:
        os.sched_setaffinity(process, {CORES[core]})


CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def calls() -> list[Measure]:
    """Processor time of calls, in yardsticks; see bench_calls.py."""
    import bench_calls

    return bench_calls.measures()


def scans() -> list[Measure]:
    """A start with many outcomes, mocks or fault rules to one with few; see bench_scans.py."""
    import bench_scans

    return bench_scans.measures()


def start() -> list[Measure]:
    """What it takes to be there; see bench_start.py."""
    import bench_start

    return bench_start.measures()


def memory(calls: int = 20_000) -> list[Measure]:
    """Resident memory after calls that store nothing, and what each stored execution adds."""
    with running(KEEPING) as server:
        begun = server.rss()
        load.send(server.port, [load.start_of("one")], 1)
        load.send(server.port, load.describes(calls, "one"))
        after = server.rss()
        load.send(server.port, load.describes(calls, "one"))
        flat = server.rss()
        load.send(server.port, load.starts(calls))
        filled = server.rss()
        load.send(server.port, load.starts(2 * calls))
        each = (server.rss() - filled) * 1024 / (2 * calls)
    return [
        Measure("memory at the start, with fast", begun, 52, " MB"),
        Measure(f"growth by {calls} DescribeExecution", after - begun, 3, " MB"),
        Measure(f"growth by {calls} more", flat - after, 1, " MB"),
        Measure("each stored canned execution", each, 0.5, " kB"),
    ]


def growth(few: int = 1_000, many: int = 50_000, rounds: int = 9, calls: int = 500) -> list[Measure]:
    """The time of one call when much is stored, to that when little is, over one connection."""
    kinds: dict[str, Callable[[], list[bytes]]] = {
        "StartExecution": lambda: load.starts(calls),
        "DescribeExecution": lambda: load.describes(calls, "one"),
        "ListExecutions": lambda: load.lists(calls),
    }
    with running(YARDSTICK) as yardstick, running(KEEPING) as small, running(KEEPING) as large:
        for server, stored in ((small, few), (large, many)):
            load.send(server.port, [load.start_of("one"), *load.starts(stored - 2)])

        def p50(server: Server, kind: str) -> float:
            """One call's median over the yardstick's, measured right before."""
            theirs, ours = (load.send(each.port, kinds[kind](), 1) for each in (yardstick, server))
            return statistics.median(ours.latencies) / statistics.median(theirs.latencies)

        measures = []
        for kind in kinds:
            ratios = []
            for number in range(rounds + 1):
                with_few, with_many = p50(small, kind), p50(large, kind)
                if number:
                    ratios.append(with_many / with_few)
            what = f"p50 of {kind}, {many} stored to {few}"
            measures.append(Measure(what, statistics.median(ratios), 1.25))
    return measures


def pages() -> list[Measure]:
    """What a page of a list costs when much is stored, to when little is; see bench_pages.py."""
    import bench_pages

    return [
        Measure(f"{what}, {bench_pages.MANY} stored to {bench_pages.FEW}", ratio, bench_pages.LIMIT, note=note)
        for what, ratio, note in bench_pages.costs()
    ]


def reads() -> list[Measure]:
    """Pages of lists and histories to the yardstick's answers; see bench_reads.py."""
    import bench_reads

    return bench_reads.measures()


def looking() -> list[Measure]:
    """What looking at a server by its admin API costs it and others; see bench_looking.py."""
    import bench_looking

    rows = [*bench_looking.in_process()]
    if Path("/proc/self/schedstat").exists():
        with running(CFMOCK) as server:
            rows.append(bench_looking.readers(server))
    return [Measure(what, figure, limit, unit, note=note) for what, figure, limit, unit, note in rows]


def console() -> list[Measure]:
    """The console in a browser, and what others pay for it; see bench_console.py."""
    import bench_console

    return bench_console.measures()


def loading() -> list[Measure]:
    """Large fixtures; see bench_loading.py."""
    import bench_loading

    return list(bench_loading.measures())


def fixture() -> list[Measure]:
    """The pytest fixture `cfmock` with one small fixture file."""
    done = subprocess.run([sys.executable, str(HERE / "fixture_cost.py")], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return [Measure("fixture cfmock, set-up plus tear-down", float(done.stdout.split()[-1]), 3, " ms")]


def setup() -> list[Measure]:
    """A server with the shipped fixtures beside an empty one; see bench_setup.py."""
    import bench_setup

    (ratio, note), (more, times) = bench_setup.ratio(), bench_setup.further_region()
    return [
        Measure('CloudFlow("fixtures/") to CloudFlow()', ratio, bench_setup.RATIO, note=note),
        Measure("first call in a second region, more by", more, bench_setup.FURTHER_REGION, " ms", note=times),
    ]


def faults() -> list[Measure]:
    """The fault stage alone, in this process."""
    import bench_faults

    return [
        Measure(f"fault stage, {what}", cost, limit, " us", note=note)
        for what, cost, limit, note in bench_faults.costs()
    ]


def engine() -> list[Measure]:
    """How fast definitions run, and what executions that wait take; see bench_engine.py."""
    import bench_engine

    return [
        Measure(what, figure, limit, at_least=at_least, note=note)
        for what, figure, limit, at_least, note in bench_engine.measures()
    ]


def graph() -> list[Measure]:
    from cfmock.engine.languages import compile_definition
    from cfmock.graph.svg.svg import svg

    names = [f"S{number}" for number in range(200)]
    states = [
        {"Type": "Pass", "Name": name, "Next": after} for name, after in zip(names, [*names[1:], "End"], strict=True)
    ]
    states.append({"Type": "Succeed", "Name": "End"})
    flow = compile_definition(
        json.dumps({"Type": "StateMachine", "SpecVersion": "v1", "Name": "long", "StartAt": "S0", "States": states})
    )
    took = []
    for _ in range(9):
        began = time.perf_counter()
        svg(flow)
        took.append(time.perf_counter() - began)
    return [Measure("SVG of 200 states", statistics.median(took) * 1000, 200, " ms")]


def contract(rounds: int = 3) -> list[Measure]:
    """A whole matrix of one operation, two cases at a time; see bench_contract.py."""
    import bench_contract

    took = [bench_contract.took(ENVIRONMENT, CORES) for _ in range(rounds)]
    what = f"contract, {bench_contract.CASES} cases of 0.3 s, --jobs 2"
    note = f"{min(took):.1f} to {max(took):.1f} s"
    return [Measure(what, statistics.median(took), bench_contract.LIMIT, " s", note=note)]


def worker() -> list[Measure]:
    """Forty cases of a Java client that is started once; see bench_worker.py."""
    import bench_worker

    seconds = bench_worker.took(ENVIRONMENT, CORES)
    what = f"contract --worker, {bench_worker.CASES} cases of a Java client"
    if seconds is None:
        return [Measure(what, math.nan, None, " s", note="there is no Java SDK here: `make test` installs it")]
    return [Measure(what, seconds, bench_worker.LIMIT, " s")]


def lab() -> list[Measure]:
    """Tests of flows; see bench_flowtests.py."""
    import bench_flowtests

    what = f"cfmock test of {bench_flowtests.COUNT} tests, start included"
    return [Measure(what, bench_flowtests.seconds(ENVIRONMENT), bench_flowtests.LIMIT, " s")]


def replay() -> list[Measure]:
    """The longest history there is; see bench_replay.py."""
    import bench_replay

    seconds, megabytes = bench_replay.measured(ENVIRONMENT)
    return [
        Measure("cfmock replay of 5,000 events, start included", seconds, bench_replay.SECONDS, " s", note="processor"),
        Measure("its memory", megabytes, bench_replay.MEGABYTES, " MB"),
    ]


def outer() -> list[Measure]:
    """Definitions in files of deployment tools; see bench_outer.py."""
    import bench_outer

    found = bench_outer.seconds()
    bare, terraform = found.pop("bare"), found.pop("Terraform")
    what = f"cfmock check of {bench_outer.COUNT} files, against bare definitions"
    return [
        *(
            Measure(f"{what}: {kind}", took / bare, bench_outer.RATIO, note=f"{took:.2f} s")
            for kind, took in found.items()
        ),
        Measure("Terraform, beyond bare definitions", terraform - bare, bench_outer.MORE, " s"),
    ]


def state() -> list[Measure]:
    """What a state file costs; see bench_state.py."""
    import bench_state

    return [
        Measure(what, figure, limit, unit, at_least=at_least, note=note)
        for what, figure, limit, unit, at_least, note in bench_state.measures()
    ]


def peers() -> list[Measure]:
    """Other stand-ins, for comparison; see bench_peers.py."""
    import bench_peers

    return list(bench_peers.measures())


def replicas() -> list[Measure]:
    """What replicas on PostgreSQL cost; see bench_replicas.py."""
    import bench_replicas

    return [
        Measure(what, figure, limit, unit, at_least=at_least, note=note)
        for what, figure, limit, unit, at_least, note in bench_replicas.measures()
    ]


def attacks() -> list[Measure]:
    """What an honest client notices of attacks; see bench_attacks.py."""
    import bench_attacks

    return [
        Measure(what, figure, limit, unit, note=note) for what, figure, limit, unit, note in bench_attacks.measures()
    ]


PARTS = {
    part.__name__: part
    for part in (
        calls,
        scans,
        start,
        memory,
        growth,
        pages,
        looking,
        console,
        reads,
        loading,
        fixture,
        setup,
        faults,
        engine,
        graph,
        contract,
        worker,
        lab,
        replay,
        outer,
        state,
        replicas,
        attacks,
        peers,
    )
}


BEST_OF = {"calls": 3, "reads": 3, "start": 3, "scans": 3, "console": 3}
"""Parts that are measured again while a figure misses its limit, up to so many times: neighbours make them worse, and never
better."""


def measured(name: str) -> list[Measure]:
    """The figures of a part, each the best of all times."""
    found = PARTS[name]()
    for _ in range(BEST_OF.get(name, 1) - 1):
        if all(each.met for each in found):
            break
        found = [better(*pair) for pair in zip(found, PARTS[name](), strict=True)]
    return found


def better(one: Measure, other: Measure) -> Measure:
    return max(one, other, key=lambda each: each.value if each.at_least else -each.value)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure against the limits; exit 1 if one is missed.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    wanted = parser.parse_args().parts or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if len(CORES) < 2:
        print("only one core: servers and load share it")
    pin(0, 1)
    missed = False
    for name in wanted:
        for measure in measured(name):
            print(measure, flush=True)
            missed |= not measure.met
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
