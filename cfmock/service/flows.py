"""Flows: create, update, delete, describe, list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from cfmock.base.clocks import iso
from cfmock.base.errors import DefinitionError, ServiceError
from cfmock.base.suggestions import did_you_mean
from cfmock.engine.flow import Flow
from cfmock.engine.languages import compile_text
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service.lookup import find_flow, find_version, given, page, rows_from
from cfmock.service.rows import EXPRESS, STANDARD, FlowRow
from cfmock.service.world import FLOWS, World

DEFAULT_LIMIT = 60

DEFINITION = "Definition"
"""The name of a definition's text in messages."""

_TOLD = 5  # mistakes of a definition


def create_flow(
    world: World,
    *,
    name: str,
    definition: str,
    description: str,
    type: str,
    role_arn: str = "",
    external_storage_location: str = "",
    execution_mode: str = STANDARD,
    environment: str | None = None,
    resource_group_id: str = "",
) -> Fields:
    """Raises FlowAlreadyExists, and InvalidArgument for a definition or Environment that cannot be used."""
    if world.stores.flows.get(FLOWS, name) is not None:
        raise ServiceError("FlowAlreadyExists", name)
    _check_quota(world)
    now = world.clock.now()
    row = FlowRow(
        id=world.ids.uuid(),
        name=name,
        definition=definition,
        compiled=compiled(definition, name, execution_mode),
        description=description,
        type=type,
        execution_mode=execution_mode,
        created=now,
        modified=now,
        role_arn=role_arn,
        environment=parse_environment(environment),
        external_storage_location=external_storage_location,
        resource_group_id=resource_group_id,
    )
    world.shared.memory.definitions.put(row.id, row)
    world.stores.flows.put(FLOWS, name, row)
    world.changed("flow", name)
    _warn_of_mocks(world, row)
    return flow_fields(row)


def _check_quota(world: World) -> None:
    """Raises InvalidArgument where there are as many flows as an account may have."""
    if world.stores.flows.count(FLOWS) >= world.settings.max_flows:
        raise ServiceError("InvalidArgument", detail=f"The account has {world.settings.max_flows} flows already.")


def update_flow(
    world: World,
    *,
    name: str,
    definition: str | None = None,
    description: str | None = None,
    type: str | None = None,
    role_arn: str | None = None,
    environment: str | None = None,
    external_storage_location: str | None = None,
) -> Fields:
    """Change what is given and keep the rest; running executions keep what they started with. Raises FlowNotExists."""
    row = find_flow(world, name)
    changes = given(
        description=description,
        type=type,
        role_arn=role_arn,
        external_storage_location=external_storage_location,
        definition=definition,
        compiled=None if definition is None else compiled(definition, name, row.execution_mode),
        environment=parse_environment(environment),
    )
    before, row = row, replace(row, modified=world.clock.now(), **changes)
    world.shared.memory.definitions.put(row.id, row)
    world.stores.flows.put(FLOWS, name, row)
    world.changed("flow", name)
    world.shared.memory.superseded(before, row)
    if definition is not None:
        _warn_of_mocks(world, row)
    fields = flow_fields(row)
    # The two calls differ in this way only: the one tells the mode, the other the storage location (SDK models).
    del fields["ExecutionMode"]
    return fields | {"ExternalStorageLocation": row.external_storage_location}


def place_flow(world: World, name: str, **fields: Any) -> FlowRow:
    """Put a flow with these fields, compiled already, into a world, in the place of the one of this name if there is one.

    Executions of that one stay, and so do its id, its versions and where it is stored; everything else is as given here.
    Raises InvalidArgument for a new flow beyond the quota.
    """
    now = world.clock.now()
    fields |= {"type": "FDL", "modified": now}
    row = world.stores.flows.get(FLOWS, name)
    if row is None:
        _check_quota(world)
        row = FlowRow(id=world.ids.uuid(), name=name, created=now, **fields)
    else:
        before, row = row, replace(row, **fields)
        world.shared.memory.superseded(before, row)
    world.stores.flows.put(FLOWS, name, row)
    world.changed("flow", name)
    return row


