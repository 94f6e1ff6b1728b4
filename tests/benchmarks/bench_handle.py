"""What one call costs in the core, without a socket: processor time of `Pipeline.handle`.

    python tests/benchmarks/bench_handle.py

Prints microseconds a call for starts of a canned and of a defined flow and for DescribeExecution; the best of several
rounds counts, as whatever else the machine does only adds. On a server a call costs more, since the caches are cold.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path

import load
from multidict import CIMultiDict, CIMultiDictProxy

from cfmock.emulator.emulator import Emulator
from cfmock.fixtures.loader import load as load_fixtures
from cfmock.fixtures.seeding import build
from cfmock.protocol.wire.messages import Reply, Request
from cfmock.server.lifecycle import settle_memory
from cfmock.settings import resolve

ROUNDS, CALLS = 15, 2_000


def emulator() -> Emulator:
    fixtures = load_fixtures([str(Path(__file__).with_name("bench.yaml"))])
    return build(fixtures, resolve({}, {}, fixtures.settings, keywords=True))


def request(raw: bytes) -> Request:
    """What the edge makes of the bytes of a request."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = CIMultiDict(tuple(line.split(": ", 1)) for line in lines)
    return Request(method, target, CIMultiDictProxy(headers), body)


def cost(core: Emulator, raw: list[bytes]) -> float:
    """Microseconds of processor time a call."""
    requests = [request(each) for each in raw]
    began = time.process_time()
    for each in requests:
        core.handle(each)
    return (time.process_time() - began) / len(requests) * 1e6


def costs() -> dict[str, float]:
    core = emulator()
    core.worlds.default()
    settle_memory()
    first = core.handle(request(load.start_of("one")))
    assert isinstance(first, Reply)
    assert first.status == 200, first
    kinds = {
        "StartExecution, canned": lambda: load.starts(CALLS, "canned"),
        "StartExecution, defined": lambda: load.starts(CALLS, "defined"),
        "DescribeExecution": lambda: load.describes(CALLS, "one"),
    }
    best = dict.fromkeys(kinds, float("inf"))
    for _ in range(ROUNDS):
        for kind, make in kinds.items():
            best[kind] = min(best[kind], cost(core, make()))
            core.reset()
            core.handle(request(load.start_of("one")))
            gc.collect()
    return best


if __name__ == "__main__":
    for kind, microseconds in costs().items():
        print(f"{kind:<28} {microseconds:6.1f} us")
