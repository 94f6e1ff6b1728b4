"""Arguments as text to arguments as values, by the table: what is missing, too long, outside its range or no JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from cfmock.base.errors import ServiceError
from cfmock.base.json_text import is_utf8, json_value
from cfmock.base.time_text import parse_time
from cfmock.protocol.spec.model import Operation, Parameter, Spec

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z", re.ASCII)
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?\Z", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)
_BOOLEANS = {"true": True, "false": False}


def coerce(operation: Operation, arguments: dict[str, str], spec: Spec) -> dict[str, Any]:
    """The arguments of the operation's handler, by Python name, without what was not given, or is empty and may not be. JSON
    values stay text once they parse: the service hands them back as sent. Raises MissingRequiredParams and InvalidArgument."""
    found: dict[str, Any] = {}
    for name, parameter in operation.parameters.items():
        text = arguments.get(name)
        if not text and (text is None or not parameter.may_be_empty):
            if parameter.required:
                raise ServiceError("MissingRequiredParams", name)
            continue
        if parameter.format != "name" or spec.name_pattern.match(text) is None:  # a name that fits needs no more looks
            found[parameter.python_name] = value_of(parameter, text, spec)
        else:
            found[parameter.python_name] = text
    return found


def value_of(parameter: Parameter, text: str, spec: Spec) -> Any:
    """One argument as a value. Raises InvalidArgument."""
    if not text.isascii() and not is_utf8(text):
        raise invalid(parameter.name, "is not UTF-8")
    if parameter.type == "string":
        return _check_text(parameter, text, spec)
    if parameter.type == "boolean":
        if text.lower() not in _BOOLEANS:
            raise invalid(parameter.name, "must be true or false")
        return _BOOLEANS[text.lower()]
    if parameter.type == "integer":
        if not _INTEGER.match(text):
            raise invalid(parameter.name, "must be an integer")
        number: float = int(text)
    else:
        if not _NUMBER.match(text):
            raise invalid(parameter.name, "must be a number")
        number = float(text)
    _check_range(parameter, number)
    return number


class JsonText(str):
    """The text of a JSON parameter, as sent, with what it means: the service hands the one back and works on the other."""

    __slots__ = ("value",)

    value: Any


def input_value(text: str) -> Any:
    """What an execution's input means; an absent one is an empty object."""
    if isinstance(text, JsonText):
        return text.value
    return json.loads(text) if text else {}


def invalid(name: str, what: str) -> ServiceError:
    """InvalidArgument that says which parameter and why; the documented text is only its beginning."""
    return ServiceError("InvalidArgument", detail=f"{name} {what}.")


def _check_bounds(name: str, size: float, least: float | None, most: float | None, *words: str) -> None:
    """Raises InvalidArgument in the first of the words for less than the least, in the second for more than the most."""
    if least is not None and size < least:
        raise invalid(name, words[0].format(least))
    if most is not None and size > most:
        raise invalid(name, words[1].format(most))


def _check_range(parameter: Parameter, number: float) -> None:
    words = "must not be less than {}", "must not be greater than {}"
    _check_bounds(parameter.name, number, parameter.minimum, parameter.maximum, *words)


def _check_text(parameter: Parameter, text: str, spec: Spec) -> str:
    name = parameter.name
    if parameter.enum and text not in parameter.enum and text not in parameter.tolerated:
        raise invalid(name, f"must be one of {', '.join(filter(None, parameter.enum))}")
    if parameter.min_length is not None or parameter.max_length is not None:
        words = "must have at least {} characters", "must not have more than {} characters"
        _check_bounds(name, len(text), parameter.min_length, parameter.max_length, *words)
    check = _FORMAT_CHECKS.get(parameter.format or "")  # the handlers check definitions, tokens, cron expressions
    return text if check is None else check(parameter, text, spec) or text


def _check_name(parameter: Parameter, text: str, spec: Spec) -> None:
    if not spec.name_pattern.match(text):
        raise invalid(parameter.name, "must be 1 to 128 letters, digits, '_' or '-', and begin with a letter or '_'")


def _check_array(parameter: Parameter, text: str, spec: Spec) -> JsonText:
    found = _parsed(parameter, text, spec, kind=list, word="array")
    words = "must have at least {} items", "must not have more than {} items"
    _check_bounds(parameter.name, len(found.value), parameter.min_items, parameter.max_items, *words)
    return found


def _check_time(parameter: Parameter, text: str, spec: Spec) -> None:
    try:
        parse_time(text)
    except ValueError:
        raise invalid(parameter.name, "must be a time such as 2024-06-01T00:00:00.000Z") from None


def _check_integer(parameter: Parameter, text: str, spec: Spec) -> None:
    if not _INTEGER.match(text):
        raise invalid(parameter.name, "must be an integer")
    _check_range(parameter, int(text))


def _check_version(parameter: Parameter, text: str, spec: Spec) -> None:
    if not _VERSION.match(text):
        raise invalid(parameter.name, "must be the number of a version")


def _check_qualifier(parameter: Parameter, text: str, spec: Spec) -> None:
    if not _VERSION.match(text) and not spec.name_pattern.match(text):
        raise invalid(parameter.name, "must be the number of a version or the name of an alias")


def _parsed(parameter: Parameter, text: str, spec: Spec, *, kind: type, word: str) -> JsonText:
    found = JsonText(text)
    try:
        found.value = json_value(text)
    except (ValueError, RecursionError):
        raise invalid(parameter.name, "must be JSON text") from None
    if not isinstance(found.value, kind):
        raise invalid(parameter.name, f"must be a JSON {word}")
    return found


_FORMAT_CHECKS: dict[str, Callable[[Parameter, str, Spec], JsonText | None]] = {
    "name": _check_name, "json-object": partial(_parsed, kind=dict, word="object"), "json-array": _check_array,
    "time": _check_time, "integer": _check_integer, "version": _check_version, "qualifier": _check_qualifier,
}  # fmt: skip
