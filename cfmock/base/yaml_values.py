"""YAML text to values without their places, quickly: for texts in which nothing is odd. `yaml_reader` reads all others."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

import yaml

from cfmock.base.json_text import MAX_DEPTH, Json

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the latter where PyYAML is built without libyaml

MAX_ADDED = 500_000
"""Values that the aliases of a text may add to those that are written there."""

CORE = "tag:yaml.org,2002:"

_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NUMBER_START = frozenset("+-.0123456789")
_WORDS: dict[str, Json] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_LONGEST_NUMBER = 400  # digits; Python itself refuses to read a few thousand


def plain(text: str) -> Json:
    """Return the value of an unquoted scalar: null, boolean, number, else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_START and len(text) <= _LONGEST_NUMBER:
        if _INT.match(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.match(text) and math.isfinite(number := float(text)):
            return number
    return text  # `.inf` and `.nan` too: JSON has no such numbers


def scalar(event: yaml.ScalarEvent) -> Json:
    """Return the value of a scalar, by its tag, its style and its text."""
    text: str = event.value
    tag: str | None = event.tag
    if tag is not None and tag.startswith(CORE):
        if tag == CORE + "str":
            return text
    elif tag is not None and tag != "!" and event.implicit[0] is False:
        return text  # `!Ref x`: text, whatever it looks like
    if (not event.implicit[0] and tag is None) or tag == "!":
        return text
    if event.style is not None and event.style != "":
        return text
    return plain(text)


class OddError(Exception):
    """A text that takes the careful reader: with a mistake, an alias, a merge, or more in it than is read."""


def quick_value(text: str, most: int | None = None) -> Json:
    """Read one YAML document, of at most so many values if there is a bound. Raises `OddError`."""
    loader = Loader(text)
    try:
        return _value(loader.get_event, sys.maxsize if most is None else most)
    except (yaml.YAMLError, UnicodeError):
        raise OddError from None
    finally:
        loader.dispose()


def _value(next_event: Any, most: int) -> Json:
    # Where a value goes is kept in two names: the collection that is open, and the key that waits, `_NONE` where none does.
    scalar_event, begin_map, begin_list = yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
    end_map, end_list, end = yaml.MappingEndEvent, yaml.SequenceEndEvent, yaml.StreamEndEvent
    root: list[Json] = []
    outer: list[tuple[Any, Any]] = []
    here: Any = root
    key: Any = _NONE
    nodes = 0
    while True:
        event = next_event()
        kind = type(event)
        if kind is scalar_event:
            nodes += 1
            if nodes > most:
                raise OddError
            value = plain(event.value) if event.tag is None and event.implicit[0] and not event.style else scalar(event)
        elif kind is begin_map or kind is begin_list:
            nodes += 1
            if event.anchor or nodes > most or len(outer) >= MAX_DEPTH:
                raise OddError
            outer.append((here, key))
            here, key = ({} if kind is begin_map else []), _NONE
            continue
        elif kind is end_map or kind is end_list:
            value = here
            here, key = outer.pop()
        elif kind is end:
            break
        else:
            if kind is yaml.AliasEvent:
                raise OddError
            continue
        if type(here) is list:
            here.append(value)
        elif key is _NONE:
            if type(value) is not str or value == "<<" or value in here:
                raise OddError
            key = value
        else:
            here[key] = value
            key = _NONE
    if nodes > most or len(root) > 1:
        raise OddError
    return root[0] if root else None


_NONE: Any = object()
