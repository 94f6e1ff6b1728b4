"""One of several replicas of a server: the worlds it owns, the way to those that others own, and what concerns all of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from msgspec.structs import replace

from cfmock.base.errors import ServiceError, SettingsError
from cfmock.base.json_text import Json
from cfmock.control.control import Control
from cfmock.emulator.worlds import Elsewhere
from cfmock.observe.journal import WorldKey
from cfmock.protocol.wire.messages import Pending, Reply, Request, Transport
from cfmock.server.http_edge import HandedOn, HttpEdge
from cfmock.server.replicas.lines import Lines, NotSent, PeerAnswer, Unanswered, headers_from
from cfmock.server.replicas.session import LONGEST, DatabaseSession
from cfmock.server.replicas.shared_state import SharedState
from cfmock.server.state_writer import StateLost, StateWriter

log = logging.getLogger("cfmock")

LOOK = 0.5  # seconds between two looks for worlds whose owner is gone
PATIENCE = 8.0  # seconds for which a call waits until its world has an owner who answers

PART_WITHIN = 2.0
"""Seconds for which a replica may take for its part of a request, after which that is tried again."""

AGAIN = 0.05  # seconds until that is tried again
MISDIRECTED = 421  # the status by which a replica says to another that a world is not its own

TRANSPORT = "x-cfmock-transport"
"""The header that says how a fault breaks an answer: whoever has the client's connection does it."""


