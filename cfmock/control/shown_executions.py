"""The executions shown for a failing test: those of `cf.run`, others that did not succeed or still run, and their waits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from cfmock.base.clocks import iso
from cfmock.base.time_text import duration_text
from cfmock.base.timers import Timeline, TimerKind
from cfmock.control.control import Control
from cfmock.control.execution_detail import outcome_name
from cfmock.engine.scheduler import YEAR
from cfmock.observe.models import execution_text
from cfmock.service.rows import ExecutionRow
from cfmock.service.world import FLOWS, World

SHOWN = 20
"""Executions that are shown: the newest."""

Marks = Mapping[tuple[str, str], int]
"""Number of executions that each world had, by account and region."""


def marks(control: Control) -> Marks:
    """Return the present counts of all worlds: for `executions_text`, to show only what begins later."""
    return {(world.account, world.region): world.serial for world in control.emulator.worlds.known()}


def executions_text(control: Control, since: Marks) -> str:
    """The executions since then in words, the oldest first; empty if there are none to show."""
    found = [
        (row.started, row.serial, world, row)
        for world in control.emulator.worlds.known()
        for row in _since(world, since)
        if row.status != "Succeeded" or control.was_run(row)
    ]
    found.sort(key=lambda each: each[:2])
    lines = [f"... {len(found) - SHOWN} earlier"] if len(found) > SHOWN else []
    for *_, world, row in found[-SHOWN:]:
        why = {} if row.outcome is None else {"no_state": f"no state runs, {outcome_name(row)} decides"}
        lines.append(execution_text(control.execution(world, row), **why))
        lines += [f"    {waits}" for waits in _waits(control, world, row)]
    return "\n".join(lines)


def _since(world: World, since: Marks) -> Iterator[ExecutionRow]:
    after = since.get((world.account, world.region), 0)
    after = after if after <= world.serial else 0  # the world was made anew meanwhile
    for flow in world.stores.flows.rows(FLOWS):
        for row in world.stores.executions.rows(flow.id):
            if row.serial > after and not row.map_run:
                yield row


def _waits(control: Control, world: World, row: ExecutionRow) -> Iterator[str]:
    live = world.live_execution(row)
    if live is None:
        return
    if live.outcome is not None:
        if not live.outcome.ends:
            yield f"its outcome is {live.outcome.status}: it never ends by itself"
        elif live.outcome.polls:
            yield f"its outcome ends it at DescribeExecution number {live.outcome.polls}"
        else:
            yield from _next(control, live.timeline)
    elif live.run is not None:
        states = ", ".join(f"'{task.call.state}'" for task in live.run.waiting.values())
        if states:
            yield f"waits for a report of {states}: cf.tasks() has the token"
        elif live.timeline.busy:
            yield "waits for the function of a task"
        yield from _next(control, live.timeline, limit=live.run.started + YEAR)


def _next(control: Control, timeline: Timeline, limit: float = math.inf) -> Iterator[str]:
    """Return the time at which it goes on by itself; the limit that every execution has is not worth a word."""
    timer, left = timeline.next_timer(), timeline.left
    due = timeline.now() + left
    if timer is None or due > limit - 1:  # a second less: on a machine, the two times of a clock are not read together
        return
    words = "waits until" if timer.kind is TimerKind.PROGRESS else "times out at"
    virtual = control.emulator.settings.clock == "virtual"
    span = duration_text(left, digits=None if virtual else 3)
    more = f"the virtual clock stands still until cf.clock.advance('{span}')" if virtual else f"{span} from now"
    yield f"{words} {iso(due)}: {more}"
