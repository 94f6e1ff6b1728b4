"""The parts that all worlds of an emulator share."""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec import Struct, field

from cfmock.base.clocks import Clock
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timers
from cfmock.engine.scheduler import FlowScheduler
from cfmock.engine.task_mocks import Functions
from cfmock.observe.call_tally import CallTally
from cfmock.observe.change_feed import ChangeFeed
from cfmock.observe.journal import Journal, Warned, WorldKey
from cfmock.protocol.spec.model import Spec
from cfmock.protocol.wire.messages import Subscribe
from cfmock.service.call_diagnostics import LONGEST, CallDiagnostics
from cfmock.service.retention import Memory
from cfmock.service.rows import ExecutionRow
from cfmock.service.tables import ChangeLog
from cfmock.settings import Settings

Observer = Callable[[ExecutionRow, str, int], object]
"""Called for each point of a definition that is passed: with the execution that passes it, the id of the point, and that of the
event which comes next."""


class Shared(Struct):
    """The parts that every world works with.

    `functions` is how mocks reach functions outside, None where there is no way; `observer` is called for each point passed by
    executions that start from then on; `former_flows` are the names of flows that were deleted, the newest last; warnings go to
    `tell`, too. `feed` is what has changed, for those who look; `changes` are what a state file does not hold yet, where there
    is one; `compile_later` begins to compile a large definition while others are answered, where there is a way: it returns how
    to subscribe to the end, None if it can be compiled at once.
    """

    spec: Spec
    settings: Settings
    clock: Clock
    timers: Timers
    ids: Ids
    scheduler: FlowScheduler
    journal: Journal
    memory: Memory
    tally: CallTally
    feed: ChangeFeed = field(default_factory=ChangeFeed)
    notes: CallDiagnostics = field(default_factory=CallDiagnostics)
    functions: Functions | None = None
    observer: Observer | None = None
    changes: ChangeLog | None = None
    compile_later: Callable[..., Subscribe | None] | None = None
    former_flows: dict[str, None] = field(default_factory=dict)
    tell: Callable[[str], object] = logging.getLogger("cfmock").warning

    def warn(self, world: WorldKey, text: str) -> None:
        """Tell the log, the journal, and the call that is being handled."""
        text = text[:LONGEST]
        self.tell(text)
        self.notes.warn(text)
        self.journal.warn(Warned(self.clock.now(), world, text))
