"""Functions outside the core: locally running ones reached over HTTP, and Python functions of the user's."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import zlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from cfmock.base.json_text import Json, json_or_text
from cfmock.engine.commands import Failure
from cfmock.engine.task_mocks import OnResult, failure_of
from cfmock.server.function_calls import FunctionCalls
from cfmock.server.state_writer import StateWriter

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 600.0
"""Seconds; a task's own time-out ends it earlier. A function of Function Compute may take ten minutes by default."""

MAX_ANSWER = 8 * 1024 * 1024
"""Bytes of an answer, unpacked: a few kilobytes on the wire can stand for gigabytes."""

_PACKINGS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""Content codings that are asked for, with what zlib calls them."""

UNREACHABLE = "FC.InternalServerError"
UNNAMED = "FC.Unknown"
"""The code of a function's failure that names none: the code of the language's pages for that."""


class Outbound:
    """Implements the engine's `Functions`. `hosts` may be called besides loopback ones; `calls` are the functions in threads."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._hosts = frozenset(hosts)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._forgotten: set[asyncio.Task[None]] = set()
        self.calls = FunctionCalls(self._spawn)
        self.state: StateWriter | None = None  # where state is kept: calls leave when what they rest on is written

    def call_http(self, url: str, event: Json, on_result: OnResult) -> None:
        """POST the event as JSON. The body of the answer is the result; an answer other than 2xx is a failure."""
        self._spawn(self._call(url, event), on_result)

    def call_python(self, function: Callable[[Json], Any], event: Json, moment: float, on_result: OnResult) -> None:
        """Call a function of the user's: an async one here, any other in a thread, where what it returns may be awaitable."""
        if self.state is not None:
            self.state.write_now()
        if inspect.iscoroutinefunction(function):
            self._spawn(function(event), on_result)
        else:
            self.calls.call(function, event, moment, on_result)

    def forget(self) -> None:
        """Nobody waits any longer for what is under way, which ends by itself."""
        self.calls.forget()
        for task in self._tasks:
            task.add_done_callback(self._forgotten.discard)
        self._forgotten |= self._tasks
        self._tasks.clear()

    @property
    def busy(self) -> bool:
        """Return whether any function is running, wherever it runs."""
        return bool(self._tasks or self.calls.running)

    def _spawn(self, work: Awaitable[Json], on_result: OnResult) -> None:
        task = asyncio.get_running_loop().create_task(_give_result(work, on_result))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, url: str, event: Json) -> Json:
        if self.state is not None and not await self.state.committed():
            raise Failure(UNREACHABLE, "the state file cannot be written")
        if not self._may_call(url):
            raise Failure(UNREACHABLE, f"{url} is neither on this machine nor among the task_hosts")
        if self._session is None:
            timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT)
            # It would unpack each piece of an answer as far as that goes, for all answers at once.
            self._session = aiohttp.ClientSession(
                timeout=timeout,
                trust_env=False,
                auto_decompress=False,
                headers={"Accept-Encoding": ", ".join(_PACKINGS)},
            )
        try:
            async with self._session.post(url, json=event, allow_redirects=False) as answer:
                body = _unpacked(await _read(answer, url), answer.headers.get("Content-Encoding", ""), url)
                text = _text(body, answer.charset)
        except asyncio.TimeoutError:
            raise Failure(UNREACHABLE, f"{url} did not answer in time") from None
        except (aiohttp.ClientError, ValueError, zlib.error) as error:
            raise Failure(UNREACHABLE, f"{url}: {error}") from None
        result = json_or_text(text) if text else None
        if 200 <= answer.status < 300:
            return result
        named = result if isinstance(result, dict) else {}
        raise Failure(str(named.get("errorType") or UNNAMED), str(named.get("errorMessage") or text or answer.status))

    def _may_call(self, url: str) -> bool:
        # Names other than localhost are not looked up: what they lead to could change between the look and the call.
        try:
            host = (urlsplit(url).hostname or "").lower()
        except ValueError:
            return False
        if host in self._hosts or host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    async def close(self) -> None:
        """Give up what is under way; nothing is waited for."""
        self.calls.close()
        left = [*self._tasks, *self._forgotten]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


async def _give_result(work: Awaitable[Json], on_result: OnResult) -> None:
    try:
        result = await work
    except asyncio.CancelledError:
        if inspect.iscoroutine(work):
            work.close()
        raise
    except Failure as failure:
        failure.forget_path()  # which holds what was read
        result = failure
    except Exception as error:  # noqa: BLE001 - whatever a user's function raises fails its task, under its class name
        result = failure_of(error)
    on_result(result)


async def _read(answer: aiohttp.ClientResponse, url: str) -> bytes:
    """The body of an answer. Raises Failure for one that is too large; the rest of that is not read."""
    parts: list[bytes] = []
    size = 0
    while part := await answer.content.readany():
        size += len(part)
        if size > MAX_ANSWER:
            answer.close()
            raise _too_large(url)
        parts.append(part)
    return b"".join(parts)


def _unpacked(body: bytes, packing: str, url: str) -> bytes:
    """The body as it was before it was packed. Raises Failure if that is too large, zlib.error if it cannot be unpacked."""
    packing = packing.strip().lower()
    if packing in ("", "identity"):
        return body
    if packing not in _PACKINGS:
        raise Failure(UNREACHABLE, f"{url} answers packed by '{packing:.40}', which was not asked for")
    unpacker = zlib.decompressobj(_PACKINGS[packing])
    text = unpacker.decompress(body, MAX_ANSWER + 1)
    if len(text) > MAX_ANSWER:
        raise _too_large(url)
    if not unpacker.eof:
        raise zlib.error("the packed answer ends too early")
    return text


def _too_large(url: str) -> Failure:
    return Failure(UNREACHABLE, f"{url} answers with more than {MAX_ANSWER} bytes, unpacked")


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
