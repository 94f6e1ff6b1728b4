"""How data move through a flow: what the interpreter asks of a definition language.

Control (order, choice, retry, catch, fork) is the same in both languages and written once, in the interpreter. Data are
not: the old language merges outputs into a parent's local variable and maps, the new one replaces the input by
constructors. So each language brings a `DataRules`, and with it a *frame*, in which a series keeps what its nodes hand
on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from cfmock.base.json_text import json_text
from cfmock.base.randomness import Ids
from cfmock.engine.commands import DATA_LIMIT, EMPTY, RUNTIME_ERROR, Datum, Failure, LimitExceeded, Wait, WaitUntil
from cfmock.engine.events import Shape
from cfmock.engine.expr import Expression
from cfmock.engine.model import Catch, Flow, Node, TaskNode
from cfmock.engine.task_calls import TaskCall
from cfmock.engine.task_tokens import TokenParts, make_token

Json = Any
Frame = Any
"""Each language has its own; the interpreter only hands it around."""


class Identity(NamedTuple):
    """Who an execution is: what its definition can read of it. `environment` are the variables of its flow.

    `nesting` counts the executions that wait for this one, each inside the one before.
    """

    flow: str
    execution: str
    role_arn: str = ""
    region: str = ""
    environment: Mapping[str, str] | None = None
    nesting: int = 0

    def context(self, given: Json) -> dict[str, Json]:
        """What `$Context` says of an execution with this input, wherever in it one looks."""
        return {
            "Execution": {"Name": self.execution, "Input": given, "RoleArn": self.role_arn},
            # No path for these is published; the names are ours.
            "Flow": {"Name": self.flow, "Region": self.region},
            "Environment": dict(self.environment or {}),
        }


class Context:
    """What all parts of one execution share: its identity and input, the global variables, chance, and who watches.

    `observe` is told the id of every `Point` that is passed.
    """

    __slots__ = ("globals", "identity", "ids", "input", "map_runs", "observe")

    def __init__(
        self, identity: Identity, given: Json, ids: Ids, observe: Callable[[str], object] | None = None
    ) -> None:
        self.identity = identity
        self.input = given
        self.ids = ids
        self.observe = observe
        self.globals: dict[str, Json] = {}
        self.map_runs = 0  # open ones


class Step:
    """One passage through a node.

    `given` is the node's own input, `entered` the event of entering it, `last` the one that what comes next follows
    from, `next` the node to go to afterwards.
    """

    __slots__ = ("_token", "context", "entered", "error", "frame", "given", "last", "next", "node", "retries")

    def __init__(self, node: Node, frame: Frame, context: Context) -> None:
        self.node: Any = node  # the interpreter and the rules know by its kind which node it is
        self.frame = frame
        self.context = context
        self.given = EMPTY
        self.entered = 0
        self.last = 0
        self.next = node.next
        self.retries = 0
        self.error: Failure | None = None
        self._token: str | None = None

    @property
    def token(self) -> str:
        """The task token, one for all tries, made when it is first wanted."""
        if self._token is None:
            who = self.context.identity
            self._token = make_token(TokenParts(who.flow, who.execution, self.entered), self.context.ids.seal())
        return self._token


class DataRules(Protocol):
    """The data rules of one language. Whatever evaluates an expression may raise `ExpressionError` or a `Failure`.

    The two shapes are the events for leaving a branch or iteration, with its index and what it came to.
    """

    branch_exited: Shape
    iteration_exited: Shape

    def open(self, flow: Flow, given: Datum, context: Context) -> Frame:
        """The frame of a new execution."""

    def close(self, flow: Flow, frame: Frame, context: Context) -> Datum:
        """The output of the execution."""

    def before(self, step: Step) -> tuple[Shape, tuple[str, ...]]:
        """The event for entering a node: what it finds."""

    def after(self, step: Step) -> tuple[Shape, tuple[str, ...]]:
        """The event for leaving a node: what it leaves behind."""

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

    def test(self, step: Step, condition: Expression) -> bool:
        """Whether the condition of a choice is met."""

    def pause(self, step: Step) -> Wait | WaitUntil:
        """What a wait waits for."""

    def amount(self, step: Step, given: Any, what: str, low: float, high: float) -> Any:
        """A number written in the definition, or the value of the expression that stands for it; `what` names it."""

    def call(self, step: Step, node: TaskNode) -> TaskCall:
        """The call a task makes, on this try; `node` is the step's own, or the reader or writer of a map."""

    def scheduled(self, call: TaskCall) -> tuple[Shape, tuple[str, ...]]:
        """The event for a call that is about to be made."""

    def items(self, step: Step) -> list[Json]:
        """The elements of a map."""

    def children(self, step: Step, items: list[Json], batch: int) -> list[Json]:
        """The inputs of a distributed map's children: one for each item, or for each `batch` of them."""

    def inner(self, step: Step) -> Frame:
        """The frame of a series inside the node: a branch, or the steps of an option."""

    def iteration(self, step: Step, item: Json, index: int) -> Frame:
        """The frame of one iteration of a map."""

    def value(self, frame: Frame) -> Datum:
        """What a series has come to, once it is over."""

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


def datum(value: Json, what: str) -> Datum:
    """A value with its text. Raises a `Failure` for what is no JSON value or is nested too deeply; `what` names it."""
    try:
        made = Datum(value, json_text(value))
    except (TypeError, ValueError) as error:
        raise Failure(RUNTIME_ERROR, f"{what} is no JSON value: {error}") from None
    except RecursionError:
        raise Failure(RUNTIME_ERROR, f"{what} is nested too deeply") from None
    check_nesting(made.text, what)
    return made


def measured(value: Json, limit: int, what: str) -> Datum:
    """The same for a value that may take `limit` bytes at most; raises `LimitExceeded` for a larger one."""
    made = datum(value, what)
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
