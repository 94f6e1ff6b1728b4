"""Fault rules: which calls they strike, how often, and what they do to them.

What one rule may hold. Its main action is at most one of `error`, `custom_error`, `transport`, `rate_limit` and
`clock_skew`. `delay` may stand alone or beside any of them but `clock_skew`: the client waits, then meets the main
action (beside a `rate_limit`: only when throttled). `retry_after` is a header, so it needs an answer to stand in:
`error`, `custom_error` or `rate_limit`. `after_operation` goes with `error`, `custom_error` and `transport`, and with a
`delay` alone, where it changes nothing: the operation happens, its answer is late. A throttled call never happens.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cfmock.base.globs import MAX_GLOB, Match, ends, glob, is_glob
from cfmock.base.patterns import OVERLONG
from cfmock.base.randomness import Ids
from cfmock.base.suggestions import belongs_into, did_you_mean, shared_allowance, shown
from cfmock.base.time_text import LONGEST
from cfmock.protocol.faults import validators
from cfmock.protocol.faults.catalogue import MAIN, SPOILING
from cfmock.protocol.faults.catalogue import TRANSPORTS as TRANSPORTS
from cfmock.protocol.faults.validators import RuleError as RuleError

THROTTLED = "ResourceThrottled"
"""The code of a call beyond a `rate_limit`."""


@dataclass(frozen=True, slots=True)
class Globs:
    """Shell globs, of which one has to cover the text. `match` None: whatever it is, and if there is none."""

    patterns: tuple[str, ...]
    match: Match | None = field(compare=False)
    ends: tuple[str, str] | None = None
    """What the text begins and ends with, of a single glob with one star and nothing else: quicker to ask for."""

    @classmethod
    def of(cls, *patterns: str) -> Globs:
        if any(pattern.strip("*") == "" for pattern in patterns):
            return cls(patterns, None)
        if len(patterns) == 1:
            return cls(patterns, glob(patterns[0]), ends(patterns[0]))
        matches = [glob(pattern) for pattern in patterns]
        return cls(patterns, lambda text: any(match(text) for match in matches))

    def cover(self, text: str | None) -> bool:
        return self.match is None or (text is not None and self.match(text))

    @property
    def plain(self) -> bool:
        """Whether each stands for itself alone."""
        return not any(map(is_glob, self.patterns))

    def missing(self, what: str, known: Collection[str]) -> str | None:
        """That they fit nothing of what is known, with the nearest of it; None if they do."""
        if any(map(self.cover, known)) or self.match is None:
            return None
        near = next((near for pattern in self.patterns if (near := did_you_mean(pattern, known))), "")
        return f"there is no {what} '{self}'{near}"

    def __str__(self) -> str:
        return " or ".join(self.patterns)


ANY = Globs(("*",), None)


class FaultCondition(NamedTuple):
    """Which calls. The globs and `between` (seconds of flow time: from, until) make a call one that matches. Of those,
    counted from 1, `call` takes the ones it lists, `every` each 10th (10, 20, ...), and `probability` some of these."""

    operation: Globs = ANY
    flow: Globs = ANY
    execution: Globs = ANY
    access_key_id: Globs = ANY
    call: tuple[int, ...] = ()
    every: int = 1
    probability: float = 1.0
    between: tuple[float, float] | None = None


EVERY_CALL = FaultCondition()


class Fixed(NamedTuple):
    """Always the same delay, in seconds."""

    value: float

    def draw(self, ids: Ids) -> float:
        return self.value


class Uniform(NamedTuple):
    """Any delay between the two (seconds), all as likely."""

    min: float
    max: float

    def draw(self, ids: Ids) -> float:
        return ids.uniform(self.min, self.max)


class Lognormal(NamedTuple):
    """Half of the delays below `median` seconds, with the long tail of real services: 95 of 100 stay below
    `median * exp(1.645 * sigma)`."""

    median: float
    sigma: float

    def draw(self, ids: Ids) -> float:
        return min(ids.lognormal(math.log(self.median), self.sigma), LONGEST)


Delay = Fixed | Uniform | Lognormal


class CustomError(NamedTuple):
    """An error answer that the catalogue does not know."""

    status: int
    code: str
    message: str = ""


class RateLimit(NamedTuple):
    """Calls beyond it are throttled: a bucket of `burst` tokens that gains `per_second` a second."""

    per_second: float
    burst: int


class Action(NamedTuple):
    """What a client gets in place of the true answer: a code of the catalogue, an error of one's own, or a broken
    connection. `retry_after` (seconds) goes with the first two; `rate_limit` is the one that was exceeded."""

    error: str | None = None
    custom: CustomError | None = None
    transport: str | None = None
    retry_after: float | None = None
    rate_limit: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One rule. `times` and `expires` (seconds after it was added) None: for ever. `given` is what it was made of.

    Of a rule with a `rate_limit` the action is what the throttled calls get.
    """

    when: FaultCondition = EVERY_CALL
    name: str = ""
    times: int | None = None
    expires: float | None = None
    after_operation: bool = False
    action: Action | None = None
    delay: Delay | None = None
    clock_skew: float | None = None
    given: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def lets_happen(self) -> bool:
        """Whether the operation happens and only its answer is lost or spoilt."""
        return self.after_operation or (self.action is not None and self.action.transport in SPOILING)

    def missing_flow(self, known: Collection[str]) -> str | None:
        """That it is for none of these flows, in words; None if it is."""
        return self.when.flow.missing("flow", known)

    def missing_key(self, known: Collection[str]) -> str | None:
        """That it is for none of these keys, likewise. A glob may be for keys that are made later."""
        return self.when.access_key_id.missing("key", known) if self.when.access_key_id.plain else None

    @classmethod
    @shared_allowance()
    def from_mapping(
        cls, mapping: Mapping[str, Any], *, operations: Collection[str], codes: Collection[str]
    ) -> FaultRule:
        """The rule that a fixture, Python or the admin API describes. A key whose value is null counts as not given.

        `operations` and `codes` are those that may be named. Raises `RuleError` with all that is wrong.
        """
        readers = _readers(operations, codes)
        problems: list[tuple[validators.Path, str]] = []
        try:
            found = validators.mapping(readers, misplaced=_INTO_WHEN)(mapping)
        except ValueError as error:
            raise RuleError([((), str(error))]) from None
        except RuleError as error:
            problems += error.problems
        given = {key: part for key, part in mapping.items() if part is not None}
        if given.keys() <= readers.keys():  # else what is missing may be what is misspelt
            problems += _contradictions(given)
        if problems:
            raise RuleError(problems)
        return cls(given={key: _plain(part) for key, part in given.items()}, **_fields(found))

    def to_mapping(self) -> dict[str, Any]:
        """The rule as it was given, as JSON can hold it."""
        return {key: _plain(part) for key, part in self.given.items()}


