"""`CloudFlow`: a server and the hands on it, for tests in Python."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from cfmock.api import assertions, client
from cfmock.api.callers_line import shows_callers_line
from cfmock.api.handles import Fault, FlowClock, Task
from cfmock.api.setups import unused_mode, unused_text
from cfmock.base.clocks import iso
from cfmock.base.errors import UsageError, WaitingForReport, WaitTimeout
from cfmock.base.json_text import Json
from cfmock.base.suggestions import did_you_mean
from cfmock.base.time_text import duration_text, parse_duration
from cfmock.control.control import Control, ControlError
from cfmock.emulator import hints
from cfmock.engine.execution import CalledTask
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import build
from cfmock.observe.journal import FIELDS
from cfmock.observe.models import Call, Execution, Violation, public_calls, violations_text
from cfmock.observe.retries import Retries
from cfmock.protocol.auth.credentials import Credential
from cfmock.protocol.wire.messages import TOLD, Pending, Reply, Request
from cfmock.server.admin.guard import Guard
from cfmock.server.admin.http import Admin
from cfmock.server.call_log import Recording
from cfmock.server.function_calls import in_function
from cfmock.server.lifecycle import Server, is_loopback
from cfmock.server.thread import LoopThread, ServerLoop
from cfmock.server.tls import tls_of
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import World
from cfmock.settings import resolve, unknown_variables

T = TypeVar("T")
Source = str | PathLike[str] | Mapping[str, Any]

LONGEST_RUN = 60.0
"""Seconds of real time that `run` waits for an execution."""

QUIET = 0.5
"""Seconds of real time without a call, after which nobody is taken to be about to report a task."""


@shows_callers_line
class CloudFlow:
    """A CloudFlow service of your own, from fixture files, folders, flow definitions or mappings.

        with CloudFlow("fixtures/") as cf:          # own thread and loop: for synchronous code
            client = Client(Config(endpoint=cf.endpoint, protocol="http", ...))

        async with CloudFlow("fixtures/") as cf:    # in the running loop

    `port` 0 takes a free one. `settings` are those of a fixture's `settings`, as keywords. Nothing needs `await` but entering
    and the methods ending in `_async`; in a running loop use those for what may have to wait.

    `unused` says what becomes of outcomes, faults and mocks that were added and that nothing used until it is left: "error"
    raises AssertionError, "warn" adds to the warnings.

    Raises FixtureError (all mistakes of all files) and SettingsError when entered; with `strict=True` AssertionError when left
    after violations.
    """

    def __init__(
        self, *sources: Source, host: str = "127.0.0.1", port: int = 0, unused: str = "ignore", **settings: Any
    ) -> None:
        self._sources = sources
        self._base: tuple[Source, ...] = ()  # loaded first; the sources may replace what they define
        self._unused = unused
        self._loaded: list[FixtureSet] = []  # that of the start, and those added since
        self._flags = {"host": host, "port": port, **settings}
        self._loop: ServerLoop | None = None  # while it is entered
        self._server: Server | None = None

    # -- coming and going ----------------------------------------------------------------------------------------------

    def __enter__(self) -> CloudFlow:
        self._check_closed()
        loop = LoopThread()
        try:
            loop.wait_for(self._start())
        except BaseException:
            loop.close()
            raise
        self._loop = loop
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        self._loop.wait_for(self._stop())
        try:
            self._judge(error)
        finally:
            self._loop.close()
            self._loop = None  # what was seen can still be looked at

    async def __aenter__(self) -> CloudFlow:
        _need_asyncio("async with CloudFlow(...)", "with CloudFlow(...)")
        self._check_closed()
        await self._start()
        self._loop = ServerLoop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()
        self._loop = None  # what was seen can still be looked at
        self._judge(error)

    def _judge(self, error: BaseException | None) -> None:
        if error is None:
            if self._running.emulator.settings.strict:
                self.assert_no_violations()
            self._judge_setups()

    def _judge_setups(self) -> None:
        if self._unused == "ignore":
            return
        unused = self._do(lambda control: control.setups.unused())
        fails = self._unused == "error"
        told = unused.other if fails else (*unused.certain, *unused.other)
        for line in told:
            self._do(partial(Control.warn, text=f"nothing used this set-up: {line}"))
        if fails and unused.certain:
            raise AssertionError(unused_text(unused.certain))

    async def _start(self) -> None:
        unused_mode(self._unused)
        fixtures = load(self._sources, base=load(self._base))
        self._loaded = [fixtures]
        settings = resolve(self._flags, {}, fixtures.settings, keywords=True)
        emulator = build(fixtures, settings)
        self._control = Control(emulator)
        guard = Guard(settings.host, settings.admin_token, is_loopback(settings.host))
        self._server = Server(
            emulator, Admin(self._control, guard).handle, settings.host, settings.port, tls_of(settings)
        )
        self._recording = Recording(settings, emulator.journal)
        try:
            await self._server.start()
        except BaseException:
            self._recording.close()
            raise
        emulator.default_world()
        for line in unknown_variables(os.environ):
            self._control.warn(line)
        self._control.check_names(fixtures)

    async def _stop(self) -> None:
        await self._running.stop()
        self._recording.close()

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise UsageError("enter it first: with CloudFlow(...) as cf")
        return self._server

    def _check_closed(self) -> None:
        """Raises UsageError for what is entered already."""
        if self._loop is not None:
            raise UsageError("it is entered already: a second server is a second CloudFlow(...)")

    def _check_open(self) -> Server:
        """The server. Raises UsageError for what needs it after the `with` has ended."""
        if self._server is not None and self._loop is None:
            raise UsageError("the `with` has ended, and the server with it: only what was seen can still be looked at")
        return self._running

    def _do(self, function: Callable[[Control], T]) -> T:
        """Do something to the emulator, in the loop that owns it."""
        functions = self._running.functions
        if self._loop is None or self._loop.here:
            return function(self._control)
        return functions.do(lambda: function(self._control))

    # -- where it is -----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or `https://` with TLS."""
        return self._running.url

    @property
    def ca_file(self) -> str | None:
        """The file with the CA to trust, where `tls=True` made one."""
        return self._running.ca_file

    @property
    def endpoint(self) -> str:
        """`127.0.0.1:PORT`, the form SDKs want."""
        return self._running.endpoint

    @property
    def access_key_id(self) -> str:
        """The first key that the fixtures name, else `cfmock`."""
        return self._first.access_key_id

    @property
    def access_key_secret(self) -> str:
        """Its secret."""
        return self._first.access_key_secret

    @property
    def _first(self) -> Credential:
        return self._running.emulator.first_credential

    @property
    def region(self) -> str:
        """The region of calls that name none."""
        return self._running.emulator.settings.region

    @property
    def environ(self) -> dict[str, str]:
        """The variables that `cfmock run` gives its command."""
        return environment(self._running)

    @property
    def clock(self) -> FlowClock:
        """The clock that flows run on."""
        return FlowClock(self._do, self._move, self._move_async)

    def _move(self, steps: Callable[[Control], Iterator[None]]) -> None:
        """Let the flow clock go on, from wherever this is called."""
        functions = self._check_open().functions
        if self._loop is None or self._loop.here:
            functions.pace_here(_lazily(steps, self._control))
        elif in_function():
            self._do(lambda control: deque(steps(control), maxlen=0))  # it would wait for itself
        else:
            self._loop.wait_for(functions.pace(_lazily(steps, self._control)))

    async def _move_async(self, steps: Callable[[Control], Iterator[None]]) -> None:
        await self._here(self._check_open().functions.pace(_lazily(steps, self._control)))

    # -- what it serves --------------------------------------------------------------------------------------------------

    def load(self, source: Source) -> None:
        """Add a fixture file, folder, definition or mapping; a flow of the same name is replaced, its executions stay.

        Settings in it have no effect, of which a warning tells. Raises FixtureError; then nothing is added.
        """
        self._check_open()
        fixtures = load([source], existing=self._do(lambda control: control.flow_names()))
        self._do(lambda control: control.add_fixtures(fixtures))
        self._loaded.append(fixtures)

    def outcome(self, flow: str, **outcome: Any) -> None:
        """Add a canned outcome of a flow, ahead of those of the fixtures and behind those added before.

        Keywords as in a fixture: `when`, `status`, `output`, `error`, `after`, `times`. Raises ArgumentError with what is wrong.
        If there is no such flow yet, a warning says so.
        """
        self._check_open()
        self._do(lambda control: control.add_outcome({"flow": flow, **outcome}))

    def task(self, flow: str, name: str) -> Task:
        """Mock a task of a flow, by its state's name or its action (`FC:InvokeFunction`), ahead of the fixtures' mocks:

        cf.task("order_flow", "Charge").fails("FC.ResourceThrottled", times=2).returns({"Body": {"receipt": "r1"}})

        Raises UnknownName if the flow has no such task. If there is no such flow yet, a warning says so.
        """
        self._check_open()
        self._do(lambda control: control.check_task(flow, name))
        return Task(self._do, flow, name)

    def fail(self, operation: str, code: str, *, times: int | None = None, **when: Any) -> Fault:
        """Answer calls of an operation (a glob) with an error code of the catalogue: every time, or the first `times`.

        `when` narrows it down: flow, execution, access_key_id (globs), call (the n-th of the matching ones, or a list of them).
        Raises UnknownName for an operation that the API does not have; a warning tells of a flow that is not there.
        """
        rule: dict[str, Any] = {"when": {"operation": operation, **when}, "error": code}
        return self.fault(**rule if times is None else {**rule, "times": times})

    def fault(self, **fault: Any) -> Fault:
        """Add a fault rule, with the keys of a fixture's `faults`. Raises ArgumentError with what is wrong, UnknownName as `fail`
        does."""
        self._check_open()
        return Fault(self._do, self._do(lambda control: control.add_fault(fault))["id"])

    def reset(self) -> None:
        """Make everything as right after the start: what was added, started and called is gone, the clock back."""
        self._check_open()
        self._do(lambda control: control.reset())
        del self._loaded[1:]

    # -- calling -----------------------------------------------------------------------------------------------------------

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make a signed call, as any client does, and give the answer's fields; values that are no text go as JSON.

        Raises ServiceError (`.code`, `.status`, `.message`, `.hint`) for an error answer, ConnectionError where a fault breaks
        the connection.
        """
        server = self._check_open()
        request = self._signed(operation, parameters)
        if self._loop is not None and not self._loop.here:
            found, cause = server.functions.do(lambda: server.begin(request))
            if cause is not None or isinstance(found, Pending) or found.delay:
                found = self._loop.wait_for(server.whole(found, cause))
            return _fields(found)
        found = self._blocking(lambda: server.emulator.handle(request))
        reply = found.reply if isinstance(found, Pending) else found
        if reply is None:
            assert isinstance(found, Pending)
            found.abandon()
            raise UsageError(f"{operation} has to wait: await cf.call_async(...) in a running loop")
        return _fields(reply)

    def _blocking(self, function: Callable[[], T]) -> T:
        """Do something in the loop's own thread, and wait a moment for the functions that this sets going."""
        functions = self._running.functions
        result, cause = functions.observe(function)
        if cause is not None:
            functions.block(cause)
        return result

    async def call_async(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """`call` for a running loop."""
        server, request = self._check_open(), self._signed(operation, parameters)

        async def perform() -> Reply:
            return await server.whole(*server.begin(request))

        return _fields(await self._here(perform()))

    def _signed(self, operation: str, parameters: Mapping[str, Any]) -> Request:
        return client.signed_request(
            operation, parameters, access_key_id=self.access_key_id, access_key_secret=self.access_key_secret,
            security_token=self._first.security_token, host=self.endpoint,
        )  # fmt: skip

    def run(
        self, flow: str, input: Json = None, name: str | None = None, *, timeout: float | None = LONGEST_RUN
    ) -> Execution:
        """Start an execution and wait for its end; not journalled. On a virtual clock its waits take no time.

        `input` is a value or its JSON text. `timeout` is in seconds of real time, None for ever. On a virtual clock, a task that
        nobody is going to report runs into its time-out.

        Raises ServiceError if it cannot be started, WaitTimeout after `timeout`, and WaitingForReport if it waits for a report
        that nobody is going to send, without a time-out.
        """
        self._check_open()
        if self._loop is not None and not self._loop.here:
            return self._loop.wait_for(self._run(flow, input, name, timeout))
        ended: list[bool] = []

        def start() -> tuple[World, ExecutionRow, Callable[[], None]]:
            world, row = self._control.start(flow, input, name)
            return world, row, self._control.when_ended(world, row, lambda: ended.append(True))

        world, row, undo = self._blocking(start)
        undo()
        if not ended:
            raise UsageError("the execution has to wait: await cf.run_async(...) in a running loop")
        return self._control.execution(world, row)

    async def run_async(
        self, flow: str, input: Json = None, name: str | None = None, *, timeout: float | None = LONGEST_RUN
    ) -> Execution:
        """`run` for a running loop."""
        return await self._here(self._run(flow, input, name, timeout))

    async def _run(self, flow: str, input: Json, name: str | None, timeout: float | None) -> Execution:
        functions, ended = self._check_open().functions, asyncio.Event()
        longest = None if timeout is None else parse_duration(timeout)

        def start() -> tuple[World, ExecutionRow, Callable[[], None]]:
            world, row = self._control.start(flow, input, name)
            return world, row, self._control.when_ended(world, row, ended.set)

        (world, row, undo), cause = functions.observe(start)
        try:
            await self._until(ended, world, row, longest)
        finally:
            undo()
        if cause is not None:
            await functions.settle(cause)  # one that reported the last task has yet to return
        return self._control.execution(world, row)

    async def _until(self, ended: asyncio.Event, world: World, row: ExecutionRow, timeout: float | None) -> None:
        """Wait for an execution's end; on a virtual clock go past reports that nobody is going to send."""
        begun = quiet_since = time.monotonic()
        virtual, signs = self._running.emulator.settings.clock == "virtual", self._signs_of_life()
        while not ended.is_set():
            now = time.monotonic()
            left = math.inf if timeout is None else begun + timeout - now
            if timeout is not None and left <= 0:
                raise WaitTimeout(
                    f"execution '{row.name}' of flow '{row.flow.name}' has not ended after {duration_text(timeout)}; it is at "
                    f"{_visited(self._control.execution(world, row))}"
                )
            if signs != (signs := self._signs_of_life()) or self._running.calling_out:
                quiet_since = now
            elif virtual and now - quiet_since >= QUIET and (tasks := self._control.open_tasks(world, row)) is not None:
                if not self._control.pass_time_out(world, row):
                    raise _waiting_for_report(row, tasks)
                continue
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), min(left, QUIET / 5 if virtual else left, 3600.0))

    def _signs_of_life(self) -> tuple[int, int]:
        """What changes when somebody calls, or looks for tasks to report."""
        return self._running.emulator.handled, self._control.tasks_asked

    async def _here(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await something of the server's loop in the running one."""
        try:
            _need_asyncio("a method ending in _async", "the plain method, in a thread")
        except UsageError:
            coroutine.close()
            raise
        if self._loop is None or self._loop.here:
            return await coroutine
        return await asyncio.wrap_future(self._loop.submit(coroutine))

    # -- looking ------------------------------------------------------------------------------------------------------------

    def executions(self, flow: str) -> list[Execution]:
        """The executions of a flow, oldest first. Raises UnknownName unless the flow is, or was, there."""
        self._do(lambda control: control.check_flow(flow))
        return self._do(lambda control: control.find_executions(flow))

    def tasks(self, flow: str | None = None) -> list[dict[str, Any]]:
        """The tasks that wait for a report, oldest first: flow, execution, state, token, since.

        Raises UnknownName as `executions` does.
        """
        found: list[dict[str, Any]] = self._do(lambda control: control.list_tasks(flow))
        return found

    def calls(self, operation: str | None = None, *, limit: int | None = None, **filters: Any) -> list[Call]:
        """The calls the server saw, oldest first: those whose fields (flow, execution, code, status, access_key_id, request_id,
        fault, account, region) and parameters (in the service's spelling: FlowName) equal the filters.

        The operation may be a glob; an empty `code` is that of a success; `fault` is the name of a rule that struck; `limit`
        takes the newest so many. Raises UnknownName for an operation that is none of the API's and was never called, and for a
        parameter that it does not have and that no call sent.
        """
        wanted = _filters(filters)
        self._check_calls(operation, filters)
        records = self._do(lambda control: control.find_calls(operation=operation, **wanted))
        newest = records if limit is None else records[max(0, len(records) - limit) :]
        return public_calls(newest)

    def _check_calls(self, operation: str | None, filters: Mapping[str, Any]) -> None:
        parameters = filters.keys() - set(FIELDS)
        self._do(lambda control: control.check_calls(operation, parameters))

    @property
    def warnings(self) -> list[str]:
        """What happened that the author of a test should know of, as of tasks that no mock answered."""
        return self._do(lambda control: control.list_warnings())

    def retries(self, operation: str | None = None) -> list[Retries]:
        """What clients did after failures: groups of equal calls, with count, spacing and what was answered."""
        self._check_calls(operation, {})
        return self._do(lambda control: control.find_retries(operation))

    @property
    def violations(self) -> list[Violation]:
        """What clients sent that the real service would take differently from how it was meant, oldest first."""
        return self._do(lambda control: control.find_violations())

    def assert_called(self, operation: str, times: int | None = None, **parameters: Any) -> list[Call]:
        """Raises AssertionError unless the operation was called with these parameters (`times` of them, or at all).

        Parameters go by the service's spelling (FlowName) and are matched as `when` is: text by globs, mappings as subsets
        (`Input={"kind": "express"}`). Gives the calls.
        """
        return assertions.called(self.calls(), operation, times, parameters)

    def assert_order(self, *steps: str | tuple[str, Mapping[str, Any]]) -> list[Call]:
        """Raises AssertionError unless these operations were called one after the other; others may stand between.

        A step is an operation, or one with parameters: `("StartExecution", {"FlowName": "order_flow"})`. Gives the calls.
        """
        return assertions.in_order(self.calls(), steps)

    def assert_retries(
        self, operation: str, max: int | None = None, *, backoff: str | None = None, same_name: bool | None = None
    ) -> list[Retries]:
        """Raises AssertionError unless the operation was repeated after failures, none of its calls more than `max` times,
        with pauses of this shape (none, fixed, exponential, jittered) and with the same execution name, or not.

        Pauses have a shape from two on. With `max=0` nothing may have been repeated. Gives the groups of equal calls.
        """
        return assertions.retried(self.retries(operation), operation, max, backoff, same_name)

    def assert_no_violations(self) -> None:
        """Raises AssertionError with all there are."""
        found = self.violations
        assert not found, violations_text(found)

    def wait_for_calls(
        self, operation: str | None = None, count: int = 1, timeout: float | str = 5, **filters: Any
    ) -> list[Call]:
        """Wait until there are `count` such calls, and give all there are. Raises WaitTimeout after `timeout` seconds."""
        if self._loop is None or self._loop.here:
            found = self.calls(operation, **filters)
            if len(found) < count:
                self._check_open()
                raise UsageError("that has to wait: await cf.wait_for_calls_async(...) in a running loop")
            return found
        return self._loop.wait_for(self._wait_for_calls(operation, count, timeout, filters))

    async def wait_for_calls_async(
        self, operation: str | None = None, count: int = 1, timeout: float | str = 5, **filters: Any
    ) -> list[Call]:
        """`wait_for_calls` for a running loop."""
        return await self._here(self._wait_for_calls(operation, count, timeout, filters))

    async def _wait_for_calls(
        self, operation: str | None, count: int, timeout: float | str, filters: Mapping[str, Any]
    ) -> list[Call]:
        self._check_open()
        wanted, longest = _filters(filters), parse_duration(timeout)
        self._check_calls(operation, filters)
        done = asyncio.Event()
        undo = self._control.when_called(count, done.set, operation=operation, **wanted)
        try:
            await asyncio.wait_for(done.wait(), longest)
        except asyncio.TimeoutError:
            found = len(self._control.find_calls(operation=operation, **wanted))
            seen = public_calls(self._control.find_calls())
            what = assertions.described(operation or "any call", filters)
            raise WaitTimeout(
                f"waited {duration_text(longest)} for {count} of {what}, saw {found}; {assertions.newest(seen)}"
            ) from None
        finally:
            undo()
        return public_calls(self._control.find_calls(operation=operation, **wanted))


def _filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """What calls are asked for by: parameters as they look on the wire. Raises ControlError for what calls do not have."""
    for name in filters:
        if name not in FIELDS and not name[:1].isupper():
            raise ControlError(
                f"calls have no '{name}'{did_you_mean(name, FIELDS)}: ask for {', '.join(FIELDS)}, or a parameter"
            )
    return {
        name: value if name in FIELDS or value is None else client.wire_text(value) for name, value in filters.items()
    }


def _need_asyncio(what: str, instead: str) -> None:
    """Raises UsageError under another event loop, such as trio's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(f"{what} needs a running asyncio loop; elsewhere, as under trio, use {instead}") from None


def _lazily(steps: Callable[[Control], Iterator[None]], control: Control) -> Generator[None, None, None]:
    """Ask for the first step in the loop, too."""
    yield from steps(control)


def _visited(execution: Execution) -> str:
    return execution.visits[-1] if execution.visits else "its start"


def _waiting_for_report(row: ExecutionRow, tasks: Sequence[CalledTask]) -> WaitingForReport:
    states = ", ".join(f"'{task.call.state}'" for task in tasks)
    return WaitingForReport(
        f"execution '{row.name}' of flow '{row.flow.name}' waits for a report of {states} that nobody is going to send: "
        "report it while the flow runs (cf.tasks() has the tokens), mock it (cf.task(...).returns(...)), or give it a time-out",
        [{"state": task.call.state, "token": task.token, "since": iso(task.since)} for task in tasks],
    )


def environment(server: Server) -> dict[str, str]:
    """The variables that point clients at a server."""
    credential = server.emulator.first_credential
    variables = {
        "CFMOCK_URL": server.url,
        "CFMOCK_ENDPOINT": server.endpoint,
        "FNF_ENDPOINT": server.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credential.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credential.access_key_secret,
        "ALIBABA_CLOUD_REGION_ID": server.emulator.settings.region,
    }
    if credential.security_token is not None:
        variables["ALIBABA_CLOUD_SECURITY_TOKEN"] = credential.security_token
    if server.ca_file is not None:
        variables["CFMOCK_CA_FILE"] = str(Path(server.ca_file).absolute())  # clients may stand in another folder
    return variables


def _fields(reply: Reply) -> dict[str, Any]:
    if reply.transport not in TOLD:
        raise ConnectionError(f"a fault broke the connection: {reply.transport.value}")
    return client.answered(reply.status, reply.body, dict(reply.headers).get(hints.HEADER))
