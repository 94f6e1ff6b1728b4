"""The data flow of the new language: constructors replace, nothing is merged.

A state's `$Input` is what came before it, or what its InputConstructor makes of that. `$Output` is its raw result;
OutputConstructor replaces it, and GlobalConstructor writes the variables of the whole execution. Neither of these two
sees what the other did. What the pages leave open and is decided here: a Parallel hands its own input to every branch,
iterations come out in the order of the items, a caught failure hands on the state's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct

from cfmock.base.json_text import Json, json_text, value_size
from cfmock.engine.commands import DATA_LIMIT, EMPTY, INVALID_OUTPUT, Datum, Failure, LimitExceeded, Wait
from cfmock.engine.data_flow import DataFlow, Frame, Step, measured
from cfmock.engine.events import TASK_STARTED, EventParts, EventShapes, StepShapes, event_shape
from cfmock.engine.expr import Constructor, Effort, Expression
from cfmock.engine.expr.effort import MAX_EFFORT
from cfmock.engine.model import Catch, Node, NodeKind, TaskNode
from cfmock.engine.task_calls import TaskCall

BEFORE = frozenset(("$Context", "$Input", "$Global"))
"""The names an expression may use until the state has worked."""

AFTER = BEFORE | {"$Output"}
ITEM = BEFORE | {"$Item"}

MAX_DATA = 65_536  # bytes of one input, output or event; documented

MAX_GLOBAL_KEY = 128
MAX_GLOBAL_VALUE = 262_144
"""Bytes of a global variable's key and value; documented."""

MAX_GLOBALS = 4 * 1024 * 1024  # bytes of the values of all global variables of an execution; our choice

FUNCTION = "FC:InvokeFunction"
SCHEDULED = event_shape("TaskScheduled", "action", "parameters") + TASK_STARTED


class StateData(Struct, frozen=True):
    """The compiled fields of a state; None for those it does not have."""

    input: Constructor | None = None
    output: Constructor | None = None
    globals: Constructor | None = None
    parameters: Constructor | None = None
    seconds: int | Expression | None = None
    longest: int = 0
    items: Expression | None = None
    item: Constructor | None = None


class StateScope(dict[str, Json]):
    """The names of an expression; `$Context` is put together only when an expression asks for it."""

    __slots__ = ("step",)

    def __init__(self, step: Step, given: Json) -> None:
        self.step = step
        self["$Input"] = given
        self["$Global"] = step.context.globals

    def __missing__(self, name: str) -> Json:
        if name != "$Context":
            raise KeyError(name)
        current: dict[str, Json] = {
            "Name": self.step.node.name,
            "Input": self["$Input"],
            "RetryCount": self.step.retries,
        }
        if "$Output" in self:
            current["Output"] = self["$Output"]
        if self.step.error is not None:
            current["Error"] = {"Code": self.step.error.code, "Detail": self.step.error.detail}
        if isinstance(self.step.node, TaskNode):
            current["TaskToken"] = self.step.token.text
        context = self[name] = {**self.step.context.identity.context(self.step.context.input), "Current": current}
        return context


