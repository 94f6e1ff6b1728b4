"""A local stand-in for Alibaba Cloud CloudFlow (fnf), API 2019-03-15.

    from cfmock import CloudFlow

    with CloudFlow("fixtures/") as cf:
        ...

Public names are resolved when first used: the pytest plugin is loaded in every run of whoever has this package installed, and
must not cost them the import of a web server.
"""

from __future__ import annotations

import importlib

from cfmock.base.version import __version__

TYPE_CHECKING = False  # as in typing, which takes longer to import than all else here

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

_MODULES = {
    "api.cloudflow": "CloudFlow",
    "api.error_case": "ErrorCase",
    "api.handles": "Fault FlowClock Task",
    "api.keywords": (
        "CallFilters ExecutionError FaultCalls FaultKeywords FaultWhen OutcomeKeywords OutcomeWhen "
        "SettingKeywords Source WaitingTask"
    ),
    "base.errors": (
        "ArgumentError ArgumentTypeError BrokenConnection CfmockError ClockStopped DefinitionError FixtureError "
        "ServiceError SettingsError TaskFailed UnknownName UsageError WaitTimeout WaitingForReport"
    ),
    "observe.models": "Call Execution ExecutionDetail FlowSummary Violation",
    "observe.retries": "Backoff Retries",
    "protocol.faults.catalogue": "TransportFault",
    "protocol.spec.names": "CallParameters ErrorCode ExecutionStatus",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}

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
