"""Requests of the admin API to one of several replicas: done where the world is, or by all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from cfmock.base.errors import ServiceError, SettingsError
from cfmock.control.endpoints import Endpoint
from cfmock.emulator.worlds import Elsewhere
from cfmock.observe.journal import WorldKey
from cfmock.server.http_edge import json_answer
from cfmock.server.replicas.joined_changes import JoinedChanges
from cfmock.server.replicas.joining import FOLLOWED, JOINS, joined, query_of_part
from cfmock.server.replicas.lines import ADDITIONS, NotSent, PeerAnswer, Unanswered
from cfmock.server.replicas.replica import MISDIRECTED, Replica, named
from cfmock.server.state_writer import StateLost

EVERY = 0.1  # seconds between two looks for calls that somebody waits for


class JointAdmin:
    """What a replica does with requests that are not only its own."""

    def __init__(self, replica: Replica, default: WorldKey) -> None:
        self.lines = replica.lines
        self.changes = JoinedChanges(replica, default)
        self._replica = replica
        self._default = default

    async def done(
        self, endpoint: Endpoint, name: str, query: str, given: Mapping[str, Any], wait: float,
        headers: Mapping[str, str], here: Callable[[], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:  # fmt: skip
        """The answer to a request, which `here` gives where only what is here concerns it. It waits so many seconds for calls,
        where those are asked for."""
        from_peer = self.lines.is_peer(headers)
        try:
            answer = None if from_peer else await self._elsewhere(endpoint, name, query, given, wait)
            if answer is not None:
                return answer
            if from_peer and endpoint.name in FOLLOWED and not self._replica.owns(self._default):
                return json_answer({}, MISDIRECTED)
            try:
                answer = await here()
            except Elsewhere as there:
                if from_peer:
                    return json_answer({}, MISDIRECTED)
                answer = await self._at_owner(there.world, endpoint, name, query, _body_of(endpoint, given))
                return answer or await here()
            if endpoint.name in FOLLOWED and answer.status == 200:
                await self._replica.all_of("POST", ADDITIONS, {}, others=True)
        except FAILURES as error:
            return json_answer({"error": _words(error)}, 500)
        return answer

    async def follow(self) -> web.StreamResponse:
        """Add and remove what another replica has added to all, or removed."""
        try:
            await self._replica.follow()
        except StateLost:
            return json_answer({}, 500)
        return json_answer({})

    async def _elsewhere(
        self, endpoint: Endpoint, name: str, query: str, given: Mapping[str, Any], wait: float
    ) -> web.StreamResponse | None:
        """The answer to a request that concerns more than is here; None: it is to be done here. Raises one of `FAILURES`."""
        body = _body_of(endpoint, given)
        if endpoint.name in FOLLOWED:
            return await self._at_owner(self._default, endpoint, name, query, body)
        if endpoint.name not in JOINS:
            return None
        if endpoint.name == "reset":
            await self._replica.take_free()
        end = asyncio.get_running_loop().time() + wait
        query, count = query_of_part(endpoint.name, query), given.get("count", 1)
        while True:
            answers = await self._replica.all_of(endpoint.method, _target(name, query), body)
            status, content = joined(endpoint.name, answers, given)
            left = end - asyncio.get_running_loop().time()
            if status != 200 or left <= 0 or len(content["calls"]) >= count:
                break
            await asyncio.sleep(min(EVERY, left))
        if isinstance(content, str):
            return web.Response(body=content.encode(), headers={"Content-Type": answers[0].headers["content-type"]})
        return json_answer(content, status)

    async def _at_owner(
        self, world: WorldKey, endpoint: Endpoint, name: str, query: str, body: Any
    ) -> web.StreamResponse | None:
        """The answer of the owner of a world; None if that is this replica. Raises StateLost."""

        def ask(address: str) -> Awaitable[PeerAnswer]:
            return self.lines.admin(address, endpoint.method, _target(name, query), body, about=world)

        answer = await self._replica.of_owner(world, ask)
        if answer is None:
            return None
        kept = {key: value for key, value in answer.headers.items() if key.startswith(("content-s", "content-t", "x-"))}
        return web.Response(status=answer.status, body=answer.body, headers=kept)


def _words(error: Exception) -> str:
    if isinstance(error, Elsewhere):
        return f"{named(error.world)} belongs to another replica since this request came: send it again"
    if isinstance(error, Unanswered):
        return f"replica {error} has not answered: what was asked of it may or may not have happened"
    if isinstance(error, StateLost):
        return "this replica has lost the database"
    return error.detail if isinstance(error, ServiceError) else str(error)


def _body_of(endpoint: Endpoint, given: Mapping[str, Any]) -> Any:
    return next((given[each.name] for each in endpoint.arguments if each.place == "body"), None)


def _target(name: str, query: str) -> str:
    return f"{name}?{query}" if query else name


FAILURES = (StateLost, ServiceError, SettingsError, Unanswered, NotSent, Elsewhere)
"""What may keep a request from being answered."""
