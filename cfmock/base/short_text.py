"""Short forms of texts that come from outside and may have any length: a beginning, or a digest."""

from __future__ import annotations

import hashlib

LONGEST = 256
"""Characters of a nonce, a date, a key id, a name or a header that are kept."""


def shortened(text: str) -> str:
    """Return the text as it is kept to be looked at: its beginning, if it is long."""
    return text if len(text) <= LONGEST else text[:LONGEST]


def digest(text: str) -> bytes:
    """Return 16 bytes that stand for a text where only equality counts."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def printable(text: str) -> str:
    """Return the text on one line, with invisible characters as Python writes them (`\\n`, `\\x1b`): a name from a client could
    else begin a line, or steer the terminal."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
