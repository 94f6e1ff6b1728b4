"""Map runs: the children of a distributed map as executions of their own, looked at and changed while they run.

A child is an execution of the parent's flow, of the same version and environment, that executes the map's processor; no
canned outcome of the flow is meant for it. What the pages leave open is our choice: a map run that is not there, or that has
ended and is to be changed, is an InvalidArgument naming MapRunName.
"""

from __future__ import annotations

from cfmock.base.clocks import iso
from cfmock.engine.map_runs import MapRun
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service.executions import UNSTOPPED
from cfmock.service.lookup import find_execution
from cfmock.service.rows import MapRunRow
from cfmock.service.world import World


def describe_map_run(world: World, *, flow_name: str, execution_name: str, map_run_name: str) -> Fields:
    """Raises FlowNotExists, ExecutionNotExists, and InvalidArgument for a map run that the execution has not begun."""
    found = _find(world, flow_name, execution_name, map_run_name)
    row = found if isinstance(found, MapRunRow) else MapRunRow.of(found)
    return {
        "ExecutionName": execution_name,
        "MapRunName": row.name,
        "Status": row.status,
        "StartedTime": iso(row.started),
        "StoppedTime": UNSTOPPED if row.stopped is None else iso(row.stopped),
        "Concurrency": row.concurrency,
        "ToleratedFailedCount": row.tolerated_count,
        "ToleratedFailedPercentage": row.tolerated_percentage,
        "ItemCounts": {name.capitalize(): count for name, count in row.counts._asdict().items()},
    }


def update_map_run(
    world: World,
    *,
    flow_name: str,
    execution_name: str,
    map_run_name: str,
    concurrency: int | None = None,
    tolerated_failed_count: int | None = None,
    tolerated_failed_percentage: float | None = None,
) -> Fields:
    """Change what is given, with effect at once. Raises as `describe_map_run`, and InvalidArgument for one that has ended."""
    map_run = _find(world, flow_name, execution_name, map_run_name)
    if isinstance(map_run, MapRunRow) or map_run.ended:
        raise invalid("MapRunName", f"is '{map_run_name}', which has ended")
    map_run.update(
        concurrency=concurrency,
        tolerated_count=tolerated_failed_count,
        tolerated_percentage=tolerated_failed_percentage,
    )
    return {
        "FlowName": flow_name,
        "ExecutionName": execution_name,
        "MapRunName": map_run.name,
        "Concurrency": map_run.concurrency,
        "ToleratedFailedCount": map_run.tolerated_count,
        "ToleratedFailedPercentage": map_run.tolerated_percentage,
    }


def _find(world: World, flow_name: str, execution_name: str, name: str) -> MapRun | MapRunRow:
    """The map run itself while its execution goes on, then what was kept of it."""
    row = find_execution(world, flow_name, execution_name)
    run = world.run_of(row)
    found: MapRun | MapRunRow | None
    if run is not None:
        found = run.map_runs.get(name)
    else:
        found = world.stores.map_runs.get(row.flow.id, MapRunRow.key(execution_name, name))
    if found is None:
        raise invalid("MapRunName", f"is '{name}', and execution '{execution_name}' has no map run of that name")
    return found
