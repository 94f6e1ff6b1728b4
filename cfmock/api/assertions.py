"""Expectations of a test about the calls of its client; a failure shows the calls there were instead, the nearest first.
Waits for calls, too.

Parameters are matched as `when` is in fixtures: text by globs, mappings as subsets; one that holds JSON text is compared by its
value when a mapping, list or number is expected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from cfmock.api import client
from cfmock.api.arguments import check_text, check_whole
from cfmock.api.entered import EnteredServer
from cfmock.base.errors import ArgumentError, ArgumentTypeError, BrokenConnection, UnknownName, WaitTimeout
from cfmock.base.globs import glob_matches
from cfmock.base.json_text import Json, json_or_text
from cfmock.base.patterns import MISSING, Difference, differences
from cfmock.base.suggestions import did_you_mean, shown
from cfmock.base.time_text import duration_text, parse_duration
from cfmock.control.part import ControlError
from cfmock.emulator import hints
from cfmock.observe.call_ring import FIELDS
from cfmock.observe.models import Call, brief, public_calls
from cfmock.observe.retries import Backoff, Retries
from cfmock.protocol.spec.model import load
from cfmock.protocol.wire.messages import TOLD, Reply

SHOWN = 10  # calls that a failure shows

NO_CALLS = "there were no calls at all"


def called(
    calls: Sequence[Call], operation: str, times: int | None, parameters: Mapping[str, Json], runs: int = 0
) -> list[Call]:
    """Return the calls of an operation (a glob) with these parameters: `times` of them, or at least one. `cf.run` began `runs`
    executions besides.

    Raises AssertionError if there are others, UnknownName for an operation or parameter that there is not.
    """
    _check(operation, parameters)
    check_whole("times", times)
    judged = [(call, _differences(call, operation, parameters)) for call in calls]
    found = [call for call, differing in judged if not differing]
    if (times is None and found) or len(found) == times:
        return found
    wanted = "to be called" if times is None else f"to be called {_times(times)}" if times else "never to be called"
    was = f"it was called {_times(len(found))}" if found else "it never was"
    raise AssertionError(
        f"expected {_described(operation, parameters)} {wanted}, and {was}; {_nearest(judged)}{_uncounted(operation, runs)}"
    )


def in_order(calls: Sequence[Call], steps: Sequence[str | tuple[str, Mapping[str, Json]]], runs: int = 0) -> list[Call]:
    """Calls of these operations, each after the one before; other calls may stand between. A step may name parameters.

    Raises AssertionError with the first that is missing, UnknownName as `called` does, ArgumentError for no step at all.
    """
    if not steps:
        raise ArgumentError(
            "an order is of operations: name them, as in assert_order('StartExecution', 'DescribeExecution')"
        )
    found: list[Call] = []
    rest = list(calls)
    for step in steps:
        operation, parameters = _step(step)
        _check(operation, parameters)
        judged = [(call, _differences(call, operation, parameters)) for call in rest]
        at = next((index for index, (_, differing) in enumerate(judged) if not differing), None)
        if at is None:
            after = f" after {brief(found[-1])}" if found else ""
            nearest = _nearest(judged) if judged or not found else "no call came after that"
            raise AssertionError(
                f"expected {_described(operation, parameters)}{after}, and it was not called; {nearest}\n"
                f"all calls in their order:\n{_newest(calls) or '  none'}{_uncounted(operation, runs)}"
            )
        found.append(rest[at])
        rest = rest[at + 1 :]
    return found


def retried(
    groups: Sequence[Retries], operation: str, most: int | None, backoff: Backoff | None, same_name: bool | None
) -> list[Retries]:
    """Return the retries of an operation: there are some, no call was repeated more than `most` times, the pauses look like
    `backoff`, and execution names were used again, or not. With `most` 0 there are none.

    Raises AssertionError with what was otherwise, UnknownName as `called` does, ArgumentError for a backoff that there is not.
    """
    _check(operation, {})
    check_whole("max", most)
    if backoff not in (None, *get_args(Backoff)):
        raise ArgumentError(f"there is no backoff '{backoff}': it is none, fixed, exponential or jittered")
    if not groups and most != 0:
        raise AssertionError(f"expected {operation} to be repeated after a failure, and it was not")
    for group in groups:
        told = f"\n  {group}"
        if most is not None and group.count - 1 > most:
            raise AssertionError(
                f"expected {operation} to be repeated {most} times at most, and it was {group.count - 1}{told}"
            )
        if backoff is not None and group.backoff != backoff:
            was = f"it is {group.backoff}" if group.backoff is not None else "there are too few pauses to tell"
            raise AssertionError(f"expected {backoff} backoff of {operation}, and {was}{told}")
        if same_name is not None and group.same_name is not same_name:
            names = "the same" if same_name else "new"
            raise AssertionError(f"expected {operation} to be repeated under {names} execution names{told}")
    return list(groups)


def _step(step: str | tuple[str, Mapping[str, Json]]) -> tuple[str, Mapping[str, Json]]:
    match step:
        case str():
            return step, {}
        case (str(operation), Mapping() as parameters):
            return operation, parameters
    raise ArgumentTypeError(f"{shown(step)} is neither an operation nor one with a mapping of its parameters")


def _check(operation: str, parameters: Mapping[str, Json]) -> None:
    check_text("operation", operation)
    operations = load().operations
    meant = [each for name, each in operations.items() if glob_matches(operation, name)]
    if not meant:
        raise UnknownName.of(f"there is no operation '{operation}'", operation, operations)
    known = dict.fromkeys(name for each in meant for name in each.parameters)
    for name in parameters:
        if name not in known:
            raise UnknownName.of(f"{operation} has no parameter '{name}'", name, known)


def _differences(call: Call, operation: str, parameters: Mapping[str, Json]) -> list[Difference]:
    found = [] if glob_matches(operation, call.operation) else [Difference("operation", operation, call.operation)]
    for name, expected in parameters.items():
        found += differences(expected, _actual(call.parameters.get(name), expected), (name,))
    return found


def _actual(text: str | None, expected: Json) -> Json:
    """Return a parameter as a value that can be compared with the expected one."""
    if text is None:
        return MISSING
    return text if isinstance(expected, str) else json_or_text(text)


def _nearest(judged: Sequence[tuple[Call, Sequence[Difference]]]) -> str:
    if not judged:
        return NO_CALLS
    ranked = sorted(judged, key=lambda pair: (len(pair[1]), pair[1][0].path == "operation" if pair[1] else False))
    lines = [
        f"  {brief(call)}" + (f"  [{'; '.join(map(str, differing))}]" if differing else "  [as expected]")
        for call, differing in ranked[:SHOWN]
    ]
    more = [f"  ... and {len(ranked) - SHOWN} more"] if len(ranked) > SHOWN else []
    return "\n".join(["the calls, the nearest first:", *lines, *more])


def _described(operation: str, parameters: Mapping[str, Json]) -> str:
    return f"{operation}({', '.join(f'{name}={value!r}' for name, value in parameters.items())})"


def _uncounted(operation: str | None, runs: int) -> str:
    """Say that `cf.run` makes no call, for tests that look for one that starts an execution."""
    if not runs or not any(glob_matches(operation or "*", each) for each in ("StartExecution", "StartSyncExecution")):
        return ""
    began = "an execution" if runs == 1 else f"{runs} executions"
    return f"\ncf.run, which began {began} here, makes no call: see cf.executions(flow), or use cf.call('StartExecution', ...)"


def _newest(calls: Sequence[Call]) -> str:
    return "\n".join(f"  {brief(call)}" for call in calls[-SHOWN:])


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def wanted_calls(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn keywords into filters of calls: parameters as they look on the wire. Raises ControlError for an unknown keyword."""
    for name in filters:
        if name not in FIELDS and not name[:1].isupper():
            raise ControlError(
                f"calls have no '{name}'{did_you_mean(name, FIELDS)}: ask for {', '.join(FIELDS)}, or a parameter"
            )
    return {
        name: value if name in FIELDS or value is None else client.wire_text(value) for name, value in filters.items()
    }


