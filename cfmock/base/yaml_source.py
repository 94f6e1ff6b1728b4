"""YAML or JSON text to plain values that remember where they stood, so that a complaint can name file, line and column.

The only module that knows PyYAML, and it uses the parser's events alone: no tag constructs anything, so no text can run
code. As in YAML 1.2, only `true` and `false` are booleans, and times are text. An unknown tag (`!Ref service/function`
of deployment tools) is dropped and its value read as if it were not there. Size is bounded before it is built: nesting
to `MAX_DEPTH`, and `MAX_ADDED` values that aliases add.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import yaml
from msgspec import Struct

from cfmock.base.errors import SourceError
from cfmock.base.json_places import JsonPlaces
from cfmock.base.json_text import Json, finite, no_constant
from cfmock.base.problems import MOST_TOLD, Mistake, Path, Problem
from cfmock.base.source_marks import Mark
from cfmock.base.yaml_dump import WIDTH, dumped
from cfmock.base.yaml_values import CORE, MAX_ADDED, MAX_DEPTH, Loader, OddError, plain, quick_value, scalar

PLACEHOLDER = "a template placeholder: render the template first"
"""The mistake in `Seconds: {{ pause }}`."""

_NO_YAML = "not YAML: {}"
_BEFORE_RENDERING = f"{_NO_YAML}; {PLACEHOLDER}"

_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
_ENOUGH = 10 * MOST_TOLD
"""Mistakes after which the rest of a text is not read."""

VALUE_SIZE = 16
"""Characters that a value counts for where what is kept of texts is bounded: aliases make a short text large."""

_TAB = re.compile(r"[ ]*\t")
_TABBED = "a tab character in the indentation, where YAML takes spaces only"


class _Place(Struct):
    """The place of a value (counted from 0), and, for collections, of its keys and parts."""

    line: int
    column: int
    keys: dict[str, tuple[int, int]] | None = None
    parts: dict[str, _Place] | list[_Place] | None = None


class Document:
    """One parsed text. `value` is plain data, `is_json` whether it was read as JSON and not as YAML; `mark(path)` says where a
    part of it stands."""

    __slots__ = ("_json_places", "_root", "is_json", "name", "text", "value")

    def __init__(
        self, name: str, text: str, value: Json, *, is_json: bool = False, _root: _Place | None = None
    ) -> None:
        self.name = name
        self.text = text
        self.value = value
        self.is_json = is_json
        self._root = _root
        self._json_places: JsonPlaces | None = None

    def mark(self, path: Sequence[str | int] = (), *, key: bool = False) -> Mark:
        """Return the place of the value at `path` (or of its key); if there is none, of the nearest value above it."""
        if self.is_json:
            if self._json_places is None:
                self._json_places = JsonPlaces(self.text)
            return _mark_at(self.name, self.text, self._json_places.of(path, key=key))
        if self._root is None:  # places are looked for only when somebody asks
            self._root = _Builder(self.name, self.text).build()[1]
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
        return max(len(self.text), VALUE_SIZE * count(self.value))

    def problem(self, path: Path, mistake: Mistake, *, key: bool = False) -> Problem:
        return Problem(self.mark(path, key=key), path, mistake)


def parse(text: str | bytes, name: str = "<text>", *, most: int | None = None) -> Document:
    """Read one YAML or JSON document.

    `name` is what complaints call it, `most` how many keys and values it may have with its aliases expanded, if there is a
    bound. Raises `SourceError` with every duplicate key, or with the first place that is no YAML, is nested too deeply or
    expands to too much. An empty text has the value None.
    """
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
            if not _is_deep(value):
                return Document(name, text, value, is_json=True)
        except json.JSONDecodeError as error:
            habit = _trailing_comma(name, text, error) or _comment(name, text, error)
            if habit is not None:  # YAML would take it, all other readers of the file would not
                raise SourceError([habit]) from None
            wrong = _not_json(name, text, error)
        except (ValueError, RecursionError):
            pass
    with contextlib.suppress(OddError):
        return Document(name, text, quick_value(text, most))
    try:
        value, root = _Builder(name, text, most).build()
    except NotYamlError as error:
        if wrong is None or error.problems[0].mistake.kind == _BEFORE_RENDERING:
            raise
        raise SourceError([wrong]) from None
    return Document(name, text, value, _root=root)


class NotYamlError(SourceError):
    """A text that the YAML reader refuses."""


def _not_json(name: str, text: str, error: json.JSONDecodeError) -> Problem:
    """Turn an error of Python's reader into a problem at its place."""
    why = error.msg[:1].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
    why = "it ends before it is complete" if error.pos >= len(text.rstrip()) else why
    return Problem.at(_mark_at(name, text, error.pos), "not JSON: {}", why)


