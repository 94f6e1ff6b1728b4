"""Schedules: start an execution of a flow at the times of a cron expression, on the flow clock.

A schedule that waits is a timer, whose successor is reckoned from its own time: however far a virtual clock moves at once,
every run takes place, in its turn and with its own start time. On a real clock one that is late by more than a period, since
the machine slept or its clock was set forward, runs once, and says how many runs it has left out. The executions are named
as those started without a name, since nothing is documented (our choice); `Enable` is true unless something is said (so is
what Terraform sends).
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from cfmock.base.clocks import VirtualClock, iso
from cfmock.base.errors import ServiceError
from cfmock.base.timers import TimerKind
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service.flows import DEFAULT_LIMIT
from cfmock.service.lookup import find_flow, given, page, rows_from
from cfmock.service.rows import FlowRow, ScheduleRow
from cfmock.service.starting import start_new
from cfmock.service.world import World

if TYPE_CHECKING:
    from cfmock.service.cron import CronRule


def create_schedule(
    world: World,
    *,
    flow_name: str,
    schedule_name: str,
    cron_expression: str,
    payload: str = "",
    description: str = "",
    enable: bool = True,
) -> Fields:
    """Raises FlowNotExists, ScheduleAlreadyExists, and InvalidArgument for the expression."""
    _parsed(cron_expression)
    flow = find_flow(world, flow_name)
    if world.stores.schedules.get(flow.id, schedule_name) is not None:
        raise ServiceError("ScheduleAlreadyExists", schedule_name, flow_name)
    now = world.clock.now()
    row = ScheduleRow(
        id=world.ids.uuid(),
        name=schedule_name,
        description=description,
        payload=str(payload),  # without its value
        cron=cron_expression,
        enabled=enable,
        created=now,
        modified=now,
    )
    world.shared.memory.definitions.put(flow.id, row)
    world.stores.schedules.put(flow.id, schedule_name, row)
    world.changed("flow", flow_name)
    plan(world, flow, row)
    return _fields(row)


def update_schedule(
    world: World,
    *,
    flow_name: str,
    schedule_name: str,
    cron_expression: str | None = None,
    payload: str | None = None,
    description: str | None = None,
    enable: bool | None = None,
) -> Fields:
    """Change what is given and keep the rest. A schedule that waits goes on waiting, unless its expression changes.

    Raises FlowNotExists, ScheduleNotExists, and InvalidArgument for the expression.
    """
    if cron_expression is not None:
        _parsed(cron_expression)
    flow, before = _find(world, flow_name, schedule_name)
    text = None if payload is None else str(payload)
    changes = given(cron=cron_expression, payload=text, description=description, enabled=enable)
    row = before._replace(modified=world.clock.now(), **changes)
    world.shared.memory.definitions.put(flow.id, row)
    world.stores.schedules.put(flow.id, schedule_name, row)
    world.changed("flow", flow_name)
    if (row.enabled, row.cron) != (before.enabled, before.cron):
        _cancel(world, flow, schedule_name)
        plan(world, flow, row._replace(due=None))
    return _fields(row)


def delete_schedule(world: World, *, flow_name: str, schedule_name: str) -> Fields:
    """Executions that it started go on. Raises FlowNotExists and ScheduleNotExists."""
    flow, row = _find(world, flow_name, schedule_name)
    _cancel(world, flow, schedule_name)
    world.stores.schedules.delete(flow.id, schedule_name)
    world.shared.memory.definitions.remove(flow.id, row)
    world.changed("flow", flow_name)
    return {}


def describe_schedule(world: World, *, flow_name: str, schedule_name: str) -> Fields:
    """Raises FlowNotExists and ScheduleNotExists."""
    return _fields(_find(world, flow_name, schedule_name)[1])


def list_schedules(world: World, *, flow_name: str, next_token: str = "", limit: int = DEFAULT_LIMIT) -> Fields:
    """In the order of their names; the token is the name to go on from. Raises FlowNotExists."""
    flow = find_flow(world, flow_name)
    rows = rows_from(world.stores.schedules, flow.id, next_token)
    return page("Schedules", rows, limit, _fields, attrgetter("name"))


def _find(world: World, flow_name: str, schedule_name: str) -> tuple[FlowRow, ScheduleRow]:
    flow = find_flow(world, flow_name)
    row = world.stores.schedules.get(flow.id, schedule_name)
    if row is None:
        raise ServiceError("ScheduleNotExists", schedule_name, flow_name)
    return flow, row


def _parsed(expression: str) -> CronRule:
    from cfmock.service import cron  # most servers have no schedule

    try:
        return cron.parse(expression)
    except ValueError as error:
        raise invalid("CronExpression", f"is not valid: {error}") from None


def plan(world: World, flow: FlowRow, row: ScheduleRow) -> None:
    """See to the runs of a schedule, if it is enabled. One of an earlier process goes on: what was due meanwhile is due now."""
    if row.enabled:
        rule = _parsed(row.cron)
        _plan_at(world, flow, row.name, rule, rule.after(world.clock.now()) if row.due is None else row.due)


def _plan_at(world: World, flow: FlowRow, name: str, rule: CronRule, due: float) -> None:
    """See to the run that is due at this moment, and from there to all that follow."""
    row = world.stores.schedules.get(flow.id, name)
    if world.shared.changes is not None and row is not None:
        world.stores.schedules.put(flow.id, name, row._replace(due=due))

    def run() -> None:
        last = due if isinstance(world.clock, VirtualClock) else _caught_up(world, flow, name, rule, due)
        _plan_at(world, flow, name, rule, rule.after(last))
        _start(world, flow.name, name)

    world.alarms.setdefault(flow.id, {})[name] = world.timers.add_moment(due, TimerKind.SCHEDULE, run)


def _caught_up(world: World, flow: FlowRow, name: str, rule: CronRule, due: float) -> float:
    """The moment of the last run that is past already, if those after the one due now are left out."""
    count, last = rule.passed(due, world.clock.now())
    if count:
        from cfmock.service.cron import MOST_COUNTED

        number = f"more than {MOST_COUNTED}" if count > MOST_COUNTED else str(count)
        late = "the machine slept, its clock was set forward, or the server was down"
        row = world.stores.schedules.get(flow.id, name)
        if row is not None:
            world.stores.schedules.put(flow.id, name, row._replace(left_out=row.left_out + count))
        world.warn(f"the schedule {flow.name}/{name} is late and has skipped {number} runs: {late}")
    return last


def _cancel(world: World, flow: FlowRow, name: str) -> None:
    timer = world.alarms.get(flow.id, {}).pop(name, None)
    if timer is not None:
        timer.cancel()


def _start(world: World, flow_name: str, name: str) -> None:
    flow, row = _find(world, flow_name, name)
    try:
        start_new(world, flow, world.ids.execution_name(), row.payload)
    except ServiceError as error:
        world.warn(f"the schedule {flow_name}/{name} could not start an execution: {error}")


def _fields(row: ScheduleRow) -> Fields:
    """A schedule as all answers give it: without its flow (SDK models)."""
    return {
        "ScheduleId": row.id,
        "ScheduleName": row.name,
        "Description": row.description,
        "Payload": row.payload,
        "CronExpression": row.cron,
        "Enable": row.enabled,
        "CreatedTime": iso(row.created),
        "LastModifiedTime": iso(row.modified),
    }
