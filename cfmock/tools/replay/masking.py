"""Takes secrets and long texts out of the data of an execution, before they are written to a file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from cfmock.base.json_text import Json, json_text

LONGEST_TEXT = 80
"""Characters of a text that stays as it is."""

_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)?$|pwd|secret|token|credential|authori[sz]ation|cookie|session|signature|"
    r"(api|access|private|encryption|account)_?key|^key$|^ak$|^sk$|^sign$",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"LTAI[0-9A-Za-z]{12,}|STS\.[0-9A-Za-z]{8,}|eyJ[\w-]{8,}\.[\w-]{8,}|-----BEGIN |Bearer\s+\S{8,}|://[^/\s:@]+:[^/\s@]+@|"
    r"[?&](Signature|OSSAccessKeyId|x-oss-signature|security-token)="
)


class Masker:
    """Masks values. The same text is masked in the same way everywhere, so that what compares texts goes on as before.

    `keep` are the names of fields that stay, with all below them. `masked` are the names of those that did not.
    """

    def __init__(self, keep: Collection[str] = ()) -> None:
        self._keep = frozenset(keep)
        self._numbers: dict[str, int] = {}
        self.masked: dict[str, None] = {}

    def value(self, value: Json, key: str = "", secret: bool = False) -> Json:
        """The value without its secrets."""
        if key in self._keep:
            return value
        secret = secret or bool(key and _SECRET_KEY.search(key))
        if isinstance(value, dict):
            return {name: self.value(each, name, secret) for name, each in value.items()}
        if isinstance(value, list):
            return [self.value(each, key, secret) for each in value]
        if isinstance(value, str):
            return self._text(value, key, secret)
        if secret and isinstance(value, int | float) and not isinstance(value, bool):
            self.masked[key] = None
            return 0
        return value

    def _text(self, text: str, key: str, secret: bool) -> str:
        inner = _json_inside(text)
        if inner is not None and not secret:
            masked = self.value(inner, key)
            return text if masked == inner and len(text) <= LONGEST_TEXT else json_text(masked)
        if not text or not (secret or len(text) > LONGEST_TEXT or _SECRET_TEXT.search(text)):
            return text
        self.masked[key] = None
        number = self._numbers.setdefault(text, len(self._numbers) + 1)
        return f"masked-{number}"


def _json_inside(text: str) -> Json:
    """The object or array that a text is in JSON, None if it is none."""
    if text[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None