def _comment(name: str, text: str, error: json.JSONDecodeError) -> Problem | None:
    """Return the problem if it is a comment."""
    if not text.startswith(("//", "/*"), error.pos):
        return None
    return Problem.at(_mark_at(name, text, error.pos), "not JSON: a comment, which JSON does not have")


def _mark_at(name: str, text: str, position: int) -> Mark:
    return Mark(name, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))


def _trailing_comma(name: str, text: str, error: json.JSONDecodeError) -> Problem | None:
    """Return the problem if it is a comma behind the last item, which Python notices there or behind it, by its version."""
    at = len(text[: error.pos + 1].rstrip().rstrip("]}").rstrip()) - 1
    behind = text[at + 1 :].lstrip()[:1] if at >= 0 and text[at] == "," else ""
    if behind not in ("]", "}"):
        return None
    return Problem.at(_mark_at(name, text, at), "not JSON: a trailing comma before '{}'", behind)


def _is_deep(value: Json) -> bool:
    """Return whether it may be nested more deeply than is read. No recursion here, either."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        parts = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for part in parts for each in part if isinstance(each, dict | list)]
        if not level:
            return False
    return True


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
    text = dumped(value, _dump_slowly)
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


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


_decoder = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=no_constant, parse_float=finite)


_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def _join(pair: re.Match[str]) -> str:
    """Two escapes of JSON for one character as the one escape that YAML has for it."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


