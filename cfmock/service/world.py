"""A world: all that one account has in one region, which every handler is given."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from cfmock.base.bounded_cache import keep_newest
from cfmock.base.short_text import digest
from cfmock.base.timers import Timeline, Timer, TimerKind
from cfmock.engine.execution import CalledTask, FlowExecution
from cfmock.engine.identity import Identity
from cfmock.engine.task_mocks import TaskMocks
from cfmock.observe.change_feed import Kind
from cfmock.protocol.faults.injector import FaultInjector
from cfmock.protocol.faults.token_bucket import DocumentedLimits
from cfmock.service.outcomes import Outcome, Outcomes
from cfmock.service.retention import Retention
from cfmock.service.rows import ExecutionRow, FlowRow
from cfmock.service.shared import Shared
from cfmock.service.store.memory import Table
from cfmock.service.tables import Stores

Waiters = dict[Callable[[], None], None]
"""Those that wait for the end of an execution, in the order in which they came."""

TOLD_TOGETHER = 64
"""Those that are told of an end at once; others have their turn before the next ones are."""

MAX_REMEMBERED = 10_000
"""Names of flows that are gone and may still be asked about, and tasks of which something was said."""

FLOWS = "flows"
"""The partition of a world's flows; executions stand in one partition for each flow id."""

MOST_NAMES = 1000
"""Names of executions that a misspelt one is compared with."""


class Live(Protocol):
    """An execution that has not ended: by its definition (`run` is what the engine has of it) or by a canned `outcome`."""

    row: ExecutionRow
    timeline: Timeline
    waiters: Waiters  # told when it has ended, or is gone
    listed: bool = False  # whether its row stands in the index
    run: FlowExecution | None = None
    outcome: Outcome | None = None
    looks: tuple[float, int] = (-math.inf, 0)  # on a virtual clock: a time of its timeline, and how many looked then

    def begin(self) -> None:
        """Start it; it may have ended when this returns."""

    def poll(self) -> bool:
        """Count a DescribeExecution. Returns whether the number of these decides when it ends."""
        return False

    def poll_to_end(self) -> None:
        """End it if polls do: whoever waits (a synchronous start, a parent, `cf.run`) would poll as often as it takes."""
        return

    def stop(self, error: str, cause: str) -> None:
        """End it now, as StopExecution does."""

    def drop(self) -> None:
        """Its flow is deleted: end after the step it is in, and tell nobody."""

    def attend(self) -> Callable[[], None]:
        """Run it ahead on a virtual clock as far as nothing else decides, until the returned function is called."""


