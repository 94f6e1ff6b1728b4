"""Trying the function calls in a flow's expressions that constants alone make fail, before an execution does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cfmock.base.randomness import Ids
from cfmock.base.source_marks import Mark
from cfmock.base.yaml_source import Document
from cfmock.engine.expr import Effort, ExpressionError
from cfmock.engine.expr.parser import Constant, FunctionCall, parse
from cfmock.engine.flow import Flow

_DECISIVE = frozenset({("format", "template"), ("get", "container"), ("get", "key"), ("hash", "algorithm")})
"""Parameters on whose value it depends whether the others will do: unless it is a constant, nothing is known of the call."""
_STAND_INS: tuple[Any, ...] = ("", [], {}, 0)
"""Values by type for the other parameters, where only data say what comes."""


def failing_calls(flow: Flow, document: Document) -> Iterator[tuple[Mark, str]]:
    """Yield the calls that fail whatever the data are, each with the place of its expression and why."""
    for path, expression in flow.expressions:
        for call in _calls(parse(expression.text, expression.roots).node):
            arguments = _arguments(call)
            if arguments is not None:
                try:
                    call.function.call(arguments, Effort(Ids(0)))
                except ExpressionError as error:
                    yield document.mark(path), f"this call always fails: {error.message}"


def _arguments(call: FunctionCall) -> list[Any] | None:
    """Arguments of a call that stand for any others, as far as its constants go. None: it has too few of these."""
    if not any(isinstance(argument, Constant) for argument in call.arguments):
        return None
    parameters, found = call.function.parameters, []
    for index, argument in enumerate(call.arguments):
        name, accepts = parameters[min(index, len(parameters) - 1)]
        if isinstance(argument, Constant):
            found.append(argument.value)
        elif (call.function.name, name) in _DECISIVE:
            return None
        else:
            found.append(next(value for value in _STAND_INS if type(value) in accepts))
    return found


def _calls(node: Any) -> Iterator[FunctionCall]:
    """Yield the calls in a tree, outer before inner."""
    if isinstance(node, FunctionCall):
        yield node
    if isinstance(node, tuple):  # each kind of node is one, and so are the parts of some
        for part in node:
            yield from _calls(part)
