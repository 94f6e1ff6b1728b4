"""Places in files, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where, at which path of the document (`flows[0].name`, or nothing), and what is wrong."""

    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.mark.at(self.path)}: {self.message}"


class UnknownFlow(Problem):
    """A test or a schedule of a flow that no file which was read defines."""


def path_text(path: Iterable[str | int]) -> str:
    """A document path as people write it: `('flows', 0, 'name')` → `flows[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
