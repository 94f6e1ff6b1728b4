"""Holds a replay against the recorded history: the first difference, and what the documents leave open.

Type, state, order, causes, times, input and output count, and so does every other key of a detail that both tell, unless its
value is of our choice (the names and texts of errors that no page documents). Keys that only one side has are new evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.time_text import duration_text
from cfmock.engine.events import Event
from cfmock.fixtures.history.recording import ENDS, ENTERED, EXITED, RecordedEvent
from cfmock.tools.replay.choices import OWN_CODES, OWN_TEXTS, choice_for
from cfmock.tools.replay.run import TOLERANCE, UNKNOWN_NAME, Replay
from cfmock.tools.replay.values import MISSING, value_difference

LATENCY = 0.1
"""Seconds that the service may take for an event, beside `TOLERANCE`: an event that others come before is late by theirs, too."""

_DOCUMENTED = {
    "ExecutionStarted": {"input"},
    "StepEntered": {"input", "local"},
    "StepStarted": {"input"},
    "StepSucceeded": {"output"},
    "StepExited": {"local"},
}
"""The keys of details that a page shows: it has to be there on both sides."""

_UNTIMED = frozenset(("TaskSubmitFailed",))  # events whose time is that of a failing call, which no mock holds


class EventDifference(Struct, frozen=True):
    """A place where a replay goes another way. `what` is `type`, `state`, `order`, `cause`, `time`, `status`, `missing`,
    `extra`, or a key of the detail; `cloud` and `cfmock` are the two values of it, the events the two sides."""

    what: str
    cloud: Json
    cfmock: Json
    recorded: RecordedEvent | None
    own: Event | None
    message: str

    @property
    def number(self) -> int:
        """The id of the event at which it is."""
        return self.recorded.id if self.recorded is not None else self.own.id if self.own is not None else 0


class Evidence(Struct, frozen=True):
    """Something that the documents leave open and this history shows. `choice` is the key of our choice in `choices.yaml`."""

    choice: str
    event: int
    type: str
    message: str


class ReplayComparison(Struct, frozen=True, eq=False, dict=True):
    """The agreement of a replay with its history. `agreed` counts the events before the first difference; `confirmed` are the
    choices of `choices.yaml` that the history agrees with."""

    replay: Replay
    agreed: int
    difference: EventDifference | None
    evidence: tuple[Evidence, ...]
    confirmed: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return self.difference is None


def compare(replay: Replay) -> ReplayComparison:
    """Compare event by event, in the order of the history, up to the first difference."""
    return _Comparing(replay).run()


class _Comparing:
    """One comparison while it goes on."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.recording, self.events = replay.recording, replay.events
        self.pairs = replay.pairs
        self.name = UNKNOWN_NAME if replay.name == UNKNOWN_NAME else ""
        self.evidence: dict[tuple[str, str, str], Evidence] = {}
        self.confirmed: dict[str, None] = {}
        self.placed: set[int] = set()  # the events of the replay that a recorded one stands for

    def run(self) -> ReplayComparison:
        difference = next(filter(None, map(self.event, self.recording.events)), None) or self.behind() or self.status()
        refuted = {each.choice for each in self.evidence.values()}
        return ReplayComparison(
            replay=self.replay,
            agreed=len(self.placed),
            difference=difference,
            evidence=tuple(self.evidence.values()),
            confirmed=tuple(each for each in self.confirmed if each not in refuted),
        )

    # -- one event

    def event(self, recorded: RecordedEvent) -> EventDifference | None:
        if recorded is self.recording.misplaced:
            told = "the file has another event in its place"
            return self.difference(recorded, None, "order", recorded.id, None, told)
        own = self.pairs.own.get(recorded.id)
        if own is None:
            return self.unpaired(recorded)
        found = (
            self.kind(recorded, own)
            or self.order(recorded, own)
            or self.cause(recorded, own)
            or self.time(recorded, own)
            or next(self.details(recorded, own), None)
        )
        if found is None:
            self.placed.add(own.id)
        return found

    def kind(self, recorded: RecordedEvent, own: Event) -> EventDifference | None:
        if recorded.type != own.type:
            return self.difference(recorded, own, "type", recorded.type, own.type)
        if recorded.step != own.step:
            return self.difference(recorded, own, "state", recorded.step, own.step)
        return None

    def order(self, recorded: RecordedEvent, own: Event) -> EventDifference | None:
        """On virtual time the same events come in the same order; the service takes a while for each, and then only what
        follows from one another does."""
        if self.timed_like_us and recorded.id != own.id:
            other = self.events[recorded.id - 1] if recorded.id <= len(self.events) else None
            told = f"comes as event {recorded.id}, here as event {own.id}"
            return self.difference(recorded, other, "order", recorded.id, own.id, told)
        return None

    @cached_property
    def timed_like_us(self) -> bool:
        """True if the history takes no time where we take none, as one of a virtual clock."""
        late = total = 0
        events = self.recording.events
        for recorded in events[1:]:
            own = self.pairs.own.get(recorded.id)
            if own is None or not 0 < recorded.cause < recorded.id or not own.cause:
                continue
            if own.time == self.events[own.cause - 1].time:
                total += 1
                late += recorded.time > events[recorded.cause - 1].time
        return late * 10 <= total

    def cause(self, recorded: RecordedEvent, own: Event) -> EventDifference | None:
        expected = self.pairs.expected_cause(own)
        if recorded.cause == expected:
            if self.pairs.may_cause(own):
                self.confirmed["join-cause"] = None
            return None
        if recorded.cause in self.pairs.may_cause(own):
            self.open("join-cause", recorded, f"is caused by event {recorded.cause}, where cfmock has event {expected}")
            return None
        return self.difference(recorded, own, "cause", recorded.cause, expected)

    def time(self, recorded: RecordedEvent, own: Event) -> EventDifference | None:
        """By the time since the event's cause, or by the moment itself: a wait for a moment is as long as is left."""
        if recorded.type in _UNTIMED:
            return None
        start = self.recording.started
        moment = recorded.time - own.time
        if abs(moment) <= TOLERANCE or not 0 < recorded.cause < recorded.id or not own.cause:
            return None
        there = recorded.time - self.recording.events[recorded.cause - 1].time
        here = own.time - self.events[own.cause - 1].time
        allowed = TOLERANCE + LATENCY * (recorded.id - recorded.cause)
        if -TOLERANCE <= there - here <= allowed:
            return None
        told = (
            f"comes {duration_text(there)} after event {recorded.cause} (at {duration_text(recorded.time - start)}), "
            f"here {duration_text(here)} after it"
        )
        return self.difference(recorded, own, "time", round(there, 3), round(here, 3), told)

    # -- details

    def details(self, recorded: RecordedEvent, own: Event) -> Iterator[EventDifference]:
        if recorded.text == own.detail:
            self.confirm(recorded.type, own.shape.keys)
            return
        there, here = recorded.detail, own.data
        documented = _DOCUMENTED.get(recorded.type, set()) & here.keys()
        alike = []
        for key, value in here.items():
            if key not in there:
                if key in documented:
                    yield self.difference(recorded, own, key, MISSING, value)
                else:
                    self.open(choice_for(recorded.type), recorded, f"has no '{key}' in its detail, cfmock has")
                continue
            found = value_difference(self.recording.data(there[key]), value, self.name)
            if found is None:
                alike.append(key)
            elif here.get("error") in {"error": OWN_CODES, "cause": OWN_TEXTS}.get(
                key, ()
            ):  # a name or text of our choice
                self.open("error-names", recorded, _chosen_text(key, there, here))
            else:
                path = f"{key}.{found.path}" if found.path and found.path[0] != "[" else f"{key}{found.path}"
                yield self.difference(recorded, own, path, found.cloud, found.cfmock)
        for key in there:
            if key not in here:
                self.open(choice_for(recorded.type), recorded, f"has '{key}' in its detail, cfmock has not")
        self.confirm(recorded.type, alike)

    def confirm(self, kind: str, keys: object) -> None:
        if kind not in _DOCUMENTED and keys:
            self.confirmed[choice_for(kind)] = None

    def open(self, choice: str, event: RecordedEvent | Event, message: str) -> None:
        key = choice, event.type, message if choice != "join-cause" else ""
        self.evidence.setdefault(key, Evidence(choice, event.id, event.type, message))

    # -- what has no pair

    def unpaired(self, recorded: RecordedEvent) -> EventDifference:
        """Return the difference of an event without a counterpart: the event at its place shows in what they differ."""
        events = self.events
        own = next((each for each in events if self.pairs.recorded_id(each.id) == -1), None)
        at = events[recorded.id - 1] if recorded.id <= len(events) else None
        if at is None or at.id in self.placed or (own is not None and self.kind(recorded, own) is None):
            at = own
        if at is None:
            told = f"follows there; here the execution is {self.replay.status} after event {len(events)}"
            return self.difference(recorded, None, "missing", recorded.type, None, told)
        expected = self.pairs.expected_cause(at)
        return self.kind(recorded, at) or self.difference(recorded, at, "cause", recorded.cause, expected)

    def behind(self) -> EventDifference | None:
        """An event that comes here and not there. In a branch that was stopped, the service may have been less far."""
        if self.recording.status == "Running":
            return None  # nobody knows what comes next there
        for own in self.events:
            if own.id not in self.placed:
                if self.timed_like_us or not self.in_stopped_branch(own):
                    told = f"comes here after event {own.cause}, and not there"
                    return self.difference(None, own, "extra", None, own.type, told)
                self.open("stopped-branches", own, "comes here before its branch is stopped, and not there")
        return None

    def in_stopped_branch(self, own: Event) -> bool:
        """Return whether an event stands in a branch or iteration that did not come to its end."""
        event = own
        while event.cause:
            event = self.events[event.cause - 1]
            if event.type in (*ENTERED, *EXITED):
                return event.type in ENTERED
        return False

    def status(self) -> EventDifference | None:
        """Return whether DescribeExecution has the same end."""
        told, last, own = self.recording.description, self.recording.events[-1], self.events[-1]
        if told is None or last.type not in ENDS:
            return None
        if told.status and told.status != self.replay.status:
            return self.difference(last, own, "status", told.status, self.replay.status)
        if told.output is not None and self.replay.status == "Succeeded":
            found = value_difference(told.output, self.replay.output, self.name)
            if found is not None:
                path = f"Output.{found.path}" if found.path else "Output"
                return self.difference(last, own, path, found.cloud, found.cfmock)
        return None

    def difference(
        self, recorded: RecordedEvent | None, own: Event | None, what: str, cloud: Json, cfmock: Json, message: str = ""
    ) -> EventDifference:
        told = message or f"{what}: {_shown(cloud)} in the history, {_shown(cfmock)} here"
        event = recorded if recorded is not None else own
        assert event is not None
        of = f" of '{event.step}'" if event.step else ""
        return EventDifference(
            what=what, cloud=None if cloud is MISSING else cloud, cfmock=None if cfmock is MISSING else cfmock,
            recorded=recorded, own=own, message=f"event {event.id}, {event.type}{of}: {told}",
        )  # fmt: skip


def _chosen_text(key: str, there: dict[str, Json], here: dict[str, Json]) -> str:
    if key == "error":
        return f"has the error {there['error']}, where cfmock has {here['error']}"
    return f"has another text as the cause of {there.get('error', '')}"


_WIDEST = 200


def _shown(value: Json) -> str:
    text = repr(value) if value is MISSING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else text[:_WIDEST] + "…"
