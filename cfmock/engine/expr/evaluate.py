"""Trees to closures: compiled once, evaluated for every state of every execution.

Each tree becomes two closures. The *strict* one, for constructors, raises `MissingPathError` where a path leads
nowhere; the *lenient* one, for conditions, takes such a path for null. In conditions of the old language it is moreover
unequal to everything, another such path included, as its page has it; for the new one null is our choice. A value taken
from the scope is handed on as it is, not copied: JSON values are never changed in place.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from cfmock.base.json_text import Json
from cfmock.base.suggestions import did_you_mean
from cfmock.engine.expr import parser
from cfmock.engine.expr.effort import Effort
from cfmock.engine.expr.errors import ExpressionError, MissingPathError
from cfmock.engine.expr.functions import NUMBER, contains, equal, kind
from cfmock.engine.expr.parser import Step, Wildcard, parse

Scope = Mapping[str, Json]
Closure = Callable[[Scope, Effort], Json]

_FEW = 200  # keys among which a likely one is looked for


class Missing(enum.Enum):
    """What a path that leads nowhere is taken for."""

    ERROR = "error"
    NULL = "null"
    UNEQUAL = "unequal"  # null, but as an operand of == and !=, and on the left of in, equal to nothing


class _Nowhere:
    """An operand that is equal to nothing, not even itself."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False


_NOWHERE = _Nowhere()


class Expression(Struct, frozen=True, eq=False):
    """A compiled expression. `roots` are the names it uses, `size` counts its words, `tree` is its syntax."""

    text: str
    roots: frozenset[str]
    size: int
    tree: parser.Node
    _absent: Missing
    _strict: Closure | None = None
    _lenient: Closure | None = None

    def evaluate(self, scope: Scope, effort: Effort) -> Json:
        """The value. Raises `MissingPathError` for a path to nothing, `ExpressionError` for any other trouble."""
        return self._run(self._strict or self._made("_strict", Missing.ERROR), scope, effort)

    def test(self, scope: Scope, effort: Effort) -> bool:
        """The expression as a condition. Raises `ExpressionError`, also when the result is no boolean."""
        result = self._run(self._lenient or self._made("_lenient", self._absent), scope, effort)
        if result is True or result is False:
            return result
        raise ExpressionError(f"the condition gives {kind(result)}, not a boolean", self.text)

    def _made(self, name: str, missing: Missing) -> Closure:
        """One of the closures, made when it is first asked for: most expressions need but one of them, many never any."""
        closure = _closure(self.tree, missing)
        force_setattr(self, name, closure)
        return closure

    def _run(self, closure: Closure, scope: Scope, effort: Effort) -> Json:
        try:
            effort.spend(self.size)
            return closure(scope, effort)
        except ExpressionError as error:
            error.text = self.text
            raise
        except RecursionError:
            raise ExpressionError("the value is nested too deeply", self.text) from None


def compile_expression(text: str, names: frozenset[str], *, missing_is_null: bool = True) -> Expression:
    """Compile an expression in which `names` are the visible roots (`{"$Input", "$Context"}`).

    Without `missing_is_null` a path that leads nowhere is unequal to everything in a condition. Raises
    `ExpressionSyntaxError`, and nothing else whatever the text. The same short text is compiled once: flows share it.
    """
    return (_short if len(text) <= _SHORT else _expression)(text, names, missing_is_null)


def _expression(text: str, names: frozenset[str], missing_is_null: bool) -> Expression:
    node, roots, size = parse(text, names)
    lenient = Missing.NULL if missing_is_null else Missing.UNEQUAL
    return Expression(text, roots, size, node, lenient)


_SHORT = 80  # letters
_short = lru_cache(maxsize=4096)(_expression)


def _closure(node: parser.Node, missing: Missing, absent: Any = None) -> Closure:
    """`absent`: what a path that leads nowhere gives, unless that is an error."""
    match node:
        case parser.Constant(value):
            return lambda scope, effort: value
        case parser.Name(name):
            return _path(name, (), missing, absent)
        case parser.Select(parser.Name(name), steps):
            return _path(name, steps, missing, absent)
        case parser.Select(base, steps):
            return _selection(_closure(base, missing), steps, missing, absent)
        case parser.FunctionCall(function, arguments):
            call, closures = function.call, [_closure(argument, missing) for argument in arguments]
            return lambda scope, effort: call([closure(scope, effort) for closure in closures], effort)
        case parser.Prefixed("!", operand):
            positive = _closure(operand, missing)
            return lambda scope, effort: not _boolean(positive(scope, effort), "!")
        case parser.Prefixed(_, operand):
            return _minus(_closure(operand, missing))
        case parser.Comparison(sign, left, right):
            nowhere = _NOWHERE if missing is Missing.UNEQUAL else None
            equality = sign in ("==", "!=")
            return _comparison(
                sign,
                _closure(left, missing, nowhere if equality or sign == "in" else None),
                _closure(right, missing, nowhere if equality else None),
            )
        case parser.Logical(sign, parts):
            return _logical(sign, [_closure(part, missing) for part in parts])
        case parser.Array(parts):
            items = [_closure(part, missing) for part in parts]
            return lambda scope, effort: [item(scope, effort) for item in items]
        case parser.Map(keys, parts):
            values = [(key, _closure(part, missing)) for key, part in zip(keys, parts, strict=True)]
            return lambda scope, effort: {key: value(scope, effort) for key, value in values}


# -- paths


