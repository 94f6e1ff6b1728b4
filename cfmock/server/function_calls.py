"""Plain Python functions that stand in for tasks: each call runs in a daemon thread, its result is taken in the server's loop.

A function may take its time, sleep, or call the server it is called by: nobody else waits for it. The order of things stays
certain all the same: results of calls that were made at one moment of flow time are taken in the order of the calls, so that
a run with the same seed goes the same way each time. An earlier call is waited for `GRACE` seconds at most.

A `Cause` is what set functions going: a client's call, a start, a step of the clock. Calls that follow from a result belong to
the same cause, so whoever caused them can wait until they are done.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from inspect import isawaitable
from typing import Any, TypeVar, cast

from msgspec import Struct, field

from cfmock.base.clocks import Slice
from cfmock.base.json_text import Json
from cfmock.engine.task_mocks import OnResult, failure_of
from cfmock.server.turns import look_for_garbage

T = TypeVar("T")

MAX_THREADS = 100
"""Functions that run at once; more wait for their turn."""

GRACE = 1.0
"""Seconds of real time that an answer waits for the functions it set going, and a result for those of earlier calls."""

PATIENCE = 60.0
"""Seconds of real time that the clock waits for running functions before it goes on all the same."""

_UNKNOWN: Any = object()
_thread = threading.local()


def in_function() -> bool:
    """Return whether the caller is a function that stands in for a task, in its own thread."""
    return getattr(_thread, "function", False)


class Cause(Struct, eq=False):
    """The origin of function calls, and how many of them have not ended."""

    pending: int = 0


class PythonCall(Struct, eq=False):
    """One call of a function: what it is given, in whose context, and what came of it."""

    function: Callable[[Json], Any]
    event: Json
    moment: float
    on_result: OnResult
    cause: Cause
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    result: Any = _UNKNOWN
    ended: float = 0.0
    taken: bool = False

    def run(self) -> None:
        """Call the function, in a thread of its own."""
        _thread.function = True
        try:
            self.result = self.context.run(self.function, self.event)
        except BaseException as error:  # noqa: BLE001 - whatever a user's function raises fails its task, under its class name
            self.result = failure_of(error)
        self.ended = time.monotonic()


class FunctionCalls:
    """The functions that run for one server. Everything but `do` belongs to the thread of its loop. `finish` is given what a
    function returned to be awaited, and the `on_result` of its call."""

    def __init__(self, finish: Callable[[Any, OnResult], None]) -> None:
        self.cause: Cause | None = None
        """The origin of calls that begin now: set to None before functions may be set going, and looked at afterwards."""
        self.running = 0
        """Calls whose results have not been taken."""
        self._moments: dict[float, deque[PythonCall]] = {}  # those made at one moment, in the order of the calls
        self._ended: deque[PythonCall] = deque()  # filled by the threads
        self._held: deque[PythonCall] = deque()  # ended, and behind one that has not; in the order in which they ended
        self._finish = finish
        self._waiting: deque[PythonCall] = deque()
        self._threads = 0
        self._changed = threading.Condition()
        self._news = False
        self._jobs: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._watchers: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None  # of the server, once it has started
        self._later: asyncio.TimerHandle | None = None
        self._closed = False

    def attach(self) -> None:
        """Take results in the running loop."""
        self._loop = asyncio.get_running_loop()

    # -- in the loop

    def call(self, function: Callable[[Json], Any], event: Json, moment: float, on_result: OnResult) -> None:
        """Call a function with an event, at this moment of flow time; `on_result` is called in the loop with what it returned."""
        if self.cause is None:
            self.cause = Cause()
        self.cause.pending += 1
        call = PythonCall(function, event, moment, on_result, self.cause)
        self.running += 1
        self._moments.setdefault(moment, deque()).append(call)
        with self._changed:
            self._waiting.append(call)
            begin = self._threads < MAX_THREADS
            self._threads += begin
        if begin:
            threading.Thread(target=self._work, name="cfmock function", daemon=True).start()

    def observe(self, function: Callable[[], T]) -> tuple[T, Cause | None]:
        """Do something in the loop; its result, and the cause of what it has set going, if anything."""
        before, self.cause = self.cause, None
        try:
            return function(), self.cause
        finally:
            self.cause = before

    async def settle(self, cause: Cause | None, longest: float = GRACE) -> None:
        """Wait until the functions of a cause have ended; without one, until none runs. Not longer than `longest` seconds."""
        end = time.monotonic() + longest
        while self._open(cause) and (left := end - time.monotonic()) > 0:
            watcher = asyncio.get_running_loop().create_future()
            self._watchers.add(watcher)
            try:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(watcher, left)
            finally:
                self._watchers.discard(watcher)

    def block(self, cause: Cause | None, longest: float = GRACE) -> None:
        """Wait like `settle`, where nobody can await. The loop stands meanwhile, but does what functions ask of it by `do`."""
        end = time.monotonic() + longest
        while self._open(cause) and (left := end - time.monotonic()) > 0:
            with self._changed:
                self._changed.wait_for(lambda: self._news, min(left, self._held_until() - time.monotonic()))
            self._take()

    async def pace(self, steps: Generator[None, None, T]) -> T:
        """Move time on in steps, none while a function runs, others having their turn between them; what the steps return."""
        slice_ = Slice()
        while True:
            await self.settle(None, PATIENCE)
            if slice_.over():
                look_for_garbage()
                await asyncio.sleep(0)
                slice_ = Slice()
            if (result := self._step(steps)) is not _UNKNOWN:
                return result

    def pace_here(self, steps: Generator[None, None, T]) -> T:
        """Move time on like `pace`, where nobody can await. A function that moves the clock itself waits for none."""
        while True:
            if not in_function():
                self.block(None)
            if (result := self._step(steps)) is not _UNKNOWN:
                return result

    def _step(self, steps: Generator[None, None, T]) -> T:
        """Take a step; what the steps return after the last one, else `_UNKNOWN`."""
        try:
            self.observe(lambda: next(steps))
        except StopIteration as stop:
            result: T = stop.value
            return result
        return cast(T, _UNKNOWN)

    def _open(self, cause: Cause | None) -> bool:
        return self.running > 0 if cause is None else cause.pending > 0

    def forget(self) -> None:
        """Nobody waits any longer for the calls so far, and their results are dropped; threads that run end by themselves."""
        with self._changed:
            self._waiting.clear()
        for call in (call for calls in self._moments.values() for call in calls if not call.taken):
            call.taken = True
            call.cause.pending -= 1
        self._moments.clear()
        self.running = 0
        self._wake()

    def close(self) -> None:
        """Take no more results; threads that run are left to end by themselves."""
        self._closed = True
        self.running = 0
        if self._later is not None:
            self._later.cancel()
        self._wake()

    def _wake(self) -> None:
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)

    def _take(self) -> None:
        """Take the results that may be taken, and do what other threads have asked for."""
        self._news = False
        while self._jobs:
            function, future = self._jobs.popleft()
            _resolve(future, function)
        while self._ended and not self._closed:
            call = self._ended.popleft()
            self._held.append(call)
            self._deliver_first(call.moment)
        now = time.monotonic()
        while self._held and (self._held[0].taken or now - self._held[0].ended >= GRACE):
            call = self._held.popleft()
            if not call.taken and not self._closed:
                self._deliver(call)
                self._deliver_first(call.moment)
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._held and not self._closed and self._loop is not None:
            self._later = self._loop.call_later(max(0.0, self._held_until() - now), self._take)
        self._wake()

    def _held_until(self) -> float:
        """Return the time at which the first result that waits for earlier calls is free, by `time.monotonic`."""
        return self._held[0].ended + GRACE if self._held else math.inf

    def _deliver_first(self, moment: float) -> None:
        """Take the results of a moment up to the first call that has not ended."""
        calls = self._moments.get(moment)
        while calls and calls[0].result is not _UNKNOWN:
            call = calls.popleft()
            if not call.taken:
                self._deliver(call)
        if not calls and self._moments.get(moment) is calls:
            self._moments.pop(moment, None)

    def _deliver(self, call: PythonCall) -> None:
        call.taken = True
        self.running -= 1
        before, self.cause = self.cause, call.cause
        try:
            if isawaitable(call.result):
                self._finish(call.result, call.on_result)
            else:
                call.context.run(call.on_result, call.result)
        finally:
            self.cause = before
            call.cause.pending -= 1

    # -- in other threads

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting or self._closed:
                    self._threads -= 1
                    return
                call = self._waiting.popleft()
            call.run()
            self._ended.append(call)
            self._tell()

    def _tell(self) -> None:
        """Wake the loop to take new results."""
        with self._changed:
            self._news = True
            self._changed.notify_all()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody takes results any more
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._take)

    def do(self, function: Callable[[], T]) -> T:
        """Call a function in the loop's thread, even while that is in `block`, and wait for its result."""
        future: Future[T] = Future()
        self._jobs.append((function, future))
        self._tell()
        return future.result()


def _resolve(future: Future[T], function: Callable[[], T]) -> None:
    try:
        future.set_result(function())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
        future.set_exception(error)
