"""Suggestions: the nearest known name, for a bounded amount of work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cfmock.base import suggestions
from cfmock.base.errors import UnknownName
from cfmock.base.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("Chrage", ["Ship", "Charge"], "Charge"),
        ("startexecution", ["StopExecution", "StartExecution"], "StartExecution"),
        ("Charge", ["Approve"], None),
        ("Charge", [], None),
        ("", ["Charge"], None),
        ("x" * 201, ["x" * 200], None),
    ],
)
def test_the_nearest_known_name(word: str, known: list[str], found: str | None) -> None:
    assert nearest(word, known) == found
    assert did_you_mean(word, known) == (f" (did you mean '{found}'?)" if found else "")


def test_an_unknown_name_carries_its_suggestion_and_is_a_value_error() -> None:
    error = UnknownName.of("no task 'Chrage'", "Chrage", ["Charge"])
    assert (str(error), error.suggestion) == ("no task 'Chrage' (did you mean 'Charge'?)", "Charge")
    far = UnknownName.of("no task 'x'", "x", ["Charge"])
    assert (str(far), far.suggestion, isinstance(far, ValueError)) == ("no task 'x'", None, True)


@pytest.mark.parametrize(
    ("word", "known"),
    [("order_flw_77", [f"order_flow_{number}" for number in range(10_000)]), ("a" * 128, ["a" * 127 + "b"] * 10_000)],
)
def test_of_very_many_names_few_are_compared(word: str, known: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def counted(word: str, names: Iterator[str], **_: object) -> list[str]:
        compared.extend(names)
        return compared[:1]

    monkeypatch.setattr(suggestions.difflib, "get_close_matches", counted)
    numbered = [f"{name}{number}" if len(set(known)) == 1 else name for number, name in enumerate(known)]
    nearest(word, numbered)
    assert 0 < sum(len(word) * len(name) for name in compared) <= 100_000
    assert len(word) < 100 or len(compared) < 10


def test_the_name_that_was_meant_is_found_among_very_many() -> None:
    assert nearest("order_flw_77", [f"order_flow_{number}" for number in range(10_000)]) == "order_flow_77"
