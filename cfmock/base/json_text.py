"""Compact JSON text: what answers, histories, outputs and limits are made of. Encoder and decoder are kept, as to build them
for each value costs more than a small one."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cfmock.base.errors import ArgumentError, ArgumentTypeError

Json = Any
"""A JSON value as Python has it: None, bool, int, float, str, and lists and dicts with text keys of these."""

MAX_DEPTH = 100
"""Levels of collections inside one another that are read."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def _encoder() -> Callable[[Any, int], Iterable[str]]:
    """From a value and 0 to its text in parts: what `_ENCODER` does, without the C encoder that it makes each time."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, level: _ENCODER.iterencode(value)
    encoder: Callable[[Any, int], Iterable[str]] = make(
        None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", False, False, False
    )
    return encoder


ascii_text: Callable[[Json], str] = json.JSONEncoder(separators=(",", ":")).encode
"""Writes a value as compact JSON text in ASCII: any character, half of a surrogate pair too."""

_encode = _encoder()
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def json_text(value: Any) -> str:
    """Write a value as JSON text, without blanks or needless escapes; half of a surrogate pair, which UTF-8 cannot hold, stays
    one. Raises TypeError, ValueError or RecursionError for what is not a JSON value."""
    text = "".join(_encode(value, 0))
    return text if text.isascii() else sendable(text)


def json_or_text(text: str) -> Json:
    """Read JSON text; what is none is a text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


quoted: Callable[[str], str] = json.encoder.encode_basestring
"""A text as JSON text, half characters as they are: for parts of a larger one, which `sendable` makes good."""


def sendable(text: str) -> str:
    """JSON text with halves of surrogate pairs as escapes."""
    return text if is_utf8(text) else _HALF_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def is_utf8(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextlib.contextmanager
def json_argument() -> Iterator[None]:
    """Context in which a user's value becomes JSON: raises ArgumentError and ArgumentTypeError for what is not a JSON value."""
    try:
        yield
    except TypeError as error:
        raise ArgumentTypeError(f"no JSON value: {error}") from None
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"no JSON value: {error}") from None


def no_constant(word: str) -> Any:
    """For a decoder: refuse NaN and Infinity, which Python's own takes. Raises ValueError."""
    raise ValueError(f"{word} is not a JSON value")


def finite(digits: str) -> float:
    """For a decoder: a number, unless it is too large for one. Raises ValueError."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is too large")
    return number


_decoder = json.JSONDecoder(parse_constant=no_constant, parse_float=finite)


def json_value(text: str) -> Any:
    """Read a JSON text. Raises ValueError or RecursionError for any other, such as NaN or 1e999."""
    text = text.strip(" \t\n\r")
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError("there is more than one JSON value")
    return value


def packaged_json(module: str, name: str) -> Any:
    """Read a JSON file of the package, beside the `module` (its `__file__`)."""
    return json.loads(Path(module).with_name(name).read_text(encoding="utf-8"))


_PUNCTUATION = {"[": 60, "{": 190, ",": 20, ":": 50}
"""Bytes of a value for each of these in its JSON text."""


def value_size(text: str) -> int:
    """About how many bytes the value of a JSON text takes, with the text of its texts."""
    if len(text) < _SHORT:
        return _FACTOR * len(text)
    return len(text) + sum(size * text.count(mark) for mark, size in _PUNCTUATION.items())


_SHORT = 500  # characters of a text that is not worth looking into
_FACTOR = 8  # what values take against their texts, mostly
