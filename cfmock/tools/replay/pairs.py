"""Pairs the events of a replay with those of the recorded history, by what they were caused by.

Branches and iterations run side by side, and the service takes a while for every event, so that there they interleave
otherwise than on virtual time. What was caused by the same event is in the same order in both; branches and iterations go
by their index. What follows a join is caused by the branch that ended last, whichever that was.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from cfmock.engine.events import Event
from cfmock.fixtures.history.recording import ENTERED, RecordedEvent, RecordedExecution, Scopes

Place = tuple[Any, ...]
"""The place of an event below another: `(cause, n)`, the nth event that it caused; `(cause, "index", i)` for a branch or an
iteration; `("join", cause of the branches, n)` for what follows a join."""


class Pairing:
    """Pairs of recorded and replayed events, `own` by the ids of the recorded. Takes the events of the replay as they come."""

    def __init__(self, recording: RecordedExecution) -> None:
        self.own: dict[int, Event] = {}
        self._places = _places(recording)
        self._recorded: dict[int, int] = {0: 0}  # by the ids of the replay
        self._forks: dict[int, int] = {}  # for each event that leaves a branch, the cause of the branches
        self._leaving: dict[int, list[int]] = {}  # by such a cause, the events that leave its branches
        self._scopes = Scopes()
        self._numbers: Counter[Place] = Counter()

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
            self.own[found.id] = event

    def recorded_id(self, own: int) -> int:
        """The id of the recorded event for one of the replay; -1 for none."""
        return self._recorded.get(own, -1)

    def expected_cause(self, event: Event) -> int:
        """The recorded id that should be the cause of the event that stands for this one, -1 if there is none."""
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
        return _next(self._numbers, cause) if fork is None else _next(self._numbers, "join", cause)


def _places(recording: RecordedExecution) -> dict[Place, RecordedEvent]:
    """Return the events of a recording by their places."""
    places: dict[Place, RecordedEvent] = {}
    numbers: Counter[Place] = Counter()
    forks = {event.id: of for event in recording.events if (of := recording.scopes.fork_of(event))}
    branching = set(forks.values())
    for event in recording.events:
        cause = event.cause
        if cause >= event.id:
            continue  # no event causes an earlier one; the comparison tells of it
        if event.type in ENTERED:
            index, place = event.detail.get("index"), _next(numbers, cause, "index")
            places.setdefault((cause, "index", index) if isinstance(index, int) else place, event)
        elif cause in forks:
            places[_next(numbers, "join", forks[cause])] = event
        elif cause in branching and event.type == "StepSucceeded":  # so the service may have what follows a join
            places[_next(numbers, "join", cause)] = event
        else:
            places[_next(numbers, cause)] = event
    return places


def _next(numbers: Counter[Place], *key: int | str) -> Place:
    numbers[key] += 1
    return (*key, numbers[key] - 1)
