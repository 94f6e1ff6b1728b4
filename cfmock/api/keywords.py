"""Keywords of `CloudFlow` and its methods as types, for type checkers. What may stand where is checked when it is used, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypedDict

from cfmock.base.json_text import Json
from cfmock.protocol.faults.catalogue import TransportFault
from cfmock.protocol.spec.names import CallParameters, ExecutionStatus

if TYPE_CHECKING:
    from typing_extensions import NotRequired

Source = str | PathLike[str] | Mapping[str, Json]
"""A fixture file, a folder, a flow definition, or a mapping that is one of these."""

Duration = float | str
"""Seconds, or text such as `2s` and `15m`."""

OneOrMore = str | list[str] | tuple[str, ...]


class SettingKeywords(TypedDict, total=False):
    """Settings of a server, as keywords of `CloudFlow`."""

    auth: Literal["strict", "off"]
    clock: Literal["real", "virtual"]
    errors: Literal["documented", "gateway"]
    seed: int | None
    now: str | float | datetime | None
    region: str
    unmocked_tasks: Literal["succeed", "fail"]
    max_time_skew: Duration
    accept_acs3: bool
    check_nonce: bool
    rate_limits: Literal["none", "documented"]
    max_flows: int
    max_running_executions: int
    max_starts_per_advance: int
    keep_executions: int
    keep_bytes: int | str
    journal_size: int
    task_hosts: Iterable[str]
    variables: Mapping[str, str | float]
    journal: str | PathLike[str] | None
    state: str | PathLike[str] | None
    tls: bool
    tls_ca_out: str | PathLike[str] | None
    tls_cert: str | PathLike[str] | None
    tls_key: str | PathLike[str] | None
    strict: bool
    verbose: bool
    admin_token: str | None
    allow_origin: Iterable[str]


class OutcomeWhen(TypedDict, total=False):
    """Executions that an outcome is for: a glob for the name, and what the input has to hold."""

    execution: str
    input: Json


class Polls(TypedDict):
    """The end comes with the n-th DescribeExecution."""

    polls: int


class ExecutionError(TypedDict):
    """Error of an execution that fails."""

    code: str
    detail: NotRequired[str]


class OutcomeKeywords(TypedDict, total=False):
    """Keywords of `CloudFlow.outcome`, those of a fixture's `outcomes`."""

    when: OutcomeWhen
    status: ExecutionStatus
    output: Mapping[str, Json]
    error: ExecutionError
    after: Duration | Polls
    times: int


class FaultCalls(TypedDict, total=False):
    """Calls of an operation that a fault strikes, as keywords of `CloudFlow.fail`. Texts are globs."""

    flow: OneOrMore
    execution: OneOrMore
    access_key_id: OneOrMore
    call: int | list[int] | tuple[int, ...]
    every: int
    probability: float
    between: list[str] | tuple[str, str]


class FaultWhen(FaultCalls, total=False):
    """Calls that a fault strikes: `when` of `CloudFlow.fault`."""

    operation: OneOrMore


class CustomErrorKeywords(TypedDict):
    """Error answer that the catalogue does not have."""

    status: int
    code: str
    message: NotRequired[str]


class RateLimitKeywords(TypedDict):
    """Limit on calls a second."""

    per_second: float
    burst: NotRequired[int]


class FixedDelay(TypedDict):
    """Delay that is always the same."""

    distribution: Literal["fixed"]
    value: Duration


class UniformDelay(TypedDict):
    """Delay between two, each as likely."""

    distribution: Literal["uniform"]
    min: Duration
    max: Duration


class LognormalDelay(TypedDict):
    """Delay with the long tail of real services."""

    distribution: Literal["lognormal"]
    median: Duration
    sigma: float


class FaultKeywords(TypedDict, total=False):
    """Keywords of `CloudFlow.fault`, those of a fixture's `faults`. None: not given."""

    name: str | None
    when: FaultWhen | None
    times: int | None
    expires: Duration | None
    after_operation: bool | None
    error: str | None
    custom_error: CustomErrorKeywords | None
    retry_after: Duration | None
    delay: Duration | FixedDelay | UniformDelay | LognormalDelay | None
    transport: TransportFault | None
    rate_limit: RateLimitKeywords | None
    clock_skew: Duration | None


class CallFilters(CallParameters, total=False):
    """Fields and parameters that calls are asked for by. None: whatever it is."""

    flow: str | None
    execution: str | None
    code: str | None
    status: int | str | None
    access_key_id: str | None
    request_id: str | None
    fault: str | None
    account: str | None
    region: str | None


class WaitingTask(TypedDict):
    """Task that waits for a report. `since` is a time of the flow clock, in UTC; `until`: when it times out, None for never;
    `catches` are the error codes that its state catches. `input` may be None where there are very many."""

    flow: str
    execution: str
    state: str
    token: str
    since: str
    until: str | None
    input: Json
    catches: list[str]
    account: str
    region: str
