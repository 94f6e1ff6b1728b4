"""No client keeps others waiting: large requests come one at a time, and those sent ahead of their answers one a round."""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from cfmock import CloudFlow
from cfmock.emulator.pipeline import Pipeline
from cfmock.protocol.wire.messages import Request
from cfmock.server.turns import LARGE, ROUNDS, Turns


def test_between_large_requests_the_loop_has_rounds_for_others() -> None:
    async def watched() -> list[str]:
        turns, seen = Turns(), list[str]()

        async def serve(name: str, size: int) -> None:
            await turns.wait(size)
            seen.append(name)

        async def others() -> None:
            while len(seen) < 10 * ROUNDS:
                seen.append(".")
                await asyncio.sleep(0)

        large = [serve(name, LARGE + 1) for name in "ABC"]
        await asyncio.gather(*large, serve("small", LARGE), others())
        return seen

    seen = asyncio.run(watched())
    at = [seen.index(name) for name in "ABC"]
    assert seen.index("small") < at[0]
    assert all(seen[left:right].count(".") >= ROUNDS for left, right in itertools.pairwise(at))


def test_a_client_that_sends_ahead_of_its_answers_shares_with_others(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[str] = []
    original = Pipeline.handle

    def handle(self: Pipeline, request: Request, *more: Any) -> Any:
        handled.append(request.target[-1])
        return original(self, request, *more)

    monkeypatch.setattr(Pipeline, "handle", handle)
    count = 50

    async def answered() -> None:
        async with CloudFlow() as cf:
            place = urlsplit(cf.url)
            connections = [socket.create_connection((place.hostname, place.port)) for _ in range(2)]
            for connection, name in zip(connections, "AB", strict=True):
                connection.sendall(f"GET /?Action=ListFlows&X={name} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * count)
            while len(handled) < 2 * count:
                await asyncio.sleep(0)
            for connection in connections:
                connection.close()

    asyncio.run(answered())
    assert handled.index("B") < count // 2, "".join(handled)
