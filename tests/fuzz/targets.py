"""What is fuzzed: a table of targets, each with its inputs and what is done with one of them.

An input passes if nothing but the errors meant for it is raised, nothing is logged as a mistake of cfmock's own, no answer is
a 500, and its processor time stays under `LIMIT`.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cfmock.base.errors import SourceError
from cfmock.base.randomness import Ids
from cfmock.control.control import Control
from cfmock.engine.expr import (
    ConstructorErrors,
    Effort,
    ExpressionError,
    ExpressionSyntaxError,
    compile_constructor,
    compile_expression,
)
from cfmock.fixtures.history.reader import read_histories
from cfmock.fixtures.loader import load
from cfmock.protocol.wire.messages import Pending, Reply, Request
from cfmock.server import fast_way
from cfmock.server.admin.guard import Guard
from cfmock.server.admin.http import Admin
from cfmock.server.connections import HttpServer
from cfmock.server.http_edge import HttpEdge
from cfmock.server.outbound import Outbound
from cfmock.service import cron
from tests.fuzz import inputs, mutations
from tests.support.calls import Service, make_service
from tests.support.definitions import ACTION
from tests.support.hostile import NAMES
from tests.support.lab import Lab, check_history
from tests.test_bad_input import FIXTURE, encoded, good, prepared

LIMIT = 0.25
"""Seconds of processor time that one input may cost."""

RENEWED = 200
"""Inputs after which a server is made anew, so that what it keeps bears on none of them."""

TRIES = 3
"""How often an input that took too long is fed again, to a server of its own; the best counts."""

TURNS = 25
"""Turns of the loop in which a connection is served; nobody waits for what takes longer."""


@dataclass(frozen=True)
class Target:
    """Something that takes inputs. `raises` are the errors that an input may be refused with; what `feed` returns tells answers
    of one kind from those of others."""

    name: str
    inputs: st.SearchStrategy[Any]
    feed: Callable[[Any], object]
    raises: tuple[type[Exception], ...] = ()
    change: Callable[[Any, Any, random.Random], Any] = mutations.changed


class Meter:
    """Feeds a target, and knows how many inputs there were and which was the slowest."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.count = 0
        self.slowest = 0.0
        self.number = 0  # of the slowest
        self.worst: Any = None

    def feed(self, value: Any) -> object:
        """Return what the answer is like. Raises what is no refusal, and AssertionError for a mistake that was logged."""
        self.count += 1
        OUR_MISTAKES.clear()
        like, took = self._fed(value)
        if took > max(self.slowest, LIMIT):  # may be the collector's time, or that of a busy machine
            for _ in range(TRIES):
                for each in RENEWABLE:
                    each.renew()
                took = min(took, self._fed(value)[1])
        if took > self.slowest:
            self.slowest, self.number, self.worst = took, self.count, value
        assert not OUR_MISTAKES, "\n".join(OUR_MISTAKES)
        return like

    def _fed(self, value: Any) -> tuple[object, float]:
        began = time.process_time()
        try:
            like = self.target.feed(value)
        except self.target.raises as error:
            like = type(error), _DETAILS.sub("", str(error)[:300])
        return like, time.process_time() - began


_DETAILS = re.compile(r"'[^']*'|\"[^\"]*\"|[^a-zA-Z ]+")
"""What differs in complaints about the same."""


OUR_MISTAKES: list[str] = []