_BESIDE = {
    "error": ("delay", "retry_after", "after_operation"),
    "custom_error": ("delay", "retry_after", "after_operation"),
    "transport": ("delay", "after_operation"),
    "rate_limit": ("delay", "retry_after"),
    "clock_skew": (),
    "delay": ("delay", "after_operation"),
}


def _contradictions(given: Mapping[str, Any]) -> list[tuple[validators.Path, str]]:
    """What makes no rule although each part of it is right."""
    main = [key for key in MAIN if key in given] or [key for key in ("delay",) if key in given]
    if not main:
        return [((), f"does nothing: one of {', '.join(MAIN)} or delay is missing")]
    found: list[tuple[validators.Path, str]] = [
        ((key,), f"one rule cannot have both {main[0]} and {key}") for key in main[1:]
    ]
    for key in ("delay", "retry_after", "after_operation"):
        if given.get(key, False) is not False and key not in _BESIDE[main[0]]:
            found.append(((key,), f"{key} does not go with {main[0]}"))
    return found


def _readers(operations: Collection[str], codes: Collection[str]) -> dict[str, validators.Reader]:
    when = {**_WHEN, "operation": validators.some(_operation(operations))}
    return {
        "when": validators.mapping(when, misplaced=_BESIDE_WHEN),
        "error": validators.one_of(codes, "an error code"),
        **_RULE,
    }


