"""Trying the function calls in a flow's expressions that constants alone make fail, before an execution does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from cfmock.base.randomness import Ids
from cfmock.base.source_marks import Mark
from cfmock.engine.expr import Constructor, Expression, ExpressionError
from cfmock.engine.expr.parser import Constant, FunctionCall, parse
from cfmock.engine.flow import Flow
from cfmock.engine.model import ChoiceNode, MapNode, Node, TaskNode

_DECISIVE = frozenset({("format", "template"), ("get", "container"), ("get", "key"), ("hash", "algorithm")})
"""Parameters on whose value it depends whether the others will do: unless it is a constant, nothing is known of the call."""
_STAND_INS: tuple[Any, ...] = ("", [], {}, 0)
"""Values by type for the other parameters, where only data say what comes."""


def failing_calls(flow: Flow) -> Iterator[tuple[Mark, str]]:
    """The calls that fail whatever the data are, each with its place and why."""
    for mark, expression in _expressions(flow):
        for call in _calls(parse(expression.text, expression.roots).node):
            arguments = _arguments(call)
            if arguments is not None:
                try:
                    call.function.call(arguments, Ids(0))
                except ExpressionError as error:
                    yield mark, f"this call always fails: {error.message}"


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
    """The calls in a tree, outer before inner."""
    if isinstance(node, FunctionCall):
        yield node
    if isinstance(node, tuple):  # each kind of node is one, and so are the parts of some
        for part in node:
            yield from _calls(part)


def _expressions(flow: Flow) -> Iterator[tuple[Mark, Expression]]:
    """Every expression of a flow, with the place of what it belongs to."""
    yield from ((flow.mark, each) for each in _held(flow.data))
    for _, node in flow.walk():
        yield from ((node.mark, each) for each in _held(_own(node)))
        if isinstance(node, ChoiceNode):
            yield from ((each.mark, each.condition) for each in node.options if each.condition is not None)
        for catch in node.catch:
            yield from ((catch.mark, each) for each in _held(catch.data))


def _own(node: Node) -> tuple[Any, ...]:
    """The fields of a node that its language compiled."""
    if isinstance(node, TaskNode):
        return node.data, node.timeout
    return (node.data, node.distributed) if isinstance(node, MapNode) else (node.data,)


def _held(value: Any) -> Iterator[Expression]:
    """The expressions in what fields compiled to."""
    if isinstance(value, Expression):
        yield value
    elif isinstance(value, Constructor):
        yield from value.expressions
    elif isinstance(value, tuple):
        for part in value:
            yield from _held(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _held(getattr(value, field.name))
