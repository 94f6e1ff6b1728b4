"""Regular expressions by RE2, which takes time in proportion to the text, whatever the pattern.

Python's own backtrack: `(a+)+$` against a line of a's would hold up the server for ever, and the pattern comes from a flow
definition. The syntax is RE2's: no back-references, no looking ahead or behind.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

from cfmock.engine.expr.errors import ExpressionError

MAX_LENGTH = 65_536  # characters of a pattern; RE2 takes a second to read some of this length, and writes to stderr
MAX_MEMORY = 1 << 20  # bytes for a compiled pattern and what RE2 remembers of the texts it has seen
MAX_STEPS = 20_000_000  # instructions × characters of a text: a third of a second at worst, a second with `MAX_NAMES`
MAX_NAMES = 100  # groups with a name: RE2 locates each of them in the text

_STEPS_A_UNIT = 50

_LONGEST_KEPT = 1_000  # characters
_LONGEST_SHOWN = 100


def matches(pattern: str, text: str, spend: Callable[[int], object] = bool) -> bool:
    """Return whether the pattern matches anywhere in the text; `spend` is told how much work that is before it is done.

    Half of a surrogate pair is a character like any other. Raises `ExpressionError` for what is no pattern, and for a pattern or
    a text beyond the limits.
    """
    find, size = (_remembered if len(pattern) <= _LONGEST_KEPT else _compile)(pattern)
    if size * len(text) > MAX_STEPS:
        raise ExpressionError(
            f"{_shown(pattern)} compiles to {size} instructions, times {len(text)} characters is more than {MAX_STEPS:,}"
        )
    spend(size * len(text) // _STEPS_A_UNIT + len(pattern))
    return find(_bytes(text)) is not None


def _compile(pattern: str) -> tuple[Callable[[bytes], object], int]:
    """Compile a pattern to a search and the number of its instructions."""
    import re2

    if len(pattern) > MAX_LENGTH:
        raise ExpressionError(f"{_shown(pattern)} has {len(pattern)} characters, more than {MAX_LENGTH}")
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.never_capture = True  # for groups without a name
    options.log_errors = False
    source = _bytes(pattern)
    try:
        program = re2.compile(source, options)
        if program.groups > MAX_NAMES:
            raise ExpressionError(f"{_shown(pattern)} has {program.groups} groups with names, more than {MAX_NAMES}")
        if rb"\B" not in source:
            return program.search, program.programsize
        # RE2 starts a search at each byte, and between the bytes of one character there is a \B. So the characters before the
        # match become part of the pattern. A quotation that \Q opens may last to the end of a pattern; \E is an error elsewhere.
        with contextlib.suppress(re2.error):
            source = re2.compile(source + rb"\E", options).pattern
        program = re2.compile(rb"(?s:.*?)(?:" + source + rb")", options)
        return program.match, program.programsize
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        if reason.startswith("pattern too large"):
            raise ExpressionError(f"{_shown(pattern)} takes more than {MAX_MEMORY >> 20} MiB when compiled") from None
        raise ExpressionError(f"{_shown(pattern)} is not a regular expression: {_cut(reason)}") from None
    finally:
        re2.purge()  # its own cache holds patterns of any length


_remembered = functools.lru_cache(maxsize=64)(_compile)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _shown(pattern: str) -> str:
    return f"'{_cut(pattern)}'"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
