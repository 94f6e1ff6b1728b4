"""The pytest plugin: fixtures `cfmock`, `cfmock_session`, `cfmock_error`, markers `cfmock`, `cfmock_errors`, and the
tests in `*.cfmock.yaml`.

Loaded in every pytest run of every environment it is installed in, so nothing but pytest is imported at the top of its
modules.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.pytest_plugin import checks, setups

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.fixtures.model import FlowFixture, FlowTest
    from cfmock.observe.models import Violation
    from cfmock.tools.contract.plan import Case
    from cfmock.tools.flowtest.cases import Result
    from cfmock.tools.flowtest.coverage import ServedCoverage
    from cfmock.tools.flowtest.run import FlowTestRunner

ALONE = (
    "each *.cfmock.yaml is loaded alone: name the file or folder with its flows in the ini option cfmock_fixtures, "
    "or under `flows` in the file itself"
)
"""What may have been forgotten where a test's flow is not there."""

SHOWN = 20
"""Calls shown with a failed test: the newest."""

_CASE = pytest.StashKey["ErrorCase"]()
_SERVERS = pytest.StashKey["list[CloudFlow]"]()
_STRICT = pytest.StashKey[bool]()
_SESSION = pytest.StashKey["Session"]()
_COVERAGE = pytest.StashKey["ServedCoverage"]()
_UNWRITTEN = pytest.StashKey[str]()
_SENT = "cfmock_coverage"
"""Under which a worker of pytest-xdist sends its coverage."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "cfmock_fixtures", "fixture files or folders loaded first, for every test and every *.cfmock.yaml", type="paths"
    )
    parser.addini("cfmock_strict", "fail a test for violations of the clients that call its service", type="bool")
    parser.addini(
        setups.OPTION, "what outcomes, faults and mocks do that a test adds and nothing uses: error (default), warn, ignore",
        default="error",
    )  # fmt: skip
    parser.addini(
        checks.OPTION, "what findings of `cfmock check` do in flows that a test loads: ignore, show below a failing test "
        "(default), error", default="show",
    )  # fmt: skip
    parser.getgroup("cfmock").addoption(
        "--cfmock-coverage", metavar="FILE", help="write what flow tests and executions reach of their flows, as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--cfmock-coverage")
    if file:
        if Path(file).is_dir() or not Path(file).parent.is_dir():
            raise pytest.UsageError(f"--cfmock-coverage: cannot write {file}")  # now rather than when all has been run
        config.stash[_COVERAGE] = _new_coverage(config)
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


def pytest_report_header() -> str | None:
    """A line where the environment names a proxy, since clients would call that in place of cfmock."""
    from cfmock.base.proxies import proxy_variables

    names = proxy_variables(os.environ)
    if not names:
        return None
    return f"cfmock: unset {', '.join(names)}: SDKs send calls to 127.0.0.1 there, too, whatever NO_PROXY says"


def pytest_sessionstart(session: pytest.Session) -> None:
    for option, words in ((setups.OPTION, setups.MODES), (checks.OPTION, checks.MODES)):
        if (given := session.config.getini(option)) not in words:
            raise pytest.UsageError(f"{option}: '{given}' is not one of {', '.join(words)}")


@pytest.fixture
def cfmock(request: pytest.FixtureRequest) -> Iterator[CloudFlow]:
    """A fresh, isolated CloudFlow in its own thread, set up by the ini option and the marker `cfmock`."""
    from cfmock.api.cloudflow import CloudFlow

    sources, settings = _wanted(request)
    strict = settings.pop("strict", request.config.getini("cfmock_strict"))
    unused = settings.pop("unused", request.config.getini(setups.OPTION))
    with _entered(CloudFlow(*sources, **settings), request.config, unused) as cf:
        _follow(cf, request.config)
        request.node.stash.setdefault(_SERVERS, []).append(cf)
        request.node.stash[_STRICT] = strict
        case = _case(request)
        if case is not None:
            request.node.stash[_CASE] = ErrorCase(cf, *case)
        setups.follow(request.node, cf, unused)
        yield cf
        if request.node.stash[_STRICT]:
            cf.assert_no_violations()  # of what came after the test itself


@pytest.fixture(scope="session")
def cfmock_session(pytestconfig: pytest.Config) -> Iterator[CloudFlow]:
    """One CloudFlow for the whole session, set up by the ini option."""
    from cfmock.api.cloudflow import CloudFlow

    with _entered(CloudFlow(), pytestconfig) as cf:
        _follow(cf, pytestconfig)
        session = pytestconfig.stash[_SESSION] = Session(cf)
        yield cf
        del pytestconfig.stash[_SESSION]
        if pytestconfig.getini("cfmock_strict"):
            session.fail_end()


class Session:
    """What of the server of a session belongs to the test that runs."""

    def __init__(self, cf: CloudFlow) -> None:
        self.cf = cf
        self.last: str | None = None  # the id of the newest request before the test
        self.runs = 0  # executions begun by `cf.run` before it
        self.setups = 0  # how many there were before the test
        self._seen = 0  # violations
        self._outside: list[Violation] = []  # those of no test

    def begin_test(self) -> None:
        calls = self.cf.calls(limit=1)
        self.runs = self.cf._do(lambda control: control.runs_begun)
        self.last = calls[-1].request_id if calls else None
        self.setups = self.cf._do(lambda control: control.setups.count)
        self._outside += self._new()

    def fail_test(self) -> None:
        """For the violations since it began."""
        self._fail(self._new())

    def fail_end(self) -> None:
        """For those that no test has failed for."""
        self._fail([*self._outside, *self._new()])

    def _new(self) -> list[Violation]:
        found = self.cf.violations
        new, self._seen = found[self._seen :], len(found)
        return new

    @staticmethod
    def _fail(violations: list[Violation]) -> None:
        if violations:
            from cfmock.observe.models import violations_text

            pytest.fail(violations_text(violations), pytrace=False)


def _session_of(item: pytest.Item) -> Session | None:
    """The server of the session, if there is one by now and the test uses it."""
    used = "cfmock_session" in getattr(item, "fixturenames", ())
    return item.config.stash.get(_SESSION, None) if used else None


@contextlib.contextmanager
def _entered(server: CloudFlow, config: pytest.Config, unused: object = "ignore") -> Iterator[CloudFlow]:
    """The server at work, over the ini option's files; mistakes in files and settings fail the test in their own words."""
    from cfmock.api.setups import unused_mode
    from cfmock.base.errors import FixtureError, SettingsError

    server._base = tuple(config.getini("cfmock_fixtures"))
    with contextlib.ExitStack() as stack:
        try:
            unused_mode(unused)
            cf = stack.enter_context(server)
        except (FixtureError, SettingsError) as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None  # said once
        yield cf


