"""What starting costs, in processor time: a server up to its first answer, `import cfmock`, `cfmock run`, memory at the start."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys

import bench

ROUNDS = 11

BARE = [sys.executable, "-c", "pass"]
IMPORT = [sys.executable, "-c", "import cfmock"]
AIOHTTP = [sys.executable, "-c", "import aiohttp.web"]
RUN = [sys.executable, "-m", "cfmock", "run", "--", "true"]


def measures() -> list[bench.Measure]:
    servers, sizes, programs = [], [], []
    for _ in range(ROUNDS + 1):  # the first one fills the caches
        costs = []
        for command in (bench.YARDSTICK, bench.PLAIN):
            with bench.running(command) as server:
                costs.append(server.cpu())
                sizes.append(server.rss())
        servers.append(costs)
        programs.append([_used(command) for command in (BARE, IMPORT, AIOHTTP, RUN)])
    ratio = statistics.median(ours / theirs for theirs, ours in servers[1:])
    theirs, ours = (statistics.median(column) * 1000 for column in zip(*servers[1:], strict=True))
    more = statistics.median(each[1] - each[0] for each in programs[1:]) * 1000
    run = statistics.median(each[3] / each[2] for each in programs[1:])
    note = f"{ours:.0f} to {theirs:.0f} ms of processor time"
    return [
        bench.Measure("process start to first answer", ratio, 1.4, note=note),
        bench.Measure("import cfmock, beyond bare Python", more, 5, " ms"),
        bench.Measure("cfmock run -- true to import aiohttp.web", run, 1.35),
        bench.Measure("memory at the start", statistics.median(sizes[3::2]), 48, " MB"),
    ]


def _used(command: list[str]) -> float:
    """Seconds of processor time of a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=bench.ENVIRONMENT, cwd=os.sep, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
