"""Set-ups that nothing used: those that a test function adds fail its test, all others are shown with it (`pytest -rP`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.api import access

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.control.setups import Unused

OPTION = "cfmock_unused"
MODES = ("error", "warn", "ignore")
SECTION = "set-ups that nothing used"
FILES_SECTION = "set-ups of files that nothing used"

_SHOWN = 20
"""Lines of a section."""

_MODE = pytest.StashKey[str]()
_BEFORE = pytest.StashKey["dict[CloudFlow, int]"]()
"""Key of the numbers of set-ups that each server had when the test function began."""
_ASKED = pytest.StashKey["list[str]"]()
"""The ids of faults that a marker of the test asks for."""
_TOLD = pytest.StashKey["list[tuple[str, str]]"]()
"""Sections of the report, for a test that passes."""


def follow(item: pytest.Item, cf: CloudFlow, mode: str) -> None:
    """Judge the set-ups of this server when the test is over; what it has by now is not the test's own."""
    item.stash[_MODE] = mode
    item.stash.setdefault(_BEFORE, {})[cf] = _count(cf)


def ask(item: pytest.Item, fault: str) -> None:
    """Count the fault of this id as the test's own, although it was added before the test function began."""
    item.stash.setdefault(_ASKED, []).append(fault)


def begin(item: pytest.Item) -> None:
    """Note the set-ups made so far, by pytest fixtures, when the test function begins."""
    before = item.stash.get(_BEFORE, {})
    for cf in before:
        before[cf] = _count(cf)


def end(item: pytest.Item, session: CloudFlow | None, before: int) -> None:
    """Fail the test or warn, as the mode says, once the test function has returned; set-ups of the server of the session, which
    had `before` of them, are only shown.
    """
    mode = item.stash.get(_MODE, item.config.getini(OPTION))
    if mode == "ignore":
        return
    certain: list[str] = []
    other: list[str] = []
    files: list[str] = []
    for cf, count in item.stash.get(_BEFORE, {}).items():
        unused = _unused(cf, count, item.stash.get(_ASKED, []))
        certain += unused.certain
        other += unused.other
        files += access.ask(cf, lambda control: control.setups.unused_given())
    if session is not None:
        other += _unused(session, before, []).certain
    item.stash[_TOLD] = [(SECTION, _section(other)), (FILES_SECTION, _section(files))]
    if certain:
        from cfmock.api.setups import unused_text

        if mode == "warn":
            item.warn(pytest.PytestWarning(unused_text(certain)))
        else:
            back = f"{OPTION} = warn, @pytest.mark.cfmock(unused='warn')"
            pytest.fail(f"{unused_text(certain)}\n(only a warning with {back})", pytrace=False)


def report(item: pytest.Item, found: pytest.TestReport) -> None:
    """Add the set-ups that are only shown to the report of a test that passed."""
    if found.passed and found.when == "call":
        found.sections += [(title, text) for title, text in item.stash.get(_TOLD, []) if text]


def forget(item: pytest.Item) -> None:
    """Let go of the servers of a test that is over."""
    item.stash[_BEFORE] = {}


def summary(terminal: Any) -> None:
    """Say that there is something to see."""
    tests = sum(any(title == SECTION for title, _ in report.sections) for report in terminal.stats.get("passed", []))
    if tests and terminal.verbosity >= 0:
        which = "a test has" if tests == 1 else f"{tests} tests have"
        terminal.line(f"cfmock: {which} set-ups by pytest fixtures, or removed ones, that nothing used; -rP shows them")


def _count(cf: CloudFlow) -> int:
    return access.ask(cf, lambda control: control.setups.count)


def _unused(cf: CloudFlow, after: int, asked: list[str]) -> Unused:
    return access.ask(cf, lambda control: control.setups.unused(after, asked))


def _section(lines: Iterable[str]) -> str:
    found = list(lines)
    more = [f"... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "\n".join([*found[:_SHOWN], *more])
