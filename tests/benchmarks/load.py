"""The load: signed requests made beforehand, sent over keep-alive connections as fast as they are answered."""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import socket
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, urlencode

ACCESS_KEY_ID = "bench-ak"
SECRET = "bench-secret"
QUERY_NAMES = {
    "Action", "Format", "Version", "Timestamp", "SignatureNonce", "SignatureMethod", "SignatureVersion", "AccessKeyId",
}  # fmt: skip

_names = itertools.count()


def signed(method: str, action: str, parameters: Mapping[str, str]) -> bytes:
    """A request as the vendor's Python SDK sends it: common parameters in the query, a POST's own ones in a form."""
    values = {
        "Action": action,
        "Format": "json",
        "Version": "2019-03-15",
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "SignatureNonce": uuid.uuid4().hex,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "AccessKeyId": ACCESS_KEY_ID,
        **parameters,
    }
    canonical = "&".join(f"{name}={quote(values[name], safe='-_.~')}" for name in sorted(values))
    to_sign = f"{method}&%2F&{quote(canonical, safe='-_.~')}"
    signature = base64.b64encode(hmac.digest(f"{SECRET}&".encode(), to_sign.encode(), "sha1")).decode()
    in_query = {name: value for name, value in values.items() if method == "GET" or name in QUERY_NAMES}
    body = urlencode({name: value for name, value in sorted(values.items()) if name not in in_query}).encode()
    form = f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n" if body else ""
    head = (
        f"{method} /?{urlencode({**in_query, 'Signature': signature})} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
        f"user-agent: AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2\r\naccept-encoding: identity\r\n"
        f"x-acs-action: {action}\r\nx-acs-version: 2019-03-15\r\n{form}\r\n"
    )
    return head.encode() + body


def starts(count: int, flow: str = "canned") -> list[bytes]:
    """StartExecution, each of a new execution: its outcome is `canned`, or it runs the flow's definition (`defined`)."""
    return [start_of(f"e{next(_names)}", flow) for _ in range(count)]


def start_of(execution: str, flow: str = "canned") -> bytes:
    given = '{"order": 12, "customer": "Ann Lee"}'
    return signed("POST", "StartExecution", {"ExecutionName": execution, "FlowName": flow, "Input": given})


def describes(count: int, execution: str) -> list[bytes]:
    parameters = {"ExecutionName": execution, "FlowName": "canned"}
    return [signed("GET", "DescribeExecution", parameters) for _ in range(count)]


def lists(count: int) -> list[bytes]:
    return [signed("GET", "ListExecutions", {"FlowName": "canned", "Limit": "10"}) for _ in range(count)]


@dataclass
class Result:
    """What came of a load: seconds for all of it, seconds of each call, and the answers other than 200. `over`: all are sent."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    over: bool = False

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


class _Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered. Answers have a Content-Length, or come in chunks."""

    def __init__(self, requests: Iterator[bytes], result: Result, done: asyncio.Future[None]) -> None:
        self.requests = requests
        self.result = result
        self.done = done
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send_next()

    def send_next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.result.over = True
            self.transport.close()
        else:
            self.sent = time.perf_counter()
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self.buffer[:head_end].lower()
        if b"content-length:" in head:
            length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
            if len(self.buffer) < head_end + 4 + length:
                return
        elif not self.buffer.endswith(b"0\r\n\r\n"):  # in chunks
            return
        self.result.latencies.append(time.perf_counter() - self.sent)
        if self.buffer[8:12] != b" 200":
            self.result.refused.append(self.buffer)
        closes = head.startswith(b"http/1.0") or b"connection: close" in head
        self.buffer = b""
        if closes:
            self.transport.close()
        else:
            self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if error is None else self.done.set_exception(error)


def send(port: int, requests: Iterable[bytes], connections: int = 32) -> Result:
    """Send all requests; raises RuntimeError if one of them was refused or got no answer."""
    wanted = list(requests)
    result = asyncio.run(_send(port, wanted, connections))
    if result.refused:
        raise RuntimeError(
            f"{len(result.refused)} of {len(wanted)} refused: {result.refused[0].decode(errors='replace')}"
        )
    if len(result.latencies) != len(wanted):
        raise RuntimeError(f"{len(wanted) - len(result.latencies)} of {len(wanted)} calls had no answer")
    return result


async def _send(port: int, requests: list[bytes], connections: int) -> Result:
    loop, result, queue = asyncio.get_running_loop(), Result(), iter(requests)

    async def keep_sending() -> None:
        while not result.over:  # a server may close connections behind an answer
            done: asyncio.Future[None] = loop.create_future()
            await loop.create_connection(partial(_Connection, queue, result, done), "127.0.0.1", port)
            await done

    began = time.perf_counter()
    await asyncio.gather(*(keep_sending() for _ in range(connections)))
    result.seconds = time.perf_counter() - began
    return result


def exchange(connection: socket.socket, request: bytes) -> None:
    """Send one request and read its answer; raises RuntimeError if it was refused."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(body.decode(errors="replace"))
