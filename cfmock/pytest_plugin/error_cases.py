"""Error cases: a test runs once for each error documented for an operation (marker `cfmock_errors`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

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
