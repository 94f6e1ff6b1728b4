"""Figures of a server for a monitoring system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cfmock.base.clocks import Slice
from cfmock.control.part import ControlPart, Steps
from cfmock.emulator.worlds import pause
from cfmock.observe.journal import ALL
from cfmock.service.live import live_runs
from cfmock.service.overview import count_by_status
from cfmock.service.world import FLOWS


class Figures(NamedTuple):
    """Figures of all worlds. `calls` are by operation and code, as in `CallTally`; `stored` counts rows; `memory` is in bytes."""

    calls: Mapping[tuple[str, str], Sequence[float]]
    faults: Mapping[str, int]
    executions: Mapping[str, int]
    dropped_executions: int
    waiting: int
    stored: Mapping[str, int]
    memory: int
    journal_calls: int
    journal_bytes: int
    journal_dropped: int


class MetricsControl(ControlPart):
    """Counts calls, executions and stored rows."""

    def read_metrics(self) -> Steps[Figures]:
        """Count what there is; others have their turn in between. What calls and faults did is counted as they happen."""
        turn = Slice()
        executions: Counter[str] = Counter()
        stored: Counter[str] = Counter()
        waiting = 0
        for world in self._worlds(ALL):
            stores = world.stores
            for flow in list(stores.flows.rows(FLOWS)):
                if turn.over():
                    yield pause
                    turn = Slice()
                executions.update(count_by_status(world, flow))
                for kind in ("versions", "aliases", "schedules", "executions", "map_runs"):
                    stored[kind] += getattr(stores, kind).count(flow.id)
            stored["flows"] += stores.flows.count(FLOWS)
            waiting += sum(len(run.waiting) for _, run in live_runs(world))
        emulator = self.emulator
        tally, (calls, size) = emulator.shared.tally, emulator.journal.held()
        return Figures(
            calls=tally.calls,
            faults=tally.faults,
            executions={status: executions[status] for status in emulator.spec.execution_statuses},
            dropped_executions=emulator.memory.dropped,
            waiting=waiting,
            stored=stored,
            memory=emulator.memory.bytes,
            journal_calls=calls,
            journal_bytes=size,
            journal_dropped=emulator.journal.dropped(),
        )
