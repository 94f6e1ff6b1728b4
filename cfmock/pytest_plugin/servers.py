"""The servers of tests: the fixtures `cfmock`, of one test, `cfmock_session`, of all, and `cfmock_error`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from cfmock.api import access
from cfmock.pytest_plugin import coverage, setups

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.error_case import ErrorCase
    from cfmock.control.shown_executions import Marks
    from cfmock.observe.models import Violation

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.error_case import ErrorCase
    from cfmock.protocol.faults.catalogue import TransportFault
    from cfmock.protocol.spec.names import ErrorCode
    from cfmock.tools.contract.plan import Case


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each case of its markers `cfmock_errors`."""
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
    """Read the arguments of the marker `cfmock_errors`. Raises ValueError for wrong ones."""
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


def enter_case(cf: CloudFlow, case: Case, times: int | None) -> ErrorCase:
    """Set a case up."""
    from cfmock.api.error_case import ErrorCase

    code, transport = cast("ErrorCode | None", case.code), cast("TransportFault | None", case.transport)
    return ErrorCase(cf, case.operation, code=code, transport=transport, times=times)


def case_of(request: pytest.FixtureRequest) -> tuple[Case, int | None] | None:
    """Return the case of `cfmock_errors` this test is run for, whether it asks for `cfmock_error` or not."""
    callspec = getattr(request.node, "callspec", None)
    return callspec.params.get("cfmock_error") if callspec is not None else None


STRICT = "cfmock_strict"

_CASE = pytest.StashKey["ErrorCase"]()
_SERVERS = pytest.StashKey["dict[CloudFlow, Marks]"]()
"""The servers of the test alone, and the executions that each began with."""
_STRICT = pytest.StashKey["Violations"]()
"""Key of the violations of the test's own server, where they fail the test."""
_SESSION = pytest.StashKey["Session"]()


@pytest.fixture
def cfmock(request: pytest.FixtureRequest) -> Iterator[CloudFlow]:
    """A fresh, isolated CloudFlow in its own thread, set up by the ini option and the marker `cfmock`."""
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.control.shown_executions import marks

    sources, settings = _wanted(request)
    strict = settings.pop("strict", request.config.getini(STRICT))
    unused = settings.pop("unused", request.config.getini(setups.OPTION))
    with _entered(CloudFlow(*sources, **settings), request.config, unused, strict) as cf:
        coverage.follow(cf, request.config)
        request.node.stash.setdefault(_SERVERS, {})[cf] = access.ask(cf, marks)
        violations = Violations(cf)
        if strict:
            request.node.stash[_STRICT] = violations
        case = case_of(request)
        if case is not None:
            error = request.node.stash[_CASE] = enter_case(cf, *case)
            setups.ask(request.node, error.fault.id)
        setups.follow(request.node, cf, unused)
        yield cf
        if strict:
            _fail(violations.new())  # of what came after the test itself


@pytest.fixture(scope="session")
def cfmock_session(pytestconfig: pytest.Config) -> Iterator[CloudFlow]:
    """One CloudFlow for the whole session, set up by the ini option."""
    from cfmock.api.cloudflow import CloudFlow

    with _entered(CloudFlow(), pytestconfig) as cf:
        coverage.follow(cf, pytestconfig)
        session = pytestconfig.stash[_SESSION] = Session(cf)
        yield cf
        del pytestconfig.stash[_SESSION]
        if pytestconfig.getini(STRICT):
            session.fail_end()


@pytest.fixture
def cfmock_error(request: pytest.FixtureRequest, cfmock: CloudFlow) -> ErrorCase:
    """The case of `cfmock_errors` the test runs with; its operation answers its code, or breaks off, from now on."""
    if _CASE not in request.node.stash:
        pytest.fail("cfmock_error needs @pytest.mark.cfmock_errors('StartExecution')", pytrace=False)
    case: ErrorCase = request.node.stash[_CASE]
    return case


class Violations:
    """The violations of the clients of a server, each shown once."""

    def __init__(self, cf: CloudFlow) -> None:
        self._cf = cf
        self._seen = 0

    def new(self) -> list[Violation]:
        """Return the violations since the last call of this method."""
        found = self._cf.violations
        new = found[self._seen :] if self._seen <= len(found) else found  # fewer than before: the server was reset
        self._seen = len(found)
        return new


