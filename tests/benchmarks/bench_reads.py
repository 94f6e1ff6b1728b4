"""What pages of lists and histories cost a server: its processor time a call, to the yardstick's, measured in turns."""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import bench
import load

CONNECTIONS = 32
EXECUTIONS = 120
STATES = 249  # four events each, and two more
ROUNDS = 9

LIMITS = {
    "ListExecutions, 20 rows": 0.9,
    "ListExecutions, 100 rows": 0.5,
    "GetExecutionHistory, 100 events": 0.7,
    "GetExecutionHistory, 998 events": 0.10,
}
"""At least so many calls for each that the yardstick answers in the same processor time."""


def measures() -> list[bench.Measure]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "long.json").write_text(json.dumps(_fixture()), encoding="utf-8")
        serve = [*bench.PLAIN[:4], folder, "--port"]
        with bench.running(bench.YARDSTICK) as yardstick, bench.running(serve) as cfmock:
            load.send(cfmock.port, load.starts(EXECUTIONS))
            load.send(cfmock.port, [load.start_of("one", "long")])
            rounds: dict[str, list[tuple[float, float]]] = {what: [] for what in LIMITS}
            for number in range(ROUNDS + 1):
                for what, (count, requests) in _KINDS.items():
                    pair = _used(cfmock, count, requests), _used(yardstick, 1500, load.starts)
                    if number:  # the first round warms up
                        rounds[what].append(pair)
    found = []
    for what, pairs in rounds.items():
        ratio = statistics.median(theirs / ours for ours, theirs in pairs)
        ours, theirs = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
        note = f"{ours:.0f} us a call, the yardstick {theirs:.0f}"
        found.append(bench.Measure(what, ratio, LIMITS[what], at_least=True, note=note))
    return found


def _used(server: bench.Server, count: int, requests: Callable[[int], list[bytes]]) -> float:
    """Seconds of processor time a call."""
    wanted, before = requests(count), server.cpu()
    load.send(server.port, wanted, CONNECTIONS)
    return (server.cpu() - before) / count


def _lists(limit: int) -> Callable[[int], list[bytes]]:
    parameters = {"FlowName": "canned", "Limit": str(limit)}
    return lambda count: [load.signed("GET", "ListExecutions", parameters) for _ in range(count)]


def _histories(limit: int) -> Callable[[int], list[bytes]]:
    parameters = {"FlowName": "long", "ExecutionName": "one", "Limit": str(limit)}
    return lambda count: [load.signed("GET", "GetExecutionHistory", parameters) for _ in range(count)]


_KINDS = dict(
    zip(LIMITS, ((1500, _lists(20)), (800, _lists(100)), (1000, _histories(100)), (150, _histories(999))), strict=True)
)


def _fixture() -> dict[str, object]:
    names = [f"S{number}" for number in range(STATES)]
    states: list[dict[str, object]] = [
        {"Type": "Pass", "Name": each, "Next": after} for each, after in itertools.pairwise(names)
    ]
    states.append({"Type": "Pass", "Name": names[-1], "End": True})
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "long", "StartAt": "S0", "States": states}
    outcome = {"status": "Succeeded", "output": {"ok": True}}
    return {
        "cfmock": 1,
        "credentials": [{"access_key_id": load.ACCESS_KEY_ID, "access_key_secret": load.SECRET}],
        "flows": [{"name": "canned", "outcomes": [outcome]}, {"name": "long", "definition": definition}],
    }
