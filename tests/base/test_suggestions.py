"""Suggestions: the nearest known name, for a bounded amount of work."""

from __future__ import annotations

import pytest

from cfmock.base import suggestions
from cfmock.base.errors import UnknownName
from cfmock.base.suggestions import did_you_mean, nearest, shared_allowance


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("Chrage", ["Ship", "Charge"], "Charge"),
        ("startexecution", ["StopExecution", "StartExecution"], "StartExecution"),
        ("Charge", ["Approve"], None),
        ("Charge", [], None),
        ("", ["Charge"], None),
        ("Paid", ["Check", "Pay"], "Pay"),
        ("Paid", ["Check", "Ship"], None),
        ("flow4", ["flow1", "flow2", "flow3"], "flow1"),
        ("x" * 201, ["x" * 200], None),
    ],
)
def test_the_nearest_known_name(word: str, known: list[str], found: str | None) -> None:
    assert nearest(word, known) == found
    assert did_you_mean(word, known) == (f" (did you mean '{found}'?)" if found else "")


def test_two_names_that_are_equally_near_are_both_told() -> None:
    known = ["RequestComplete", "WaitForSystemCallback", "WaitForCustomCallback"]
    said = did_you_mean("WaitForCallback", known)
    assert said == " (did you mean 'WaitForSystemCallback' or 'WaitForCustomCallback'?)"
    assert nearest("WaitForCallback", known) == "WaitForSystemCallback"


def test_an_unknown_name_carries_its_suggestion_and_is_a_value_error() -> None:
    error = UnknownName.of("no task 'Chrage'", "Chrage", ["Charge"])
    assert (str(error), error.suggestion) == ("no task 'Chrage' (did you mean 'Charge'?)", "Charge")
    far = UnknownName.of("no task 'x'", "x", ["Charge"])
    assert (str(far), far.suggestion, isinstance(far, ValueError)) == ("no task 'x'", None, True)


def test_the_letters_compared_for_one_suggestion_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = letters_compared(monkeypatch)
    assert nearest("a" * 128, [f"{'a' * 120}{number:05}" for number in range(10_000)]) is not None
    assert nearest("zzzzz", [f"order_flow_{number}" for number in range(10_000)]) is None
    assert 0 < sum(compared) <= suggestions.ALLOWANCE // 5


def test_all_suggestions_of_one_answer_share_an_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [f"state_number_{number}" for number in range(1_000)]
    compared = letters_compared(monkeypatch)
    with shared_allowance():
        found = [nearest(f"state_nubmer_{number}", known) for number in range(1_000)]
    assert found[:5] == known[:5]
    assert found[-1] is None
    assert sum(compared) <= suggestions.ALLOWANCE
    assert nearest("state_nubmer_999", known) == "state_number_999"


def test_an_answer_inside_another_has_no_allowance_of_its_own() -> None:
    known = ["Charge", *(f"state_number_{number}" for number in range(1_000))]
    with shared_allowance():
        found = [nearest("Chrage", known)]
        for _ in range(30):
            with shared_allowance():
                found.append(nearest("Chrage", known))
    assert (found[0], found[-1]) == ("Charge", None)


@pytest.mark.parametrize("word", ["", "a", "kitten", "sitting", "aaab", "Größe", "abcdefghijklmnopqrstuvwxyz" * 7])
@pytest.mark.parametrize(
    "other", ["", "ab", "sitting", "knitting", "baaa", "sittong", "größer", "zyxwvutsrqponmlkjihgfedcba" * 7]
)
def test_likeness_counts_the_letters_in_common(word: str, other: str) -> None:
    both = len(word) + len(other)
    near = both > 0 and 2 * in_common(word.casefold(), other.casefold()) / both >= 0.6
    assert nearest(word, [other]) == (other if near else None)


def in_common(word: str, other: str) -> int:
    """The length of the longest common subsequence, by the table of the textbooks."""
    above = [0] * (len(other) + 1)
    for letter in word:
        row = [0]
        for column, each in enumerate(other):
            row.append(above[column] + 1 if each == letter else max(above[column + 1], row[-1]))
        above = row
    return above[-1]


def letters_compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    compared: list[int] = []
    count = suggestions._in_common

    def counted(places: dict[str, int], size: int, name: str) -> int:
        compared.append(len(name))
        return count(places, size, name)

    monkeypatch.setattr(suggestions, "_in_common", counted)
    return compared


def test_the_name_that_was_meant_is_found_among_very_many() -> None:
    assert nearest("order_flw_77", [f"order_flow_{number}" for number in range(10_000)]) == "order_flow_77"