class Session:
    """The part of the session server's records that belongs to the test that runs."""

    def __init__(self, cf: CloudFlow) -> None:
        self.cf = cf
        self.last: str | None = None  # the id of the newest request before the test
        self.executions: Marks = {}  # those that were begun before it
        self.setups = 0  # how many there were before the test
        self.violations = Violations(cf)
        self._outside: list[Violation] = []  # those of no test

    def begin_test(self) -> None:
        from cfmock.control.shown_executions import marks

        calls = self.cf.calls(limit=1)
        self.executions = access.ask(self.cf, marks)
        self.last = calls[-1].request_id if calls else None
        self.setups = access.ask(self.cf, lambda control: control.setups.count)
        self._outside += self.violations.new()

    def fail_end(self) -> None:
        """Fail the end of the session for violations that failed no test."""
        _fail([*self._outside, *self.violations.new()])


def _fail(violations: list[Violation]) -> None:
    if violations:
        from cfmock.observe.models import violations_text

        pytest.fail(violations_text(violations), pytrace=False)


def session_of(item: pytest.Item) -> Session | None:
    """Return the server of the session, if there is one by now and the test uses it."""
    used = "cfmock_session" in getattr(item, "fixturenames", ())
    return item.config.stash.get(_SESSION, None) if used else None


def names_fixtures(item: pytest.Item) -> bool:
    """Return whether a marker of the test or the ini option names a fixture."""
    markers = item.iter_markers("cfmock")
    return bool(item.config.getini("cfmock_fixtures")) or any(marker.args for marker in markers)


def own_servers(item: pytest.Item) -> dict[CloudFlow, Marks]:
    """Return the servers that belong to this test alone, with the executions that each began with."""
    return item.stash.get(_SERVERS, {})


def forget(item: pytest.Item) -> None:
    """Let go of a test's servers, and of all that they hold, once it has been reported."""
    setups.forget(item)
    if _CASE in item.stash:
        del item.stash[_CASE]
    for cf in own_servers(item):
        access.discard(cf)
    item.stash[_SERVERS] = {}


def servers_of(item: pytest.Item) -> list[CloudFlow]:
    """Return all servers that a test uses."""
    session = session_of(item)
    return [*own_servers(item), *([session.cf] if session is not None else [])]


def fail_for_violations(item: pytest.Item) -> None:
    """Fail a test for the violations of its clients, where the ini option or the marker says so."""
    _fail(_new_violations(item))


def tell_violations(item: pytest.Item, report: pytest.TestReport) -> None:
    """Show them with a test that has failed, or cannot be set up, for another reason: it does not fail twice."""
    violations = _new_violations(item)
    if violations:
        from cfmock.observe.models import violations_text

        report.sections.append(("violations", violations_text(violations)))


def _new_violations(item: pytest.Item) -> list[Violation]:
    session = session_of(item)
    judged = [session.violations] if session is not None and item.config.getini(STRICT) else []
    judged += [item.stash[_STRICT]] if _STRICT in item.stash else []
    return [violation for each in judged for violation in each.new()]


@contextlib.contextmanager
def _entered(
    server: CloudFlow, config: pytest.Config, unused: object = "ignore", strict: object = False
) -> Iterator[CloudFlow]:
    """The server at work, over the ini option's files; mistakes in files and settings fail the test in their own words."""
    from cfmock.api.setups import unused_mode
    from cfmock.base.errors import FixtureError, SettingsError
    from cfmock.base.suggestions import shown

    access.load_first(server, config.getini("cfmock_fixtures"))
    with contextlib.ExitStack() as stack:
        try:
            unused_mode(unused)
            if not isinstance(strict, bool):
                raise SettingsError(f"strict: {shown(strict)} is neither True nor False")
            cf = stack.enter_context(server)
        except (FixtureError, SettingsError) as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None  # said once
        yield cf


def _wanted(request: pytest.FixtureRequest) -> tuple[list[Any], dict[str, Any]]:
    """Return the fixtures and settings that the markers name, the nearest last, without the fixtures of the ini option."""
    named = [Path(path) for path in request.config.getini("cfmock_fixtures")]
    sources: list[Any] = []
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("cfmock"))):
        sources += [request.node.path.parent / each if isinstance(each, str | Path) else each for each in marker.args]
        settings |= marker.kwargs
    return [source for source in sources if source not in named], settings
