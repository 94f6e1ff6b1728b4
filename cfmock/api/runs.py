"""The work of `cf.run`: start an execution and wait for its end; and executions of the service as values."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import time
from collections.abc import Callable, Sequence

from cfmock.api.arguments import check_text
from cfmock.api.entered import EnteredServer
from cfmock.base.clocks import iso
from cfmock.base.errors import FixtureError, SourceError, UsageError, WaitingForReport, WaitTimeout
from cfmock.base.json_text import Json
from cfmock.base.time_text import duration_text, parse_duration
from cfmock.control.control import Control
from cfmock.control.executions import Run
from cfmock.engine.execution import CalledTask
from cfmock.engine.jobs import Job
from cfmock.fixtures.history.answers import mock_documents
from cfmock.fixtures.history.reader import read_histories
from cfmock.fixtures.history.recording import RecordedExecution
from cfmock.observe.models import Execution, moment
from cfmock.service.rows import ExecutionRow

LONGEST_RUN = 60.0  # seconds of real time that `run` waits for an execution

QUIET = 0.5
"""Seconds of real time without a call, after which nobody is taken to be about to report a task."""


def run_at_once(entered: EnteredServer, flow: str, input: Json, name: str | None) -> Execution:
    """Run an execution that has nothing to wait for, in the loop's own thread. Raises UsageError if it has."""
    control, ended = entered.control, list[bool]()

    def start() -> tuple[Run, Job | None]:
        run = _start(control, flow, input, name, lambda: ended.append(True))
        return run, run.job

    run = entered.blocking(start)
    run.undo()
    control.emulator.time.check_going(run.job)
    if not ended:
        raise UsageError("the execution has to wait: await cf.run_async(...) in a running loop")
    return control.execution(run.world, run.row)


async def run(entered: EnteredServer, flow: str, input: Json, name: str | None, timeout: float | None) -> Execution:
    """Run an execution, in the loop. Raises as `CloudFlow.run`."""
    server, ended = entered.check_open(), asyncio.Event()
    control = entered.control
    longest = None if timeout is None else parse_duration(timeout)
    run, cause = server.functions.observe(lambda: _start(control, flow, input, name, ended.set))
    try:
        await _until(entered, ended, run, longest)
    finally:
        run.undo()
    if cause is not None:
        await server.functions.settle(cause)  # one that reported the last task has yet to return
    if run.job is not None:
        await server.edge.rested(run.job)
    control.emulator.time.check_going(run.job)
    return control.execution(run.world, run.row)


def _start(control: Control, flow: str, input: Json, name: str | None, tell: Callable[[], None]) -> Run:
    check_text("flow", flow)
    check_text("name", name, optional=True)
    return control.run(flow, input, name, tell)


async def _until(entered: EnteredServer, ended: asyncio.Event, run: Run, timeout: float | None) -> None:
    """Wait for an execution's end; on a virtual clock go past reports that nobody will send."""
    server, control, world, row = entered.server, entered.control, run.world, run.row
    begun = quiet_since = time.monotonic()
    virtual, signs = server.emulator.settings.clock == "virtual", _signs_of_life(entered)
    while not ended.is_set():
        control.emulator.time.check_going(run.job)
        now = time.monotonic()
        left = math.inf if timeout is None else begun + timeout - now
        if timeout is not None and left <= 0:
            *_, at = "its start", *control.execution(world, row).visits
            raise WaitTimeout(
                f"execution '{row.name}' of flow '{row.flow.name}' has not ended after {duration_text(timeout)}; it is at {at}"
            )
        if signs != (signs := _signs_of_life(entered)) or server.outbound.busy:
            quiet_since = now
        elif virtual and now - quiet_since >= QUIET and (tasks := control.open_tasks(world, row)) is not None:
            if not control.pass_time_out(world, row):
                raise _waiting_for_report(row, tasks)
            continue
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(ended.wait(), min(left, QUIET / 5 if virtual else left, 3600.0))


def _signs_of_life(entered: EnteredServer) -> tuple[int, int]:
    """Return a value that changes when a client calls, or looks for tasks to report."""
    return entered.server.emulator.pipeline.handled, entered.control.tasks_asked


def _waiting_for_report(row: ExecutionRow, tasks: Sequence[CalledTask]) -> WaitingForReport:
    states = ", ".join(f"'{task.call.state}'" for task in tasks)
    return WaitingForReport(
        f"execution '{row.name}' of flow '{row.flow.name}' waits for a report of {states} that nobody will send: "
        "report it while the flow runs (cf.tasks() has the tokens), mock it (cf.task(...).returns(...)), or give it a timeout",
        [{"state": task.call.state, "token": task.token, "since": iso(task.since)} for task in tasks],
    )


HistoryFiles = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One file with histories, or several that belong together, as pages of one."""


def recorded(paths: HistoryFiles) -> list[RecordedExecution]:
    """The executions in these files. Raises FixtureError where they are not whole."""
    given = [paths] if isinstance(paths, str | os.PathLike) else paths
    try:
        return read_histories([os.fspath(path) for path in given])
    except SourceError as error:
        raise FixtureError(error.problems) from None


def add_answers(control: Control, flow: str, recordings: Sequence[RecordedExecution]) -> None:
    """Add the answers of the tasks as mocks of a flow."""
    for task, mocks in mock_documents(recordings).items():
        control.add_mocks({"flow": flow, "task": task, "mocks": mocks})


def execution(flow: str, recording: RecordedExecution) -> Execution:
    """A recorded execution as `cf.executions` gives one."""
    last = recording.events[-1]
    ended = recording.status != "Running"
    succeeded = recording.status == "Succeeded"
    return Execution(
        flow=flow,
        name=recording.name,
        status=recording.status,
        input=recording.input,
        output=recording.data(last.detail.get("output")) if succeeded else None,
        error={"code": str(last.detail.get("error", "")), "detail": str(last.detail.get("cause", ""))}
        if ended and not succeeded
        else None,
        started=moment(recording.started),
        stopped=moment(last.time) if ended else None,
        visits=tuple(event.step for event in recording.events if event.type == "StepEntered"),
        events=tuple(event.row() for event in recording.events),
    )
