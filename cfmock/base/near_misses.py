"""Why none of several outcomes, or mocks, was for an execution: noted as it happens, worked out when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base.json_text import Json, json_value
from cfmock.base.patterns import ExecutionCondition, NearMiss, Spent

EXPLAINED = 32
"""Number of candidates, the first ones, whose differences from an execution are explained."""


class Candidate(Protocol):
    """An outcome or a mock, which never changes."""

    @property
    def condition(self) -> ExecutionCondition: ...

    @property
    def when(self) -> Mapping[str, Json]: ...

    @property
    def times(self) -> int | None: ...


class Unmatched(Struct, frozen=True):
    """The candidates for an execution, or for a task of one (`kind`: outcome or mock; `of` what has them), none of which was for
    it, as they stood then: `used` is how often each was used. `input` is JSON text. `nearest`, of which one thing differs, is
    told to the client at once; all others are worked out when somebody looks."""

    kind: str
    of: str
    execution: str
    input: str
    candidates: Sequence[Candidate]
    used: Sequence[int]
    nearest: NearMiss | None

    def to_keep(self) -> Unmatched:
        """Drop the nearest where it can be worked out again: it holds on to parts of the input as values."""
        return replace(self, nearest=None) if self.candidates else self

    def near_misses(self) -> list[NearMiss]:
        """Work out the differences of each candidate, in their order."""
        if not self.candidates:
            return [self.nearest] if self.nearest is not None else []
        value = json_value(self.input)
        return [
            _near_miss(self.kind, f"{index} of {self.of}", candidate, used, self.execution, value)
            for index, (candidate, used) in enumerate(zip(self.candidates, self.used, strict=True), 1)
        ]


def unmatched(
    kind: str, of: str, execution: str, input: str, value: Json, candidates: Sequence[Candidate], used: Sequence[int]
) -> Unmatched:
    """Note that none of these, at least one, was for an execution of this name and input (`value` is what the text means)."""
    nearest = None
    for index, candidate in enumerate(candidates):
        spent = candidate.times is not None and used[index] >= candidate.times
        if spent + candidate.condition.count(execution, value, 2 - spent) == 1:
            nearest = _near_miss(kind, f"{index + 1} of {of}", candidate, used[index], execution, value)
            break
    return Unmatched(kind, of, execution, input, candidates, used, nearest)


def _near_miss(kind: str, name: str, candidate: Candidate, used: int, execution: str, value: Json) -> NearMiss:
    found = list(candidate.condition.differences(execution, value))
    if candidate.times is not None and used >= candidate.times:
        found.append(Spent("times", candidate.times, used))
    return NearMiss(kind, name, tuple(found))
