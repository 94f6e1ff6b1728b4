"""What an honest client notices while others do their worst, and what that takes of memory.

    python tests/benchmarks/bench_attacks.py [ATTACK ...]

Each attack has a fresh server with default settings, and goes on for some seconds from a process of its own. Meanwhile an
honest client asks for ListFlows fifty times a second. Prints, for each attack, the 99th percentile and the worst of its waits,
and the most memory that the server ever had; exits 1 if a limit is missed. `bench.py attacks` prints the same.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import load
import yaml

from tests.support import signing

HERE = Path(__file__).parent
SECONDS = 5.0
"""How long most attacks go on."""

EVERY = 0.02
"""Seconds from one call of the honest client to the next."""

PATIENCE = 30.0
"""Seconds that it waits for an answer before it counts as one of that length."""

P99_MS, WORST_MS, MEMORY_MB = 250.0, 1000.0, 400.0
"""The limits."""

MIB = 1024 * 1024
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Attack:
    """Something that clients do to a server for some `seconds`. `clients` do it at once, each with its number; `fixture` and
    `options` are the server's beyond the defaults, where the attack needs something there."""

    name: str
    work: Callable[[Attacker], object]
    clients: int = 4
    seconds: float = SECONDS
    options: tuple[str, ...] = ()
    fixture: Callable[[], list[dict[str, Any]]] = list


