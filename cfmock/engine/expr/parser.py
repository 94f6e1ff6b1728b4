"""Tokens to a tree: a Pratt parser, precedence as the table `BINDING_POWER`.

What the pages leave open is decided here so that a slip shows: a comparison of a comparison (`1 < $.n < 5`) needs
parentheses, an index is a whole number from 0, names and functions must be known, and functions take the number of
arguments they are declared with. Arrays and maps may be written out, as the published examples of functions do. `&&`
and `||` have any number of parts and paths any number of steps, so only brackets, prefixes and calls make a tree deep,
and those are counted.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from cfmock.base.suggestions import did_you_mean
from cfmock.engine.expr.errors import ExpressionSyntaxError
from cfmock.engine.expr.functions import FUNCTIONS, Function
from cfmock.engine.expr.lexer import Token, tokens

MAX_CALLS = 10  # function calls inside one another; documented
MAX_NESTING = 40  # brackets, prefixes and calls inside one another; our choice, so that no text exhausts the stack
MAX_LENGTH = 65_536  # characters of an expression; our choice

BINDING_POWER = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4}
_PREFIX_POWER = 5
_CLOSED = {")": "call", "]": "array"}
_WORDS = {"true": True, "false": False, "null": None}
_SPELT = {"and": "&&", "or": "||", "not": "!", "True": "true", "False": "false", "None": "null", "nil": "null"}


class Wildcard(enum.Enum):
    """The step `[*]`: every element."""

    ALL = "*"


Step = str | int | Wildcard


class Constant(Struct, frozen=True):
    value: Any


class Name(Struct, frozen=True):
    """A root: `$Input`, `$`, …"""

    name: str


class Select(Struct, frozen=True):
    """`base` followed by `.key`, `[0]`, `["key"]`, `[*]`."""

    base: Node
    steps: tuple[Step, ...]


class FunctionCall(Struct, frozen=True):
    function: Function
    arguments: tuple[Node, ...]


class Prefixed(Struct, frozen=True):
    """`!` or `-` before an operand."""

    operator: str
    operand: Node


class Comparison(Struct, frozen=True):
    """`==`, `!=`, the orderings, and `in`."""

    operator: str
    left: Node
    right: Node


class Logical(Struct, frozen=True):
    """`&&` or `||` between two or more parts."""

    operator: str
    parts: tuple[Node, ...]


class Array(Struct, frozen=True):
    """`[1, $Input.a]`."""

    parts: tuple[Node, ...]


class Map(Struct, frozen=True):
    """`{"a": 1, "b": $Input.a}`: keys in quotes or bare, `parts` their values."""

    keys: tuple[str, ...]
    parts: tuple[Node, ...]


Node = Constant | Name | Select | FunctionCall | Prefixed | Comparison | Logical | Array | Map


def parse(text: str, names: frozenset[str]) -> tuple[Node, frozenset[str], int]:
    """Parse an expression; `names` are the visible roots. Returns the tree, the roots it names, and how many words it
    has. Raises `ExpressionSyntaxError` at the first mistake."""
    if len(text) > MAX_LENGTH:
        raise ExpressionSyntaxError(f"longer than {MAX_LENGTH} characters", text, MAX_LENGTH + 1)
    parser = _Parser(text, names)
    node = parser.expression(0)
    parser.finish()
    return node, frozenset(parser.roots), parser.size


class _Parser:
    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text = text
        self.names = names
        self.roots: set[str] = set()
        self._tokens = tokens(text)
        self.token = next(self._tokens)
        self.size = 0  # tokens taken
        self._nesting = 0
        self._calls = 0

    # -- tokens

    def take(self) -> Token:
        token = self.token
        self.token = next(self._tokens, token)  # the end stays
        self.size += 1
        return token

    def sees(self, operator: str) -> bool:
        return self.token.kind == "operator" and self.token.value == operator

    def expect(self, operator: str, why: str) -> None:
        if not self.sees(operator):
            raise self.error(f"expected '{operator}' {why}, found {self.token}", self.token)
        self.take()

    def error(self, message: str, token: Token) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(message, self.text, token.column)

    def finish(self) -> None:
        token = self.token
        if token.kind == "end":
            return
        if token.kind == "name" and token.value in _SPELT:
            raise self.error(f"'{token.value}' is not an operator (did you mean '{_SPELT[token.value]}'?)", token)
        if token.kind == "operator" and token.value in "-*":
            raise self.error("there is no arithmetic in expressions; intAdd(a, b) adds whole numbers", token)
        if token.kind == "operator" and token.value in ")]}":
            raise self.error(f"'{token.value}' closes nothing", token)
        raise self.error(f"expected an operator or the end, found {token}", token)

    # -- the grammar

    def expression(self, power: int) -> Node:
        left = self.operand()
        while (binding := self.binding()) > power:
            operator = self.take()
            if operator.value in ("&&", "||"):
                left = self.logical(operator.value, binding, left)
            else:
                left = Comparison(operator.value, left, self.expression(binding))
                if self.binding() == binding:
                    raise self.error("a comparison of a comparison needs parentheses", self.token)
        return left

    def binding(self) -> int:
        token = self.token
        return BINDING_POWER.get(token.value, 0) if token.kind == "operator" else 0

    def logical(self, operator: str, binding: int, first: Node) -> Node:
        parts = [first, self.expression(binding)]
        while self.sees(operator):
            self.take()
            parts.append(self.expression(binding))
        return Logical(operator, tuple(parts))

    def operand(self) -> Node:
        token = self.take()
        match token.kind:
            case "string" | "number":
                return Constant(token.value)
            case "root":
                return self.path(self.root(token))
            case "name":
                return self.word(token)
            case "operator" if token.value in ("!", "-"):
                return self.nested(token, lambda: self.prefixed(token.value))
            case "operator" if token.value == "(":
                return self.path(self.nested(token, self.group))
            case "operator" if token.value == "[":
                return self.path(self.nested(token, lambda: Array(self.listed("]", "item"))))
            case "operator" if token.value == "{":
                return self.path(self.nested(token, self.map))
        raise self.error(f"expected a value, found {token}", token)

    def nested(self, token: Token, parse: Callable[[], Node]) -> Node:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise self.error(f"nested more than {MAX_NESTING} deep", token)
        node = parse()
        self._nesting -= 1
        return node

    def prefixed(self, operator: str) -> Node:
        operand = self.expression(_PREFIX_POWER)
        if operator == "-" and isinstance(operand, Constant) and type(operand.value) in (int, float):
            return Constant(-operand.value)
        return Prefixed(operator, operand)

    def group(self) -> Node:
        node = self.expression(0)
        self.expect(")", "to close the parenthesis")
        return node

    def root(self, token: Token) -> Node:
        if token.value not in self.names:
            near = self.amazon(token) or did_you_mean(token.value, self.names)
            known = f"; known are {', '.join(sorted(self.names))}" if self.names and not near else ""
            raise self.error(f"'{token.value}' is not known here{near}{known}", token)
        self.roots.add(token.value)
        return Name(token.value)

    def amazon(self, token: Token) -> str:
        """What stands for `$.x` and `$$.x` of Amazon States Language; nothing for any other name."""
        if token.value != "$" or "$Input" not in self.names:
            return ""
        doubled = self.text[token.column : token.column + 1] == "$"
        return " (did you mean '$Context'?)" if doubled else " (did you mean '$Input'?)"

    def word(self, token: Token) -> Node:
        if self.sees("("):
            return self.path(self.nested(token, lambda: self.call(token)))
        if token.value in _WORDS:
            return Constant(_WORDS[token.value])
        if token.value in _SPELT:
            raise self.error(f"'{token.value}' is not a value (did you mean '{_SPELT[token.value]}'?)", token)
        if token.value == "States":
            raise self.error(
                f"functions of Amazon States Language are not known here; there are {', '.join(FUNCTIONS)}", token
            )
        near = did_you_mean("$" + token.value, self.names) or did_you_mean(token.value, (*FUNCTIONS, *_WORDS))
        raise self.error(f"'{token.value}' is not a value{near}; text needs quotes, paths begin with $", token)

    def call(self, name: Token) -> Node:
        function = FUNCTIONS.get(name.value)
        if function is None:
            raise self.error(f"there is no function '{name.value}'{did_you_mean(name.value, FUNCTIONS)}", name)
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise self.error(f"calls nested more than {MAX_CALLS} deep", name)
        self.take()
        arguments = self.listed(")", "argument")
        self._calls -= 1
        if not function.takes(len(arguments)):
            raise self.error(f"{function.signature} takes {function.arity}, not {len(arguments)}", name)
        return FunctionCall(function, arguments)

    def listed(self, close: str, what: str) -> tuple[Node, ...]:
        """Expressions between commas, up to what closes them."""
        found: list[Node] = []
        if not self.sees(close):
            found.append(self.expression(0))
            while self.sees(","):
                self.take()
                found.append(self.expression(0))
        self.expect(close, f"or ',' after the {what}" if found else f"to close the {_CLOSED[close]}")
        return tuple(found)

    def map(self) -> Map:
        keys: list[str] = []
        parts: list[Node] = []
        while not self.sees("}"):
            if keys:
                self.expect(",", "or '}' after the value")
            token = self.take()
            if token.kind not in ("string", "name"):
                raise self.error(f"expected a key in quotes, found {token}", token)
            if token.value in keys:
                raise self.error(f"the key '{token.value}' is there twice", token)
            self.expect(":", "after the key")
            keys.append(token.value)
            parts.append(self.expression(0))
        self.take()
        return Map(tuple(keys), tuple(parts))

    def path(self, base: Node) -> Node:
        steps: list[Step] = []
        while True:
            if self.token.kind == "key":
                steps.append(self.take().value)
            elif self.sees("["):
                self.take()
                steps.append(self.subscript())
                self.expect("]", "to close the bracket")
            else:
                return Select(base, tuple(steps)) if steps else base

    def subscript(self) -> Step:
        token = self.take()
        if token.kind == "string" or (token.kind == "number" and type(token.value) is int):
            step: Step = token.value
            return step
        if token.kind == "operator" and token.value == "*":
            return Wildcard.ALL
        raise self.error(f"expected a whole number from 0, a quoted key or * in the brackets, found {token}", token)
