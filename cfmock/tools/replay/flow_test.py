"""A recorded execution as a flow test: its answers as mocks with secrets and long texts masked, its course as expected."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Sequence
from itertools import chain, count
from pathlib import Path

from cfmock.base.clocks import iso
from cfmock.base.errors import SettingsError
from cfmock.base.json_text import Json, json_text
from cfmock.base.source_marks import NOWHERE
from cfmock.engine.task_calls import TaskMock
from cfmock.fixtures.history.answers import mock_documents
from cfmock.fixtures.history.recording import RecordedExecution
from cfmock.fixtures.model import FixtureSet, FlowFixture, FlowTest
from cfmock.fixtures.text import item_lines, mapping_lines
from cfmock.tools.flowtest.run import FlowTestRunner, Ran

_MOST_VISITS = 40


def written_tests(
    fixtures: FixtureSet,
    recordings: Sequence[tuple[RecordedExecution, FlowFixture]],
    *,
    keep: Collection[str],
    definition: Path | None,
    target: Path,
) -> tuple[str, list[str]]:
    """The text of a fixture with a test for each recording, and the names of the fields that are masked in it. `definition` is
    a file that holds the one flow as it is, which the fixture then names.

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
    return "\n".join(lines) + "\n", sorted(masker.masked)


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
        output = {"output": ran.output} if ran.error is None else {}
        expect = {**ran.ending(), **output, "visits": visits[:_MOST_VISITS], "duration": ran.duration}
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


LONGEST_TEXT = 80  # characters of a text that stays as it is

_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)?$|pwd|secret|token|credential|authori[sz]ation|cookie|session|signature|"
    r"(api|access|private|encryption|account)_?key|^key$|^ak$|^sk$|^sign$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"LTAI[0-9A-Za-z]{12,}|STS\.[0-9A-Za-z]{8,}|eyJ[\w-]{8,}\.[\w-]{8,}|-----BEGIN |Bearer\s+\S{8,}|://[^/\s:@]+:[^/\s@]+@|"
    r"[?&](Signature|OSSAccessKeyId|x-oss-signature|security-token)="
)


class Masker:
    """Masks values. The same text is masked in the same way everywhere, so that what compares texts goes on as before.

    `keep` are the names of fields that stay, with all below them. `masked` are the names of those that did not.
    """

    def __init__(self, keep: Collection[str] = ()) -> None:
        self._keep = frozenset(keep)
        self._numbers: dict[str, int] = {}
        self.masked: dict[str, None] = {}

    def value(self, value: Json, key: str = "", secret: bool = False) -> Json:
        """The value without its secrets."""
        if key in self._keep:
            return value
        secret = secret or bool(key and _SECRET_KEY.search(key))
        if isinstance(value, dict):
            return {name: self.value(each, name, secret) for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(each, key, secret) for each in value]
        if isinstance(value, str):
            return self._text(value, key, secret)
        if secret and isinstance(value, int | float) and not isinstance(value, bool):
            self.masked[key] = None
            return 0
        return value

    def _text(self, text: str, key: str, secret: bool) -> str:
        inner = _json_inside(text)
        if inner is not None and not secret:
            masked = self.value(inner, key)
            return text if masked == inner and len(text) <= LONGEST_TEXT else json_text(masked)
        if not text or not (secret or len(text) > LONGEST_TEXT or _SECRET_TEXT.search(text)):
            return text
        self.masked[key] = None
        number = self._numbers.setdefault(text, len(self._numbers) + 1)
        return f"masked-{number}"


def _json_inside(text: str) -> Json:
    """The object or array that a text is in JSON, None if it is none."""
    if text[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None