async def wait_for_calls(
    entered: EnteredServer, operation: str | None, count: int, timeout: float | str, filters: Mapping[str, Any]
) -> list[Call]:
    """Wait until there are `count` such calls, in the loop. Raises as `CloudFlow.wait_for_calls`."""
    entered.check_open()
    control = entered.control
    wanted, longest = wanted_calls(filters), parse_duration(timeout)
    check_whole("count", count)
    check_text("operation", operation, optional=True)
    control.check_calls(operation, filters.keys() - set(FIELDS))
    done = asyncio.Event()
    undo = control.when_called(count, done.set, operation=operation, **wanted)
    try:
        await asyncio.wait_for(done.wait(), longest)
    except asyncio.TimeoutError:
        found = len(control.find_calls(operation=operation, **wanted))
        newest = _newest(public_calls(control.find_calls()))
        seen = f"the newest calls:\n{newest}" if newest else NO_CALLS
        what = _described(operation or "any call", filters)
        raise WaitTimeout(
            f"waited {duration_text(longest)} for {count} of {what}, saw {found}; {seen}"
            f"{_uncounted(operation, control.runs_begun)}"
        ) from None
    finally:
        undo()
    return public_calls(control.find_calls(operation=operation, **wanted))


def fields(reply: Reply) -> dict[str, Json]:
    """Return the fields of an answer. Raises ServiceError for an error, BrokenConnection where a fault breaks the connection."""
    if reply.transport not in TOLD:
        raise BrokenConnection(reply.transport.value)
    return client.answered(reply.status, reply.body, dict(reply.headers).get(hints.HEADER))
