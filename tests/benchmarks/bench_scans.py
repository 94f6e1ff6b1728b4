"""What a start costs with many outcomes, mocks or fault rules, to what it costs with few: processor time, the edge included."""

from __future__ import annotations

import contextlib
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench
import load

ROUNDS = 11
CALLS = 1000
INPUT = {"order": 12, "customer": "Ann Lee"}
"""That of the load."""

TASK = {"Type": "Task", "Name": "A", "Action": "FC:InvokeFunction", "End": True}
DEFINITION = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "A", "States": [TASK]}


def _globs(count: int) -> dict[str, Any]:
    when = [{"execution": f"x{number}-*", "input": {"order": -number}} for number in range(count)]
    return {"flows": [{"name": "f", "outcomes": [{"when": each, "output": {}} for each in when]}]}


def _outcomes(count: int) -> dict[str, Any]:
    when = [{"execution": f"x{number}"} for number in range(count)]
    return {"flows": [{"name": "f", "outcomes": [{"when": each, "output": {}} for each in when]}]}


def _last_outcome(count: int) -> dict[str, Any]:
    made = _outcomes(count)
    made["flows"][0]["outcomes"].append({"when": {"input": INPUT}, "output": {}})
    return made


def _mocks(count: int) -> dict[str, Any]:
    when: list[dict[str, Any]] = [{"execution": f"x{number}"} for number in range(count)]
    mocks = [{"when": each, "returns": {}} for each in [*when, {"input": INPUT}]]
    return {"flows": [{"name": "f", "definition": DEFINITION, "tasks": {"A": mocks}}]}


def _rules(count: int) -> dict[str, Any]:
    rule = {"when": {"operation": "ListFlows"}, "error": "InternalServerError"}
    return {"flows": [{"name": "f", "outcomes": [{"output": {}}]}], "faults": [rule] * count}


KINDS: tuple[tuple[str, Callable[[int], dict[str, Any]], int, int, float], ...] = (
    ("outcomes with globs, none matches", _globs, 32, 1, 1.2),
    ("outcomes by name, none matches", _outcomes, 1000, 10, 1.3),
    ("outcomes by name, the last matches", _last_outcome, 1000, 10, 1.3),
    ("mocks by name, the last matches", _mocks, 1000, 10, 1.3),
    ("fault rules for another operation", _rules, 1000, 10, 1.3),
)


def measures() -> list[bench.Measure]:
    found = []
    for what, fixture, many, few, limit in KINDS:
        pairs = _pairs(fixture(many), fixture(few))
        more, less = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        found.append(
            bench.Measure(f"a start, {many} {what}, to {few}", ratio, limit, note=f"{more:.0f} to {less:.0f} us")
        )
    return found


def _pairs(*fixtures: dict[str, Any]) -> list[list[float]]:
    """Seconds of processor time of a start with each of the fixtures, measured in turns."""
    credential = {"access_key_id": load.ACCESS_KEY_ID, "access_key_secret": load.SECRET}
    with contextlib.ExitStack() as stack:
        servers = []
        for fixture in fixtures:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            whole = {
                "cfmock": 1,
                "credentials": [credential],
                **fixture,
                "flows": [*fixture["flows"], {"name": "canned"}],
            }
            Path(folder, "fixture.json").write_text(json.dumps(whole), encoding="utf-8")
            servers.append(stack.enter_context(bench.running([*bench.CFMOCK[:4], folder, "--port"])))

        def used(server: bench.Server) -> float:
            requests, before = load.starts(CALLS, "f"), server.cpu()
            load.send(server.port, requests)
            return (server.cpu() - before) / CALLS

        return [[used(server) for server in servers] for _ in range(ROUNDS + 1)][1:]
