"""The admin API: routes, and their description, from the table of endpoints."""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, get_args
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from cfmock.base.clocks import SLICE, stopwatch
from cfmock.base.errors import ArgumentError, UnknownName
from cfmock.base.json_text import value_size
from cfmock.base.suggestions import did_you_mean
from cfmock.base.time_text import parse_duration
from cfmock.control.control import Control
from cfmock.control.endpoints import ENDPOINTS, STYLES, Endpoint
from cfmock.control.metrics import Figures
from cfmock.control.part import MAX_PAGE, ConflictError, ControlError, NotFoundError
from cfmock.emulator.worlds import pause
from cfmock.protocol.spec.names import ExecutionStatus
from cfmock.protocol.wire.decode import split_target
from cfmock.server.admin import openapi
from cfmock.server.admin.change_stream import MAX_READERS, MEDIA, NO_PAGE, ChangeStream
from cfmock.server.admin.guard import Guard
from cfmock.server.admin.metrics import MISSING, LoopDelay, metrics_text
from cfmock.server.bodies import MALFORMED, BodiesFull
from cfmock.server.console import pages
from cfmock.server.http_edge import ADMIN, HttpEdge, json_answer, json_line, text_answer
from cfmock.server.replicas.lines import ADDITIONS
from cfmock.server.turns import LARGE

if TYPE_CHECKING:
    from cfmock.server.replicas.joint_admin import JointAdmin

MAX_BODY = 16 * 1024 * 1024
"""Bytes of a document: fixtures, or a report."""

MAX_SMALL_BODY = 1024 * 1024
"""Bytes of any other body."""

MAX_VALUE = 128 * 1024 * 1024
"""Bytes that the value of a body may take, about."""

MAX_QUERY = 100
"""Parameters of a query."""

LONGEST_WAIT = 60.0  # seconds that `wait` is cut to

MAX_WAITING = 100
"""Requests that wait for calls at once: each call is compared with what they wait for."""

EXECUTION_STATUSES: tuple[str, ...] = get_args(ExecutionStatus)
JSON = "application/json"
_STATUS: Mapping[type[Exception], int] = {NotFoundError: 404, ConflictError: 409}

T = TypeVar("T")

_TEMPLATE = re.compile(r"\{(\w+)\}")


