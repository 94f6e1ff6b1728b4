"""Entering and leaving a CloudFlow: its server begins and ends with the `with`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from cfmock.api.arguments import shows_callers_line
from cfmock.api.entered import EnteredServer, need_asyncio
from cfmock.api.setups import Unused, judged_setups, unused_mode
from cfmock.base.errors import UsageError
from cfmock.control.control import Control
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.observe.models import violations_text
from cfmock.server.lifecycle import Server
from cfmock.server.thread import LoopThread, ServerLoop
from cfmock.settings import read_variables, resolve

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from cfmock.api.keywords import SettingKeywords, Source

T = TypeVar("T")


@shows_callers_line
class Lifecycle:
    """The `with` of a CloudFlow: reads the sources, starts the server, and judges at the end what has to be judged."""

    def __init__(
        self,
        *sources: Source,
        host: str = "127.0.0.1",
        port: int = 0,
        unused: Unused = "ignore",
        **settings: Unpack[SettingKeywords],
    ) -> None:
        self._sources = sources
        self._base: tuple[Source, ...] = ()  # loaded first; the sources may replace what they define
        self._unused = unused
        self._loaded: list[FixtureSet] = []  # that of the start, and those added since
        self._flags = {"host": host, "port": port, **settings}
        self._variables = read_variables(settings.get("variables"), "variables")
        self._entered: EnteredServer | None = None  # kept after the end: what was seen can still be looked at

    def __enter__(self) -> Self:
        self._check_closed()
        loop = LoopThread()
        try:
            entered = loop.wait_for(self._start())
        except BaseException:
            loop.close()
            raise
        entered.loop = loop
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered, loop = self._running, self._running.loop
        assert loop is not None
        loop.wait_for(entered.server.stop())
        try:
            self._judge(error)
        finally:
            loop.close()
            entered.loop = None

    async def __aenter__(self) -> Self:
        need_asyncio("async with CloudFlow(...)", "with CloudFlow(...)")
        self._check_closed()
        entered = await self._start()
        entered.loop = ServerLoop()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered = self._running
        await entered.server.stop()
        entered.loop = None
        self._judge(error)

    def _judge(self, error: BaseException | None) -> None:
        if error is not None:
            return
        if self._running.server.emulator.settings.strict:
            found = self._do(lambda control: control.find_violations())
            assert not found, violations_text(found)
        if self._unused != "ignore":
            wrong = self._do(partial(judged_setups, fails=self._unused == "error"))
            if wrong:
                raise AssertionError(wrong)

    async def _start(self) -> EnteredServer:
        unused_mode(self._unused)
        fixtures = load(self._sources, base=load(self._base), variables=self._variables)
        self._loaded = [fixtures]
        settings = resolve(self._flags, {}, fixtures.settings, keywords=True)
        self._entered = EnteredServer(fixtures, settings)
        await self._entered.start()
        return self._entered

    @property
    def _running(self) -> EnteredServer:
        if self._entered is None:
            raise UsageError("enter it first: with CloudFlow(...) as cf")
        return self._entered

    def _check_closed(self) -> None:
        """Raises UsageError for what is entered already."""
        if self._entered is not None and self._entered.loop is not None:
            raise UsageError("it is entered already: a second server is a second CloudFlow(...)")

    def _check_open(self) -> Server:
        """Return the server. Raises UsageError before and after the `with`."""
        return self._running.check_open()

    def _do(self, function: Callable[[Control], T]) -> T:
        """Do something to the emulator, in the loop that owns it."""
        return self._running.do(function)
