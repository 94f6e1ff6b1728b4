"""Pairs the events of a replay with those of the recorded history, by what they were caused by.

Branches and iterations run side by side, and the service takes a while for every event, so that there they interleave
otherwise than on virtual time. What was caused by the same event is in the same order in both; branches and iterations go
by their index. What follows a join is caused by the branch that ended last, whichever that was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cfmock.engine.events import Event
from cfmock.fixtures.history.recording import ENTERED, RecordedEvent, RecordedExecution, Scopes

Place = tuple[Any, ...]
"""The place of an event below another: `(cause, n)`, the nth event that it caused; `(cause, "index", i)` for a branch or an
iteration; `("join", cause of the branches, n)` for what follows a join."""


class Pairing:
    """Pairs of recorded and replayed events. Takes the events of the replay as they come."""

    def __init__(self, recording: RecordedExecution) -> None:
        self._recording = recording
        self._places = _Recorded(recording).places
        self._recorded: dict[int, int] = {0: 0}  # by the ids of the replay
        self._own: dict[int, Event] = {}  # by recorded ids
        self._forks: dict[int, int] = {}  # for each event that leaves a branch, the cause of the branches
        self._leaving: dict[int, list[int]] = {}  # by such a cause, the events that leave its branches
        self._scopes = Scopes()
        self._numbers: dict[Place, int] = {}

    def add(self, event: Event) -> None:
        """Take the next event of the replay."""
        self._scopes.add(event)
        if fork := self._scopes.fork_of(event):
            self._forks[event.id] = fork
            self._leaving.setdefault(fork, []).append(event.id)
        place = self._place(event)
        found = self._places.get(place) if place is not None else None
        if found is not None:
            self._recorded[event.id] = found.id
            self._own[found.id] = event

    def recorded_id(self, own: int) -> int:
        """The id of the recorded event for one of the replay; -1 for none."""
        return self._recorded.get(own, -1)

    def own(self, recorded: int) -> Event | None:
        """The event of the replay for a recorded one."""
        return self._own.get(recorded)

    def expected_cause(self, event: Event, recorded: RecordedEvent) -> int:
        """The recorded id that should be the cause of a recorded event, -1 if there is none."""
        fork = self._forks.get(event.cause)
        if fork is None:
            return self.recorded_id(event.cause)
        return max(map(self.recorded_id, self._leaving[fork]), default=-1)

    def may_cause(self, event: Event) -> frozenset[int]:
        """The recorded ids of all branches whose end what follows a join might be caused by, with that of their own cause."""
        fork = self._forks.get(event.cause)
        if fork is None:
            return frozenset()
        return frozenset(map(self.recorded_id, (*self._leaving[fork], fork)))

    def _place(self, event: Event) -> Place | None:
        fork = self._forks.get(event.cause)
        cause = self._recorded.get(event.cause if fork is None else fork)
        if cause is None:
            return None
        if event.type in ENTERED:
            return cause, "index", event.data["index"]
        return _numbered(self._numbers, cause, joins=fork is not None)


class _Recorded:
    """The places of the events of a recording."""

    def __init__(self, recording: RecordedExecution) -> None:
        self.places: dict[Place, RecordedEvent] = {}
        numbers: dict[Place, int] = {}
        entered: dict[int, int] = {}
        forks = {event.id: of for event in recording.events if (of := recording.scopes.fork_of(event))}
        joined = _joined_by_fork(recording, forks)
        for event in recording.events:
            if event.cause >= event.id:
                continue  # no event causes an earlier one; the comparison tells of it
            if event.type in ENTERED:
                entered[event.cause] = number = entered.get(event.cause, -1) + 1
                index = event.detail.get("index")
                if not isinstance(index, int):
                    index = number
                self.places.setdefault((event.cause, "index", index), event)
                continue
            fork = forks.get(event.cause) or joined.get(event.id)
            self.places[_numbered(numbers, fork or event.cause, joins=fork is not None)] = event


def _joined_by_fork(recording: RecordedExecution, forks: Mapping[int, int]) -> dict[int, int]:
    """The events behind a join that are caused by what caused the branches, by their ids: the service may have it so."""
    of_branches = set(forks.values())
    return {
        event.id: event.cause
        for event in recording.events
        if event.cause in of_branches and event.type not in ENTERED and event.type == "StepSucceeded"
    }


def _numbered(numbers: dict[Place, int], cause: int, *, joins: bool) -> Place:
    key: Place = ("join", cause) if joins else (cause,)
    number = numbers[key] = numbers.get(key, -1) + 1
    return (*key, number)
