"""YAML or JSON text to plain values that remember where they stood, so that a complaint can name file, line and column.

YAML is read by the parser's events alone: no tag constructs anything, so no text can run code. As in YAML 1.2, only `true` and
`false` are booleans, and times are text; of an unknown tag (`!Ref service/function`) the value is read. Size is bounded before
it is built: by `MAX_DEPTH`, and by `MAX_ADDED` for what aliases add.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence

from cfmock.base.errors import SourceError
from cfmock.base.json_places import JsonPlaces
from cfmock.base.json_text import MAX_DEPTH, Json, finite, no_constant
from cfmock.base.problems import Mistake, Path, Problem
from cfmock.base.source_marks import Mark, ValuePlace, mark_at

VALUE_SIZE = 16
"""Characters that a value counts for where what is kept of texts is bounded: aliases make a short text large."""


class Document:
    """One parsed text. `value` is plain data, `is_json` whether it was read as JSON and not as YAML; `mark(path)` says where a
    part of it stands. `root` has the places, if they are known already."""

    __slots__ = ("_json_places", "_root", "is_json", "name", "text", "value")

    def __init__(
        self, name: str, text: str, value: Json, *, is_json: bool = False, root: ValuePlace | None = None
    ) -> None:
        self.name = name
        self.text = text
        self.value = value
        self.is_json = is_json
        self._root = root
        self._json_places: JsonPlaces | None = None

    def mark(self, path: Sequence[str | int] = (), *, key: bool = False) -> Mark:
        """Return the place of the value at `path` (or of its key); if there is none, of the nearest value above it."""
        if self.is_json:
            if self._json_places is None:
                self._json_places = JsonPlaces(self.text)
            return mark_at(self.name, self.text, self._json_places.of(path, key=key))
        if self._root is None:  # places are looked for only when somebody asks
            from cfmock.base.yaml_reader import YamlBuilder

            self._root = YamlBuilder(self.name, self.text).build()[1]
        place, line, column = self._root, self._root.line, self._root.column
        for part in path:
            parts = place.parts
            if isinstance(parts, dict) and part in parts:
                if key and place.keys is not None:
                    line, column = place.keys[str(part)]
                place = parts[str(part)]
            elif isinstance(parts, list) and isinstance(part, int) and part < len(parts):
                place = parts[part]
            else:
                break
            if not key:
                line, column = place.line, place.column
        return Mark(self.name, line + 1, column + 1)

    @property
    def size(self) -> int:
        """The size of all that is kept of it, about, in characters."""
        if self.is_json:  # which has no aliases: there are as many values as are written, at most
            return max(len(self.text), VALUE_SIZE * (1 + self.text.count(",") + self.text.count(":")))
        return max(len(self.text), VALUE_SIZE * count(self.value))

    def problem(self, path: Path, mistake: Mistake, *, key: bool = False) -> Problem:
        return Problem(self.mark(path, key=key), path, mistake)


def parse(text: str | bytes, name: str = "<text>", *, most: int | None = None) -> Document:
    """Read one YAML or JSON document; an empty text is None. `name` is what complaints call it, `most` bounds its keys and
    values with aliases expanded. Raises `SourceError` with every duplicate key, or with the first place that is no YAML, too
    deep or too much."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            mark = Mark(name, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
            raise SourceError([Problem.at(mark, "not UTF-8 (byte {})", f"{error.object[error.start]:#04x}")]) from None
    wrong: Problem | None = None
    if name.endswith(".json"):
        # JSON is nearly a hundred times faster to read as JSON; what it refuses may be YAML all the same.
        try:
            value = _decoder.decode(text)
            members = _members(value)
            if members is not None:
                # Texts of people may hold what looks like a key; where it may be one, each object is looked at.
                if text.count('":') > members or _SPACED.search(text):
                    _strict_decoder.decode(text)
                return Document(name, text, value, is_json=True)
        except json.JSONDecodeError as error:
            wrong, certain = _not_json(name, text, error)
            if certain:
                raise SourceError([wrong]) from None
        except (ValueError, RecursionError):
            pass
    # These load PyYAML, which JSON needs not.
    from cfmock.base.yaml_reader import BEFORE_RENDERING, NotYamlError, YamlBuilder
    from cfmock.base.yaml_values import OddError, quick_value

    with contextlib.suppress(OddError):
        return Document(name, text, quick_value(text, most))
    try:
        value, root = YamlBuilder(name, text, most).build()
    except NotYamlError as error:
        if wrong is None or error.problems[0].mistake.kind == BEFORE_RENDERING:
            raise
        raise SourceError([wrong]) from None
    return Document(name, text, value, root=root)


def _not_json(name: str, text: str, error: json.JSONDecodeError) -> tuple[Problem, bool]:
    """Turn an error of Python's reader into a problem at its place; True for what YAML would take, but no other reader would."""
    # Python notices a comma behind the last item there or behind it, by its version.
    comma = len(text[: error.pos + 1].rstrip().rstrip("]}").rstrip()) - 1
    behind = text[comma + 1 :].lstrip()[:1] if comma >= 0 and text[comma] == "," else ""
    if behind in ("]", "}"):
        return Problem.at(mark_at(name, text, comma), "not JSON: a trailing comma before '{}'", behind), True
    mark = mark_at(name, text, error.pos)
    if text.startswith(("//", "/*"), error.pos):
        return Problem.at(mark, "not JSON: a comment, which JSON does not have"), True
    why = error.msg[:1].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
    why = "it ends before it is complete" if error.pos >= len(text.rstrip()) else why
    return Problem.at(mark, "not JSON: {}", why), False


def _members(value: Json) -> int | None:
    """Count the members of all objects; None where they may be nested more deeply than is read. No recursion here, either."""
    members, level = 0, [value] if type(value) in _COLLECTIONS else []
    for _ in range(MAX_DEPTH):
        objects = [each for each in level if type(each) is dict]
        members += sum(map(len, objects))
        parts = [each for each in level if type(each) is list] + [each.values() for each in objects]
        level = [each for part in parts for each in part if type(each) in _COLLECTIONS]
        if not level:
            return members
    return None


def count(value: Json) -> int:
    """Count the values it is made of, itself included. The reader bounds the depth."""
    found, open_parts = 1, [value]
    for part in open_parts:
        kind = type(part)
        if kind is dict or kind is list:
            found += len(part)
            open_parts += [each for each in (part.values() if kind is dict else part) if type(each) in _COLLECTIONS]
    return found


_COLLECTIONS = (dict, list)


def dump(value: Json) -> str:
    """Write a value as YAML text that reads as the same value, keys in their order."""
    from cfmock.base import yaml_dump

    return yaml_dump.dump(value)


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


_decoder = json.JSONDecoder(parse_constant=no_constant, parse_float=finite)
_strict_decoder = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=no_constant, parse_float=finite)
"""Takes several times as long: it refuses a key that is there twice."""

_SPACED = re.compile('"[ \t\n\r]+:')