def _path(root: str, steps: tuple[Step, ...], missing: Missing, absent: Any = None) -> Closure:
    strict = missing is Missing.ERROR

    def base(scope: Scope, effort: Effort) -> Json:
        try:
            return scope[root]
        except KeyError:
            if strict:
                raise MissingPathError(f"{root} has no value here") from None
            return absent

    select = _selection(base, steps, missing, absent, root) if steps else base
    if not all(isinstance(step, str) for step in steps):
        return select

    def keys(scope: Scope, effort: Effort) -> Json:
        # A text key fits a map and nothing else, so Python's own complaint tells that the path ends here.
        try:
            value = scope[root]
            for key in steps:
                value = value[key]
            return value
        except (KeyError, TypeError):
            return select(scope, effort) if strict else absent  # the former says where

    return keys


def _selection(
    base: Closure, steps: tuple[Step, ...], missing: Missing, absent: Any, shown: str = "the value"
) -> Closure:
    def select(scope: Scope, effort: Effort) -> Json:
        value = base(scope, effort)
        try:
            return _walk(value, steps, effort)
        except _Nothing as nothing:
            if missing is Missing.ERROR:
                raise nothing.told(shown, steps) from None
            return absent

    return select


class _Nothing(Exception):  # noqa: N818 - caught in this module, always
    """A path ends before the step at `index`, at `value`."""

    def __init__(self, index: int, value: Json) -> None:
        super().__init__()
        self.index = index
        self.value = value

    def told(self, base: str, steps: tuple[Step, ...]) -> MissingPathError:
        step, value = steps[self.index], self.value
        where = base + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps[: self.index])
        if isinstance(step, str):
            lacks = f"no key '{step}'"
        else:
            lacks = "no elements" if isinstance(step, Wildcard) else f"no element {step}"
        if isinstance(step, str) and isinstance(value, dict):
            return MissingPathError(f"{where} has {lacks}{did_you_mean(step, value) if len(value) <= _FEW else ''}")
        if isinstance(step, int) and isinstance(value, list):
            return MissingPathError(f"{where} has {lacks}, its length is {len(value)}")
        return MissingPathError(f"{where} is {kind(value)}, it has {lacks}")


def _walk(value: Json, steps: tuple[Step, ...], effort: Effort) -> Json:
    for index, step in enumerate(steps):
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                raise _Nothing(index, value)
        elif isinstance(step, Wildcard):
            if not isinstance(value, list | dict):
                raise _Nothing(index, value)
            return _every(_parts(value), steps[index + 1 :], effort)
        elif not isinstance(value, list) or step >= len(value):
            raise _Nothing(index, value)
        value = value[step]
    return value


def _parts(value: list[Json] | dict[str, Json]) -> list[Json]:
    return value if isinstance(value, list) else list(value.values())


def _every(values: list[Json], steps: tuple[Step, ...], effort: Effort) -> list[Json]:
    """The rest of a path for each of many values, always one flat list; those that lack it are left out."""
    for step in steps:
        effort.spend(len(values))
        if step is Wildcard.ALL:
            effort.spend(sum(len(value) for value in values if isinstance(value, list | dict)))
            values = [part for value in values if isinstance(value, list | dict) for part in _parts(value)]
        elif isinstance(step, int):
            values = [value[step] for value in values if isinstance(value, list) and step < len(value)]
        else:
            values = [value[step] for value in values if isinstance(value, dict) and step in value]
    effort.spend(len(values))
    return list(values)


# -- operators


def _boolean(value: Json, sign: str) -> bool:
    if value is True or value is False:
        return value
    raise ExpressionError(f"'{sign}' wants booleans, not {kind(value)}")


def _minus(operand: Closure) -> Closure:
    def minus(scope: Scope, effort: Effort) -> Json:
        value = operand(scope, effort)
        if type(value) not in NUMBER:
            raise ExpressionError(f"'-' wants a number, not {kind(value)}")
        return -value

    return minus


def _logical(sign: str, parts: list[Closure]) -> Closure:
    decides = sign == "||"  # the value that makes the rest unimportant

    def logical(scope: Scope, effort: Effort) -> bool:
        for part in parts:
            if _boolean(part(scope, effort), sign) is decides:
                return decides
        return not decides

    return logical


_ORDERINGS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def _comparison(sign: str, left: Closure, right: Closure) -> Closure:
    if sign == "==":
        return lambda scope, effort: equal(left(scope, effort), right(scope, effort), effort)
    if sign == "!=":
        return lambda scope, effort: not equal(left(scope, effort), right(scope, effort), effort)
    if sign == "in":
        return lambda scope, effort: _member(left(scope, effort), right(scope, effort), effort)
    compare = _ORDERINGS[sign]

    def ordered(scope: Scope, effort: Effort) -> bool:
        a, b = left(scope, effort), right(scope, effort)
        if (type(a) in NUMBER and type(b) in NUMBER) or (type(a) is str and type(b) is str):
            return bool(compare(a, b))
        raise ExpressionError(f"'{sign}' cannot order {kind(a)} and {kind(b)}; it wants two numbers or two strings")

    return ordered


def _member(value: Json, container: Json, effort: Effort) -> bool:
    """Whether an array has a value, or a map a key."""
    if isinstance(container, dict):
        return isinstance(value, str) and value in container
    if not isinstance(container, list):
        raise ExpressionError(f"'in' wants an array or a map on its right, not {kind(container)}")
    return contains(effort, container, value)
