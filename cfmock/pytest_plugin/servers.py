"""The servers of tests: the fixtures `cfmock`, of one test, `cfmock_session`, of all, and `cfmock_error`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.api import access
from cfmock.pytest_plugin import coverage, setups
from cfmock.pytest_plugin.error_cases import case_of, enter_case

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.error_case import ErrorCase
    from cfmock.control.shown_executions import Marks
    from cfmock.observe.models import Violation

_CASE = pytest.StashKey["ErrorCase"]()
_SERVERS = pytest.StashKey["dict[CloudFlow, Marks]"]()
"""The servers of the test alone, and the executions that each began with."""
_STRICT = pytest.StashKey[bool]()
"""Whether violations still fail the test."""
_SESSION = pytest.StashKey["Session"]()


@pytest.fixture
def cfmock(request: pytest.FixtureRequest) -> Iterator[CloudFlow]:
    """A fresh, isolated CloudFlow in its own thread, set up by the ini option and the marker `cfmock`."""
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.control.shown_executions import marks

    sources, settings = _wanted(request)
    strict = settings.pop("strict", request.config.getini("cfmock_strict"))
    unused = settings.pop("unused", request.config.getini(setups.OPTION))
    with _entered(CloudFlow(*sources, **settings), request.config, unused) as cf:
        coverage.follow(cf, request.config)
        request.node.stash.setdefault(_SERVERS, {})[cf] = access.ask(cf, marks)
        request.node.stash[_STRICT] = strict
        case = case_of(request)
        if case is not None:
            error = request.node.stash[_CASE] = enter_case(cf, *case)
            setups.ask(request.node, error.fault.id)
        setups.follow(request.node, cf, unused)
        yield cf
        if request.node.stash[_STRICT]:
            cf.assert_no_violations()  # of what came after the test itself


@pytest.fixture(scope="session")
def cfmock_session(pytestconfig: pytest.Config) -> Iterator[CloudFlow]:
    """One CloudFlow for the whole session, set up by the ini option."""
    from cfmock.api.cloudflow import CloudFlow

    with _entered(CloudFlow(), pytestconfig) as cf:
        coverage.follow(cf, pytestconfig)
        session = pytestconfig.stash[_SESSION] = Session(cf)
        yield cf
        del pytestconfig.stash[_SESSION]
        if pytestconfig.getini("cfmock_strict"):
            session.fail_end()


@pytest.fixture
def cfmock_error(request: pytest.FixtureRequest, cfmock: CloudFlow) -> ErrorCase:
    """The case of `cfmock_errors` the test runs with; its operation answers its code, or breaks off, from now on."""
    if _CASE not in request.node.stash:
        pytest.fail("cfmock_error needs @pytest.mark.cfmock_errors('StartExecution')", pytrace=False)
    case: ErrorCase = request.node.stash[_CASE]
    return case


class Session:
    """What of the server of a session belongs to the test that runs."""

    def __init__(self, cf: CloudFlow) -> None:
        self.cf = cf
        self.last: str | None = None  # the id of the newest request before the test
        self.executions: Marks = {}  # those that were begun before it
        self.setups = 0  # how many there were before the test
        self._seen = 0  # violations
        self._outside: list[Violation] = []  # those of no test

    def begin_test(self) -> None:
        from cfmock.control.shown_executions import marks

        calls = self.cf.calls(limit=1)
        self.executions = access.ask(self.cf, marks)
        self.last = calls[-1].request_id if calls else None
        self.setups = access.ask(self.cf, lambda control: control.setups.count)
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


def session_of(item: pytest.Item) -> Session | None:
    """The server of the session, if there is one by now and the test uses it."""
    used = "cfmock_session" in getattr(item, "fixturenames", ())
    return item.config.stash.get(_SESSION, None) if used else None


def own_servers(item: pytest.Item) -> dict[CloudFlow, Marks]:
    """The servers that belong to this test alone, with the executions that each began with."""
    return item.stash.get(_SERVERS, {})


def servers_of(item: pytest.Item) -> list[CloudFlow]:
    """All servers that a test uses."""
    session = session_of(item)
    return [*own_servers(item), *([session.cf] if session is not None else [])]


def fail_for_violations(item: pytest.Item) -> None:
    """Fail a test for the violations of its clients, where the ini option or the marker says so."""
    session = session_of(item)
    if session is not None and item.config.getini("cfmock_strict"):
        session.fail_test()
    for cf in own_servers(item) if item.stash.get(_STRICT, False) else []:
        violations = cf.violations
        if violations:
            from cfmock.observe.models import violations_text

            item.stash[_STRICT] = False  # said once
            pytest.fail(violations_text(violations), pytrace=False)


@contextlib.contextmanager
def _entered(server: CloudFlow, config: pytest.Config, unused: object = "ignore") -> Iterator[CloudFlow]:
    """The server at work, over the ini option's files; mistakes in files and settings fail the test in their own words."""
    from cfmock.api.setups import unused_mode
    from cfmock.base.errors import FixtureError, SettingsError

    access.load_first(server, config.getini("cfmock_fixtures"))
    with contextlib.ExitStack() as stack:
        try:
            unused_mode(unused)
            cf = stack.enter_context(server)
        except (FixtureError, SettingsError) as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None  # said once
        yield cf


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
