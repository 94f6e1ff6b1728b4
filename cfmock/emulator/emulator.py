"""The emulator: all parts put together, and the path every call takes through them.

    decode ─► authenticate ─► faults ─► operation ─► faults ─► encode ─► journal

Synchronous and without I/O: `handle()` takes a request value and gives a reply value, or a promise of one. Whoever owns sockets
and sleeping is above; everything here belongs to one thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial

from cfmock.base.clocks import RealClock, Slice, VirtualClock
from cfmock.base.errors import ClockStopped, Refused, ServiceError
from cfmock.base.randomness import Ids
from cfmock.base.short_text import shortened
from cfmock.base.timers import Timers
from cfmock.emulator import hints
from cfmock.emulator.exchange import Exchange
from cfmock.emulator.violation_monitor import ViolationMonitor
from cfmock.engine.jobs import Job
from cfmock.engine.scheduler import FlowScheduler
from cfmock.engine.task_mocks import Functions
from cfmock.observe.journal import NOTHING, Journal, Warned, WorldKey
from cfmock.protocol.auth.authenticator import Authenticator
from cfmock.protocol.auth.credentials import DEFAULT_ACCOUNT, Credential
from cfmock.protocol.faults.injector import FaultDecision, FaultInjector
from cfmock.protocol.faults.rules import Action
from cfmock.protocol.faults.token_bucket import DocumentedLimits
from cfmock.protocol.spec import model
from cfmock.protocol.wire import decode, encode
from cfmock.protocol.wire.messages import (
    UNANSWERED,
    DeferredAnswer,
    Fields,
    OperationCall,
    Pending,
    Reply,
    Request,
    Transport,
)
from cfmock.service.call_diagnostics import CallDiagnostics
from cfmock.service.dispatch import dispatch
from cfmock.service.map_runs import start_child
from cfmock.service.retention import Memory
from cfmock.service.store.memory import MemoryIndex, MemoryTable
from cfmock.service.task_reports import Resolver, report_to_token
from cfmock.service.world import Observer, Stores, World
from cfmock.settings import Settings

log = logging.getLogger("cfmock")

Change = Callable[["Emulator", World], object]
"""What brings a world into some state."""

_Scope = tuple[str | None, str | None]
"""An account and a region; None: any."""

_ALL: _Scope = (None, None)
_Scoped = tuple[_Scope, Change]


def _covers(scope: _Scope, world: World) -> bool:
    account, region = scope
    return account in (None, world.account) and region in (None, world.region)


class Emulator:
    """A whole service in memory.

    `prepare` is called with each world (account, region) when it is first asked for, to bring it into the state the fixtures say.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Iterable[Credential],
        prepare: Change = lambda emulator, world: None,
    ) -> None:
        self.settings = settings
        self.gateway = settings.errors == "gateway"
        self.credentials = tuple(credentials)
        self.spec = model.load()
        self.wall_clock = RealClock()
        self._begun = settings.now if settings.now is not None else self.wall_clock.now()
        self.clock = VirtualClock(self._begun) if settings.clock == "virtual" else RealClock()
        self._virtual = isinstance(self.clock, VirtualClock)
        self.timers = Timers(self.clock)
        self.ids = Ids(settings.seed)
        self.scheduler = self._new_scheduler()
        self.job: Job | None = None
        """What the last call has set going, on a virtual clock: its answer leaves when that has ended or waits."""
        self._moves: list[Job] = []  # those of the flow clock that are under way
        self.halted = False
        """Set at the end: the flow clock goes no further."""
        self.functions: Functions | None = None  # set by who can reach out
        self.journal = Journal(settings.journal_size)
        self.memory = Memory(settings.keep_bytes)
        self.notes = CallDiagnostics()
        self.handled = 0  # calls so far
        self.former_flows: dict[str, None] = {}  # of all worlds, also those that a reset ended
        self.watch = ViolationMonitor(self.spec, self.wall_clock, self.journal)
        self.worlds: dict[WorldKey, World] = {}
        self.injectors: dict[WorldKey, FaultInjector] = {}
        self._limits: dict[WorldKey, DocumentedLimits] | None = {} if settings.rate_limits == "documented" else None
        self._prepare = prepare
        self._observer: Observer | None = None
        self._changes: dict[int, _Scoped] = {}  # by number, oldest first
        self._resets: dict[_Scope, int] = {_ALL: 0}  # the number of the last change before the reset
        self._numbers = 0
        self._fault_ids = 0
        self._authenticator = Authenticator(
            self.credentials,
            strict=settings.auth == "strict",
            max_skew=settings.max_time_skew,
            accept_acs3=settings.accept_acs3,
            check_nonce=settings.check_nonce or self.gateway,
            wall_clock=self.wall_clock.now,
        )

    def _new_scheduler(self) -> FlowScheduler:
        scheduler = FlowScheduler(self.timers, self.ids)
        scheduler.start_child = start_child
        return scheduler

    # -- calls ---------------------------------------------------------------------------------------------------------

    def handle(self, request: Request, denied: ServiceError | None = None) -> Reply | Pending:
        """Answer one API call; one that is `denied` where it came in is only written down. Never raises: a mistake of ours is
        an InternalServerError, its traceback in the log."""
        self.handled += 1
        if not self._virtual:
            return self._answer(request, denied)
        with self.one_job(self._warn_of_stop) as self.job:
            return self._answer(request, denied)

    def _answer(self, request: Request, denied: ServiceError | None) -> Reply | Pending:
        exchange = Exchange(request, self.settings.region, denied)
        result: Fields | DeferredAnswer | Reply | ServiceError
        self.notes.begin()
        try:
            result = self._perform(exchange)
        except ServiceError as failure:
            result = failure
            # What it came through would hold on to the request until the garbage collector comes.
            failure.__traceback__ = failure.__context__ = None
        except Exception:  # noqa: BLE001 - the last line of defence: the client gets the documented error all the same
            result = self._our_fault()
        exchange.noted, exchange.matched = self.notes.end(), self.notes.matched
        if isinstance(result, DeferredAnswer):
            return self._wait(exchange, result)
        return self._finish(exchange, result)

    def _perform(self, exchange: Exchange) -> Fields | DeferredAnswer | Reply:
        request, spec = exchange.request, self.spec
        small = request.size <= spec.limits["request_size"]
        parameters = decode.decode_parameters(request) if small else decode.undecoded(request)
        exchange.decoded(parameters)
        exchange.request_id = decode.caller_request_id(parameters) or self.ids.request_id()
        if exchange.denied is not None:
            raise exchange.denied
        if not small:
            raise ServiceError("EntityTooLarge", str(spec.limits["request_size"]))
        decode.check_media_type(request, parameters)
        operation = decode.decode_operation(request, parameters, spec, version_first=self.gateway)
        caller = self._authenticator.claimed(request, parameters)
        region = decode.region(request, parameters, spec) or self.settings.region
        call = OperationCall(operation, decode.arguments(parameters), caller.access_key_id, caller.account, region)
        exchange.call, exchange.key = call, (call.account, region)
        injector = self.injector(*exchange.key)
        skew = injector.skew(call, exchange.struck)
        try:
            caller = self._authenticator.authenticate(request, parameters, call, skew)
        except Refused as refused:
            if refused.code == "SignatureNotMatch":
                exchange.refused = self._authenticator.refused(request, parameters)
                exchange.signed = refused.facts["string_to_sign"]
            raise
        exchange.known = True
        if caller.access_key_id != call.access_key_id:
            call = exchange.call = call._replace(access_key_id=caller.access_key_id, account=caller.account)
            exchange.key = (call.account, region)
            injector = self.injector(*exchange.key)
        if parameters.problem:
            raise ServiceError("InvalidArgument", detail=parameters.problem)
        if self._limits is not None and not self._limited(exchange.key).admits(operation.name):
            exchange.throttled = self._limited(exchange.key).throttled(operation.name)
            raise Refused("ResourceThrottled", reason="throttled")
        self.watch.came(exchange, call, parameters)
        decision = exchange.decision = injector.decide(call)
        if injector.has_rules:
            key_id = shortened(call.access_key_id)
            exchange.trace = injector.trace(call._replace(access_key_id=key_id), exchange.rules)
        if decision is not None and decision.before is not None:
            return self._struck(exchange, decision.before)
        return dispatch(self.world(*exchange.key), call)

    def _limited(self, key: WorldKey) -> DocumentedLimits:
        assert self._limits is not None
        limits = self._limits.get(key)
        if limits is None:
            limits = self._limits[key] = DocumentedLimits(self.clock, self.spec.limits["api_rate"])
        return limits

    def _struck(self, exchange: Exchange, action: Action) -> Reply:
        """What a fault answers in place of the operation, or of its answer."""
        if action.transport is not None:
            return Reply(200, b"", exchange.request_id, transport=Transport(action.transport))
        raise exchange.failure(action, self.spec, self._skewed_now())

    def _skewed_now(self) -> float:
        """The server's time as a fault's RequestTimeTooSkewed gives it: further than allowed from that of any request let in."""
        return self.wall_clock.now() + 2 * self.settings.max_time_skew + 1

    def _wait(self, exchange: Exchange, later: DeferredAnswer) -> Pending:
        pending = Pending(timeout=later.timeout)

        def answer() -> None:
            if not undo:
                return  # the client has left
            leave()
            try:
                result: Fields | ServiceError = later.ready()
            except ServiceError as failure:
                result = failure
            except Exception:  # noqa: BLE001 - as in handle()
                result = self._our_fault()
            pending.settle(self._finish(exchange, result))

        def abandon() -> None:
            leave()
            self._abandon(exchange)

        def leave() -> None:
            # Each of them knows of the others, so they let go of one another.
            while undo:
                undo.pop()()
            pending.on_expire = pending.on_abandon = None

        undo = [later.subscribe(answer)]
        pending.on_expire, pending.on_abandon = answer, abandon
        if self.job is not None:
            if self.job.stopped:
                pending.expire()
            self.job.on_stop = partial(self._warn_of_stop, pending)
        return pending

    def _abandon(self, exchange: Exchange) -> None:
        """The client leaves before its answer is there."""
        reply = Reply(200, b"", exchange.request_id, transport=Transport.LEFT)
        if exchange.known:
            self.watch.went(exchange, reply, None, {})
        self.journal.add(exchange.record(reply, None, NOTHING, self.clock.now()))

    def _finish(self, exchange: Exchange, result: Fields | ServiceError | Reply) -> Reply:
        """Encode what came out, spoil it if a fault says so, and write it down."""
        request_id = exchange.request_id or self.ids.request_id()
        decision, failure = exchange.decision, None
        after = decision.after if decision is not None else None
        if after is not None and after.transport is None and not isinstance(result, ServiceError):
            result = exchange.failure(after, self.spec, self._skewed_now())
        if isinstance(result, Reply):
            reply = result
        elif isinstance(result, ServiceError):
            failure = result
            reply = self.refusal(result, exchange.request.header("host"), request_id)
        else:
            reply = encode.success(result, request_id)
        if decision is not None:
            reply = _spoilt(reply, decision)
        elif exchange.throttled is not None:
            reply = reply._replace(headers=encode.rate_limit_headers(exchange.throttled.limit, exchange.throttled.wait))
        if exchange.known and exchange.call is not None and reply.transport not in UNANSWERED:
            self._authenticator.answered(exchange.call.access_key_id, exchange.nonce)
        details = NOTHING
        if failure is not None or exchange.noted is not None or exchange.trace is not None:
            details = hints.details(
                exchange, failure, world=partial(self.world, *exchange.key), keys=self._authenticator.key_ids
            )  # fmt: skip
        if details.hint is not None:
            reply = reply._replace(headers=(*reply.headers, (hints.HEADER, details.hint)))
        if exchange.known:
            self.watch.went(exchange, reply, failure, result if isinstance(result, dict) else {})
        said = encode.rendered(failure, self.spec, gateway=self.gateway) if failure is not None else None
        self.journal.add(exchange.record(reply, said, details, self.clock.now()))
        return reply

    def refusal(self, failure: ServiceError, host: str, request_id: str | None = None) -> Reply:
        """The error answer to a call, or to what never became one."""
        return encode.error(failure, request_id or self.ids.request_id(), host, self.spec, gateway=self.gateway)

    def _our_fault(self) -> ServiceError:
        log.exception("a mistake of cfmock's own; the client got InternalServerError")
        return ServiceError("InternalServerError")

    # -- worlds --------------------------------------------------------------------------------------------------------

    def world(self, account: str, region: str) -> World:
        """What this account sees in this region; made, as the fixtures say, when it is first asked for."""
        world = self.worlds.get((account, region))
        if world is None:
            stores = Stores(
                flows=MemoryTable(),
                versions=MemoryTable(),
                aliases=MemoryTable(),
                schedules=MemoryTable(),
                executions=MemoryTable(),
                map_runs=MemoryTable(),
                by_status=MemoryIndex(),
            )
            world = World(
                account,
                region,
                self.spec,
                self.settings,
                self.clock,
                self.timers,
                self.ids,
                stores,
                partial(self._warn, account, region),
                self.scheduler,
                Resolver,
                report_to_token,
                lambda: self.functions,
                self.memory,
                self._observer,
            )
            world.notes = self.notes
            world.former = self.former_flows
            self.worlds[account, region] = world
            self.injector(account, region)
            self._prepare(self, world)
            since = max(number for scope, number in self._resets.items() if _covers(scope, world))
            for number, (scope, change) in list(self._changes.items()):
                if number > since and _covers(scope, world):
                    change(self, world)
        return world

    def _warn(self, account: str, region: str, text: str) -> None:
        """Tell the log, the journal, and the call that is being handled."""
        log.warning("%s", text)
        self.notes.warn(text)
        self.journal.warn(Warned(self.clock.now(), account, region, text))

    def injector(self, account: str, region: str) -> FaultInjector:
        injector = self.injectors.get((account, region))
        if injector is None:
            injector = self.injectors[account, region] = FaultInjector(self.clock, self.ids)
            self.world(account, region)
        return injector

    def observe(self, observer: Observer) -> None:
        """Tell this of each point of a definition that an execution passes which starts from now on."""
        self._observer = observer
        for world in self.worlds.values():
            world.observer = observer

    def start_from(self, prepare: Change) -> None:
        """Make worlds this way from now on."""
        self._prepare = prepare

    def everywhere(self, change: Change, account: str | None = None, region: str | None = None) -> int:
        """Make a change in all worlds of the account and region, those still to come too. Gives its number."""
        scope = account, region
        self._numbers += 1
        for world in self.known_worlds(*scope):
            change(self, world)
        self._changes[self._numbers] = scope, change
        return self._numbers

    def no_longer(self, number: int) -> None:
        """Make the change of this number in no more worlds to come."""
        self._changes.pop(number, None)

    def add_credentials(self, credentials: Iterable[Credential]) -> None:
        """Let more keys in; one of a known id replaces it."""
        self._authenticator.add(credentials)

    def replace_credentials(self, credentials: Iterable[Credential]) -> None:
        """Start from these keys, now and after a reset; those let in since stay till then."""
        given = tuple(credentials)
        self._authenticator.replace_given(given)
        self.credentials = given

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys that are let in."""
        return self._authenticator.key_ids()

    @property
    def accounts(self) -> set[str]:
        """Those that have a key, and that of keys which name none."""
        return {DEFAULT_ACCOUNT, *self._authenticator.accounts}

    @property
    def first_credential(self) -> Credential:
        """The key that our own clients sign with: the first that has a secret to do it with."""
        return next((each for each in self.credentials if each.access_key_secret), self.credentials[0])

    def new_fault_id(self) -> str:
        """An id that no fault of any world has."""
        self._fault_ids += 1
        return f"added-{self._fault_ids}"

    def reset(self, account: str | None = None, region: str | None = None) -> None:
        """Make worlds anew, as right after the start; if that is all of them, calls, clock and chance begin anew, too."""
        scope = account, region
        gone = [world for world in self.worlds.values() if _covers(scope, world)]
        if scope == _ALL:
            self._begin_anew()
        else:
            self.journal.forget(account=account, region=region)
            self._resets[scope] = self._numbers
            for number, (changed, _) in list(self._changes.items()):
                if account in (None, changed[0]) and region in (None, changed[1]):
                    del self._changes[number]
        for world in gone:
            key = (world.account, world.region)
            for flow in world.flow_names():
                world.remember(flow)
            world.end()
            del self.worlds[key], self.injectors[key]
            self.watch.forget(key)
            if self._limits is not None:
                self._limits.pop(key, None)
        for world in gone:
            # Whoever waited is answered by the new world: the execution is not there.
            for tells in list(world.waiting.values()):
                for tell in list(tells):
                    tell()
        # As at the start: its schedules run whether or not somebody calls.
        self.default_world()

    def _begin_anew(self) -> None:
        self.timers.clear()
        if self.functions is not None:
            self.functions.forget()
        former, self.scheduler = self.scheduler, self._new_scheduler()  # the old one may count on a timer that is gone
        former.abandon()
        self.journal.forget()
        self.ids.seed(self.settings.seed)
        self._changes.clear()
        self._resets = {_ALL: 0}
        self._authenticator.forget_added()
        if isinstance(self.clock, VirtualClock):
            self.clock.restart(self._begun)

    def discard(self) -> None:
        """Let go of everything; nothing can be asked of it any more. Its parts refer to one another, so without this they would
        wait for the garbage collector."""
        for world in self.worlds.values():
            world.discard()
        vars(self).clear()

    def default_world(self) -> World:
        """That of calls whose key names no account and that name no region."""
        return self.world(DEFAULT_ACCOUNT, self.settings.region)

    def known_worlds(self, account: str | None = None, region: str | None = None) -> Iterator[World]:
        """The worlds in use, and always the default one; only those of the account and region, if given, and then at least
        the one they name."""
        self.default_world()
        if account is not None or region is not None:
            self.world(account or DEFAULT_ACCOUNT, region or self.settings.region)
        yield from [world for world in self.worlds.values() if _covers((account, region), world)]

    # -- time ----------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Run what is due now, until others should have their turn."""
        with self.scheduler.at_work(self._moves[-1] if self._moves else self._new_job()):
            self.timers.run_due(Slice().over)

    def next_due(self) -> float | None:
        """When `tick` has something to do, in steady seconds of the flow clock."""
        return self.timers.next_due()

    @contextmanager
    def one_job(self, on_stop: Callable[[], None] | None = None) -> Iterator[Job | None]:
        """Whatever is set going in this block, on a virtual clock, is one job."""
        if not self._virtual:
            yield None
            return
        job = self._new_job(on_stop)
        with self.scheduler.at_work(job):
            yield job

    def _new_job(self, on_stop: Callable[[], None] | None = None) -> Job:
        return Job(self.settings.max_starts_per_advance, on_stop) if self._virtual else Job()

    def advance_to(self, moment: float) -> None:
        """Move a virtual clock on; returns when everything due on the way is done. Raises ClockStopped."""
        for _ in self.advancing(moment):
            pass

    def advancing(self, moment: float) -> Iterator[None]:
        """The same in steps, each time it is asked to go on."""
        scheduler, job, steps = self.scheduler, self._new_job(), self.timers.advancing(moment)
        scheduler.take_over(job)
        self._moves.append(job)
        try:
            while True:
                with scheduler.at_work(job):
                    if next(steps, steps) is steps:
                        return
                self.check_going(job)
                yield
                if self.halted or self.scheduler is not scheduler:
                    why = "the server ends" if self.halted else "everything was reset meanwhile"
                    raise ClockStopped(self._today(), why)
        finally:
            self._moves.remove(job)

    def check_going(self, job: Job | None) -> None:
        """Raises ClockStopped for a job that has started more executions than it may."""
        if job is not None and job.exceeded:
            self.scheduler.stop_job(job)
            reason = f"more than {job.most} executions were started (max_starts_per_advance)"
            raise ClockStopped(self._today(), reason)

    def _warn_of_stop(self, pending: Pending | None = None) -> None:
        """A call has started more than it may: say so, and answer with what there is."""
        most = self.settings.max_starts_per_advance
        text = (
            f"a call has set more than {most} executions going: what is left of them stands until the clock is moved on"
        )
        self._warn(DEFAULT_ACCOUNT, self.settings.region, f"{text} (max_starts_per_advance)")
        if pending is not None:
            pending.expire()

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), timezone.utc)


def _spoilt(reply: Reply, decision: FaultDecision) -> Reply:
    transport = reply.transport
    if decision.after is not None and decision.after.transport is not None:
        transport = Transport(decision.after.transport)
    headers = reply.headers
    if decision.retry_after is not None:
        headers = (*headers, ("x-acs-retry-after", str(encode.milliseconds(decision.retry_after))))
    if decision.throttled is not None:
        headers = (*headers, *encode.rate_limit_headers(decision.throttled.limit, decision.throttled.wait))
    return reply._replace(delay=decision.delay, transport=transport, headers=headers)
