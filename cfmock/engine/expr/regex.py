"""Regular expressions that take time in proportion to the text, whatever the pattern.

Python's own backtrack: `(a+)+$` against a line of a's would hold up the server for ever, and the pattern comes from a flow
definition. So patterns are compiled to a small machine whose states all advance together (Thompson), and what a set of
states becomes at a character is remembered.

The syntax is that of RE2, which service platforms use for the same reason: literals, `.`, classes, `\\d \\w \\s` (ASCII)
and their opposites, `|`, groups, `* + ? {n,m}` (lazy ones, too: whether there is a match does not depend on it), `^ $ \\b
\\B \\A \\z`, and the flags `(?ims)` at the start. No back-references, no looking ahead or behind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Literal, NamedTuple

MAX_REPEAT = 1_000
MAX_SIZE = 2_000
_MAX_NESTING = 40
_REMEMBERED = 2_000  # transitions of one pattern

Ranges = tuple[tuple[str, str], ...]
Around = Literal["edge", "newline", "word", "other"]
"""What stands before or after a position: nothing, a line's end, a word's letter, or another character."""

_SETS: dict[str, Ranges] = {
    "d": (("0", "9"),),
    "w": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
    "s": (("\t", "\n"), ("\f", "\r"), (" ", " ")),
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_ASSERTIONS = {"b": "word", "B": "no word", "A": "start", "z": "end"}


class PatternError(ValueError):
    """A text that is no regular expression, or one too large."""


class _Letter(NamedTuple):
    """A character in the ranges, or with `negated` one that is not."""

    ranges: Ranges
    negated: bool = False
    fold: bool = False

    def takes(self, letter: str) -> bool:
        forms = {letter, letter.lower(), letter.upper()} if self.fold else {letter}
        return any(low <= form <= high for form in forms for low, high in self.ranges) is not self.negated


class _Assertion(NamedTuple):
    kind: str

    def holds(self, before: Around, after: Around) -> bool:
        match self.kind:
            case "start":
                return before == "edge"
            case "end":
                return after == "edge"
            case "line start":
                return before in ("edge", "newline")
            case "line end":
                return after in ("edge", "newline")
        return ((before == "word") is not (after == "word")) is (self.kind == "word")


class _Sequence(NamedTuple):
    parts: tuple[_Tree, ...]


class _Either(NamedTuple):
    parts: tuple[_Tree, ...]


class _Repeat(NamedTuple):
    part: _Tree
    least: int
    most: int | None


_Tree = _Letter | _Assertion | _Sequence | _Either | _Repeat


@functools.lru_cache(maxsize=64)
def compile_pattern(text: str) -> Machine:
    """Compile a pattern. Raises `PatternError`."""
    return Machine(_Reader(text).read())


# -- reading


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0
        self.flags = ""

    def read(self) -> _Tree:
        if self.text.startswith("(?") and (end := self.text.find(")")) > 0 and set(self.text[2:end]) <= set("ims"):
            self.flags, self.at = self.text[2:end], end + 1
        tree = self.either()
        if self.at < len(self.text):
            raise PatternError("')' closes nothing")
        return tree

    def sees(self, word: str) -> bool:
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def next(self, why: str) -> str:
        if self.at >= len(self.text):
            raise PatternError(why)
        self.at += 1
        return self.text[self.at - 1]

    def either(self) -> _Tree:
        parts = [self.sequence()]
        while self.sees("|"):
            parts.append(self.sequence())
        return _Either(tuple(parts)) if len(parts) > 1 else parts[0]

    def sequence(self) -> _Tree:
        parts: list[_Tree] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self.repeated(self.atom()))
        return _Sequence(tuple(parts))

    def repeated(self, part: _Tree) -> _Tree:
        bounds = self.bounds()
        if bounds is None:
            return part
        self.sees("?")
        if self.bounds() is not None:
            raise PatternError("a repetition is repeated")
        return _Repeat(part, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        for sign, found in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.sees(sign):
                return found
        end = self.text.find("}", self.at)
        if end < 0 or self.text[self.at] != "{":
            return None
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if not _whole(low) or not (_whole(high) or high == ""):
            return None  # as in RE2, a brace that counts nothing is a brace
        self.at = end + 1
        least, most = int(low), int(high) if high else None if comma else int(low)
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise PatternError(f"{{{low}{comma}{high}}} repeats more than {MAX_REPEAT} times or backwards")
        return least, most

    def atom(self) -> _Tree:
        letter = self.next("")
        match letter:
            case "(":
                return self.group()
            case "[":
                return self.class_()
            case ".":
                return _Letter((), negated=True) if "s" in self.flags else _Letter((("\n", "\n"),), negated=True)
            case "^":
                return _Assertion("line start" if "m" in self.flags else "start")
            case "$":
                return _Assertion("line end" if "m" in self.flags else "end")
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise PatternError(f"'{letter}' repeats nothing")
        return self.letter(((letter, letter),))

    def letter(self, ranges: Ranges, negated: bool = False) -> _Letter:
        return _Letter(ranges, negated, fold="i" in self.flags)

    def group(self) -> _Tree:
        if self.sees("?") and not self.sees(":") and not self.named():
            raise PatternError("groups are (…), (?:…) and (?P<name>…); there is no looking ahead or behind")
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            raise PatternError(f"groups inside one another more than {_MAX_NESTING} deep")
        tree = self.either()
        self.nesting -= 1
        if not self.sees(")"):
            raise PatternError("a '(' is not closed")
        return tree

    def named(self) -> bool:
        end = self.text.find(">", self.at)
        if (self.sees("P<") or self.sees("<")) and end > 0 and self.text[self.at : end].isidentifier():
            self.at = end + 1
            return True
        return False

    def escape(self) -> _Tree:
        letter = self.next("it ends with a backslash")
        if letter in _ASSERTIONS:
            return _Assertion(_ASSERTIONS[letter])
        if letter.lower() in _SETS:
            return self.letter(_SETS[letter.lower()], negated=letter.isupper())
        literal = self.literal(letter)
        return self.letter(((literal, literal),))

    def literal(self, letter: str) -> str:
        """The character that a backslash and this letter stand for."""
        if letter == "x":
            end = self.text.find("}", self.at)
            if end > 0 and self.sees("{"):
                digits, self.at = self.text[self.at : end], end + 1
            else:
                digits = self.next("'\\x' wants two digits") + self.next("'\\x' wants two digits")
            try:
                return chr(int(digits, 16))
            except (ValueError, OverflowError):
                raise PatternError(f"'\\x{digits}' is no character") from None
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if letter.isalnum():
            raise PatternError(f"'\\{letter}' has no meaning")
        return letter

    def class_(self) -> _Tree:
        negated = self.sees("^")
        ranges: list[tuple[str, str]] = []
        first = True
        while first or not self.sees("]"):
            first = False
            if self.text.startswith("[:", self.at):
                raise PatternError("there are no classes like [:alpha:]")
            low = self.member(ranges)
            if low is None:
                continue
            high = low
            if self.text[self.at : self.at + 1] == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self.member(ranges) or ""
                if high < low:
                    raise PatternError(f"'{low}-{high}' is no range")
            ranges.append((low, high))
        return self.letter(tuple(ranges), negated)

    def member(self, ranges: list[tuple[str, str]]) -> str | None:
        """One end of a range; None for a set such as `\\d`, which goes into the ranges."""
        letter = self.next("a '[' is not closed")
        if letter != "\\":
            return letter
        letter = self.next("a '[' is not closed")
        if letter in _SETS:
            ranges += _SETS[letter]
            return None
        if letter.lower() in _SETS:
            ranges += _rest(_SETS[letter.lower()])
            return None
        return "\b" if letter == "b" else self.literal(letter)


def _whole(digits: str) -> bool:
    return digits.isdecimal() and digits.isascii() and len(digits) < 6


def _rest(ranges: Ranges) -> Ranges:
    """All characters but those in the ranges, which are in order."""
    found, low = [], 0
    for first, last in ranges:
        found.append((chr(low), chr(ord(first) - 1)))
        low = ord(last) + 1
    return (*found, (chr(low), chr(0x10FFFF)))


# -- running


class _State(NamedTuple):
    """A letter to take or an assertion to hold before the states at `after`; neither: they follow at once."""

    what: _Letter | _Assertion | None
    after: tuple[int, ...]


class Machine:
    """A compiled pattern."""

    def __init__(self, tree: _Tree) -> None:
        self._states: list[_State] = [_State(None, ())]  # the first is the end
        self._start = self._add(tree, 0)
        self._known: dict[tuple[frozenset[int], Around, str], frozenset[int] | None] = {}

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in the text."""
        here, before = frozenset({self._start}), _EDGE
        for letter in text:
            key = (here, before, letter)
            if key not in self._known:
                if len(self._known) > _REMEMBERED:
                    self._known.clear()
                self._known[key] = self._step(here, before, letter)
            following = self._known[key]
            if following is None:
                return True
            here, before = following, _around(letter)
        return 0 in self._reach(here, before, _EDGE)

    def _step(self, here: frozenset[int], before: Around, letter: str) -> frozenset[int] | None:
        """Where the states go by the letter, with a new start there; None if the pattern has matched before it."""
        reached = self._reach(here, before, _around(letter))
        if 0 in reached:
            return None
        following = {self._start}
        for state in map(self._states.__getitem__, reached):
            if isinstance(state.what, _Letter) and state.what.takes(letter):
                following.update(state.after)
        return frozenset(following)

    def _reach(self, here: frozenset[int], before: Around, after: Around) -> set[int]:
        """All states that these come to without taking a letter."""
        reached: set[int] = set()
        open_ = list(here)
        while open_:
            index = open_.pop()
            if index in reached:
                continue
            reached.add(index)
            state = self._states[index]
            if state.what is None or (isinstance(state.what, _Assertion) and state.what.holds(before, after)):
                open_.extend(state.after)
        return reached

    def _new(self, what: _Letter | _Assertion | None, after: tuple[int, ...]) -> int:
        if len(self._states) >= MAX_SIZE:
            raise PatternError("it is too large")
        self._states.append(_State(what, after))
        return len(self._states) - 1

    def _add(self, tree: _Tree, after: int) -> int:
        """Add what comes before the state `after`, from the end to the start. Gives the first state."""
        match tree:
            case _Letter() | _Assertion():
                return self._new(tree, (after,))
            case _Sequence(parts):
                for part in reversed(parts):
                    after = self._add(part, after)
                return after
            case _Either(parts):
                return self._new(None, tuple(self._add(part, after) for part in parts))
            case _Repeat(part, least, most):
                return self._repeat(lambda following: self._add(part, following), least, most, after)

    def _repeat(self, add: Callable[[int], int], least: int, most: int | None, after: int) -> int:
        if most is None:
            loop = self._new(None, (after,))
            self._states[loop] = _State(None, (add(loop), after))
            after = loop
        else:
            end = after
            for _ in range(most - least):
                after = self._new(None, (add(after), end))
        for _ in range(least):
            after = add(after)
        return after


_EDGE: Around = "edge"


def _around(letter: str) -> Around:
    if letter == "\n":
        return "newline"
    return "word" if letter == "_" or (letter.isascii() and letter.isalnum()) else "other"
