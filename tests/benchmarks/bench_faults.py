"""What the fault stage costs a call, in process: with no rule, and with a hundred of several kinds.

    python tests/benchmarks/bench_faults.py

Prints microseconds a call, both questions (the clock's skew, the decision) together, of the best of several rounds, as
whatever else the machine does only adds; exits 1 if a limit is missed. `bench.py faults` prints the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from cfmock.base.clocks import RealClock
from cfmock.base.randomness import Ids
from cfmock.protocol.faults.injector import FaultInjector
from cfmock.protocol.faults.rules import FaultRule
from cfmock.protocol.spec import model
from cfmock.protocol.wire.messages import OperationCall

CALLS, ROUNDS, RULES = 2_000, 15, 100
LIMIT_WITHOUT, LIMIT_WITH = 2.0, 30.0

# What each of the hundred rules says, by its number.
CASES: dict[str, Callable[[int], dict[str, Any]] | None] = {
    "no rule": None,
    "100 for other operations": lambda n: {"when": {"operation": "StopExecution"}, "error": "InternalServerError"},
    "100 for other flows": lambda n: {"when": {"flow": f"flow_{n}_*"}, "error": "InternalServerError"},
    "100 for other executions": lambda n: {
        "when": {"operation": "Start*", "flow": "order_*", "execution": f"e-*-{n}", "access_key_id": "cf*"},
        "error": "InternalServerError",
    },
    "100 for later calls": lambda n: {
        "when": {"operation": "StartExecution", "flow": "order_*", "call": [10**9 - n]},
        "error": "InternalServerError",
    },
    "100 for now and then": lambda n: {
        "when": {"execution": "e-*", "probability": 1e-6, "every": n + 1},
        "transport": "reset",
    },
}


def microseconds(describe: Callable[[int], dict[str, Any]] | None, flows: int) -> float:
    """The cost of a call with the rules described, when calls go round so many flows."""
    spec = model.load()
    injector = FaultInjector(RealClock(), Ids(7))
    if describe:
        for number in range(RULES):
            injector.add(FaultRule.from_mapping(describe(number), operations=spec.operations, codes=spec.errors))
    operation = spec.operations["StartExecution"]
    calls = [
        OperationCall(operation, {"FlowName": f"order_{number % flows}", "ExecutionName": f"e-{number}x"}, "cfmock")
        for number in range(CALLS)
    ]
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for call in calls:
            injector.skew(call)
            injector.decide(call)
        rounds.append((time.perf_counter() - started) / CALLS * 1e6)
    return min(rounds)


def costs() -> Iterator[tuple[str, float, float, str]]:
    """For each case: its name, its cost, its limit (microseconds) and a note."""
    for name, describe in CASES.items():
        note = f"{microseconds(describe, flows=CALLS):.2f} if each call names another flow" if describe else ""
        yield name, microseconds(describe, flows=5), LIMIT_WITH if describe else LIMIT_WITHOUT, note


def main() -> int:
    missed = False
    for name, cost, limit, note in costs():
        missed |= cost > limit
        print(f"{name:28} {cost:7.2f} us a call, limit {limit:g}{note and ';'} {note}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
