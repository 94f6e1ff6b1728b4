"""The data flow of the old language: outputs are merged into the parent's local variable, and mapped.

Every flow and step has an input, a local variable and an output. A step's input is its parent's input with the parent's
local over it, or what `inputMappings` pick; its output is its local, or what `outputMappings` pick (parallel and
foreach: else nothing), and is merged into the parent's local. Where the pages are silent: a mapping whose source is
missing is left out, and so is a parameter of a service; `$context.step` knows the step's name, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from cfmock.base.json_text import Json, json_text
from cfmock.base.time_text import parse_time
from cfmock.engine.commands import EMPTY, INVALID_LOCAL, RUNTIME_ERROR, Datum, Failure, Wait, WaitUntil
from cfmock.engine.data_flow import Context, DataFlow, Frame, Step, check_size, datum, measured
from cfmock.engine.events import TASK_STARTED, EventParts, EventShapes, StepShapes, event_shape
from cfmock.engine.expr import Constructor, Effort, Expression, MissingPathError
from cfmock.engine.identity import Identity
from cfmock.engine.model import Catch, NodeKind, TaskNode
from cfmock.engine.task_calls import TaskCall

OWN = frozenset(("$", "$context"))  # what the parameters of a step may name: `$` is the step's own input
MAPPED = frozenset(("$input", "$local", "$context"))
CAUGHT = ("$local.error", "$local.cause", "$local.code")  # what `errorMappings` may pick

MAX_DATA = 32_768  # bytes of a step's input, local variable and output together; documented
MAX_WAIT = 172_800  # two days, documented
MAX_TIMEOUT = 31_536_000  # a year, as long as an execution may take

SCHEDULED_ARN = event_shape("TaskScheduled", "input", "resourceArn") + TASK_STARTED
SCHEDULED_ACTION = event_shape("TaskScheduled", "input", "action", "parameters") + TASK_STARTED

Mappings = tuple[tuple[str, Any], ...]
"""Pairs of a target and its source: an `Expression`, or a constant."""


class StepData(Struct, frozen=True, kw_only=True):
    """The compiled fields of a step, or of the flow itself; None for those it does not have."""

    input: Mappings | None = None
    output: Mappings | None = None
    parameters: tuple[tuple[str, Constructor], ...] = ()
    duration: float | Expression | None = None
    timestamp: float | Expression | None = None
    items: Expression | None = None
    item: str = ""
    index: str | None = None


class LegacyScope(dict[str, Json]):
    """The names of an expression; `$context` is put together only when one asks for it."""

    __slots__ = ("step",)

    def __init__(self, step: Step, names: dict[str, Json]) -> None:
        super().__init__(names)
        self.step = step

    def __missing__(self, name: str) -> Json:
        if name != "$context":
            raise KeyError(name)
        step = self.step
        context = self[name] = {
            **_flow_context(step.context.identity),
            "step": {"name": step.node.name, "eventId": step.entered},
        }
        if isinstance(step.node, TaskNode):
            context["task"] = {"token": step.token.text}
        return context


def _flow_context(who: Identity) -> dict[str, Json]:
    return {"flow": {"name": who.flow}, "execution": {"name": who.execution}}


class LegacyDataFlow(DataFlow):
    """The data flow of `type: flow`."""

    shapes = StepShapes(event_shape("StepEntered", "input", "local"), event_shape("StepExited", "local"))
    branch = event_shape("BranchEntered", "index"), event_shape("BranchExited", "index", "local")
    iteration = event_shape("IterationEntered", "index"), event_shape("IterationExited", "index", "local")
    max_data = MAX_DATA
    timeout = "timeoutSeconds", 0, MAX_TIMEOUT
    no_items = "the collection of '{}' is not an array"

    def __init__(self, data: StepData) -> None:
        """`data` are the mappings of the whole flow."""
        self.data = data

    def open(self, given: Datum, context: Context) -> Frame:
        """The frame of a new execution: its input, mapped by the inputMappings of the flow."""
        frame = super().open(given, context)
        if not isinstance(given.value, dict):
            raise Failure(RUNTIME_ERROR, "the input of the execution is not a JSON object")
        if self.data.input is None:
            return frame
        return self.frame(_mapped(self.data.input, frame, context, "the input of the flow"))

    def close(self, frame: Frame, context: Context) -> Datum:
        """The output of the execution: the local variable, or what the outputMappings of the flow pick."""
        if self.data.output is None:
            return frame.value
        return _mapped(self.data.output, frame, context, "the output of the flow")

    def frame(self, given: Datum) -> Frame:
        return Frame(given, EMPTY)

    def before(self, step: Step) -> EventParts:
        return step.frame.given.text, step.frame.value.text

    def enter(self, step: Step) -> None:
        """The input of a step: that of its parent with the parent's local over it, or what its inputMappings pick."""
        frame, mappings = step.frame, step.node.data.input
        if mappings is None:
            step.given = _merged(frame.given, frame.value)
        else:
            scope = LegacyScope(step, {"$input": frame.given.value, "$local": frame.value.value})
            step.given = datum(_picked(mappings, scope, step.effort), f"the input of '{step.node.name}'", step.effort)
        check_size(step.given.size, MAX_DATA, f"the input of '{step.node.name}'")

    def idle(self, step: Step) -> Datum:
        return EMPTY

    def result(self, step: Step, value: Json) -> Datum:
        if isinstance(step.node, TaskNode) and not isinstance(value, dict):
            raise Failure(INVALID_LOCAL, f"the result of '{step.node.name}' is not a JSON object: {str(value)[:200]}")
        return measured(value, MAX_DATA, f"the result of '{step.node.name}'", step.effort)

    def leave(self, step: Step, result: Datum) -> Datum:
        """The output of a step: its result, or what outputMappings pick; it is merged into the parent's local."""
        mappings, kind = step.node.data.output, step.node.kind
        if mappings is not None:
            scope = LegacyScope(step, {"$input": step.given.value, "$local": result.value})
            output = datum(_picked(mappings, scope, step.effort), f"the output of '{step.node.name}'", step.effort)
        else:
            output = EMPTY if kind is NodeKind.PARALLEL or kind is NodeKind.MAP else result
        size = step.given.size + result.size + output.size
        check_size(size, MAX_DATA, f"input, local variable and output of '{step.node.name}'")
        self._hand_on(step, output)
        return output

    def caught(self, step: Step, catch: Catch, failure: Failure) -> None:
        """Merge into the parent's local what the errorMappings of the catch pick of the failure."""
        step.error = failure
        output = EMPTY
        if catch.data is not None:
            error = {"error": failure.code, "cause": failure.detail, "code": failure.code}
            scope = LegacyScope(step, {"$input": step.given.value, "$local": error})
            output = datum(_picked(catch.data, scope, step.effort), f"the output of '{step.node.name}'", step.effort)
        self._hand_on(step, output)

    def _hand_on(self, step: Step, output: Datum) -> None:
        frame = step.frame
        frame.value = _merged(frame.value, output)
        check_size(frame.value.size, MAX_DATA, f"the local variable after '{step.node.name}'")

    def pause(self, step: Step) -> Wait | WaitUntil:
        data = step.node.data
        if data.timestamp is not None:
            return WaitUntil(self._moment(step, data.timestamp), MAX_WAIT)
        return Wait(self.amount(step, data.duration, "duration", 0, MAX_WAIT, whole=False))

    def _moment(self, step: Step, given: float | Expression) -> float:
        if not isinstance(given, Expression):
            return given
        text = given.evaluate(self.scope(step), step.effort)
        try:
            return parse_time(text)
        except ValueError as error:
            raise Failure(RUNTIME_ERROR, f"the timestamp of '{step.node.name}': {error}") from None

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        """The call of a task. A parameter whose path leads nowhere is left out."""
        scope, parameters = self.scope(step), {}
        for name, source in node.data.parameters:
            try:
                parameters[name] = source.build(scope, step.effort)
            except MissingPathError:
                continue
        # Who stands in for another product is called as that is; a function, and what has no parameters, gets the input.
        event = parameters if parameters and node.resource_arn is None else step.given.value
        return self.task_call(step, node, event, parameters, event)

    def scheduled(self, step: Step, call: TaskCall) -> tuple[EventShapes, EventParts]:
        if call.resource_arn is not None:
            return SCHEDULED_ARN, (step.given.text, json_text(call.resource_arn))
        parameters = measured(call.parameters, MAX_DATA, f"the parameters of '{call.state}'", step.effort)
        return SCHEDULED_ACTION, (step.given.text, json_text(call.action), parameters.text)

    def element(self, step: Step, item: Json, index: int) -> Datum:
        data = step.node.data
        given = {**step.given.value, data.item: item}
        if data.index is not None:
            given[data.index] = index
        return measured(given, MAX_DATA, f"the input of iteration {index} of '{step.node.name}'")

    def join(self, step: Step, results: Sequence[Json]) -> Json:
        step.effort.spend(len(results))
        return list(results)

    def scope(self, step: Step) -> LegacyScope:
        return LegacyScope(step, {"$": step.given.value})


def _mapped(mappings: Mappings, frame: Frame, context: Context, what: str) -> Datum:
    """What mappings of the whole flow pick."""
    scope = {"$input": frame.given.value, "$local": frame.value.value, "$context": _flow_context(context.identity)}
    effort = Effort(context.ids)
    return measured(_picked(mappings, scope, effort), MAX_DATA, what, effort)


def _picked(mappings: Mappings, scope: dict[str, Json], effort: Effort) -> dict[str, Json]:
    picked = {}
    for target, source in mappings:
        if isinstance(source, Expression):
            try:
                source = source.evaluate(scope, effort)
            except MissingPathError:
                continue
        picked[target] = source
    return picked


def _merged(under: Datum, over: Datum) -> Datum:
    """Later keys overwrite earlier ones."""
    if not over.value:
        return under
    return over if not under.value else datum({**under.value, **over.value}, "the local variable")