class Admin:
    """Answers `/_cfmock/...` for one emulator."""

    def __init__(self, control: Control, guard: Guard, joint: JointAdmin | None = None) -> None:
        self._control = control
        self._guard = guard
        self._changes = ChangeStream(control, control.emulator.shared.feed)
        self._joint = joint  # where the server is one of several replicas
        self._joined_changes = ChangeStream(joint.changes, joint.changes.feed) if joint is not None else self._changes
        self._delay = LoopDelay()
        self._waiting = 0
        self._documents = asyncio.Lock()
        self._working = asyncio.Lock()

    async def handle(self, request: web.BaseRequest, edge: HttpEdge) -> web.StreamResponse:
        """Answer a request below `/_cfmock/`: a file of the console, the description, or an endpoint."""
        path, query = split_target(request.raw_path)
        name = path[len(ADMIN) + 1 :]
        file = pages.files().get(name) if not name or name.startswith(pages.FOLDER) else None
        public = (name == "health" and request.method == "GET") or (file is not None and self._guard.open)
        joint = self._joint
        from_peer = joint is not None and joint.lines.is_peer(request.headers)
        refusal = None if from_peer else self._guard.refusal(request.headers, public=public)
        if refusal is not None:
            return json_answer({"error": refusal[1]}, refusal[0])
        if file is not None:
            return pages.answer(*file) if request.method in ("GET", "HEAD") else _refuse_method(name, ["GET"])
        if name == openapi.PATH:
            if request.method != "GET":
                return _refuse_method(name, ["GET"])
            regions, accounts = self._control.regions, self._control.emulator.accounts
            return json_answer(openapi.openapi(regions, accounts, token=self._guard.token is not None))
        if joint is not None and from_peer and name == ADDITIONS:
            return await joint.follow()
        found = [(endpoint, match) for endpoint, pattern in _routes() if (match := pattern.match(name))]
        if not found:
            return json_answer({"error": f"there is no {ADMIN}/{name}"}, 404)
        for endpoint, match in found:
            if endpoint.method == request.method:
                named = {key: unquote(value) for key, value in match.groupdict().items()}
                return await self._do(endpoint, named, query, request, edge)
        return _refuse_method(name, [endpoint.method for endpoint, _ in found])

    async def _do(
        self, endpoint: Endpoint, named: Mapping[str, str], query: str, request: web.BaseRequest, edge: HttpEdge
    ) -> web.StreamResponse:
        try:
            arguments: dict[str, Any] = {**named, **_query(endpoint, query)}
            body = next((each.name for each in endpoint.arguments if each.place == "body"), None)
            text = b"" if body is None else await _body(request, edge, MAX_BODY if endpoint.large else MAX_SMALL_BODY)
            large = len(text) > LARGE
            # What becomes of a large one takes more than itself: one is at work at a time.
            with edge.bodies.hold(len(text) if large else 0):
                async with self._documents if large else nullcontext():
                    if body is not None:
                        await edge.turns.wait(len(text))
                        arguments[body] = _value(text)
                    return await self._done(endpoint, arguments, request, edge)
        except BodiesFull:
            return json_answer({"error": "too many large bodies are being read"}, 400)
        except (ArgumentError, UnknownName) as error:
            return json_answer({"error": str(error)}, _STATUS.get(type(error), 400))

    async def _done(
        self, endpoint: Endpoint, arguments: dict[str, Any], request: web.BaseRequest, edge: HttpEdge
    ) -> web.StreamResponse:
        joint = self._joint
        is_part = joint is not None and joint.lines.is_part(request.headers)
        if endpoint.media == MEDIA:
            return await self._stream(self._changes if is_part else self._joined_changes, request, edge, **arguments)
        if is_part and endpoint.name == "list_executions":
            arguments["places"] = True
        if joint is None or is_part:
            return await self._done_here(endpoint, arguments, edge)
        wait = arguments.get("wait")
        longest = min(_duration("wait", wait), LONGEST_WAIT) if wait is not None else 0.0
        path, query = split_target(request.raw_path)
        here = partial(self._done_here, endpoint, arguments, edge)
        return await joint.done(endpoint, path[len(ADMIN) + 1 :], query, arguments, longest, request.headers, here)

    async def _done_here(self, endpoint: Endpoint, arguments: dict[str, Any], edge: HttpEdge) -> web.StreamResponse:
        """Raises Elsewhere."""
        wait = arguments.pop("wait", None)
        count = arguments.pop("count", None)
        if wait is not None:
            if self._waiting >= MAX_WAITING:
                return json_answer({"error": f"{MAX_WAITING} requests wait for calls already"}, 503)
            await self._wait(wait, 1 if count is None else count, arguments, edge.stopping)
        edge.functions.cause = None
        given = {name: value for name, value in arguments.items() if name not in ("account", "region")}
        if endpoint.world:
            given["scope"] = arguments.get("account"), arguments.get("region")
        steps = getattr(self._control, f"{endpoint.name}_in_steps", None)
        result = (steps or getattr(self._control, endpoint.name))(**given)
        if isinstance(result, Generator):
            result = await (edge.functions.pace(result) if endpoint.paced else self._worked_out(result))
        if edge.state is not None and not await edge.state.committed():
            return json_answer({"error": "the state file cannot be written"}, 500)
        if isinstance(result, Figures):
            return await self._metrics(result, edge)
        if endpoint.media != JSON:
            return web.Response(text=result, content_type=endpoint.media, charset="utf-8", headers=NO_PAGE)
        return await _in_slices({endpoint.key: result} if endpoint.key else result)

    async def _worked_out(self, steps: Generator[Callable[[], Any], Any, Any]) -> Any:
        """The answer of a method that yields what takes long: that is done in another thread, so that others have their turn."""
        try:
            work = next(steps)
            while True:
                try:
                    done = await (asyncio.sleep(0) if work is pause else self._apart(work))
                except Exception as error:  # noqa: BLE001 - whoever yielded the work is told
                    work = steps.throw(error)
                else:
                    work = steps.send(done)
        except StopIteration as stop:
            return stop.value

    async def _apart(self, work: Callable[..., T], *given: Any) -> T:
        """Do this in another thread. One at a time: the loop has to share the processor with it, and with all others."""
        async with self._working:
            done = asyncio.ensure_future(asyncio.to_thread(work, *given))
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:  # the client has left, and the thread goes on
                await asyncio.gather(done, return_exceptions=True)
                raise

    async def _metrics(self, figures: Figures, edge: HttpEdge) -> web.StreamResponse:
        try:
            # The library is read when it is needed first, which takes its time.
            text, media = await self._apart(metrics_text, figures, self._delay.ask(edge.stopping))
        except ImportError:
            return json_answer({"error": MISSING}, 501)
        return web.Response(body=text, headers={**NO_PAGE, "Content-Type": media})

    async def _stream(
        self, stream: ChangeStream, request: web.BaseRequest, edge: HttpEdge, since: int | None = None,
        wait: str | None = None,
    ) -> web.StreamResponse:  # fmt: skip
        longest = _duration("wait", wait) if wait is not None else None
        if stream.full:
            return json_answer({"error": f"{MAX_READERS} streams of changes are read already"}, 503)
        return await stream.send(request, edge.stopping, since, longest)

    async def _wait(self, text: str, count: int, filters: Mapping[str, Any], stopping: asyncio.Event) -> None:
        """Until there are `count` calls, the time is over or the server stops; in any case the calls there are come back."""
        longest = min(_duration("wait", text), LONGEST_WAIT)
        self._control.check_world((filters.get("account"), filters.get("region")))
        self._control.check_calls(filters.get("operation"))
        done = asyncio.Event()
        wanted = {name: value for name, value in filters.items() if name not in ("limit", "after")}
        undo = await self._worked_out(self._control.when_called_in_steps(count, done.set, **wanted))
        self._waiting += 1
        ends = [asyncio.ensure_future(event.wait()) for event in (done, stopping)]
        try:
            await asyncio.wait(ends, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
        finally:
            undo()
            self._waiting -= 1
            for each in ends:
                each.cancel()


async def _in_slices(value: Any) -> web.StreamResponse:
    """An answer whose text is made a slice of time after the other: its lists may be long."""
    parts: list[str] = []
    began = stopwatch()
    for part in _pieces(value, _SPLIT):
        parts.append(part)
        if stopwatch() - began > SLICE:
            await asyncio.sleep(0)
            began = stopwatch()
    return text_answer("".join(parts))


_SPLIT = 4
"""How far inside one another objects and arrays are written part by part, such as the executions of the flows of an export."""


_WHOLE = 200
"""Members and elements of what is written in one part: each part has a price of its own."""


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if _left(value, depth, _WHOLE) >= 0:
        yield json_line(value)
        return
    separator = "{" if isinstance(value, dict) else "["
    for key in value:
        if isinstance(value, dict):
            yield f"{separator}{json_line(key)}: "
            yield from _pieces(value[key], depth - 1)
        else:
            yield separator
            yield from _pieces(key, depth - 1)
        separator = ", "
    yield "}" if isinstance(value, dict) else "]"


def _left(value: Any, depth: int, count: int) -> int:
    """What is left of a count of members and elements after those of a value; less than 0 where there are more."""
    if depth and isinstance(value, (dict, list)):
        count -= len(value)
        for each in value.values() if isinstance(value, dict) else value:
            if count < 0:
                break
            if isinstance(each, (dict, list)):
                count = _left(each, depth - 1, count)
    return count


def _refuse_method(name: str, methods: Sequence[str]) -> web.StreamResponse:
    answer = json_answer({"error": f"{name} takes {', '.join(methods)}"}, 405)
    answer.headers["Allow"] = ", ".join(methods)
    return answer


@functools.lru_cache(maxsize=1)
def _routes() -> Sequence[tuple[Endpoint, re.Pattern[str]]]:
    """The endpoints with what their paths look like, for all servers."""
    return [(endpoint, re.compile(_TEMPLATE.sub(r"(?P<\1>[^/]+)", endpoint.path) + r"\Z")) for endpoint in ENDPOINTS]


def _query(endpoint: Endpoint, query: str) -> dict[str, Any]:
    known = {each.name: each for each in openapi.query_arguments(endpoint)}
    found: dict[str, Any] = {}
    if query.count("&") > MAX_QUERY:
        raise ControlError(f"a query has at most {MAX_QUERY} parameters")
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise ControlError(f"unknown query parameter '{name}'; {endpoint.path} takes {', '.join(known) or 'none'}")
        if name in found:
            raise ControlError(f"query parameter '{name}' is given twice")
        read = _READ.get(known[name].type)
        found[name] = value if read is None else read(name, value)
    return found


def _whole(low: int, high: int, wanted: str, name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,16}", value) or not low <= int(value) <= high:
        raise ControlError(f"{name}: '{value}' is not {wanted}")
    return int(value)


def _one_of(known: Sequence[str], name: str, value: str) -> str:
    if value not in known:
        raise ControlError(f"{name}: '{value}' is not one of {', '.join(known)}{did_you_mean(value, known)}")
    return value


def _duration(name: str, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ControlError(f"{name}: {error}") from None


def _flag(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise ControlError(f"{name}: '{value}' is neither true nor false")
    return value == "true"


_READ: Mapping[str, Callable[[str, str], Any]] = {
    "flag": _flag,
    "integer": partial(_whole, 0, openapi.MOST, "a whole number of 0 or more"),
    "number": partial(_whole, 0, openapi.MOST_CHANGES, "the number of a change"),
    "page": partial(_whole, 1, MAX_PAGE, f"a whole number of 1 to {MAX_PAGE}"),
    "status": partial(_one_of, EXECUTION_STATUSES),
    "style": partial(_one_of, STYLES),
}
"""Readers of an argument's text, by its type; others are text."""


async def _body(request: web.BaseRequest, edge: HttpEdge, most: int) -> bytes:
    try:
        text, size = await edge.bodies.read(request, most)
    except MALFORMED as error:
        raise ControlError(f"the body cannot be read: {error}") from None
    if size > most:
        raise ControlError(f"the body is larger than {most} bytes")
    return text


def _value(text: bytes) -> Any:
    try:
        decoded = text.decode(json.detect_encoding(text), "surrogatepass")
        if value_size(decoded) <= MAX_VALUE:
            return json.loads(decoded)
    except (ValueError, RecursionError):
        raise ControlError("the body is not JSON") from None
    raise ControlError(f"the value of the body would take more than {MAX_VALUE} bytes")
