"""Objects that CloudFlow returns: Task, FlowClock, Fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from cfmock.api.arguments import check_whole, shows_callers_line
from cfmock.api.entered import EnteredServer
from cfmock.base.errors import ArgumentError, ArgumentTypeError, check_error_text
from cfmock.base.json_text import Json, json_argument, json_text
from cfmock.base.suggestions import shown
from cfmock.base.time_text import parse_duration, parse_time
from cfmock.control.flows import ENDLESS
from cfmock.control.setups import SetUp
from cfmock.engine.task_calls import Fails, Returns, TaskMock, Waits
from cfmock.observe.models import moment


@shows_callers_line
class Task:
    """Mocks of one task; each method adds one behind those before, and returns the same object.

    The methods raise ArgumentError for a mock behind one without `times`, since it would never answer.
    """

    def __init__(self, entered: EnteredServer, flow: str, name: str, chain: SetUp) -> None:
        self._entered = entered
        self._flow = flow
        self._name = name
        self._chain = chain

    def returns(self, value: Json, *, after: float | str | None = None, times: int | None = None) -> Task:
        """Succeed with this as the whole result (`$Output`; old language: `$local`), `after` this time (`2s`)."""
        return self._add(TaskMock(answer=Returns(_plain(value), _seconds(after)), times=times))

    def fails(self, code: str, detail: str = "", *, after: float | str | None = None, times: int | None = None) -> Task:
        """Fail with this error code and detail. Raises ArgumentTypeError for what is no text, ArgumentError for an empty code."""
        check_error_text(code, detail)
        if not code:
            raise ArgumentError("code: an error has a code, such as 'FC.ResourceThrottled'")
        return self._add(TaskMock(answer=Fails(code, detail, _seconds(after)), times=times))

    def calls(self, function: Callable[[Json], Json], *, times: int | None = None) -> Task:
        """Answer with a function: it gets the event, and returns the body of the result.

        It fails the task by `raise cfmock.TaskFailed(code, detail)`; any other exception does so under the name of its class, and
        `cf.warnings` has its file and line. A plain function runs in a thread of its own: it may sleep, call the server with an
        SDK, and use `cf`. An async one runs in the server's loop. On a virtual clock time stands while a plain one runs, unless
        it moves the clock itself.
        """
        if not callable(function):
            raise ArgumentTypeError(f"{shown(function)} cannot be called")
        return self._add(TaskMock(calls=function, times=times))

    def waits(self, *, times: int | None = None) -> Task:
        """Wait for ReportTaskSucceeded or ReportTaskFailed."""
        return self._add(TaskMock(answer=Waits(), times=times))

    def _add(self, mock: TaskMock) -> Task:
        check_whole("times", mock.times, 1)
        if self._chain.endless and not self._chain.gone:
            raise ArgumentError(f"this mock of task '{self._name}' would never answer: {ENDLESS}")
        self._chain = self._entered.do(
            lambda control: control.add_mock(self._flow, self._name, mock, chain=self._chain)
        )
        return self


@shows_callers_line
class FlowClock:
    """The flow clock of a server; it can be moved if it is virtual."""

    def __init__(self, entered: EnteredServer) -> None:
        self._entered = entered

    @property
    def now(self) -> datetime:
        """The time of the clock, in UTC."""
        return self._entered.do(lambda control: moment(control.emulator.clock.now()))

    def advance(self, span: float | str | timedelta) -> None:
        """Advance by seconds or a duration (`15m`). When it returns, everything that was due by then is done.

        Time stands while a function runs that stands in for a task, unless it is that function that moves the clock. In a
        running loop, where nothing else can happen meanwhile, it stands for a second at most: await `advance_async` there.
        Raises ArgumentError.
        """
        self._entered.move(self._entered.control.steps(_span(span)))

    async def advance_async(self, span: float | str | timedelta) -> None:
        """`advance`, for a running event loop."""
        await self._entered.move_async(self._entered.control.steps(_span(span)))

    def advance_to(self, when: datetime | str) -> None:
        """Advance to a time: a datetime (without a zone: UTC) or a text like `2024-06-01T00:00:00Z`.

        Raises ArgumentError for one that is past.
        """
        self._entered.move(self._entered.control.steps_to(_moment(when)))

    async def advance_to_async(self, when: datetime | str) -> None:
        """`advance_to`, for a running event loop."""
        await self._entered.move_async(self._entered.control.steps_to(_moment(when)))


@shows_callers_line
class Fault:
    """A fault rule at work."""

    def __init__(self, entered: EnteredServer, id: str) -> None:
        self._entered = entered
        self.id = id

    @property
    def hits(self) -> int:
        """The number of calls it applied to, even after it was removed or has expired."""
        return self._entered.do(lambda control: control.fault_hits(self.id))

    def remove(self) -> None:
        """Remove the rule. Removing it twice is not an error."""
        if any(rule["id"] == self.id for rule in self._entered.do(lambda control: control.list_faults())):
            self._entered.do(lambda control: control.remove_fault(self.id))


def _span(span: float | str | timedelta) -> float:
    return parse_duration(span.total_seconds() if isinstance(span, timedelta) else span)


def _moment(when: datetime | str) -> float:
    if isinstance(when, str):
        return parse_time(when)
    if not isinstance(when, datetime):
        raise ArgumentError(f"{shown(when)} is neither a datetime nor a text like 2024-06-01T00:00:00Z")
    return (when if when.tzinfo is not None else when.replace(tzinfo=timezone.utc)).timestamp()


def _plain(value: Json) -> Json:
    """Return a copy of a value as JSON holds it, so that later changes of it do not change the mock. Raises ArgumentError
    and ArgumentTypeError."""
    with json_argument():
        return json.loads(json_text(value))


def _seconds(span: float | str | None) -> float:
    return 0.0 if span is None else parse_duration(span)
