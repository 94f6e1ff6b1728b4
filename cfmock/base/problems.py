"""Mistakes as values: what is wrong and where. They are put into words where somebody reads them, and only there."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from msgspec import Struct

from cfmock.base.source_marks import Mark, path_text
from cfmock.base.suggestions import meant, shown

MOST_TOLD = 100
"""Mistakes of a file, or of a request, that are shown; of more only the number is."""

Path = tuple["str | int", ...]

MISSING = "'{}' is missing"
MORE = "and {} more mistake{}"
NO_FLOW = "there is no flow '{}'"
"""A test or a schedule names a flow that no file which was read defines."""
PLACEHOLDER = "a template placeholder: render the template first"
"""The mistake in `Seconds: {{ pause }}`."""
NOT_ONE_OF = "{} is not one of {}"
UNKNOWN_KEY = "unknown key {}"
UNKNOWN_KEY_OF = "unknown key {}, known are {}"


class Mistake(Struct, frozen=True):
    """One mistake, apart from its place. `kind` is the sentence, with `{}` for each part of the `subject` (without any it may
    have other braces); mistakes of one kind share it. `near` holds the known words that were probably meant."""

    kind: str
    subject: tuple[str | int, ...] = ()
    near: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (self.kind.format(*self.subject) if self.subject else self.kind) + meant(*self.near)


def belongs_into(name: str, key: str) -> Mistake:
    """Return the mistake of a key that stands where it should stand under another one."""
    return Mistake("unknown key {}: it belongs into '{}', as {{\"{}\": ...}}", (shown(key), name, key))


Mistakes = list[tuple[Path, Mistake]]
"""Mistakes with their paths within a value."""


class Problem(Struct, frozen=True):
    """A mistake in a file: `mark` is its place, `place` the path in the document (empty: none), `within` line and column in a
    text at `mark` whose lines are not the file's. `count` is the number of mistakes that it stands for."""

    mark: Mark
    place: Path
    mistake: Mistake
    within: tuple[int, int] | None = None
    count: int = 1

    @classmethod
    def at(
        cls, mark: Mark, kind: str, *subject: str | int, path: Iterable[str | int] = (), near: tuple[str, ...] = ()
    ) -> Problem:
        """Return the problem with the parts of its mistake given one by one."""
        return cls(mark, tuple(path), Mistake(kind, subject, near))

    @classmethod
    def more(cls, mark: Mark, count: int) -> Problem:
        """Stands for `count` further mistakes of a file, from this place on."""
        return cls(mark, (), Mistake(MORE, (count, "s" * (count != 1))), count=count)

    @property
    def path(self) -> str:
        """The path in the document as people write it: `flows[0].name`."""
        return path_text(self.place)

    @property
    def message(self) -> str:
        return f"{self.mistake}{within_text(self.within)}"

    def __str__(self) -> str:
        return f"{self.mark.at(self.path)}: {self.message}"


def within_text(within: tuple[int, int] | None) -> str:
    """` (line 2, column 5 of the text)`, or nothing."""
    return "" if within is None else f" (line {within[0]}, column {within[1]} of the text)"


def told(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems in the order of their files and texts, each once; of a file the first `MOST_TOLD` and a count."""
    found: list[Problem] = []
    for _, group in groupby(sorted(set(problems), key=_order), key=lambda each: each.mark.file):
        of_file = list(group)
        single = [each for each in of_file if each.mistake.kind != MORE]
        rest = [*single[MOST_TOLD:], *(each for each in of_file if each.mistake.kind == MORE)]
        found += single[:MOST_TOLD]
        if rest:
            found.append(Problem.more(min(rest, key=_order).mark, sum(each.count for each in rest)))
    return tuple(found)


def _order(problem: Problem) -> tuple[str, int, int, str, str]:
    mark = problem.mark
    return mark.file, mark.line, mark.column, problem.path, problem.message