class StateMachineDataFlow(DataFlow):
    """The data flow of `Type: StateMachine`."""

    shapes = StepShapes(event_shape("StepEntered", "input"), event_shape("StepExited", "output"))
    branch = event_shape("BranchEntered", "index"), event_shape("BranchExited", "index", "output")
    iteration = event_shape("IterationEntered", "index"), event_shape("IterationExited", "index", "output")
    max_data = MAX_DATA
    timeout = "Timeout", 0, 604_800
    # What stands beside the `Body` of a result: for functions only the Body is certain.
    envelopes: ClassVar[dict[str, dict[str, Json]]] = {FUNCTION: {}, "HTTP:Request": {"Header": {}, "Code": 200}}
    no_items = "ItemsPath of '{}' gives no array"

    def frame(self, given: Datum) -> Frame:
        return Frame(given, given)

    def passing(self, node: Node, frame: Frame) -> EventParts | None:
        data = node.data
        if data.input is not None or data.output is not None or data.globals is not None:
            return None
        text = frame.value.text
        return text, text, text, text

    def before(self, step: Step) -> EventParts:
        return (step.frame.value.text,)

    def enter(self, step: Step) -> None:
        step.given = given = step.frame.value
        constructor = step.node.data.input
        if constructor is not None:
            built = constructor.build(StateScope(step, given.value), step.effort)
            step.given = measured(built, MAX_DATA, f"the input of '{step.node.name}'", step.effort)

    def idle(self, step: Step) -> Datum:
        return step.given

    def result(self, step: Step, value: Json) -> Datum:
        return measured(value, MAX_DATA, f"the output of '{step.node.name}'", step.effort)

    def leave(self, step: Step, result: Datum) -> Datum:
        """The output of a state: its result, or what OutputConstructor makes; GlobalConstructor writes the global variables."""
        data, output, written = step.node.data, result, None
        if data.output is not None or data.globals is not None:
            scope = StateScope(step, step.given.value)
            scope["$Output"] = result.value
            if data.globals is not None:
                written = data.globals.build(scope, step.effort)
                sizes = {**step.context.global_sizes, **_sizes(written, step.effort)}
                if sum(size for size, _ in sizes.values()) > MAX_GLOBALS:
                    raise LimitExceeded(DATA_LIMIT, f"the global variables together take more than {MAX_GLOBALS} bytes")
            if data.output is not None:
                built = data.output.build(scope, step.effort)
                output = measured(built, MAX_DATA, f"the output of '{step.node.name}'", step.effort)
        if data.output is None and type(step.node) is TaskNode and not isinstance(result.value, dict):
            raise Failure(INVALID_OUTPUT, f"the output of '{step.node.name}' is not a JSON object: {result.text[:200]}")
        if written:
            context = step.context
            context.globals, context.global_sizes = {**context.globals, **written}, sizes
            if context.hold is not None:
                context.hold(sum(size for _, size in sizes.values()))
        step.frame.value = output
        return output

    def caught(self, step: Step, catch: Catch, failure: Failure) -> None:
        """Hand on the input of the state, or what the OutputConstructor of the catch makes."""
        step.error = failure
        output = step.given
        if catch.data is not None:
            built = catch.data.build(StateScope(step, step.given.value), step.effort)
            output = measured(built, MAX_DATA, f"the output of '{step.node.name}'", step.effort)
        step.frame.value = output

    def scope(self, step: Step) -> StateScope:
        return StateScope(step, step.given.value)

    def pause(self, step: Step) -> Wait:
        data = step.node.data
        return Wait(self.amount(step, data.seconds, "Seconds", 1, data.longest))

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        """The call of a task. A function gets the `body` of its Parameters as its event, any other action all of them."""
        constructor = node.data.parameters
        parameters = constructor.build(StateScope(step, step.given.value), step.effort) if constructor else {}
        event = parameters.get("body") if node.action == FUNCTION else parameters
        return self.task_call(step, node, step.given.value, parameters, event)

    def scheduled(self, step: Step, call: TaskCall) -> tuple[EventShapes, EventParts]:
        parameters = EMPTY
        if call.parameters:
            parameters = measured(call.parameters, MAX_DATA, f"the parameters of '{call.state}'", step.effort)
        return SCHEDULED, (json_text(call.action), parameters.text)

    def children(self, step: Step, items: list[Json], batch: int) -> list[Json]:
        """The inputs of the children: what ItemConstructor makes of each item, `batch` of them together as `{"Items": [...]}`."""
        constructor = step.node.data.item
        if constructor is not None:
            scope, effort = StateScope(step, step.given.value), Effort(step.context.ids, MAX_EFFORT + 100 * len(items))
            built = []
            for item in items:
                scope["$Item"] = item
                built.append(constructor.build(scope, effort))
                effort.check_built(built[-1])
            items = built
        if batch:
            items = [{"Items": items[at : at + batch]} for at in range(0, len(items), batch)]
        return items

    def element(self, step: Step, item: Json, index: int) -> Datum:
        return measured(item, MAX_DATA, f"element {index} of '{step.node.name}'")

    def join(self, step: Step, results: Sequence[Json]) -> Json:
        step.effort.spend(len(results))
        if step.node.kind is NodeKind.PARALLEL:
            return {f"Branch{index}": result for index, result in enumerate(results)}
        return {"Items": list(results)}


def _sizes(written: dict[str, Json], effort: Effort) -> dict[str, tuple[int, int]]:
    """The bytes of global variables as JSON text, and about those of their values. Raises `LimitExceeded` for one that is too
    large."""
    sizes = {}
    for key, value in written.items():
        if len(key.encode()) > MAX_GLOBAL_KEY:
            raise LimitExceeded(DATA_LIMIT, f"the global variable '{key[:32]}…' has a name over {MAX_GLOBAL_KEY} bytes")
        datum = measured(value, MAX_GLOBAL_VALUE, f"the global variable '{key}'", effort)
        sizes[key] = datum.size, value_size(datum.text)
        effort.spend(datum.size >> 3)
    return sizes
