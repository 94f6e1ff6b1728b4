"""Finds flows, versions and executions, or says that there are none."""

from __future__ import annotations

from cfmock.base.errors import ServiceError
from cfmock.protocol.wire.arguments import invalid
from cfmock.service.rows import ExecutionRow, FlowRow
from cfmock.service.world import FLOWS, World


def find_flow(world: World, name: str) -> FlowRow:
    """Raises FlowNotExists."""
    row = world.stores.flows.get(FLOWS, name)
    if row is None:
        raise ServiceError("FlowNotExists", name)
    return row


def find_version(world: World, flow: FlowRow, number: str, parameter: str) -> FlowRow:
    """A version of the flow. Raises InvalidArgument naming the parameter (our choice: no code is documented)."""
    version = world.stores.versions.get(flow.id, version_key(int(number)))
    if version is None:
        raise invalid(parameter, f"is {number}, and flow '{flow.name}' has no version of that number")
    return version


def version_key(number: int) -> str:
    """The key of a version: newer ones first, since tables are read in ascending order only."""
    return f"{999_999_999 - number:09d}"


def find_execution(world: World, flow_name: str, execution_name: str) -> ExecutionRow:
    """Raises FlowNotExists and ExecutionNotExists."""
    flow = find_flow(world, flow_name)
    row = world.stores.executions.get(flow.id, execution_name)
    if row is None:
        raise ServiceError("ExecutionNotExists", execution_name, flow_name)
    return row