def _case(request: pytest.FixtureRequest) -> tuple[Case, int | None] | None:
    """The case of `cfmock_errors` this test is run for, whether it asks for `cfmock_error` or not."""
    callspec = getattr(request.node, "callspec", None)
    return callspec.params.get("cfmock_error") if callspec is not None else None


def _wanted(request: pytest.FixtureRequest) -> tuple[list[Any], dict[str, Any]]:
    """What the markers say is to be served, the nearest last, without what the ini option names already."""
    named = [Path(path) for path in request.config.getini("cfmock_fixtures")]
    sources: list[Any] = []
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("cfmock"))):
        sources += [_beside(request.node.path, source) for source in marker.args]
        settings |= marker.kwargs
    return [source for source in sources if source not in named], settings


def _beside(test: Path, source: Any) -> Any:
    return test.parent / source if isinstance(source, str | Path) else source


class ErrorCase:
    """One case of `cfmock_errors`: `operation`, `code`, `status` (HTTP) and `message`, or, where its connection breaks,
    `transport` (`reset`); what does not apply is None. `fault` is the rule that brings it about."""

    def __init__(self, cf: CloudFlow, case: Case, times: int | None) -> None:
        from cfmock.protocol.spec.model import load

        self._cf = cf
        self._entry = load().errors[case.code] if case.code is not None else None
        self.operation = case.operation
        self.code = case.code
        self.transport = case.transport
        self.status = self._entry.status if self._entry is not None else None
        self.fault = cf.fault(
            when={"operation": case.operation}, error=case.code, transport=case.transport, times=times
        )

    @property
    def message(self) -> str | None:
        """As it was last answered; before that with the names of what will be filled in."""
        if self._entry is None:
            return None
        answered = [call.message for call in self._cf.calls(self.operation, code=self.code) if call.message]
        return answered[-1] if answered else self._entry.render(tuple(f"<{name}>" for name in self._entry.args))

    def __repr__(self) -> str:
        what = f"{self.status} {self.code}" if self.code is not None else f"connection: {self.transport}"
        return f"<{self.operation}: {what}>"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    cases = [case for marker in metafunc.definition.iter_markers("cfmock_errors") for case in _cases(metafunc, marker)]
    if cases:
        if "cfmock_error" not in metafunc.fixturenames:
            metafunc.fixturenames.append("cfmock_error")
        ids = [f"{case.operation}-{case.fault}" for case, _ in cases]
        metafunc.parametrize("cfmock_error", cases, indirect=True, ids=ids)


