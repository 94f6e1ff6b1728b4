"""Fault rules: which calls they strike, how often, and what they do to them.

The main action is at most one of `error`, `custom_error`, `transport`, `rate_limit` and `clock_skew`. `delay` may stand alone
or beside any but `clock_skew`: the client waits, then meets the main action (of a `rate_limit`: only when throttled).
`retry_after` is a header of `error`, `custom_error` or `rate_limit`. `after_operation` goes with `error`, `custom_error`,
`transport`, and a `delay` alone, where it changes nothing. A throttled call never happens.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from cfmock.base import readers
from cfmock.base.errors import InvalidValue
from cfmock.base.globs import MAX_GLOB, Match, ends, glob, is_glob
from cfmock.base.meanings import Meaning
from cfmock.base.patterns import OVERLONG
from cfmock.base.problems import MISSING, Mistake, Mistakes, belongs_into
from cfmock.base.randomness import Ids
from cfmock.base.readers import Reader
from cfmock.base.suggestions import did_you_mean, likely, shared_allowance, shown
from cfmock.base.time_text import LONGEST, parse_duration
from cfmock.protocol.faults.catalogue import MAIN, SPOILING, error_code
from cfmock.protocol.faults.catalogue import TRANSPORTS as TRANSPORTS

THROTTLED = "ResourceThrottled"
"""The code of a call beyond a `rate_limit`."""


class Globs(Meaning, frozen=True, eq=False):
    """Shell globs, of which one has to cover the text. `match` None: whatever it is, and if there is none."""

    patterns: tuple[str, ...]
    match: Match | None
    ends: tuple[str, str] | None = None
    """The beginning and the end of the text, of a single glob with one star and nothing else: quicker to check."""

    @property
    def meaning(self) -> tuple[str, ...]:
        return self.patterns

    @classmethod
    def of(cls, *patterns: str) -> Globs:
        """Compile globs of at most `MAX_GLOB` characters."""
        if any(pattern.strip("*") == "" for pattern in patterns):
            return cls(patterns, None)
        if len(patterns) == 1:
            return cls(patterns, glob(patterns[0]), ends(patterns[0]))
        matches = [glob(pattern) for pattern in patterns]
        return cls(patterns, lambda text: any(match(text) for match in matches))

    def cover(self, text: str | None) -> bool:
        return self.match is None or (text is not None and self.match(text))

    def missing(self, what: str, known: Collection[str]) -> str | None:
        """Say that no known word fits them, with the nearest one; None if one fits."""
        if any(map(self.cover, known)) or self.match is None:
            return None
        near = next((near for pattern in self.patterns if (near := did_you_mean(pattern, known))), "")
        return f"there is no {what} '{self}'{near}"

    def __str__(self) -> str:
        return " or ".join(self.patterns)


ANY = Globs(("*",), None)


class FaultCondition(Struct, frozen=True):
    """The calls a rule may strike. The globs and `between` (seconds of flow time) make a call one that matches. Of those,
    counted from 1, `call` takes the ones it lists, `every` each 10th (10, 20, ...), and `probability` some of these."""

    operation: Globs = ANY
    flow: Globs = ANY
    execution: Globs = ANY
    access_key_id: Globs = ANY
    call: tuple[int, ...] = ()
    every: int = 1
    probability: float = 1.0
    between: tuple[float, float] | None = None

    @property
    def globs(self) -> tuple[Globs, ...]:
        return self.operation, self.flow, self.execution, self.access_key_id

    def unmet(self, *actual: str | None) -> Iterator[tuple[str, Globs, str | None]]:
        """The globs that do not cover the operation, flow, execution and key of a call, given in this order, by name."""
        for name, each, text in zip(_GLOBS, self.globs, actual, strict=True):
            if each.match is not None and not each.cover(text):
                yield name, each, text


class Fixed(Struct, frozen=True):
    """Always the same delay, in seconds."""

    value: float

    def draw(self, ids: Ids) -> float:
        return self.value


class Uniform(Struct, frozen=True):
    """Any delay between the two (seconds), all as likely."""

    min: float
    max: float

    def draw(self, ids: Ids) -> float:
        return ids.random.uniform(self.min, self.max)


class Lognormal(Struct, frozen=True):
    """Half of the delays below `median` seconds, with a long tail: 95 of 100 stay below `median * exp(1.645 * sigma)`."""

    median: float
    sigma: float

    def draw(self, ids: Ids) -> float:
        return min(ids.random.lognormvariate(math.log(self.median), self.sigma), LONGEST)


Delay = Fixed | Uniform | Lognormal


class CustomError(Struct, frozen=True):
    """An error answer that the catalogue does not know."""

    status: int
    code: str
    message: str = ""


class RateLimit(Struct, frozen=True):
    """Calls beyond it are throttled: a bucket of `burst` tokens that gains `per_second` a second."""

    per_second: float
    burst: int


class Action(Struct, frozen=True):
    """The answer a client gets in place of the true one: a code of the catalogue, an error of one's own, or a broken
    connection. `retry_after` (seconds) goes with the first two; `rate_limit` is the one that was exceeded."""

    error: str | None = None
    custom_error: CustomError | None = None
    transport: str | None = None
    retry_after: float | None = None
    rate_limit: RateLimit | None = None


class FaultRule(Meaning, frozen=True, eq=False):
    """One rule. `times` and `expires` (seconds after it was added) None: for ever. `given` is what it was made of. With a
    `rate_limit` the action is for throttled calls."""

    when: FaultCondition = FaultCondition()
    name: str = ""
    times: int | None = None
    expires: float | None = None
    after_operation: bool = False
    action: Action | None = None
    delay: Delay | None = None
    clock_skew: float | None = None
    given: Mapping[str, Any] = {}

    @property
    def meaning(self) -> tuple[Any, ...]:
        return (
            self.when, self.name, self.times, self.expires, self.after_operation, self.action, self.delay, self.clock_skew,
        )  # fmt: skip

    @property
    def size(self) -> int:
        """How many patterns it has, beyond one for each thing."""
        return 1 + sum(len(globs.patterns) - 1 for globs in self.when.globs)

    @property
    def lets_happen(self) -> bool:
        """True if the operation happens and only its answer is lost or spoilt."""
        return self.after_operation or (self.action is not None and self.action.transport in SPOILING)

    def missing_flow(self, known: Collection[str]) -> str | None:
        """Say that it is for none of these flows; None if it is for one."""
        return self.when.flow.missing("flow", known)

    def missing_key(self, known: Collection[str]) -> str | None:
        """Say that it is for none of these keys; None if it is for one, or a glob, which may be for keys made later."""
        keys = self.when.access_key_id
        return None if any(map(is_glob, keys.patterns)) else keys.missing("key", known)

    @classmethod
    @shared_allowance()
    def from_mapping(
        cls, mapping: Mapping[str, Any], *, operations: Collection[str], codes: Collection[str]
    ) -> FaultRule:
        """Read the rule that a fixture, Python or the admin API describes, null counting as not given. `operations` and `codes`
        are those that may be named. Raises InvalidValue with all that is wrong."""
        when = {**_WHEN, "operation": readers.some(_operation(operations))}
        known = {"when": readers.mapping(when, misplaced=_BESIDE_WHEN), "error": error_code(codes), **_RULE}
        problems: Mistakes = []
        try:
            found = readers.mapping(known, misplaced=_INTO_WHEN)(mapping)
        except InvalidValue as error:
            if not isinstance(mapping, Mapping):
                raise
            problems += error.problems
        given = {key: part for key, part in mapping.items() if part is not None}
        if given.keys() <= known.keys():  # else what is missing may be what is misspelt
            problems += _contradictions(given)
        if problems:
            raise InvalidValue(problems)
        return cls(given=_plain(given), **_fields(found))

    def to_mapping(self) -> dict[str, Any]:
        """Return the rule as it was given, as JSON can hold it."""
        plain: dict[str, Any] = _plain(self.given)
        return plain


_BESIDE = {
    "error": ("delay", "retry_after", "after_operation"),
    "custom_error": ("delay", "retry_after", "after_operation"),
    "transport": ("delay", "after_operation"),
    "rate_limit": ("delay", "retry_after"),
    "clock_skew": (),
    "delay": ("delay", "after_operation"),
}


def _contradictions(given: Mapping[str, Any]) -> Mistakes:
    """Find the parts that make no rule together although each of them is right."""
    main = [key for key in MAIN if key in given] or [key for key in ("delay",) if key in given]
    if not main:
        return [((), Mistake("does nothing: one of {} or delay is missing", (", ".join(MAIN),)))]
    found: Mistakes = [((key,), Mistake("one rule cannot have both {} and {}", (main[0], key))) for key in main[1:]]
    for key in ("delay", "retry_after", "after_operation"):
        if given.get(key, False) is not False and key not in _BESIDE[main[0]]:
            found.append(((key,), Mistake("{} does not go with {}", (key, main[0]))))
    return found


NO_OPERATION = "{} is not an operation"
COVERS_NO_OPERATION = "{} covers no operation"


def _operation(operations: Collection[str]) -> Reader:
    known = readers.one_of(operations, NO_OPERATION)

    def read(value: Any) -> str:
        pattern = _glob(value)
        if not is_glob(pattern):
            known(pattern)
        elif not any(map(Globs.of(pattern).cover, operations)):
            raise InvalidValue.of(COVERS_NO_OPERATION, shown(value), near=likely(pattern, operations))
        return pattern

    return read


def _glob(value: Any) -> str:
    pattern = readers.text(value)
    if len(pattern) > MAX_GLOB:
        raise InvalidValue.of(f"{{}} {OVERLONG}", shown(value))
    return pattern


def _delay(value: Any) -> Delay:
    if not isinstance(value, Mapping):
        return Fixed(parse_duration(value))
    kind = value.get("distribution")
    if kind is None:
        raise InvalidValue.of(f"{MISSING}: one of {{}}", "distribution", ", ".join(DISTRIBUTIONS))
    try:
        make, parts = DISTRIBUTIONS[readers.one_of(DISTRIBUTIONS)(kind)]
    except InvalidValue as error:
        raise InvalidValue(error.below("distribution")) from None
    found = readers.mapping({"distribution": readers.text, **parts}, required=parts)(value)
    del found["distribution"]
    delay: Delay = make(**found)
    if isinstance(delay, Uniform) and delay.min > delay.max:
        raise InvalidValue.of("is less than min", path=("max",))
    return delay


DISTRIBUTIONS: dict[str, tuple[type[Fixed | Uniform | Lognormal], dict[str, Reader]]] = {
    "fixed": (Fixed, {"value": parse_duration}),
    "uniform": (Uniform, {"min": parse_duration, "max": parse_duration}),
    "lognormal": (Lognormal, {"median": readers.some_time, "sigma": readers.number(0, 10)}),
}
"""The distributions of a delay, each with its keys."""


def _rate_limit(value: Any) -> RateLimit:
    read = readers.mapping({"per_second": readers.number(0, 1e6), "burst": readers.whole(1)}, required=("per_second",))
    found = read(value)
    return RateLimit(found["per_second"], found.get("burst") or max(1, math.ceil(found["per_second"])))


def _custom_error(value: Any) -> CustomError:
    parts = {"status": readers.whole(400, 599), "code": readers.text, "message": readers.anything}
    return CustomError(**readers.mapping(parts, required=("status", "code"))(value))


_WHEN: dict[str, Reader] = {
    "operation": _glob,
    "flow": readers.some(_glob),
    "execution": readers.some(_glob),
    "access_key_id": readers.some(_glob),
    "call": readers.some(readers.whole(1)),
    "every": readers.whole(1),
    "probability": readers.number(0, 1),
    "between": readers.window,
}

_INTO_WHEN = {key: belongs_into("when", key) for key in _WHEN}

_GLOBS = ("operation", "flow", "execution", "access_key_id")

_RULE: dict[str, Reader] = {
    "custom_error": _custom_error,
    "delay": _delay,
    "transport": readers.one_of(TRANSPORTS),
    "rate_limit": _rate_limit,
    "clock_skew": readers.offset,
    "retry_after": parse_duration,
    "after_operation": readers.flag,
    "name": readers.text,
    "times": readers.whole(1),
    "expires": readers.some_time,
}


_BESIDE_WHEN = {
    key: Mistake("unknown key {}: it goes next to 'when', as in cf.fault(when={{...}}, {}=...)", (shown(key), key))
    for key in (*_RULE, "error")
}


def _fields(found: dict[str, Any]) -> dict[str, Any]:
    when: dict[str, Any] = found.pop("when", {})
    when |= {key: Globs.of(*when[key]) for key in _GLOBS if key in when}
    action = {key: found.pop(key) for key in Action.__struct_fields__ if key in found}
    if "rate_limit" in action:
        action["error"] = THROTTLED
    return {**found, "when": FaultCondition(**when), "action": Action(**action) if action else None}


def _plain(value: Any) -> Any:
    """Return a copy of plain data in which tuples are lists."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
