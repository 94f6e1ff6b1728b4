"""Recordings of live executions, so that they go on after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cfmock.base.timers import Timeline
from cfmock.engine.execution import Recording
from cfmock.engine.recording import ExecutionRecording
from cfmock.service.recorded_tables import RecordingWriter
from cfmock.service.rows import ExecutionRow

if TYPE_CHECKING:
    from cfmock.service.world import World

BEGUN = "begun"
"""The first entry of an execution that runs its definition: now, skipped, owner of its timeline, nesting."""

CANNED = "canned"
"""An entry of one that goes by an outcome: when it ends (None: not by itself), polls left, outcome, owner, skipped."""


def own(timeline: Timeline, row: ExecutionRow) -> int:
    """The serial of the execution whose time this is: the first that lives on it."""
    timeline.owner = timeline.owner or row.serial
    return timeline.owner


def begin_recording(world: World, row: ExecutionRow, timeline: Timeline, nesting: int) -> Recording | None:
    """Take down how an execution goes on that runs its definition; None where no state is kept."""
    log = world.shared.changes
    if log is None:
        return None
    write = RecordingWriter(log, world.key, row.serial)
    write([BEGUN, world.clock.now(), timeline.skipped, own(timeline, row), nesting])
    return ExecutionRecording(write)


def record_canned(
    world: World, row: ExecutionRow, timeline: Timeline, due: float | None, polls: int, outcome: object, number: int
) -> None:
    """Take down when an execution ends that goes by an outcome: at the moment `due`, or at the last of `polls`. `number` counts
    what was taken down of it."""
    log = world.shared.changes
    if log is not None:
        write = RecordingWriter(log, world.key, row.serial, number)
        write([CANNED, due, polls, outcome, own(timeline, row), timeline.skipped])
