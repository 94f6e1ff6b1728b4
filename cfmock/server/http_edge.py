"""The edge: sockets to request values and replies to bytes. It decides nothing; what a reply asks for, it does.

Built on aiohttp's low-level server rather than an application with routes: targets may be absolute or lack a path, hosts may
hold a scheme, and every answer, the parser's complaints included, has to be a JSON object.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from aiohttp import HttpVersion10, web

from cfmock.base.clocks import VirtualClock
from cfmock.base.errors import ServiceError
from cfmock.emulator.emulator import Emulator
from cfmock.engine.jobs import Job
from cfmock.protocol.wire.decode import split_target
from cfmock.protocol.wire.messages import Pending, Reply, Request, Transport
from cfmock.server.bodies import MALFORMED, MAX_COUNTED, Bodies, BodiesFull, at_hand
from cfmock.server.compiling import CompilingAhead
from cfmock.server.function_calls import Cause, FunctionCalls
from cfmock.server.raw_response import LAST, head, written
from cfmock.server.state_writer import StateWriter
from cfmock.server.turns import HEAVY, LARGE, Turns, look_for_garbage
from cfmock.server.web_pages import PageDoor

T = TypeVar("T")

log = logging.getLogger("cfmock")

ADMIN = "/_cfmock"
EARLY = 0.02  # seconds by which a long poll is answered before its time, so that it is never late
DRIP = 5.0  # seconds over which a `slow` answer is sent

NOT_HTTP = "The request is not well-formed HTTP."
AdminHandler = Callable[[web.BaseRequest, "HttpEdge"], Awaitable[web.StreamResponse]]
"""Answers a request to the admin API; it has to end soon when `stopping` of the edge is set."""


class HandedOn(NamedTuple):
    """A call about a world that another replica has, and how to get its `answer`."""

    answer: Callable[[], Awaitable[Reply]]


class Begun(NamedTuple):
    """A call whose reply, or its promise, is still to wait: for the functions that it has set going (`cause`), and for what it
    has started on a virtual clock (`job`); None: there are none."""

    reply: Reply | Pending | HandedOn
    cause: Cause | None
    job: Job | None

    @property
    def only_kept(self) -> Reply | None:
        """The reply, where nothing has to be waited for but that the state file holds what it rests on."""
        reply = self.reply
        if self.cause is not None or self.job is not None or not isinstance(reply, Reply) or reply.delay:
            return None
        return reply if reply.transport is Transport.WHOLE else None


class HttpEdge:
    """Answers the requests of one emulator. `admin` handles what lies below `/_cfmock`; an answer waits a moment for the
    `functions` that its call has set going, and on a virtual clock until all else has ended or waits."""

    def __init__(self, emulator: Emulator, admin: AdminHandler, functions: FunctionCalls) -> None:
        self.emulator = emulator
        self.functions = functions
        self._admin = admin
        self.take: Callable[[Request, ServiceError | None], Reply | Pending | HandedOn] = emulator.handle
        """Takes a call; that of a replica hands on those about worlds that others have."""
        self.unbroken: Callable[[Reply, Mapping[str, str]], Reply] = lambda reply, headers: reply
        """Gives a reply to a request with these headers as it is sent: whoever has the client's connection breaks it."""
        self.state: StateWriter | None = None  # where state is kept: answers wait until what they rest on is written
        self.bodies = Bodies()
        self.turns = Turns()
        self.compiling = CompilingAhead()
        emulator.shared.compile_later = self.compiling.later
        self._door = PageDoor.of(emulator.settings.host, emulator.settings.allow_origin)
        self._limit = emulator.spec.limits["request_size"]
        self._pending: set[Pending] = set()
        self._resting: set[asyncio.Future[None]] = set()
        self.stopping = asyncio.Event()  # set when the server stops
        self._timer: asyncio.TimerHandle | None = None
        emulator.timers.on_earlier = self.plan
        self.plan()

    def warn_once(self, text: str) -> None:
        """Warn of what is about no call, unless that was done since the last reset."""
        if all(each.text != text for each in self.emulator.journal.warnings()):
            self.emulator.worlds.warn(text)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        try:
            return await self._answer(request)
        except MALFORMED as error:
            log.debug("malformed body: %s", error)
            return self._cut_off(self.refusal(ServiceError("InvalidArgument", detail=NOT_HTTP), request), request)
        except BodiesFull:
            return self._cut_off(self.too_much(), request)
        finally:
            request.protocol.answered()  # type: ignore[attr-defined]  # our Protocol

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Read the rest of a request, and answer it; those that `fast_way` could answer have not come here."""
        protocol: Any = request.protocol  # our Protocol
        if protocol.begun is not None:
            begun, protocol.begun = protocol.begun, None
            return await self._sent(begun, request)
        if protocol.heavy:
            await self.turns.wait(0, heavy=True)
            protocol.heavy = False
        target, headers = request.raw_path, request.headers
        if "Expect" in headers and headers["Expect"].lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if ADMIN in target and _is_admin(target):
            if request.version < HttpVersion10:  # aiohttp would answer in it, which nobody understands any more
                return self._cut_off(self.refusal(ServiceError("InvalidArgument", detail=NOT_HTTP), request), request)
            answer = await self._admin(request, self)
            protocol.heavy = isinstance(answer, web.Response) and len(answer.body or b"") > HEAVY  # type: ignore[arg-type]
            return answer
        dropped = 0
        body = at_hand(request, self._limit)
        if body is None:
            body, size = await self.bodies.read(request, self._limit)
            dropped = size - len(body)
        if len(body) + len(target) <= LARGE:
            return await self._call(request, target, body, dropped)
        with self.bodies.hold(len(body)):
            await self.turns.wait(len(body) + len(target))
            return await self._call(request, target, body, dropped)

    async def _call(self, request: web.BaseRequest, target: str, body: bytes, dropped: int) -> web.StreamResponse:
        """One call of the API. `dropped` are the bytes of its body that were not kept."""
        headers = request.headers
        denied = self._door.refusal(headers) if "Origin" in headers or "Sec-Fetch-Site" in headers else None
        with self.compiling.open() if len(body) + len(target) > LARGE else contextlib.nullcontext():
            begun = self.handle(Request(request.method, target, headers, body, dropped), denied)
        return await self._sent(begun, request, close=dropped > MAX_COUNTED)

    def handle(self, request: Request, denied: ServiceError | None = None) -> Reply | Begun:
        """Handle a call: returns its reply, or `Begun` if something has to be waited for."""
        if self.state is not None and self.state.lost:
            return self.lost()
        functions = self.functions
        functions.cause = None
        reply = self.take(request, denied)
        job = self.emulator.pipeline.job
        if (
            functions.cause is not None
            or (job is not None and job.ready)
            or not isinstance(reply, Reply)
            or reply.delay
        ):
            return Begun(reply, functions.cause, job)
        if self.state is not None and self.state.behind:
            return Begun(reply, None, None)
        return reply

    async def _sent(
        self, begun: Reply | Begun | Exception, request: web.BaseRequest, *, close: bool = False
    ) -> web.StreamResponse:
        """Send what a call is answered, once it is there. Raises what was raised in handling it."""
        if isinstance(begun, Exception):
            raise begun
        reply = await self.finished(begun) if isinstance(begun, Begun) else begun
        if reply.transport is not Transport.WHOLE:
            reply = self.unbroken(reply, request.headers)
        if reply.transport is not Transport.WHOLE:
            try:
                return await self._broken(reply, request)
            except asyncio.CancelledError:
                self.emulator.monitor.left(reply)
                raise
        sent = written(reply, request, close=close)
        protocol: Any = request.protocol
        protocol.heavy = len(reply.body) > HEAVY
        if protocol.writing_paused:  # the client has not read the answers before: no more is done for it meanwhile
            with contextlib.suppress(ConnectionError):
                await request.writer.drain()
        elif protocol.sent_ahead:  # others have their turn before its next request
            await asyncio.sleep(0)
        return sent

    def left(self, begun: Reply | Begun | Exception) -> None:
        """The client of a call has left before anybody began to send what came of it."""
        reply = begun.reply if isinstance(begun, Begun) else begun
        if isinstance(reply, Pending):
            reply.abandon()
        elif isinstance(reply, Reply):
            self.emulator.monitor.left(reply)

    async def finished(self, begun: Reply | Begun) -> Reply:
        """Wait for all that a `Begun` call has to wait for: the reply, its functions, its job, the state file, the delay."""
        if isinstance(begun, Reply):
            return begun
        reply, cause, job = begun
        if isinstance(reply, HandedOn):
            return await reply.answer()
        if isinstance(reply, Pending):
            reply = await self._settled(reply)
        elif cause is not None:
            await self.functions.settle(cause)
        if job is not None:
            await self.rested(job)
        if self.state is not None and not await self.state.committed():
            return self.lost()
        if reply.delay:
            try:
                await self._sleep(reply.delay)
            except asyncio.CancelledError:
                self.emulator.monitor.left(reply)
                raise
        return reply

    def kept_now(self, reply: T) -> T | Reply:
        """The reply, when all that came before it is kept, for a caller that cannot await."""
        if self.state is None:
            return reply
        self.state.write_now()
        return self.lost() if self.state.lost else reply

    def lost(self) -> Reply:
        """Make the answer for calls while the state file cannot be written."""
        return self.emulator.pipeline.refusal(ServiceError("InternalServerError"), "")

    async def rested(self, job: Job) -> None:
        """Wait until nothing of a job is ready to go on, or the server stops."""
        while job.ready and not self.stopping.is_set():
            rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            job.on_rest = partial(_done, rest)
            self._resting.add(rest)
            try:
                await rest
            finally:
                self._resting.discard(rest)

    def too_much(self) -> Reply:
        """The answer to a request that there is no room for."""
        return self.emulator.pipeline.refusal(
            ServiceError("ResourceThrottled", detail="Too many large requests are being read."), ""
        )

    def refusal(self, failure: ServiceError, request: web.BaseRequest) -> Reply:
        """The answer to what never became a call."""
        return self.emulator.pipeline.refusal(failure, request.headers.get("Host", ""))

    @staticmethod
    def _cut_off(reply: Reply, request: web.BaseRequest) -> web.StreamResponse:
        """Answer what cannot be read to its end, and read no more of it."""
        sent = written(reply, request, close=True)
        request.protocol.force_close()
        return sent

    async def _settled(self, pending: Pending) -> Reply:
        """Wait for a promised reply, at most as long as its client asked for."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        pending.then(lambda reply: None if future.done() else future.set_result(reply))
        timer = None
        if pending.timeout is not None:
            timer = loop.call_later(max(0.0, pending.timeout - EARLY), pending.expire)
        self._pending.add(pending)
        if self.stopping.is_set():
            pending.expire()
        try:
            return await future
        except asyncio.CancelledError:
            pending.abandon()
            raise
        finally:
            self._pending.discard(pending)
            if timer is not None:
                timer.cancel()

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not past the end of the server."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def _broken(self, reply: Reply, request: web.BaseRequest) -> web.StreamResponse:
        """Spoil the answer on the socket as the fault names it."""
        transport = request.transport
        if transport is None:
            raise ConnectionResetError
        start = head(reply, keep_alive=False)
        whole = start + reply.body
        match reply.transport:
            case Transport.HANG:
                await self.stopping.wait()
            case Transport.RESET:
                connection = transport.get_extra_info("socket")
                if connection is not None:
                    # Lingering for no time makes the kernel send RST instead of FIN.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            case Transport.TRUNCATE:
                transport.write(whole[: len(whole) - max(1, len(reply.body) // 2)])
            case Transport.GARBAGE:
                transport.write(start + bytes(0x80 | byte for byte in reply.body))
            case Transport.SLOW:
                steps = 25
                size = -(-len(whole) // steps)
                for sent in range(0, len(whole), size):
                    await self._sleep(DRIP / steps)
                    transport.write(whole[sent : sent + size])
        transport.close()
        return LAST

    # -- time ----------------------------------------------------------------------------------------------------------

    def plan(self) -> None:
        """Set the timer for the next thing that is due; on a virtual clock only for what is due already: the rest of a slice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.emulator.timers.next_due()
        if due is not None:
            wait = max(0.0, due - self.emulator.clock.steady())
            if wait and isinstance(self.emulator.clock, VirtualClock):
                return
            self._timer = asyncio.get_running_loop().call_later(min(wait, 3600.0), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.functions.cause = None
        try:
            self.emulator.time.tick()
        except Exception:  # a mistake of ours in one execution must not stop all clocks
            log.exception("a mistake of cfmock's own while running what was due")
        if self.emulator.shared.scheduler.unfinished:
            look_for_garbage()
        self.plan()

    def stop(self) -> None:
        """Answer what waits, end what drips or hangs or moves the clock."""
        self.compiling.close()
        self.stopping.set()
        self.emulator.time.halted = True
        for pending in list(self._pending):
            pending.expire()
        for rest in self._resting:
            _done(rest)
        if self._timer is not None:
            self._timer.cancel()
        self.emulator.timers.on_earlier = None


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _is_admin(target: str) -> bool:
    path = split_target(target)[0]
    return path == ADMIN or path.startswith(ADMIN + "/")


def json_answer(value: object, status: int = 200) -> web.StreamResponse:
    """An answer of the admin API."""
    return text_answer(json_line(value), status)


json_line = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""A value as the JSON text of an answer of the admin API."""


def text_answer(text: str, status: int = 200) -> web.StreamResponse:
    """The same of a text that is JSON already."""
    body = text.encode("utf-8", "replace")
    return web.Response(status=status, body=body, content_type="application/json", charset="utf-8")
