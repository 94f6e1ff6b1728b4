"""What large fixtures cost a server: processor time and memory up to its first answer."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench
import load

FLOWS = 10_000
STATES = 10
SECONDS, MEMORY = 6.0, 250.0
OUTCOMES = 6_000
"""Flows without a definition, with one outcome each: 0.6 MB."""

OUTCOME_SECONDS = 1.0
EXECUTION_KB = 1.5


def measures() -> Iterator[bench.Measure]:
    seconds, megabytes = _loaded({"flows": [_flow(number) for number in range(FLOWS - 1)]})
    yield bench.Measure(f"{FLOWS} flows of {STATES} states, start included", seconds, SECONDS, " s")
    yield bench.Measure(f"memory with {FLOWS} flows of {STATES} states", megabytes, MEMORY, " MB")
    flows = [
        {"name": f"flow-{number}", "outcomes": [{"when": {"execution": f"e{number}-*"}, "output": {"a": number}}]}
        for number in range(OUTCOMES)
    ]
    seconds, _ = _loaded({"flows": flows})
    yield bench.Measure("a JSON fixture of 0.6 MB, start included", seconds, OUTCOME_SECONDS, " s")


def _flow(number: int) -> dict[str, Any]:
    states: list[dict[str, Any]] = [
        {"Type": "Pass", "Name": f"S{state}", "Next": f"S{state + 1}"} for state in range(STATES - 1)
    ]
    states.append({"Type": "Succeed", "Name": f"S{STATES - 1}"})
    name = f"flow-{number}"
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": "S0", "States": states}
    return {"name": name, "definition": definition}


def _loaded(fixture: dict[str, Any]) -> tuple[float, float]:
    """Seconds of processor time, and resident memory in MB, of a server that has answered its first call."""
    credential = {"access_key_id": load.ACCESS_KEY_ID, "access_key_secret": load.SECRET}
    whole = {"cfmock": 1, "credentials": [credential], **fixture, "flows": [*fixture["flows"], {"name": "canned"}]}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "fixture.json").write_text(json.dumps(whole), encoding="utf-8")
        with bench.running([*bench.CFMOCK[:4], folder, "--port"]) as server:
            return server.cpu(), server.rss()
