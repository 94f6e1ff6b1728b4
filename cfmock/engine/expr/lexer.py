"""Expression text to tokens.

Strings stand in double or single quotes, with the escapes of JSON (an unknown one stays as written, so `"\\d"` is a
pattern as it stands), or in back-quotes, where a backslash is only a backslash (both our choice; the pages show plain
text only). A key after a dot may hold a hyphen between its letters, since the language has no subtraction. Letters are
those of any script.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from msgspec import Struct

from cfmock.engine.expr.errors import ExpressionSyntaxError

Kind = Literal["root", "key", "name", "string", "number", "operator", "end"]

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<root>\$\w*)
  | \.(?P<key>\w+(?:-+\w+)*)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)
  | (?P<name>[^\W\d]\w*)
  | "(?P<double>[^"\\]*(?:\\.[^"\\]*)*)"
  | '(?P<single>[^'\\]*(?:\\.[^'\\]*)*)'
  | `(?P<string>[^`]*)`
  | (?P<operator>\|\||&&|==|!=|<=|>=|[<>!()\[\]{}:,*-])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SURROGATES = re.compile("([\ud800-\udbff])([\udc00-\udfff])|[\ud800-\udfff]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "/": "/", "\\": "\\", '"': '"', "'": "'", "`": "`"}

_NO_ARITHMETIC = "there is no arithmetic in expressions; intAdd(a, b) adds whole numbers"
_HINTS = {
    "=": "'=' is not an operator (did you mean '=='?)",
    "&": "'&' is not an operator (did you mean '&&'?)",
    "|": "'|' is not an operator (did you mean '||'?)",
    "+": _NO_ARITHMETIC,
    "/": _NO_ARITHMETIC,
    "%": _NO_ARITHMETIC,
    ".": "expected a key right after '.'; other keys are written [\"…\"]",
    '"': "the string that begins here has no closing quote",
    "'": "the string that begins here has no closing quote",
    "`": "the string that begins here has no closing back-quote",
    **dict.fromkeys("“”‘’「」", "typographic quotes do not quote; use \" or ' or `"),
    "（": "a full-width bracket; use '('",
    "）": "a full-width bracket; use ')'",
    "，": "a full-width comma; use ','",
}  # fmt: skip


class Token(Struct, frozen=True):
    """`value` is what it means: the text of a string, a number, a key without its dot. `column` counts from 1."""

    kind: Kind
    value: Any
    column: int

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end"
        if self.kind == "string":
            return "a string"
        return f"'.{self.value}'" if self.kind == "key" else f"'{self.value}'"


def tokens(text: str) -> Iterator[Token]:
    """All tokens, the last of kind `end`, each when it is asked for: nobody reads on behind a mistake. Raises
    `ExpressionSyntaxError`. Linear in the length of the text."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            hint = _HINTS.get(text[at], f"unexpected character {text[at]!r}")
            raise ExpressionSyntaxError(hint, text, at + 1)
        kind: Any = match.lastgroup
        value: Any = match[kind]
        if kind in _CONVERTED:
            kind, convert = _CONVERTED[kind]
            value = convert(value, text, at + 1)
        elif kind == "name" and value == "in":
            kind = "operator"
        if kind != "blank":
            yield Token(kind, value, at + 1)
        at = match.end()
    yield Token("end", None, len(text) + 1)


def _number(digits: str, text: str, column: int) -> int | float:
    """Whole numbers stay whole; all must fit a 64-bit float, which is what the old language's page names."""
    number = float(digits)
    if not math.isfinite(number):
        raise ExpressionSyntaxError("the number is too large", text, column)
    # Of zeros before it there may be more than int() takes digits.
    return int(digits.lstrip("0") or "0") if digits.isdigit() else number


def _unescaped(body: str, text: str, column: int) -> str:
    if "\\" not in body:
        return body

    def character(escape: re.Match[str]) -> str:
        if escape[1]:
            return chr(int(escape[1], 16))
        return _ESCAPES.get(escape[2], escape[0])

    def joined(pair: re.Match[str]) -> str:
        if pair[1] is None:
            raise ExpressionSyntaxError("the string holds half of a surrogate pair", text, column)
        return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")

    return _SURROGATES.sub(joined, _ESCAPE.sub(character, body))


_CONVERTED: dict[str, tuple[Kind, Callable[[str, str, int], Any]]] = {
    "double": ("string", _unescaped),
    "single": ("string", _unescaped),
    "number": ("number", _number),
}
