"""The movement of data through a flow: what the interpreter asks of a definition language.

Control (order, choice, retry, catch, fork) is the same in both languages and written once, in the interpreter. Data are
not: the old language merges outputs into a parent's local variable and maps, the new one replaces the input by
constructors. So each language brings a `DataFlow`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from cfmock.base.json_text import Json, json_text
from cfmock.base.randomness import Ids
from cfmock.engine.commands import (
    DATA_LIMIT,
    EMPTY,
    RUNTIME_ERROR,
    Datum,
    Emit,
    Failure,
    LimitExceeded,
    Wait,
    WaitUntil,
)
from cfmock.engine.events import EventParts, EventShapes, PartShapes, Rows, StepShapes
from cfmock.engine.expr import DataTooLarge, Effort, Expression
from cfmock.engine.identity import Identity, TaskToken
from cfmock.engine.model import Catch, Node, TaskNode
from cfmock.engine.task_calls import TaskCall


class Context:
    """The values that all parts of one execution share: identity, input, global variables, chance, and who is told.

    `observe` is told the id of every `Point` that is passed, and `hold` how many bytes the global variables take. `last` is
    the last event of the execution, `rows` are those that the sink has still to get: `ahead` of them at most, none from the
    `border` on, and all at one `moment`.
    """

    __slots__ = (
        "ahead", "border", "global_sizes", "globals", "hold", "identity", "ids", "input", "last", "map_runs", "moment",
        "observe", "rows",
    )  # fmt: skip

    def __init__(
        self,
        identity: Identity,
        given: Json,
        ids: Ids,
        observe: Callable[[str], object] | None = None,
        ahead: int = 0,
    ) -> None:
        self.identity = identity
        self.input = given
        self.ids = ids
        self.observe = observe
        self.hold: Callable[[int], object] | None = None
        self.globals: dict[str, Json] = {}
        self.global_sizes: dict[str, tuple[int, int]] = {}  # as JSON text, and as values
        self.map_runs = 0  # open ones
        self.last = 0
        self.rows: Rows = []
        self.ahead = ahead
        self.border = 0
        self.moment = 0.0

    def tell(self, told: Emit) -> int:
        """Record events without yielding them. Returns the id of the last; 0 where they have to be yielded all the same, since
        others may have to have their turn."""
        step, cause, shapes, parts = told
        last = self.last
        number = last + len(shapes)
        if number >= self.border:
            return 0
        self.last = number
        self.rows += (last + 1, cause, step, self.moment, shapes, parts)
        return number


class Frame:
    """A running series: `given` is what it was given, `value` what its nodes hand on: the output of the last, or, in the old
    language, the local variable of its parent."""

    __slots__ = ("given", "value")

    def __init__(self, given: Datum, value: Datum) -> None:
        self.given = given
        self.value = value


class Step:
    """One passage through a node.

    `given` is the node's own input, `entered` the event of entering it, `last` the one that what comes next follows
    from, `next` the node to go to afterwards; `effort` is what its expressions may still take, on each try.
    """

    __slots__ = ("_token", "context", "effort", "entered", "error", "frame", "given", "last", "next", "node", "retries")

    def __init__(self, node: Node, frame: Frame, context: Context) -> None:
        self.node = node
        self.frame = frame
        self.context = context
        self.effort = Effort(context.ids)
        self.given = EMPTY
        self.entered = 0
        self.last = 0
        self.next = node.next
        self.retries = 0
        self.error: Failure | None = None
        self._token: TaskToken | None = None

    @property
    def token(self) -> TaskToken:
        """The task token, one for all tries."""
        if self._token is None:
            self._token = TaskToken(self.context.identity, self.entered, self.context.ids)
        return self._token


class DataFlow(Protocol):
    """The movement of data in one language. Whatever evaluates an expression may raise `ExpressionError` or a `Failure`.

    `shapes` are the events of a step, `branch` and `iteration` those of these, with the index, and what it came to.
    `max_data` is the size of an input in bytes, `timeout` the name of the field of a task and its range in seconds, `no_items`
    what is wrong with the items of a map, named by `{}`, that are no list, `envelopes` those of calls by their action.
    """

    shapes: ClassVar[StepShapes]
    branch: ClassVar[PartShapes]
    iteration: ClassVar[PartShapes]
    max_data: ClassVar[int]
    timeout: ClassVar[tuple[str, float, float]]
    no_items: ClassVar[str]
    envelopes: ClassVar[Mapping[str, Mapping[str, Json]]] = {}

    def open(self, given: Datum, context: Context) -> Frame:
        """The frame of a new execution."""
        check_size(given.size, self.max_data, "the input of the execution")
        check_nesting(given.text, "the input of the execution")
        return self.frame(given)

    def close(self, frame: Frame, context: Context) -> Datum:
        """The output of the execution."""
        return frame.value

    def frame(self, given: Datum) -> Frame:
        """The frame of a series inside a node: a branch, an iteration, or the steps of an option."""

    def passing(self, node: Node, frame: Frame) -> EventParts | None:
        """All that a node without work tells, if it takes nothing but what it finds, and changes nothing; else None."""
        return None

    def before(self, step: Step) -> EventParts:
        """What the event for entering a node tells: what it finds."""

    def after(self, step: Step) -> EventParts:
        """What the event for leaving a node tells: what it leaves behind."""
        return (step.frame.value.text,)

    def enter(self, step: Step) -> None:
        """Set `step.given`."""

    def idle(self, step: Step) -> Datum:
        """The result of a node that does nothing with its input."""

    def result(self, step: Step, value: Json) -> Datum:
        """The result of a node from the value it came to. Fails for one that is too large."""

    def leave(self, step: Step, result: Datum) -> Datum:
        """The output, which it also hands on to the next node of the frame."""

    def caught(self, step: Step, catch: Catch, failure: Failure) -> None:
        """Hand on what the catch makes of the failure."""

    def scope(self, step: Step) -> dict[str, Json]:
        """The names that the expressions of a node may use before it has worked."""

    def test(self, step: Step, condition: Expression) -> bool:
        """Return whether the condition of a choice is met."""
        return condition.test(self.scope(step), step.effort)

    def pause(self, step: Step) -> Wait | WaitUntil:
        """Return the command of a Wait: for a duration or until a moment."""

    def amount(self, step: Step, given: Any, what: str, low: float, high: float, *, whole: bool = True) -> Any:
        """A number written in the definition, or the value of the expression that stands for it; `what` names it."""
        if type(given) is not Expression:
            return given
        value = given.evaluate(self.scope(step), step.effort)
        number = number_in(value, low, high, whole=whole)
        if number is None:
            kind = number_kind(low, high, whole=whole)
            raise Failure(RUNTIME_ERROR, f"{what} of '{step.node.name}' is {value!r}, no {kind}")
        return number

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        """The call a task makes, on this try; `node` is the step's own, or the reader or writer of a map."""

    def task_call(self, step: Step, node: TaskNode, given: Json, parameters: Json, event: Json) -> TaskCall:
        """A call with the parameters and the event that the rules of the language have made; mocks match what it is `given`."""
        return TaskCall(
            state=node.name,
            action=node.action,
            resource_arn=node.resource_arn,
            mode=node.mode,
            input=given,
            parameters=parameters,
            event=event,
            envelope=self.envelopes.get(node.action),
            timeout=self.amount(step, node.timeout, *self.timeout) or None,
            retries=step.retries,
            node=step.node.id,
            identity=step.context.identity,
            task_token=step.token,
        )

    def scheduled(self, step: Step, call: TaskCall) -> tuple[EventShapes, EventParts]:
        """The events for a call that is about to be made, and starts."""

    def items(self, step: Step) -> list[Json]:
        """The elements of a map."""
        expression = step.node.data.items
        items = expression.evaluate(self.scope(step), step.effort)
        if not isinstance(items, list):
            raise Failure(RUNTIME_ERROR, f"{self.no_items.format(step.node.name)}: {expression.text}")
        step.effort.check_built(items)
        return items

    def children(self, step: Step, items: list[Json], batch: int) -> list[Json]:
        """The inputs of a distributed map's children: one for each item, or for each `batch` of them."""
        return items

    def element(self, step: Step, item: Json, index: int) -> Datum:
        """What one iteration of a map is given."""

    def join(self, step: Step, results: Sequence[Json]) -> Json:
        """The result of a parallel or map from those of its branches or iterations."""


