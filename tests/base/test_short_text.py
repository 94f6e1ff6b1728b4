"""What is kept of texts of any length."""

from __future__ import annotations

from cfmock.base.short_text import LONGEST, digest, short_cache, shortened


def test_a_text_is_kept_whole_up_to_its_bound() -> None:
    assert shortened("a" * LONGEST) == "a" * LONGEST
    assert shortened("a" * (LONGEST + 1)) == "a" * LONGEST


def test_texts_that_differ_anywhere_have_different_digests_of_one_size() -> None:
    texts = ["", "a", "a" * 1000, "a" * 999 + "b", "\udcff", "\ud800", "é"]
    assert len({digest(text) for text in texts}) == len(texts)
    assert {len(digest(text)) for text in texts} == {16}


def test_results_for_short_texts_are_kept_and_those_for_long_ones_are_not() -> None:
    asked: list[int] = []

    @short_cache(2)
    def size(text: str, more: int = 0) -> int:
        """The size of a text."""
        asked.append(len(text))
        return len(text) + more

    for _ in range(2):
        assert (size("ab"), size("ab", 1), size("a" * (LONGEST + 1))) == (2, 3, LONGEST + 1)
    assert asked == [2, 2, LONGEST + 1, LONGEST + 1]
    assert size.__doc__ == "The size of a text."
