"""A running world as a fixture document, which loads to the same world.

Credentials, Python functions and the past (calls, executions that still run, times of making) are not in it; what of the set-up
no file can hold is named in `$comment`. Counters begin again: `times` and `hits` are as they were set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import accumulate, chain
from typing import Any

from cfmock.base.clocks import VirtualClock, iso
from cfmock.base.json_text import Json, json_value, value_size
from cfmock.control.part import Answer, ControlError, ControlPart, at_once
from cfmock.emulator.worlds import pause
from cfmock.observe.journal import ALL, Scope
from cfmock.service.rows import ExecutionRow, FlowRow
from cfmock.service.world import FLOWS, World
from cfmock.settings import SETTINGS

_ERRORS = ("Failed", "TimedOut", "Stopped")
_LEFT_OUT = ("now", "region", "variables")
"""Settings that are written otherwise, or that a world which has been loaded needs no more."""


MAX_EXPORTED = 64 * 1024 * 1024
"""Bytes that the definitions and executions of an export may take, about, as values."""

_TOGETHER = 500  # flows that are written before others have their turn


class ExportControl(ControlPart):
    """Exports a world as a fixture."""

    def export_in_steps(self, scope: Scope = ALL, executions: bool = False) -> Answer:
        """The world as a fixture document; with `executions` those that have ended, too. Raises ControlError for too much."""
        world = self._one_world(scope)
        rows = sorted(world.stores.flows.rows(FLOWS), key=lambda row: row.name)
        ended: dict[str, list[ExecutionRow]] = {}
        for row in rows if executions else ():  # without children of map runs, which belong to their parents
            ended[row.id] = [each for each in world.stores.executions.rows(row.id) if each.ended and not each.map_run]
        _check_size(world, rows, ended.values())
        notes: list[str] = []
        flows = []
        for number, row in enumerate(rows, 1):
            flows.append(_flow(world, row, notes))
            if ended.get(row.id):
                flows[-1]["executions"], left_out = yield partial(_executions, row.name, ended[row.id])
                notes += left_out
            elif not number % _TOGETHER:
                yield pause
        schedules = [schedule for row in rows for schedule in _schedules(world, row, notes)]
        # What Python gave as a datetime is text in JSON.
        faults = [json.loads(json.dumps(fault.rule.to_mapping(), default=str)) for fault in world.faults.list()]
        parts = _given(settings=self._settings(world), flows=flows, schedules=schedules, faults=faults)
        notes += _without_flow(world)
        return {"cfmock": 1, **parts, **({"$comment": "\n".join(["Not in this file:", *notes])} if notes else {})}

    export = at_once(export_in_steps)

    def _settings(self, world: World) -> dict[str, Json]:
        given = self.emulator.settings
        found: dict[str, Json] = {}
        for row in SETTINGS.values():
            value = getattr(given, row.name)
            if row.fixture and row.name not in _LEFT_OUT and value != row.default:
                found[row.name] = list(value) if isinstance(value, tuple) else value
        if world.region != SETTINGS["region"].default:
            found["region"] = world.region
        if isinstance(self.emulator.clock, VirtualClock):
            found["now"] = iso(self.emulator.clock.now())
        return found


def _flow(world: World, row: FlowRow, notes: list[str]) -> dict[str, Json]:
    variables = (row.environment or {}).get("Variables", ())
    parts = _given(
        description=row.description,
        execution_mode=row.execution_mode if row.execution_mode != "Standard" else "",
        role_arn=row.role_arn,
        environment={each["Name"]: each.get("Value", "") for each in variables},
        definition=row.definition,
        versions=list(_versions(world, row)),
        published=row.published,
        aliases=list(_aliases(world, row)),
        outcomes=[dict(outcome.given) for outcome, _ in world.outcomes[row.name].uses()],
        tasks=_tasks(world, row, notes),
    )
    if row.external_storage_location:
        notes.append(f"- ExternalStorageLocation of flow '{row.name}'")
    if any(each.get("Description") for each in variables):
        notes.append(f"- descriptions of variables of flow '{row.name}'")
    return {"name": row.name, **parts}


def _versions(world: World, flow: FlowRow) -> Iterator[dict[str, Json]]:
    for row in sorted(world.stores.versions.rows(flow.id), key=lambda row: row.version):
        definition = row.definition if row.definition != flow.definition else ""
        yield {"number": row.version, **_given(description=row.description, definition=definition)}


def _aliases(world: World, flow: FlowRow) -> Iterator[dict[str, Json]]:
    for alias in sorted(world.stores.aliases.rows(flow.id), key=lambda alias: alias.name):
        routes = [{"version": route.version, "weight": route.weight} for route in alias.routes]
        yield {"name": alias.name, **_given(description=alias.description), "routes": routes}


def _given(**parts: Any) -> dict[str, Json]:
    """Those that are not empty."""
    return {key: part for key, part in parts.items() if part}


def _tasks(world: World, flow: FlowRow, notes: list[str]) -> dict[str, Json]:
    """The mocks of a flow in the order they are tried."""
    found: dict[str, list[Json]] = {}
    for task, mocks in world.mocks[flow.name].by_task.items():
        if not flow.compiled.has_task(task):
            notes.append(f"- mocks of task '{task}' of flow '{flow.name}', which has no such task")
            continue
        for mock in mocks:
            if mock.calls is None:
                found.setdefault(task, []).append(mock.to_mapping())
            else:
                function = getattr(mock.calls, "__qualname__", repr(mock.calls))
                notes.append(f"- the Python function {function}, which answers task '{task}' of flow '{flow.name}'")
    return {task: mocks for task, mocks in found.items() if mocks}


def _check_size(world: World, flows: Iterable[FlowRow], executions: Iterable[list[ExecutionRow]]) -> None:
    definitions = (len(row.definition) for flow in flows for row in (flow, *world.stores.versions.rows(flow.id)))
    ended = (value_size(row.input) + value_size(row.output) for row in chain.from_iterable(executions))
    if any(size > MAX_EXPORTED for size in accumulate(chain(definitions, ended))):
        raise ControlError(f"the export would take more than {MAX_EXPORTED} bytes")


def _executions(flow: str, rows: list[ExecutionRow]) -> tuple[list[Json], list[str]]:
    """Return the executions, oldest first, and what is left out of them."""
    found: list[Json] = []
    notes = []
    for row in sorted(rows, key=lambda row: row.serial):
        execution = _execution(row)
        if all(isinstance(execution.get(key, {}), dict) for key in ("input", "output")):
            found.append(execution)
        else:
            notes.append(f"- execution '{row.name}' of flow '{flow}', whose input or output is not a JSON object")
    return found, notes


def _execution(row: ExecutionRow) -> dict[str, Json]:
    found: dict[str, Json] = {"name": row.name, "status": row.status, "input": json_value(row.input or "{}")}
    if row.status == "Succeeded":
        found["output"] = json_value(row.output or "{}")
    if row.status in _ERRORS and row.error:
        found["error"] = {"code": row.error, **_given(detail=row.cause)}
    found["started"] = iso(row.started)
    if row.stopped is not None:
        found["stopped"] = iso(row.stopped)
    return found


def _schedules(world: World, flow: FlowRow, notes: list[str]) -> Iterator[dict[str, Json]]:
    name = flow.name
    for row in sorted(world.stores.schedules.rows(flow.id), key=lambda row: row.name):
        payload = {"payload": json_value(row.payload)} if row.payload else {}
        described = _given(description=row.description)
        schedule = {"flow": name, "name": row.name, "cron": row.cron, **described, **payload}
        if not row.enabled:
            schedule["enabled"] = False
        if isinstance(schedule.get("payload", {}), dict):
            yield schedule
        else:
            notes.append(f"- schedule '{row.name}' of flow '{name}', whose payload is not a JSON object")


def _without_flow(world: World) -> Iterator[str]:
    """Outcomes and mocks that wait for a flow of their name."""
    names = {
        *(name for name, outcomes in world.outcomes.items() if outcomes.uses()),
        *(name for name, mocks in world.mocks.items() if mocks.count),
    }
    for name in sorted(names):
        if world.stores.flows.get(FLOWS, name) is None:
            yield f"- outcomes and mocks of flow '{name}', which is not there"
