"""Coverage of flows by flow tests and by the servers of tests: `--cfmock-coverage`, across workers of pytest-xdist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.api import access

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.tools.flowtest.coverage import Coverage

OPTION = "--cfmock-coverage"

_COVERAGE = pytest.StashKey["Coverage"]()
_UNWRITTEN = pytest.StashKey[str]()
"""Why the file could not be written."""
_SENT = "cfmock_coverage"  # the key under which a worker of pytest-xdist sends its coverage


def begin(config: pytest.Config) -> None:
    """Measure coverage, where the option asks for it. Raises UsageError where its file cannot be written."""
    file = config.getoption(OPTION)
    if file:
        if Path(file).is_dir() or not Path(file).parent.is_dir():
            raise pytest.UsageError(f"{OPTION}: cannot write {file}")  # now rather than when all has been run
        from cfmock.base.errors import CfmockError
        from cfmock.fixtures.loader import load
        from cfmock.tools.flowtest.coverage import Coverage

        coverage = Coverage()
        try:
            coverage.count_all(load(config.getini("cfmock_fixtures")).flows)
        except CfmockError as error:
            raise pytest.UsageError(f"cfmock_fixtures: {error}") from None
        config.stash[_COVERAGE] = coverage


def of(config: pytest.Config) -> Coverage | None:
    """Return the coverage so far, or None where it is not measured."""
    return config.stash.get(_COVERAGE, None)


def follow(cf: CloudFlow, config: pytest.Config) -> None:
    """Count what the executions of this server reach."""
    coverage = of(config)
    if coverage is not None:
        access.ask(cf, lambda control: control.emulator.observe(coverage.observe))


def end(session: pytest.Session) -> None:
    """Write the file, or, in a worker, send the coverage."""
    coverage = of(session.config)
    if coverage is None:
        return
    sent = getattr(session.config, "workeroutput", None)
    if sent is not None:
        sent[_SENT] = coverage.text()
    else:
        file = session.config.getoption(OPTION)
        try:
            Path(file).write_text(coverage.text(), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            session.config.stash[_UNWRITTEN] = f"{OPTION}: cannot write {file}: {error.strerror}"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def add_worker(node: Any) -> None:
    """Add the coverage of a worker that is done."""
    coverage = of(node.config)
    sent = getattr(node, "workeroutput", {}).get(_SENT)
    if coverage is not None and sent is not None:
        coverage.add_document(json.loads(sent))


def summary(terminal: Any, config: pytest.Config) -> None:
    """Show how much of each flow was reached."""
    coverage = of(config)
    if coverage is not None and coverage.total:
        terminal.section("coverage of flows")
        for flow in coverage:
            terminal.line(f"{flow.percent:>3} %  {flow.name} ({flow.reached} of {flow.total} points)")
    if _UNWRITTEN in config.stash:
        terminal.line(config.stash[_UNWRITTEN], red=True)
