"""Bind, serve, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import importlib
import os
import socket
import sys
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from aiohttp import web

from cfmock.base.errors import SettingsError
from cfmock.emulator.emulator import Emulator
from cfmock.server import fast_way
from cfmock.server.admin.guard import Guard
from cfmock.server.call_log import Recording
from cfmock.server.connections import HttpServer
from cfmock.server.http_edge import HttpEdge
from cfmock.server.outbound import Outbound
from cfmock.server.state_writer import StateWriter
from cfmock.server.tls import Tls

if TYPE_CHECKING:
    from cfmock.control.control import Control
    from cfmock.server.admin.http import Admin
    from cfmock.server.replicas.joint_admin import JointAdmin
    from cfmock.server.replicas.replica import Replica

ADMIN = "cfmock.server.admin.http"

DRAIN = 0.5
"""Seconds that calls in flight get to be answered when the server stops; as many again to give up. Two are promised."""


class Steering:
    """What steers an emulator, loaded when first needed: it takes a quarter of a start, and most servers never are asked."""

    def __init__(self, emulator: Emulator, guard: Guard) -> None:
        self._emulator = emulator
        self.guard = guard
        self.joint: JointAdmin | None = None  # where the server is one of several replicas

    @cached_property
    def control(self) -> Control:
        from cfmock.control.control import Control

        return Control(self._emulator)

    @property
    def used(self) -> bool:
        """Return whether anything was asked or added."""
        return "control" in vars(self)

    async def answer(self, request: web.BaseRequest, edge: HttpEdge) -> web.StreamResponse:
        """Answer a request of the admin API."""
        if ADMIN not in sys.modules:
            await asyncio.to_thread(importlib.import_module, ADMIN)  # calls are answered meanwhile
        return await self._admin.handle(request, edge)

    @cached_property
    def _admin(self) -> Admin:
        from cfmock.server.admin.http import Admin

        return Admin(self.control, self.guard, self.joint)


class Server:
    """One emulator on one port. Everything happens in the loop that `start` runs in. `ca_file` holds the CA to trust, while the
    server runs with one of its own."""

    edge: HttpEdge
    """Answers its calls, from the start on."""

    def __init__(self, emulator: Emulator, steering: Steering, tls: Tls | None) -> None:
        self.emulator = emulator
        self.steering = steering
        self.host, self.port = emulator.settings.host, emulator.settings.port
        self.ca_file: str | None = None
        self.restore: Callable[[], None] | None = None  # reads the state file again
        self._tls = tls
        self._listener: asyncio.Server | None = None
        self._http: HttpServer | None = None
        self._recovery: asyncio.Task[None] | None = None
        self.replica: Replica | None = None  # where it is one of several
        self.outbound = Outbound(emulator.settings.task_hosts)
        self.functions = self.outbound.calls
        emulator.shared.functions = self.outbound

    async def start(self) -> None:
        """Bind and accept connections, and write calls down where the settings ask for it. Raises SettingsError if the address
        cannot be bound, or a file not be written."""
        with contextlib.ExitStack() as undo:
            undo.callback(Recording(self.emulator.settings, self.emulator.journal).close)
            if self._tls is not None:
                self.ca_file = undo.enter_context(self._tls.written_ca())
            self.functions.attach()
            edge = self.edge = HttpEdge(self.emulator, self.steering.answer, self.functions)
            undo.callback(edge.stop)
            kept = self.emulator.kept
            if kept is not None:
                edge.state = self.outbound.state = StateWriter(kept.file, kept.changes, kept.collect, self._recover)
                self._call_again()
            if self.replica is not None:
                edge.take, edge.unbroken = self.replica.handle, self.replica.unbroken
            self._http = fast_way.server_of(edge)
            self._listener = await self._listen(self._http)
            self._undo = undo.pop_all()
        self._http.descriptors.attach(asyncio.get_running_loop())
        self.port = self._listener.sockets[0].getsockname()[1]
        if self.replica is not None and edge.state is not None:
            await self.replica.join(edge, edge.state, self.host, self.port)

    async def _listen(self, http: HttpServer) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        context = self._tls.context if self._tls is not None else None
        bind = partial(loop.create_server, http, self.host, backlog=1024, ssl=context)
        try:
            listener = await bind(port=self.port)
            if self.port == 0 and len(listener.sockets) > 1:
                # A name of several addresses: one free port for all of them.
                port = listener.sockets[0].getsockname()[1]
                listener.close()
                listener = await bind(port=port)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            if error.errno == errno.EADDRINUSE:
                why += " (--port 0, or port=0 in Python, takes a free one)"
            raise SettingsError(f"cannot listen on {self.host} port {self.port}: {why}") from None
        except OverflowError:
            raise SettingsError(f"port {self.port} is not one of 0 to 65535") from None
        return listener

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8790`, or `https://` with TLS; an IPv6 address in brackets, a wildcard address as the loopback
        one it includes."""
        return f"{'http' if self._tls is None else 'https'}://{self.endpoint}"

    @property
    def endpoint(self) -> str:
        """`127.0.0.1:8790`, the form SDKs want."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    async def stop(self) -> None:
        """Refuse new connections, answer what is in flight (long polls at once), close."""
        if self._listener is None or self._http is None:
            return
        self._listener.close()
        self._http.descriptors.detach()
        self.edge.stop()
        if self.edge.state is not None:  # answers that wait for their batch are not seen as such by aiohttp
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.edge.state.committed(), DRAIN)
        self._http.pre_shutdown()
        await self._http.shutdown(DRAIN)
        await self.outbound.close()
        if self.replica is not None:
            self.replica.leave()
        if self._recovery is not None:
            self._recovery.cancel()
        if self.edge.state is not None:
            await self.edge.state.close()
        self._undo.close()
        self.ca_file = self._listener = None

    def _recover(self) -> None:
        """Recover from a state file that could not be written: the contents of memory must not be answered from."""
        assert self.edge.state is not None
        if self.replica is not None:
            self.replica.lost()
        self._recovery = asyncio.get_running_loop().create_task(self.edge.state.recover(self._read_again))

    def _read_again(self) -> None:
        assert self.restore is not None
        self.outbound.forget()
        self.restore()
        self._call_again()

    def _call_again(self) -> None:
        """Call the functions whose answers the last process did not live to see."""
        for world in self.emulator.worlds:
            world.call_again()


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's if the extra `fast` is there, else the standard one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def settle_memory() -> None:
    """For a process that does nothing but serve: what was loaded is there for good, and what calls leave is rarely garbage.
    With Python's own thresholds one eighth of a call's time goes into looking for it."""
    gc.freeze()
    gc.set_threshold(20_000, 5, 20)
    import ctypes  # costs 2 ms, so only where a process serves

    with contextlib.suppress(OSError, AttributeError, TypeError):  # not the C library of GNU
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, MAPPED)


_M_MMAP_THRESHOLD = -3  # malloc.h

MAPPED = 128 * 1024
"""Bytes of a value that has pages of its own, which go back to the system with it. Left alone, glibc raises this to the size of
what is freed, up to 32 MiB; large requests then leave holes between what is kept of them, three times as much as is kept."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return bool(found) and all(each[4][0] == "::1" or str(each[4][0]).startswith("127.") for each in found)
