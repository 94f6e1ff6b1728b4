"""The data flow of both languages over symbolic data: as ever, except that they say which shapes they need, and ask which
way a choice should go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfmock.base.json_text import Json, json_text
from cfmock.engine.commands import Datum, Failure, Wait, WaitUntil
from cfmock.engine.data_flow import DataFlow, Step
from cfmock.engine.expr import Constructor, Expression
from cfmock.engine.expr import parser as tree
from cfmock.engine.expr.functions import ARRAY, MAP, NUMBER, STRING
from cfmock.engine.flow import Flow
from cfmock.engine.languages import legacy_data_flow, statemachine_data_flow
from cfmock.engine.languages.legacy_data_flow import LegacyDataFlow, StepData
from cfmock.engine.languages.statemachine_data_flow import StateMachineDataFlow
from cfmock.engine.model import Catch, TaskNode
from cfmock.engine.task_calls import TaskCall
from cfmock.tools.flowtest.generate.constraints import children, selected
from cfmock.tools.flowtest.generate.symbolic import ShapeConstraint, SymbolicValue, ValueShape, merged, placeholder

Scope = Mapping[str, Json]

LONG_AGO = "2000-01-01T00:00:00Z"
"""For a wait until a moment that may be any."""


Chooser = Callable[[Step, Expression, Scope], bool]
"""Decides a condition, of names in a scope."""


def symbolic_data_flow(flow: Flow, choose: Chooser) -> DataFlow:
    """Return the data flow of a flow's language, for data that may be symbolic."""
    if isinstance(flow.data_flow, LegacyDataFlow):
        return SymbolicLegacyDataFlow(flow.data_flow.data, choose)
    return SymbolicStateMachineDataFlow(choose)


# -- what shapes expressions need --------------------------------------------------------------------------------------


def require(expressions: Iterable[Expression], scope: Scope) -> None:
    """Raise `ShapeConstraint` for the first symbolic value that an expression could not work with."""
    for expression in expressions:
        _require(expression.tree, scope)


def _require(node: tree.Node, scope: Scope) -> None:
    for child in children(node):
        _require(child, scope)
    if isinstance(node, tree.Select):
        _require_lists(node, scope)
    elif isinstance(node, tree.FunctionCall):
        parameters = node.function.parameters
        for index, argument in enumerate(node.arguments):
            value = selected(argument, scope)
            if isinstance(value, SymbolicValue):
                accepts = parameters[min(index, len(parameters) - 1)][1]
                raise ShapeConstraint(value.place, _fitting(value, accepts, node.function.name))
    elif isinstance(node, tree.Comparison | tree.Logical | tree.Prefixed):
        for child in children(node):
            value = selected(child, scope)
            if isinstance(value, SymbolicValue):
                raise ShapeConstraint(value.place, ValueShape(value=_comparable(node)))


def _require_lists(node: tree.Select, scope: Scope) -> None:
    """A step by number, or to every element, needs a list to stand there."""
    for index, step in enumerate(node.steps):
        if not isinstance(step, str):
            value = selected(tree.Select(node.base, node.steps[:index]), scope)
            if isinstance(value, SymbolicValue):
                raise ShapeConstraint(value.place, ValueShape(length=step + 1 if isinstance(step, int) else 1))


_JSON_TEXT = frozenset(("fromJSON", "stringToJson"))


def _fitting(value: SymbolicValue, accepts: frozenset[type], function: str) -> ValueShape:
    """Types of an argument."""
    if function in _JSON_TEXT:
        return ValueShape(value="{}")
    if function == "fromBase64":
        return ValueShape(value="e30=")
    if accepts >= ARRAY and not accepts >= NUMBER:
        return ValueShape(length=1)
    if accepts == MAP:
        return ValueShape(value={})
    if accepts <= NUMBER:
        return ValueShape(value=1)
    if accepts <= STRING or accepts >= STRING:
        return ValueShape(value=placeholder(value.place))
    return ValueShape(value={})


def _comparable(node: tree.Node) -> Json:
    """Something that the constant beside it can be compared with."""
    constants = [child.value for child in children(node) if isinstance(child, tree.Constant)]
    return constants[0] if constants else True


def number(value: Json, low: float, high: float) -> None:
    """Raise `ShapeConstraint` for an symbolic value where a number is needed."""
    if isinstance(value, SymbolicValue):
        raise ShapeConstraint(value.place, ValueShape(value=min(max(1, low), high)))


def elements(value: Json) -> None:
    """Raise `ShapeConstraint` for an symbolic value where a list is needed."""
    if isinstance(value, SymbolicValue):
        raise ShapeConstraint(value.place, ValueShape(length=1))