class _Listening(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        OUR_MISTAKES.append(self.format(record))


def listen() -> None:
    """Hear what is logged as an error, by whomever, and keep all else quiet."""
    handler = _Listening(logging.ERROR)
    logging.root.handlers = [handler]
    logging.getLogger("cfmock").propagate = True


RENEWABLE: list[Renewed] = []


class Renewed:
    """What `make` gives, made anew now and then."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None
        self._left = 0
        RENEWABLE.append(self)

    def renew(self) -> None:
        """Make it anew for the next input."""
        self._left = 0

    def __call__(self) -> Any:
        if not self._left:
            self._made, self._left = self._make(), RENEWED
        self._left -= 1
        return self._made


# -- HTTP and calls --------------------------------------------------------------------------------------------------------


class _Transport(asyncio.Transport):
    """A client that takes every answer and is never slow."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing more comes by itself."""

    def resume_reading(self) -> None:
        """Nothing waits to come."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered."""


class Wire:
    """A server with everything but the socket."""

    def __init__(self, server_of: Callable[[HttpEdge], HttpServer] = fast_way.server_of) -> None:
        self.loop = asyncio.new_event_loop()
        self.http = self.loop.run_until_complete(self._serve(server_of))

    def __del__(self) -> None:
        self.loop.close()

    async def _serve(self, server_of: Callable[[HttpEdge], HttpServer]) -> HttpServer:
        emulator = make_service(FIXTURE, auth="off").emulator
        functions = Outbound(()).calls
        functions.attach()
        return server_of(HttpEdge(emulator, Admin(Control(emulator), Guard("127.0.0.1")).handle, functions))

    async def serve(self, *parts: bytes) -> bytes:
        """What a client gets that sends these, each when all that can be answered is answered, and leaves."""
        protocol, transport = self.http(), _Transport()
        protocol.connection_made(transport)
        await asyncio.sleep(0)  # from a socket, data come in a later round
        for data in parts:
            for start in range(0, len(data), 65536):
                if not transport.closed:
                    protocol.data_received(data[start : start + 65536])
            for _ in range(TURNS):
                await asyncio.sleep(0)
        protocol.connection_lost(None)
        await asyncio.sleep(0)
        return bytes(transport.written)


wires = Renewed(Wire)


_ANSWERED = re.compile(rb'HTTP/1\.\d (\d+)|"(?:Code|error)": *"([^"\d]{1,40})')


def _connection(data: bytes) -> object:
    wire = wires()
    answers = wire.loop.run_until_complete(wire.serve(data))
    assert not answers or answers.startswith(b"HTTP/1."), answers[:100]
    return tuple(_ANSWERED.findall(answers)[:4])


def _quiet(reply: Reply | Pending) -> object:
    if isinstance(reply, Pending):
        reply.abandon()
        return "waits"
    assert reply.status < 500, reply.body
    answer = json.loads(reply.body)
    assert isinstance(answer, dict)
    return answer.get("Code", tuple(answer)), _DETAILS.sub("", str(answer.get("Message", ""))[:200])


services = Renewed(prepared)


def _call(case: tuple[str, dict[str, str]]) -> object:
    operation, parameters = case
    service, names = services()
    return operation, _quiet(
        service.emulator.handle(encoded(service, operation, {**good(operation, names), **parameters}))
    )


strict_services = Renewed(lambda: make_service(FIXTURE, check_nonce=True))


def _signed(request: Request) -> object:
    service: Service = strict_services()
    reply = service.emulator.handle(request)
    like = _quiet(reply)
    if isinstance(reply, Reply) and b"SignatureNotMatch" in reply.body:
        told = Control(service.emulator).show_signature(reply.request_id)
        return _DETAILS.sub("", str(told)[-80:])
    return like


# -- files, definitions, expressions ---------------------------------------------------------------------------------------


def _fixture(text: bytes) -> None:
    path = SCRATCH / "fuzz.yaml"
    path.write_bytes(text)
    load([path], allow_files=False)


SCRATCH = Path(tempfile.mkdtemp(prefix="cfmock-fuzz-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


def _file(case: tuple[str, bytes]) -> None:
    """A file as `cfmock serve` and `cfmock replay` take it."""
    suffix, content = case
    path = SCRATCH / f"fuzz.{suffix if suffix in inputs.SOUND_FILES else 'yaml'}"
    path.write_bytes(content)
    if suffix == "json":
        with contextlib.suppress(SourceError):
            read_histories([str(path)])
    load([path])


def _definition(case: tuple[str, list[Any], Any]) -> None:
    text, mocks, value = case
    lab = Lab()
    lab.add("f", text, {ACTION: mocks})
    seen = lab.start("f", value)
    lab.timers.run_due()
    seen.run.stop("Enough", "")
    check_history(seen.events)


def _expression(case: tuple[str, Any]) -> None:
    text, value = case
    given = dict.fromkeys(NAMES, value)
    for compiled in (compile_expression(text, NAMES), compile_constructor({"a.$": text, "b": value}, NAMES)):
        evaluate = compiled.evaluate if hasattr(compiled, "evaluate") else compiled.build
        with contextlib.suppress(ExpressionError):
            json.dumps(evaluate(given, Effort(Ids(1))), allow_nan=False)


def _cron(text: str) -> None:
    rule = cron.parse(text)
    moment = 1_717_200_000.0
    for _ in range(5):
        following = rule.after(moment)
        assert following > moment
        moment = following


TARGETS = {
    target.name: target
    for target in (
        Target("http", inputs.CONNECTIONS, _connection, change=mutations.connection),
        Target("calls", inputs.CALLS, _call, change=mutations.call),
        Target("signatures", inputs.SIGNED_REQUESTS, _signed),
        Target("fixtures", inputs.FIXTURE_FILES, _fixture, (SourceError,)),
        Target("files", inputs.FILES, _file, (SourceError,), mutations.file),
        Target("statemachine", inputs.STATE_MACHINES, _definition, (SourceError,), mutations.case),
        Target("flow", inputs.LEGACY_FLOWS, _definition, (SourceError,), mutations.case),
        Target(
            "expressions",
            inputs.EXPRESSION_CASES,
            _expression,
            (ExpressionSyntaxError, ConstructorErrors),
            mutations.case,
        ),
        Target("cron", inputs.CRON, _cron, (ValueError,)),
    )
}
