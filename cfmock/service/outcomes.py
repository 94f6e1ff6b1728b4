"""Canned outcomes: how an execution goes when the fixture says so instead of the definition.

The first outcome of a flow whose `when` matches and whose `times` are not spent decides. One made of nothing but `status`
is enough; `output` may be a template over `$Input` and `$Context`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cfmock.base.json_text import json_text
from cfmock.base.patterns import Difference, NearMiss, Spent, differences
from cfmock.base.randomness import Ids
from cfmock.base.time_text import parse_duration
from cfmock.engine.expr import Constructor, compile_constructor
from cfmock.engine.identity import Identity
from cfmock.protocol.wire.arguments import input_value

NAMES = frozenset(("$Input", "$Context"))
"""What the templates of an outcome may name."""

FINAL = ("Stopped", "Succeeded", "Failed", "TimedOut")
"""The statuses an execution does not leave."""

_EXPLAINED = 32  # outcomes of which it is noted why they did not match


class Outcome(NamedTuple):
    """One canned outcome. `after` is in seconds, `polls` counts DescribeExecution calls; `when` is matched against
    `{"execution": name, "input": {...}}`."""

    status: str = "Succeeded"
    when: Mapping[str, Any] = MappingProxyType({})
    output: Constructor | None = None
    error: Mapping[str, str] = MappingProxyType({})
    after: float = 0.0
    polls: int = 0
    times: int | None = None
    text: str | None = None  # `output` as JSON text, where that is always the same

    @property
    def ends(self) -> bool:
        return self.status in FINAL

    @property
    def at_once(self) -> bool:
        """Whether an execution has ended by the time its start is answered."""
        return self.status in FINAL and not self.after and not self.polls

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Outcome:
        """From the mapping of a fixture, known to fit its schema.

        Raises ValueError for a duration, `ConstructorErrors` for the expressions of `output`.
        """
        after = mapping.get("after", 0)
        polls = after["polls"] if isinstance(after, dict) else 0
        output = compile_constructor(mapping["output"], NAMES) if mapping.get("output") is not None else None
        return cls(
            status=mapping.get("status", "Succeeded"),
            when=mapping.get("when", {}),
            output=output,
            text=_text(output) if output is not None and output.constant else None,
            error=mapping.get("error", {}),
            after=0.0 if polls else parse_duration(after),
            polls=polls,
            times=mapping.get("times"),
        )


class Outcomes:
    """The outcomes of one flow in one world, in the order they are tried, and how often each was used."""

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self._outcomes = [(outcome, [0]) for outcome in outcomes]
        self._added = 0

    def add(self, outcome: Outcome) -> None:
        """Behind those added before, ahead of those of the fixture."""
        self._outcomes.insert(self._added, (outcome, [0]))
        self._added += 1

    def replace(self, outcomes: Iterable[Outcome]) -> None:
        """Put these in place of those of the fixture; those added stay."""
        self._outcomes[self._added :] = [(outcome, [0]) for outcome in outcomes]

    def choose(self, execution: str, input_text: str) -> Outcome | None:
        """The outcome for a new execution; it counts as used."""
        parsed: Any = _UNREAD
        for outcome, used in self._outcomes:
            if outcome.times is not None and used[0] >= outcome.times:
                continue
            if outcome.when:
                if parsed is _UNREAD and "input" in outcome.when:
                    parsed = input_value(input_text)
                if next(_reasons(outcome, execution, parsed), None) is not None:
                    continue
            used[0] += 1
            return outcome
        return None

    def near_misses(self, flow: str, execution: str, input_text: str) -> list[NearMiss]:
        """Why none was chosen: for each, which of the flow's outcomes it is and what differs."""
        if not self._outcomes:
            return []
        parsed = input_value(input_text)
        found = []
        for number, (outcome, used) in enumerate(self._outcomes[:_EXPLAINED], 1):
            reasons = list(_reasons(outcome, execution, parsed))
            if outcome.times is not None and used[0] >= outcome.times:
                reasons.append(Spent("times", outcome.times, used[0]))
            if reasons:
                found.append(NearMiss("outcome", f"{number} of flow '{flow}'", tuple(reasons)))
        return found


def _text(output: Constructor) -> str | None:
    try:
        return json_text(output.build({}, Ids()))  # without expressions it needs no names, and no chance
    except ValueError:  # a number that JSON does not have: told when an execution ends with it
        return None


_UNREAD = object()


def _reasons(outcome: Outcome, execution: str, parsed: Any) -> Iterator[Difference]:
    when = outcome.when
    if "execution" in when:
        yield from differences(when["execution"], execution, ("execution",))
    if "input" in when:
        yield from differences(when["input"], parsed, ("input",))


def output_text(outcome: Outcome, input_text: str, who: Identity, ids: Ids) -> str:
    """The Output of an execution that goes this way where the outcome has no `text`, as JSON text: empty unless it succeeds or
    gives one.

    Raises ExpressionError where the template names what the input lacks.
    """
    if outcome.output is None:
        return "{}" if outcome.status == "Succeeded" else ""
    given = input_value(input_text)
    return json_text(outcome.output.build({"$Input": given, "$Context": who.context(given)}, ids))
