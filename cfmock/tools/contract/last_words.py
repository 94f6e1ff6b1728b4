"""The last words of a program: of an uncaught error its name and message, in whatever language it was written.

Runtimes print more than that: the stack, the error's properties, a farewell (`Node.js v20.20.2`), the module that the class of
the error is in. Errors of the vendor's Go packages, and of its command line, are spread over several lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SAID = 200
"""Characters that are kept of it."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\t\x20-\x7e\xa0-\U0010ffff]")

_FRAME = re.compile(r"\s+at .*[(:<]|\s*\.\.\. \d+ (?:more$|lines matching)|Stack trace:$|#\d+ ")
_TRACEBACK = re.compile(r"(?:Exception Group )?Traceback \(most recent call last\):$")
_GROUP_MARK = re.compile(r"\s*(?:\| ?|\+ (?=Exception Group)|\+[-+][-+ \w.]*$)")
"""Marks that Python writes before the lines of a group of exceptions, and between its members."""
_CAUSE = re.compile(r"\s*(?:Caused by|Suppressed): ")
_GOROUTINE = re.compile(r"goroutine \d+ \[")
_FAREWELL = re.compile(
    r"Node\.js v\d|exit status \d+$|note: run with `RUST_BACKTRACE|note: rerun with -v$|\s+thrown in "
    r"|\S+:\d+: \w*Warning: |\w*Warning: Enable tracemalloc "
)
_ERROR = re.compile(r'(?:Exception in thread ".*?" |Uncaught |Unhandled exception\. )?[\w.$]*(?:Error|Exception)\b')

_SDK_ERROR = re.compile(
    r"(?P<name>SDK\.\w+|SDKError):?\n(?:.*\n){0,3}?[ ]*(?:Error)?Code: (?P<code>\S*)\n(?:.*\n){0,3}?[ ]*Message: (?P<message>.*)"
    r"(?:\n[ ]*(?:Detail|Data|RespHeaders|AccessDeniedDetail):.*){0,3}"
)
"""Errors as alibaba-cloud-sdk-go, tea-go and the aliyun command line write them."""

_MODULES = re.compile(
    r'^(?:Exception in thread ".*?" |Uncaught |Unhandled exception\. )?(?:[\w$<>]+[.$])*(?=[A-Z]\w*(?::|$))'
)
_TWICE = re.compile(r"^(\w*(?:Error|Exception): )Error: ")


def last_words(text: str) -> str:
    """Return the last line that says something, at most `SAID` characters of it, without what only a terminal understands.

    Of an error that nobody caught it is the line with its name and message, without the path of its module. Brackets alone, with
    which printed JSON ends, say nothing as long as there is a line with a word.
    """
    plain = "\n".join(_CONTROL.sub("", line) for line in text.splitlines())
    plain = _SDK_ERROR.sub(lambda found: f"{found['name']}: {found['code']} {found['message']}", plain)
    lines = _without_stacks(_without_tracebacks(plain.splitlines()))
    line = next((line for line in reversed(lines) if any(map(str.isalnum, line))), lines[-1] if lines else "")
    line = _TWICE.sub(r"\1", _MODULES.sub("", line))
    return line if len(line) <= SAID else line[: SAID - 1] + "…"


def _without_tracebacks(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, of each traceback of Python only the first of the error's message."""
    inside = ""
    group = False
    for line in lines:
        group = group or bool(_TRACEBACK.match(_GROUP_MARK.sub("", line, count=1)) and "Group" in line)
        bare = _GROUP_MARK.sub("", line, count=1) if group else line
        if _TRACEBACK.match(bare):
            inside = "frames"
        elif not bare.strip():
            inside = "" if inside == "message" else inside
            yield bare
        elif inside != "message" and not (inside == "frames" and bare[0] == " "):
            inside = "message" if inside == "frames" else ""
            yield bare


def _without_stacks(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not empty, and of each stack with what belongs to it the one that names the error."""
    kept: list[str] = []
    begins = 0  # where in `kept` the paragraph does
    inside = ""
    for line in lines:
        if inside == "properties" or (inside == "cause" and not _FRAME.match(line)):
            inside = "" if line == "}" else inside
        elif _FRAME.match(line):
            kept = kept[: _error(kept, begins) + 1]
            inside = "properties" if line.endswith("{") else "stack"
        elif _CAUSE.match(line) and inside == "stack":
            inside = "cause"
        elif _GOROUTINE.match(line):
            break
        elif not line.strip():
            begins, inside = len(kept), ""
        elif not _FAREWELL.match(line):
            inside = ""
            kept.append(line.strip())
    return kept


def _error(kept: list[str], begins: int) -> int:
    """Return the index of the line above a stack in which the error's message begins, else the last one."""
    return next((at for at in range(len(kept) - 1, begins - 1, -1) if _ERROR.match(kept[at])), len(kept) - 1)
