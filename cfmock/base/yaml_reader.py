"""YAML text, by the parser's events, to plain values that remember where they stood. Unlike `yaml_values` it tells what is
wrong, and resolves aliases and merges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import yaml

from cfmock.base.errors import SourceError
from cfmock.base.json_text import MAX_DEPTH, Json
from cfmock.base.problems import MOST_TOLD, PLACEHOLDER, Problem
from cfmock.base.source_marks import Mark, ValuePlace, mark_at
from cfmock.base.yaml_values import MAX_ADDED, Loader, scalar

_NO_YAML = "not YAML: {}"
BEFORE_RENDERING = f"{_NO_YAML}; {PLACEHOLDER}"

_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
_ENOUGH = 10 * MOST_TOLD
"""Mistakes after which the rest of a text is not read."""

_TAB = re.compile(r"[ ]*\t")
_TABBED = "a tab character in the indentation, where YAML takes spaces only"


class NotYamlError(SourceError):
    """A text that the YAML reader refuses."""


_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def _join(pair: re.Match[str]) -> str:
    """Two escapes of JSON for one character as the one escape that YAML has for it."""
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


class YamlBuilder:
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

    def build(self) -> tuple[Json, ValuePlace]:
        try:
            result = self._build_joined()
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise NotYamlError([self._refused(error)]) from None
        if self.problems:
            raise SourceError(self.problems)
        return result

    def _refused(self, error: yaml.YAMLError | UnicodeDecodeError) -> Problem:
        if isinstance(error, yaml.MarkedYAMLError) and (at := error.problem_mark or error.context_mark):
            tabbed = any(_TAB.match(each) for each in self.text.split("\n")[at.line : at.line + 1])
            why = _TABBED if tabbed else error.problem or error.context
            kind = BEFORE_RENDERING if self._has_placeholder(at.line) else _NO_YAML
            return Problem.at(Mark(self.name, at.line + 1, at.column + 1), kind, str(why))
        if isinstance(error, yaml.reader.ReaderError):
            mark = mark_at(self.name, self.text, error.position if isinstance(error.position, int) else 0)
            return Problem.at(mark, _NO_YAML, error.reason)
        if isinstance(error, UnicodeDecodeError):  # of a tag, whose escapes libyaml does not look at
            mark = Mark(self.name, self.reached[0] + 1, self.reached[1] + 1)
            return Problem.at(mark, _NO_YAML, "a tag holds half a character")
        return Problem.at(Mark(self.name, 1, 1), _NO_YAML, str(error))

    def _has_placeholder(self, line: int) -> bool:
        """Return whether a template's placeholder stands on this line or the one before: the parser notices either."""
        near = self.lines[max(0, line - 1) : line + 1]
        return any(mark in each for each in near for mark in ("{{", "{%", "<%"))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def _build_joined(self) -> tuple[Json, ValuePlace]:
        try:
            return self._build()
        except yaml.MarkedYAMLError:
            joined = _PAIR.sub(_join, self.text)
            if joined == self.text:
                raise
            # A JSON text: YAML knows no halves of characters.
            self.text, self.anchors, self.nodes, self.added, self.problems = joined, {}, 0, 0, []
            return self._build()

    def _build(self) -> tuple[Json, ValuePlace]:
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
        return found[:2] if found is not None else (None, ValuePlace(0, 0))

    def _node(self, event: Any, depth: int) -> _Node:
        """Read the value that begins with an event, inside as many collections as `depth` says."""
        at = event.start_mark
        self.reached = at.line, at.column
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor or "", at, depth)
        before = self.nodes
        self._count(1, at)
        if isinstance(event, yaml.ScalarEvent):
            found = _Node(scalar(event), ValuePlace(at.line, at.column), 1, 0)
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
        place = ValuePlace(at.line, at.column, None, [part.place for part in parts])
        return _Node([part.value for part in parts], place, 0, 1 + max((part.height for part in parts), default=0))

    def _mapping(self, at: Any, depth: int) -> _Node:
        value: dict[str, Json] = {}
        keys: dict[str, tuple[int, int]] = {}
        places: dict[str, ValuePlace] = {}
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
        return _Node(value, ValuePlace(at.line, at.column, keys, places), 0, 1 + height)

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
    place: ValuePlace
    size: int
    height: int


def _merge(
    other: _Node, value: dict[str, Json], keys: dict[str, tuple[int, int]], places: dict[str, ValuePlace]
) -> None:
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
