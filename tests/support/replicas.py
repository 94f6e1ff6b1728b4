"""Several replicas in one process and loop, each on a port and in a session of its own."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from cfmock.api.client import send, signed_request
from cfmock.base.errors import ServiceError
from cfmock.fixtures.loader import load
from cfmock.server.composition import compose
from cfmock.server.lifecycle import Server
from cfmock.settings import resolve
from tests.support.postgres import Cluster

TOKEN = "shared"


class Member:
    """One replica."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def owned(self) -> set[tuple[str, str]]:
        return self.server.emulator.worlds.owned or set()

    @property
    def session(self) -> Any:
        kept = self.server.emulator.kept
        assert kept is not None
        return kept.file

    @property
    def database(self) -> str:
        return str(self.session.url.rpartition("/")[2])

    def end_session(self, postgres: Cluster) -> None:
        """End its session in the database, as the loss of its connection does."""
        with postgres.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [self.session._connection.info.backend_pid])

    async def call(
        self, operation: str, region: str | None = None, *, secret: str = "cfmock-secret", **parameters: Any
    ) -> dict[str, Any]:
        """Call it over its socket. Raises ServiceError."""
        given = {**parameters, **({"RegionId": region} if region else {})}
        request = signed_request(operation, given, access_key_id="cfmock", access_key_secret=secret)
        status, fields = await asyncio.to_thread(send, self.server.url, request, timeout=30)
        if status >= 400:
            raise ServiceError(fields["Code"], status=status, message=fields["Message"])
        return fields

    async def admin(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask its admin API; the JSON of the answer, or status and text of one that is no success."""
        return await asyncio.to_thread(self._admin, method, path, body, headers)

    def _admin(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        given = {**headers, **({"content-type": "application/json"} if data else {})}
        request = urllib.request.Request(f"{self.server.url}/_cfmock/{path}", data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text, media = answer.read().decode(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        return json.loads(text) if media.startswith("application/json;") else text


@asynccontextmanager
async def replicas(url: str, count: int, fixture: Any, **settings: Any) -> AsyncIterator[list[Member]]:
    """So many replicas of one database, the first of which owns the default world."""
    async with AsyncExitStack() as until:
        yield [await until.enter_async_context(replica(url, fixture, **settings)) for _ in range(count)]


@asynccontextmanager
async def replica(url: str, fixture: Any, **settings: Any) -> AsyncIterator[Member]:
    """One more."""
    fixtures = load([fixture])
    given = resolve({"state": url, "replica_token": TOKEN, "port": 0, **settings}, {}, fixtures.settings)
    server = await asyncio.to_thread(compose, fixtures, given, None)
    await server.start()
    try:
        yield Member(server)
    finally:
        await server.stop()