class Replica:
    """A replica. `token` is what all of them share."""

    _edge: HttpEdge  # both since it has joined
    _writer: StateWriter

    def __init__(self, kept: SharedState, control: Control, token: str) -> None:
        self.lines = Lines(token)
        self._kept = kept
        self._session: DatabaseSession = kept.file
        self._control = control
        self._worlds = control.emulator.worlds
        self._owners: dict[WorldKey, str] = {}
        self._taking: dict[WorldKey, asyncio.Task[str]] = {}
        self._watching: asyncio.Task[None] | None = None

    async def join(self, edge: HttpEdge, writer: StateWriter, host: str, port: int) -> None:
        """Take part: be known to the others, and own what nobody owns."""
        self._edge, self._writer = edge, writer
        loop = asyncio.get_running_loop()
        self._session.on_owner = lambda world, address: loop.call_soon_threadsafe(self._hear, world, address)
        host = self._session.local_host if host in ("0.0.0.0", "::", "") else host
        host = f"[{host}]" if ":" in host else host
        self._session.address = f"{host}:{port}"
        with contextlib.suppress(StateLost):  # it joins when the database is back
            await writer.in_turn(self._session.join)
            await self.follow()
            await self.take_free()
        self._watching = loop.create_task(self._watch())

    def leave(self) -> None:
        """Take part no longer; the worlds go with the session."""
        if self._watching is not None:
            self._watching.cancel()
        self.lines.close()

    def lost(self) -> None:
        """Own nothing: the session has ended."""
        self._kept.give_up()
        self._owners.clear()

    # -- worlds

    def _hear(self, world: WorldKey, address: str) -> None:
        self._owners[world] = address
        self.lines.dropped(world, address)  # its former owner may not answer ever

    async def _watch(self) -> None:
        """Take the worlds whose owner is gone, for as long as the server runs."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self.take_free()
            except StateLost:
                continue
            except SettingsError as error:
                log.error("%s", error)  # the others come at the next look: this one is locked now

    def owns(self, world: WorldKey) -> bool:
        """Return whether a world is here."""
        return world in (self._worlds.owned or ())

    async def take_free(self) -> None:
        """Take the worlds whose owner is gone. Raises StateLost, and SettingsError for one that cannot be read."""
        looking = asyncio.ensure_future(
            self._writer.in_turn(partial(self._session.free_worlds, tuple(self._worlds.owned or ())))
        )
        await asyncio.wait({looking}, timeout=LONGEST)
        if not looking.done():
            self._session.cut()
        free, default = await looking, self._worlds.default_key
        for world in free if default in self._owners else {*free, default}:
            await self.take(world)

    async def take(self, world: WorldKey) -> str:
        """Own a world, if it is free; returns the address of its owner, empty where that is not known. Raises StateLost, and
        SettingsError where it cannot be read."""
        if self.owns(world):
            return self._session.address
        task = self._taking.get(world)
        if task is None:
            task = self._taking[world] = asyncio.ensure_future(self._take(world))
            task.add_done_callback(lambda done: self._taking.pop(world, None) and done.exception())
        return await asyncio.shield(task)

    async def _take(self, world: WorldKey) -> str:
        found = await self._writer.in_turn(partial(self._session.take, world))
        if isinstance(found, str):
            self._owners[world] = found
            return found
        self._owners[world] = self._session.address
        self._kept.take(world, found).call_again()
        self._edge.plan()  # the clock stood meanwhile
        return self._session.address

    # -- calls

    def handle(self, request: Request, denied: ServiceError | None) -> Reply | Pending | HandedOn:
        """Take a call; of one about another's world the answer is its owner's. A replica is only told that it is not here."""
        from_peer = self.lines.is_peer(request.headers)
        if from_peer:
            request = replace(request, headers=headers_from(request.headers))
        try:
            return self._control.emulator.handle(request, denied)
        except Elsewhere as there:
            if from_peer:
                return Reply(MISDIRECTED, b"{}", "")
            return HandedOn(partial(self._answer, request, denied, there.world))

    async def _answer(self, request: Request, denied: ServiceError | None, world: WorldKey) -> Reply:
        """The answer to a call: its owner's, or ours if the world becomes our own."""

        async def ask(address: str) -> PeerAnswer:
            headers = request.headers.items()
            return await self.lines.ask(address, request.method, request.target, headers, request.body, about=world)

        try:
            answer = await self.of_owner(world, ask)
        except (StateLost, Unanswered, ServiceError):
            return self._edge.lost()
        except SettingsError as error:
            log.error("%s", error)
            return self._edge.lost()
        if answer is not None:
            return reply_of(answer)
        return await self._edge.finished(self._edge.handle(request, denied))

    async def of_owner(self, world: WorldKey, ask: Callable[[str], Awaitable[PeerAnswer]]) -> PeerAnswer | None:
        """What the owner of a world answers; None if that is this replica, which it may become. Raises StateLost, Unanswered,
        ServiceError where it has no owner who can be reached, and SettingsError where it cannot be read."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        address = ""
        while loop.time() < end:
            address = self._owners.get(world, self._session.address)
            if address == self._session.address:
                address = await self.take(world)
            if address == self._session.address:
                return None
            if address:
                with contextlib.suppress(NotSent):
                    answer = await ask(address)
                    if answer.status != MISDIRECTED:
                        return answer
            self._owners.pop(world, None)
            await asyncio.sleep(AGAIN)
        holder = await self._writer.in_turn(partial(self._session.holder, world))
        whom = f"replica {address}, its owner" if address else holder or "an owner"
        log.warning("%s waited %g seconds for %s", named(world), PATIENCE, whom)
        raise ServiceError("InternalServerError", detail=f"{named(world)} waits for {whom}")

    def unbroken(self, reply: Reply, headers: Mapping[str, str]) -> Reply:
        """The reply to a request with these headers; another replica is only told how to break it."""
        if not self.lines.is_peer(headers):
            return reply
        return replace(reply, transport=Transport.WHOLE, headers=(*reply.headers, (TRANSPORT, reply.transport.value)))

    # -- what concerns all replicas

    async def addresses(self) -> list[str]:
        """The replicas whose sessions live, this one included. Raises StateLost."""
        return [self._session.address, *await self._writer.in_turn(self._session.peers)]

    async def all_of(self, method: str, target: str, body: Json = None, *, others: bool = False) -> list[PeerAnswer]:
        """The answers of all replicas whose sessions live, or of all others, to a request to the admin API. Raises StateLost, and
        ServiceError where one that lives does not answer."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        answers: dict[str, PeerAnswer] = {}
        while True:
            missing = [each for each in (await self.addresses())[others:] if each not in answers]
            if not missing:
                return list(answers.values())
            if (left := end - loop.time()) <= 0:
                raise ServiceError("InternalServerError", detail=f"replica {missing[0]} does not answer")
            tries = await asyncio.gather(
                *(self._part(each, method, target, body, min(PART_WITHIN, left)) for each in missing)
            )
            answers.update({each: answer for each, answer in zip(missing, tries, strict=True) if answer is not None})
            if None in tries:
                await asyncio.sleep(min(AGAIN, max(0.0, end - loop.time())))

    async def _part(self, address: str, method: str, target: str, body: Json, within: float) -> PeerAnswer | None:
        asking = self.lines.admin(address, method, target, body, part=True)
        try:
            answer = await asyncio.wait_for(asking, within)
        except (NotSent, Unanswered, asyncio.TimeoutError):
            return None
        return answer if answer.status != 500 else None

    async def follow(self) -> None:
        """Add what other replicas have added to all. Raises StateLost."""
        rows = await self._writer.in_turn(self._session.read_common)
        self._kept.follow(rows, self._control)


def named(world: WorldKey) -> str:
    """A world in words."""
    account, region = world
    return f"region {region}" + (f" of account {account}" if account else "")


def reply_of(answer: PeerAnswer) -> Reply:
    """The reply of a call that another replica has answered."""
    headers = answer.headers
    transport = Transport(headers.get(TRANSPORT, Transport.WHOLE.value))
    extra = tuple((name, value) for name, value in headers.items() if name not in _MADE)
    return Reply(answer.status, answer.body, headers.get("x-acs-request-id", ""), extra, transport=transport)


_MADE = frozenset((":status", "date", "content-type", "content-length", "connection", "x-acs-request-id", TRANSPORT))
"""Headers that are made for each answer."""
