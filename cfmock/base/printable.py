"""Texts of others as a terminal and a log can hold them."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text on one line, with invisible characters as Python writes them: a line break as `\\n`, an escape as `\\x1b`.

    A name that a client sends could else end a line and begin another one, or steer the terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
