"""Targets under atheris, one after the other, in a process of their own: `guided.py SECONDS CORPUS TARGET ...`.

Prints `begun: TARGET` before each, `slowest: BYTES` whenever an input was slower than all before, `fed: COUNT` now and then,
and `ended: STATUS` after it. Each is in a child of this process, as atheris never comes back, and loads nothing anew.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cfmock"]):
    from tests.fuzz.targets import TARGETS, Meter, Target, listen

from tests.fuzz.__main__ import test_of


def fuzz(target: Target, seconds: float, corpus: Path) -> None:
    """Go on until the time is over. Does not come back."""
    corpus.mkdir(parents=True, exist_ok=True)
    meter = Meter(target)
    feed = test_of(target, meter, 1).hypothesis.fuzz_one_input

    def one(data: bytes) -> None:
        slowest, count = meter.slowest, meter.count
        feed(data)
        if meter.slowest > slowest:
            print(f"slowest: {data!r}", flush=True)
        if meter.count % 20 == 0 and meter.count > count:
            print(f"fed: {meter.count}", flush=True)

    bounds = [f"-max_total_time={max(1, round(seconds))}", "-timeout=60", "-max_len=8192", "-len_control=0"]
    atheris.Setup([sys.argv[0], *bounds, f"-artifact_prefix={corpus}.", str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    seconds, corpus = float(sys.argv[1]), Path(sys.argv[2])
    listen()
    for name in sys.argv[3:]:
        print(f"begun: {name}", flush=True)
        child = os.fork()
        if not child:
            fuzz(TARGETS[name], seconds, corpus / name)
        print(f"ended: {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}", flush=True)


if __name__ == "__main__":
    main()