def _cases(metafunc: pytest.Metafunc, marker: pytest.Mark) -> list[tuple[Case, int | None]]:
    from cfmock.tools.contract.plan import cases_of

    try:
        name, times, transports = cfmock_errors(*marker.args, **marker.kwargs)
    except TypeError as error:  # in Python's own words, which name the function
        raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: {error}") from None
    except ValueError as error:
        raise pytest.Collector.CollectError(f"{metafunc.definition.nodeid}: cfmock_errors: {error}") from None
    return [(case, times) for case in cases_of(name, transports=transports)]


def cfmock_errors(operation: str, times: int | None = None, transports: bool = False) -> tuple[str, int | None, bool]:
    """The arguments of the marker of this name. Raises ValueError for what they cannot be."""
    from cfmock.base.suggestions import did_you_mean
    from cfmock.protocol.spec.model import load

    operations = load().operations
    if not isinstance(operation, str):
        raise ValueError(f"{operation!r} is not the name of an operation; several operations take a marker each")
    if operation not in operations:
        raise ValueError(f"no operation '{operation}'{did_you_mean(operation, operations)}")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
        raise ValueError(f"times: {times!r} is not a whole number from 1")
    return operation, times, transports


@pytest.fixture
def cfmock_error(request: pytest.FixtureRequest, cfmock: CloudFlow) -> ErrorCase:
    """The case of `cfmock_errors` the test runs with; its operation answers its code, or breaks off, from now on."""
    if _CASE not in request.node.stash:
        pytest.fail("cfmock_error needs @pytest.mark.cfmock_errors('StartExecution')", pytrace=False)
    case: ErrorCase = request.node.stash[_CASE]
    return case


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    session = _session_of(item)
    if session is not None:
        session.begin_test()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    setups.begin(item)
    result = yield
    session = _session_of(item)
    if session is not None and item.config.getini("cfmock_strict"):
        session.fail_test()
    for cf in item.stash.get(_SERVERS, []) if item.stash.get(_STRICT, False) else []:
        violations = cf.violations
        if violations:
            from cfmock.observe.models import violations_text

            item.stash[_STRICT] = False  # said once
            pytest.fail(violations_text(violations), pytrace=False)
    checks.judge(item, _flows(item))
    setups.end(item, session.cf if session is not None else None, session.setups if session is not None else 0)
    return result


def _servers(item: pytest.Item) -> list[CloudFlow]:
    """The servers that a test uses."""
    session = _session_of(item)
    return [*item.stash.get(_SERVERS, []), *([session.cf] if session is not None else [])]


