"""Where the parts of a JSON text stand: looked for only where somebody asks, at the speed of the JSON reader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\n\r]*")


_Part = tuple[int, "int | None"]
"""Where a part of an object or array begins, and its key, if it has one."""


class JsonPlaces:
    """The places of a text that is JSON, as offsets. What has been looked through once is known from then on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[int, dict[str | int, _Part]] = {}
        self._skip = json.JSONDecoder().raw_decode

    def of(self, path: Sequence[str | int], *, key: bool = False) -> int:
        """Return where the value at the path begins (or its key); if there is none, the nearest value above it."""
        at = found = self._after_space(0)
        for step in path:
            part = self._parts(at).get(step)
            if part is None:
                break
            at, named = part
            if not key:
                found = at
            elif named is not None:
                found = named
        return found

    def _parts(self, start: int) -> dict[str | int, _Part]:
        """Return the parts of the object or array that begins there; none of anything else."""
        known = self._known.get(start)
        if known is not None:
            return known
        parts = self._known[start] = {}
        closing = {"{": "}", "[": "]"}.get(self._text[start : start + 1])
        at = self._after_space(start + 1)
        while closing is not None and self._text[at] != closing:
            name: str | int = len(parts)
            key = None
            if closing == "}":
                key = at
                name, at = self._skip(self._text, at)
                at = self._after_space(self._after_space(at) + 1)  # behind the colon
            parts[name] = at, key
            at = self._after_value(at)
        return parts

    def _after_value(self, at: int) -> int:
        """Find where the next part begins, or what closes them."""
        at = self._after_space(self._skip(self._text, at)[1])
        return self._after_space(at + 1) if self._text[at] == "," else at

    def _after_space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found is not None else at
