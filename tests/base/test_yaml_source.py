"""What YAML and JSON texts mean to us, where their parts stand, and what of them is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.base import yaml_reader, yaml_source
from cfmock.base.errors import SourceError
from cfmock.base.yaml_reader import YamlBuilder
from cfmock.base.yaml_values import OddError, quick_value

EMOJI = {"name": "ship \U0001f6a2 it", "path": "C:\\ud83d\\ude00", "then": [1, {"bad": True}]}


def said(text: str, name: str = "f.yaml") -> list[str]:
    with pytest.raises(SourceError) as caught:
        yaml_source.parse(text, name)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"), ("Yes", "Yes"), ("on", "on"), ("true", True), ("False", False), ("~", None), ("null", None),
        ("2024-06-01", "2024-06-01"), ("12:30:00", "12:30:00"), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"),
        ("-1", -1), ("1.50", 1.5), ("1e3", 1000.0), (".5", 0.5), (".inf", ".inf"), (".nan", ".nan"), ("1e999", "1e999"),
        ('"1"', "1"), ("'true'", "true"), ("!!str 1", "1"), ("!Ref 1", "1"), ("9" * 30, int("9" * 30)), ("", None),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2_that_json_has(text: str, value: Any) -> None:
    found = yaml_source.parse(f"a: {text}").value["a"]
    assert (found, type(found)) == (value, type(value))


def test_half_a_character_in_json_has_a_place() -> None:
    document = yaml_source.parse('{"a": "\\ud800", "b": "C:\\\\ud800", "c": 1}', "f.json")
    assert document.value == {"a": "\ud800", "b": "C:\\ud800", "c": 1}
    assert [document.mark((key,)).column for key in "abc"] == [7, 22, 40]


def test_a_json_text_is_read_as_json_whatever_its_name() -> None:
    text = json.dumps(EMOJI)
    assert "\\ud83d" in text
    for name in ("<definition>", "f.json"):
        assert yaml_source.parse(text, name).value == EMOJI


def test_places_in_a_text_with_escaped_pairs_are_near() -> None:
    text = json.dumps(EMOJI, indent=2)
    assert str(yaml_source.parse(text, "f.json").mark(("then", 1, "bad"))) == "f.json:7:14"


@pytest.mark.parametrize("text", ['{"a": "\\ud83d"}', '{"a": "\\ude00\\ud83d"}'])
def test_half_a_character_is_no_yaml(text: str) -> None:
    assert said(text) == ["f.yaml:1:10: not YAML: found invalid Unicode character escape code"]


def test_half_a_character_in_a_tag_is_no_yaml() -> None:
    assert said("a: b\nc: !=s%ED%A0%80liFn.ALL 1") == ["f.yaml:2:1: not YAML: a tag holds half a character"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n\tb: 1\n", "2:1"),
        ("a:\n  b: 1\n  \tc: 2\n", "3:3"),
        ("a:\n  - b: 1\n\t  c: 2\n", "3:1"),
        ("a: b\n\tc: d\n", "2:1"),
    ],
)
def test_a_tab_in_the_indentation_is_named(text: str, place: str) -> None:
    assert said(text) == [f"f.yaml:{place}: not YAML: a tab character in the indentation, where YAML takes spaces only"]


def test_tabs_elsewhere_are_no_mistake() -> None:
    assert yaml_source.parse('a:\t1\nb: [1,\n\t2]\nc: "x\ty"\n').value == {"a": 1, "b": [1, 2], "c": "x\ty"}
    assert said("\ta: [1\nb: }\n")[0].startswith("f.yaml:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": [1, 2,]}', "f.json:1:12: not JSON: a trailing comma before ']'"),
        ('{\n\t"a": 1,\n}\n', "f.json:2:8: not JSON: a trailing comma before '}'"),
        ('{"a": {"b": [{},\n]},\n}', "f.json:1:16: not JSON: a trailing comma before ']'"),
    ],
)
def test_a_trailing_comma_is_no_json(text: str, told: str) -> None:
    assert said(text, "f.json") == [told]
    assert yaml_source.parse(text, "f.yaml").value


COMMENT = "a comment, which JSON does not have"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('// why\n{"a": 1}', f"1:1: not JSON: {COMMENT}"),
        ('{\n  // why\n  "a": 1}', f"2:3: not JSON: {COMMENT}"),
        ('{"a": 1 // why\n}', f"1:9: not JSON: {COMMENT}"),
        ('{"a": [1, /* why */ 2]}', f"1:11: not JSON: {COMMENT}"),
        ('{"a": 1,\n "b": [', "2:8: not JSON: it ends before it is complete"),
        ('{"a": {"b": 1}\n', "2:1: not JSON: it ends before it is complete"),
        ('{"a": "b', "1:7: not JSON: unterminated string"),
        ('{"a": 1]', "1:8: not JSON: expecting ',' delimiter"),
    ],
)
def test_a_json_file_that_is_neither_is_told_as_no_json(text: str, told: str) -> None:
    assert said(text, "f.json") == [f"f.json:{told}"]


@pytest.mark.parametrize("text", ["a: 1 # why", "# why\n{a: 1}", '{"a": "// x"}', '{"a": "b\tc"}'])
def test_yaml_in_a_json_file_is_read_all_the_same(text: str) -> None:
    assert yaml_source.parse(text, "f.json").value.keys() == {"a"}


@pytest.mark.parametrize("text", ['{"a": [1, 2]}', '{"a": ",]"}', '{"a": [",", "}"]}', "{'a': 1}"])
def test_another_comma_is_no_trailing_one(text: str) -> None:
    assert yaml_source.parse(text, "f.json").value.keys() == {"a"}


def test_every_duplicate_key_is_told() -> None:
    assert said("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "f.yaml:2:11: 'c' is there twice",
        "f.yaml:3:1: 'a' is there twice",
    ]


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '{"a" : 1, "a" : 2}', '{"a" : 1, "b": "\\":", "a": 2}', '{"a": {"b": "\\":", "b": 1}}']
)
def test_a_key_that_is_twice_in_a_json_file_is_told_however_it_is_written(text: str) -> None:
    (found,) = said(text, "f.json")
    assert found.endswith("is there twice")


@pytest.mark.parametrize(
    "value", [{"a": 'x":', "b": [{'"': {}}, {}]}, {'a"': {'":': '":'}}, [], [{}, {"a": 1}], "a", None]
)
def test_what_looks_like_a_key_in_a_text_of_a_json_file_is_none(value: Any) -> None:
    for indent in (None, 1):
        document = yaml_source.parse(json.dumps(value, indent=indent), "f.json")
        assert (document.value, document.is_json) == (value, True)


def test_aliases_do_not_add_up_beyond_the_depth_that_is_read() -> None:
    fits = f"a: &a {'[' * 49}{']' * 49}\nb: {'[' * 50}*a{']' * 50}\n"
    assert yaml_source.parse(fits).value["a"] == nested(49)
    assert yaml_source.parse(fits).value["b"] == nested(99)
    deeper = fits.replace("[*a]", "[[*a]]")
    assert said(deeper) == ["f.yaml:2:55: nested more than 100 levels deep"]
    chain = "".join(f"x{number}: &x{number} [*x{number - 1}]\n" for number in range(1, 3_000))
    assert said(f"x0: &x0 {{a: &b [1], <<: {{c: *b}}}}\n{chain}") == ["f.yaml:98:12: nested more than 100 levels deep"]


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_after_a_thousand_mistakes_the_rest_of_a_text_is_not_read() -> None:
    found = said("a: 1\n" * 2_000 + "[")
    assert (found[0], found[-1]) == ("f.yaml:2:1: 'a' is there twice", "f.yaml:102:1: and 900 more mistakes")


def test_aliases_are_copies_and_merges_give_way_to_what_is_said() -> None:
    value = yaml_source.parse("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\n").value
    assert value == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}}
    assert value["a"] is not value["b"]


@pytest.mark.parametrize("name", ["f.json", "f.yaml"])
def test_json_is_nested_as_deeply_as_yaml(name: str) -> None:
    assert yaml_source.parse('{"a":' * 100 + "1" + "}" * 100, name).value
    for levels in (101, 3000):
        with pytest.raises(SourceError) as caught:
            yaml_source.parse('{"a":' * levels + "1" + "}" * levels, name)
        assert str(caught.value) == f"{name}:1:501: nested more than 100 levels deep"


def test_what_expands_or_nests_without_end_is_refused_where_it_begins_to() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in ("ab", "bc", "cd", "de", "ef")
    )
    assert said(bomb) == ["f.yaml:6:20: aliases add more than 500000 values"]
    assert said("[" * 200) == ["f.yaml:1:101: nested more than 100 levels deep"]
    assert said("a: &a {b: *a}") == ["f.yaml:1:11: alias '*a' has no anchor before it"]


def test_no_tag_makes_anything() -> None:
    assert yaml_source.parse('a: !!python/object/apply:os.system ["true"]').value == {"a": ["true"]}


def test_a_text_in_no_unicode_is_refused_at_its_first_wrong_byte() -> None:
    with pytest.raises(SourceError, match=r"f\.yaml:2:4: not UTF-8 \(byte 0xff\)"):
        yaml_source.parse(b"a: 1\nb: \xff\n", "f.yaml")


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text("0123456789.eExXo+-_:"),
    st.sampled_from(
        ["1e5", "0o17", "-.5", "0x1F", "on", "null", "~", "", "\x85b", "a\u2028b", "a\nb", " a", "#", "- a", "!a"]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda parts: st.lists(parts) | st.dictionaries(TEXTS.filter(lambda key: key != "<<"), parts),
)


@given(VALUES)
def test_a_dumped_value_reads_as_the_same_value(value: Any) -> None:
    found = yaml_source.parse(yaml_source.dump(value)).value
    assert (found, json.dumps(found)) == (value, json.dumps(value))


TOKENS = st.sampled_from(
    [
        *"a1-:?,[]{}&*#|>'\"!% \n~",
        ": ",
        "- ",
        "\n  ",
        "<<: ",
        "&a ",
        "*a",
        "'x'",
        '"y"',
        "0x1",
        "1e3",
        "null",
        "!!str ",
        "!t ",
        "---\n",
    ]
)


@given(st.lists(TOKENS, max_size=20).map("".join))
def test_the_quick_reader_reads_what_the_careful_one_reads(text: str) -> None:
    try:
        found = quick_value(text)
    except OddError:
        return
    assert json.dumps(found) == json.dumps(YamlBuilder("f", text).build()[0])


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "a: &a 1\nb: *a", "b: {<<: {a: 1}}", "1: a", "[a]: b", "a: [", "--- a\n--- b", "[" * 101]
)
def test_the_quick_reader_leaves_what_is_odd_to_the_careful_one(text: str) -> None:
    with pytest.raises(OddError):
        quick_value(text)


def test_places_are_looked_for_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    document = yaml_source.parse("a:\n  - b\n  - c: 1\n", "f.yaml")
    assert str(document.mark(("a", 1, "c"))) == "f.yaml:3:8"
    monkeypatch.setattr(yaml_reader, "YamlBuilder", lambda *_: pytest.fail("read again"))
    assert str(document.mark(("a", 0))) == "f.yaml:2:5"
    assert yaml_source.parse("a: 1").value == {"a": 1}


@pytest.mark.parametrize("text", ["[a, {b: c}]", "[&a a, {b: *a}]"])
def test_keys_and_values_are_counted_with_aliases_expanded(text: str) -> None:
    assert yaml_source.parse(text, most=5).value == ["a", {"b": "c" if "c" in text else "a"}]
    with pytest.raises(SourceError, match="expands to more than 4 values"):
        yaml_source.parse(text, most=4)


PLACEHOLDER = "a template placeholder: render the template first"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: {{ pause }}\nb: {{c}}\n", [f"f.yaml:1:5: {PLACEHOLDER}", f"f.yaml:2:5: {PLACEHOLDER}"]),
        ("- {{ pause }}\n", [f"f.yaml:1:4: {PLACEHOLDER}"]),
        ("a: {{ pause }}s\nb: 1\n", ["f.yaml:1:15: not YAML: did not find expected key"]),
        ("{% for a in b %}\na: 1\n", ["f.yaml:1:2: not YAML: found character that cannot start any token"]),
        ("a: { {b: c}: d}\n", ["f.yaml:1:6: a key must be text"]),
        ("a:\n- b\nc\n", ["f.yaml:4:1: not YAML: could not find expected ':'"]),
    ],
)
def test_a_placeholder_of_a_template_is_told_as_one(text: str, problems: list[str]) -> None:
    hint = f"; {PLACEHOLDER}" if ("{{" in text or "{%" in text) and "not YAML" in problems[0] else ""
    assert said(text) == [f"{problem}{hint}" for problem in problems]
