"""Connections whose bytes count, with those of all others, in the `Bodies` of their server.

A head counts while it comes in and until its request is answered, an answer while its client does not read it. Bodies count
where they are read. What there is no room for is refused, and the connection closed.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import StreamReader, web

from cfmock.server.bodies import BodiesFull
from cfmock.server.turns import LARGE


class CountedProtocol(web.RequestHandler):
    """aiohttp's HTTP/1 protocol, bounded in what it keeps."""

    _counted = 0  # bytes of heads
    _unsent = 0  # bytes of answers
    _body: StreamReader | None = None  # of the newest request

    @property
    def server(self) -> Any:
        """Its `HttpServer`."""
        return self._manager

    def refuse(self) -> None:
        """Say that there is no room for a request."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        connection, descriptors = transport.get_extra_info("socket"), self.server.descriptors
        if connection is not None:
            descriptors.opened(connection.fileno())
        if descriptors.are_too_many(len(self.server._connections)):
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
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
            self.refuse()
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
