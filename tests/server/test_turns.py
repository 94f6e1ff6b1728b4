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
from cfmock.server import fast_way, http_edge
from cfmock.server.turns import LARGE, ROUNDS, Turns
from tests.support.raw import connect, parsed, read_answer


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


@pytest.mark.parametrize("large", ["/?Action=ListFlows&Version=2019-03-15", "/_cfmock/calls"])
def test_a_client_that_gets_large_answers_takes_turns_with_others(large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[bool] = []
    wait = Turns.wait

    async def watched(self: Turns, size: int, *, heavy: bool = False) -> None:
        waits.append(heavy)
        await wait(self, size, heavy=heavy)

    monkeypatch.setattr(Turns, "wait", watched)
    monkeypatch.setattr(http_edge, "HEAVY", 300)
    monkeypatch.setattr(fast_way, "HEAVY", 300)
    flows = {"cfmock": 1, "flows": [{"name": "f", "description": "d" * 300}]}
    with CloudFlow(flows, auth="off") as cf, connect(cf.url) as connection, connect(cf.url) as other:
        cf.call("ListFlows")
        for path in (large, large, "/_cfmock/clock", "/_cfmock/clock"):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert parsed(read_answer(connection))[0] == 200
            other.sendall(b"GET /?Action=DescribeFlow HTTP/1.1\r\nHost: h\r\n\r\n")
            assert parsed(read_answer(other))[0] == 400
    assert waits == [True, True], "the second of the large ones, and the first behind them"


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
