"""Constructors: maps in which a key ending in `.$` holds an expression, and everything else is constant.

The rules are the page's: the suffix is dropped, constants stay as written even if they look like expressions, nested
maps are walked. Our reading where it is silent: lists are walked, too; a `.$` key whose value is a map (shown once, as
`input.$: {key1: val1, key2: $Input.age}`) means that text in it which starts with `$` is an expression.
"""

from __future__ import annotations

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.problems import Path
from cfmock.engine.expr.effort import Effort
from cfmock.engine.expr.errors import ConstructorErrors, ExpressionSyntaxError
from cfmock.engine.expr.evaluate import Closure, Expression, Scope, compile_expression

MAX_DEPTH = 100
SUFFIX = ".$"

MAX_WORDS = 40_000
"""Words (names, keys, constants, operators) of the expressions of a definition, or of a constructor elsewhere; our choice."""

TOO_MANY_WORDS = f"this and the expressions before it have more than {MAX_WORDS} words together"


class Constructor(Struct, frozen=True, eq=False):
    """A compiled constructor. `expressions` are all in it, in order, `paths` where they stand; `constant`: there are none;
    `size` counts its values."""

    expressions: tuple[Expression, ...]
    paths: tuple[Path, ...]
    size: int
    _build: Closure

    @property
    def constant(self) -> bool:
        return not self.expressions

    def build(self, scope: Scope, effort: Effort) -> Json:
        """The value, of which constant parts are the same each time. Raises as the expressions in it do."""
        effort.spend(self.size)
        return self._build(scope, effort)


def compile_constructor(
    value: Json, names: frozenset[str], *, bare: bool = False, most: int = MAX_WORDS
) -> Constructor:
    """Compile a constructor in which `names` are the visible roots.

    With `bare`, text that starts with `$` is an expression wherever it stands, without a suffix on its key. Expressions have at
    most so many words together; those behind are not looked at. Raises `ConstructorErrors` with every mistake.
    """
    compiler = _Compiler(names, most)
    part = compiler.part(value, (), bare)
    if compiler.problems:
        raise ConstructorErrors(compiler.problems, most - compiler.words_left)
    build = part.closure or _constant(part.value)
    return Constructor(tuple(compiler.expressions.values()), tuple(compiler.expressions), compiler.size, build)


def words_of(text: str) -> int:
    """About how many words a text has that is no expression."""
    return len(text) // 2 + 1


class _BuiltPart(Struct, frozen=True):
    """A value that never changes, or what makes it."""

    value: Json = None
    closure: Closure | None = None


class _Compiler:
    def __init__(self, names: frozenset[str], words_left: int) -> None:
        self.names = names
        self.words_left = words_left
        self.expressions: dict[Path, Expression] = {}
        self.problems: list[tuple[Path, ExpressionSyntaxError]] = []
        self.size = 0

    def part(self, value: Json, path: Path, bare: bool) -> _BuiltPart:
        self.size += 1
        if isinstance(value, dict | list) and len(path) >= MAX_DEPTH:
            return self.complain(path, f"nested more than {MAX_DEPTH} deep")
        if isinstance(value, dict):
            return self.map(value, path, bare)
        if isinstance(value, list):
            return _array([self.part(item, (*path, index), bare) for index, item in enumerate(value)])
        if bare and isinstance(value, str) and value.startswith("$"):
            return self.expression(value, path)
        return _BuiltPart(value)

    def map(self, value: dict[str, Json], path: Path, bare: bool) -> _BuiltPart:
        parts: dict[str, _BuiltPart] = {}
        for key, item in value.items():
            name, here = key, (*path, key)
            if key.endswith(SUFFIX):
                name = key[: -len(SUFFIX)]
                if name in value:
                    self.complain(here, f"both '{name}' and '{key}' are given")
                    continue
                if isinstance(item, str):
                    parts[name] = self.expression(item, here)
                elif isinstance(item, dict):
                    parts[name] = self.part(item, here, True)
                else:
                    self.complain(here, f"the value of a key ending in {SUFFIX} must be an expression")
            else:
                parts[name] = self.part(item, here, bare)
        return _map(parts)

    def expression(self, text: str, path: Path) -> _BuiltPart:
        if self.words_left < 0:
            return _BuiltPart()
        try:
            expression = compile_expression(text, self.names)
        except ExpressionSyntaxError as error:
            self.problems.append((path, error.with_traceback(None)))  # whose frames hold all that was parsed
            self.words_left -= words_of(text)
            return _BuiltPart()
        self.words_left -= expression.size
        if self.words_left < 0:
            return self.complain(path, TOO_MANY_WORDS)
        self.expressions[path] = expression
        return _BuiltPart(closure=expression.evaluate)

    def complain(self, path: Path, message: str) -> _BuiltPart:
        self.problems.append((path, ExpressionSyntaxError(message, "", 1)))
        return _BuiltPart()


def _map(parts: dict[str, _BuiltPart]) -> _BuiltPart:
    # Keys keep their order because the copied pattern holds a place for each.
    pattern = {name: part.value for name, part in parts.items()}
    made = [(name, part.closure) for name, part in parts.items() if part.closure is not None]
    if not made:
        return _BuiltPart(pattern)

    def build(scope: Scope, effort: Effort) -> Json:
        result = pattern.copy()
        for name, make in made:
            result[name] = make(scope, effort)
        return result

    return _BuiltPart(closure=build)


def _array(parts: list[_BuiltPart]) -> _BuiltPart:
    if all(part.closure is None for part in parts):
        return _BuiltPart([part.value for part in parts])
    makers = [part.closure or _constant(part.value) for part in parts]
    return _BuiltPart(closure=lambda scope, effort: [make(scope, effort) for make in makers])


def _constant(value: Json) -> Closure:
    return lambda scope, effort: value
