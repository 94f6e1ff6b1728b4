"""Records of a server as values for Python: calls, violations, executions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Literal, cast

from msgspec import Struct

from cfmock.base.json_text import Json
from cfmock.base.short_text import printable
from cfmock.observe.call_record import CallRecord, explain
from cfmock.protocol.faults.catalogue import TransportFault
from cfmock.protocol.spec.names import ExecutionStatus

CallTransport = TransportFault | Literal["left"]
"""The fate of the connection of a call; `left`: the client did not wait for the answer."""

_LONGEST_PATH = 40  # states of an execution that are named in a text


class Call(Struct, frozen=True):
    """One call the server saw. `time` is of the flow clock; `duration` in seconds.

    `code` is None on success, `status` 0 where a fault kept the answer back, `transport` what a fault did to the connection.
    `violations` are sentences, `hint` one on what nearly matched, `warnings` those on what happened meanwhile. `faults` are the
    names of the rules that struck; `account` and `region` are those of its world;
    `traceparent` is the header of that name (W3C Trace Context).
    """

    operation: str
    parameters: Mapping[str, str]
    access_key_id: str
    time: datetime
    status: int
    code: str | None
    message: str | None
    request_id: str
    duration: float
    violations: tuple[str, ...]
    transport: CallTransport | None = None
    hint: str | None = None
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    traceparent: str | None = None


def brief(call: Call | CallRecord) -> str:
    """Describe a call on one line, for people."""
    given = ", ".join(f"{name}={value:.60}" for name, value in call.parameters.items())
    answer = call.transport if call.status == 0 else f"{call.status} {call.code or call.transport or ''}".rstrip()
    return f"{call.operation}({given}) -> {answer}"


class Violation(Struct, frozen=True):
    """Something in a call that the real service would take differently from how it was meant.

    `kind` is a key of `observe/violation_kinds.json`; `message` says what was seen, `meant` what the client is thought to have
    meant, `real` what the real service would do. `time` is of the flow clock.
    """

    kind: str
    message: str
    meant: str
    real: str
    operation: str
    request_id: str
    time: datetime

    def __str__(self) -> str:
        said, meant, real = map(printable, (self.message, self.meant, self.real))
        return f"{self.operation} ({self.request_id}): {said}\n  meant: {meant}\n  really: {real}"


class Execution(Struct, frozen=True):
    """One execution as it is now. `input` and `output` are parsed; `error` is `{"code", "detail"}` of a failure, else None;
    `visits` names the states entered, in order; `events` are those of GetExecutionHistory."""

    flow: str
    name: str
    status: ExecutionStatus
    input: Json
    output: Json
    error: dict[str, str] | None
    started: datetime
    stopped: datetime | None
    visits: tuple[str, ...]
    events: tuple[dict[str, Json], ...]


class ExecutionDetail(Execution, frozen=True):
    """An execution with all that is known of it.

    `tasks` are its passages through tasks, each with its tries: what it was given, who answered and why, what nearly did, and
    what came of it. `waiting` are the tasks whose report it waits for, `outcome` the canned outcome that decides how it goes,
    None where its flow had none, `parent` the execution that started it, None where none did. They are mappings as the admin API
    has them (docs/admin.md); times in them are texts.
    """

    tasks: tuple[dict[str, Json], ...]
    waiting: tuple[dict[str, Json], ...]
    outcome: dict[str, Json] | None
    parent: dict[str, Json] | None


class FlowSummary(Struct, frozen=True):
    """One flow: how many executions of each status are kept, how many mocks, outcomes and findings of `cfmock check` it has, and
    how much of its definition executions reached, in percent. `account` and `region` are those of its world."""

    name: str
    execution_mode: str
    description: str
    counts: dict[str, int]
    mocks: int
    outcomes: int
    findings: int
    coverage: int
    account: str
    region: str


def public_calls(records: Sequence[CallRecord]) -> list[Call]:
    """Turn records into the calls that `cf.calls` returns."""
    explain(records)
    return [_public(record) for record in records]


def _public(record: CallRecord) -> Call:
    return Call(
        record.operation, record.parameters, record.access_key_id, moment(record.time), record.status, record.code,
        record.message, record.request_id, record.duration, tuple(each.message for each in record.violations),
        cast("CallTransport | None", record.transport), record.hint, record.details.warnings,
        record.faults, record.account, record.region, record.traceparent,
    )  # fmt: skip


def execution_text(execution: Execution, no_state: str = "no state was entered") -> str:
    """Describe an execution in two lines: its status and error, and the states it entered, or why there is `no_state`."""
    error = execution.error or {}
    why = ": ".join(filter(None, (error.get("code"), error.get("detail"))))
    states = list(execution.visits)
    if len(states) > _LONGEST_PATH:
        half = _LONGEST_PATH // 2
        states[half:-half] = [f"... {len(states) - 2 * half} more ..."]
    head = f"{execution.flow}, {execution.name}: {execution.status}" + (f", {why}" if why else "")
    return f"{head}\n    path: {' -> '.join(states) or no_state}"


def violations_text(violations: Sequence[Violation]) -> str:
    """Write all of them, for people."""
    count = f"{len(violations)} violation{'s' * (len(violations) != 1)}"
    return "\n".join([f"{count}: what the real service would take differently", *map(str, violations)])


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)