MAX_NESTING = 100
"""Objects and arrays inside one another; our choice, that of definitions, so that no value exhausts the stack."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OUTSIDE_BRACKETS = re.compile(r"[^][{}]")


def number_of(value: Json) -> int | float | None:
    """A number, also one written as text; None for anything else."""
    if isinstance(value, str):
        for read in (int, float):
            try:
                return read(value)
            except ValueError:
                continue
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def number_in(value: Json, low: float, high: float, *, whole: bool) -> int | float | None:
    """The number that a field holds, if it is one from `low` to `high`. With `whole` 3.0 is 3; 3.5 is none, nor is "3.0"."""
    number = number_of(value)
    if isinstance(number, float) and whole:
        number = int(number) if number is value and number.is_integer() else None
    return number if number is not None and low <= number <= high else None


def number_kind(low: float, high: float, *, whole: bool) -> str:
    """Describe the numbers that `number_in` takes, for a message."""
    return f"{'whole ' if whole else ''}number from {low:g} to {high:.12g}"


def datum(value: Json, what: str, effort: Effort | None = None) -> Datum:
    """A value with its text. Raises a `Failure` for what is not a JSON value or is nested too deeply; `what` names it.

    With the `effort` that made it, raises `LimitExceeded` for a value that is far too large, before it is written.
    """
    try:
        if effort is not None:
            effort.check_built(value)
        made = Datum(value, json_text(value))
    except DataTooLarge as error:
        raise LimitExceeded(DATA_LIMIT, f"{what}: {error}") from None
    except (TypeError, ValueError) as error:
        raise Failure(RUNTIME_ERROR, f"{what} is not a JSON value: {error}") from None
    except RecursionError:
        raise Failure(RUNTIME_ERROR, f"{what} is nested too deeply") from None
    check_nesting(made.text, what)
    return made


def measured(value: Json, limit: int, what: str, effort: Effort | None = None) -> Datum:
    """Return a value of at most `limit` bytes with its text; raises `LimitExceeded` for a larger one."""
    made = datum(value, what, effort)
    if made.size > limit:
        check_size(made.size, limit, what)
    return made


def check_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise LimitExceeded(DATA_LIMIT, f"{what} takes {size} bytes, more than {limit}")


def check_nesting(text: str, what: str) -> None:
    """Raises a `Failure` for a JSON text of more than `MAX_NESTING` levels."""
    if text.count("{") + text.count("[") <= MAX_NESTING:
        return
    brackets = _OUTSIDE_BRACKETS.sub("", _STRING.sub("", text))
    for _ in range(MAX_NESTING):
        if not brackets:
            return
        brackets = brackets.replace("{}", "").replace("[]", "")  # peels off the innermost level
    if brackets:
        raise Failure(RUNTIME_ERROR, f"{what} is nested more than {MAX_NESTING} levels deep")
