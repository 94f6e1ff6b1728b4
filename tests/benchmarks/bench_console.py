"""The console in a real Chromium: how soon it is seen, what it does while much happens, and what others pay for it.

The server has one core for itself; Chromium shares the other with the load. Where others are measured it gives way to
the load, as it would on a core of its own: what is measured is what the server does for it.
"""

from __future__ import annotations

import math
import shutil
import socket
import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

import bench
import load

from tests.e2e.console.browser import CHROMIUM, DRIVER, Browser, chromium

EXECUTIONS, CALLS = 5_000, 1_000
PER_SECOND, SECONDS = 500, 60
ROUNDS, ROUND = 9, 2  # pairs, and seconds of each half
LOADS = 9
LAST = ("chrt", "--idle", "0") if shutil.which("chrt") else ("nice", "-n", "19")
"""What makes a program give way: of a nice one that root starts, Chromium raises some threads again."""
VIEWS = ("calls", "executions", "flows/canned")

FIRST_PAINT, LONG_TASK, GROWTH, COST, P99 = 300, 100, 1, 1.05, 2
"""Milliseconds; milliseconds; MB; processor time, and the 99th percentile, with the console to without."""

_LISTED = """
while (!document.querySelector("tbody tr")) await new Promise((done) => setTimeout(done, 5));
"""

_PAINTS = """
const [painted] = performance.getEntriesByName("first-contentful-paint");
return [painted.startTime, performance.now()];
"""

_WATCH = """
window.longest = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) window.longest = Math.max(window.longest, each.duration);
}).observe({type: "longtask"});
"""

_COUNT = """
window.reads = 0;
const ask = window.fetch;
window.fetch = (...words) => { window.reads += 1; return ask(...words); };
"""


class Paced(NamedTuple):
    """Calls at a steady pace: processor time of the server for each, the time of each from the moment it was due, and of all."""

    used: float
    latencies: list[float]
    seconds: float

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.latencies, n=100)[98]


def measures() -> list[bench.Measure]:
    if not (CHROMIUM and DRIVER):
        return [bench.Measure("console", math.nan, None, note="there is no chromium with chromedriver here")]
    keeping = [*bench.CFMOCK[:-1], "--keep-executions", "200000", "--port"]
    with bench.running(keeping) as server:
        load.send(server.port, [load.start_of("one"), *load.starts(EXECUTIONS - 1)])
        load.send(server.port, load.describes(CALLS, "one"))
        with chromium() as browser:
            browser.look(1280, "light")
            found = [*_seen(browser, server), *_minute(browser, server)]
        with chromium(*LAST) as browser:
            return [*found, *_paid(browser, server)]


def _open(browser: Browser, server: bench.Server, view: str) -> None:
    browser.open(f"http://127.0.0.1:{server.port}/_cfmock/#/{view}")


# -- the page ----------------------------------------------------------------------------------------------------------


def _seen(browser: Browser, server: bench.Server) -> Iterator[bench.Measure]:
    """How soon something is seen, and how soon the list."""
    found = []
    for _ in range(LOADS + 1):
        browser.open("about:blank")
        _open(browser, server, "executions")
        found.append(browser.run(_LISTED + _PAINTS))
    painted, listed = (statistics.median(column) for column in zip(*found[1:], strict=True))
    what = f"first contentful paint, {CALLS} calls and {EXECUTIONS} executions"
    yield bench.Measure(what, painted, FIRST_PAINT, " ms", note=f"the list after {listed:.0f} ms")


def _minute(browser: Browser, server: bench.Server) -> Iterator[bench.Measure]:
    """The longest task and the memory of a page that looks at each view in turn while calls come in."""
    _open(browser, server, VIEWS[0])
    browser.run(_WATCH)
    heaps, longest = [], {}
    for number in range(2 * len(VIEWS)):
        view = VIEWS[number % len(VIEWS)]
        browser.run("window.longest = 0; location.hash = given[0]", f"#/{view}")
        _paced(server, SECONDS // (2 * len(VIEWS)))
        longest[view] = max(longest.get(view, 0.0), browser.run("return window.longest"))
        heaps.append(_heap(browser))
    first, last = sum(heaps[: len(VIEWS)]), sum(heaps[len(VIEWS) :])
    note = ", ".join(f"{view} {took:.0f}" for view, took in longest.items())
    what = f"longest task in the page, {PER_SECOND} calls/s for {SECONDS} s"
    yield bench.Measure(what, max(longest.values()), LONG_TASK, " ms", note=f"{note} (0: under 50)")
    grown = (last - first) / len(VIEWS) / 2**20
    note = f"{last / 2**20 / len(VIEWS):.1f} MB"
    yield bench.Measure("its memory, second half to first", grown, GROWTH, " MB", note=note)


def _heap(browser: Browser) -> float:
    """Bytes that the page's objects and nodes take, after those that are gone were collected."""
    browser.devtools("HeapProfiler.collectGarbage", {})
    usage = browser.devtools("Runtime.getHeapUsage", {})
    return float(usage["usedSize"] + usage.get("embedderHeapUsedSize", 0))


# -- the others --------------------------------------------------------------------------------------------------------


def _paid(browser: Browser, server: bench.Server) -> Iterator[bench.Measure]:
    """What an open console takes from the server and from clients, in turns with none."""
    _paced(server, 1)
    for view in VIEWS[:2]:
        with_it, without, reads = [], [], 0
        for number in range(ROUNDS):
            for opened in (True, False) if number % 2 else (False, True):
                browser.open("about:blank")
                if opened:
                    _open(browser, server, view)
                    browser.until_text("live")
                    browser.run(_LISTED + _COUNT)
                (with_it if opened else without).append(_paced(server, ROUND))
                reads += browser.run("return window.reads ?? 0")
        used, free = (min(each.used for each in found) for found in (with_it, without))
        note = f"{used * 1e6:.0f} to {free * 1e6:.0f} us a call, the least of {ROUNDS} rounds"
        yield bench.Measure(f"an open console ({view}) at {PER_SECOND} calls/s", used / free, COST, note=note)
        pairs = [(late.p99, soon.p99) for late, soon in zip(with_it, without, strict=True)]
        late, soon = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
        ratio = statistics.median(late / soon for late, soon in pairs)
        note = f"{late:.2f} to {soon:.2f} ms"
        yield bench.Measure("p99 of DescribeExecution with it to without", ratio, P99, note=note)
        took = sum(each.seconds for each in with_it)
        note = f"at {PER_SECOND * ROUND * ROUNDS / took:.0f} calls/s"
        yield bench.Measure("its requests a second", reads / took, 1, at_least=True, note=note)


def _paced(server: bench.Server, seconds: int) -> Paced:
    """Start executions and describe one, in turns, at the pace; the latencies are those of the latter."""
    pairs = zip(load.starts(PER_SECOND * seconds // 2), load.describes(PER_SECOND * seconds // 2, "one"), strict=True)
    requests, latencies = [each for pair in pairs for each in pair], []
    before, begun = server.cpu(), time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        for number, request in enumerate(requests):
            due = begun + number / PER_SECOND
            time.sleep(max(0.0, due - time.perf_counter()))
            load.exchange(connection, request)
            if number % 2:
                latencies.append(time.perf_counter() - due)
    seconds = time.perf_counter() - begun
    return Paced((server.cpu() - before) / len(requests), latencies, seconds)
