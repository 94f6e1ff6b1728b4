"""A cache whose count and size have a bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cfmock.base.bounded_cache import BoundedCache


def test_the_least_recently_used_goes_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(count=2, size=100)
    for key in ("a", "b"):
        cache.put(key, ord(key), 1)
    assert cache.get("a") == ord("a")
    cache.put("c", ord("c"), 1)
    assert [cache.get(key) for key in "abc"] == [ord("a"), None, ord("c")]


def test_a_large_value_takes_the_place_of_several() -> None:
    cache: BoundedCache[str, int] = BoundedCache(count=10, size=10)
    for key in "abc":
        cache.put(key, 0, 3)
    cache.put("d", 0, 6)
    assert [key for key in "abcd" if cache.get(key) is not None] == ["c", "d"]


def test_a_value_beyond_the_bound_is_not_kept_and_costs_no_other_its_place() -> None:
    cache: BoundedCache[str, int] = BoundedCache(count=10, size=10)
    cache.put("a", 1, 3)
    cache.put("b", 2, 11)
    cache.put("a", 3, 11)
    assert (cache.get("a"), cache.get("b"), len(cache), cache.size) == (None, None, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12))))
def test_neither_count_nor_size_is_ever_exceeded(puts: list[tuple[int, int]]) -> None:
    cache: BoundedCache[int, int] = BoundedCache(count=3, size=10)
    for key, size in puts:
        cache.put(key, size, size)
        assert len(cache) <= 3
        assert cache.size <= 10
        assert cache.get(key) == (size if size <= 10 else None)
