"""`GET metrics`: the figures of a server as Prometheus' text, by its own library, which the extra `metrics` brings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from cfmock.control.metrics import Figures
from cfmock.observe.call_tally import BOUNDS

MISSING = "metrics need the extra 'metrics': pip install 'cfmock[metrics]'"

EVERY = 0.5  # seconds between two looks at how late the loop is
UNASKED = 300.0  # seconds without a request for metrics after which the loop is not watched


class LoopDelay:
    """By how much a loop was late, at most, since somebody asked. It is watched for as long as somebody asks now and then."""

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
        for kind, name, meaning, label, figure in _FAMILIES:
            family = (GaugeMetricFamily if kind == "gauge" else CounterMetricFamily)(
                f"cfmock_{name}", meaning, labels=[label] if label else []
            )
            found: Any = self._loop_delay if figure is None else getattr(figures, figure)
            for key, value in found.items() if label else [("", found)]:
                family.add_metric([key] if label else [], value)
            yield family


_FAMILIES = (
    ("counter", "faults_struck", "Calls affected by a fault rule.", "fault", "faults"),
    ("gauge", "executions", "Executions that are kept.", "status", "executions"),
    ("gauge", "stored", "Rows that are kept.", "kind", "stored"),
    ("counter", "executions_dropped", "Executions that ended and are kept no longer.", "", "dropped_executions"),
    ("gauge", "waiting_tasks", "Tasks that wait for a report.", "", "waiting"),
    ("gauge", "executions_bytes", "About what executions take.", "", "memory"),
    ("gauge", "journal_calls", "Calls that the journal keeps.", "", "journal_calls"),
    ("gauge", "journal_bytes", "About what these take.", "", "journal_bytes"),
    ("counter", "journal_dropped", "Calls that the journal keeps no longer.", "", "journal_dropped"),
    ("gauge", "loop_delay_seconds", "The longest that the loop was late since the last time.", "", None),
)
"""Kind, name, meaning and label of metrics, and their field of `Figures`; None: the delay of the loop."""
