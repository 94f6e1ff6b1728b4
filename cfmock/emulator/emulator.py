"""An emulator: a whole service in memory, put together of its parts.

    pipeline    answers calls              worlds      one for each account and region
    time        moves the flow clock       journal     what was seen

Synchronous and without I/O. Whoever owns sockets and sleeping is above; everything here belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from cfmock.base.clocks import HeldClock, RealClock, VirtualClock
from cfmock.base.errors import SettingsError
from cfmock.base.randomness import Ids
from cfmock.base.timers import Timers
from cfmock.emulator.flow_time import FlowTime
from cfmock.emulator.kept_state import KeptIds, KeptState
from cfmock.emulator.pipeline import Pipeline
from cfmock.emulator.violation_monitor import ViolationMonitor
from cfmock.emulator.worlds import Change, Worlds
from cfmock.engine.execution import FlowExecution
from cfmock.engine.scheduler import FlowScheduler
from cfmock.observe.call_tally import CallTally
from cfmock.observe.change_feed import ChangeFeed, Kind
from cfmock.observe.journal import ALL, Journal, Scope
from cfmock.protocol.auth.authenticator import Authenticator
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT, Credential
from cfmock.protocol.spec import model
from cfmock.service.retention import Memory
from cfmock.service.shared import Observer, Shared
from cfmock.settings import Settings

MAX_ACCOUNTS = 100
"""Accounts that access keys are added of, beside those known from the start."""


class Emulator:
    """A service with these settings and keys. `prepare` is called with each new world, to bring it into the state that the
    fixtures say; `kept` is what outlives the process, if anything does."""

    def __init__(
        self,
        settings: Settings,
        credentials: Iterable[Credential],
        prepare: Change = lambda world: None,
        kept: KeptState | None = None,
    ) -> None:
        self.settings = settings
        self.credentials = tuple(credentials)
        wall_clock = RealClock()
        self._begun = settings.now if settings.now is not None else wall_clock.now()
        self.kept = kept
        real = RealClock() if kept is None else HeldClock()
        self.clock = VirtualClock(self._begun) if settings.clock == "virtual" else real
        self.timers = Timers(self.clock)
        ids = Ids(settings.seed) if kept is None else KeptIds(settings.seed)
        feed = ChangeFeed()
        self.journal = Journal(settings.journal_size)
        self.memory = Memory(settings.keep_bytes)
        self.spec = model.load()
        self.shared = Shared(
            spec=self.spec,
            settings=settings,
            clock=self.clock,
            timers=self.timers,
            ids=ids,
            scheduler=_new_scheduler(self.timers, ids, feed),
            journal=self.journal,
            memory=self.memory,
            tally=CallTally(self.spec.operations),
            feed=feed,
            changes=None if kept is None else kept.changes,
        )
        self.worlds = Worlds(self.shared, prepare)
        self.time = FlowTime(self.shared)
        self.monitor = ViolationMonitor(self.spec, wall_clock, self.journal)
        self._authenticator = Authenticator(
            self.credentials,
            strict=settings.auth == "strict",
            max_skew=settings.max_time_skew,
            accept_acs3=settings.accept_acs3,
            check_nonce=settings.check_nonce or settings.errors == "gateway",
            wall_clock=wall_clock.now,
        )
        self.pipeline = Pipeline(self.shared, self.worlds, self.time, self._authenticator, self.monitor)
        self.handle = self.pipeline.handle

    # -- keys ----------------------------------------------------------------------------------------------------------

    def add_credentials(self, credentials: Iterable[Credential]) -> None:
        """Add access keys; one of a known id replaces it. Raises SettingsError for a public key that cannot be used, and for keys
        of too many accounts."""
        credentials = tuple(credentials)
        added = {each.account for each in credentials} | self.accounts - {each.account for each in self.credentials}
        if len(added) > MAX_ACCOUNTS:
            raise SettingsError(
                f"keys of no more than {MAX_ACCOUNTS} accounts can be added: each has worlds of its own"
            )
        self._authenticator.add(credentials)

    def replace_credentials(self, credentials: Iterable[Credential]) -> None:
        """Start from these keys, also after a reset; those let in since stay till then. Raises SettingsError likewise."""
        given = tuple(credentials)
        self._authenticator.replace_given(given)
        self.credentials = given

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys that are let in."""
        return list(self._authenticator.keys)

    @property
    def accounts(self) -> set[str]:
        """The accounts that have a key, and the default one, of keys which name none."""
        return {DEFAULT_ACCOUNT, *self._authenticator.accounts}

    @property
    def first_credential(self) -> Credential:
        """The key that our own clients sign with: the first that has a secret to do it with."""
        return next((each for each in self.credentials if each.access_key_secret), self.credentials[0])

    # -- all of it -----------------------------------------------------------------------------------------------------

    def observe(self, observer: Observer) -> None:
        """Report each point passed by executions started from now on (coverage)."""
        self.shared.observer = observer

    def follow_progress(self, on: bool) -> None:
        """Mark executions that go on as changed from now on, and not just those that begin and end; or no longer."""
        self.shared.scheduler.on_turn = partial(_mark, self.shared.feed, "execution") if on else None

    def reset(self, scope: Scope = ALL) -> None:
        """Make worlds new, as right after the start; if that is all of them, calls, clock and chance start again, too."""
        if scope == ALL:
            self._begin_again()
        else:
            self.journal.forget(scope)
        ended = self.worlds.end(scope)
        if self.kept is not None:
            self.kept.forget(ended, scope)
        for world in ended:
            self.monitor.forget(world.where)
            # Whoever waited is answered by the new world: the execution is not there.
            world.tell_everybody()
        self.shared.feed.forget()
        self.worlds.begin()

    def _begin_again(self) -> None:
        shared = self.shared
        self.timers.clear()
        if shared.functions is not None:
            shared.functions.forget()
        former, shared.scheduler = shared.scheduler, _new_scheduler(self.timers, shared.ids, shared.feed)
        shared.scheduler.on_turn = former.on_turn
        former.abandon()  # it may count on a timer that is gone
        self.journal.forget()
        shared.ids.seed(self.settings.seed)
        self._authenticator.forget_added()
        if isinstance(self.clock, VirtualClock):
            self.clock.restart(self._begun)

    def discard(self) -> None:
        """Release everything; the emulator cannot be used afterwards. Its parts refer to one another, so without this they would
        wait for the garbage collector."""
        self.worlds.discard()
        for part in (self.pipeline, self.time, self):
            vars(part).clear()


def _new_scheduler(timers: Timers, ids: Ids, feed: ChangeFeed) -> FlowScheduler:
    scheduler = FlowScheduler(timers, ids)
    scheduler.on_waiting = partial(_mark, feed, "task")
    return scheduler


def _mark(feed: ChangeFeed, kind: Kind, execution: FlowExecution) -> None:
    who = execution.identity
    feed.mark_once(kind, (who.account, who.region), who.flow, who.execution)
