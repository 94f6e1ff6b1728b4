"""Comments in YAML that switch findings off.

    # cfmock: ignore CF101             at the end of a line; alone on a line: of the next that is no comment
    # cfmock: ignore CF101, CF106      several; CF1 is all that begin so
    # cfmock: ignore                   all
    # cfmock: ignore-file CF106        in the whole file, wherever it stands

Codes may stand in brackets, too (`ignore[CF101]`); what follows them is for people. A comment that names a code that there is
not has no effect there, and is a finding itself.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from msgspec import Struct, field

from cfmock.base.findings import Finding, codes, near_code
from cfmock.base.source_marks import Mark
from cfmock.base.suggestions import did_you_mean, meant

ENDPOINTS = ("ignore", "ignore-file")

_COMMENT = re.compile(r"(?:^|(?<=\s))#[ \t]*cfmock:[ \t]*([A-Za-z][\w-]*)[ \t]*(.*)", re.MULTILINE)
_BRACKETS = re.compile(r"\[([^\]]*)")
_FIRST = re.compile(r"[\s:=]*(CF\w*|[A-Za-z]{1,4}\d\w*)(?![\w-])", re.ASCII)
_MORE = re.compile(r"\s*,\s*(\w+)|\s+(CF\w*|cf\d\w*)(?![\w-])", re.ASCII)

Codes = frozenset[str]


class Ignores(Struct):
    """Suppressions by the comments of a text: codes by line, those of the whole file under 0. `wrong` are the comments without
    effect: line, column and why."""

    by_line: dict[int, Codes] = field(default_factory=dict)
    wrong: list[tuple[int, int, str]] = field(default_factory=list)

    def cover(self, finding: Finding) -> bool:
        """Return whether a comment switches it off."""
        return any(finding.code in self.by_line.get(line, ()) for line in (0, finding.mark.line))

    def findings(self, file: str) -> Iterator[Finding]:
        """Find the mistakes of the comments themselves."""
        for line, column, message in self.wrong:
            yield Finding("CF100", Mark(file, line, column), message)


@functools.lru_cache(maxsize=32)  # a fixture has many flows in one text
def ignores(text: str) -> Ignores:
    """Read the comments of a text. Not to be changed."""
    found = Ignores()
    if _COMMENT.search(text) is None:
        return found
    above: Codes = frozenset()  # of the comments right above a line
    for number, line in enumerate(text.splitlines(), 1):
        comment = _COMMENT.search(line)
        said = _read(comment, number, found) if comment is not None else frozenset()
        if line.lstrip().startswith("#"):
            above |= said
        else:
            found.by_line[number] = said | above
            above = frozenset()
    return found


def _read(comment: re.Match[str], line: int, into: Ignores) -> Codes:
    """Return the codes that a comment switches off around its line. Those of the whole file, and mistakes, go to `into`."""
    endpoint, rest = comment[1], comment[2]
    if endpoint not in ENDPOINTS:
        # Most likely no comment to us: a fixture that is commented out has `# cfmock: 1`, prose may begin so, too.
        if near := did_you_mean(endpoint, ENDPOINTS):
            into.wrong.append((line, comment.start() + 1, f"unknown word '{endpoint}'{near}"))
        return frozenset()
    named = _named(rest)
    switched: Codes = frozenset().union(*map(codes, named))
    for word in named:
        if not codes(word):
            words = f"there is no check '{word}' to ignore{meant(*near_code(word))}"
            into.wrong.append((line, comment.start() + 1, words))
    if endpoint == "ignore":
        return switched
    into.by_line[0] = into.by_line.get(0, frozenset()) | switched
    return frozenset()


def _named(rest: str) -> list[str]:
    """Return the codes at the beginning of what follows the word; if there are none, what all codes begin with."""
    if brackets := _BRACKETS.match(rest):
        return re.split(r"[\s,]+", brackets[1].strip())
    code = _FIRST.match(rest)
    found = [code[1]] if code else []
    while code := code and _MORE.match(rest, code.end()):
        found.append(code[1] or code[2])
    return found or ["CF"]
