"""What a test pays for a server with the shipped fixtures, to what it pays for an empty one: in this process.

Definitions are compiled when the files are read, so neither a further server nor a further region may do it again. Both
servers are set up and torn down in turns; the ratio of each pair is taken, and of the ratios the median. Times are
processor times, of the test's thread and the server's together.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from cfmock import CloudFlow

FIXTURES = Path(__file__).parents[2] / "fixtures"
ROUNDS = 101
RATIO, FURTHER_REGION = 3.0, 1.0
"""The limits: `CloudFlow(FIXTURES)` to `CloudFlow()`, and milliseconds more in a second region than in the first."""


def ratio() -> tuple[float, str]:
    """Set-up plus tear-down with all shipped flows, after the first, to that without any; and both in milliseconds."""
    pairs = []
    for _ in range(ROUNDS + 1):
        pairs.append([_took(lambda sources=sources: _enter(*sources)) for sources in ((FIXTURES,), ())])
    del pairs[0]
    shipped, empty = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    return statistics.median(ours / theirs for ours, theirs in pairs), f"{shipped:.2f} to {empty:.2f} ms"


def _enter(*sources: Path) -> None:
    with CloudFlow(*sources):
        pass


def further_region() -> tuple[float, str]:
    """How many milliseconds longer the first call takes in a second region than in the first; and both times."""
    pairs = []
    for _ in range(ROUNDS + 1):
        with CloudFlow(FIXTURES) as cf:
            pairs.append([
                _took(lambda region=region: cf.call("DescribeFlow", Name="order_flow", RegionId=region))
                for region in (cf.region, "cn-shanghai")
            ])  # fmt: skip
    del pairs[0]
    first, second = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    more = statistics.median(theirs - ours for ours, theirs in pairs) * 1000
    return more, f"{second:.2f} to {first:.2f} ms"


def _took(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


if __name__ == "__main__":
    for what, (figure, note) in {"to an empty server": ratio(), "ms more in a second region": further_region()}.items():
        print(f"{figure:6.2f} {what} ({note})")
