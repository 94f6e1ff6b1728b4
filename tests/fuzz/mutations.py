"""Inputs made of other inputs, a thousand times as fast as hypothesis makes them up: parts cut out, doubled, put elsewhere.

What was answered in a way not seen before is kept and changed further.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from msgspec.structs import replace

from cfmock.protocol.wire.messages import Request
from tests.support.hostile import ODD, distorted

LONGEST = 20_000
"""Characters of a text that was changed; now and then it may have ten times as many."""

WORDS = [
    *'{}[]():,&=%?#*"\'\\/.-+!|<>@^`~ \t\n\r\0', "\r\n", "\r\n\r\n", "null", "true", "0", "-1", "1e999", "9" * 30, "99999999d",
    "%00", "%ff", "%ED%A0%80", "%", "\xff", "\xc0\x80", "\\ud800", "\\u0000", "${", "$Input", "$Context", ".$", "[[", "- ",
    "&a ", "*a", "<<: *a", "!!python/object", "---\n", "..", "Action=", "&Action=CreateFlow", "&Signature=", "x-acs-action: ",
    "HTTP/1.1", "chunked", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "*/1 * * * *", "@every 1s",
    "FnF.ALL", "@every 0s", "9999-12-31",
]  # fmt: skip
"""Pieces that mean something to one of the readers."""


def torn(text: str, other: str, dice: random.Random) -> str:
    """A text with one to four parts cut out, doubled, replaced by a word, or by a part of another text."""
    for _ in range(dice.randint(1, 4)):
        first = dice.randint(0, len(text))
        last = min(len(text), first + dice.choice((0, 1, 1, 3, 10, 100, len(text))))
        match dice.randrange(8):
            case 0:
                piece = ""
            case 1:
                piece = text[first:last] * 2
            case 2:
                start = dice.randint(0, len(other))
                piece = other[start : start + dice.choice((1, 10, 100, 1000))]
            case 3:
                piece, last = dice.choice(WORDS), first
            case 4 if dice.random() < 0.05:
                piece = (text[first : min(last, first + 40)] or dice.choice(WORDS)) * dice.choice((100, 1_000, 10_000))
            case 5:
                piece = chr(dice.choice((dice.randrange(128), dice.randrange(256))))
                last = first + 1
            case _:
                piece = dice.choice(WORDS)
        text = text[:first] + piece + text[last:]
    return text[: LONGEST * (10 if dice.random() < 0.005 else 1)]


def _document(text: str, other: str, dice: random.Random) -> str:
    """JSON with values changed in it; what is no JSON is torn."""
    if text[:1] in ("{", "[") and dice.random() < 0.5:
        try:
            return json.dumps(distorted(json.loads(text), dice), ensure_ascii=dice.random() < 0.5)
        except (ValueError, RecursionError):
            pass
    return torn(text, other, dice)


_LENGTH = re.compile(r"(?i)\bcontent-length: *\d+")


def connection(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """The bytes of a connection with head, body or both changed; mostly the head still tells how long the body is."""
    head, separator, body = data.decode("latin-1").partition("\r\n\r\n")
    strange, _, strange_body = other.decode("latin-1").partition("\r\n\r\n")
    if not separator or dice.random() < 0.1:
        return torn(head + separator + body, strange, dice).encode("latin-1", "replace")
    if dice.random() < 0.6 or not body:
        if dice.random() < 0.5:
            line, _, rest = head.partition("\r\n")
            head = f"{torn(line, strange.partition(' HTTP/')[0], dice)}\r\n{rest}"
        else:
            head = torn(head, strange, dice)
    if body and dice.random() < 0.6:
        body = _document(body, strange_body or strange, dice)
    raw = body.encode("latin-1", "replace") if dice.random() < 0.5 else body.encode("utf-8", "replace")
    if dice.random() < 0.9:
        head = _LENGTH.sub(f"Content-Length: {len(raw)}", head, count=1)
    return head.encode("latin-1", "replace") + b"\r\n\r\n" + raw


def case(value: tuple[Any, ...], other: tuple[Any, ...], dice: random.Random) -> tuple[Any, ...]:
    """A text, the first of a tuple, changed; of the rest, what it is used with, either is taken."""
    return (changed(value[0], other[0], dice), *dice.choice((value, other))[1:])


def call(value: tuple[str, dict[str, str]], other: tuple[str, dict[str, str]], dice: random.Random) -> tuple[Any, Any]:
    """A call with its parameters changed."""
    return value[0], _mapping(value[1], other[1], dice)


def file(value: tuple[str, bytes], other: tuple[str, bytes], dice: random.Random) -> tuple[Any, Any]:
    """A file with its content changed."""
    return value[0], changed(value[1], other[1], dice)


def changed(value: Any, other: Any, dice: random.Random) -> Any:
    """A value of the same kind that is like this one, with parts of another."""
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        strange = other.decode("latin-1") if isinstance(other, bytes) else ""
        return _document(text, strange, dice).encode("latin-1", "replace")
    if isinstance(value, str):
        text = _document(value, other if isinstance(other, str) else "", dice)
        return text.encode("utf-8", "replace").decode()  # half of a character is no text that anybody can send
    if isinstance(value, Request):
        return _request(value, other, dice)
    if isinstance(value, dict):
        return _mapping(value, other if isinstance(other, dict) else {}, dice)
    return distorted(value, dice) if isinstance(value, list) else dice.choice(ODD)


def _mapping(value: dict[str, Any], other: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    made = dict(value)
    if made and dice.random() < 0.8:
        name = dice.choice(list(made))
        strange = dice.choice(list(other.values())) if other else ""
        made[name] = strange if dice.random() < 0.2 else changed(made[name], strange, dice)
    if other and dice.random() < 0.3:
        name = dice.choice(list(other))
        made[name] = other[name]
    return made


def _request(value: Request, other: Request, dice: random.Random) -> Request:
    name = dice.choice(("target", "target", "body", "headers", "headers"))
    if name == "headers":
        return replace(value, headers=_mapping(dict(value.headers), dict(other.headers), dice))
    return replace(value, **{name: changed(getattr(value, name), getattr(other, name), dice)})
