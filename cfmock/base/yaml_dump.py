"""Values to YAML text, as PyYAML writes it, but ten times as fast. PyYAML looks at each letter of each text; how a short one is
written depends on nothing around it, so that is asked once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

from cfmock.base.json_text import Json, json_text
from cfmock.base.yaml_values import CORE, plain

WIDTH = 120
"""Columns of a line, beyond which PyYAML folds texts."""

_LONGEST = 60  # letters of a text that stands in one line wherever it stands
_DEEPEST = 20  # levels at which that is still so


class _LongError(Exception):
    """Something is too long or too deep to be written here."""


def dumped(value: Json) -> str | None:
    """Return the text of an object or array, the same that PyYAML gives; None for one that takes PyYAML."""
    if not isinstance(value, dict | list) or not value:
        return None
    lines: list[str] = []
    try:
        _add(value, 0, "", lines)
    except _LongError:
        return None
    lines.append("")
    return "\n".join(lines)


def _add(value: Json, depth: int, head: str, lines: list[str]) -> None:
    """Add a collection that is not empty. `head` is what its first line begins with: a dash for each array it begins."""
    if depth > _DEEPEST:
        raise _LongError
    indent = "  " * depth
    start = head or indent
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list) and item:
                _add(item, depth + 1, start + "- ", lines)
            else:
                lines.append(f"{start}- {_scalar(item)}")
            start = indent
        return
    for key, item in value.items():
        name = _key(key)
        if type(item) is str:
            lines.append(f"{start}{name}: {_text(item)}")
        elif isinstance(item, dict | list) and item:
            lines.append(f"{start}{name}:")
            _add(item, depth + isinstance(item, dict), "", lines)
        else:
            lines.append(f"{start}{name}: {_scalar(item)}")
        start = indent


def _scalar(value: Json) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _dump_slowly([value])[2:-1]
    return json_text(value)


@lru_cache(maxsize=4096)
def _text(value: str) -> str:
    return _inside(value, "- ", [value], "\n")


@lru_cache(maxsize=1024)
def _key(value: str) -> str:
    return _inside(value, "", {value: 0}, ": 0\n")


def _inside(text: str, head: str, whole: Json, tail: str) -> str:
    if len(text) > _LONGEST:
        raise _LongError
    written = _dump_slowly(whole)
    if written.count("\n") != 1 or not (written.startswith(head) and written.endswith(tail)):
        raise _LongError
    return written[len(head) : -len(tail)]


def dump(value: Json) -> str:
    """Write a value as YAML text that reads as the same value, keys in their order."""
    text = dumped(value)
    return text if text is not None else _dump_slowly(value)


def _dump_slowly(value: Json) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


_EitherDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the latter where PyYAML is built without libyaml


class _Dumper(_EitherDumper):  # type: ignore[misc]
    """Quotes each text that would read as something else: PyYAML quotes by the rules of YAML 1.1."""


def _dump_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "'" if not isinstance(plain(text), str) else '"' if _BREAK.search(text) else None
    node: yaml.ScalarNode = dumper.represent_scalar(CORE + "str", text, style)
    return node


_BREAK = re.compile("[\x85\u2028\u2029]")
"""Line breaks of YAML 1.1, which are folded to blanks unless they are escaped."""

_Dumper.add_representer(str, _dump_text)
