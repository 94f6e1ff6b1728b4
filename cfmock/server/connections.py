"""Connections: what aiohttp does with one of them, with our answers to what it cannot read and to our own mistakes."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from cfmock.base.errors import Refused, ServiceError
from cfmock.protocol.wire.messages import Reply
from cfmock.server.bodies import MALFORMED, MAX_COUNTED
from cfmock.server.counted import CountedProtocol
from cfmock.server.descriptors import Descriptors
from cfmock.server.http_edge import NOT_HTTP, Begun, HttpEdge
from cfmock.server.raw_response import head, written

log = logging.getLogger("cfmock")

MAX_HEAD = 8 * 1024 * 1024
"""Bytes of a request line or header: some clients put whole definitions into the query."""

SPEAKS_HTTPS = (
    "a client speaks HTTPS to this plain HTTP server: set its protocol to http, or start the server with TLS (--tls)"
)


class Protocol(CountedProtocol):
    """aiohttp's HTTP/1 protocol of one connection."""

    begun: Reply | Begun | Exception | None = None
    """The result of the next call, where that was handled before aiohttp got it (`fast_way`)."""

    heavy = False
    """Whether the last answer was so large that the next request takes its turn."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own transports read into a new buffer of 256 KiB each time, which costs more than the call it brings.
        if hasattr(transport, "max_size"):
            transport.max_size = 65536
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        begun, self.begun = self.begun, None
        if begun is not None and self._manager is not None:
            self._manager.edge.left(begun)  # type: ignore[attr-defined]
        super().connection_lost(exc)

    def refuse(self) -> None:
        reply = self.server.edge.too_much()
        if self.transport is not None:
            self.transport.write(head(reply, keep_alive=False) + reply.body)

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
        edge, self.begun = self._manager.edge, None  # type: ignore[union-attr]
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
