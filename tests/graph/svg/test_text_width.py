"""Measuring and cutting text."""

from __future__ import annotations

import pytest

from cfmock.graph.svg.style import cut, width


@pytest.mark.parametrize(
    ("narrow", "wide"), [("iiii", "nnnn"), ("nnnn", "mmmm"), ("abcd", "订单处理"), ("e", "e\u0301x")]
)  # fmt: skip
def test_wide_letters_take_more_room(narrow, wide):
    assert width(narrow, 10) < width(wide, 10)


def test_text_that_fits_is_not_cut():
    assert cut("short", 10, 100) == "short"


def test_text_that_does_not_fit_ends_in_dots_and_fits():
    text = cut("a rather long name for a state", 10, 80)
    assert text.endswith("…")
    assert width(text, 10) <= 80
    assert "a rather long name".startswith(text[:-1])


def test_text_is_one_line():
    assert cut("two\n  lines", 10, 500) == "two lines"
