"""Widths of text, about, and text cut to fit: a picture is measured without knowing the reader's font."""

from __future__ import annotations

import unicodedata

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
