"""Reading a definition field by field, so that every complaint has its place and none hides another.

A `Section` is one mapping of the text. Whoever reads it asks for the fields it knows; what was never asked for is then
known to be unread, and what was asked for is what a misspelt name may have meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Any

from cfmock.base.json_text import Json
from cfmock.base.problems import MOST_TOLD, NOT_ONE_OF, Mistake, Path, Problem
from cfmock.base.source_marks import Mark, TextPlace, path_text
from cfmock.base.suggestions import did_you_mean, likely, nearest, shown
from cfmock.base.yaml_source import Document
from cfmock.engine.data_flow import number_in, number_kind
from cfmock.engine.expr import (
    Constructor,
    ConstructorErrors,
    Expression,
    ExpressionSyntaxError,
    compile_constructor,
    compile_expression,
)
from cfmock.engine.expr.constructor import MAX_WORDS, TOO_MANY_WORDS, words_of
from cfmock.engine.flow import Unread
from cfmock.engine.languages import amazon

Fields = dict[str, Any]
"""Those that a node has beside id, name, place and next, by their names in the model."""

_BOTH = "both '{}' and '{}' are given"


class DefinitionSource:
    """A definition while it is read: its document, the problems found so far, the fields nobody asked for, and its
    expressions with their paths. `strict`: such a field is a mistake, unless it stands at the top."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.strict = False
        self._problems: list[Problem] = []
        self._more = 0
        self.words_left = MAX_WORDS  # below 0 what follows need not be looked at
        self.unread: list[Unread] = []
        self.expressions: list[tuple[Path, Expression]] = []
        self._lines: list[str] | None = None

    def keep(self, path: Path, expression: Expression) -> None:
        self.expressions.append((path, expression))
        self.words_left -= expression.size

    def complain(
        self, path: Path, kind: str, *subject: str | int, key: bool = False, near: tuple[str, ...] = ()
    ) -> None:
        """Note a mistake of the value at `path`, or of its key."""
        if self._has_room():
            self._problems.append(self.document.problem(path, Mistake(kind, subject, near), key=key))

    def _has_room(self) -> bool:
        """Whether another mistake can still be told; else it is counted."""
        if len(self._problems) < 10 * MOST_TOLD:  # they are not found in the order of the text
            return True
        self._more += 1
        return False

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong, as far as it is told."""
        more = [Problem.more(self._problems[-1].mark, self._more)] if self._more else []
        return [*self._problems, *more]

    def syntax(self, path: Path, error: ExpressionSyntaxError) -> None:
        """Complain of an expression, at the very column where its text stands on one line of the file."""
        if self._has_room():
            self._problems.append(Problem(self._inside(self.document.mark(path), error), path, error.mistake))

    def _inside(self, mark: Mark, error: ExpressionSyntaxError) -> Mark:
        if self._lines is None:
            self._lines = self.document.text.splitlines()
        # A mapping from Python has no lines.
        rest = self._lines[mark.line - 1][mark.column - 1 :] if 0 < mark.line <= len(self._lines) else ""
        quoted = rest[:1] in ("'", '"')
        if error.text and rest[quoted:].startswith(error.text):
            return Mark(mark.file, mark.line, mark.column + quoted + error.column - 1)
        return mark


class Section:
    """One mapping of a definition, and where it stands."""

    def __init__(self, source: DefinitionSource, value: dict[str, Json], path: Path = ()) -> None:
        self.source = source
        self.value = value
        self.path = path
        self.known: dict[str, None] = {}
        self._missing: list[str] = []
        self._aliases: set[str] = set()

    @property
    def here(self) -> TextPlace:
        return TextPlace(self.source.document, self.path)

    def has(self, key: str) -> bool:
        self.known[key] = None
        return key in self.value

    def place(self, key: str) -> TextPlace:
        return TextPlace(self.source.document, (*self.path, key), key=True)

    def complain(self, kind: str, *subject: str | int, key: str | None = None, near: tuple[str, ...] = ()) -> None:
        """Note a mistake of the value of `key`, else of the mapping itself."""
        self.source.complain(self.path if key is None else (*self.path, key), kind, *subject, near=near)

    def _must_be(self, wanted: str, key: str) -> None:
        self.complain("'{}' must be {}", key, wanted, key=key)

    def _given(self, key: str, required: bool) -> Json:
        """The value, None if absent; a null counts as absent. `finish` complains if it had to be there."""
        self.known[key] = None
        value = self.value.get(key)
        if value is None and required:
            self._missing.append(key)
        return value

    def _of_type(self, key: str, kind: type | UnionType, wanted: str, required: bool) -> Any:
        """The value, None if absent or of another type: then it complains."""
        value = self._given(key, required)
        if value is None or isinstance(value, kind):
            return value
        self._must_be(wanted, key)
        return None

    def text(self, key: str, *, required: bool = False) -> str | None:
        value: str | None = self._of_type(key, str, "text", required)
        if value == "" and required:
            self._must_be("text, not empty", key)
            return None
        return value

    def word(self, key: str, words: Iterable[str], *, required: bool = False) -> str | None:
        """One of a few words."""
        value = self._given(key, required)
        words = list(words)
        if value is None or (isinstance(value, str) and value in words):
            return value
        self.complain(NOT_ONE_OF, shown(value), ", ".join(words), key=key, near=likely(value, words))
        return None

    def flag(self, key: str) -> bool:
        return self._of_type(key, bool, "true or false", False) is True

    def number(
        self, key: str, low: float, high: float, default: Any = None, *, required: bool = False, whole: bool = True
    ) -> Any:
        """A number from `low` to `high`; also one written as text. With `whole` 3.0 is 3. `default`: where none is given."""
        value = self._given(key, required)
        if value is None:
            return default
        number = number_in(value, low, high, whole=whole)
        if number is None:
            self._must_be(f"a {number_kind(low, high, whole=whole)}, not {shown(value)}", key)
            return default
        return number

    def words(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts, not empty."""
        value = self._given(key, required)
        if value is None:
            return ()
        if isinstance(value, list) and value and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self._must_be("a list of names", key)
        return ()

    def section(self, key: str, *, required: bool = False) -> Section | None:
        """A mapping inside this one."""
        value = self._of_type(key, dict, "a mapping", required)
        return None if value is None else Section(self.source, value, (*self.path, key))

    def sections(self, key: str, *, required: bool = False) -> list[Section]:
        """A list of mappings inside this one; if it is required, not an empty one."""
        value = self._of_type(key, list, "a list", required)
        if value == [] and required:
            self._must_be("a list, not an empty one", key)
        found = []
        for index, item in enumerate(value or ()):
            if isinstance(item, dict):
                found.append(Section(self.source, item, (*self.path, key, index)))
            else:
                self.source.complain((*self.path, key, index), "must be a mapping")
        return found

    def branches(self, key: str, most: int) -> Iterator[tuple[int, Section]]:
        """The branches under `key`, of which there may be so many, with their indices. To be read one by one."""
        sections = self.sections(key, required=True)
        if len(sections) > most:
            self.complain("more than {} branches", most, key=key)
        for index, branch in enumerate(sections):
            yield index, branch
            branch.finish()

    def rules(self, key: str, identity: str) -> Iterator[tuple[Section, dict[str, Any]]]:
        """The rules for errors under `key`, each with the fields that rules of both languages have. To be read one by one."""
        description, errors = ("description", "errors") if self.source.strict else ("Description", "Errors")
        for index, rule in enumerate(self.sections(key)):
            rule.text(description)
            yield rule, {"id": f"{identity}{index}", "place": rule.here, "errors": rule.words(errors, required=True)}
            rule.finish()

    def expression(
        self, key: str, names: frozenset[str], *, required: bool = False, missing_is_null: bool = True
    ) -> Expression | None:
        """An expression over `names`; `missing_is_null` as `compile_expression` has it."""
        value = self._of_type(key, str | bool | int | float, "an expression", required)
        if value is None or self.source.words_left < 0:
            return None
        text = value if isinstance(value, str) else str(value).lower()
        try:
            expression = compile_expression(text, names, missing_is_null=missing_is_null)
        except ExpressionSyntaxError as error:
            self.source.syntax((*self.path, key), error)
            self.source.words_left -= words_of(text)
            return None
        self.source.keep((*self.path, key), expression)
        if self.source.words_left < 0:
            self.complain(TOO_MANY_WORDS, key=key)
        return expression

    def constructor(self, key: str, names: frozenset[str]) -> Constructor | None:
        """A mapping in which keys ending in `.$` hold expressions over `names`."""
        value = self._of_type(key, dict, "a mapping", False)
        return None if value is None else self.compiled(key, value, names)

    def compiled(self, key: str, value: Json, names: frozenset[str], *, bare: bool = False) -> Constructor | None:
        """Compile a value under `key`; None, and problems of the source, if an expression in it has mistakes. With `bare`, texts
        that start with `$` are expressions."""
        try:
            constructor = compile_constructor(value, names, bare=bare, most=self.source.words_left)
        except ConstructorErrors as errors:
            self.source.words_left -= errors.words
            for path, error in errors.problems:
                self.source.syntax((*self.path, key, *path), error)
            return None
        for path, expression in zip(constructor.paths, constructor.expressions, strict=True):
            self.source.keep((*self.path, key, *path), expression)
        return constructor

    def amount(self, key: str, low: float, high: float, names: frozenset[str], **how: bool) -> Any:
        """A number, `required` and `whole` as `number` has it, or an expression for one under `key.$`."""
        computed = key + ".$"
        if self._given(computed, False) is not None:
            if self.has(key):
                self.complain(_BOTH, key, computed, key=key)
            return self.expression(computed, names)
        value = self.value.get(key)
        if isinstance(value, str) and value.lstrip().startswith("$"):
            self.has(key)
            self._must_be(f"a number, not {shown(value)}; an expression goes under '{computed}'", key)
            return None
        return self.number(key, low, high, **how)

    def spelling(self, key: str, alias: str) -> str:
        """Which of two names a field has, with `.$` or without; complains of both. Only `key` is ever proposed."""
        self._aliases |= {alias, alias + ".$"}
        named, otherwise = (
            next((name for name in (each, each + ".$") if self._given(name, False) is not None), None)
            for each in (key, alias)
        )
        if named is not None and otherwise is not None:
            self.complain(_BOTH, named, otherwise, key=otherwise)
        return alias if named is None and otherwise is not None else key

    def exactly_one(self, key: str, other: str) -> None:
        """Complain unless one of two fields is there, and only one."""
        given = [each for each in (key, other) if self._given(each, False) is not None]
        if len(given) > 1:
            self.complain(_BOTH, key, other)
        elif not given:
            self.complain("neither '{}' nor '{}' is given", key, other)

    def finish(self, *, judge: bool = True) -> None:
        """Complain of what is missing, and note every field that was never asked for. `judge` False: nobody knows what the
        mapping is, so no field is out of place."""
        unread = [name for name in self.value if name not in self.known] if judge else []
        for key in self._missing:
            foreign = amazon.standing_for(key, self.path, unread)
            ours = [name for name in unread if amazon.foreign_field((*self.path, name)) is None]
            if foreign is not None:
                self.complain("missing '{}': {}", key, foreign)
            elif (near := nearest(key, ours)) is not None:
                self.complain("missing '{}': there is '{}', which is not a field here", key, near)
            else:
                self.complain("missing '{}'", key)
        for name in unread:
            if self.source.strict and self.path:
                path = (*self.path, name)
                self.source.complain(path, "unknown field '{}'", name, key=True, near=likely(name, self.known))
            else:
                self._note(name)

    def _note(self, name: str) -> None:
        path, owner = (*self.path, name), self.value.get("Type")
        foreign = amazon.foreign_field(path)
        self.source.unread.append(
            Unread(
                place=self.place(name),
                path=path_text(path),
                name=name,
                near=did_you_mean(name, self.known.keys() - self._aliases) if foreign is None else "",
                owner=owner if isinstance(owner, str) else "",
                foreign=amazon.told(name, foreign) if foreign is not None else "",
            )
        )


def child_id(series: str, name: str) -> str:
    """The id of a node in a series, by the id of that; in names `/?![]#` have no meaning."""
    quoted = "".join(f"%{ord(letter):02X}" if letter in "/?![]#%" else letter for letter in name)
    return f"{series}/{quoted}" if series else quoted
