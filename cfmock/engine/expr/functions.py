"""The functions of expressions, with declared signatures, and what it means for two values to be equal.

Names and meaning from the page "Built-in functions" of the service; where it is silent we chose what does not hide a
mistake: a template and its arguments must fit, a wrong type is an error, text that is no JSON or base64 is an error.
True and 1 are different values here, as in JSON, although Python takes them for equal; 1 and 1.0 are the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Hashable

from msgspec import Struct

from cfmock.base.json_text import Json, json_text, json_value
from cfmock.base.suggestions import did_you_mean
from cfmock.engine.expr.effort import MAX_VALUE, Effort
from cfmock.engine.expr.errors import ExpressionError, MissingPathError
from cfmock.engine.expr.regex import matches

ARRAY = frozenset({list})
MAP = frozenset({dict})
STRING = frozenset({str})
NUMBER = frozenset({int, float})
ANY: frozenset[type] = frozenset({list, dict, str, int, float, bool, type(None)})

_SIZED = ARRAY | MAP | STRING

_KINDS: dict[type, str] = {
    list: "an array", dict: "a map", str: "a string", int: "a number", float: "a number", bool: "a boolean",
    type(None): "null",
}  # fmt: skip


def kind(value: Json) -> str:
    """What a message calls the type of a value."""
    return _KINDS.get(type(value), type(value).__name__)


def equal(left: Json, right: Json, effort: Effort) -> bool:
    """Equality of JSON values: no type turns into another, but 1 is 1.0."""
    a, b = type(left), type(right)
    if a is not b:
        return a in NUMBER and b in NUMBER and bool(left == right)
    if a is list or a is dict:
        if len(left) != len(right):
            return False
        effort.spend(len(left))
        if a is list:
            return all(equal(part, other, effort) for part, other in zip(left, right, strict=True))
        return left.keys() == right.keys() and all(equal(part, right[key], effort) for key, part in left.items())
    return bool(left == right)


class Function(Struct, frozen=True):
    """A function and what it accepts: a name and a set of Python types for each parameter.

    With `repeats` the last parameter stands for any number of arguments. With `effort` the body gets the `Effort` first: it
    takes chance from it, or its work grows with more than the text or the elements of its result.
    """

    name: str
    parameters: tuple[tuple[str, frozenset[type]], ...]
    body: Callable[..., Json]
    repeats: bool = False
    effort: bool = False

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(name for name, _ in self.parameters)}{'…' if self.repeats else ''})"

    @property
    def arity(self) -> str:
        count = len(self.parameters) - self.repeats
        return f"{'at least ' if self.repeats else ''}{count or 'no'} argument{'' if count == 1 else 's'}"

    def takes(self, count: int) -> bool:
        return count >= len(self.parameters) - 1 if self.repeats else count == len(self.parameters)

    def call(self, arguments: list[Json], effort: Effort) -> Json:
        """Raises `ExpressionError` when an argument has the wrong type or cannot be used."""
        # The last parameter's types serve for whatever follows it, and repeated ones accept everything.
        for index, ((name, accepts), argument) in enumerate(zip(self.parameters, arguments, strict=False)):
            if type(argument) not in accepts:
                raise ExpressionError(
                    f"{self.name}: {name} (argument {index + 1}) must be {_choice(accepts)}, not {kind(argument)}"
                )
        try:
            result = self.body(effort, *arguments) if self.effort else self.body(*arguments)
            if type(result) in _SIZED:
                effort.spend(len(result) >> (3 if type(result) is str else 0))
            return result
        except ExpressionError as error:
            raise type(error)(f"{self.name}: {error.message}") from None


def _choice(accepts: frozenset[type]) -> str:
    return " or ".join(dict.fromkeys(text for python, text in _KINDS.items() if python in accepts))


# -- arrays and maps


def contains(effort: Effort, array: list[Json], value: Json) -> bool:
    """Whether an array has an element equal to the value."""
    effort.spend(len(array))
    return any(equal(item, value, effort) for item in array)


def _array_unique(effort: Effort, array: list[Json]) -> list[Json]:
    effort.check(array, times=6)  # making something hashable of its elements takes as long
    first: dict[Hashable, Json] = {}
    for item in array:
        first.setdefault(_identity(item), item)
    return list(first.values())


def _identity(value: Json) -> Hashable:
    """Something hashable that is the same for equal values only."""
    if isinstance(value, list):
        return (list, tuple(map(_identity, value)))
    if isinstance(value, dict):
        return (dict, frozenset((key, _identity(part)) for key, part in value.items()))
    return (bool, value) if isinstance(value, bool) else value


def _get(container: list[Json] | dict[str, Json], key: Json) -> Json:
    if isinstance(container, dict):
        if not isinstance(key, str):
            raise ExpressionError(f"the key of a map must be a string, not {kind(key)}")
        if key not in container:
            raise MissingPathError(f"the map has no key '{key}'{did_you_mean(key, container)}")
        return container[key]
    index = _integer(key, "the index of an array")
    if not 0 <= index < len(container):
        raise MissingPathError(f"the array has no element {index}, its length is {len(container)}")
    return container[index]


# -- strings


def _format(effort: Effort, template: str, *arguments: Json) -> str:
    parts = template.split("{}")
    if len(parts) - 1 != len(arguments):
        raise ExpressionError(f"the template has {len(parts) - 1} {{}}, but {len(arguments)} arguments are given")
    filled, length = [parts[0]], len(template)
    for argument, part in zip(arguments, parts[1:], strict=True):
        text = argument if isinstance(argument, str) else _json_text(effort, argument)
        length += len(text)
        effort.check_length(length if length > MAX_VALUE else 0)
        filled += (text, part)
    return "".join(filled)


def _split(string: str, separator: str) -> list[str]:
    return string.split(separator) if separator else list(string)


def _from_base64(string: str) -> str:
    try:
        return base64.b64decode(string, validate=True).decode()
    except (binascii.Error, ValueError):
        raise ExpressionError("the string is not the base64 form of UTF-8 text") from None


def _to_base64(effort: Effort, string: str) -> str:
    effort.check_length(4 * len(string) // 3)
    return base64.b64encode(_utf8(string)).decode()


_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}


def _hash(effort: Effort, string: str, algorithm: str) -> str:
    effort.check_length(len(string))
    if algorithm not in _ALGORITHMS:
        near = did_you_mean(algorithm, _ALGORITHMS)
        raise ExpressionError(f"'{algorithm}' is not one of {', '.join(_ALGORITHMS)}{near}")
    return hashlib.new(_ALGORITHMS[algorithm], _utf8(string), usedforsecurity=False).hexdigest()


def _utf8(string: str) -> bytes:
    try:
        return string.encode()
    except UnicodeEncodeError:
        raise ExpressionError("the string holds half of a surrogate pair") from None


def _regex_match(effort: Effort, pattern: str, string: str) -> bool:
    return matches(pattern, string, effort.spend)


# -- JSON


def _from_json(effort: Effort, string: str) -> Json:
    effort.check_length(len(string))
    try:
        return json_value(string)
    except ValueError as error:
        raise ExpressionError(f"the string is not JSON: {error}") from None


def _json_text(effort: Effort, value: Json) -> str:
    effort.check(value)
    return json_text(value)


# -- numbers and chance


def _integer(value: Json, what: str) -> int:
    if type(value) not in NUMBER or value != int(value):
        raise ExpressionError(
            f"{what} must be a whole number, not {kind(value) if type(value) not in NUMBER else value}"
        )
    return int(value)


def _int_add(a: Json, b: Json) -> int:
    return _integer(a, "a") + _integer(b, "b")


def _random_int(effort: Effort, low: Json, high: Json) -> int:
    least, most = _integer(low, "min"), _integer(high, "max")
    if least > most:
        raise ExpressionError(f"min {least} is above max {most}")
    return effort.ids.integer(least, most)


FUNCTIONS = {
    function.name: function
    for function in (
        Function("arrayContains", (("array", ARRAY), ("value", ANY)), contains, effort=True),
        Function("arrayUnique", (("array", ARRAY),), _array_unique, effort=True),
        Function("format", (("template", STRING), ("values", ANY)), _format, repeats=True, effort=True),
        Function("fromBase64", (("string", STRING),), _from_base64),
        Function("toBase64", (("string", STRING),), _to_base64, effort=True),
        Function("stringToJson", (("string", STRING),), _from_json, effort=True),
        Function("fromJSON", (("string", STRING),), _from_json, effort=True),  # an older name of it
        Function("jsonToString", (("value", ANY),), _json_text, effort=True),
        Function("hash", (("input", STRING), ("algorithm", STRING)), _hash, effort=True),
        Function("jsonMerge", (("left", MAP), ("right", MAP)), lambda left, right: {**left, **right}),
        Function("length", (("value", ARRAY | MAP | STRING),), len),
        Function("mapKeys", (("map", MAP),), list),
        Function("mapValues", (("map", MAP),), lambda mapping: list(mapping.values())),
        Function("toArray", (("values", ANY),), lambda *values: list(values), repeats=True),
        Function("split", (("string", STRING), ("separator", STRING)), _split),
        Function("regexMatchString", (("pattern", STRING), ("string", STRING)), _regex_match, effort=True),
        Function("uuid", (), lambda effort: effort.ids.uuid(), effort=True),
        Function("get", (("container", ARRAY | MAP), ("key", NUMBER | STRING)), _get),
        Function("intAdd", (("a", NUMBER), ("b", NUMBER)), _int_add),
        Function("randomInt", (("min", NUMBER), ("max", NUMBER)), _random_int, effort=True),
    )
}
