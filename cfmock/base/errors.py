"""The exceptions of the package, by whose mistake they are.

    CfmockError
    ├── ServiceError       the caller on the wire: becomes an error answer
    │   └── Refused            before the operation was read
    ├── SettingsError      a user at the start: an option, a variable, a setting
    ├── UsageError         a Python program that asks for what cannot be done as it asks
    ├── ArgumentError      a value given to a method that it cannot take
    │   └── InvalidValue       one with mistakes in it; carries each with its path
    ├── ArgumentTypeError  likewise, of a type that it cannot take
    ├── BrokenConnection   a fault broke the connection of a call
    ├── WaitTimeout        what a Python program waits for takes too long
    ├── WaitingForReport   what it waits for can never come: a report that nobody will send
    ├── ClockStopped       what a Python program sets going, or lets time pass for, does not come to an end
    ├── UnknownName        the author of a test: a name that nothing has
    └── SourceError        the author of a file; carries every `Problem` found in it
        ├── FixtureError       of a fixture file
        └── DefinitionError    of a flow definition

Anything else that escapes is our own bug: on the wire an InternalServerError, with the traceback in the log only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cfmock.base.problems import MOST_TOLD, Mistake, Mistakes, Path, Problem, told
from cfmock.base.source_marks import path_text
from cfmock.base.suggestions import meant, nearest, shown


class CfmockError(Exception):
    """Base of everything cfmock raises on purpose."""


class ServiceError(CfmockError):
    """An error answer of the service, raised by the handlers with the arguments of its template, and by `cf.call` with what
    came. Attributes: `code`, `args` (of the template), `detail` (appended to its text), and, once it is known what was answered,
    `status` (HTTP), `message` and `request_id`. `hint` says what the service would not, as which name was probably meant; else
    None."""

    def __init__(
        self,
        code: str,
        *args: str,
        detail: str = "",
        status: int | None = None,
        message: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(*args)
        self.code = code
        self.detail = detail
        self.status = status
        self.message = message
        self.request_id = request_id
        self.hint = hint

    def __str__(self) -> str:
        if self.message is None:
            return f"{self.code}({', '.join(map(str, self.args))})" + (f": {self.detail}" if self.detail else "")
        return f"{self.code} ({self.status}): {self.message}" + (f"\nhint: {self.hint}" if self.hint else "")


class Refused(ServiceError):  # noqa: N818 - reads as what happened where it is raised
    """A call that is refused before its operation is looked at: for who calls, how it is signed, what it asks for. `reason` is
    the row in the table of the gateway, which has words of its own for it; `facts` are what these may name."""

    def __init__(
        self, code: str, *args: str, reason: str, detail: str = "", hint: str | None = None, **facts: str
    ) -> None:
        super().__init__(code, *args, detail=detail, hint=hint)
        self.reason = reason
        self.facts = facts


class SettingsError(CfmockError):
    """An option, environment variable or setting that cannot be used. The text names it and says what would do."""


class UsageError(CfmockError, RuntimeError):
    """A method of `CloudFlow` that cannot be called here: before or after its `with`, or where it would block a running loop."""


class ArgumentError(CfmockError, ValueError):
    """A value that a method of `CloudFlow` and its handles cannot take. The text says what would do."""


class ArgumentTypeError(CfmockError, TypeError):
    """A value of a type that a method of `CloudFlow` and its handles cannot take."""


class InvalidValue(ArgumentError):  # noqa: N818 - reads as what happened where it is raised
    """A value with mistakes in it: `problems` holds each with its path within the value."""

    def __init__(self, problems: Iterable[tuple[Path, Mistake]]) -> None:
        self.problems = tuple(problems)
        told = [f"{path_text(path)}: {each}" if path else str(each) for path, each in self.problems[:MOST_TOLD]]
        rest = len(self.problems) - len(told)
        super().__init__("; ".join([*told, f"and {rest} more"] if rest else told))

    @classmethod
    def of(cls, kind: str, *subject: str | int, path: Path = (), near: tuple[str, ...] = ()) -> InvalidValue:
        """Return the error of one mistake."""
        return cls([(path, Mistake(kind, subject, near))])

    def below(self, *path: str | int) -> Mistakes:
        """Return the mistakes, with their paths within what has the value at `path`."""
        return [((*path, *inner), mistake) for inner, mistake in self.problems]


class BrokenConnection(CfmockError, ConnectionError):  # noqa: N818 - reads as what happened where it is raised
    """A fault broke the connection of a call of `cf.call`. `transport` names what the fault did, as `reset`."""

    def __init__(self, transport: str) -> None:
        super().__init__(f"a fault broke the connection: {transport}")
        self.transport = transport


class WaitTimeout(CfmockError, TimeoutError):  # noqa: N818 - reads as what happened where it is raised
    """An execution or a call did not come within the seconds given. The text says what there was instead."""


class WaitingForReport(CfmockError):  # noqa: N818 - reads as what happened where it is raised
    """An execution on a virtual clock waits for a report that nobody will send. `tasks` are those it waits for, each a mapping
    of `state`, `token` and `since` (text, UTC)."""

    def __init__(self, message: str, tasks: Sequence[Mapping[str, str]]) -> None:
        super().__init__(message)
        self.tasks = tuple(tasks)


class ClockStopped(CfmockError):  # noqa: N818 - reads as what happened where it is raised
    """A run or a move of the flow clock starts more executions than `max_starts_per_advance` allows. `now` is where the clock
    stands, `reason` says why; what is left goes on when it is moved on."""

    def __init__(self, now: datetime, reason: str) -> None:
        super().__init__(f"the flow clock stands at {now:%Y-%m-%dT%H:%M:%S}Z: {reason}")
        self.now = now
        self.reason = reason


class UnknownName(CfmockError, ValueError):  # noqa: N818 - reads as what happened where it is raised
    """A name given by a test that nothing has. `suggestion` is the nearest name there is, if any; the text has it, too."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion

    @classmethod
    def of(cls, message: str, word: str, known: Iterable[str]) -> UnknownName:
        """Return the error with the nearest of the known names behind its message."""
        near = nearest(word, known)
        return cls(message + meant(near), near)


class TaskFailed(CfmockError):  # noqa: N818 - reads as what happened where it is raised
    """Raised by a function given to `cf.task(...).calls(...)` to fail its task. Raises ArgumentTypeError for what is no text."""

    def __init__(self, code: str, detail: str = "") -> None:
        check_error_text(code, detail)
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def check_error_text(code: object, detail: object) -> None:
    """Raises ArgumentTypeError unless both are text, as the service has them."""
    for name, value in (("code", code), ("detail", detail)):
        if not isinstance(value, str):
            raise ArgumentTypeError(f"{name}: {shown(value)} is not text")


class SourceError(CfmockError):
    """Files with mistakes, in the order of their texts: of each file the first 100, and how many more there are."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = told(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def count(self) -> int:
        """The number of mistakes, those included that `problems` only counts."""
        return sum(each.count for each in self.problems)


class FixtureError(SourceError):
    """A fixture file that cannot be used."""


class DefinitionError(SourceError):
    """A flow definition that the service would refuse."""
