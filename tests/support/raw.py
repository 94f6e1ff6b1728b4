"""A client that sees bytes: for what no HTTP library would send or show."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE


def exchange(url: str, data: bytes) -> bytes:
    """Send bytes, and read until the server closes or has answered once (by its Content-Length)."""
    with connect(url) as connection:
        connection.sendall(data)
        return read_answer(connection)


def connect(url: str, timeout: float = PATIENCE) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout)


def read_answer(connection: socket.socket) -> bytes:
    """One answer, head and body; what there is if the connection is closed before its end."""
    received = b""
    while True:
        head, separator, body = received.partition(b"\r\n\r\n")
        if separator and len(body) >= length_of(head):
            return received
        more = connection.recv(65536)
        if not more:
            return received
        received += more


def length_of(head: bytes) -> int:
    """The Content-Length in a head, 0 without one."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def parsed(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, headers (lower-case names) and JSON body of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, json.loads(body)
