"""A local stand-in for Alibaba Cloud CloudFlow (fnf), API 2019-03-15.

    from cfmock import CloudFlow

    with CloudFlow("fixtures/") as cf:
        ...

Public names are resolved when first used: the pytest plugin is loaded in every run of whoever has this package installed, and
must not cost them the import of a web server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cfmock.base.version import __version__

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.handles import Fault
    from cfmock.base.errors import (
        ArgumentError,
        ArgumentTypeError,
        CfmockError,
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
    from cfmock.observe.models import Call, Execution, Violation
    from cfmock.observe.retries import Retries

_HOME = {
    "ArgumentError": "base.errors",
    "ArgumentTypeError": "base.errors",
    "Call": "observe.models",
    "CfmockError": "base.errors",
    "CloudFlow": "api.cloudflow",
    "DefinitionError": "base.errors",
    "Execution": "observe.models",
    "Fault": "api.handles",
    "FixtureError": "base.errors",
    "Retries": "observe.retries",
    "ServiceError": "base.errors",
    "SettingsError": "base.errors",
    "TaskFailed": "base.errors",
    "UsageError": "base.errors",
    "UnknownName": "base.errors",
    "Violation": "observe.models",
    "WaitTimeout": "base.errors",
    "WaitingForReport": "base.errors",
}

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "Call",
    "CfmockError",
    "CloudFlow",
    "DefinitionError",
    "Execution",
    "Fault",
    "FixtureError",
    "Retries",
    "ServiceError",
    "SettingsError",
    "TaskFailed",
    "UnknownName",
    "UsageError",
    "Violation",
    "WaitTimeout",
    "WaitingForReport",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"cfmock.{_HOME[name]}"), name)
    raise AttributeError(f"module 'cfmock' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
