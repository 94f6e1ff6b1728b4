"""Processor time of this build against that of another checkout. A program: bench_builds.py FOLDER [--rounds N].

FOLDER is a checkout of an earlier state (`git worktree add ../before REV`). Both builds run in turns in one go with this
interpreter; of each pair of rounds the ratio of processor time is taken, and of the ratios the median. Exit 1 beyond `LIMIT`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

import bench
import load

LIMIT = 1.08
"""What this build may cost at most, as a multiple of the other."""

CALLS = 8_000
"""Signed calls of StartExecution in a round, over 32 connections."""

STARTS = 8
"""Processes started in a round."""

HERE = bench.HERE.parent.parent


def command(folder: Path) -> list[str]:
    """A build's server; whoever starts it appends the port. What lies in the working folder is imported first."""
    serve = [sys.executable, "-m", "cfmock", "serve", str(HERE / "tests" / "benchmarks" / "bench.yaml"), "--port"]
    return ["env", "-C", str(folder), *serve]


def calls(folders: list[Path], flow: str, rounds: int) -> list[list[float]]:
    """Seconds of processor time of each build for `CALLS` calls, round by round."""
    found = []
    with bench.running(command(folders[0])) as one, bench.running(command(folders[1])) as other:
        for number in range(rounds + 1):
            used = []
            for server in (one, other):
                before = server.cpu()
                load.send(server.port, load.starts(CALLS, flow))
                used.append(server.cpu() - before)
            if number:  # the first round warms up
                found.append(used)
    return found


def starts(folders: list[Path], rounds: int) -> list[list[float]]:
    """Seconds of processor time of each build for `STARTS` processes up to their first answers, round by round."""
    found = []
    for number in range(rounds + 1):
        used = []
        for folder in folders:
            before = os.times()
            for _ in range(STARTS):
                with bench.running(command(folder)):
                    pass
            after = os.times()
            used.append(sum(after[2:4]) - sum(before[2:4]))  # of children that have ended
        if number:  # the first round fills the caches
            found.append(used)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    wanted = parser.parse_args()
    folders = [HERE, wanted.folder.resolve()]
    bench.pin(0, 1)
    missed = False
    for what, rounds in (
        ("StartExecution (canned), 32 connections", calls(folders, "canned", wanted.rounds)),
        ("StartExecution (defined), 32 connections", calls(folders, "defined", wanted.rounds)),
        ("process start to first answer", starts(folders, wanted.rounds)),
    ):
        ratios = [ours / theirs for ours, theirs in rounds]
        note = f"rounds {min(ratios):.2f} to {max(ratios):.2f}"
        measure = bench.Measure(f"{what}, to the other build", statistics.median(ratios), LIMIT, note=note)
        print(measure, flush=True)
        missed |= not measure.met
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
