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

if TYPE_CHECKING:
    from cfmock.cloudflow import CloudFlow
    from cfmock.errors import CfmockError, DefinitionError, FixtureError, ServiceError, SettingsError, TaskFailed
    from cfmock.handles import Fault
    from cfmock.observed import Call, Execution, Violation
    from cfmock.retries import Retries

__version__ = "0.1.0"

_HOME = {
    "Call": "observed",
    "CfmockError": "errors",
    "CloudFlow": "cloudflow",
    "DefinitionError": "errors",
    "Execution": "observed",
    "Fault": "handles",
    "FixtureError": "errors",
    "Retries": "retries",
    "ServiceError": "errors",
    "SettingsError": "errors",
    "TaskFailed": "errors",
    "Violation": "observed",
}

__all__ = [
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
    "Violation",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"cfmock.{_HOME[name]}"), name)
    raise AttributeError(f"module 'cfmock' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
