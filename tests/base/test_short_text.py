"""What is kept of texts of any length."""

from __future__ import annotations

from cfmock.base.short_text import LONGEST, digest, shortened


def test_a_text_is_kept_whole_up_to_its_bound() -> None:
    assert shortened("a" * LONGEST) == "a" * LONGEST
    assert shortened("a" * (LONGEST + 1)) == "a" * LONGEST


def test_texts_that_differ_anywhere_have_different_digests_of_one_size() -> None:
    texts = ["", "a", "a" * 1000, "a" * 999 + "b", "\udcff", "\ud800", "é"]
    assert len({digest(text) for text in texts}) == len(texts)
    assert {len(digest(text)) for text in texts} == {16}