def _flows(item: pytest.Item) -> list[FlowFixture]:
    """The flows that a test loads."""
    if isinstance(item, FlowTestItem):
        return item.flows
    return [flow for cf in _servers(item) for flow in checks.flows_of(cf)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for cf in item.stash.get(_SERVERS, []):
            report.sections.append(("calls seen by cfmock", _shown(cf)))
            _add_runs(report, "cfmock", cf)
        session = _session_of(item)
        if session is not None:
            report.sections.append(("calls seen by cfmock_session", _shown(session.cf, session.last)))
            _add_runs(report, "cfmock_session", session.cf, session.runs)
        checks.report(item, report, _flows(item), [text for cf in _servers(item) for text in checks.warnings_of(cf)])
    setups.report(item, report)
    return report


def _add_runs(report: pytest.TestReport, name: str, cf: CloudFlow, since: int = 0) -> None:
    """The executions of `cf.run`, of which there are no calls to see; all but the first `since`."""
    from cfmock.observe.models import execution_text

    runs = cf._do(lambda control: control.list_runs(since))
    if runs:
        report.sections.append((f"executions run by {name}", "\n".join(map(execution_text, runs))))


def _shown(cf: CloudFlow, after: str | None = None) -> str:
    """The calls, or those after the request of this id."""
    calls = cf.calls()
    calls = calls[next((n for n in range(len(calls), 0, -1) if calls[n - 1].request_id == after), 0) :]
    lines = [f"... {len(calls) - SHOWN} earlier"] if len(calls) > SHOWN else []
    for each in calls[-SHOWN:]:
        given = ", ".join(f"{name}={value:.60}" for name, value in each.parameters.items())
        answer = each.transport if each.status == 0 else f"{each.status} {each.code or each.transport or ''}".rstrip()
        lines.append(f"{each.operation}({given}) -> {answer}")
        lines += [f"    violation: {violation}" for violation in each.violations]
        lines += [f"    warning: {warning}" for warning in each.warnings]
        lines += [f"    hint: {each.hint}"] if each.hint else []
    told = {warning for each in calls for warning in each.warnings}
    lines += [f"warning: {warning}" for warning in dict.fromkeys(cf.warnings) if warning not in told]
    return "\n".join(lines) or "none"


# -- flow tests --------------------------------------------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FlowTestFile | None:
    if file_path.name.endswith(".cfmock.yaml"):
        return FlowTestFile.from_parent(parent, path=file_path)
    return None


class FlowTestFile(pytest.File):
    """A fixture file with flow tests. Its flows come on top of those of the ini option, and replace those of the same name."""

    def collect(self) -> Iterator[FlowTestItem]:
        from cfmock.base.errors import CfmockError, SourceError
        from cfmock.base.source_marks import UnknownFlow
        from cfmock.fixtures.loader import load
        from cfmock.tools.flowtest.run import FlowTestRunner

        try:
            base = load(self.config.getini("cfmock_fixtures"))
            fixtures = load([os.path.relpath(self.path)], base=base)
            lab = FlowTestRunner(fixtures)
        except CfmockError as error:
            alone = isinstance(error, SourceError) and any(isinstance(each, UnknownFlow) for each in error.problems)
            raise self.CollectError(f"{error}\n{ALONE}" if alone else str(error)) from None
        coverage = self.config.stash.get(_COVERAGE, None)
        if coverage is not None:
            coverage.count_all(fixtures.flows)
        for test in fixtures.tests:
            flows = [flow for flow in fixtures.flows if flow.name == test.flow]
            yield FlowTestItem.from_parent(self, name=f"{test.flow}: {test.name}", lab=lab, test=test, flows=flows)


class FlowTestItem(pytest.Item):
    """One flow test; `flows` are those that it runs."""

    def __init__(self, *, lab: FlowTestRunner, test: FlowTest, flows: list[FlowFixture], **given: Any) -> None:
        super().__init__(**given)
        self._lab = lab
        self._test = test
        self.flows = flows

    def runtest(self) -> None:
        from cfmock.tools.flowtest.cases import result

        found = result(self._lab, self._test)
        coverage = self.config.stash.get(_COVERAGE, None)
        if coverage is not None:
            coverage.add(found.flat_hits())
        if not found.passed:
            raise FlowTestFailed(found)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, FlowTestFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._test.mark.line - 1, self.name


class FlowTestFailed(Exception):  # noqa: N818 - reads as what happened
    """A flow test whose execution went otherwise than expected."""

    def __init__(self, result: Result) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        from cfmock.tools.flowtest.report import failure

        what = ", ".join(difference.what for difference in self.result.differences)
        return "\n".join([f"{what} not as expected ({self.result.mark})", *failure(self.result)[1:]])


# -- coverage ----------------------------------------------------------------------------------------------------------


def _new_coverage(config: pytest.Config) -> ServedCoverage:
    from cfmock.base.errors import CfmockError
    from cfmock.fixtures.loader import load
    from cfmock.tools.flowtest.coverage import ServedCoverage

    coverage = ServedCoverage()
    try:
        coverage.count_all(load(config.getini("cfmock_fixtures")).flows)
    except CfmockError as error:
        raise pytest.UsageError(f"cfmock_fixtures: {error}") from None
    return coverage


def _follow(cf: CloudFlow, config: pytest.Config) -> None:
    coverage = config.stash.get(_COVERAGE, None)
    if coverage is not None:
        cf._do(lambda control: control.emulator.observe(coverage.observe))


def pytest_sessionfinish(session: pytest.Session) -> None:
    coverage = session.config.stash.get(_COVERAGE, None)
    if coverage is None:
        return
    sent = getattr(session.config, "workeroutput", None)
    if sent is not None:
        sent[_SENT] = coverage.text()
    else:
        file = session.config.getoption("--cfmock-coverage")
        try:
            Path(file).write_text(coverage.text(), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            session.config.stash[_UNWRITTEN] = f"--cfmock-coverage: cannot write {file}: {error.strerror}"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist is done."""
    import json

    coverage = node.config.stash.get(_COVERAGE, None)
    sent = getattr(node, "workeroutput", {}).get(_SENT)
    if coverage is not None and sent is not None:
        coverage.add_document(json.loads(sent))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    coverage = config.stash.get(_COVERAGE, None)
    if coverage is not None and coverage.total:
        terminalreporter.section("coverage of flows")
        for flow in coverage:
            terminalreporter.line(f"{flow.percent:>3} %  {flow.name} ({flow.reached} of {flow.total} points)")
    setups.summary(terminalreporter)
    if _UNWRITTEN in config.stash:
        terminalreporter.line(config.stash[_UNWRITTEN], red=True)
