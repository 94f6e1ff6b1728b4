"""Globs: what `fnmatch` covers, in time proportional to the text."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfmock.base.globs import MAX_GLOB, ends, glob, glob_matches, is_glob

LETTERS = st.text("ab[]!-*?^\\\nß", max_size=12)


@given(LETTERS, LETTERS)
def test_they_cover_what_those_of_the_standard_library_cover(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is fnmatch.fnmatchcase(text, pattern)
    assert glob_matches(pattern, text) is (fnmatch.fnmatchcase(text, pattern) or pattern == text)


@pytest.mark.parametrize(
    ("pattern", "text", "covered"),
    [
        ("order-*", "order-1", True), ("order-*-x", "order-x", False), ("*a*b*c*", "xaxbxcx", True),
        ("*a*b*c*", "xcxbxax", False), ("[]a]*", "]", True), ("[!]a]?", "xy", True), ("[", "[", True), ("[!]", "[!]", True),
        ("[b-a]", "b", False), ("a*a", "a", False), ("**", "", True), ("", "", True), ("", "a", False), ("?", "\n", True),
    ],
)  # fmt: skip
def test_examples(pattern: str, text: str, covered: bool) -> None:
    assert glob(pattern)(text) is covered


@pytest.mark.parametrize("pattern", ["*a" * 511 + "*b", "*" * 1023 + "b", "*a*?" * 255 + "b", "*" + "a" * 1000 + "b"])
def test_no_glob_takes_much_longer_for_being_tried_in_vain(pattern: str) -> None:
    began = time.process_time()
    assert not glob(pattern)("a" * 20_000)
    assert time.process_time() - began < 5  # a thousandth of it; matched by trying again it does not end


def test_a_text_too_long_for_a_glob_stands_for_itself() -> None:
    long = "*" * (MAX_GLOB + 1)
    assert glob_matches(long, long)
    assert not glob_matches(long, "a")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("a*b", ("a", "b")), ("*", ("", "")), ("a", None), ("a*b*", None), ("a*?", None), ("[a]*", None)],
)
def test_what_a_text_begins_and_ends_with(pattern: str, found: tuple[str, str] | None) -> None:
    assert ends(pattern) == found
    assert is_glob(pattern) is (pattern != "a")
