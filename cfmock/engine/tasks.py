"""Tasks: what a definition asks of the world, who answers, and how.

The engine asks a `TaskResolver`; the service gives it one. An answer is known now (`Returns`, `Fails`), comes by a
report (`Waits`), comes from outside (`Later`), or is the end of another execution (`Nested`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cfmock.engine.commands import Failure
from cfmock.engine.model import Mode

if TYPE_CHECKING:
    from cfmock.engine.pending import PendingTask
    from cfmock.engine.rules import Identity, Step
    from cfmock.engine.runs import Run

Json = Any

START_EXECUTION = "fnf:startexecution"


class TaskCall(NamedTuple):
    """One try of a task.

    `input` is the state's, `parameters` what the call is made with, `event` what a function in its place is given.
    `actions` are the names a mock may know it by, the state's name first; `timeout` is in seconds, None for never.
    """

    state: str
    action: str
    resource_arn: str | None
    mode: Mode
    input: Json
    parameters: Json
    event: Json
    timeout: float | None
    step: Step

    @property
    def identity(self) -> Identity:
        return self.step.context.identity

    @property
    def retries(self) -> int:
        """How often the task has been tried before."""
        return self.step.retries

    @property
    def token(self) -> str:
        return self.step.token

    @property
    def product(self) -> str:
        """The product in the action, as written: the prefix of its error codes."""
        return self.action.partition(":")[0]


class Returns(NamedTuple):
    """The task succeeds after so many seconds with this as its whole result."""

    value: Json
    after: float = 0.0


class Fails(NamedTuple):
    """The task fails after so many seconds."""

    code: str
    detail: str = ""
    after: float = 0.0


class Waits(NamedTuple):
    """The task ends when somebody reports its token."""


class Later(NamedTuple):
    """Somebody outside is asked, and will give the answer to `PendingTask.answer`."""


class Nested(NamedTuple):
    """Another execution was started: its run, and what StartExecution answered. The callback modes wait for the run's
    end.
    """

    run: Run | None
    answer: Json


Answer = Returns | Fails | Waits | Later | Nested


class TaskResolver(Protocol):
    """Who knows the answers to the tasks of an execution."""

    def resolve(self, task: PendingTask, /) -> Answer:
        """Answer a try of a task. A raised `Failure` fails it, in the callback modes before it was submitted."""


class TokenParts(NamedTuple):
    """What a task token says."""

    flow: str
    execution: str
    event: int


def read_token(token: str) -> TokenParts | None:
    """The parts of a token in the published form, None for any other text."""
    try:
        plain = base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    parts = plain.split("#")
    if len(parts) != 5 or parts[0] != "v1" or not parts[3].isascii() or not parts[3].isdigit():
        return None
    return TokenParts(parts[1], parts[2], int(parts[3]))


class FlowStart(NamedTuple):
    """A nested flow that a task wants started; `execution` None: the service makes up a name."""

    flow: str
    execution: str | None
    input: Json


_FLOW_ARN = re.compile(r"acs:fnf:[^:]*:[^:]*:flow/([^/]+)\Z")


def flow_start(call: TaskCall) -> FlowStart | None:
    """What a task that starts a flow asks for, None for any other task.

    New language: `resourceArn`, `executionName`, `input`; `fnf:StartExecution` of the old one: `FlowName`,
    `ExecutionName`, `Input`; and there the resource may be the flow itself. Raises a `Failure` when the flow cannot be
    told from them.
    """
    arn = call.resource_arn or ""
    if call.action.casefold() != START_EXECUTION:
        return None
    parameters = call.parameters if isinstance(call.parameters, Mapping) else {}
    given = {str(key).casefold(): value for key, value in parameters.items()}
    arn = arn or given.get("resourcearn") or ""
    found = _FLOW_ARN.match(arn) if isinstance(arn, str) else None
    name = given.get("flowname") or (found.group(1) if found else None)
    if not isinstance(name, str):
        raise Failure(f"{call.product}.InvalidArgument", f"no flow is named by {arn!r} (acs:fnf:::flow/NAME)")
    execution = given.get("executionname")
    if execution is not None and not isinstance(execution, str):
        raise Failure(f"{call.product}.InvalidArgument", f"an execution name is text, not {execution!r}")
    own = call.input if call.resource_arn is not None and not parameters else {}
    value = given.get("input", own)
    if not isinstance(value, dict):
        raise Failure(f"{call.product}.InvalidArgument", "the input of a flow is an object")
    return FlowStart(name, execution, value)
