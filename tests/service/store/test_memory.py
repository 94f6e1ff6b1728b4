"""Tables and indexes of rows."""

from __future__ import annotations

import random
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import pytest

from cfmock.service.rows import Place
from cfmock.service.store.memory import Index, Moment, Table


@pytest.fixture
def table() -> Table[int]:
    return Table()


@pytest.fixture
def index() -> Index:
    return Index()


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


class Row(NamedTuple):
    """A row of one place, or several."""

    started: float
    serial: int
    places: Sequence[Place] = (("", "s"),)


LAST = (1e12, 0.0)


def serials(index: Index, place: Place = ("", "s"), low: float = 0, high: Moment = LAST) -> list[int]:
    return [row.serial for row in index.descend("p", place, low, high)]


def test_rows_come_in_falling_order_between_the_bounds(index: Index) -> None:
    for number in (3, 1, 4, 2):
        index.add("p", Row(number, number))
    assert serials(index, low=2, high=(4, 4)) == [3, 2]
    assert list(index.descend("q", ("", "s"), 0, LAST)) == []


def test_rows_of_a_place_are_counted(index: Index) -> None:
    for number in (3, 1, 4, 2):
        index.add("p", Row(number, number))
    index.discard("p", Row(3, 3))
    index.add("p", Row(5, 5, (("", "other"),)))
    assert [index.count(part, ("", "s")) for part in ("p", "q")] == [3, 0]


def test_rows_of_one_moment_come_by_their_serials(index: Index) -> None:
    for serial in (2, 1, 3):
        index.add("p", Row(5, serial))
    assert serials(index) == [3, 2, 1]
    assert serials(index, high=(5, 3)) == [2, 1]


def test_a_row_stands_in_all_its_places_until_it_is_discarded(index: Index) -> None:
    row = Row(1, 1, (("", "a"), ("v", "a")))
    index.add("p", row)
    index.add("p", Row(2, 2, (("", "a"),)))
    assert (serials(index, ("", "a")), serials(index, ("v", "a"))) == ([2, 1], [1])
    index.discard("p", row)
    assert (serials(index, ("", "a")), serials(index, ("v", "a"))) == ([2], [])


def test_a_row_goes_from_place_to_place(index: Index) -> None:
    running = (("", "Running"),)
    index.add("p", Row(1, 1, running))
    index.discard("p", Row(1, 1, running))
    index.discard("p", Row(9, 9, running))
    index.add("p", Row(1, 1))
    assert (serials(index), serials(index, running[0])) == ([1], [])
    index.add("p", Row(9, 9, running))
    assert serials(index, running[0]) == [9]
    index.drop("p")
    assert (serials(index), serials(index, running[0])) == ([], [])


@dataclass(eq=False)
class Heavy:
    """A row of which anybody can see whether something still holds on to it."""

    started: float
    serial: int
    places: Sequence[Place] = (("", "s"),)


@pytest.mark.parametrize("looked_at", [True, False])
def test_a_row_is_let_go_of_when_it_is_discarded(index: Index, looked_at: bool) -> None:
    rows = {serial: Heavy(started, serial) for serial, started in enumerate((1, 2, 5, 6, 7, 3, 4))}
    for row in rows.values():
        index.add("p", row)
    if looked_at:
        assert len(list(index.descend("p", ("", "s"), 0, LAST))) == 7
    del row
    for serial in (0, 4, 2, 5):
        held = weakref.ref(rows[serial])
        index.discard("p", rows.pop(serial))
        assert held() is None
    assert [each.serial for each in index.descend("p", ("", "s"), 0, LAST)] == [3, 6, 1]


@pytest.mark.parametrize("late", [0.0, 0.2, 1.0])
def test_very_many_rows_are_in_order_however_they_come_and_go(index: Index, late: float) -> None:
    chance, there = random.Random(7), dict[int, Row]()
    for serial in range(12_000):
        row = Row(chance.random() * 1e6 if chance.random() < late else serial, serial)
        index.add("p", row)
        there[serial] = row
        if serial % 3 == 0:
            gone = there.pop(chance.choice((next(iter(there)), serial)))
            index.discard("p", gone)
    wanted = [row.serial for row in sorted(there.values(), reverse=True)]
    assert serials(index) == wanted
    assert serials(index, low=4000, high=(6000, 0)) == [
        row.serial for row in sorted(there.values(), reverse=True) if row.started >= 4000 and row[:2] < (6000, 0)
    ]


def test_very_many_keys_are_in_order_however_they_come_and_go(table: Table[int]) -> None:
    chance, there = random.Random(7), dict[str, None]()
    for number in range(12_000):
        key = str(chance.randrange(9_000))
        table.put("p", key, number)
        there[key] = None
        if number % 3 == 0:
            gone = chance.choice((next(iter(there)), key))
            del there[gone]
            assert table.delete("p", gone)
    assert list(table.keys("p")) == sorted(there)
    assert list(table.keys("p", "3", "5")) == sorted(key for key in there if "3" <= key < "5")


class Key(str):
    """Counts how often two are compared."""

    compared = 0

    def __lt__(self, other: str) -> bool:
        Key.compared += 1
        return str.__lt__(self, other)


def test_who_looks_first_after_a_fill_does_not_wait_for_all_to_be_sorted(table: Table[int], index: Index) -> None:
    chance, moments = random.Random(7), list[float]()

    class Timed(NamedTuple):
        at: float
        serial: int
        places: Sequence[Place] = (("", "s"),)

        @property
        def started(self) -> float:
            moments.append(self.at)
            return self.at

    for number in range(20_000):
        table.put("p", Key(chance.randrange(1_000_000_000)), number)
        index.add("p", Timed(number if number % 100 else chance.random() * 1e4, number))  # type: ignore[arg-type]
    Key.compared = 0
    moments.clear()
    first = list(islice(table.keys("p"), 20))
    assert first == sorted(first)
    newest = list(islice(index.descend("p", ("", "s"), 0, LAST), 20))
    assert newest[0].serial == 19_999
    assert Key.compared < 20_000
    assert len(moments) < 20_000
