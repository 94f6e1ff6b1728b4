"""What can be wrong with an expression, by when it shows.

CfmockError
├── ExpressionSyntaxError   when it is compiled: the author's text
├── ConstructorErrors       the same, for all expressions of a constructor at once
└── ExpressionError         when it is evaluated: the data do not fit
    ├── MissingPathError        a path leads nowhere
    └── DataTooLarge            more than a step may make, or work with
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from cfmock.base.errors import CfmockError
from cfmock.base.problems import Mistake
from cfmock.base.source_marks import path_text

_WINDOW = 60  # characters shown on either side of a mistake in a long line


class ExpressionSyntaxError(CfmockError):
    """A text that is no expression: `message` says why, `column` where (in characters from 1), `text` is the whole."""

    def __init__(self, message: str, text: str, column: int) -> None:
        super().__init__(message, text, column)
        self.message = message
        self.text = text
        self.column = column

    def __str__(self) -> str:
        return f"column {self.column}: {self.message}"

    @property
    def mistake(self) -> Mistake:
        """The mistake, with the line and a caret below it where there is a text."""
        if not self.text:
            return Mistake("{}", (self.message,))
        return Mistake("{}\n{}", (self.message, "\n".join(f"    {line}" for line in self.caret().split("\n"))))

    def caret(self) -> str:
        """The line of the mistake and, below it, a caret under the place, also after wide characters."""
        at = self.column - 1
        start = self.text.rfind("\n", 0, at) + 1
        end = (self.text + "\n").index("\n", at)
        left, right = max(start, at - _WINDOW), min(end, at + _WINDOW)
        before = "".join(map(_visible, self.text[left:at]))
        if left > start:
            before = "…" + before
        rest = "".join(map(_visible, self.text[at:right])) + ("…" if right < end else "")
        return f"{before}{rest}\n{' ' * sum(map(_cells, before))}^"


class ConstructorErrors(CfmockError):  # noqa: N818 - it carries many
    """Every mistake of a constructor. `problems`: pairs of a path in it (`("body", "url.$")`) and the mistake; `words`: how many
    its expressions have, as far as they were read."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], ExpressionSyntaxError]], words: int = 0) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)
        self.words = words

    def __str__(self) -> str:
        return "\n".join(f"{path_text(path)}: {error}" for path, error in self.problems)


class ExpressionError(CfmockError):
    """An expression that cannot be evaluated with these data. `text` is the expression, once that is known."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message, text)
        self.message = message
        self.text = text

    def __str__(self) -> str:
        text = self.text if len(self.text) <= 2 * _WINDOW else self.text[: 2 * _WINDOW] + "…"
        return f"{self.message}, in: {text}" if text else self.message


class MissingPathError(ExpressionError):
    """A path to something that is not there."""


class DataTooLarge(ExpressionError):  # noqa: N818 - reads as what happened where it is raised
    """A value that is too large for any step, or more work than one step may take."""


def _visible(character: str) -> str:
    return character if character.isprintable() else " "


def _cells(character: str) -> int:
    """How many columns of a terminal the character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
