"""Other stand-ins beside the yardstick: processor time of a canned POST, start, and memory. Usage: bench.py peers

Those that install by name are put into .venvs/peers the first time; the others are left out, and said. Each answers a POST of a
start as its users would have it: WireMock, mountebank and pytest-httpserver one answer that they were told of, moto
StartExecution of Step Functions, of which it keeps the execution. None of them checks a signature, as yardstick and cfmock do.
They get the same load, over connections that stay open where they let them.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bench
import load

PLACE = bench.HERE.parent.parent / ".venvs" / "peers"
PYTHON = PLACE / "bin" / "python"
MODULES = PLACE / "node_modules"

WARM, CALLS, ROUNDS = 3000, 500, 5
CONNECTIONS = 8

ANSWER = {"Name": "e1", "FlowName": "bench", "Status": "Running", "RequestId": "00000000-0000-5000-A000-000000000000"}
STARTS_IN = 60.0
"""Seconds in which a peer has to answer."""

_numbers = itertools.count()

HTTPSERVER = f"""
import sys, threading
from pytest_httpserver import HTTPServer
server = HTTPServer(port=int(sys.argv[1]))
server.expect_request("/", method="POST").respond_with_json({ANSWER})
server.start()
threading.Event().wait()
"""
ROLE = "arn:aws:iam::123456789012:role/any"
MACHINE = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:bench"


@dataclass(frozen=True)
class Kind:
    """A peer: its program, which takes a port, what it is told before the load, and the requests of that."""

    name: str
    program: Callable[[], list[str]]
    tell: Callable[[int], None] = lambda port: None
    requests: Callable[[int], list[bytes]] = lambda count: load.starts(count)


def _wiremock() -> list[str]:
    return [
        "java",
        "-jar",
        str(next(MODULES.glob("wiremock/build/*.jar"))),
        "--disable-banner",
        "--no-request-journal",
        "--port",
    ]


def _tell_wiremock(port: int) -> None:
    mapping = {
        "request": {"method": "POST", "urlPath": "/"},
        "response": {"status": 200, "jsonBody": ANSWER, "headers": {"Content-Type": "application/json"}},
    }
    _post(port, "/__admin/mappings", mapping)


def _mountebank() -> list[str]:
    # One process, and the port of its first impostor.
    told = {
        "port": 0, "protocol": "http",
        "stubs": [{
            "predicates": [{"equals": {"method": "POST", "path": "/"}}],
            "responses": [{"is": {"headers": {"Content-Type": "application/json", "Connection": "keep-alive"}, "body": ANSWER}}],
        }],
    }  # fmt: skip
    program = (
        "const mb = require('mountebank'); const port = +process.argv[1];"
        "mb.create({port: port + 1, nologfile: true, loglevel: 'error', host: '127.0.0.1', localOnly: true, ipWhitelist: ['*'],"
        " log: {level: 'error', transports: {}}}).then(async () => {"
        f"const told = {json.dumps(told)}; told.port = port;"
        "await fetch(`http://127.0.0.1:${port + 1}/imposters`, {method: 'POST', body: JSON.stringify(told),"
        " headers: {'Content-Type': 'application/json'}}); });"
    )
    return ["node", "-e", program]


def _tell_moto(port: int) -> None:
    _post(port, "/", {"name": "bench", "definition": MACHINE, "roleArn": ROLE}, **_target("CreateStateMachine"))


def _starts_of_moto(count: int) -> list[bytes]:
    made = []
    for _ in range(count):
        body = json.dumps({"stateMachineArn": ARN, "name": f"e{next(_numbers)}", "input": "{}"})
        heads = "".join(f"{name}: {value}\r\n" for name, value in _target("StartExecution").items())
        made.append(f"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n{heads}content-length: {len(body)}\r\n\r\n{body}".encode())
    return made


def _target(operation: str) -> dict[str, str]:
    credential = (
        "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0"
    )
    return {
        "X-Amz-Target": f"AWSStepFunctions.{operation}", "Content-Type": "application/x-amz-json-1.0",
        "Authorization": credential,
    }  # fmt: skip


KINDS = (
    Kind("WireMock", _wiremock, _tell_wiremock),
    Kind("mountebank", _mountebank),
    Kind("pytest-httpserver", lambda: [str(PYTHON), "-c", HTTPSERVER]),
    Kind("moto, Step Functions", lambda: [str(PLACE / "bin" / "moto_server"), "-p"], _tell_moto, _starts_of_moto),
)


def measures() -> Iterator[bench.Measure]:
    lacking = _install()
    for kind in KINDS:
        if kind.name in lacking:
            print(f"without {kind.name}: {lacking[kind.name]}", flush=True)
        else:
            what = f"{kind.name}, a start over {CONNECTIONS} connections"
            yield _measure(what, kind.program(), kind.tell, kind.requests)
    yield _measure(f"cfmock, a start over {CONNECTIONS} connections", bench.CFMOCK, lambda port: None, load.starts)


def _measure(
    what: str, program: list[str], tell: Callable[[int], None], requests: Callable[[int], list[bytes]]
) -> bench.Measure:
    with bench.running(bench.YARDSTICK) as yardstick, _Peer(program) as peer:
        cold = peer.cold
        tell(peer.port)
        rest = peer.rss()
        load.send(peer.port, requests(WARM), CONNECTIONS)
        rounds = [(_cost(yardstick, load.starts), _cost(peer, requests)) for _ in range(ROUNDS)]
    ratio = statistics.median(theirs / ours for theirs, ours in rounds)
    cost = statistics.median(ours for _, ours in rounds) * 1e6
    note = f"{cost:.0f} us a call, answers after {cold:.1f} s with {rest:.0f} MB"
    return bench.Measure(what, ratio, None, note=note)


def _cost(server: bench.Server, requests: Callable[[int], list[bytes]]) -> float:
    before = server.cpu()
    load.send(server.port, requests(CALLS), CONNECTIONS)
    return (server.cpu() - before) / CALLS


class _Peer(bench.Server):
    """A server that answers GET / with anything, in time."""

    def __init__(self, command: list[str]) -> None:
        self.port = bench.free_port()
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, str(self.port)], env={**bench.ENVIRONMENT, "NODE_PATH": str(MODULES)}, cwd=bench.HERE,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        bench.pin(self.process.pid, 0)
        while True:
            try:
                _answer(self.port, "GET", "/")
                break
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - began > STARTS_IN:
                    self.process.kill()
                    raise SystemExit(f"{' '.join(command)[:200]} does not answer") from None
                time.sleep(0.01)
        self.cold = time.perf_counter() - began

    def __enter__(self) -> _Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu(self) -> float:
        """Of all threads, those that have ended, too: some peers have one for each connection."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answer(port: int, method: str, path: str, body: str = "", **headers: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body or None, headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def _post(port: int, path: str, document: object, **headers: str) -> None:
    _answer(port, "POST", path, json.dumps(document), **{"Content-Type": "application/json", **headers})


