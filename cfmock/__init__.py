"""A local stand-in for Alibaba Cloud CloudFlow (fnf), API 2019-03-15.

    from cfmock import CloudFlow

    with CloudFlow("fixtures/") as cf:
        ...

Public names are resolved when first used: the pytest plugin is loaded in every run of whoever has this package installed, and
must not cost them the import of a web server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from cfmock.base.version import __version__

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.error_case import ErrorCase
    from cfmock.api.handles import Fault, FlowClock, Task
    from cfmock.api.keywords import (
        CallFilters,
        ExecutionError,
        FaultCalls,
        FaultKeywords,
        FaultWhen,
        OutcomeKeywords,
        OutcomeWhen,
        SettingKeywords,
        Source,
        WaitingTask,
    )
    from cfmock.base.errors import (
        ArgumentError,
        ArgumentTypeError,
        BrokenConnection,
        CfmockError,
        ClockStopped,
        DefinitionError,
        FixtureError,
        ServiceError,
        SettingsError,
        TaskFailed,
        UnknownName,
        UsageError,
        WaitingForReport,
        WaitTimeout,
    )
    from cfmock.observe.models import Call, Execution, ExecutionDetail, FlowSummary, Violation
    from cfmock.observe.retries import Backoff, Retries
    from cfmock.protocol.faults.catalogue import TransportFault
    from cfmock.protocol.spec.names import CallParameters, ErrorCode, ExecutionStatus

_HOME = {
    "ArgumentError": "base.errors",
    "ArgumentTypeError": "base.errors",
    "Backoff": "observe.retries",
    "BrokenConnection": "base.errors",
    "Call": "observe.models",
    "CallFilters": "api.keywords",
    "CallParameters": "protocol.spec.names",
    "CfmockError": "base.errors",
    "ClockStopped": "base.errors",
    "CloudFlow": "api.cloudflow",
    "DefinitionError": "base.errors",
    "ErrorCase": "api.error_case",
    "ErrorCode": "protocol.spec.names",
    "Execution": "observe.models",
    "ExecutionDetail": "observe.models",
    "ExecutionError": "api.keywords",
    "ExecutionStatus": "protocol.spec.names",
    "Fault": "api.handles",
    "FaultCalls": "api.keywords",
    "FaultKeywords": "api.keywords",
    "FaultWhen": "api.keywords",
    "FixtureError": "base.errors",
    "FlowClock": "api.handles",
    "FlowSummary": "observe.models",
    "OutcomeKeywords": "api.keywords",
    "OutcomeWhen": "api.keywords",
    "Retries": "observe.retries",
    "ServiceError": "base.errors",
    "SettingKeywords": "api.keywords",
    "SettingsError": "base.errors",
    "Source": "api.keywords",
    "Task": "api.handles",
    "TaskFailed": "base.errors",
    "TransportFault": "protocol.faults.catalogue",
    "UnknownName": "base.errors",
    "UsageError": "base.errors",
    "Violation": "observe.models",
    "WaitTimeout": "base.errors",
    "WaitingForReport": "base.errors",
    "WaitingTask": "api.keywords",
}

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "Backoff",
    "BrokenConnection",
    "Call",
    "CallFilters",
    "CallParameters",
    "CfmockError",
    "ClockStopped",
    "CloudFlow",
    "DefinitionError",
    "ErrorCase",
    "ErrorCode",
    "Execution",
    "ExecutionDetail",
    "ExecutionError",
    "ExecutionStatus",
    "Fault",
    "FaultCalls",
    "FaultKeywords",
    "FaultWhen",
    "FixtureError",
    "FlowClock",
    "FlowSummary",
    "OutcomeKeywords",
    "OutcomeWhen",
    "Retries",
    "ServiceError",
    "SettingKeywords",
    "SettingsError",
    "Source",
    "Task",
    "TaskFailed",
    "TransportFault",
    "UnknownName",
    "UsageError",
    "Violation",
    "WaitTimeout",
    "WaitingForReport",
    "WaitingTask",
    "__version__",
]


if not TYPE_CHECKING:  # who finds this takes every name for one that is there

    def __getattr__(name: str) -> object:
        if name in _HOME:
            return getattr(importlib.import_module(f"cfmock.{_HOME[name]}"), name)
        raise AttributeError(f"module 'cfmock' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
