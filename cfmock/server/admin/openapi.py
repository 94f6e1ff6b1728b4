"""The OpenAPI description of the admin API: made of the table of endpoints, and of two files of schemas.

What a fixture may hold is described by the fixture's own schema. `admin.schema.json` beside this module has the answers,
and bodies that are more than an entry of a fixture; there `extends` names a schema that the rest adds to, and `nullable` says
that a key whose value is null counts as not given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from cfmock.base.json_text import Json
from cfmock.base.version import __version__
from cfmock.control.endpoints import ENDPOINTS, WORLD, Argument, Endpoint
from cfmock.control.part import MAX_PAGE, PAGE
from cfmock.fixtures import schema_messages
from cfmock.server.http_edge import ADMIN

MOST = 999_999_999  # the greatest whole number in a query

MOST_CHANGES = 10**16 - 1
"""The greatest number of a change."""

PATH = "openapi.json"  # the path that it is served at

_FAILURES = {
    "400": "bad input",
    "401": "no token",
    "403": "foreign Host or origin",
    "404": "it does not exist",
    "409": "it can be done no more, or not now",
    "501": "the extra `metrics` is not there",
    "503": "too many read it already",
}


def openapi(regions: Iterable[str], accounts: Iterable[str] = (), *, token: bool) -> dict[str, Json]:
    """The description of what is served. `accounts` are those with a key; `token`: calls have to bring one."""
    known = {"region": {"enum": sorted(regions)}, "account": {"examples": sorted(accounts)}}
    itself = {
        "operationId": "describe",
        "summary": "this description",
        "responses": {"200": _answer("this description", {"type": "object"}), **_failures("401", "403")},
    }
    paths: dict[str, dict[str, Json]] = {f"{ADMIN}/{PATH}": {"get": itself}}
    for endpoint in ENDPOINTS:
        paths.setdefault(f"{ADMIN}/{endpoint.path}", {})[endpoint.method.lower()] = _described(endpoint, known)
    described: dict[str, Json] = {
        "openapi": "3.1.0",
        "info": {
            "title": "cfmock admin API",
            "version": __version__,
            "description": "Control of a running cfmock, in addition to the API that it replaces.",
        },
        "paths": paths,
        "components": {"schemas": schemas()},
    }
    if token:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
        paths[f"{ADMIN}/health"]["get"]["security"] = []
    return described


def query_arguments(endpoint: Endpoint) -> list[Argument]:
    """Return the query parameters of an endpoint."""
    own = [each for each in endpoint.arguments if each.place == "query"]
    return [*own, *WORLD] if endpoint.world else own


def _described(endpoint: Endpoint, known: Mapping[str, Json]) -> dict[str, Json]:
    named = [each for each in endpoint.arguments if each.place == "path"]
    answers = {"200": _answer("done", _reference(endpoint.answer), endpoint.media)} | _failures("400", "401", "403")
    if endpoint.lead:
        link = {"operationId": endpoint.lead, "parameters": {"id": "$response.body#/id"}}
        answers["200"]["links"] = {endpoint.lead: link}
    may_fail = {
        "404": named or endpoint.conflicts,
        "501": endpoint.name == "read_metrics",
        "503": endpoint.name == "follow_changes",
        "409": endpoint.conflicts,
    }
    answers |= _failures(*(status for status, may in may_fail.items() if may))
    described: dict[str, Json] = {
        "operationId": endpoint.name,
        "summary": endpoint.help,
        "parameters": [
            {
                "name": each.name, "in": each.place, "required": each.place == "path",
                "description": each.help, "schema": _schema(each, known),
            }
            for each in (*named, *query_arguments(endpoint))
        ],
        "responses": answers,
    }  # fmt: skip
    body = next((each for each in endpoint.arguments if each.place == "body"), None)
    if body is not None:
        content = {"application/json": {"schema": _reference(body.type)}}
        described["requestBody"] = {"required": True, "description": body.help, "content": content}
    return described


def _schema(argument: Argument, known: Mapping[str, Json]) -> dict[str, Json]:
    if argument.name in known:
        return {"type": "string", **known[argument.name]}
    if argument.type in _TYPES:
        return _TYPES[argument.type]
    if argument.pattern:
        return {"type": "string", "pattern": argument.pattern}
    return {"type": "string", "minLength": 1} if argument.place == "path" else {"type": "string"}


def _failures(*statuses: str) -> dict[str, Json]:
    return {status: _answer(_FAILURES[status], _reference("Error")) for status in statuses}


def _answer(words: str, content: dict[str, Json], media: str = "application/json") -> dict[str, Json]:
    return {"description": words, "content": {media: {"schema": content}}}


def _reference(name: str) -> dict[str, Json]:
    return {"$ref": f"#/components/schemas/{name}"}


_TYPES: Mapping[str, dict[str, Json]] = {
    "integer": {"type": "integer", "minimum": 0, "maximum": MOST},
    "number": {"type": "integer", "minimum": 0, "maximum": MOST_CHANGES},
    "page": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE},
    "flag": {"type": "boolean", "default": False},
    "duration": _reference("duration"),
    "status": _reference("ExecutionStatus"),
    "style": _reference("PictureStyle"),
}
"""Schemas of the types of arguments; texts have none here."""

# -- schemas -----------------------------------------------------------------------------------------------------------


def schemas() -> dict[str, Json]:
    """All that the description names, by name."""
    fixture = schema_messages.schema()
    whole = {key: part for key, part in fixture.items() if key not in ("$schema", "definitions")}
    own = json.loads(Path(__file__).with_name("admin.schema.json").read_text(encoding="utf-8"))["definitions"]
    found = {**fixture["definitions"], "fixture": whole}
    for name, value in own.items():
        found[name] = _extended(value, found)
    made: dict[str, Json] = _moved(found)
    return made


def _extended(value: dict[str, Json], known: Mapping[str, Json]) -> dict[str, Json]:
    base = known.get(value.get("extends", ""), {})
    rest = {key: part for key, part in value.items() if key not in ("extends", "nullable")}
    made = {**base, **rest}
    for key, kind in (("properties", dict), ("required", list)):
        if key in base and key in rest:
            made[key] = {**base[key], **rest[key]} if kind is dict else [*base[key], *rest[key]]
    return _nullable(made) if value.get("nullable") else made


def _nullable(value: dict[str, Json]) -> dict[str, Json]:
    """A schema of a mapping whose keys may be null, except those that are required."""
    if "properties" not in value:
        return value
    required = value.get("required", ())
    parts = {
        key: part if key in required else {"anyOf": [_nullable(part), {"type": "null"}]}
        for key, part in value["properties"].items()
    }
    return {**value, "properties": parts}


def _moved(value: Json) -> Json:
    """Copy a schema with its references to where OpenAPI has schemas, and without keywords of our own reader."""
    if isinstance(value, dict):
        return {
            key: part.replace("#/definitions/", "#/components/schemas/") if key == "$ref" else _moved(part)
            for key, part in value.items()
            if key != "patternErrorMessage"
        }
    return [_moved(part) for part in value] if isinstance(value, list) else value
