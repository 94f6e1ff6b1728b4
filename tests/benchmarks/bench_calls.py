"""Processor time of calls, in yardsticks: how often a server answers them in the time in which the yardstick answers one.

    python tests/benchmarks/bench_calls.py [ROUNDS]

Yardstick, cfmock alone, and cfmock with the extra `fast` answer the same number of requests in turn, over 32 connections; of
each round the ratios are taken, and of the ratios the medians. `bench.py calls` prints the same against the limits.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import load

CALLS = 1000
"""Requests of a kind in a round."""

ROUNDS = 21


@dataclass(frozen=True)
class Row:
    """A kind of call, and what ratio is to be reached without extras, and with the extra `fast`; `there` is the name of an
    execution it is about."""

    what: str
    requests: Callable[[int], list[bytes]]
    limit: float
    fast_limit: float | None = None
    there: str | None = None


ROWS = (
    Row("StartExecution, canned", lambda count: load.starts(count, "canned"), 1.45, 1.55),
    Row("StartExecution, a Pass flow executed", lambda count: load.starts(count, "defined"), 1.15),
    Row("StartExecution, task mock + Choice + Succeed executed", lambda count: load.starts(count, "mocked"), 0.9),
    Row("DescribeExecution", lambda count: load.describes(count, "one"), 1.9, there="one"),
)

TAIL = 3.0
"""The limit of the 99th percentile of the waits over their median, at 32 connections."""


def measures(rounds: int = ROUNDS) -> Iterator[tuple[str, float, float | None, bool, str]]:
    """What, its figure, its limit, whether that is a lower one, and a note."""
    from bench import CFMOCK, PLAIN, YARDSTICK, running

    with ExitStack() as stack:
        servers = _, plain, fast = [stack.enter_context(running(command)) for command in (YARDSTICK, PLAIN, CFMOCK)]
        for row in ROWS:
            for server in (plain, fast) if row.there is not None else ():
                load.send(server.port, [load.start_of(row.there)], 1)
            used: list[list[float]] = []
            tails: list[float] = []
            for number in range(rounds + 2):
                costs = []
                # Whoever comes first finds the caches as the load has left them: each has its turn at that.
                for server in servers[number % 3 :] + servers[: number % 3]:
                    requests, before = row.requests(CALLS), server.cpu()
                    result = load.send(server.port, requests)
                    costs.append((server.cpu() - before) / CALLS)
                    if server is plain:
                        tails.append(_tail(result.latencies))
                if number > 1:
                    at = number % 3
                    used.append(costs[-at:] + costs[:-at] if at else costs)
            theirs, ours, with_fast = (statistics.median(column) * 1e6 for column in zip(*used, strict=True))
            ratio, ratio_fast = (statistics.median(each[0] / each[place] for each in used) for place in (1, 2))
            note = f"{ours:.0f} us; yardstick {theirs:.0f} us"
            yield row.what, ratio, row.limit, True, note
            yield f"{row.what}, with fast", ratio_fast, row.fast_limit, True, f"{with_fast:.0f} us"
            if row is ROWS[0]:
                yield "p99 / p50 of its waits, 32 connections", statistics.median(tails[2:]), TAIL, False, ""


def _tail(latencies: list[float]) -> float:
    cuts = statistics.quantiles(latencies, n=100)
    return cuts[98] / cuts[49]


if __name__ == "__main__":
    for what, figure, limit, _, note in measures(*map(int, sys.argv[1:2])):
        print(f"{what:<66} {figure:6.2f}  {'' if limit is None else f'({limit:g})':<8} {note}", flush=True)
