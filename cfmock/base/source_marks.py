"""Places in files, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Protocol

MOST_TOLD = 100
"""Mistakes of a file, or of a request, that are told; of more it is told how many there are."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text: file name as the user gave it, line and column counted from 1. Line 0: the whole of it, or, of what has
    no lines, what stands at `path`."""

    file: str
    line: int
    column: int
    path: str = ""

    def __str__(self) -> str:
        return self.at(self.path)

    def at(self, path: str) -> str:
        """The place with a path in the document, as people read it."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {path}" if path else place


class Marked(Protocol):
    """A text that knows where its parts stand."""

    def mark(self, path: Sequence[str | int] = (), *, key: bool = False) -> Mark: ...


class TextPlace(NamedTuple):
    """Where something stands in a text, looked for only when somebody asks: few places are ever told."""

    text: Marked
    path: tuple[str | int, ...]
    key: bool = False

    def __repr__(self) -> str:
        return f"TextPlace({path_text(self.path)!r})"  # without the whole text

    @property
    def mark(self) -> Mark:
        return self.text.mark(self.path, key=self.key)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where, at which path of the document (`flows[0].name`, or nothing), and what is wrong."""

    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.mark.at(self.path)}: {self.message}"


@dataclass(frozen=True, slots=True)
class MoreProblems(Problem):
    """Stands for all further mistakes of a file, `count` of them, at the place of the first."""

    count: int


class UnknownFlow(Problem):
    """A test or a schedule of a flow that no file which was read defines."""


def told(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems in the order of their files and texts, each once; of a file the first `MOST_TOLD`, and how many more."""
    found: list[Problem] = []
    for _, group in groupby(sorted(set(problems), key=_order), key=lambda each: each.mark.file):
        of_file = list(group)
        single = [each for each in of_file if not isinstance(each, MoreProblems)]
        more = [*single[MOST_TOLD:], *(each for each in of_file if isinstance(each, MoreProblems))]
        found += single[:MOST_TOLD]
        if more:
            count = sum(each.count if isinstance(each, MoreProblems) else 1 for each in more)
            found.append(
                MoreProblems(min(more, key=_order).mark, "", f"and {count} more mistake{'s' * (count != 1)}", count)
            )
    return tuple(found)


def _order(problem: Problem) -> tuple[str, int, int, str, str]:
    mark = problem.mark
    return mark.file, mark.line, mark.column, problem.path, problem.message


def path_text(path: Iterable[str | int]) -> str:
    """A document path as people write it: `('flows', 0, 'name')` → `flows[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
