"""The console's files: static, the same for everybody, and without any data. What they show they fetch from the admin API."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from msgspec import Struct

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


class Asset(Struct, frozen=True):
    """A file as it is served."""

    media: str
    content: bytes

    def answer(self) -> web.Response:
        """The file as a response."""
        return web.Response(body=self.content, content_type=self.media, charset="utf-8", headers=HEADERS)


def asset(name: str) -> Asset | None:
    """The file of a path below `/_cfmock/`; None if it names none of the console's."""
    return _assets().get(name)


@functools.lru_cache(maxsize=1)
def _assets() -> Mapping[str, Asset]:
    """All files by their paths, read once, when the console is first opened."""
    found = {}
    for path in sorted(Path(__file__).with_name("static").iterdir()):
        if path.suffix in _MEDIA:
            name = "" if path.name == _INDEX else FOLDER + path.name
            found[name] = Asset(_MEDIA[path.suffix], path.read_bytes())
    return found
