"""The server of an entered CloudFlow, and how things are done in the loop that owns it."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, TypeVar

from cfmock.base.errors import SettingsError, UsageError
from cfmock.control.control import Control
from cfmock.engine.jobs import Job
from cfmock.fixtures.model import FixtureSet
from cfmock.server.composition import compose, is_shared
from cfmock.server.function_calls import in_function
from cfmock.server.lifecycle import Server
from cfmock.server.thread import ServerLoop
from cfmock.server.tls import tls_of
from cfmock.settings import Settings, unknown_variables

T = TypeVar("T")


class EnteredServer:
    """A server, its control, and the loop they belong to, None outside the `with`: what was seen can still be looked at then."""

    def __init__(self, fixtures: FixtureSet, settings: Settings) -> None:
        if is_shared(settings):
            raise SettingsError(
                "state: a database is shared by replicas of `cfmock serve`; CloudFlow keeps state in a file"
            )
        self.server = compose(fixtures, settings, tls_of(settings))
        self.control = self.server.steering.control
        self._fixtures = fixtures
        self.loop: ServerLoop | None = None

    async def start(self) -> None:
        """Listen. Raises SettingsError if that cannot be."""
        await self.server.start()
        self.server.emulator.worlds.begin()
        for line in unknown_variables(os.environ):
            self.control.warn(line)
        self.control.check_fixtures(self._fixtures)

    def check_open(self) -> Server:
        """Return the server. Raises UsageError after the end of the `with`."""
        if self.loop is None:
            raise UsageError("the `with` block has ended, and the server with it: you can only read what it has seen")
        return self.server

    def do(self, function: Callable[[Control], T]) -> T:
        """Do something to the emulator, in the loop that owns it."""
        if self.loop is None or self.loop.here:
            return function(self.control)
        return self.server.functions.do(lambda: function(self.control))

    def blocking(self, function: Callable[[], tuple[T, Job | None]]) -> T:
        """Do something in the loop's own thread; wait a moment for functions, and until all of the job has gone on."""
        functions, emulator = self.server.functions, self.server.emulator
        (result, job), cause = functions.observe(function)
        if cause is not None:
            functions.block(cause)
        while job is not None and emulator.shared.scheduler.unfinished:
            _, cause = functions.observe(emulator.time.tick)
            if cause is not None:
                functions.block(cause)
        return result

    async def here(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await something of the server's loop in the running one."""
        try:
            need_asyncio("a method ending in _async", "the plain method, in a thread")
        except UsageError:
            coroutine.close()
            raise
        if self.loop is None or self.loop.here:
            return await coroutine
        return await asyncio.wrap_future(self.loop.submit(coroutine))

    def move(self, steps: Generator[None, None, None]) -> None:
        """Let the flow clock go on, from wherever this is called."""
        functions = self.check_open().functions
        if self.loop is None or self.loop.here:
            functions.pace_here(steps)
        elif in_function():
            self.do(lambda _: deque(steps, maxlen=0))  # it would wait for itself
        else:
            self.loop.wait_for(functions.pace(steps))

    async def move_async(self, steps: Generator[None, None, None]) -> None:
        """`move` for a running loop."""
        await self.here(self.check_open().functions.pace(steps))


def need_asyncio(what: str, instead: str) -> None:
    """Raises UsageError under another event loop, such as trio's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(f"{what} needs a running asyncio loop; elsewhere, as under trio, use {instead}") from None


def environment(server: Server) -> dict[str, str]:
    """Return the variables that point clients at a server."""
    credential = server.emulator.first_credential
    variables = {
        "CFMOCK_URL": server.url,
        "CFMOCK_ENDPOINT": server.endpoint,
        "FNF_ENDPOINT": server.url,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credential.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credential.access_key_secret,
        "ALIBABA_CLOUD_REGION_ID": server.emulator.settings.region,
    }
    if credential.security_token is not None:
        variables["ALIBABA_CLOUD_SECURITY_TOKEN"] = credential.security_token
    if server.ca_file is not None:
        variables["CFMOCK_CA_FILE"] = str(Path(server.ca_file).absolute())  # clients may stand in another folder
    return variables