# -- installing ------------------------------------------------------------------------------------------------------------

_NPM = {"WireMock": "wiremock@3", "mountebank": "mountebank@2"}
_PYPI = {"pytest-httpserver": "pytest-httpserver", "moto, Step Functions": "moto[server,stepfunctions]"}


def _install() -> dict[str, str]:
    """Install what is not there yet; the reasons of those that cannot be."""
    lacking: dict[str, str] = {}
    if not PYTHON.exists():
        made = _ran([".ci/environment", str(PLACE), "--", *_PYPI.values()])
        lacking |= dict.fromkeys(_PYPI, made) if made else {}
    for name, package in _NPM.items():
        program = "java" if name == "WireMock" else "node"
        if shutil.which(program) is None or shutil.which("npm") is None:
            lacking[name] = f"there is no {program} or no npm"
        elif not (MODULES / package.partition("@")[0]).exists():
            PLACE.mkdir(parents=True, exist_ok=True)
            if reason := _ran(
                ["npm", "install", "--prefix", str(PLACE), "--no-audit", "--no-fund", "--silent", package]
            ):
                lacking[name] = reason
    return lacking


def _ran(command: list[str]) -> str:
    """The reason why it did not do; empty if it did."""
    root = bench.HERE.parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    return (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:100] if done.returncode else ""
