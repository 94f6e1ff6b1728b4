"""The servers of tests: the fixtures `cfmock`, of one test, `cfmock_session`, of all, and `cfmock_error`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cfmock.api import access
from cfmock.pytest_plugin import coverage

if TYPE_CHECKING:
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.error_case import ErrorCase
    from cfmock.control.setups import Unused
    from cfmock.observe.models import Violation
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


STRICT, UNUSED = "cfmock_strict", "cfmock_unused"
"""Options of the ini file."""

_OWN = pytest.StashKey["Watched"]()
"""The server of the test alone."""
_SESSION = pytest.StashKey["Watched"]()


class Watched:
    """A server that tests use, and what it had seen before the test that runs. `name` is that of its fixture, `unused` says what
    becomes of set-ups that nothing used; with `strict`, violations of its clients fail the test."""

    def __init__(self, name: str, cf: CloudFlow, unused: str, strict: bool) -> None:
        self.name = name
        self.cf = cf
        self.unused = unused
        self.strict = strict
        self.case: ErrorCase | None = None
        self.outside: list[Violation] = []  # those of no test
        self._violations = 0
        self.mark()

    def mark(self) -> None:
        """Count what there is by now as seen before the test."""
        from cfmock.control.shown_executions import marks

        calls = self.cf.calls(limit=1)
        self.executions = access.ask(self.cf, marks)
        self.last = calls[-1].request_id if calls else None
        self.mark_setups()
        self.outside += self.new_violations()

    def mark_setups(self) -> None:
        """Count the set-ups so far as those of pytest fixtures."""
        self.setups = access.ask(self.cf, lambda control: control.setups.count)

    def new_violations(self) -> list[Violation]:
        """Return the violations since the last call of this method: each is shown once."""
        found = self.cf.violations
        new = found[self._violations :] if self._violations <= len(found) else found  # fewer: the server was reset
        self._violations = len(found)
        return new

    def unused_setups(self) -> Unused:
        """Return the set-ups that nothing used; the fault of the test's error case is its own, although it came before."""
        asked = [self.case.fault.id] if self.case is not None else []
        return access.ask(self.cf, lambda control: control.setups.unused(self.setups, asked))


@pytest.fixture
def cfmock(request: pytest.FixtureRequest) -> Iterator[CloudFlow]:
    """A fresh, isolated CloudFlow in its own thread, set up by the ini option and the marker `cfmock`."""
    from cfmock.api.error_case import ErrorCase

    sources, settings = _wanted(request)
    with _watched("cfmock", request.config, sources, settings) as server:
        request.node.stash[_OWN] = server
        # The case that the test is run for, whether it asks for `cfmock_error` or not.
        callspec = getattr(request.node, "callspec", None)
        if callspec is not None and "cfmock_error" in callspec.params:
            case, times = callspec.params["cfmock_error"]
            server.case = ErrorCase(server.cf, case.operation, code=case.code, transport=case.transport, times=times)
        yield server.cf


@pytest.fixture(scope="session")
def cfmock_session(pytestconfig: pytest.Config) -> Iterator[CloudFlow]:
    """One CloudFlow for the whole session, set up by the ini option."""
    with _watched("cfmock_session", pytestconfig, [], {}) as server:
        pytestconfig.stash[_SESSION] = server
        yield server.cf
        del pytestconfig.stash[_SESSION]


@pytest.fixture
def cfmock_error(request: pytest.FixtureRequest, cfmock: CloudFlow) -> ErrorCase:
    """The case of `cfmock_errors` the test runs with; its operation answers its code, or breaks off, from now on."""
    case: ErrorCase | None = request.node.stash[_OWN].case
    if case is None:
        pytest.fail("cfmock_error needs @pytest.mark.cfmock_errors('StartExecution')", pytrace=False)
    return case


def _text(violations: list[Violation]) -> str:
    from cfmock.observe.models import violations_text

    return violations_text(violations) if violations else ""


def fail(text: str) -> None:
    """Fail the test with this text, if there is any."""
    if text:
        pytest.fail(text, pytrace=False)


def session_of(item: pytest.Item) -> Watched | None:
    """Return the server of the session, if there is one by now and the test uses it."""
    used = "cfmock_session" in getattr(item, "fixturenames", ())
    return item.config.stash.get(_SESSION, None) if used else None


def own_of(item: pytest.Item) -> Watched | None:
    """Return the server of the test alone, if it has one by now."""
    return item.stash.get(_OWN, None)


def names_fixtures(item: pytest.Item) -> bool:
    """Return whether a marker of the test or the ini option names a fixture."""
    markers = item.iter_markers("cfmock")
    return bool(item.config.getini("cfmock_fixtures")) or any(marker.args for marker in markers)


def servers_of(item: pytest.Item) -> list[Watched]:
    """Return all servers that a test uses, its own first."""
    return [each for each in (own_of(item), session_of(item)) if each is not None]


def forget(item: pytest.Item) -> None:
    """Let go of a test's own server, and of all that it holds, once it has been reported."""
    own = own_of(item)
    if own is not None:
        del item.stash[_OWN]
        access.discard(own.cf)


def new_violations(item: pytest.Item) -> str:
    """Write the violations by a test's clients since the last call of this, where they fail a test."""
    return _text([violation for each in servers_of(item) if each.strict for violation in each.new_violations()])


@contextlib.contextmanager
def _watched(name: str, config: pytest.Config, sources: list[Any], settings: dict[str, Any]) -> Iterator[Watched]:
    """A server at work, over the ini option's files; mistakes in files and settings fail the test in their own words."""
    from cfmock.api.cloudflow import CloudFlow
    from cfmock.api.setups import unused_mode
    from cfmock.base.errors import FixtureError, SettingsError
    from cfmock.base.suggestions import shown

    strict, unused = settings.pop("strict", config.getini(STRICT)), settings.pop("unused", config.getini(UNUSED))
    server = CloudFlow(*sources, **settings)
    access.load_first(server, config.getini("cfmock_fixtures"))
    with contextlib.ExitStack() as stack:
        try:
            unused_mode(unused)
            if not isinstance(strict, bool):
                raise SettingsError(f"strict: {shown(strict)} is neither True nor False")
            cf = stack.enter_context(server)
        except (FixtureError, SettingsError) as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None  # said once
        coverage.follow(cf, config)
        watched = Watched(name, cf, unused, strict)
        yield watched
        if strict:
            fail(_text([*watched.outside, *watched.new_violations()]))  # those that failed no test


def _wanted(request: pytest.FixtureRequest) -> tuple[list[Any], dict[str, Any]]:
    """Return the fixtures and settings that the markers name, the nearest last, without the fixtures of the ini option."""
    named = [Path(path) for path in request.config.getini("cfmock_fixtures")]
    sources: list[Any] = []
    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("cfmock"))):
        sources += [request.node.path.parent / each if isinstance(each, str | Path) else each for each in marker.args]
        settings |= marker.kwargs
    return [source for source in sources if source not in named], settings
