"""What a state file costs: a start with it to one without, a process start on a full file, and bytes on disk."""

from __future__ import annotations

import math
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import bench
import load

ROUNDS, CALLS = 9, 2_000
ENDED, RUNNING = 10_000, 1_000

KEEP, STARTS, BYTES = 0.6, 1.5, 3.0
"""The limits: throughput to that without state; seconds more at the start; kB an execution of three states."""

FLOWS = """\
cfmock: 1
credentials:
  - {access_key_id: bench-ak, access_key_secret: bench-secret}
flows:
  - name: three
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: three
      StartAt: A
      States:
        - {Type: Pass, Name: A, Next: B}
        - {Type: Pass, Name: B, Next: C}
        - {Type: Pass, Name: C, End: true}
  - name: waits
    definition: |
      Type: StateMachine
      SpecVersion: v1
      Name: waits
      StartAt: A
      States:
        - {Type: Pass, Name: A, Next: B}
        - {Type: Wait, Name: B, Seconds: 300, End: true}
  - {name: canned, outcomes: [{status: Succeeded, output: {ok: true}}]}
"""


def measures() -> list[tuple[str, float, float, str, bool, str]]:
    """What was measured: the figure, its limit and unit, whether that is the least, and a note."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        fixture = place / "flows.yaml"
        fixture.write_text(FLOWS, encoding="utf-8")
        plain = [*bench.CFMOCK[:4], str(fixture), "--keep-executions", "1000000", "--keep-bytes", "4GiB"]
        return [_throughput(plain, place), *_start(plain, place)]


def _throughput(plain: list[str], place: Path) -> tuple[str, float, float, str, bool, str]:
    kept = [*plain, "--state", str(place / "calls.db"), "--port"]
    ratios, used = [], [0.0, 0.0]
    with bench.running([*plain, "--port"]) as without, bench.running(kept) as with_state:
        servers = (with_state, without)
        for number in range(ROUNDS + 1):
            rates = []
            for index, server in enumerate(servers):
                before = server.cpu()
                rates.append(load.send(server.port, load.starts(CALLS, "canned")).rate)
                used[index] += server.cpu() - before
            if number:
                ratios.append(rates[0] / rates[1])
    note = f"processor time {used[1] / used[0]:.2f}, rounds {min(ratios):.2f} to {max(ratios):.2f}"
    return "StartExecution with state to without", statistics.median(ratios), KEEP, "", True, note


def _start(plain: list[str], place: Path) -> list[tuple[str, float, float, str, bool, str]]:
    path = place / "full.db"
    kept = [*plain, "--state", str(path), "--port"]
    with bench.running(kept) as server:
        load.send(server.port, load.starts(ENDED, "three"))
        load.send(server.port, load.starts(RUNNING, "waits"))
    with sqlite3.connect(path) as file:
        (size,) = (
            file.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name IN ('executions', 'executions_by_state')"
            ).fetchone()
            if _has_dbstat(file)
            else (math.nan,)
        )
    file.close()
    size = path.stat().st_size if math.isnan(size) else size
    took = []
    for _ in range(3):
        colds = []
        for command in (kept, [*plain, "--port"]):
            began = time.perf_counter()
            with bench.running(command):
                colds.append(time.perf_counter() - began)
        took.append(colds[0] - colds[1])
    note = f"{path.stat().st_size / 1e6:.1f} MB in all"
    return [
        (
            f"start with {ENDED} ended, {RUNNING} running",
            statistics.median(took),
            STARTS,
            " s",
            False,
            "more than without",
        ),
        ("on disk, an ended execution of three states", size / (ENDED + RUNNING) / 1000, BYTES, " kB", False, note),
    ]


def _has_dbstat(file: sqlite3.Connection) -> bool:
    try:
        file.execute("SELECT 1 FROM dbstat LIMIT 1")
    except sqlite3.Error:
        return False
    return True
