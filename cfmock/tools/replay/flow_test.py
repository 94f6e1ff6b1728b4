"""A recorded execution as a flow test: its answers as mocks, its course as what is expected."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Sequence
from itertools import chain, count
from pathlib import Path

from msgspec import Struct

from cfmock.base.clocks import iso
from cfmock.base.errors import SettingsError
from cfmock.base.json_text import Json
from cfmock.base.source_marks import NOWHERE
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.history.answers import mock_documents
from cfmock.fixtures.history.recording import RecordedExecution
from cfmock.fixtures.model import FixtureSet, FlowFixture, FlowTest
from cfmock.fixtures.text import item_lines, mapping_lines
from cfmock.tools.flowtest.run import FlowTestRunner, Ran
from cfmock.tools.replay.masking import Masker

_MOST_VISITS = 40


class WrittenTests(Struct, frozen=True):
    """The text of a fixture with the tests, and the names of the fields that are masked in it."""

    text: str
    masked: Sequence[str]


def written_tests(
    fixtures: FixtureSet,
    recordings: Sequence[tuple[RecordedExecution, FlowFixture]],
    *,
    keep: Collection[str],
    definition: Path | None,
    target: Path,
) -> WrittenTests:
    """A test for each recording. `definition` is a file that holds the one flow as it is, which the fixture then names.

    Raises SettingsError where an execution goes another way once its data are masked.
    """
    masker = Masker(keep)
    runner = FlowTestRunner(fixtures)
    lines = ["cfmock: 1"]
    if definition is not None:
        name = os.path.relpath(definition, target.parent)
        flows = dict.fromkeys(flow.name for _, flow in recordings)
        lines += mapping_lines(
            {"flows": [{"name": flow, "definition": {"file": Path(name).as_posix()}} for flow in flows]}
        )
    lines.append("tests:")
    names: set[str] = set()
    for recording, flow in recordings:
        names.add(name := _unused_name(recording, names))
        lines += item_lines(_document(runner, recording, flow, masker, name))
    return WrittenTests("\n".join(lines) + "\n", sorted(masker.masked))


def _unused_name(recording: RecordedExecution, names: Collection[str]) -> str:
    base = recording.name or f"as at {iso(recording.started)[:19]}"
    further = (f"{base} ({number})" for number in count(2))
    return next(name for name in chain((base,), further) if name not in names)


def _document(
    runner: FlowTestRunner, recording: RecordedExecution, flow: FlowFixture, masker: Masker, name: str
) -> dict[str, Json]:
    """One test as fixtures hold it. What it expects is what the masked data lead to."""
    given = masker.value(recording.input)
    tasks = mock_documents([recording], masker.value)
    mocks = {state: tuple(map(TaskMock.from_mapping, each)) for state, each in tasks.items()}
    ran = runner.run(FlowTest(name, flow.name, given, mocks, {}, NOWHERE))
    visits = [visited for visited, event in ran.visits if event is not None]
    entered = [event.step for event in recording.events if event.type == "StepEntered"]
    expect: dict[str, Json] = {"visits": entered[:_MOST_VISITS]}  # of a stopped one: nobody stops a test
    if recording.status not in ("Stopped", "Running"):
        _check(recording, ran, visits, entered, masker)
        expect = _expected(ran, visits)
    return {"name": name, "flow": flow.name, "input": given, "tasks": tasks, "expect": expect}


def _check(
    recording: RecordedExecution, ran: Ran, visits: Sequence[str], entered: Sequence[str], masker: Masker
) -> None:
    if ran.status == recording.status and sorted(visits) == sorted(entered):
        return
    masked = ", ".join(sorted(filter(None, masker.masked)))
    at = next((a for a, b in zip(visits, entered, strict=False) if a != b), recording.status)
    why = (
        f"with {masked} masked the flow goes another way at '{at}'; --keep FIELD leaves a field as it is"
        if masked
        else f"mocks alone do not lead the same way: it differs at '{at}'"
    )
    raise SettingsError(f"--write-test: {recording.file}: {why}")


def _expected(ran: Ran, visits: Sequence[str]) -> dict[str, Json]:
    expect: dict[str, Json] = {"status": ran.status}
    if ran.error is None:
        expect["output"] = ran.output
    elif ran.error["code"]:
        expect["error"] = {"code": glob.escape(ran.error["code"])}
    return {**expect, "visits": visits[:_MOST_VISITS], "duration": ran.duration}
