"""pytest plugin of cfmock: the entry point `cfmock` of the group `pytest11` names this package.

pytest looks for hooks and fixtures among the names here.
"""

from __future__ import annotations

from cfmock.pytest_plugin.hooks import (
    pytest_addoption,
    pytest_collect_file,
    pytest_configure,
    pytest_generate_tests,
    pytest_report_header,
    pytest_runtest_call,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    pytest_sessionfinish,
    pytest_sessionstart,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from cfmock.pytest_plugin.servers import cfmock, cfmock_error, cfmock_session

__all__ = [
    "cfmock",
    "cfmock_error",
    "cfmock_session",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_report_header",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]