class _Builder:
    """Turns parser events into a value and, beside it, the tree of its places."""

    def __init__(self, name: str, text: str, most: int | None = None) -> None:
        self.name = name
        self.most = most
        self.text = text
        self.problems: list[Problem] = []
        self.anchors: dict[str, _Node] = {}
        self.nodes = 0
        self.added = 0  # by aliases
        self._next_event: Callable[[], Any]
        self.reached = 0, 0  # line and column of the last value

    def build(self) -> tuple[Json, _Place]:
        try:
            result = self._build_joined()
        except yaml.MarkedYAMLError as error:
            at = error.problem_mark or error.context_mark
            mark = Mark(self.name, at.line + 1, at.column + 1) if at else Mark(self.name, 1, 1)
            why = _TABBED if at and self._is_tabbed(at.line) else error.problem or error.context
            kind = _BEFORE_RENDERING if at and self._has_placeholder(at.line) else _NO_YAML
            raise NotYamlError([Problem.at(mark, kind, str(why))]) from None
        except yaml.reader.ReaderError as error:
            before = self.text[: error.position if isinstance(error.position, int) else 0]
            mark = Mark(self.name, before.count("\n") + 1, len(before) - before.rfind("\n"))
            raise NotYamlError([Problem.at(mark, _NO_YAML, error.reason)]) from None
        except UnicodeDecodeError:  # of a tag, whose escapes libyaml does not look at
            mark = Mark(self.name, self.reached[0] + 1, self.reached[1] + 1)
            raise NotYamlError([Problem.at(mark, _NO_YAML, "a tag holds half a character")]) from None
        except yaml.YAMLError as error:
            raise NotYamlError([Problem.at(Mark(self.name, 1, 1), _NO_YAML, str(error))]) from None
        if self.problems:
            raise SourceError(self.problems)
        return result

    def _is_tabbed(self, line: int) -> bool:
        return any(_TAB.match(each) for each in self.text.split("\n")[line : line + 1])

    def _has_placeholder(self, line: int) -> bool:
        """Return whether a template's placeholder stands on this line or the one before: the parser notices either."""
        near = self.lines[max(0, line - 1) : line + 1]
        return any(mark in each for each in near for mark in ("{{", "{%", "<%"))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def _build_joined(self) -> tuple[Json, _Place]:
        try:
            return self._build()
        except yaml.MarkedYAMLError:
            joined = _PAIR.sub(_join, self.text)
            if joined == self.text:
                raise
            # A JSON text: YAML knows no halves of characters.
            self.text, self.anchors, self.nodes, self.added, self.problems = joined, {}, 0, 0, []
            return self._build()

    def _build(self) -> tuple[Json, _Place]:
        loader = Loader(self.text)
        self._next_event = loader.get_event
        found: _Node | None = None
        try:
            loader.get_event()  # that the stream begins
            while isinstance(event := loader.get_event(), yaml.DocumentStartEvent):
                if found is not None:
                    self._refuse(event.start_mark, "more than one document in the file")
                found = self._node(loader.get_event(), 0)
                loader.get_event()  # that the document ends
        finally:
            loader.dispose()
        return found[:2] if found is not None else (None, _Place(0, 0))

    def _node(self, event: Any, depth: int) -> _Node:
        """Read the value that begins with an event, inside as many collections as `depth` says."""
        at = event.start_mark
        self.reached = at.line, at.column
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", at, depth)
        before = self.nodes
        self._count(1, at)
        if isinstance(event, yaml.ScalarEvent):
            found = _Node(scalar(event), _Place(at.line, at.column), 1, 0)
        elif depth >= MAX_DEPTH:
            self._refuse(at, _TOO_DEEP)
        else:
            read = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
            found = read(at, depth + 1)._replace(size=self.nodes - before)
        if event.anchor:
            self.anchors[event.anchor] = found
        return found

    def _sequence(self, at: Any, depth: int) -> _Node:
        parts: list[_Node] = []
        while not isinstance(event := self._next_event(), yaml.SequenceEndEvent):
            parts.append(self._node(event, depth))
        place = _Place(at.line, at.column, None, [part.place for part in parts])
        return _Node([part.value for part in parts], place, 0, 1 + max((part.height for part in parts), default=0))

    def _mapping(self, at: Any, depth: int) -> _Node:
        value: dict[str, Json] = {}
        keys: dict[str, tuple[int, int]] = {}
        places: dict[str, _Place] = {}
        merges: list[_Node] = []
        height = 0
        while not isinstance(event := self._next_event(), yaml.MappingEndEvent):
            key, part = self._node(event, depth), self._node(self._next_event(), depth)
            height = max(height, key.height, part.height)
            if key.value == "<<" and isinstance(part.value, dict | list):
                merges.append(part)
            elif isinstance(key.value, dict | list):
                line, column = key.place.line, key.place.column
                placeholder = isinstance(key.value, dict) and self.lines[line][max(0, column - 1) : column] == "{"
                self._complain(event.start_mark, PLACEHOLDER if placeholder else "a key must be text")
            elif (name := key.value if isinstance(key.value, str) else json.dumps(key.value)) in value:
                self._complain(event.start_mark, "'{}' is there twice", name)
            else:
                value[name], keys[name], places[name] = part.value, (key.place.line, key.place.column), part.place
        for merged in merges:
            _merge(merged, value, keys, places)
        return _Node(value, _Place(at.line, at.column, keys, places), 0, 1 + height)

    def _alias(self, name: str, at: Any, depth: int) -> _Node:
        """Copy the value at the anchor, for a place at this depth."""
        if name not in self.anchors:
            # libyaml does not resolve aliases: an unknown one, or one inside its own anchor, comes through to here.
            self._refuse(at, "alias '*{}' has no anchor before it", name)
        found = self.anchors[name]
        self.added += found.size
        self._count(found.size, at)
        if depth + found.height > MAX_DEPTH:
            self._refuse(at, _TOO_DEEP)
        return found._replace(value=_copy(found.value))

    def _count(self, more: int, at: Any) -> None:
        self.nodes += more
        if self.most is not None and self.nodes > self.most:
            self._refuse(at, "expands to more than {} values", self.most)
        if self.added > MAX_ADDED:
            self._refuse(at, "aliases add more than {} values", MAX_ADDED)

    def _complain(self, at: Any, kind: str, *subject: str | int) -> None:
        self.problems.append(Problem.at(Mark(self.name, at.line + 1, at.column + 1), kind, *subject))
        if len(self.problems) >= _ENOUGH:
            raise SourceError(self.problems)

    def _refuse(self, at: Any, kind: str, *subject: str | int) -> NoReturn:
        self._complain(at, kind, *subject)
        raise SourceError(self.problems)


class _Node(NamedTuple):
    """A value with its place, its number of values and its levels of collections."""

    value: Json
    place: _Place
    size: int
    height: int


def _merge(other: _Node, value: dict[str, Json], keys: dict[str, tuple[int, int]], places: dict[str, _Place]) -> None:
    """`<<: *other`: what the mapping does not say itself comes from the other; of several, the first wins."""
    parts = [(other.value, other.place)]
    if isinstance(other.place.parts, list):
        parts = list(zip(other.value, other.place.parts, strict=True))
    for source, at in parts:
        if isinstance(source, dict) and isinstance(at.parts, dict):
            for name in [each for each in source if each not in value]:
                value[name], places[name] = source[name], at.parts.get(name, at)
                keys[name] = (at.keys or {}).get(name, (at.line, at.column))


def _copy(value: Json) -> Json:
    """Aliased collections are copied, so that no two parts of a value are one object. The reader bounds the depth."""
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_copy(part) for part in value]
    return value