def delete_flow(world: World, *, name: str) -> Fields:
    """Free the name at once; the flow's executions are gone, too. Raises FlowNotExists."""
    row = find_flow(world, name)
    world.stores.flows.delete(FLOWS, name)
    world.changed("flow", name)
    world.remember(name)
    world.outcomes.pop(name, None)
    if name in world.mocks and not world.mocks[name].count:
        del world.mocks[name]
    for timer in world.alarms.pop(row.id, {}).values():
        timer.cancel()
    for live in world.evict(row.id):
        live.drop()
        world.tell(live.waiters)
    world.stores.drop(row.id)
    world.shared.memory.definitions.drop(row.id)
    return {}


def describe_flow(world: World, *, name: str, flow_version: str | None = None) -> Fields:
    """The flow, or a version as it was published: its description, and as its times that of the publication (our choice).

    Raises FlowNotExists, and InvalidArgument for an unknown version.
    """
    flow = find_flow(world, name)
    return flow_fields(flow if flow_version is None else find_version(world, flow, flow_version, "FlowVersion"))


def list_flows(
    world: World, *, next_token: str = "", limit: int = DEFAULT_LIMIT, resource_group_id: str | None = None
) -> Fields:
    """Flows in the order of their names; the token is the name to go on from (documented)."""
    rows = rows_from(world.stores.flows, FLOWS, next_token)
    wanted = (row for row in rows if resource_group_id in (None, row.resource_group_id))
    return page("Flows", wanted, limit, flow_fields, attrgetter("name"))


def definitions_of(world: World, row: FlowRow) -> Iterator[Flow]:
    """The definitions that executions of a flow run or may be started to run: its own, those of its versions, and those that
    running executions were started with."""
    yield row.compiled
    yield from (version.compiled for version in rows_from(world.stores.versions, row.id))
    yield from {live.row.flow.compiled for live in world.live.get(row.id, {}).values() if live.run is not None}


def _warn_of_mocks(world: World, row: FlowRow) -> None:
    """Warn of mocks that were added for tasks which this flow, now that its definition is there, does not have."""
    mocks = world.mocks.get(row.name)
    for task in mocks.added if mocks is not None else ():
        if not any(flow.has_task(task) for flow in definitions_of(world, row)):
            near = did_you_mean(task, row.compiled.task_names())
            world.warn(f"flow '{row.name}' has no task '{task}'{near}: the mock of it answers nothing")


def flow_fields(row: FlowRow) -> Fields:
    """A flow as the answers give it."""
    fields: Fields = {
        "Id": row.id,
        "Name": row.name,
        "Description": row.description,
        "Type": row.type,
        "Definition": row.definition,
        "RoleArn": row.role_arn,
        "CreatedTime": iso(row.created),
        "LastModifiedTime": iso(row.modified),
        "ExecutionMode": row.execution_mode,
    }
    if row.environment is not None:
        fields["Environment"] = row.environment
    if row.resource_group_id:
        fields["ResourceGroupId"] = row.resource_group_id
    return fields


def compiled(definition: str, name: str, execution_mode: str) -> Flow:
    """Compile a definition. Raises InvalidArgument with the first complaints and their lines."""
    try:
        return compile_text(definition, file=DEFINITION, name=name, express=execution_mode == EXPRESS)
    except DefinitionError as error:
        told, rest = error.problems[:_TOLD], error.count - _TOLD
        detail = " ".join(map(str, told)) + (f" And {rest} more." if rest > 0 else "")
        raise ServiceError("InvalidArgument", detail=detail) from None


def parse_environment(text: str | None) -> dict[str, Any] | None:
    """`{"Variables": [{"Name", "Value", "Description"?}]}` as the SDK sends it. Raises InvalidArgument."""
    if text is None:
        return None
    parsed = json.loads(text)
    variables = parsed.get("Variables", [])
    if not isinstance(variables, list) or not all(isinstance(each, dict) for each in variables):
        raise invalid("Environment", "must hold a list of Variables")
    for each in variables:
        if not isinstance(each.get("Name"), str) or not each["Name"]:
            raise invalid("Environment", "has a variable without a Name")
        if not all(isinstance(each.get(key, ""), str) for key in ("Value", "Description")):
            raise invalid("Environment", f"has a variable '{each['Name']}' whose Value is not a string")
    names = [each["Name"] for each in variables]
    if len(set(names)) != len(names):
        raise invalid("Environment", "names a variable twice")
    return {"Variables": variables}
