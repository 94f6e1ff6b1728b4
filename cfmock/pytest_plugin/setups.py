"""Set-ups that nothing used: those that a test function adds fail its test, all others are shown with it (`pytest -rP`)."""

from __future__ import annotations

from typing import Any

import pytest

from cfmock.api import access
from cfmock.pytest_plugin.checks import cut
from cfmock.pytest_plugin.servers import UNUSED, own_of, servers_of

MODES = ("error", "warn", "ignore")
SECTION = "set-ups that nothing used"
FILES_SECTION = "set-ups of files that nothing used"

_TOLD = pytest.StashKey["list[tuple[str, str]]"]()
"""Sections of the report, for a test that passes."""


def judge(item: pytest.Item) -> None:
    """Fail the test or warn of its set-ups, once its function has returned; those of the session's server are only shown."""
    servers, own = servers_of(item), own_of(item)
    if not servers or servers[0].unused == "ignore":
        return
    certain: list[str] = []
    other: list[str] = []
    files: list[str] = []
    for server in servers:
        unused = server.unused_setups()
        if server is own:
            certain += unused.certain
            other += unused.other
            files += access.ask(server.cf, lambda control: control.setups.unused_given())
        else:
            other += unused.certain
    item.stash[_TOLD] = [(SECTION, cut(other)), (FILES_SECTION, cut(files))]
    if certain:
        from cfmock.api.setups import unused_text

        if servers[0].unused == "warn":
            item.warn(pytest.PytestWarning(unused_text(certain)))
        else:
            back = f"{UNUSED} = warn, @pytest.mark.cfmock(unused='warn')"
            pytest.fail(f"{unused_text(certain)}\n(only a warning with {back})", pytrace=False)


def report(item: pytest.Item, found: pytest.TestReport) -> None:
    """Add the set-ups that are only shown to the report of a test that passed."""
    if found.passed and found.when == "call":
        found.sections += [(title, text) for title, text in item.stash.get(_TOLD, []) if text]


def summary(terminal: Any) -> None:
    """Say that there is something to see."""
    tests = sum(any(title == SECTION for title, _ in report.sections) for report in terminal.stats.get("passed", []))
    if tests and terminal.verbosity >= 0:
        which = "a test has" if tests == 1 else f"{tests} tests have"
        terminal.line(f"cfmock: {which} set-ups by pytest fixtures, or removed ones, that nothing used; -rP shows them")
