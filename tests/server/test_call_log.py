"""Calls in the log and in the journal file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfmock.server.call_log import Recording
from tests.support.calls import make_service


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ('{"a": 1}\n', '{"a": 1}\n'), ('{"a": 1}\n{"b', '{"a": 1}\n{"b\n')]
)
def test_a_journal_file_goes_on_with_a_line_of_its_own(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_text(before)
    service = make_service(journal=str(file))
    recording = Recording(service.emulator.settings, service.emulator.journal)
    service("ListFlows")
    recording.close()
    text = file.read_text()
    assert text.startswith(after)
    assert json.loads(text[len(after) :])["operation"] == "ListFlows"
