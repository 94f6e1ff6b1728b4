"""Selection of findings: codes to select and to ignore, of which the longer decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cfmock.base.errors import SettingsError
from cfmock.base.findings import RULES, codes, near_code
from cfmock.base.suggestions import meant


@dataclass(frozen=True, slots=True)
class Selection:
    """`select` and `ignore` are codes or their beginnings, as given; nothing selected: all."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, select: Iterable[str], ignore: Iterable[str]) -> Selection:
        """Read lists with commas, as options have them. Raises SettingsError for any word that is no code."""
        return cls(_words("--select", select), _words("--ignore", ignore))

    def wants(self, code: str) -> bool:
        """Return whether it is selected by more of its letters than ignored: `--ignore CF1 --select CF101` leaves CF101."""
        return _most(self.select or ("",), code) > _most(self.ignore, code)


def _most(words: Iterable[str], code: str) -> int:
    return max((len(word) for word in words if code.startswith(word)), default=-1)


def _words(option: str, given: Iterable[str]) -> tuple[str, ...]:
    words = [word.strip() for text in given for word in text.split(",")]
    for word in words:
        if not codes(word):
            raise SettingsError(f"{option}: there is no check '{word}'{meant(*near_code(word)) or _known()}")
    return tuple(word.upper() for word in words)


def _known() -> str:
    return f"; there are {', '.join(RULES)}"
