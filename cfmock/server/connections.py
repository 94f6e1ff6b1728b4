"""Connections: what aiohttp does with one of them, with our answers to what it cannot read and to our own mistakes.

Heads count in the `Bodies` of their server until their request is answered, answers while their client does not read them. What
there is no room for is refused, and the connection closed."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import BadHttpMethod

from cfmock.base.errors import Refused, ServiceError
from cfmock.protocol.wire.messages import Reply
from cfmock.server.bodies import MALFORMED, MAX_COUNTED, BodiesFull
from cfmock.server.descriptors import Descriptors
from cfmock.server.http_edge import NOT_HTTP, Begun, HttpEdge
from cfmock.server.raw_response import head, written
from cfmock.server.turns import LARGE

log = logging.getLogger("cfmock")

MAX_HEAD = 8 * 1024 * 1024
"""Bytes of a request line or header: some clients put whole definitions into the query."""

SPEAKS_HTTPS = (
    "a client speaks HTTPS to this plain HTTP server: set its protocol to http, or start the server with TLS (--tls)"
)


class Protocol(web.RequestHandler):
    """aiohttp's HTTP/1 protocol of one connection, bounded in what it keeps."""

    begun: Reply | Begun | Exception | None = None
    """The result of the next call, where that was handled before aiohttp got it (`fast_way`)."""

    heavy = False
    """Whether the last answer was so large that the next request takes its turn."""

    _counted = 0  # bytes of heads
    _unsent = 0  # bytes of answers
    _body: StreamReader | None = None  # of the newest request

    @property
    def server(self) -> Any:
        """Its `HttpServer`."""
        return self._manager

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own transports read into a new buffer of 256 KiB each time, which costs more than the call it brings.
        if hasattr(transport, "max_size"):
            transport.max_size = 65536
        super().connection_made(transport)
        connection, descriptors = transport.get_extra_info("socket"), self.server.descriptors
        if connection is not None:
            descriptors.opened(connection.fileno())
        if descriptors.are_too_many(len(self.server._connections)):
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        begun, self.begun = self.begun, None
        if begun is not None and self._manager is not None:
            self.server.edge.left(begun)
        if self._counted or self._unsent:
            self.server.edge.bodies.held -= self._counted + self._unsent
            self._counted = self._unsent = 0
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        in_body = self._in_body()
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]
            if len(data) <= LARGE:
                return
        if not in_body and not self._in_body():
            self.count(len(data))

    def _in_body(self) -> bool:
        return self._body is not None and not self._body.is_eof()

    def count(self, size: int) -> None:
        """So many bytes more have come of heads."""
        if self._force_close:
            return
        try:
            self.server.edge.bodies.take(size)
            self._counted += size
        except BodiesFull:
            reply = self.server.edge.too_much()
            if self.transport is not None:
                self.transport.write(head(reply, keep_alive=False) + reply.body)
            self.force_close()

    def answered(self) -> None:
        """Release the room that the request took."""
        if self._counted:
            self.server.edge.bodies.held -= self._counted
            self._counted = 0

    def pause_writing(self) -> None:
        super().pause_writing()
        transport: Any = self.transport
        size = transport.get_write_buffer_size()
        try:
            self.server.edge.bodies.take(size)
            self._unsent += size
        except BodiesFull:  # nobody reads here who would be told
            transport.abort()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.server.edge.bodies.held -= self._unsent
        self._unsent = 0

    @property
    def sent_ahead(self) -> bool:
        """Return whether the client has sent another request before it had its answer to this one."""
        return bool(self._messages)

    def log_exception(self, *args: Any, **more: Any) -> None:
        """Not for a body that turns out to be malformed where the rest of it is read behind an answer."""
        if isinstance(more.get("exc_info"), MALFORMED):
            log.debug("malformed body: %s", more["exc_info"])
        else:
            super().log_exception(*args, **more)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        edge, self.begun = self.server.edge, None
        if status >= 500:
            log.error("a mistake of cfmock's own; the client got InternalServerError", exc_info=exc)
            failure = ServiceError("InternalServerError")
        else:
            log.debug("malformed HTTP: %s", message or exc)
            if _TLS_HELLO.search(str(exc)):
                edge.warn_once(SPEAKS_HTTPS)
            failure = _unread(exc)
        return written(edge.refusal(failure, request), request, close=True)


_FOREIGN = re.compile(r"b'([!#$%&*+.^_`|~0-9A-Za-z-]+) (/[^ ?]*)(?:\?\S*)? HTTP/1\.[01]'")
_TLS_HELLO = re.compile(r"HTTPS traffic|b'\\x16\\x03")  # as aiohttp's parser words it, or the bytes that it shows


def _unread(error: BaseException | None) -> ServiceError:
    """Return the error of a request that aiohttp's parser refuses: it knows some forty methods, and HTTP allows any."""
    line = _FOREIGN.search(str(error)) if isinstance(error, BadHttpMethod) else None
    if line is not None:
        return Refused("ActionNotSupported", f"{line[1]} {line[2]}", reason="method")
    return ServiceError("InvalidArgument", detail=NOT_HTTP)


class HttpServer(web.Server):
    """Makes a `protocol` for every connection."""

    protocol = Protocol

    def __init__(self, edge: HttpEdge) -> None:
        request = partial(web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=MAX_COUNTED)
        super().__init__(edge.answer, request_factory=request, handler_cancellation=True)
        self.edge = edge
        self.descriptors = Descriptors()

    def __call__(self) -> Protocol:
        return self.protocol(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # the journal is the log; aiohttp's own would halve the throughput
            max_line_size=MAX_HEAD,
            max_field_size=MAX_HEAD,
            keepalive_timeout=75.0,
            lingering_time=2.0,
        )