def _of(constructor: Constructor | None) -> tuple[Expression, ...]:
    return constructor.expressions if constructor is not None else ()


class ChosenDataFlow(DataFlow):
    """The data flow of either language, in which somebody else decides conditions, and numbers are asked for."""

    _choose: Chooser

    def test(self, step: Step, condition: Expression) -> bool:
        return self._choose(step, condition, self.scope(step))

    def amount(self, step: Step, given: Any, what: str, low: float, high: float, *, whole: bool = True) -> Any:
        if isinstance(given, Expression):
            scope = self.scope(step)
            require((given,), scope)
            number(given.evaluate(scope, step.effort), low, high)
        return super().amount(step, given, what, low, high, whole=whole)

    def items(self, step: Step) -> list[Json]:
        expression, scope = step.node.data.items, self.scope(step)
        require((expression,), scope)
        elements(expression.evaluate(scope, step.effort))
        return super().items(step)


# -- the new language --------------------------------------------------------------------------------------------------


class SymbolicStateMachineDataFlow(ChosenDataFlow, StateMachineDataFlow):
    """The data flow of the new language over symbolic data: asks for shapes before what needs them is done."""

    def __init__(self, choose: Chooser) -> None:
        self._choose = choose

    def enter(self, step: Step) -> None:
        require(_of(step.node.data.input), _scope(step, step.frame.value.value))
        super().enter(step)

    def leave(self, step: Step, result: Datum) -> Datum:
        scope = _scope(step, step.given.value, result.value)
        require(_of(step.node.data.globals), scope)
        require(_of(step.node.data.output), scope)
        return super().leave(step, result)

    def caught(self, step: Step, catch: Catch, failure: Failure) -> None:
        require(_of(catch.data), _scope(step, step.given.value))
        super().caught(step, catch, failure)

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        require(_of(node.data.parameters), _scope(step, step.given.value))
        return super().call(step, node)

    def children(self, step: Step, items: list[Json], batch: int) -> list[Json]:
        for item in items:
            scope = _scope(step, step.given.value)
            scope["$Item"] = item
            require(_of(step.node.data.item), scope)
        return super().children(step, items, batch)


def _scope(step: Step, given: Json, *output: Json) -> statemachine_data_flow.StateScope:
    scope = statemachine_data_flow.StateScope(step, given)
    for value in output:
        scope["$Output"] = value
    return scope


# -- the old language --------------------------------------------------------------------------------------------------


class SymbolicLegacyDataFlow(ChosenDataFlow, LegacyDataFlow):
    """The data flow of the old language over symbolic data, whose merges keep what is known of either side."""

    def __init__(self, data: StepData, choose: Chooser) -> None:
        super().__init__(data)
        self._choose = choose

    def enter(self, step: Step) -> None:
        frame, mappings = step.frame, step.node.data.input
        if mappings is None:
            step.given = _datum(merged(frame.given.value, frame.value.value))
        else:
            require(_sources(mappings), _mapped(step, frame.given.value, frame.value.value))
            super().enter(step)

    def leave(self, step: Step, result: Datum) -> Datum:
        require(_sources(step.node.data.output), _mapped(step, step.given.value, result.value))
        return super().leave(step, result)

    def _hand_on(self, step: Step, output: Datum) -> None:
        frame = step.frame
        frame.value = _datum(merged(frame.value.value, output.value))

    def pause(self, step: Step) -> Wait | WaitUntil:
        moment = step.node.data.timestamp
        if isinstance(moment, Expression):
            value = moment.evaluate(self.scope(step), step.effort)
            if isinstance(value, SymbolicValue):
                raise ShapeConstraint(value.place, ValueShape(value=LONG_AGO))
        return super().pause(step)

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        for _, constructor in node.data.parameters:
            require(constructor.expressions, self.scope(step))
        return super().call(step, node)

    def element(self, step: Step, item: Json, index: int) -> Datum:
        data = step.node.data
        more = {data.item: item} if data.index is None else {data.item: item, data.index: index}
        return _datum(merged(step.given.value, more))


def _mapped(step: Step, given: Json, local: Json) -> legacy_data_flow.LegacyScope:
    return legacy_data_flow.LegacyScope(step, {"$input": given, "$local": local})


def _sources(mappings: legacy_data_flow.Mappings | None) -> Iterable[Expression]:
    return [source for _, source in mappings or () if isinstance(source, Expression)]


def _datum(value: Mapping[str, Json]) -> Datum:
    return Datum(value, json_text(value))