class Attacker:
    """One client that means no good."""

    def __init__(self, port: int, number: int, ends: float) -> None:
        self.port = port
        self.number = number
        self.ends = ends

    @property
    def going_on(self) -> bool:
        return time.monotonic() < self.ends

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def repeat(self, requests: Iterable[bytes]) -> None:
        """Send request after request over one connection, another when the server closes it; then wait for the end."""
        connection = None
        for request in requests:
            if not self.going_on:
                return
            try:
                connection = connection or self.connect()
                connection.sendall(request)
                if not read_answer(connection):
                    connection = None
            except OSError:
                connection = None
        time.sleep(max(0.0, self.ends - time.monotonic()))

    def upload(self, target: str, size: int, piece: bytes, content_type: str) -> None:
        """Send bodies of one piece over and over, of so many bytes together."""
        part = piece * (MIB // len(piece))
        head = f"POST {target} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {content_type}\r\ncontent-length: {size}\r\n\r\n"
        while self.going_on:
            with contextlib.suppress(OSError), self.connect() as connection:
                connection.sendall(head.encode())
                for _ in range(size // len(part)):
                    connection.sendall(part)
                connection.sendall(part[: size % len(part)])
                read_answer(connection)

    def admin(self, path: str, body: Any) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"POST /_cfmock/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(data)}\r\n\r\n"
        return head.encode() + data

    def names(self) -> Iterator[str]:
        return (f"{os.getpid()}-{self.number}-{each}" for each in itertools.count())


def read_answer(connection: socket.socket) -> bytes:
    """One answer; empty if the server has closed."""
    received = b""
    while True:
        head, separator, body = received.partition(b"\r\n\r\n")
        if separator:
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            if len(body) >= (int(length[1]) if length else 0):
                return received
        more = connection.recv(MIB)
        if not more:
            return b""
        received += more


# -- bodies, heads, connections --------------------------------------------------------------------------------------------


def refused_bodies(attacker: Attacker) -> None:
    attacker.upload("/", 60 * MIB, b"\0", "application/octet-stream")


def refused_forms(attacker: Attacker) -> None:
    attacker.upload("/", 60 * MIB, b"abc=%41&", FORM)


def full_forms(attacker: Attacker) -> None:
    body = "&".join(f"p{number}=%41" for number in range(80_000)).encode()[: MIB - 1]
    head = f"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {FORM}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    attacker.repeat(itertools.repeat(head + body))


def large_bodies_at_once(attacker: Attacker) -> None:
    """Half of them to the admin API."""
    attacker.upload("/_cfmock/fixtures" if attacker.number % 2 else "/", 50 * MIB, b"[1, ", "application/json")


def documents_at_once(attacker: Attacker) -> None:
    """As large as a document may be, and no document."""
    attacker.upload("/_cfmock/fixtures", 16 * MIB, b"[1, ", "application/json")


def never_reads(attacker: Attacker) -> None:
    request = b"GET /?Action=ListFlows HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    with contextlib.suppress(OSError), attacker.connect() as connection:
        connection.settimeout(0.2)
        for _ in range(8 * MIB // len(request) // 1000):
            with contextlib.suppress(TimeoutError):
                connection.sendall(request * 1000)
            if not attacker.going_on:
                return
        time.sleep(max(0.0, attacker.ends - time.monotonic()))


def long_headers(attacker: Attacker) -> None:
    """Nonces, dates and key ids of a mebibyte, each another one."""
    attacker.repeat(
        b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-acs-action: ListFlows\r\nx-acs-version: 2019-03-15\r\n"
        b"x-acs-content-sha256: 00\r\nx-acs-signature-nonce: %(long)s\r\nx-acs-date: %(long)s\r\n"
        b"authorization: ACS3-HMAC-SHA256 Credential=%(long)s,SignedHeaders=host,Signature=00\r\n\r\n"
        % {b"long": name.encode() + b"n" * MIB}
        for name in attacker.names()
    )


def long_hosts(attacker: Attacker) -> None:
    attacker.repeat(
        b"POST /?Action=ListFlows HTTP/1.1\r\nhost: %(long)s\r\ncontent-type: %(long)s\r\ncontent-length: 0\r\n\r\n"
        % {b"long": name.encode() + b"h" * MIB}
        for name in attacker.names()
    )


def long_parameters(attacker: Attacker) -> None:
    """Signed by the book, with a hundred unknown parameters of long names, and long nonces."""
    attacker.repeat(
        load.signed(
            "POST", "ListFlows",
            {"SignatureNonce": name * 1000, **{f"P{number}-{name}" + "x" * 5000: "1" for number in range(100)}},
        )
        for name in attacker.names()
    )  # fmt: skip


def nonces(attacker: Attacker) -> None:
    attacker.repeat(
        f"GET /?Action=ListFlows&Version=2019-03-15&AccessKeyId=bench-ak&SignatureNonce={name}{'n' * 65536} HTTP/1.1\r\n"
        "host: 127.0.0.1\r\n\r\n".encode()
        for name in attacker.names()
    )


def heads_without_end(attacker: Attacker) -> None:
    """Connection after connection, each with most of what a head may have."""
    with contextlib.ExitStack() as stack:
        while attacker.going_on:
            with contextlib.suppress(OSError):
                connection = stack.enter_context(attacker.connect())
                connection.settimeout(1)
                connection.sendall(b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"x" * 7 * MIB)


def long_polls(attacker: Attacker) -> None:
    """Of an execution that waits, with much beside."""
    start = load.signed("POST", "StartExecution", {"FlowName": "naps", "ExecutionName": "e"})
    poll = {"FlowName": "naps", "ExecutionName": "e", "WaitTimeSeconds": "60", "Padding": "x" * 1_000_000}
    attacker.repeat(
        itertools.chain([start], (load.signed("POST", "DescribeExecution", poll) for _ in itertools.count()))
    )


def polls_that_end(attacker: Attacker) -> None:
    """Of 250 connections all but one wait for an execution, which is stopped; then for the next one."""
    with contextlib.ExitStack() as stack:
        polls = [stack.enter_context(attacker.connect()) for _ in range(250)]
        for name in attacker.names():
            if not attacker.going_on:
                return
            of = {"FlowName": "naps", "ExecutionName": f"e-{name}"}
            calls = [
                (polls[:1], load.signed("POST", "StartExecution", of)),
                (polls[1:], load.signed("POST", "DescribeExecution", {**of, "WaitTimeSeconds": "60"})),
                (polls[:1], load.signed("POST", "StopExecution", of)),
            ]
            with contextlib.suppress(OSError):
                for connections, request in calls:
                    for connection in connections:
                        connection.sendall(request)
                    if len(connections) == 1:
                        read_answer(connections[0])
                for connection in polls[1:]:
                    read_answer(connection)


def calls_everywhere(attacker: Attacker) -> None:
    """Each region keeps calls of its own."""
    regions = itertools.cycle(REGIONS)
    attacker.repeat(load.signed("POST", "ListFlows", {"RegionId": each, "Padding": "x" * 500_000}) for each in regions)


REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-qingdao", "cn-shenzhen", "us-west-1")


def large_pages(attacker: Attacker) -> None:
    attacker.repeat(load.signed("GET", "ListFlows", {"Limit": "999"}) for _ in itertools.count())


def global_variables(attacker: Attacker) -> None:
    given = json.dumps({"a": "x" * 60_000})
    attacker.repeat(
        load.signed("POST", "StartExecution", {"FlowName": "keeps", "ExecutionName": f"e-{name}", "Input": given})
        for name in attacker.names()
    )


def keeping() -> list[dict[str, Any]]:
    built = 'format("{}{}{}{}", $Input.a, $Input.a, $Input.a, $Input.a)'
    states = [
        {"Type": "Pass", "Name": f"S{number}", "GlobalConstructor": {f"k{number}.$": built}, "Next": f"S{number + 1}"}
        for number in range(16)
    ]
    return [{"name": "keeps", "definition": _definition([*states, {**NAP, "Name": "S16"}])}]


NAP = {"Type": "Wait", "Name": "Nap", "Seconds": 300, "End": True}


# -- signatures ------------------------------------------------------------------------------------------------------------


def _unsound(request: bytes) -> bytes:
    return re.sub(rb"Signature=[^& ]+", b"Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D", request, count=1)


def wrong_signatures(attacker: Attacker) -> None:
    attacker.repeat(itertools.repeat(_unsound(load.signed("POST", "ListFlows", {}))))


def wrong_signatures_of_much(attacker: Attacker) -> None:
    parameters = {f"Parameter{number}": str(number) for number in range(20_000)}
    attacker.repeat(itertools.repeat(_unsound(load.signed("POST", "StartExecution", parameters))))


# -- definitions, flows, names ---------------------------------------------------------------------------------------------


def _definition(states: list[dict[str, Any]], name: str = "f") -> str:
    head = {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": states[0]["Name"]}
    return json.dumps({**head, "States": states})


def _created(attacker: Attacker, definition: Callable[[str], str]) -> None:
    attacker.repeat(
        load.signed(
            "POST",
            "CreateFlow",
            {"Name": f"f-{name}", "Type": "FDL", "Description": "d", "Definition": definition(name)},
        )
        for name in attacker.names()
    )


def wrong_next(attacker: Attacker) -> None:
    states = [{"Type": "Pass", "Name": f"State{number}", "Next": f"Stote{number}"} for number in range(1000)]
    _created(attacker, lambda name: _definition(states, name))


def large_definitions(attacker: Attacker) -> None:
    """Sound ones, as large as a request may hold with room to spare."""
    states = [
        {
            "Type": "Pass",
            "Name": f"S{number}",
            "OutputConstructor": {"n.$": "intAdd($Input.n, 1)"},
            "Next": f"S{number + 1}",
        }
        for number in range(3_700)
    ]
    states.append({"Type": "Succeed", "Name": "S3700"})
    _created(attacker, lambda name: _definition(states, name))


def _formats(count: int) -> dict[str, str]:
    values = ",".join(["$Input.a"] * count)
    return {f"k{key}.$": f'format("{"{}" * count}",{values})' for key in range(8)}


def growing_values(attacker: Attacker) -> None:
    given = json.dumps({"a": "x" * 60_000})
    attacker.repeat(
        load.signed("POST", "StartExecution", {"FlowName": "growing", "ExecutionName": f"e-{name}", "Input": given})
        for name in attacker.names()
    )


def near_names(attacker: Attacker) -> None:
    attacker.repeat(
        load.signed("GET", "DescribeFlow", {"Name": f"customer_ordr_{number % 9990:05}"})
        for number in itertools.count()
    )


def started_with_much(attacker: Attacker) -> None:
    # This signature is over a hash of the body: little work for whom it costs the server much.
    given = f"FlowName=defined&Input=%7B%22a%22:%22{'x' * 60_000}%22%7D&ExecutionName="
    attacker.repeat(_sent(given + f"e-{name}") for name in attacker.names())


def deleted_flows(attacker: Attacker) -> None:
    """Each with an execution that has ended, beside many of a flow that stays."""
    starts = (load.signed("POST", "StartExecution", {"FlowName": "canned"}) for _ in range(500))
    states = [{"Type": "Succeed", "Name": f"S{number}", "Comment": "x" * 1000} for number in range(400)]

    def requests() -> Iterator[bytes]:
        for name in attacker.names():
            flow = {"Name": f"f-{name}", "Type": "FDL", "Description": "d", "Definition": _definition(states, name)}
            yield load.signed("POST", "CreateFlow", flow)
            yield load.signed("POST", "StartExecution", {"FlowName": f"f-{name}"})
            yield load.signed("POST", "DeleteFlow", {"Name": f"f-{name}"})

    attacker.repeat(itertools.chain(starts, requests()))


def started_with_tokens(attacker: Attacker) -> None:
    """By an outcome, so that little else is kept of each."""
    given = f"FlowName=canned&CallbackFnFTaskToken={'t' * 1_000_000}&ExecutionName="
    attacker.repeat(_sent(given + f"e-{name}") for name in attacker.names())


def _sent(body: str) -> bytes:
    request = signing.acs3(
        "StartExecution", {}, key=load.ACCESS_KEY_ID, secret=load.SECRET, host="127.0.0.1", body=body.encode()
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    head = f"POST {request.target} HTTP/1.1\r\n{lines}content-length: {len(request.body)}\r\n\r\n"
    return head.encode() + request.body


def self_starting(attacker: Attacker) -> None:
    attacker.repeat([load.signed("POST", "StartExecution", {"FlowName": "again"})])


def endless_loops(attacker: Attacker) -> None:
    attacker.repeat(load.signed("POST", "StartExecution", {"FlowName": "loop"}) for _ in itertools.count())


AGAIN = {"Type": "Task", "Action": "FNF:StartExecution", "Parameters": {"resourceArn": "acs:fnf:::flow/again"}}


def self_starting_flows() -> list[dict[str, Any]]:
    states = [{**AGAIN, "Name": "A", "Next": "B"}, {**AGAIN, "Name": "B", "End": True}]
    return [{"name": "again", "definition": _definition(states)}]


def advanced(attacker: Attacker) -> None:
    """Over flows that start themselves, and over schedules by the minute."""
    cron = {"FlowName": "defined", "ScheduleName": "s", "CronExpression": "@every 1m", "Enable": "true"}
    set_up = [
        load.signed("POST", "CreateSchedule", cron),
        load.signed("POST", "StartExecution", {"FlowName": "again"}),
    ]
    moves = (attacker.admin("clock", {"advance": span}) for span in itertools.cycle(["1s", "365d"]))
    attacker.repeat(itertools.chain(set_up, moves))


# -- the admin API, and what is called out -----------------------------------------------------------------------------------


def globs(attacker: Attacker) -> None:
    glob = "*a" * 400_000

    def requests() -> Iterator[bytes]:
        for name in attacker.names():
            yield attacker.admin("faults", {"when": {"execution": glob}, "error": "AccessDenied", "times": 1})
            yield load.signed(
                "POST", "StartExecution", {"FlowName": "canned", "ExecutionName": f"{'a' * 100}{name}"[:128]}
            )

    attacker.repeat(requests())


def long_queries(attacker: Attacker) -> None:
    query = "&".join(["limit=1"] * 1_000_000)
    attacker.repeat(itertools.repeat(f"GET /_cfmock/calls?{query} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()))


def mocks_without_end(attacker: Attacker) -> None:
    attacker.repeat(
        attacker.admin("mocks", {"flow": "later", "task": "T", "mocks": [{"returns": {"a": name + "x" * 900_000}}]})
        for name in attacker.names()
    )


def many_values(attacker: Attacker) -> None:
    """As many values as a document of 16 MiB, an outcome or a mock of one may have."""
    document = b'{"cfmock": 1, "flows": [' + b"{}," * 5_590_000 + b"{}]}"
    outcome = {"flow": "canned", "output": {"a": [{}] * 250_000}}
    mocks = {"flow": "later", "task": "T", "mocks": [{"returns": {}, "when": {"input": {"a": [[]] * 250_000}}}]}
    faults = {"error": "AccessDenied", "when": {"execution": [f"*a{number}*b" for number in range(60_000)]}}
    bodies = {"fixtures": document, "outcomes": outcome, "mocks": mocks, "faults": faults}
    attacker.repeat(itertools.cycle([attacker.admin(path, body) for path, body in bodies.items()]))


def documents_everywhere(attacker: Attacker) -> None:
    """Sound ones with as many flows as there may be, into the worlds of six regions; some clients look at what comes of it."""
    flows = [{"name": f"f{number}", "outcomes": [{"output": {"a": "x" * 200}}]} for number in range(9_900)]
    document = attacker.admin("fixtures", {"cfmock": 1, "flows": flows})
    looks = ["flows?limit=1000", "fixture?executions=true", "executions?limit=1000", "calls", "metrics", "tasks"]
    head = "GET /_cfmock/{} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
    calls = [load.signed("POST", "ListFlows", {"RegionId": each}) for each in REGIONS]
    if attacker.number % 2:
        attacker.repeat(itertools.chain(calls, itertools.repeat(document)))
    else:
        attacker.repeat(itertools.cycle([head.format(look).encode() for look in looks]))


def pictures(attacker: Attacker) -> None:
    """Of a flow with as many states as are drawn, and all else that is worked out of it."""
    paths = ["flows/many/graph.svg", "flows/many", "flows?limit=1000"]
    requests = [f"GET /_cfmock/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode() for path in paths]
    attacker.repeat(itertools.cycle(requests))


def many_states() -> list[dict[str, Any]]:
    states = [
        {
            "Type": "Choice",
            "Name": f"S{number}",
            "Branches": [{"Condition": f"$Input.n > {number}", "Next": f"S{(number * 7 + 3) % 1_990}"}],
            "Default": f"S{number + 1}",
        }
        for number in range(1_990)
    ]
    return [{"name": "many", "definition": _definition([*states, {"Type": "Succeed", "Name": "S1990"}])}]


def misspelt_documents(attacker: Attacker) -> None:
    flows = [{"name": f"f{number}", "defnition": "x", f"outcom{number}": []} for number in range(9_000)]
    attacker.repeat(itertools.repeat(attacker.admin("fixtures", {"cfmock": 1, "flows": flows})))


class _Packed(BaseHTTPRequestHandler):
    """Answers with half a gigabyte of nothing, packed."""

    body = gzip.compress(bytes(512 * MIB), 6)

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Nothing to tell."""


def packed_answers(attacker: Attacker) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Packed) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        mock = {"http": f"http://127.0.0.1:{server.server_port}/"}
        mocks = attacker.admin("mocks", {"flow": "calls", "task": "Call", "mocks": [mock]})
        starts = (load.signed("POST", "StartExecution", {"FlowName": "calls"}) for _ in itertools.count())
        attacker.repeat(itertools.chain([mocks], starts))
        server.shutdown()


def _flows(*flows: dict[str, Any]) -> Callable[[], list[dict[str, Any]]]:
    return lambda: list(flows)


ATTACKS = {
    attack.name: attack
    for attack in (
        Attack("refused bodies of 60 MiB", refused_bodies),
        Attack("refused forms of 60 MiB", refused_forms),
        Attack("forms of 80,000 parameters", full_forms),
        Attack("12 clients with 50 MiB each", large_bodies_at_once, clients=12),
        Attack("12 documents of 16 MiB each", documents_at_once, clients=12),
        Attack("pipelining, never reading", never_reads, clients=16),
        Attack("headers of 1 MiB", long_headers),
        Attack("hosts and content types of 1 MiB", long_hosts),
        Attack("parameters of long names", long_parameters),
        Attack("nonces of 64 KiB, gateway, auth off", nonces, options=("--errors", "gateway", "--auth", "off")),
        Attack("heads that do not end", heads_without_end, clients=8),
        Attack(
            "long polls of 1 MiB each", long_polls, clients=100,
            fixture=lambda: [{"name": "naps", "definition": _definition([NAP])}],
        ),
        Attack(
            "long polls that end together", polls_that_end,
            fixture=lambda: [{"name": "naps", "definition": _definition([NAP])}],
        ),
        Attack("calls in every region", calls_everywhere),
        Attack(
            "pages of 40 MB", large_pages,
            fixture=lambda: [
                *({"name": f"a{number}"} for number in range(10)),  # what the honest client sees
                *({"name": f"x{number}", "description": "d" * 100_000} for number in range(400)),
            ],
        ),
        Attack("global variables of 4 MB", global_variables, seconds=4 * SECONDS, fixture=keeping),
        Attack("queries of a million parameters", long_queries, clients=2),
        Attack("mocks without end", mocks_without_end),
        Attack("wrong signatures", wrong_signatures),
        Attack("wrong signatures of 20,000 parameters", wrong_signatures_of_much),
        Attack("1,000 states with wrong Next", wrong_next),
        Attack("large definitions", large_definitions),
        Attack(
            "values that grow in a step", growing_values,
            fixture=_flows({"name": "growing", "definition": _definition(
                [{"Type": "Pass", "Name": "A", "OutputConstructor": _formats(1_500), "End": True}]
            )}),
        ),
        Attack(
            "near names among 9,990 flows", near_names,
            fixture=lambda: [{"name": f"customer_order_{number:05}"} for number in range(9_990)],
        ),
        Attack("starts with 60 KB each", started_with_much, seconds=4 * SECONDS),
        Attack("flows that come and go", deleted_flows, seconds=4 * SECONDS),
        Attack("starts with tokens of 1 MB", started_with_tokens, seconds=4 * SECONDS),
        Attack("flows that start themselves twice", self_starting, clients=1, fixture=self_starting_flows),
        Attack(
            "flows that loop", endless_loops,
            fixture=_flows({"name": "loop", "definition": _definition([{"Type": "Pass", "Name": "A", "Next": "A"}])}),
        ),
        Attack("advance over both", advanced, clients=1, options=("--clock", "virtual"), fixture=self_starting_flows),
        Attack("globs of 800 KB", globs, clients=1),
        Attack("bodies of very many values", many_values),
        Attack("pictures of 1,991 states", pictures, clients=8, fixture=many_states),
        Attack("documents of 9,900 flows", documents_everywhere, clients=8),
        Attack("documents of 18,000 misspelt keys", misspelt_documents),
        Attack(
            "packed answers of 512 MiB", packed_answers, clients=1,
            fixture=_flows({"name": "calls", "definition": _definition(
                [{"Type": "Task", "Name": "Call", "Action": "FC:InvokeFunction", "End": True}]
            )}),
        ),
    )
}  # fmt: skip


# -- measuring -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Suffered:
    """What came of an attack: waits of the honest client in seconds, one for each `EVERY` that went by; MB at the most; how
    many mistakes of its own the server told of."""

    waits: list[float]
    memory: float
    tracebacks: int

    @property
    def p99(self) -> float:
        return sorted(self.waits)[int(len(self.waits) * 0.99)]


def honest(port: int, process: subprocess.Popen[bytes]) -> list[float]:
    """Ask for ListFlows until the process has ended, and give how long each call took.

    A call that waited kept others from being sent: they count with what they would have waited.
    """
    request, waits = load.signed("GET", "ListFlows", {"Limit": "10"}), []
    connection = None
    while process.poll() is None:
        began = time.perf_counter()
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            connection.sendall(request)
            answer = read_answer(connection)
        except OSError:
            answer = b""
        waited = time.perf_counter() - began
        if not answer.startswith(b"HTTP/1.1 200"):
            # No answer, or a refusal, is as bad as a wait without end.
            waited, connection = max(waited, PATIENCE), None
        waits += [waited - late * EVERY for late in range(max(1, int(waited / EVERY)))]
        time.sleep(max(0.0, EVERY - waited))
    return waits


def peak(pid: int) -> float:
    """The most memory that a process ever had, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmHWM:\s+(\d+)", status)
    assert found is not None, "only Linux tells the peak"
    return int(found[1]) / 1024


def suffered(attack: Attack) -> Suffered:
    """Attack a server, with an honest client beside."""
    import bench

    shared: dict[str, Any] = yaml.safe_load((HERE / "bench.yaml").read_text(encoding="utf-8"))
    fixture = {**shared, "flows": [*shared["flows"], *attack.fixture()]}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        Path(folder, "fixture.json").write_text(json.dumps(fixture), encoding="utf-8")
        log = stack.enter_context(Path(folder, "log").open("w+b"))
        server = bench.Server([*bench.CFMOCK[:4], f"{folder}/fixture.json", *attack.options, "--port"], log)
        try:
            attackers = subprocess.Popen([sys.executable, __file__, "--port", str(server.port), attack.name])
            try:
                bench.pin(attackers.pid, 1)
                waits = honest(server.port, attackers)
            finally:
                attackers.kill()
                attackers.wait()
            memory = peak(server.process.pid)
        finally:
            server.process.send_signal(signal.SIGKILL)  # how long a server takes to stop is another matter
            server.process.wait()
        return Suffered(waits, memory, Path(folder, "log").read_bytes().count(b"Traceback"))


def perform(attack: Attack, port: int) -> None:
    """Do it, in this process, giving way to the honest client."""
    os.nice(10)
    ends = time.monotonic() + attack.seconds
    clients = [
        threading.Thread(target=attack.work, args=(Attacker(port, number, ends),), daemon=True)
        for number in range(attack.clients)
    ]
    for client in clients:
        client.start()
    for client in clients:
        # Who still waits for an answer is waited for no longer than this.
        client.join(max(0.0, ends + 3 * SECONDS - time.monotonic()))


def measures(names: Iterable[str] = ATTACKS) -> Iterator[tuple[str, float, float, str, str]]:
    """What was measured, the figure, its limit, its unit and a note."""
    for name in names:
        found = suffered(ATTACKS[name])
        note = f"of {len(found.waits)} calls"
        yield f"{name}: ListFlows p99", found.p99 * 1000, P99_MS, " ms", note
        yield f"{name}: ListFlows worst", max(found.waits) * 1000, WORST_MS, " ms", ""
        yield f"{name}: memory at most", found.memory, MEMORY_MB, " MB", ""
        if found.tracebacks:
            yield f"{name}: tracebacks", found.tracebacks, 0, "", ""


def main() -> int:
    import bench

    parser = argparse.ArgumentParser(
        description="Measure what an honest client notices of attacks; exit 1 if it is too much."
    )
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help="part of a name (default: all)")
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.port:
        perform(ATTACKS[given.attacks[0]], given.port)
        return 0
    bench.pin(0, 1)
    names = [name for name in ATTACKS if not given.attacks or any(part in name for part in given.attacks)]
    missed = False
    for what, figure, limit, unit, note in measures(names):
        measure = bench.Measure(what, figure, limit, unit, note=note)
        print(measure, flush=True)
        missed |= not measure.met
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
