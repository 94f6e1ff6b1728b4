"""Where the parts of a JSON text stand: looked for only where somebody asks, at the speed of the JSON reader."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from msgspec import Struct

_SPACE = re.compile(r"[ \t\n\r]*")


class _Part(Struct, frozen=True):
    """Where a part of an object or array begins, and its key, if it has one."""

    start: int
    key: int | None = None


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
            at = part.start
            if not key:
                found = at
            elif part.key is not None:
                found = part.key
        return found

    def _parts(self, start: int) -> dict[str | int, _Part]:
        """Return the parts of the object or array that begins there; none of anything else."""
        known = self._known.get(start)
        if known is None:
            opening = self._text[start : start + 1]
            parts = self._of_object(start) if opening == "{" else self._of_array(start) if opening == "[" else {}
            known = self._known[start] = parts
        return known

    def _of_object(self, start: int) -> dict[str | int, _Part]:
        parts: dict[str | int, _Part] = {}
        at = self._after_space(start + 1)
        while self._text[at] != "}":
            key = at
            name, at = self._skip(self._text, at)
            at = self._after_space(self._after_space(at) + 1)  # behind the colon
            parts[name] = _Part(at, key)
            at = self._after_value(at)
        return parts

    def _of_array(self, start: int) -> dict[str | int, _Part]:
        parts: dict[str | int, _Part] = {}
        at = self._after_space(start + 1)
        while self._text[at] != "]":
            parts[len(parts)] = _Part(at)
            at = self._after_value(at)
        return parts

    def _after_value(self, at: int) -> int:
        """Find where the next part begins, or what closes them."""
        at = self._after_space(self._skip(self._text, at)[1])
        return self._after_space(at + 1) if self._text[at] == "," else at

    def _after_space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found is not None else at
