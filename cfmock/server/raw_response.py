"""Answers of the API as bytes on a connection: head and body in one write."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import web

from cfmock.base.clocks import RealClock
from cfmock.protocol.wire import encode
from cfmock.protocol.wire.messages import Reply


class RawResponse(web.StreamResponse):
    """A response for aiohttp whose bytes have been written, or broken, already; it says whether the connection stays.

    Head and body in one write are half the cost of a call against aiohttp's own responses, which make a copy of the headers and
    write them first.
    """

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: web.BaseRequest) -> None:
        """There is nothing to begin."""

    async def write_eof(self, data: bytes = b"") -> None:
        """There is nothing to end."""


KEPT, LAST = RawResponse(keep_alive=True), RawResponse(keep_alive=False)


def written(reply: Reply, request: web.BaseRequest, *, close: bool = False) -> RawResponse:
    """Write an answer, unless the client has left."""
    transport = request.transport
    if transport is None:
        return LAST
    keep = request.keep_alive and not close
    start = head(reply, keep_alive=keep)
    transport.write(start if request.method == "HEAD" else start + reply.body)
    return KEPT if keep else LAST


def head(reply: Reply, *, keep_alive: bool) -> bytes:
    """Status line and headers as the gateway sends them, without its CORS headers."""
    extra = "".join([f"{name}: {value}\r\n" for name, value in reply.headers]) if reply.headers else ""
    frame = _frame(reply.status, int(RealClock.now()), keep_alive)
    return (frame % (len(reply.body), reply.request_id, extra)).encode("latin-1", "replace")


@lru_cache(maxsize=16)
def _frame(status: int, second: int, keep_alive: bool) -> str:
    """Return what is the same in all heads of a second, with places for the length, the request id and further headers."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return (
        f"HTTP/1.1 {status} {phrase}\r\nDate: {formatdate(second, usegmt=True)}\r\n"
        f"Content-Type: {encode.CONTENT_TYPE}\r\nContent-Length: %d\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\nx-acs-request-id: %s\r\n%s\r\n"
    )
