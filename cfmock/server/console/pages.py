"""The console's files: static, the same for everybody, and without any data. What they show they fetch from the admin API."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

FOLDER = "console/"
"""Below `/_cfmock/`: where the files are, but for the page itself, which is at `/_cfmock/`."""

_INDEX = "index.html"

_MEDIA = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@functools.lru_cache(maxsize=1)
def files() -> Mapping[str, tuple[str, bytes]]:
    """Media type and content of the files, by their paths below `/_cfmock/`; read once, when the console is first opened."""
    static = Path(__file__).with_name("static").iterdir()
    return {
        "" if path.name == _INDEX else FOLDER + path.name: (_MEDIA[path.suffix], path.read_bytes())
        for path in sorted(static)
        if path.suffix in _MEDIA
    }


def answer(media: str, content: bytes) -> web.Response:
    """A file as a response."""
    return web.Response(body=content, content_type=media, charset="utf-8", headers=HEADERS)
