"""`GET metrics`: the figures of a server as Prometheus' text, by its own library, which the extra `metrics` brings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from cfmock.control.metrics import Figures
from cfmock.observe.call_tally import BOUNDS

MISSING = "metrics need the extra 'metrics': pip install 'cfmock[metrics]'"

EVERY = 0.5
"""Seconds between two looks at how late the loop is."""

UNASKED = 300.0
"""Seconds without a request for metrics after which the loop is not watched."""


class LoopDelay:
    """By how much a loop is late: the most since somebody asked. It looks at that from the first time that somebody asks, and
    stops when nobody has for a while."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._asked = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, stopping: asyncio.Event) -> float:
        """Return the longest delay since the time before, in seconds."""
        loop = asyncio.get_running_loop()
        self._asked = loop.time()
        if self._timer is None:
            self._look(loop, stopping)
        longest, self._longest = self._longest, 0.0
        return longest

    def _look(self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
        due = loop.time() + EVERY

        def look() -> None:
            self._timer = None
            self._longest = max(self._longest, loop.time() - due)
            if not stopping.is_set() and loop.time() - self._asked < UNASKED:
                self._look(loop, stopping)

        self._timer = loop.call_at(due, look)


def metrics_text(figures: Figures, loop_delay: float) -> tuple[bytes, str]:
    """Write figures down; returns the text and its type. Raises ImportError without the extra."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return generate_latest(_FigureCollector(figures, loop_delay)), CONTENT_TYPE_LATEST


class _FigureCollector:
    """The collector that Prometheus' library reads."""

    def __init__(self, figures: Figures, loop_delay: float) -> None:
        self._figures = figures
        self._loop_delay = loop_delay

    def collect(self) -> Iterator[Any]:
        """The metrics, one after the other."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        figures = self._figures
        durations = HistogramMetricFamily(
            "cfmock_call_duration_seconds", "Real time until there was an answer.", labels=["operation", "code"]
        )
        for (operation, code), counts in figures.calls.items():
            bounds = [*map(str, BOUNDS), "+Inf"]
            summed = accumulate(counts[:-1])
            durations.add_metric([operation, code], list(zip(bounds, summed, strict=True)), counts[-1])
        yield durations
        yield self._counted(
            CounterMetricFamily("cfmock_faults_struck", "Calls affected by a fault rule.", labels=["fault"]),
            figures.faults,
        )
        yield self._counted(
            GaugeMetricFamily("cfmock_executions", "Executions that are kept.", labels=["status"]), figures.executions
        )
        yield self._counted(GaugeMetricFamily("cfmock_stored", "Rows that are kept.", labels=["kind"]), figures.stored)
        yield CounterMetricFamily(
            "cfmock_executions_dropped", "Executions that ended and are kept no longer.", figures.dropped_executions
        )
        yield GaugeMetricFamily("cfmock_waiting_tasks", "Tasks that wait for a report.", figures.waiting)
        yield GaugeMetricFamily("cfmock_executions_bytes", "About what executions take.", figures.memory)
        yield GaugeMetricFamily("cfmock_journal_calls", "Calls that the journal keeps.", figures.journal_calls)
        yield GaugeMetricFamily("cfmock_journal_bytes", "About what these take.", figures.journal_bytes)
        yield CounterMetricFamily(
            "cfmock_journal_dropped", "Calls that the journal keeps no longer.", figures.journal_dropped
        )
        yield GaugeMetricFamily(
            "cfmock_loop_delay_seconds", "The longest that the loop was late since the last time.", self._loop_delay
        )

    @staticmethod
    def _counted(family: Any, values: Mapping[str, int]) -> Any:
        for label, value in values.items():
            family.add_metric([label], value)
        return family
