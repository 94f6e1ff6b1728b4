"""The style of SVGs: the colours in `graph.css`, for light and dark, and an icon for each type of state.

Types differ by shape and icon, kinds of line by dashes, statuses by dashes and weight; colour only helps. Class names
begin with `cf-`, since a picture may stand inside a page.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path

from cfmock.engine.model import NodeKind

ICONS = {
    NodeKind.PASS: "M1.5 7h10M8 3.5 11.5 7 8 10.5",
    NodeKind.TASK: "M10.6 7a3.6 3.6 0 1 1-7.2 0 3.6 3.6 0 1 1 7.2 0ZM8.2 7a1.2 1.2 0 1 1-2.4 0 1.2 1.2 0 1 1 2.4 0Z"
    "M7 3.4V1M7 13v-2.4M3.4 7H1M13 7h-2.4M4.45 4.45 2.8 2.8M11.2 11.2 9.55 9.55M4.45 9.55 2.8 11.2M11.2 2.8 9.55 4.45",
    NodeKind.CHOICE: "M7 1v3.5M7 4.5 2.5 9v4M7 4.5 11.5 9v4M.7 11.2 2.5 13l1.8-1.8M9.7 11.2 11.5 13l1.8-1.8",
    NodeKind.PARALLEL: "M3 2v10M7 2v10M11 2v10",
    NodeKind.MAP: "M5 3h7.5M5 7h7.5M5 11h7.5M1.5 3h.8M1.5 7h.8M1.5 11h.8",
    NodeKind.WAIT: "M12.5 7a5.5 5.5 0 1 1-11 0 5.5 5.5 0 1 1 11 0ZM7 3.8V7l2.3 1.6",
    NodeKind.SUCCEED: "M2 7.5 5.5 11 12 3.5",
    NodeKind.FAIL: "M3 3l8 8M11 3l-8 8",
}
RETRY_ICON = "M11.7 4.5A5.2 5.2 0 1 0 12.2 7M12 1.5v3.2H8.8"


@functools.cache
def css() -> str:
    """Return the style sheet `graph.css`: light, and dark for readers whose system says so."""
    return Path(__file__).with_name("graph.css").read_text(encoding="utf-8")


_WIDTHS = {
    **dict.fromkeys("ijlI|!.,:;'`", 0.33),
    **dict.fromkeys('ftr()[]{}/\\"-* ', 0.42),
    **dict.fromkeys("mwMW@%—…", 0.95),
    **dict.fromkeys("ABCDEFGHKNOPQRSUVXYZ&", 0.72),
}
_USUAL = 0.6


def width(text: str, size: float) -> float:
    """Pixels that the text takes in a sans-serif font of that size, rather too many than too few."""
    return size * sum(_WIDTHS[letter] if letter in _WIDTHS else _other(letter) for letter in text)


def cut(text: str, size: float, room: float) -> str:
    """Return the text in one line; where it does not fit, `…` stands for its end."""
    line = " ".join(text.split()) or text
    if width(line, size) <= room:
        return line
    room -= width("…", size)
    for index, letter in enumerate(line):
        room -= width(letter, size)
        if room < 0:
            return line[:index].rstrip() + "…"
    return line


def _other(letter: str) -> float:
    if letter < "\u0300":
        return _USUAL
    if unicodedata.combining(letter):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(letter) in "WF" else _USUAL + 0.1
