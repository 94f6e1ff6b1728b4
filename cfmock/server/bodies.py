"""Reads request bodies within bounds: of one request, and of all that are being read or wait together.

What is larger than a request may be is counted and dropped, so that its client still sees an answer, and costs no memory.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, TransferEncodingError

MAX_COUNTED = 64 * 1024 * 1024
"""Bytes of a body that are read, kept or not, before it is cut off."""

MAX_HELD = 64 * 1024 * 1024
"""Bytes that are kept of all connections: of requests until they are answered, and of answers until their clients read them."""

MALFORMED = (web.RequestPayloadError, ContentEncodingError, TransferEncodingError)
"""The errors that aiohttp raises for a body that ends too early, or cannot be unpacked as its headers say."""


class BodiesFull(Exception):  # noqa: N818 - reads as what happened where it is raised
    """Other clients send more than there is room for; the rest of this request was not read."""


class Bodies:
    """Reads the bodies of one server. `held` counts the bytes of those that are not whole yet, and of what else is kept."""

    def __init__(self) -> None:
        self.held = 0

    def take(self, size: int) -> None:
        """Reserve room for `size` bytes, until they are given back by lowering `held`. Raises BodiesFull."""
        if self.held + size > MAX_HELD:
            raise BodiesFull
        self.held += size

    @contextlib.contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Reserve room for `size` bytes inside the block. Raises BodiesFull."""
        self.take(size)
        try:
            yield
        finally:
            self.held -= size

    async def read(self, request: web.BaseRequest, limit: int) -> tuple[bytes, int]:
        """A body of up to `limit` bytes, b"" for a larger one, and its size, counted up to `MAX_COUNTED`. Raises BodiesFull, and
        what is `MALFORMED`."""
        content = request.content
        parts: list[bytes] = []
        size = held = 0
        try:
            while size <= MAX_COUNTED and (part := await content.readany()):
                size += len(part)
                if size > limit:
                    self.held -= held
                    held = 0
                    parts.clear()
                    continue
                self.take(len(part))
                held += len(part)
                parts.append(part)
        finally:
            self.held -= held
        return b"".join(parts), size


def at_hand(request: web.BaseRequest, limit: int) -> bytes | None:
    """The body, if all of it came with the head, as small ones do, and it is no larger than `limit` bytes."""
    if not request.body_exists:
        return b""
    content = request.content
    return content.read_nowait() if content.is_eof() and content.total_bytes <= limit else None