class World:
    """The state of one account in one region, and what its handlers need to work on it."""

    def __init__(self, account: str, region: str, shared: Shared) -> None:
        self.account = account
        self.region = region
        self.where = account, region
        self.shared = shared
        self.spec = shared.spec
        self.settings = shared.settings
        self.clock = shared.clock
        self.timers = shared.timers
        self.ids = shared.ids
        self.scheduler = shared.scheduler
        self.notes = shared.notes
        changes = shared.changes
        self.stores = Stores()
        if changes is not None:
            self.stores = Stores.recorded(changes, self.key, lambda row: self.retention.is_staying(row))
        self.given: dict[str, str] | None = None  # what fixtures said of flows and schedules, where state is kept
        self.counted_faults = False  # whether faults have counted a call, since that was written down
        self.counted_outcomes: set[str] = set()  # the flows whose outcomes have been used, likewise
        # Tasks whose functions a process died before it heard of, and how to call these again.
        self.uncalled: list[tuple[CalledTask, Callable[[], bool]]] = []
        self.faults = FaultInjector(shared.clock, shared.ids)
        documented = shared.settings.rate_limits == "documented"
        self.limits = DocumentedLimits(shared.clock, shared.spec.limits["api_rate"]) if documented else None
        # By flow name; those given before the flow exists wait for it.
        self.outcomes: defaultdict[str, Outcomes] = defaultdict(Outcomes)
        self.mocks: defaultdict[str, TaskMocks] = defaultdict(TaskMocks)
        self._said: dict[bytes, None] = {}  # digests of what was said once already
        self.live: dict[str, dict[str, Live]] = {}  # by flow id and execution name
        self.running = 0  # how many live ones there are
        self.untold: deque[Waiters] = deque()  # those that wait for executions which have ended
        self.alarms: dict[str, dict[str, Timer]] = {}  # next runs, by flow id and schedule name
        self.serial = 0
        self.retention = Retention(shared.memory, shared.settings.keep_executions, self._forget, self.warn)

    @property
    def key(self) -> str:
        """The name of the world in a state file."""
        return f"{self.account}/{self.region}"

    def changed(self, kind: Kind, *names: str) -> None:
        """Mark a change of something in it, for those who look."""
        self.shared.feed.mark(kind, self.where, *names)

    def warn(self, text: str) -> None:
        """Tell the log, the journal, and the call that is being handled."""
        self.shared.warn(self.where, text)

    def says_first(self, *subject: str) -> bool:
        """Return whether something is said of a subject for the first time, so far as that is remembered."""
        key = digest("\n".join(subject))
        first = key not in self._said
        keep_newest(self._said, key, None, MAX_REMEMBERED)
        return first

    def _forget(self, row: ExecutionRow, map_runs: Iterable[str]) -> None:
        """Remove an execution that has ended, with its map runs, as if it had never been."""
        flow, stores = row.flow.id, self.stores
        stores.executions.delete(flow, row.name)
        stores.by_status.discard(flow, row)
        for key in map_runs:
            stores.map_runs.delete(flow, key)

    def next_serial(self) -> int:
        """The number of a new execution."""
        self.serial += 1
        return self.serial

    def live_execution(self, row: ExecutionRow) -> Live | None:
        return self.live.get(row.flow.id, {}).get(row.name)

    def lives(self) -> list[Live]:
        """All executions that have not ended."""
        return [live for lives in self.live.values() for live in lives.values()]

    def run_of(self, row: ExecutionRow) -> FlowExecution | None:
        """Return the engine's execution of a row whose definition is being executed, None for others."""
        live = self.live_execution(row)
        return None if live is None else live.run

    def enter(self, live: Live) -> None:
        """Take in an execution that begins."""
        self.live.setdefault(live.row.flow.id, {})[live.row.name] = live
        self.running += 1

    def leave(self, row: ExecutionRow) -> None:
        """Let go of an execution that has ended."""
        if self.live.get(row.flow.id, {}).pop(row.name, None) is not None:
            self.running -= 1

    def subscribe(self, row: ExecutionRow, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` when the execution has ended, or is gone. Returns how to undo that."""
        live = self.live_execution(row)
        waiters: Waiters = {} if live is None else live.waiters
        waiters[tell] = None
        return lambda: waiters.pop(tell, None)

    def tell(self, waiters: Waiters) -> None:
        """Tell all that wait for the end of an execution: some at once, many in turns."""
        _tell_first(waiters, TOLD_TOGETHER)
        if waiters:
            self.untold.append(waiters)
            self.timers.add(self.clock.steady(), TimerKind.PROGRESS, lambda: self.tell(self.untold.popleft()))

    def tell_everybody(self) -> None:
        """Tell all that wait for the end of any execution: they are gone with the world."""
        for waiters in (*[live.waiters for live in self.lives()], *self.untold):
            _tell_first(waiters, None)

    def evict(self, flow: str) -> Iterable[Live]:
        """Take out the live executions of the flow of this id, and return them."""
        self.retention.drop_flow(self.stores.executions.rows(flow))
        lives = self.live.pop(flow, {})
        self.running -= len(lives)
        return lives.values()

    def identity_of(self, flow: FlowRow, execution: str, nesting: int = 0, serial: int = 0) -> Identity:
        """Return the identity of an execution, as its definition, its outcome and its task tokens can read it."""
        variables = flow.environment["Variables"] if flow.environment is not None else ()
        return Identity(
            flow=flow.name,
            execution=execution,
            role_arn=flow.role_arn,
            region=self.region,
            environment={each["Name"]: each.get("Value", "") for each in variables},
            nesting=nesting,
            account=self.account,
            serial=serial,
        )

    def flow_names(self) -> list[str]:
        """The flows there are."""
        return list(self.stores.flows.keys(FLOWS))

    def names_in(self, table: Table[Any], flow: str, like: str) -> list[str]:
        """The executions or schedules of a flow that there are; of very many, some that begin as `like` does."""
        row = self.stores.flows.get(FLOWS, flow)
        if row is None:
            return []
        start = like[:2] if table.count(row.id) > MOST_NAMES else ""
        return list(itertools.islice(table.keys(row.id, start), MOST_NAMES))

    def remember(self, flow: str) -> None:
        """Keep the name of a flow that is about to go: whoever asks about it has not misspelt it."""
        keep_newest(self.shared.former_flows, flow, None, MAX_REMEMBERED)

    def outcome_for(self, flow: str, execution: str, input: str) -> Outcome | None:
        """The outcome that decides how a new execution goes; if none does, it is noted why."""
        outcomes = self.outcomes[flow]
        outcome = outcomes.choose(execution, input)
        if outcome is not None:
            self.notes.matched = True
            if self.shared.changes is not None:
                self.counted_outcomes.add(flow)
        elif self.notes.explains:
            self.notes.missed(outcomes.unmatched(flow, execution, input))
        return outcome

    def call_again(self, flow: str | None = None) -> None:
        """Call the functions of tasks, of one flow or of all, that had not answered when the last process died; a task of which
        there is no function now waits for one."""
        tasks, self.uncalled = self.uncalled, []
        for task, call in tasks:
            if task.over:
                continue
            who = task.execution.identity
            if flow in (None, who.flow) and call():
                continue
            self.uncalled.append((task, call))
            if flow is None:
                text = f"{who.flow}/{who.execution}: the function of task '{task.call.state}' is not there: it waits for `calls`"
                self.warn(text)

    def discard(self) -> None:
        """Release everything; the world cannot be used afterwards."""
        self.retention.end()
        vars(self).clear()

    def end(self) -> None:
        """End the world: its timers and executions stop."""
        for flow in self.stores.flows.rows(FLOWS):
            self.retention.drop_flow(self.stores.executions.rows(flow.id))
            self.shared.memory.definitions.drop(flow.id)
        self.retention.end()
        for live in self.lives():
            live.drop()
        for alarms in self.alarms.values():
            for timer in alarms.values():
                timer.cancel()


def _tell_first(waiters: Waiters, most: int | None) -> None:
    for tell in tuple(itertools.islice(waiters, most)):
        if tell in waiters:  # what is told may make another leave
            del waiters[tell]
            tell()
