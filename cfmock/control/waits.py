"""What an execution that has not ended waits for, as lists and pages show it."""

from __future__ import annotations

import math

from cfmock.base.clocks import iso
from cfmock.base.json_text import Json
from cfmock.engine.scheduler import YEAR
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import World


def waits_of(world: World, row: ExecutionRow) -> dict[str, Json] | None:
    """The state it is in, what that waits `for`, and until when at most; None for one that has ended, or never does by itself.

    A report comes first, since somebody has to give it. The time is that of the execution.
    """
    live = world.live_execution(row)
    if live is None:
        return None
    timeline, run = live.timeline, live.run
    if run is not None and run.waiting:
        task = min(run.waiting.values(), key=lambda each: each.since)
        longest = task.call.timeout
        return _wait(task.call.state, "report", None if longest is None else task.since + longest)
    last = row.events[-1] if row.events else None
    state = last.step if last is not None else ""
    if timeline.busy:
        return _wait(state, "function", None)
    due = timeline.now() + timeline.left
    if due == math.inf or (run is not None and due > run.started + YEAR - 1):
        return None
    failed = last is not None and last.type in ("TaskFailed", "TaskTimedOut", "TaskSubmitFailed")
    return _wait(state, "retry" if failed else "time", due)


def _wait(state: str, kind: str, until: float | None) -> dict[str, Json]:
    return {"state": state or None, "for": kind, "until": None if until is None else iso(until)}
