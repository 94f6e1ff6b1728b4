"""What the vendor's SDKs make of answers that cfmock never gives, as proxies and gateways do, and of proxy variables.

`make clients` writes docs/clients/answers.json, of which a table of docs/clients.md is made. A server of our own gives the
answers.
"""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from cfmock.base.time_text import duration_text
from tests.e2e.sdks import ACCESS_KEY, KINDS, Refused, Sdk, driver
from tests.support.clients import AT_ONCE, CLIENTS, FOLDER, Client

FILE = FOLDER / "answers.json"
GOOD = b'{"RequestId": "r", "Flows": [{"Name": "here"}]}'
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
THROTTLED = b'{"RequestId": "r", "Code": "ResourceThrottled", "Message": "slow down"}'
PATIENCE = 5_000
"""Milliseconds that an SDK is told to wait for an answer."""


class Seen(NamedTuple):
    """A request: when it came (steady seconds), and its first line's target."""

    at: float
    target: str


class Answering:
    """Gives the same answer to every request; `close` after it, though the answer says that the connection stays."""

    def __init__(self, listener: socket.socket, head: str, body: bytes, close: bool) -> None:
        self.seen: list[Seen] = []
        self._answer = f"HTTP/1.1 {head}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
        self._close = close
        self._listener = listener
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                while stream.readline().strip():
                    pass
                self.seen.append(Seen(time.monotonic(), line.decode().split()[1]))
                followed = "/followed" in self.seen[-1].target
                connection.sendall(FOLLOWED if followed else self._answer)
                if self._close:
                    connection.shutdown(socket.SHUT_RDWR)
                    return


FOLLOWED = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(GOOD)}\r\n\r\n".encode() + GOOD


@contextmanager
def answering(head: str, body: bytes = b"", *, close: bool = False) -> Iterator[tuple[str, Answering]]:
    """Such a server and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", Answering(listener, head, body, close)


def _tries(kind: str, head: str, body: bytes = b"") -> str:
    """What a call gets for such an answer, and how often it is tried."""
    with answering(head, body) as (url, server), driver(KINDS[kind], url) as process:
        said = _called(Sdk(KINDS[kind], process, url))
    pauses = [after.at - before.at for before, after in itertools.pairwise(server.seen)]
    followed = any("/followed" in each.target for each in server.seen)
    if not pauses or followed:
        return said
    when = ", ".join(duration_text(pause, digits=1) if pause >= AT_ONCE else "at once" for pause in pauses)
    return f"{len(pauses)} more ({when}), then {said}"


def _called(sdk: Sdk) -> str:
    try:
        answer = sdk.call("ListFlows", using={**ACCESS_KEY, "timeout": PATIENCE})
    except Refused as error:
        return f"`{error.class_name}`"
    flows = answer.get("Flows") if isinstance(answer, dict) else None
    return "the answer" if flows and isinstance(flows, list) else "**no error**"


def _closed(kind: str) -> str:
    """What a second call gets after the server has closed the connection of the first."""
    head = "200 OK\r\ncontent-type: application/json\r\nconnection: keep-alive"
    with answering(head, GOOD, close=True) as (url, _), driver(KINDS[kind], url) as process:
        sdk = Sdk(KINDS[kind], process, url)
        first, second = _called(sdk), ""
        time.sleep(0.2)  # until it is closed
        second = _called(sdk)
    return second if first == "the answer" else first


def _by_proxy(kind: str, **variables: str) -> str:
    """Where a call goes when HTTP_PROXY is set."""
    head = "200 OK\r\ncontent-type: application/json"
    with (
        answering(head, GOOD) as (url, _),
        answering(head, GOOD) as (proxy, through),
        driver(KINDS[kind], url, HTTP_PROXY=proxy, http_proxy=proxy, **variables) as process,
    ):
        said = _called(Sdk(KINDS[kind], process, url))
    way = "through the proxy" if through.seen else "directly"
    return way if said == "the answer" else f"{way}: {said}"


JSON_HEAD = "200 OK\r\ncontent-type: application/json"
SITUATIONS: dict[str, Callable[[str], str]] = {
    "429 with `x-acs-retry-after: 300`": lambda kind: _tries(
        kind, "429 Too Many Requests\r\ncontent-type: application/json\r\nx-acs-retry-after: 300", THROTTLED
    ),
    "HTML with 502": lambda kind: _tries(kind, "502 Bad Gateway\r\ncontent-type: text/html", PAGE),
    "HTML with 200": lambda kind: _tries(kind, "200 OK\r\ncontent-type: text/html", PAGE),
    "an empty answer with 503": lambda kind: _tries(kind, "503 Service Unavailable"),
    "an empty answer with 200": lambda kind: _tries(kind, JSON_HEAD),
    "a gzipped answer": lambda kind: _tries(kind, f"{JSON_HEAD}\r\ncontent-encoding: gzip", gzip.compress(GOOD)),
    "302 to another path": lambda kind: _tries(kind, "302 Found\r\nlocation: /followed"),
    "a call on a kept connection that the server has closed": _closed,
    "`HTTP_PROXY`": _by_proxy,
    "`HTTP_PROXY` with `NO_PROXY=127.0.0.1`": lambda kind: _by_proxy(kind, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"),
}
"""What an SDK meets → what it makes of that."""


def measure(client: Client) -> dict[str, str]:
    """What a client makes of each. Raises `environments.Unavailable`."""
    return {name: found(client.kind) for name, found in SITUATIONS.items()}


def measured() -> dict[str, dict[str, str]]:
    """What was measured, by kind of client."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found


def rows() -> Iterator[tuple[str, ...]]:
    """The rows of the table: a situation, and what comes of it in each client."""
    known = measured()
    for name in SITUATIONS:
        yield name, *(known[client.kind][name] for client in CLIENTS)


def main(kinds: Sequence[str] = ()) -> None:
    known = measured()
    for client in CLIENTS:
        if client.kind in (kinds or (client.kind,)):
            known[client.kind] = measure(client)
    FILE.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
