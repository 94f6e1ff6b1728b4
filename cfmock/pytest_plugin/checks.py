"""Findings of `cfmock check` in the flows that a test loads: shown below a test that fails, or failing it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cfmock.base.findings import Finding
    from cfmock.fixtures.model import FixtureSet, FlowFixture

OPTION = "cfmock_checks"
MODES = ("ignore", "show", "error")
SECTION = "cfmock check finds"

_SHOWN = 20  # lines of a section

_KEPT = 256
"""Flows whose findings are kept: the tests of a run mostly load the same."""

_SAID = pytest.StashKey[bool]()
"""Key of a mark that a test failed for its findings, and has shown them."""

_found: dict[int, tuple[FlowFixture, list[Finding]]] = {}


def judge(item: pytest.Item, flows: Iterable[FlowFixture], fixtures: Iterable[FixtureSet]) -> None:
    """Fail a test that loads flows or fixtures with findings, where the ini option says so. Notes fail nothing."""
    if item.config.getini(OPTION) == "error":
        from cfmock.base.findings import Severity
        from cfmock.tools.checks.report import findings_outside

        found = [*_of(flows), *(each for loaded in fixtures for each in findings_outside(loaded))]
        lines = [_line(each) for each in found if each.severity is Severity.WARNING]
        if lines:
            item.stash[_SAID] = True
            pytest.fail(f"{SECTION}:\n{cut(lines)}", pytrace=False)


def report(
    item: pytest.Item, found: pytest.TestReport, flows: Iterable[FlowFixture], fixtures: Iterable[FixtureSet]
) -> None:
    """Show the findings, and warnings of what was loaded, with a test that failed."""
    if item.config.getini(OPTION) != "ignore" and _SAID not in item.stash:
        lines = [f"warning: {warning}" for loaded in fixtures for warning in loaded.warnings]
        lines += map(_line, _of(flows))
        if lines:
            found.sections.append((SECTION, cut(lines)))


def _of(flows: Iterable[FlowFixture]) -> list[Finding]:
    return list(dict.fromkeys(finding for flow in flows for finding in _of_flow(flow)))


def _of_flow(flow: FlowFixture) -> list[Finding]:
    from cfmock.tools.checks.report import findings_of

    kept = _found.get(id(flow))
    if kept is None or kept[0] is not flow:
        if len(_found) >= _KEPT:
            _found.clear()
        # Tests mock tasks as they run, so which of them have no mock is not known.
        kept = _found[id(flow)] = flow, findings_of(flow, mocks=False)
    return kept[1]


def _line(finding: Finding) -> str:
    return f"{finding.severity.value}: {finding}"


def cut(lines: list[str]) -> str:
    """Write the first of these lines."""
    more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join([*lines[:_SHOWN], *more])
