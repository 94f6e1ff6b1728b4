"""What replicas on PostgreSQL cost: a start to one without state, a call that is handed on to one that is not, a takeover."""

from __future__ import annotations

import contextlib
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import bench
import load
from bench_state import FLOWS

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.postgres import Cluster, cluster

ROUNDS, CALLS, RUNNING = 9, 2_000, 1_000

KEEP, HANDED_ON, TAKEOVER = 0.35, 2.5, 3.0
"""The limits: throughput to that without state; processor time of all processes; seconds."""


def measures() -> list[tuple[str, float, float, str, bool, str]]:
    """What was measured: the figure, its limit and unit, whether that is the least, and a note. Raises Missing."""
    with tempfile.TemporaryDirectory() as folder, cluster() as postgres:
        fixture = Path(folder, "flows.yaml")
        fixture.write_text(FLOWS, encoding="utf-8")
        plain = [*bench.CFMOCK[:4], str(fixture), "--keep-executions", "1000000", "--keep-bytes", "4GiB"]
        kept = [*plain, "--state", postgres.url(postgres.database()), "--replica-token", "bench"]
        with (
            bench.running([*plain, "--port"]) as without,
            bench.running([*kept, "--port"]) as owner,
            bench.running([*kept, "--port"]) as other,
        ):
            return [_throughput(without, owner), _handed_on(postgres, owner, other), _takeover(owner, other)]


def _throughput(without: bench.Server, owner: bench.Server) -> tuple[str, float, float, str, bool, str]:
    ratios = []
    for number in range(ROUNDS + 1):
        rates = [load.send(server.port, load.starts(CALLS, "canned")).rate for server in (owner, without)]
        if number:
            ratios.append(rates[0] / rates[1])
    note = f"rounds {min(ratios):.2f} to {max(ratios):.2f}"
    return "StartExecution on PostgreSQL to without state", statistics.median(ratios), KEEP, "", True, note


def _handed_on(postgres: Cluster, owner: bench.Server, other: bench.Server) -> tuple[str, float, float, str, bool, str]:
    ratios = []
    for number in range(ROUNDS + 1):
        used = []
        for server in (other, owner):
            requests = load.starts(CALLS, "canned")
            before = _cpu(postgres, owner, other)
            load.send(server.port, requests)
            used.append(_cpu(postgres, owner, other) - before)
        if number:
            ratios.append(used[0] / used[1])
    note = f"rounds {min(ratios):.2f} to {max(ratios):.2f}"
    return "a call handed on to one that is not, processor time", statistics.median(ratios), HANDED_ON, "", False, note


def _cpu(postgres: Cluster, *servers: bench.Server) -> float:
    return sum(server.cpu() for server in servers) + postgres.cpu()


def _takeover(owner: bench.Server, other: bench.Server) -> tuple[str, float, float, str, bool, str]:
    load.send(owner.port, load.starts(RUNNING, "waits"))
    owner.process.send_signal(signal.SIGKILL)
    began = time.perf_counter()
    while True:
        with contextlib.suppress(RuntimeError):  # InternalServerError: what was under way when the owner died
            load.send(other.port, load.lists(1), 1)
            break
    return f"takeover with {RUNNING} running", time.perf_counter() - began, TAKEOVER, " s", False, ""
