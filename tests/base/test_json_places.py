"""Places in JSON texts: those that the YAML reader finds in the same text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfmock.base import yaml_reader, yaml_source, yaml_values
from cfmock.base.yaml_source import Document

KEYS = st.sampled_from(["a", "b:c", "名", 'q"', "\n", ""])
VALUES = st.recursive(
    st.sampled_from([1, 1.5, True, None, "text", "{", 'a"b', "]\\"]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts, max_size=3),
    max_leaves=15,
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    yield (*path, "nobody")
    yield (*path, 99)
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(part, (*path, key))


@settings(max_examples=80)
@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_places_are_those_of_the_yaml_reader(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    as_json = yaml_source.parse(f" {text}", "f.json")
    assert as_json.is_json
    as_yaml = Document("f.json", f" {text}", value)
    for path in paths(value):
        for key in (False, True):
            assert as_json.mark(path, key=key) == as_yaml.mark(path, key=key), path


def test_a_place_is_found_at_once_when_its_neighbours_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    document = yaml_source.parse(json.dumps({"flows": [{"name": f"f{number}"} for number in range(300)]}), "f.json")
    document.mark(("flows", 299))
    found = document._json_places
    assert found is not None
    skipped = []
    skip = found._skip
    monkeypatch.setattr(found, "_skip", lambda *at: skipped.append(at) or skip(*at))
    for number in range(300):
        document.mark(("flows", number, "name"))
    assert len(skipped) == 2 * 300  # of each its one key and value


def test_a_json_text_that_nobody_complains_of_is_not_read_as_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(yaml_reader, "YamlBuilder", never)
    monkeypatch.setattr(yaml_values, "quick_value", never)
    document = yaml_source.parse('{"a": ["\\ud83d\\ude00", "\\ud800", "/\\/"]}', "f.json")
    assert str(document.mark(("a", 1))) == "f.json:1:24"
