"""Histories of the real service for tests in Python: what the tasks answered there, and how the executions went."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cfmock.base.errors import FixtureError, SourceError
from cfmock.control.control import Control
from cfmock.fixtures.history.answers import mock_documents
from cfmock.fixtures.history.reader import read_histories
from cfmock.fixtures.history.recording import RecordedExecution, recorded_row
from cfmock.observe.models import Execution, moment

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
        events=tuple(map(recorded_row, recording.events)),
    )
