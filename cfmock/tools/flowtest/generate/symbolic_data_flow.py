"""The data flow of both languages over symbolic data: as ever, except that they say which shapes they need, and ask which
way a choice should go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cfmock.base.json_text import Json, json_text
from cfmock.engine.commands import Datum, Failure, Wait, WaitUntil
from cfmock.engine.data_flow import DataFlow, Step
from cfmock.engine.expr import Constructor, Expression
from cfmock.engine.expr import parser as tree
from cfmock.engine.expr.functions import ARRAY, MAP, NUMBER, STRING
from cfmock.engine.flow import Flow
from cfmock.engine.languages.legacy_data_flow import LegacyDataFlow, LegacyScope
from cfmock.engine.languages.statemachine_data_flow import StateMachineDataFlow, StateScope
from cfmock.engine.model import Catch, TaskNode
from cfmock.engine.task_calls import TaskCall
from cfmock.tools.flowtest.generate.constraints import children, selected
from cfmock.tools.flowtest.generate.symbolic import ShapeConstraint, SymbolicValue, ValueShape, merged, placeholder

Scope = Mapping[str, Json]

LONG_AGO = "2000-01-01T00:00:00Z"  # for a wait until a moment that may be any


Chooser = Callable[[Step, Expression, Scope], bool]
"""Decides a condition, of names in a scope."""


def symbolic_data_flow(flow: Flow, choose: Chooser) -> DataFlow:
    """Return the data flow of a flow's language, for data that may be symbolic."""
    legacy = flow.data_flow if isinstance(flow.data_flow, LegacyDataFlow) else None
    made = SymbolicStateMachineDataFlow() if legacy is None else SymbolicLegacyDataFlow(legacy.data)
    made.choose = choose
    return made


# -- what shapes expressions need --------------------------------------------------------------------------------------


def require(scope: Scope, *parts: object) -> None:
    """Raise `ShapeConstraint` for the first symbolic value that an expression could not work with. `parts` are expressions,
    constructors, and pairs of a name and one of these; all else has none."""
    for part in parts:
        if isinstance(part, tuple):
            require(scope, *(source for _, source in part))
        elif isinstance(part, Constructor):
            require(scope, *part.expressions)
        elif isinstance(part, Expression):
            _require(part.tree, scope)


def _require(node: tree.Node, scope: Scope) -> None:
    for child in children(node):
        _require(child, scope)
    if isinstance(node, tree.Select):
        for index, step in enumerate(node.steps):
            if not isinstance(step, str):  # by number, or to every element: needs a list to stand there
                before = selected(tree.Select(node.base, node.steps[:index]), scope)
                _demand(before, ValueShape(length=step + 1 if isinstance(step, int) else 1))
    elif isinstance(node, tree.FunctionCall):
        parameters = node.function.parameters
        for index, argument in enumerate(node.arguments):
            value = selected(argument, scope)
            if isinstance(value, SymbolicValue):
                accepts = parameters[min(index, len(parameters) - 1)][1]
                raise ShapeConstraint(value.place, _fitting(value, accepts, node.function.name))
    elif isinstance(node, tree.Comparison | tree.Logical | tree.Prefixed):
        constants = [child.value for child in children(node) if isinstance(child, tree.Constant)]
        for child in children(node):
            _demand(selected(child, scope), ValueShape(value=constants[0] if constants else True))


def _demand(value: Json, shape: ValueShape) -> None:
    """Raise `ShapeConstraint` to have this shape where the value is symbolic."""
    if isinstance(value, SymbolicValue):
        raise ShapeConstraint(value.place, shape)


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


class ChosenDataFlow(DataFlow):
    """The data flow of either language, in which somebody else decides conditions, and numbers are asked for."""

    choose: Chooser

    def test(self, step: Step, condition: Expression) -> bool:
        return self.choose(step, condition, self.scope(step))

    def amount(self, step: Step, given: Any, what: str, low: float, high: float, *, whole: bool = True) -> Any:
        self.ask(step, given, ValueShape(value=min(max(1, low), high)))
        return super().amount(step, given, what, low, high, whole=whole)

    def ask(self, step: Step, given: Any, shape: ValueShape) -> None:
        """Raise `ShapeConstraint` where an expression needs one, or gives something symbolic, which is to have this shape."""
        if isinstance(given, Expression):
            scope = self.scope(step)
            require(scope, given)
            _demand(given.evaluate(scope, step.effort), shape)

    def items(self, step: Step) -> list[Json]:
        self.ask(step, step.node.data.items, ValueShape(length=1))
        return super().items(step)


# -- the new language --------------------------------------------------------------------------------------------------


class SymbolicStateMachineDataFlow(ChosenDataFlow, StateMachineDataFlow):
    """The data flow of the new language over symbolic data: asks for shapes before what needs them is done."""

    def enter(self, step: Step) -> None:
        require(StateScope(step, step.frame.value.value), step.node.data.input)
        super().enter(step)

    def leave(self, step: Step, result: Datum) -> Datum:
        scope = self.scope(step)
        scope["$Output"] = result.value
        require(scope, step.node.data.globals, step.node.data.output)
        return super().leave(step, result)

    def caught(self, step: Step, catch: Catch, failure: Failure) -> None:
        require(self.scope(step), catch.data)
        super().caught(step, catch, failure)

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        require(self.scope(step), node.data.parameters)
        return super().call(step, node)

    def children(self, step: Step, items: list[Json], batch: int) -> list[Json]:
        scope = self.scope(step)
        for item in items:
            scope["$Item"] = item
            require(scope, step.node.data.item)
        return super().children(step, items, batch)


# -- the old language --------------------------------------------------------------------------------------------------


class SymbolicLegacyDataFlow(ChosenDataFlow, LegacyDataFlow):
    """The data flow of the old language over symbolic data, whose merges keep what is known of either side."""

    def enter(self, step: Step) -> None:
        frame, mappings = step.frame, step.node.data.input
        if mappings is None:
            step.given = _datum(merged(frame.given.value, frame.value.value))
        else:
            require(LegacyScope(step, {"$input": frame.given.value, "$local": frame.value.value}), mappings)
            super().enter(step)

    def leave(self, step: Step, result: Datum) -> Datum:
        scope = LegacyScope(step, {"$input": step.given.value, "$local": result.value})
        require(scope, step.node.data.output)
        return super().leave(step, result)

    def _hand_on(self, step: Step, output: Datum) -> None:
        frame = step.frame
        frame.value = _datum(merged(frame.value.value, output.value))

    def pause(self, step: Step) -> Wait | WaitUntil:
        self.ask(step, step.node.data.timestamp, ValueShape(value=LONG_AGO))
        return super().pause(step)

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        require(self.scope(step), node.data.parameters)
        return super().call(step, node)

    def element(self, step: Step, item: Json, index: int) -> Datum:
        data = step.node.data
        more = {data.item: item} if data.index is None else {data.item: item, data.index: index}
        return _datum(merged(step.given.value, more))


def _datum(value: Mapping[str, Json]) -> Datum:
    return Datum(value, json_text(value))
