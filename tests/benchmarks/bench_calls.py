"""Processor time of calls, in yardsticks: how many a server answers for each StartExecution that the yardstick answers in it.

    python tests/benchmarks/bench.py calls

Yardstick, cfmock alone, and cfmock with the extra `fast` take turns, each with so many requests over 32 connections; of each
round the ratios are taken, and of the ratios the medians.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import bench
import load

CALLS = 1000
"""Requests of a server in a round."""

ROUNDS = 21
WARM = 2
"""Rounds before those that count."""

TAIL = 3.0
"""The 99th percentile of the waits over their median, at most."""


@dataclass(frozen=True)
class Row:
    """A kind of call, and the ratios to be reached without extras, and with the extra `fast`."""

    what: str
    requests: Callable[[int], list[bytes]]
    limit: float
    fast_limit: float | None = None


ROWS = (
    Row("StartExecution, canned", load.starts, 1.45, 1.55),
    Row("StartExecution, a Pass flow executed", lambda count: load.starts(count, "defined"), 1.15),
    Row("StartExecution, mock + Choice + Succeed executed", lambda count: load.starts(count, "mocked"), 0.9),
    Row("DescribeExecution", lambda count: load.describes(count, "one"), 1.9),
)


def measures() -> list[bench.Measure]:
    found: list[bench.Measure] = []
    for row in ROWS:
        with ExitStack() as stack:
            commands = (bench.YARDSTICK, bench.PLAIN, bench.CFMOCK)
            yardstick, plain, fast = (stack.enter_context(bench.running(each)) for each in commands)
            for server in (plain, fast):
                load.send(server.port, [load.start_of("one")], 1)
            contestants = [(yardstick, load.starts), (plain, row.requests), (fast, row.requests)]
            rounds, tails = [], []
            for _ in range(ROUNDS + WARM):
                taken = [_round(server, requests(CALLS)) for server, requests in contestants]
                rounds.append([cost for cost, _ in taken])
                tails.append(taken[1][1])
        found += _figures(row, rounds[WARM:])
        if row is ROWS[0]:
            tail = statistics.median(tails[WARM:])
            found.append(bench.Measure("p99 / p50 of its waits, 32 connections", tail, TAIL))
    return found


def _round(server: bench.Server, requests: list[bytes]) -> tuple[float, float]:
    """Seconds of processor time a call, and the 99th percentile of the waits over their median."""
    before = server.cpu()
    result = load.send(server.port, requests)
    cost = (server.cpu() - before) / len(requests)
    cuts = statistics.quantiles(result.latencies, n=100)
    return cost, cuts[98] / cuts[49]


def _figures(row: Row, rounds: list[list[float]]) -> list[bench.Measure]:
    theirs, *ours = (statistics.median(column) * 1e6 for column in zip(*rounds, strict=True))
    figures = []
    for place, (name, limit) in enumerate(((row.what, row.limit), (f"{row.what}, with fast", row.fast_limit)), 1):
        ratio = statistics.median(costs[0] / costs[place] for costs in rounds)
        note = f"{ours[place - 1]:.0f} us a call, the yardstick {theirs:.0f}"
        figures.append(bench.Measure(name, ratio, limit, at_least=True, note=note))
    return figures
