"""Tasks: what a definition asks of the world, and the answers that need no other execution.

An answer is known now (`Returns`, `Fails`), comes by a report (`Waits`) or comes from outside (`AnswersLater`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from cfmock.base.json_text import Json
from cfmock.base.patterns import EVERY_EXECUTION, ExecutionCondition
from cfmock.base.time_text import parse_duration
from cfmock.engine.identity import Identity, TaskToken
from cfmock.engine.model import Mode


class TaskCall(Struct, frozen=True):
    """One try of a task.

    `parameters` are what the call is made with, `event` is what a function in its place is given, and `envelope` what its
    answer is put into, as `Body`, to be the result (None: it is the result). `input` is what mocks are matched by: the
    state's, or, where an old step names an action, the event. `timeout` is in seconds, None for never; `retries` is how
    often the task has been tried before; `node` is the id of the state in its flow.
    """

    state: str
    action: str
    resource_arn: str | None
    mode: Mode
    input: Json
    parameters: Json
    event: Json
    envelope: Mapping[str, Json] | None
    timeout: float | None
    retries: int
    node: str
    identity: Identity
    task_token: TaskToken

    @property
    def token(self) -> str:
        return self.task_token.text

    @property
    def product(self) -> str:
        """The product in the action, as written: the prefix of its error codes."""
        return self.action.partition(":")[0]


class Returns(Struct, frozen=True):
    """The task succeeds after `after` seconds, with `value` as its whole result."""

    value: Json
    after: float = 0.0


class Fails(Struct, frozen=True):
    """The task fails after `after` seconds."""

    code: str
    detail: str = ""
    after: float = 0.0


class Waits(Struct, frozen=True):
    """The task ends when somebody reports its token; `call_off` is told if it ends otherwise, with error and cause. `child` is
    the serial of the canned execution whose end is the report."""

    call_off: Callable[[str, str], object] | None = None
    child: int | None = None


class AnswersLater(Struct, frozen=True):
    """Somebody outside is asked, and will give the answer to `PendingTask.answer`."""


class TaskMock(Struct, frozen=True, eq=False):
    """One scripted answer to a task, for executions that match `when` (`execution`, a glob, and `input`, the call's), of which
    `condition` is the compiled form.

    One of `answer`, `http` (the URL of a locally running function) and `calls` (a Python function) is given. `times`:
    how often it answers in one execution, None for ever.
    """

    answer: Returns | Fails | Waits | None = None
    http: str | None = None
    calls: Callable[[Json], Any] | None = None
    when: Mapping[str, Json] = {}
    times: int | None = None
    condition: ExecutionCondition = EVERY_EXECUTION

    def __post_init__(self) -> None:
        if self.when:
            force_setattr(self, "condition", ExecutionCondition(self.when))

    @property
    def endless(self) -> bool:
        """Return whether it answers every try that comes to it, so that mocks behind it answer none."""
        return self.times is None and not self.when

    def to_mapping(self) -> dict[str, Json]:
        """As a fixture has it; of one that calls a Python function without that."""
        mapping: dict[str, Json] = {}
        answer = self.answer
        if isinstance(answer, Returns):
            mapping["returns"] = answer.value
        elif isinstance(answer, Fails):
            mapping["fails"] = {"code": answer.code, "detail": answer.detail}
        elif answer is not None:
            mapping["waits"] = True
        if not isinstance(answer, Waits | None) and answer.after:
            mapping["after"] = answer.after
        if self.http is not None:
            mapping["http"] = self.http
        if self.when:
            mapping["when"] = dict(self.when)
        if self.times is not None:
            mapping["times"] = self.times
        return mapping

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> TaskMock:
        """From the mapping of a fixture, known to fit its schema. Raises ValueError for a duration."""
        after = parse_duration(mapping.get("after", 0))
        answer: Returns | Fails | Waits | None = None
        if "returns" in mapping:
            answer = Returns(mapping["returns"], after)
        elif "fails" in mapping:
            answer = Fails(mapping["fails"]["code"], mapping["fails"].get("detail", ""), after)
        elif mapping.get("waits"):
            answer = Waits()
        return cls(
            answer=answer,
            http=mapping.get("http"),
            calls=mapping.get("calls"),
            when=mapping.get("when", {}),
            times=mapping.get("times"),
        )
