"""Problems of files: in order, once each, and not too many."""

from __future__ import annotations

import pytest

from cfmock.base import readers
from cfmock.base.errors import InvalidValue, SourceError
from cfmock.base.problems import MOST_TOLD, UNKNOWN_KEY, Mistake, Problem, told
from cfmock.base.readers import unknown_key
from cfmock.base.source_marks import Mark


def test_a_mistake_is_a_value_and_its_words_are_made_of_it() -> None:
    mistake = unknown_key("outcoms", ["outcomes", "tasks"])
    assert mistake == Mistake(UNKNOWN_KEY, ("'outcoms'",), ("outcomes",))
    problem = Problem(Mark("a.yaml", 1, 2), ("flows", 0, "outcoms"), mistake, within=(3, 4))
    assert str(problem) == (
        "a.yaml:1:2: flows[0].outcoms: unknown key 'outcoms' (did you mean 'outcomes'?) (line 3, column 4 of the text)"
    )
    assert str(Mistake("{} stays {braces}")) == "{} stays {braces}"


@pytest.mark.parametrize(
    ("read", "value", "problems"),
    [
        (
            readers.mapping({"a": readers.items(readers.flag)}),
            {"a": [True, 1, 2], "b": 1},
            [("a", 1), ("a", 2), ("b",)],
        ),
        (readers.mapping({"a": readers.flag}, required=["c"]), {"a": 1}, [("a",), ()]),
        (readers.some(readers.whole(1)), [1, 0, {}], [(1,), (2,)]),
    ],
)
def test_a_reader_raises_every_mistake_with_its_path(
    read: readers.Reader, value: object, problems: list[tuple[str | int, ...]]
) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(value)
    assert [path for path, _ in caught.value.problems] == problems
    assert [path for path, _ in caught.value.below("x", 1)] == [("x", 1, *path) for path in problems]


def problems(file: str, count: int) -> list[Problem]:
    return [Problem.at(Mark(file, line, 1), "wrong") for line in range(1, count + 1)]


def test_of_each_file_the_first_are_told_and_the_others_counted() -> None:
    found = told([*reversed(problems("b", MOST_TOLD)), *problems("a", MOST_TOLD + 2), *problems("a", 1)])
    assert found == (
        *problems("a", MOST_TOLD),
        Problem.more(Mark("a", MOST_TOLD + 1, 1), 2),
        *problems("b", MOST_TOLD),
    )


def test_what_was_only_counted_stays_counted() -> None:
    once = SourceError(problems("a", 1_000))
    again = SourceError([*once.problems, *problems("a", 1_001)[-1:]])
    assert (once.count, again.count, len(again.problems)) == (1_000, 1_001, MOST_TOLD + 1)
    assert str(again).endswith("a:101:1: and 901 more mistakes")
