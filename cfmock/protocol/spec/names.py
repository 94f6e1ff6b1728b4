"""Names of the tables as types, for type checkers. Written by `make tables`."""

from __future__ import annotations

from typing import Literal, TypedDict

from cfmock.base.json_text import Json

ErrorCode = Literal[
    "ActionNotSupported",
    "APIVersionNotSupported",
    "EntityTooLarge",
    "ExecutionAlreadyExists",
    "ExecutionAlreadyCompleted",
    "InvalidArgument",
    "MissingRequiredHeader",
    "MissingRequiredParams",
    "TaskAlreadyCompleted",
    "AccessDenied",
    "InvalidAccessKeyID",
    "RequestTimeTooSkewed",
    "SignatureNotMatch",
    "FlowNotExists",
    "ExecutionNotExists",
    "ScheduleNotExists",
    "FlowAlreadyExists",
    "ScheduleAlreadyExists",
    "ConcurrentUpdateError",
    "PreconditionFailed",
    "UnsupportedMediaType",
    "ResourceThrottled",
    "InternalServerError",
]
"""Code of the error catalogue."""

ExecutionStatus = Literal["Starting", "Running", "Stopped", "Succeeded", "Failed", "TimedOut"]
"""Status of an execution."""


class CallParameters(TypedDict, total=False):
    """Parameters of the API's operations, in the service's spelling. A value is text, or what is sent as JSON text."""

    AcceptLanguage: Json
    CallbackFnFTaskToken: Json
    Cause: Json
    Concurrency: Json
    CronExpression: Json
    Definition: Json
    Description: Json
    Enable: Json
    Environment: Json
    Error: Json
    ExecutionMode: Json
    ExecutionName: Json
    ExecutionNamePrefix: Json
    ExternalStorageLocation: Json
    FlowName: Json
    FlowVersion: Json
    Input: Json
    Limit: Json
    MapRunName: Json
    MetadataOnly: Json
    Name: Json
    NextToken: Json
    Output: Json
    Payload: Json
    Qualifier: Json
    ResourceGroupId: Json
    RoleArn: Json
    RoutingConfigurations: Json
    ScheduleName: Json
    StartedTimeBegin: Json
    StartedTimeEnd: Json
    Status: Json
    TaskToken: Json
    ToleratedFailedCount: Json
    ToleratedFailedPercentage: Json
    Type: Json
    WaitTimeSeconds: Json
