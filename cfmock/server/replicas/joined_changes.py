"""The changes of all replicas as one stream: as long as somebody reads it here, the streams of all are read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, cast
from urllib.parse import parse_qs, unquote

import aiohttp

from cfmock.base.json_text import Json
from cfmock.control.control import changes_since
from cfmock.observe.change_feed import ChangeFeed, Kind
from cfmock.observe.journal import WorldKey
from cfmock.server.http_edge import ADMIN
from cfmock.server.replicas.replica import Replica
from cfmock.server.state_writer import StateLost

LOOK = 1.0  # seconds between two looks for replicas that have come


class JoinedChanges:
    """What a change stream reads. Its numbers are of this replica: another one tells its readers to read everything again."""

    def __init__(self, replica: Replica, default: WorldKey) -> None:
        self.feed = ChangeFeed()
        self._replica = replica
        self._default = default
        self._following: asyncio.Task[None] | None = None

    def follow_changes(self, since: int = 0) -> list[dict[str, Json]]:
        """Return the changes of all replicas after a number, as `ChangeControl` does those of one."""
        return changes_since(self.feed, self._default, since)

    def follow_progress(self, on: bool) -> None:
        """Begin to read, or end it: what changes then is not known, so that whoever comes later reads everything again."""
        if on:
            self._following = asyncio.get_running_loop().create_task(self._follow())
        elif self._following is not None:
            self._following.cancel()
            self._following = None
            self.feed.forget()

    async def _follow(self) -> None:
        reading: dict[str, asyncio.Task[None]] = {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=LOOK)
        async with aiohttp.ClientSession(headers=self._replica.lines.own_headers, timeout=timeout) as session:
            try:
                while True:
                    with contextlib.suppress(StateLost):
                        for address in await self._replica.addresses():
                            if address not in reading or reading[address].done():
                                reading[address] = asyncio.ensure_future(self._read(session, address))
                    await asyncio.sleep(LOOK)
            finally:
                for task in reading.values():
                    task.cancel()

    async def _read(self, session: aiohttp.ClientSession, address: str) -> None:
        with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            async with session.get(f"http://{address}{ADMIN}/changes") as answer:
                async for line in answer.content:
                    self._mark(json.loads(line))
        self.feed.forget()  # it is gone, and with it what it would have told

    def _mark(self, change: dict[str, Any]) -> None:
        if change["kind"] == "reset":
            self.feed.forget()
            return
        path, _, query = change["id"].partition("?")
        where = parse_qs(query, keep_blank_values=True)
        world = (where["account"][0], where["region"][0]) if where else self._default
        self.feed.mark(cast(Kind, change["kind"]), world, *(unquote(name) for name in path.split("/") if path))
