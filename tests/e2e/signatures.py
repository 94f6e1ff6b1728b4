"""Records what each client sends and signs, for tests/protocol/auth/clients.json: `python -m tests.e2e.signatures`.

A plain server takes the requests down. The string to sign is made of the request by the signers of tests/support/signing.py, and
kept only if the client's own signature is that string's under its secret.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.sdks import KINDS, Sdk, driver
from tests.support import signing
from tests.support.clients import CLIENTS

FILE = Path(__file__).parents[1] / "protocol" / "auth" / "clients.json"
SECRET = "testsecret"
KEY = {"access_key_id": "testid", "access_key_secret": SECRET, "security_token": None}
TEMPORARY = {"access_key_id": "STS.testid", "access_key_secret": SECRET, "security_token": "token+of/the=sts~key"}
AWKWARD = "a+b*c~d/e=f&g h'(x)!"
SAMPLES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "get": (KEY, "DescribeExecution", {"FlowName": "你好😀", "ExecutionName": AWKWARD, "WaitTimeSeconds": 30}),
    "post": (
        KEY,
        "StartExecution",
        {"FlowName": "flow1", "ExecutionName": "e1", "Input": f'{{"text": "你好 {AWKWARD}"}}'},
    ),
    "sts": (TEMPORARY, "ListFlows", {"Limit": 10}),
}
"""Calls with what clients encode in different ways: keys, operation, parameters."""

RECORDED = {
    "tea": "tea", "acs3-sha256": "tea", "acs3-sm3": "tea", "tea-0.3": "tea-0.3", "legacy": "legacy", "pop-core": "pop-core",
    "node-client": "node-client", "node-core": "node-core", "node-core-acs3": "node-core", "go": "go", "go-acs3": "go",
    "go-legacy": "go-legacy", "java": "java", "java-acs3": "java", "java-legacy": "java-legacy",
    "java-async": "java-async", "java-async-acs3": "java-async",
}  # fmt: skip
"""Kinds of clients that are recorded → the one whose packages they are."""


UNSIGNED = ("accept-encoding", "accept-language", "connection", "content-length", "transfer-encoding")
"""Headers that are not kept: no client signs them."""


def packages(kind: str) -> list[str]:
    """The packages of a client, with their versions."""
    (found,) = (each for each in CLIENTS if each.kind == RECORDED[kind])
    return list(found.packages)


class Recorder:
    """Answers every request with an empty success, and keeps it: method, target, headers, body."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.seen: list[dict[str, Any]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        while line := stream.readline():
            method, target, _ = line.decode().split()
            headers: dict[str, str] = {}
            while line := stream.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = (
                _chunks(stream)
                if "transfer-encoding" in headers
                else stream.read(int(headers.get("content-length", 0)))
            )
            self.seen.append({"method": method, "target": target, "headers": headers, "body": body.decode()})
            answer = b'{"RequestId": "r"}'
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n" + answer
            )


def _chunks(stream: Any) -> bytes:
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


@contextmanager
def recording() -> Iterator[tuple[str, Recorder]]:
    """A recorder and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", Recorder(listener)


def record(name: str) -> list[dict[str, Any]]:
    """The samples as a client sends them, each with what it signed. Raises AssertionError for a signature that is not right."""
    rows = []
    with recording() as (url, recorder), driver(KINDS[name], url) as process:
        for sample, (keys, operation, parameters) in SAMPLES.items():
            Sdk(KINDS[name], process, url).call(operation, using=keys, **parameters)
            request = recorder.seen[-1]
            made = _signed(request)
            for header in UNSIGNED:
                request["headers"].pop(header, None)
            rows.append({"sample": sample, **request, **made})
    return rows


def _signed(request: dict[str, Any]) -> dict[str, str]:
    header = request["headers"].get("authorization")
    query = dict(urllib.parse.parse_qsl(request["target"].partition("?")[2], keep_blank_values=True))
    if header is None:
        values = query | dict(urllib.parse.parse_qsl(request["body"], keep_blank_values=True))
        given = values.pop("Signature")
        text = signing.string_to_sign(request["method"], signing.canonical_query(values))
        assert signing.signature(SECRET, text) == given
        return {"string_to_sign": text}
    algorithm, _, rest = header.partition(" ")
    assert not {*rest.partition("SignedHeaders=")[2].partition(",")[0].split(";")} & {*UNSIGNED}
    fields = dict(field.split("=", 1) for field in rest.split(","))
    names = fields["SignedHeaders"].split(";")
    hashed = algorithm.removeprefix("ACS3-HMAC-").lower()
    lines = "".join(f"{each}:{request['headers'][each]}\n" for each in names)
    body = hashlib.new(hashed, request["body"].encode()).hexdigest()
    canonical = "\n".join(
        (request["method"], "/", signing.canonical_query(query), lines, fields["SignedHeaders"], body)
    )
    text = f"{algorithm}\n{hashlib.new(hashed, canonical.encode()).hexdigest()}"
    assert signing.hmac.new(SECRET.encode(), text.encode(), hashed).hexdigest() == fields["Signature"]
    return {"canonical_request": canonical, "string_to_sign": text}


def main() -> None:
    rows = [{"client": kind, "packages": packages(kind), **row} for kind in RECORDED for row in record(kind)]
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    FILE.write_text(f'{{"secret": "{SECRET}", "recorded": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
