"""Values are written as PyYAML writes them, whoever writes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfmock.base import yaml_dump
from cfmock.base.yaml_dump import dumped

WORDS = (
    "", "a", "yes", "null", "1", "1.5", "0o7", "a: b", "a #b", "- a", "?", "a:", "[a]", "$Input.n < 5", " lead", "trail ",
    "a\nb", "\n", "名", "'q'", '"dq"', "%x", "`", "&a", "*a", "|", "2024-01-01", "<<", "a\tb", "\u2028", "x" * 61, "word " * 12,
)  # fmt: skip
TEXTS = st.sampled_from(WORDS) | st.text(max_size=5)
SCALARS = TEXTS | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS, lambda parts: st.lists(parts, max_size=4) | st.dictionaries(TEXTS, parts, max_size=4), max_leaves=20
)


@settings(max_examples=150)
@given(VALUES)
def test_what_is_written_quickly_is_what_pyyaml_writes(value: Any) -> None:
    quick = dumped(value)
    assert quick is None or quick == yaml_dump._dump_slowly(value)


@pytest.mark.parametrize("word", WORDS)
def test_a_definition_is_written_without_looking_at_its_letters_again(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {
        "Type": "StateMachine",
        "States": [{"Name": word, "Data": {"n.$": "$Input.n", "list": [[1, {}], [], None]}}],
    }
    if dumped(value) is not None:
        slowly = yaml_dump._dump_slowly(value)
        monkeypatch.delattr(yaml_dump, "_dump_slowly")
        assert dumped(value) == slowly
