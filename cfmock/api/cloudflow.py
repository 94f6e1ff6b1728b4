"""`CloudFlow`: a server and the hands on it, for tests in Python."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from typing import TYPE_CHECKING

from cfmock.api import assertions, client, runs
from cfmock.api.arguments import check_text, check_whole, shows_callers_line
from cfmock.api.entered import environment
from cfmock.api.handles import Fault, FlowClock, Task
from cfmock.api.lifecycle import Lifecycle
from cfmock.base.errors import UsageError
from cfmock.base.json_text import Json
from cfmock.fixtures.loader import load
from cfmock.fixtures.text import write_fixture
from cfmock.observe.call_ring import FIELDS
from cfmock.observe.models import (
    Call,
    Execution,
    ExecutionDetail,
    FlowSummary,
    Violation,
    public_calls,
    violations_text,
)
from cfmock.observe.retries import Backoff, Retries
from cfmock.protocol.auth.credentials import Credential
from cfmock.protocol.wire.messages import Pending, Reply, Request

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from cfmock.api.keywords import (
        CallFilters,
        FaultCalls,
        FaultKeywords,
        OutcomeKeywords,
        Source,
        WaitingTask,
    )
    from cfmock.protocol.spec.names import CallParameters, ErrorCode


@shows_callers_line
class CloudFlow(Lifecycle):
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

    # -- where it is -----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or `https://` with TLS."""
        return self._running.server.url

    @property
    def ca_file(self) -> str | None:
        """The file with the CA to trust, if `tls=True` made one."""
        return self._running.server.ca_file

    @property
    def endpoint(self) -> str:
        """`127.0.0.1:PORT`, as SDKs expect it."""
        return self._running.server.endpoint

    @property
    def access_key_id(self) -> str:
        """The first AccessKey ID of the fixtures, or `cfmock`."""
        return self._first.access_key_id

    @property
    def access_key_secret(self) -> str:
        """Its secret."""
        return self._first.access_key_secret

    @property
    def _first(self) -> Credential:
        return self._running.server.emulator.first_credential

    @property
    def region(self) -> str:
        """The region of calls that do not name one."""
        return self._running.server.emulator.settings.region

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that `cfmock run` sets for its command."""
        return environment(self._running.server)

    @property
    def clock(self) -> FlowClock:
        """The clock that flows run on."""
        return FlowClock(self._running)

    # -- what it serves --------------------------------------------------------------------------------------------------

    def load(self, source: Source) -> None:
        """Add a fixture file, folder, definition or mapping. A flow of the same name is replaced, its executions stay.

        Settings in it have no effect and cause a warning. Raises FixtureError; then nothing is added.
        """
        self._check_open()
        fixtures = load([source], existing=self._do(lambda control: control.flow_names()), variables=self._variables)
        self._do(lambda control: control.add_fixtures(fixtures))
        if isinstance(source, Mapping):
            self._do(lambda control: control.keep_fixtures(source))
        self._loaded.append(fixtures)

    def load_history(self, path: runs.HistoryFiles, *, flow: str) -> list[Execution]:
        """Mock the tasks of a flow with the results in recorded histories, and return the recorded executions.

        `path` is a file, or several, as `cfmock replay` takes them. Raises FixtureError where a history is not whole, UnknownName
        for a task that the flow does not have.
        """
        self._check_open()
        check_text("flow", flow)
        found = runs.recorded(path)
        self._do(lambda control: runs.add_answers(control, flow, found))
        return [runs.execution(flow, each) for each in found]

    def export(self, path: str | PathLike[str], *, executions: bool = False) -> None:
        """Write the state as a fixture file: YAML, or JSON if the name ends in .json. `executions`: also those that have ended.

        Credentials and Python functions are not in it; a comment names the latter.
        """
        self._check_open()
        write_fixture(path, self._do(lambda control: control.export(executions=executions)))

    def outcome(self, flow: str, **outcome: Unpack[OutcomeKeywords]) -> None:
        """Add a canned outcome of a flow, before those of the fixtures and after those added earlier.

        Keywords as in a fixture: `when`, `status`, `output`, `error`, `after`, `times`. Raises ArgumentError with what is wrong.
        If there is no such flow yet, a warning says so.
        """
        self._check_open()
        self._do(lambda control: control.add_outcome({"flow": flow, **outcome}))

    def task(self, flow: str, name: str) -> Task:
        """Mock a task of a flow, by its state's name or its action (`FC:InvokeFunction`), before the mocks of the fixtures.

        cf.task("order_flow", "Charge").fails("FC.ResourceThrottled", times=2).returns({"Body": {"receipt": "r1"}})

        Raises UnknownName if the flow has no such task. If there is no such flow yet, a warning says so.
        """
        self._check_open()
        check_text("flow", flow)
        check_text("name", name)
        return Task(self._running, flow, name, self._do(lambda control: control.begin_mocks(flow, name)))

    def fail(
        self, operation: str, code: ErrorCode, *, times: int | None = None, after_operation: bool = False,
        **when: Unpack[FaultCalls],
    ) -> Fault:  # fmt: skip
        """Answer calls of an operation (a glob) with an error code of the catalogue: every time, or the first `times`.

        With `after_operation` the operation is carried out first, so that only its answer is lost.

        `when` narrows it down: flow, execution, access_key_id (globs), call (the n-th of the matching ones, or a list of them).
        Raises UnknownName for an operation that the API does not have; a flow that does not exist causes a warning.
        """
        check_text("operation", operation)
        lost = after_operation or None
        return self.fault(when={"operation": operation, **when}, error=code, times=times, after_operation=lost)

    def fault(self, **fault: Unpack[FaultKeywords]) -> Fault:
        """Add a fault rule, with the keys of a fixture's `faults`. Raises ArgumentError with what is wrong, UnknownName as `fail`
        does."""
        self._check_open()
        return Fault(self._running, self._do(lambda control: control.add_fault(fault))["id"])

    def reset(self) -> None:
        """Put everything back as it was right after the start, including the clock."""
        self._check_open()
        self._do(lambda control: control.reset())
        del self._loaded[1:]

    # -- calling -----------------------------------------------------------------------------------------------------------

    def call(self, operation: str, **parameters: Json) -> dict[str, Json]:
        """Make a signed call, as any client does, and return the answer's fields. Values that are not text are sent as JSON.

        Raises ServiceError (`.code`, `.status`, `.message`, `.hint`) for an error answer, BrokenConnection where a fault breaks
        the connection.
        """
        entered, edge = self._running, self._check_open().edge
        request = self._signed(operation, parameters)
        if entered.loop is not None and not entered.loop.here:
            begun = edge.functions.do(lambda: edge.handle(request))
            reply = begun if isinstance(begun, Reply) else entered.loop.wait_for(edge.finished(begun))
            return assertions.fields(reply)
        begun = entered.blocking(lambda: (edge.handle(request), edge.emulator.pipeline.job))
        found = edge.kept_now(begun if isinstance(begun, Reply) else begun.reply)
        there = found.reply if isinstance(found, Pending) else found
        if not isinstance(there, Reply):
            assert isinstance(found, Pending)
            found.abandon()
            raise UsageError(f"{operation} has to wait: await cf.call_async(...) in a running loop")
        return assertions.fields(there)

    async def call_async(self, operation: str, **parameters: Json) -> dict[str, Json]:
        """`call`, for a running event loop."""
        edge, request = self._check_open().edge, self._signed(operation, parameters)

        async def perform() -> Reply:
            return await edge.finished(edge.handle(request))

        return assertions.fields(await self._running.here(perform()))

    def _signed(self, operation: str, parameters: Mapping[str, Json]) -> Request:
        check_text("operation", operation)
        return client.signed_request(
            operation, parameters, access_key_id=self.access_key_id, access_key_secret=self.access_key_secret,
            security_token=self._first.security_token, host=self.endpoint,
        )  # fmt: skip

    def run(
        self, flow: str, input: Json = None, name: str | None = None, *, timeout: float | None = runs.LONGEST_RUN
    ) -> Execution:
        """Start an execution and wait for its end, without an entry in the journal. On a virtual clock its waits take no time.

        `input` is a value or its JSON text. `timeout` is in seconds of real time, None for ever. On a virtual clock, a task that
        nobody is going to report runs into its time-out.

        Raises ServiceError if it cannot be started, WaitTimeout after `timeout`, WaitingForReport if it waits for a report that
        nobody is going to send, without a time-out, and ClockStopped if it starts more executions than
        `max_starts_per_advance`.
        """
        self._check_open()
        entered = self._running
        if entered.loop is not None and not entered.loop.here:
            return entered.loop.wait_for(runs.run(entered, flow, input, name, timeout))
        return runs.run_at_once(entered, flow, input, name)

    async def run_async(
        self, flow: str, input: Json = None, name: str | None = None, *, timeout: float | None = runs.LONGEST_RUN
    ) -> Execution:
        """`run`, for a running event loop."""
        entered = self._running
        return await entered.here(runs.run(entered, flow, input, name, timeout))

    # -- looking ------------------------------------------------------------------------------------------------------------

    def executions(self, flow: str) -> list[Execution]:
        """Return the executions of a flow, oldest first. Raises UnknownName unless the flow is, or was, there."""
        check_text("flow", flow)
        self._do(lambda control: control.check_flow(flow))
        return self._do(lambda control: control.find_executions(flow))

    def execution(self, flow: str, name: str) -> ExecutionDetail:
        """Return one execution, with what answered each of its tasks, why, and which mocks nearly matched.

        Raises UnknownName for a flow or an execution that is not there.
        """
        check_text("flow", flow)
        check_text("name", name)
        return self._do(lambda control: control.find_execution(flow, name))

    def flows(self) -> list[FlowSummary]:
        """Return the flows by name, with the numbers of their executions, mocks, outcomes and findings."""
        return self._do(lambda control: control.find_flows())

    def tasks(self, flow: str | None = None) -> list[WaitingTask]:
        """Return the tasks that wait for a report, oldest first: flow, execution, state, token, since.

        Raises UnknownName as `executions` does.
        """
        check_text("flow", flow, optional=True)
        found: list[WaitingTask] = self._do(lambda control: control.list_tasks(flow))
        return found

    def calls(
        self, operation: str | None = None, *, limit: int | None = None, **filters: Unpack[CallFilters]
    ) -> list[Call]:
        """Return the calls that the server saw, oldest first, whose fields and parameters equal the filters.

        Fields are flow, execution, code, status, access_key_id, request_id, fault, account and region; parameters are spelt
        as the service does: FlowName. The operation may be a glob, an empty `code` means success, `fault` is the name of a
        rule that applied, and `limit` takes that many of the newest. Raises UnknownName for an operation that the API does
        not have and nobody called, for a parameter that the operation does not have and no call sent, and for a flow that
        there neither is nor was and no call names.
        """
        check_whole("limit", limit)
        wanted = assertions.wanted_calls(filters)
        self._check_calls(operation, filters.keys() - set(FIELDS), filters.get("flow"))
        records = self._do(lambda control: control.find_calls(operation=operation, **wanted))
        newest = records if limit is None else records[max(0, len(records) - limit) :]
        return public_calls(newest)

    def _check_calls(self, operation: str | None, parameters: Collection[str] = (), flow: str | None = None) -> None:
        check_text("operation", operation, optional=True)
        check_text("flow", flow, optional=True)
        self._do(lambda control: control.check_calls(operation, parameters, flow))

    @property
    def warnings(self) -> list[str]:
        """Warnings for the author of a test, for example about tasks that no mock answered."""
        return self._do(lambda control: control.list_warnings())

    def retries(self, operation: str | None = None) -> list[Retries]:
        """Return the retries of clients after failures: groups of equal calls, with count, spacing and answers."""
        self._check_calls(operation)
        return self._do(lambda control: control.find_retries(operation))

    @property
    def violations(self) -> list[Violation]:
        """Calls that the real service would treat differently from what was meant, oldest first."""
        return self._do(lambda control: control.find_violations())

    def assert_called(
        self, operation: str, times: int | None = None, **parameters: Unpack[CallParameters]
    ) -> list[Call]:
        """Raises AssertionError unless the operation (a glob) was called with these parameters, `times` times or at least once.

        Parameters are spelt as the service does (FlowName) and matched as in `when`: text by globs, mappings as subsets
        (`Input={"kind": "express"}`). Returns the calls.
        """
        return assertions.called(self.calls(), operation, times, parameters, self._runs_begun())

    def assert_order(self, *steps: str | tuple[str, CallParameters]) -> list[Call]:
        """Raises AssertionError unless these operations were called in this order; others may come between.

        A step is an operation (a glob), or one with parameters: `("StartExecution", {"FlowName": "order_flow"})`. Gives the
        calls.
        """
        return assertions.in_order(self.calls(), steps, self._runs_begun())

    def _runs_begun(self) -> int:
        return self._do(lambda control: control.runs_begun)

    def assert_retries(
        self, operation: str, max: int | None = None, *, backoff: Backoff | None = None, same_name: bool | None = None
    ) -> list[Retries]:
        """Raises AssertionError unless the operation was retried after failures, at most `max` times per call.

        `backoff` is the shape that the pauses must have (none, fixed, exponential, jittered), from two pauses on; `same_name`
        says whether retries use the same execution name. With `max=0` nothing may be retried. Returns the groups of equal
        calls.
        """
        return assertions.retried(self.retries(operation), operation, max, backoff, same_name)

    def assert_no_violations(self) -> None:
        """Raises AssertionError that lists all violations, if there are any."""
        found = self.violations
        assert not found, violations_text(found)

    def wait_for_calls(
        self, operation: str | None = None, count: int = 1, timeout: float | str = 5, **filters: Unpack[CallFilters]
    ) -> list[Call]:
        """Wait until there are `count` such calls, and return all of them. Raises WaitTimeout after `timeout` seconds."""
        entered = self._running
        if entered.loop is None or entered.loop.here:
            found = self.calls(operation, **filters)
            if len(found) < count:
                self._check_open()
                raise UsageError("that has to wait: await cf.wait_for_calls_async(...) in a running loop")
            return found
        return entered.loop.wait_for(assertions.wait_for_calls(entered, operation, count, timeout, filters))

    async def wait_for_calls_async(
        self, operation: str | None = None, count: int = 1, timeout: float | str = 5, **filters: Unpack[CallFilters]
    ) -> list[Call]:
        """`wait_for_calls`, for a running event loop."""
        entered = self._running
        return await entered.here(assertions.wait_for_calls(entered, operation, count, timeout, filters))
