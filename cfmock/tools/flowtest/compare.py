"""Comparison of an execution with its test: every difference, as lines to read, and the event it shows in first.

Where an expectation and an execution part is a reading of the history, for people: the failure that became the end, the
first state entered in place of an expected one, the state whose output first had the wrong value.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice

from msgspec import Struct
from msgspec.structs import replace

from cfmock.base import yaml_source
from cfmock.base.json_text import Json
from cfmock.base.patterns import matches
from cfmock.base.suggestions import meant, nearest
from cfmock.base.time_text import duration_text
from cfmock.engine.events import Event
from cfmock.tools.flowtest.run import Ran

_CLOSE = 0.0005  # seconds by which two durations may differ and be the same: times of events are in milliseconds
_AROUND = 3  # lines around a difference
_SHOWN = 8  # states that were entered in place of an expected one
_MOST = 20  # lines that came in place of expected ones
_NAMED = 5  # keys that are not there


class ExpectationDifference(Struct, frozen=True):
    """One part of an expectation that does not hold.

    `lines` begin with `- ` (expected), `+ ` (as it was) or two blanks (in both). `event` is the id of the first
    that shows it.
    """

    what: str
    expected: Json
    actual: Json
    lines: tuple[str, ...]
    event: int = 0


def judge(expect: Mapping[str, Json], ran: Ran) -> list[ExpectationDifference]:
    """Everything in which the execution differs from what its test expects."""
    exact = expect.get("exact", False)
    if not _CHECKS.keys() & expect.keys():
        return list(_unexpected(ran))
    return [difference for what, check in _CHECKS.items() if what in expect for difference in check(expect, ran, exact)]


def _unexpected(ran: Ran) -> Iterator[ExpectationDifference]:
    """Find that an execution did not succeed, though its test expects nothing else."""
    if ran.status != "Succeeded":
        error = ": ".join(filter(None, (ran.error or {}).values()))
        ended = f"ended {ran.status}" + (f": {error}" if error else "") if ran.error is not None else "never ended"
        line = f"  {ended}, and the test expects nothing; if that is meant: expect: {{status: {ran.status}}}"
        yield ExpectationDifference("status", "Succeeded", ran.status, (line,), _turn({}, ran).id)


Check = Callable[[Mapping[str, Json], Ran, bool], Iterator[ExpectationDifference]]


def _status(expect: Mapping[str, Json], ran: Ran, exact: bool) -> Iterator[ExpectationDifference]:
    wanted = expect["status"]
    if ran.status != wanted:
        found = _differs("status", wanted, ran.status, _turn(expect, ran))
        if ran.error is not None and "error" not in expect:
            found = replace(found, lines=(*found.lines, f"+ error: {': '.join(filter(None, ran.error.values()))}"))
        yield found


def _error(expect: Mapping[str, Json], ran: Ran, exact: bool) -> Iterator[ExpectationDifference]:
    wanted = expect["error"]
    if not matches(wanted, ran.error, exact=exact):
        yield _differs("error", wanted, _as_asked(wanted, ran.error, exact), _turn(expect, ran))


def _output(expect: Mapping[str, Json], ran: Ran, exact: bool) -> Iterator[ExpectationDifference]:
    wanted = expect["output"]
    if matches(wanted, ran.output, exact=exact):
        return
    event = ran.events[-1]
    if isinstance(wanted, dict) and isinstance(ran.output, dict):
        event = _source(ran, _place(wanted, ran.output, exact))
    elif wanted is not None:
        event = _turn(expect, ran)
    found = _differs("output", wanted, _as_asked(wanted, ran.output, exact), event)
    yield replace(found, lines=(*found.lines, *islice(_misspelt(wanted, ran.output, "output"), _NAMED)))


def _misspelt(expected: Json, actual: Json, path: str) -> Iterator[str]:
    """Write a line for each key that is not there while another one nearly is."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key in actual:
                yield from _misspelt(value, actual[key], f"{path}.{key}")
            elif (near := nearest(key, [each for each in actual if each not in expected])) is not None:
                yield f"  there is no '{key}' in {path}{meant(near)}"


def _visits(expect: Mapping[str, Json], ran: Ran, exact: bool) -> Iterator[ExpectationDifference]:
    wanted: list[str] = expect["visits"]
    entered = [name for name, _ in ran.visits]
    changes = _changes(wanted, entered, exact)
    if not changes:
        return
    at = next(c for tag, _, _, c, _ in changes if tag != "equal")
    if exact:  # where they first differ, however they are put side by side
        at = next((n for n, pair in enumerate(zip(wanted, entered, strict=False)) if pair[0] != pair[1]), at)
    number = ran.visits[at][1] if at < len(ran.visits) else len(ran.events)
    event = ran.events[(number or len(ran.events)) - 1]
    lines = (line[:2] + "  " + line[2:] for line in _states(changes, wanted, entered))
    yield ExpectationDifference("visits", wanted, entered, ("  visits:", *lines), event.id)


Change = tuple[str, int, int, int, int]
"""An operation of difflib: equal, insert, delete or replace; the lines of the first text, and of the second."""


def _changes(wanted: Sequence[str], entered: Sequence[str], exact: bool) -> list[Change]:
    """List the wanted states that were entered in this order and those that were not; nothing if all were. Unless `exact`, others
    may be entered besides."""
    left = iter(entered)
    if wanted == entered if exact else all(name in left for name in wanted):
        return []
    changes = difflib.SequenceMatcher(None, wanted, entered, autojunk=False).get_opcodes()
    return [change for change in changes if exact or change[0] != "insert"]


