"""Problems of files: in order, once each, and not too many."""

from __future__ import annotations

from cfmock.base.errors import SourceError
from cfmock.base.source_marks import MOST_TOLD, Mark, MoreProblems, Problem, told


def problems(file: str, count: int) -> list[Problem]:
    return [Problem(Mark(file, line, 1), "", "wrong") for line in range(1, count + 1)]


def test_of_each_file_the_first_are_told_and_the_others_counted() -> None:
    found = told([*reversed(problems("b", MOST_TOLD)), *problems("a", MOST_TOLD + 2), *problems("a", 1)])
    assert found == (
        *problems("a", MOST_TOLD),
        MoreProblems(Mark("a", MOST_TOLD + 1, 1), "", "and 2 more mistakes", 2),
        *problems("b", MOST_TOLD),
    )


def test_what_was_only_counted_stays_counted() -> None:
    once = SourceError(problems("a", 1_000))
    again = SourceError([*once.problems, *problems("a", 1_001)[-1:]])
    assert (once.count, again.count, len(again.problems)) == (1_000, 1_001, MOST_TOLD + 1)
    assert str(again).endswith("a:101:1: and 901 more mistakes")
