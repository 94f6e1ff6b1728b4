"""Versions of a flow, which never change, and aliases, which lead to one or two of them by weight.

The pages document the answers and the numbering (from 1, one more each time), but no rule of refusal: those here are our
choice, and all are InvalidArgument naming the parameter. A number is never given twice, even if its version is deleted;
publishing an unchanged flow makes a new version; a version that an alias leads to cannot be deleted; two weights add up
to 100, while a lone route may carry any from 1 to 100 (the published examples have 10, 20 and 30).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from cfmock.base.clocks import iso
from cfmock.base.errors import ServiceError
from cfmock.engine.flow import Flow
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields
from cfmock.service.flows import DEFAULT_LIMIT
from cfmock.service.lookup import find_flow, find_version, given, page, rows_from, version_key
from cfmock.service.rows import AliasRow, FlowRow, Route
from cfmock.service.world import FLOWS, World

WHOLE = 100
"""The sum of the weights of two routes."""


def publish_flow_version(world: World, *, flow_name: str, description: str | None = None) -> Fields:
    """Keep the flow as it is now under the next number; with the flow's description, if none is given. Raises FlowNotExists."""
    flow = find_flow(world, flow_name)
    number, now = flow.published + 1, world.clock.now()
    described = flow.description if description is None else description
    version = replace(flow, version=number, description=described, created=now, modified=now)
    world.shared.memory.definitions.put(flow.id, version)
    world.stores.flows.put(FLOWS, flow.name, replace(flow, published=number))
    world.stores.versions.put(flow.id, version_key(number), version)
    world.changed("flow", flow.name)
    return {"FlowName": flow.name, **_version_fields(version)}


def place_versions(world: World, flow: FlowRow, versions: Iterable[tuple[int, str, str, Flow]], published: int) -> None:
    """Put versions that are compiled already into a world, in the place of those of their numbers; others stay. Each has a
    number, a description, a definition and what that compiles to; `published` is the highest number that was ever given."""
    now = world.clock.now()
    highest = max(flow.published, published)
    if highest != flow.published:
        flow = replace(flow, published=highest)
        world.stores.flows.put(FLOWS, flow.name, flow)
    for number, description, definition, compiled in versions:
        row = replace(
            flow, version=number, description=description, definition=definition, compiled=compiled,
            created=now, modified=now,
        )  # fmt: skip
        world.stores.versions.put(flow.id, version_key(number), row)


def place_alias(world: World, flow: FlowRow, name: str, description: str, routes: tuple[Route, ...]) -> None:
    """Put an alias into a world, in the place of the one of this name. Its routes lead to versions that are there."""
    world.stores.aliases.put(flow.id, name, AliasRow(name, description, routes, world.clock.now()))


def delete_flow_version(world: World, *, flow_name: str, flow_version: str) -> Fields:
    """Executions that run it go on. Raises FlowNotExists, and InvalidArgument for a version that is not there or that an alias
    leads to."""
    version = find_version(world, find_flow(world, flow_name), flow_version, "FlowVersion")
    for alias in rows_from(world.stores.aliases, version.id):
        if any(route.version == version.version for route in alias.routes):
            raise invalid("FlowVersion", f"is {flow_version}, which the alias '{alias.name}' leads to")
    world.stores.versions.delete(version.id, version_key(version.version))
    world.shared.memory.definitions.remove(version.id, version)
    world.changed("flow", flow_name)
    return {}


def list_flow_versions(
    world: World, *, flow_name: str, next_token: str = "", limit: str = str(DEFAULT_LIMIT)
) -> Fields:
    """Newest first; the token is the number to go on from. Raises FlowNotExists."""
    flow, size = find_flow(world, flow_name), int(limit)
    if next_token and not (next_token.isdecimal() and len(next_token) < 10):
        raise invalid("NextToken", "is not one that ListFlowVersions gave")
    start = version_key(int(next_token)) if next_token else ""
    rows = rows_from(world.stores.versions, flow.id, start)
    return page("FlowVersions", rows, size, _version_fields, lambda row: str(row.version))


def create_flow_alias(
    world: World, *, flow_name: str, name: str, routing_configurations: str, description: str = ""
) -> Fields:
    """Raises FlowNotExists, and InvalidArgument for a name in use and for routes that lead nowhere."""
    flow = find_flow(world, flow_name)
    if world.stores.aliases.get(flow.id, name) is not None:
        raise invalid("Name", f"is '{name}', and flow '{flow_name}' has an alias of that name")
    alias = AliasRow(name, description, _routes(world, flow, routing_configurations), world.clock.now())
    world.shared.memory.definitions.put(flow.id, alias)
    world.stores.aliases.put(flow.id, name, alias)
    world.changed("flow", flow.name)
    return {"FlowName": flow.name, **_alias_fields(alias)}