def _states(changes: Sequence[Change], wanted: Sequence[str], entered: Sequence[str]) -> Iterator[str]:
    """Yield the states that were not entered, those that were in their place, and a few around."""
    groups = [(same, list(group)) for same, group in groupby(changes, key=lambda change: change[0] == "equal")]
    for index, (same, group) in enumerate(groups):
        if same:
            names = [f"  {name}" for _, a, b, _, _ in group for name in wanted[a:b]]
            yield from _shortened(names, _AROUND if index else 0, _AROUND if index + 1 < len(groups) else 0)
            continue
        for _, a, b, c, d in group:
            yield from (f"- {name}" for name in wanted[a:b])
            yield from (f"+ {name}" for name in entered[c:d][:_SHOWN])
            if d - c > _SHOWN:
                yield f"  ... {d - c - _SHOWN} more"


def _shortened(lines: list[str], before: int, behind: int) -> list[str]:
    """Keep the first and last few of the lines that are the same in both."""
    if len(lines) <= before + behind:
        return lines
    return [*lines[:before], "  ...", *lines[len(lines) - behind :]]


def _duration(expect: Mapping[str, Json], ran: Ran, exact: bool) -> Iterator[ExpectationDifference]:
    wanted = expect["duration"]
    if abs(ran.duration - wanted) > _CLOSE:
        late = (event for event in ran.events if event.time - ran.started > wanted + _CLOSE)
        event = next(late, ran.events[-1])
        lines = (f"- duration: {duration_text(wanted)}", f"+ duration: {duration_text(ran.duration)}")
        yield ExpectationDifference("duration", wanted, ran.duration, lines, event.id)


_CHECKS: dict[str, Check] = {
    "status": _status, "error": _error, "output": _output, "visits": _visits, "duration": _duration,
}  # fmt: skip


# -- lines -------------------------------------------------------------------------------------------------------------


def _differs(what: str, expected: Json, actual: Json, event: Event) -> ExpectationDifference:
    lines = _compared(*(yaml_source.dump({what: value}).splitlines() for value in (expected, actual)))
    return ExpectationDifference(what, expected, actual, tuple(lines), event.id)


def _compared(expected: Sequence[str], actual: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, expected, actual, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += _shortened([f"  {line}" for line in expected[a:b]], _AROUND, _AROUND)
        else:
            lines += [*(f"- {line}" for line in expected[a:b]), *(f"+ {line}" for line in actual[c:d][:_MOST])]
            lines += [f"  ... {d - c - _MOST} more"] if d - c > _MOST else []
    return lines


def _as_asked(expected: Json, actual: Json, exact: bool) -> Json:
    """Cut a value to the parts that were asked for, in the words of the expectation where it fits: only mistakes stand out. Where
    a key is missing, keep all: the part asked for may have another name."""
    if matches(expected, actual, exact=exact):
        return expected
    if isinstance(expected, dict) and isinstance(actual, dict):
        asked = {key: _as_asked(value, actual[key], exact) for key, value in expected.items() if key in actual}
        whole = exact or len(asked) < len(expected)
        return asked | {key: value for key, value in actual.items() if whole and key not in expected}
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [_as_asked(*pair, exact) for pair in zip(expected, actual, strict=True)]
    return actual


# -- where they part ---------------------------------------------------------------------------------------------------


def _turn(expect: Mapping[str, Json], ran: Ran) -> Event:
    """Return the event that decided how it ended: the first failure of those that led straight to the last one, or the failure
    that was caught and should not have been.
    """
    last = ran.events[-1]
    wanted = expect.get("status", "Failed" if expect.get("error") else "Succeeded")
    if "error" in last.shape.keys:
        return _origin(ran, last) if wanted == "Succeeded" else _first_of(ran, last)
    if ran.status == "Succeeded" and wanted == "Failed":
        code = (expect.get("error") or {}).get("code", "*")
        told = (event for event in ran.events if "error" in event.shape.keys and matches(code, event.data["error"]))
        return next(told, last)
    return last


def _origin(ran: Ran, event: Event) -> Event:
    """Return the failure that this one comes from, over the states that only caught one and failed in their turn."""
    found = at = _first_of(ran, event)
    while at.cause:
        at = ran.events[at.cause - 1]
        if "error" in at.shape.keys:
            found = at = _first_of(ran, at)
        elif at.type not in ("StepStarted", "StepEntered", "StepExited"):
            break
    return found


def _first_of(ran: Ran, event: Event) -> Event:
    """Return the first event that reports the failure of this one."""
    code = event.data["error"]
    while event.cause:
        before = ran.events[event.cause - 1]
        if "error" not in before.shape.keys or before.data["error"] != code:
            break
        event = before
    return event


_MISSING = object()


def _place(expected: Json, actual: Json, exact: bool) -> tuple[str, ...]:
    """Return the keys that lead to the first value that differs."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in [*expected, *(actual if exact else ())]:
            if key not in actual or key not in expected:
                return (key,)
            if not matches(expected[key], actual[key], exact=exact):
                return (key, *_place(expected[key], actual[key], exact))
    return ()


def _source(ran: Ran, keys: tuple[str, ...]) -> Event:
    """Return the first event since which the output has its final value there: the end itself, if it never had any."""
    last = found = ran.events[-1]
    wrong = _at(last, keys)
    outer = ran.flow.series.nodes
    for event in reversed(ran.events[:-1]):
        if event.type == "StepExited" and event.step in outer:
            if _at(event, keys) != wrong:
                return found
            found = event
    return last if wrong is _MISSING else found


def _at(event: Event, keys: tuple[str, ...]) -> Json:
    data = event.data
    value = data.get("output", data.get("local"))
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return _MISSING
        value = value[key]
    return value
