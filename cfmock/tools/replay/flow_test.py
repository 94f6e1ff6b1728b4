"""A recorded execution as a flow test: its answers as mocks, its course as what is expected."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cfmock.base.clocks import iso
from cfmock.base.errors import SettingsError
from cfmock.base.json_text import Json
from cfmock.base.source_marks import NOWHERE
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.history.answers import mock_documents
from cfmock.fixtures.history.recording import RecordedExecution
from cfmock.fixtures.model import FixtureSet, FlowFixture, FlowTest
from cfmock.tools.flowtest.generate.writer import flow as yaml_line
from cfmock.tools.flowtest.run import FlowTestRunner, Ran
from cfmock.tools.replay.masking import Masker

_WIDTH = 110
_MOST_VISITS = 40


@dataclass(frozen=True, slots=True)
class WrittenTests:
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
        lines.append("flows:")
        lines += [f"  - {yaml_line({'name': flow, 'definition': {'file': Path(name).as_posix()}})}" for flow in flows]
    lines.append("tests:")
    names: set[str] = set()
    for recording, flow in recordings:
        lines += _test_lines(_document(runner, recording, flow, masker, _unused_name(recording, names)))
    return WrittenTests("\n".join(lines) + "\n", sorted(masker.masked))


def _unused_name(recording: RecordedExecution, names: set[str]) -> str:
    base = recording.name or f"as at {iso(recording.started)[:19]}"
    name, number = base, 1
    while name in names:
        number += 1
        name = f"{base} ({number})"
    names.add(name)
    return name


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
    if recording.status not in ("Stopped", "Running"):
        _check(recording, ran, visits, entered, masker)
        return {"name": name, "flow": flow.name, "input": given, "tasks": tasks, "expect": _expected(ran, visits)}
    # Nobody stops a test: what it can expect is how far the execution came.
    return {
        "name": name,
        "flow": flow.name,
        "input": given,
        "tasks": tasks,
        "expect": {"visits": entered[:_MOST_VISITS]},
    }


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
    if ran.error is not None:
        expect["error"] = {"code": _literally(ran.error["code"])} if ran.error["code"] else {}
    else:
        expect["output"] = ran.output
    expect["visits"] = visits[:_MOST_VISITS]
    expect["duration"] = ran.duration
    return {key: value for key, value in expect.items() if value != {} or key == "output"}


def _literally(text: str) -> str:
    """A text as the glob that means it."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def _test_lines(test: Mapping[str, Json]) -> Iterator[str]:
    start = "  - "
    for key, value in test.items():
        yield from _entry(start, key, value)
        start = "    "


def _entry(start: str, key: str, value: Json) -> Iterator[str]:
    line = f"{start}{yaml_line(key)}: {yaml_line(value)}"
    if len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        yield line
        return
    yield f"{start}{yaml_line(key)}:"
    below = " " * len(start) + "  "
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _entry(below, name, part)
    else:
        yield from (f"{below}- {yaml_line(each)}" for each in value)
