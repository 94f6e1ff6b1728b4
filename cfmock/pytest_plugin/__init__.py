"""pytest plugin of cfmock: options, markers, and what is done around each test. The entry point `cfmock` of the group `pytest11`
names this package; pytest looks for hooks and fixtures among the names here.

Loaded in every pytest run of every environment it is installed in, so nothing heavier than pytest is imported at the top of the
plugin's modules.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.api import access
from cfmock.pytest_plugin import checks, coverage, flow_tests, reports, servers, setups
from cfmock.pytest_plugin.servers import cfmock, cfmock_error, cfmock_session

if TYPE_CHECKING:
    from cfmock.fixtures.model import FixtureSet, FlowFixture

__all__ = ["cfmock", "cfmock_error", "cfmock_session"]  # pytest's fixtures


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "cfmock_fixtures", "fixture files or folders loaded first, for every test and every *.cfmock.yaml", type="paths"
    )
    parser.addini(servers.STRICT, "fail a test if its clients cause violations", type="bool")
    parser.addini(
        servers.UNUSED, "if a test adds an outcome, fault or mock that nothing uses: error (default), warn, ignore",
        default="error",
    )  # fmt: skip
    parser.addini(
        checks.OPTION, "what findings of `cfmock check` do in flows that a test loads: ignore, show below a failing test "
        "(default), error", default="show",
    )  # fmt: skip
    parser.getgroup("cfmock").addoption(
        coverage.OPTION, metavar="FILE", help="write which parts of flows the tests reached, as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    coverage.begin(config)
    config.addinivalue_line(
        "markers",
        "cfmock(*sources, **settings): what the fixture `cfmock` serves; paths are relative to the test's file",
    )
    config.addinivalue_line(
        "markers",
        "cfmock_errors(operation, times=None, transports=False): run the test once for each error code documented for the "
        "operation, which answers that code every time, or the first `times`; with transports=True also once for each way in "
        "which its connection breaks; see the fixture `cfmock_error`",
    )


def pytest_report_header() -> list[str]:
    """Lines on the environment: variables for cfmock that nothing reads, and a proxy that clients would call in its place."""
    from cfmock.base.proxies import proxy_warning
    from cfmock.settings import unknown_variables

    lines = [*unknown_variables(os.environ), proxy_warning(os.environ)]
    return [f"cfmock: {line}" for line in lines if line]


def pytest_sessionstart(session: pytest.Session) -> None:
    from cfmock.base.suggestions import did_you_mean

    for option, words in ((servers.UNUSED, setups.MODES), (checks.OPTION, checks.MODES)):
        if (given := session.config.getini(option)) not in words:
            near = did_you_mean(given, words)
            raise pytest.UsageError(f"{option}: '{given}' is not one of {', '.join(words)}{near}")
    try:
        session.config.getini(servers.STRICT)
    except (ValueError, pytest.UsageError) as error:  # pytest's own, without the name of the option
        raise pytest.UsageError(f"{servers.STRICT}: {error}; it is true or false") from None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> flow_tests.FlowTestFile | None:
    if file_path.name.endswith(flow_tests.SUFFIX):
        return flow_tests.FlowTestFile.from_parent(parent, path=file_path)
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    servers.parametrize(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    session = servers.session_of(item)
    if session is not None:
        session.mark()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    own = servers.own_of(item)
    if own is not None:
        own.mark_setups()
    try:
        result = yield
    except KeyboardInterrupt:
        reports.keep_calls(item)
        raise
    servers.fail(servers.new_violations(item))
    checks.judge(item, _flows(item), _fixtures(item))
    setups.judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    with reports.survived(lambda text: report.sections.append(("cfmock", text))):
        if report.failed:
            violations = servers.new_violations(item) if report.when != "teardown" else ""
            report.sections += [("violations", violations)] if violations else []  # it does not fail twice
            report.sections += reports.seen(item)
            checks.report(item, report, _flows(item), _fixtures(item))
        setups.report(item, report)
    if report.when == "teardown":  # the last report of a test; pytest keeps the item to the end
        servers.forget(item)
    return report


def _fixtures(item: pytest.Item) -> list[FixtureSet]:
    return [each for server in servers.servers_of(item) for each in access.loaded_fixtures(server.cf)]


def _flows(item: pytest.Item) -> list[FlowFixture]:
    if isinstance(item, flow_tests.FlowTestItem):
        return item.flows
    return [flow for server in servers.servers_of(item) for flow in access.loaded_flows(server.cf)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    coverage.end(session)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist is done."""
    coverage.add_worker(node)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    with reports.survived(terminalreporter.line):
        reports.summary(terminalreporter, config)
        coverage.summary(terminalreporter, config)
        setups.summary(terminalreporter)
