"""Canned outcomes: how an execution goes when the fixture says so instead of the definition.

The first outcome of a flow whose `when` matches and whose `times` are not spent decides. One made of nothing but `status`
is enough; `output` may be a template over `$Input` and `$Context`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from cfmock.base.globs import Candidates
from cfmock.base.json_text import Json, json_text
from cfmock.base.near_misses import EXPLAINED, Unmatched, unmatched
from cfmock.base.patterns import EVERY_EXECUTION, ExecutionCondition
from cfmock.base.randomness import Ids
from cfmock.base.time_text import parse_duration
from cfmock.engine.expr import Constructor, Effort, ExpressionError, compile_constructor
from cfmock.engine.identity import Identity
from cfmock.protocol.wire.arguments import input_value

_NAMES = frozenset(("$Input", "$Context"))  # that templates of an outcome may use

FINAL = ("Stopped", "Succeeded", "Failed", "TimedOut")
"""The statuses an execution does not leave."""


class Outcome(Struct, frozen=True, eq=False):
    """One canned outcome. `after` is in seconds, `polls` counts DescribeExecution calls; `when` is matched against
    `{"execution": name, "input": {...}}`, and `condition` is the same, compiled. `text` is `output` as JSON text, where that
    is always the same; `given` is what it was made of."""

    status: str = "Succeeded"
    when: Mapping[str, Json] = {}
    output: Constructor | None = None
    error: Mapping[str, str] = {}
    after: float = 0.0
    polls: int = 0
    times: int | None = None
    text: str | None = None
    given: Mapping[str, Any] = {}
    condition: ExecutionCondition = EVERY_EXECUTION

    @property
    def ends(self) -> bool:
        return self.status in FINAL

    @property
    def at_once(self) -> bool:
        """Return whether an execution has ended by the time its start is answered."""
        return self.status in FINAL and not self.after and not self.polls

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Outcome:
        """From the mapping of a fixture, known to fit its schema.

        Raises ValueError for a duration, `ConstructorErrors` for the expressions of `output`.
        """
        after = mapping.get("after", 0)
        polls = after["polls"] if isinstance(after, dict) else 0
        output, text = _read_output(mapping.get("output"))
        when = mapping.get("when")
        return cls(
            status=mapping.get("status", "Succeeded"),
            when=when or {},
            output=output,
            text=text,
            error=mapping.get("error", {}),
            after=parse_duration(after) if after and not polls else 0.0,
            polls=polls,
            times=mapping.get("times"),
            given=mapping,
            condition=ExecutionCondition(when) if when else EVERY_EXECUTION,
        )


class Outcomes:
    """The outcomes of one flow in one world, in the order they are tried, and how often each was used."""

    def __init__(self) -> None:
        self._outcomes: list[tuple[Outcome, list[int]]] = []
        self.added = 0
        """The number of those added."""
        self.first: tuple[Outcome, ...] = ()
        """The outcomes that near misses are explained for. Replaced as a whole when something is added."""
        self._reads_input = False
        self._found: Candidates[tuple[Outcome, list[int]]] | None = None  # the same, once somebody asks

    def add(self, outcome: Outcome) -> Callable[[], bool]:
        """Add one behind those added before, ahead of those of the fixture. The returned handle shows whether it was ever
        used."""
        used = [0]
        self._outcomes.insert(self.added, (outcome, used))
        self.added += 1
        self._changed()
        return lambda: used[0] > 0

    def uses(self) -> list[tuple[Outcome, int]]:
        """All of them, and how often each was used."""
        return [(outcome, used[0]) for outcome, used in self._outcomes]

    def resume(self, uses: Sequence[int]) -> None:
        """Count on from the uses of an earlier process, if there are as many outcomes now."""
        if len(uses) == len(self._outcomes):
            for (_, used), count in zip(self._outcomes, uses, strict=True):
                used[0] = count

    @property
    def given_uses(self) -> list[int]:
        """Return how often each outcome of the fixture was used, in their order."""
        return [used[0] for _, used in self._outcomes[self.added :]]

    def replace(self, outcomes: Iterable[Outcome]) -> None:
        """Put these in place of those of the fixture; those added stay."""
        self._outcomes[self.added :] = [(outcome, [0]) for outcome in outcomes]
        self._changed()

    def _changed(self) -> None:
        self.first = tuple([outcome for outcome, _ in self._outcomes[:EXPLAINED]])
        self._reads_input = True in [outcome.condition.reads_input for outcome, _ in self._outcomes]
        self._found = None

    def choose(self, execution: str, input_text: str) -> Outcome | None:
        """The outcome for a new execution; it counts as used."""
        if self._found is None:
            self._found = Candidates(self._outcomes, lambda each: each[0].condition.named)
        value = input_value(input_text) if self._reads_input else None
        for _, (outcome, used) in self._found.for_name(execution):
            if outcome.times is not None and used[0] >= outcome.times:
                continue
            if outcome.condition.matches(execution, value):
                used[0] += 1
                return outcome
        return None

    def unmatched(self, flow: str, execution: str, input_text: str) -> Unmatched | None:
        """Return the record that none was chosen, to be explained when somebody asks; None where there are none."""
        if not self._outcomes:
            return None
        used = tuple([count for _, (count,) in self._outcomes[:EXPLAINED]])
        text, value = str(input_text) or "{}", input_value(input_text)
        return unmatched("outcome", f"flow '{flow}'", execution, text, value, self.first, used)


_NO_CHANCE = Ids()
_SMALL = 10_000  # characters of an output that is surely not too much


def _read_output(given: Json) -> tuple[Constructor | None, str | None]:
    """Compile an output, or write it as JSON text where it is always the same. Raises `ConstructorErrors`."""
    if given is None:
        return None, None
    text = _text(given)
    if text is not None and "$" not in text and len(text) <= _SMALL:
        return None, text
    output = compile_constructor(given, _NAMES)
    if not output.constant:
        return output, None
    try:
        return output, _text(output.build({}, Effort(_NO_CHANCE)))  # it needs no names, and no chance
    except ExpressionError:  # too much: told when an execution ends with it
        return output, None


def _text(value: Json) -> str | None:
    """Write a value as JSON text; None for a number that JSON does not have: told when an execution ends with it."""
    try:
        return json_text(value)
    except ValueError:
        return None


def output_text(outcome: Outcome, input_text: str, who: Identity, ids: Ids) -> str:
    """The Output of an execution that goes this way where the outcome has no `text`, as JSON text: empty unless it succeeds or
    gives one.

    Raises ExpressionError where the template names what the input lacks, or makes far too much of it.
    """
    if outcome.output is None:
        return "{}" if outcome.status == "Succeeded" else ""
    given = input_value(input_text)
    effort = Effort(ids)
    built = outcome.output.build({"$Input": given, "$Context": who.context(given)}, effort)
    effort.check_built(built)
    return json_text(built)