def update_flow_alias(
    world: World,
    *,
    flow_name: str,
    name: str,
    description: str | None = None,
    routing_configurations: str | None = None,
) -> Fields:
    """Change what is given and keep the rest. Raises as `create_flow_alias`, and InvalidArgument for an unknown alias."""
    flow, alias = _find_alias(world, flow_name, name)
    routes = None if routing_configurations is None else _routes(world, flow, routing_configurations)
    alias = alias._replace(**given(description=description, routes=routes))
    world.shared.memory.definitions.put(flow.id, alias)
    world.stores.aliases.put(flow.id, name, alias)
    world.changed("flow", flow.name)
    return {"Alias": _alias_fields(alias)}


def describe_flow_alias(world: World, *, flow_name: str, name: str) -> Fields:
    """Raises FlowNotExists, and InvalidArgument for an unknown alias."""
    return {"Alias": _alias_fields(_find_alias(world, flow_name, name)[1])}


def delete_flow_alias(world: World, *, flow_name: str, name: str) -> Fields:
    """Raises FlowNotExists, and InvalidArgument for an unknown alias."""
    flow, alias = _find_alias(world, flow_name, name)
    world.stores.aliases.delete(flow.id, name)
    world.shared.memory.definitions.remove(flow.id, alias)
    world.changed("flow", flow_name)
    return {}


def list_flow_aliases(world: World, *, flow_name: str, next_token: str = "", limit: int = DEFAULT_LIMIT) -> Fields:
    """In the order of their names; the token is the name to go on from. Weights are text here, and only here (SDK and page
    agree). Raises FlowNotExists."""
    flow = find_flow(world, flow_name)
    return page(
        "Aliases", rows_from(world.stores.aliases, flow.id, next_token), limit, _listed_alias, attrgetter("name")
    )


def _listed_alias(alias: AliasRow) -> Fields:
    fields = _alias_fields(alias)
    for route in fields["RoutingConfigurations"]:
        route["Weight"] = str(route["Weight"])
    return fields


def qualified(world: World, flow: FlowRow, qualifier: str | None) -> FlowRow:
    """Return the flow that a start runs: the flow itself, the version named, or one that the alias leads to, by weight.

    Raises InvalidArgument for a qualifier that names neither.
    """
    if qualifier is None:
        return flow
    if qualifier.isdecimal():
        return find_version(world, flow, qualifier, "Qualifier")
    alias = world.stores.aliases.get(flow.id, qualifier)
    if alias is None:
        raise invalid("Qualifier", f"is '{qualifier}', and flow '{flow.name}' has no alias of that name")
    route = alias.routes[0]
    if len(alias.routes) > 1:
        [route] = world.ids.random.choices(alias.routes, [each.weight for each in alias.routes])
    return find_version(world, flow, str(route.version), "Qualifier")


def _find_alias(world: World, flow_name: str, name: str) -> tuple[FlowRow, AliasRow]:
    flow = find_flow(world, flow_name)
    alias = world.stores.aliases.get(flow.id, name)
    if alias is None:
        raise invalid("Name", f"is '{name}', and flow '{flow_name}' has no alias of that name")
    return flow, alias


def _routes(world: World, flow: FlowRow, text: str) -> tuple[Route, ...]:
    """`[{"Version": "1", "Weight": 90}, {"Version": "2", "Weight": 10}]` as the SDK sends it. Raises InvalidArgument."""
    routes = tuple(_route(world, flow, each) for each in json.loads(text))
    if len({route.version for route in routes}) < len(routes):
        raise _wrong("names a version twice")
    if len(routes) > 1 and sum(route.weight for route in routes) != WHOLE:
        raise _wrong(f"has weights that do not add up to {WHOLE}")
    if len(routes) == 1 and routes[0].weight == 0:
        raise _wrong("has no weight but 0")
    return routes


def _route(world: World, flow: FlowRow, item: Any) -> Route:
    if not isinstance(item, dict) or not {"Version", "Weight"} <= item.keys():
        raise _wrong("must hold objects with a Version and a Weight")
    version, weight = item["Version"], item["Weight"]
    if not (isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 10):
        raise _wrong("has a Version that is not the number of one, as text")
    if not isinstance(weight, int) or isinstance(weight, bool) or not 0 <= weight <= WHOLE:
        raise _wrong(f"has a Weight that is not an integer from 0 to {WHOLE}")
    return Route(find_version(world, flow, version, "RoutingConfigurations").version, weight)


def _wrong(what: str) -> ServiceError:
    return invalid("RoutingConfigurations", what)


def _version_fields(version: FlowRow) -> Fields:
    return {
        "Version": str(version.version),
        "Description": version.description,
        "CreatedTime": iso(version.created),
    }


def _alias_fields(alias: AliasRow) -> Fields:
    return {
        "Name": alias.name,
        "Description": alias.description,
        "RoutingConfigurations": [{"Version": str(route.version), "Weight": route.weight} for route in alias.routes],
        "CreatedTime": iso(alias.created),
    }