def _operation(operations: Collection[str]) -> validators.Reader:
    known = validators.one_of(operations, "an operation")

    def read(value: Any) -> str:
        pattern = _glob(value)
        if not is_glob(pattern):
            known(pattern)
        elif not any(map(Globs.of(pattern).cover, operations)):
            raise ValueError(f"{shown(value)} covers no operation")
        return pattern

    return read


def _glob(value: Any) -> str:
    pattern = validators.text(value)
    if len(pattern) > MAX_GLOB:
        raise ValueError(f"{shown(value)} {OVERLONG}")
    return pattern


def _delay(value: Any) -> Delay:
    if not isinstance(value, Mapping):
        return Fixed(validators.duration(value))
    kind = value.get("distribution")
    if kind is None:
        raise RuleError([((), f"'distribution' is missing: one of {', '.join(DISTRIBUTIONS)}")])
    try:
        make, readers = DISTRIBUTIONS[validators.one_of(DISTRIBUTIONS)(kind)]
    except ValueError as error:
        raise RuleError([(("distribution",), str(error))]) from None
    found = validators.mapping({"distribution": validators.text, **readers}, required=readers)(value)
    del found["distribution"]
    delay: Delay = make(**found)
    if isinstance(delay, Uniform) and delay.min > delay.max:
        raise RuleError([(("max",), "is less than min")])
    return delay


DISTRIBUTIONS: dict[str, tuple[type[Fixed | Uniform | Lognormal], dict[str, validators.Reader]]] = {
    "fixed": (Fixed, {"value": validators.duration}),
    "uniform": (Uniform, {"min": validators.duration, "max": validators.duration}),
    "lognormal": (Lognormal, {"median": validators.some_time, "sigma": validators.number(0, 10)}),
}
"""How a delay may vary, and the keys that say how much."""


def _rate_limit(value: Any) -> RateLimit:
    read = validators.mapping(
        {"per_second": validators.number(0, 1e6), "burst": validators.whole(1)}, required=("per_second",)
    )
    found = read(value)
    return RateLimit(found["per_second"], found.get("burst") or max(1, math.ceil(found["per_second"])))


def _custom_error(value: Any) -> CustomError:
    readers = {"status": validators.whole(400, 599), "code": validators.text, "message": validators.anything}
    return CustomError(**validators.mapping(readers, required=("status", "code"))(value))


_WHEN: dict[str, validators.Reader] = {
    "operation": _glob,
    "flow": validators.some(_glob),
    "execution": validators.some(_glob),
    "access_key_id": validators.some(_glob),
    "call": validators.some(validators.whole(1)),
    "every": validators.whole(1),
    "probability": validators.number(0, 1),
    "between": validators.window,
}

_INTO_WHEN = {key: belongs_into("when", key) for key in _WHEN}

_GLOBS = ("operation", "flow", "execution", "access_key_id")
_ACTION = {
    "error": "error", "custom_error": "custom", "transport": "transport", "rate_limit": "rate_limit",
    "retry_after": "retry_after",
}  # fmt: skip

_RULE: dict[str, validators.Reader] = {
    "custom_error": _custom_error,
    "delay": _delay,
    "transport": validators.one_of(TRANSPORTS),
    "rate_limit": _rate_limit,
    "clock_skew": validators.offset,
    "retry_after": validators.duration,
    "after_operation": validators.flag,
    "name": validators.text,
    "times": validators.whole(1),
    "expires": validators.some_time,
}


_BESIDE_WHEN = {
    key: f": it stands beside 'when', as cf.fault(when={{...}}, {key}=...) has it" for key in (*_RULE, "error")
}


def _fields(found: dict[str, Any]) -> dict[str, Any]:
    """The fields of a rule from what its readers found."""
    when: dict[str, Any] = found.pop("when", {})
    when |= {key: Globs.of(*when[key]) for key in _GLOBS if key in when}
    action = {field: found.pop(key) for key, field in _ACTION.items() if key in found}
    if "rate_limit" in action:
        action["error"] = THROTTLED
    return {**found, "when": FaultCondition(**when), "action": Action(**action) if action else None}


def _plain(value: Any) -> Any:
    """A copy of plain data in which tuples are lists."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
