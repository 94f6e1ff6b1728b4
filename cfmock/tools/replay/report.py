"""Replays as values for people and programs: lines, and a JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, to_builtins

from cfmock.base.clocks import iso
from cfmock.base.json_text import Json
from cfmock.base.time_text import duration_text
from cfmock.engine.events import Event
from cfmock.fixtures.history.recording import RecordedEvent, RecordedExecution
from cfmock.tools.replay.choices import choices
from cfmock.tools.replay.compare import Evidence, ReplayComparison

FIDELITY = "docs/fidelity.md"
_WIDEST = 300


class ReplayReport(Struct, frozen=True):
    """The comparisons of one command, in the order of the histories."""

    comparisons: Sequence[ReplayComparison]

    @property
    def agrees(self) -> bool:
        return all(each.agrees for each in self.comparisons)

    @property
    def confirmed(self) -> list[str]:
        """The choices that the histories agree with."""
        return list(dict.fromkeys(key for each in self.comparisons for key in each.confirmed))

    def document(self) -> Json:
        """All of it as a JSON value."""
        return {
            "agrees": self.agrees,
            "executions": [_execution(each) for each in self.comparisons],
            "confirmed": self.confirmed,
        }

    def summary(self) -> str:
        """`ok: 2 executions, 31 of 31 events agree`, or how many differ."""
        events = sum(len(each.replay.recording.events) for each in self.comparisons)
        agreed = sum(each.agreed for each in self.comparisons)
        count = len(self.comparisons)
        executions = f"{count} execution{'s' * (count != 1)}"
        differing = sum(not each.agrees for each in self.comparisons)
        said = f"{differing} of {executions} differ{'s' * (differing == 1)}" if differing else f"ok: {executions}"
        return f"{said}, {agreed} of {events} events agree"


def title(recording: RecordedExecution) -> str:
    """`run1.json: execution run1`, or when it started."""
    name = f"execution {recording.name}" if recording.name else f"execution of {iso(recording.started)}"
    return f"{recording.file}: {name}"


def _execution(found: ReplayComparison) -> Json:
    recording, difference = found.replay.recording, found.difference
    return {
        "file": recording.file,
        "execution": recording.name or None,
        "flow": found.replay.flow.name,
        "started": iso(recording.started),
        "events": len(recording.events),
        "agreed": found.agreed,
        "agrees": found.agrees,
        "difference": None
        if difference is None
        else {
            "event": difference.number,
            "what": difference.what,
            "message": difference.message,
            "values": {"cloud": difference.cloud, "cfmock": difference.cfmock},
            "cloud": difference.recorded and difference.recorded.row(),
            "cfmock": difference.own and difference.own.row(),
        },
        "evidence": [to_builtins(each) for each in found.evidence],
        "confirmed": list(found.confirmed),
    }


# -- lines -------------------------------------------------------------------------------------------------------------


def lines(found: ReplayComparison) -> Iterator[str]:
    """Describe the agreement and the first difference: the cloud's side begins with `- `, ours with `+ `."""
    recording, difference = found.replay.recording, found.difference
    events = len(recording.events)
    if difference is None:
        yield f"ok      {title(recording)}: {events} events agree"
        return
    yield f"DIFFERS {title(recording)}: {found.agreed} of {events} events agree"
    yield f"    {difference.message}"
    yield f"    - the service: {_line(difference.recorded, recording.started)}"
    yield f"    + cfmock:      {_line(difference.own, recording.started)}"


def _line(event: RecordedEvent | Event | None, started: float) -> str:
    if event is None:
        return "no such event"
    row = event.row()
    of = f" of '{row['StepName']}'" if row["StepName"] else ""
    detail = row["EventDetail"]
    detail = detail if len(detail) <= _WIDEST else detail[:_WIDEST] + "…"
    after = duration_text(event.time - started)
    return f"event {row['EventId']}, caused by {row['ScheduleEventId']}, after {after}: {row['Type']}{of}, {detail}"


def evidence_lines(comparisons: Iterable[ReplayComparison]) -> Iterator[str]:
    """Describe new evidence for an issue: Markdown, with no data of the execution in it."""
    found: dict[str, list[tuple[RecordedExecution, Evidence]]] = {}
    for each in comparisons:
        for evidence in each.evidence:
            found.setdefault(evidence.choice, []).append((each.replay.recording, evidence))
    if not found:
        return
    yield f"New evidence: the service does otherwise what {FIDELITY} lists as a choice of cfmock. Please open an issue with this:"
    yield ""
    for key, rows in found.items():
        yield f"- **{key}**: {choices()[key].choice}"
        for recording, evidence in rows:
            yield f"  - {iso(recording.started)[:10]}, event {evidence.event}, {evidence.type}: {evidence.message}"
