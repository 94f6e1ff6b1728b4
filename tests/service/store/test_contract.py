"""What every backend does: one body of tests for all of them."""

from __future__ import annotations

import random

import pytest

from cfmock.service.store.base import Entry, Index, Table
from cfmock.service.store.memory import MemoryIndex, MemoryTable


@pytest.fixture(params=[MemoryTable])
def table(request: pytest.FixtureRequest) -> Table[int]:
    made: Table[int] = request.param()
    return made


@pytest.fixture(params=[MemoryIndex])
def index(request: pytest.FixtureRequest) -> Index:
    made: Index = request.param()
    return made


def test_a_row_is_found_under_its_key_in_its_partition_only(table: Table[int]) -> None:
    table.put("p", "a", 1)
    assert (table.get("p", "a"), table.get("q", "a"), table.get("p", "b")) == (1, None, None)


def test_a_row_put_again_takes_the_place_of_the_old_one(table: Table[int]) -> None:
    table.put("p", "a", 1)
    table.put("p", "a", 2)
    assert (table.get("p", "a"), table.count("p"), list(table.keys("p"))) == (2, 1, ["a"])


def test_keys_come_in_order_from_where_they_are_wanted_to_where_they_end(table: Table[int]) -> None:
    for key in "dbaec":
        table.put("p", key, 0)
    assert list(table.keys("p")) == ["a", "b", "c", "d", "e"]
    assert list(table.keys("p", "b", "d")) == ["b", "c"]
    assert list(table.keys("q")) == []


def test_keys_put_and_deleted_between_two_looks_are_in_order_and_gone(table: Table[int]) -> None:
    chance, there = random.Random(7), set()
    for turn in range(500):
        key = str(chance.randrange(60))
        if chance.random() < 0.6:
            table.put("p", key, turn)
            there.add(key)
        else:
            assert table.delete("p", key) == (key in there)
            there.discard(key)
        if chance.random() < 0.1:
            assert list(table.keys("p")) == sorted(there)
    assert table.count("p") == len(there)


def test_a_dropped_partition_is_empty_and_the_others_are_as_they_were(table: Table[int]) -> None:
    table.put("p", "a", 1)
    table.put("q", "b", 2)
    table.drop("p")
    assert (table.get("p", "a"), table.count("p"), list(table.keys("p"))) == (None, 0, [])
    assert list(table.keys("q")) == ["b"]


class Row:
    """A row with one entry, or several."""

    def __init__(self, *entries: Entry, serial: int | None = None) -> None:
        self.entries = entries
        self.serial = int(entries[0][1]) if serial is None else serial


def test_entries_come_in_falling_order_between_the_bounds(index: Index) -> None:
    for number in (3, 1, 4, 2):
        index.add("p", Row(("s", number)))
    assert list(index.descend("p", ("s", 2), ("s", 4))) == [("s", 3), ("s", 2)]
    assert list(index.descend("q", ("s", 0), ("s", 9))) == []


def test_a_row_stands_in_all_its_places_until_it_is_discarded(index: Index) -> None:
    row = Row(("a", 1), ("b", 1))
    index.add("p", row)
    index.add("p", Row(("a", 2)))
    assert list(index.descend("p", ("",), ("~",))) == [("b", 1), ("a", 2), ("a", 1)]
    index.discard("p", row)
    assert list(index.descend("p", ("",), ("~",))) == [("a", 2)]


def test_entries_added_and_discarded_between_two_looks_are_in_order_and_gone(index: Index) -> None:
    index.add("p", Row(("Running", 1)))
    index.discard("p", Row(("Running", 1)))
    index.discard("p", Row(("Running", 9)))
    index.add("p", Row(("Succeeded", 1)))
    assert list(index.descend("p", ("",), ("~",))) == [("Succeeded", 1)]
    index.add("p", Row(("Failed", 2)))
    assert list(index.descend("p", ("",), ("~",))) == [("Succeeded", 1), ("Failed", 2)]
    index.drop("p")
    assert list(index.descend("p", ("",), ("~",))) == []
