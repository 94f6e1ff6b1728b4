"""What looking at a server costs: pages and single executions of the admin API, and what the calls of others pay for it."""

from __future__ import annotations

import gc
import json
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import load

from cfmock.control.control import Control
from cfmock.service.lookup import find_flow
from cfmock.service.starting import place_execution
from tests.support.calls import NOW, echo_flow, make_service

FEW, MANY = 1_000, 100_000
READERS, PER_SECOND = 10, 500
ROUNDS = 9

Row = tuple[str, float, float, str, str]
"""What was measured, the figure, its limit, its unit, and a note."""


class Process(Protocol):
    """A server in a process of its own."""

    port: int
    process: Any


def in_process() -> Iterator[Row]:
    """What is asked of the control alone, in processor time."""
    few, many = _filled(FEW), _filled(MANY)
    pages = [_taken(lambda control=control: control.list_executions()) for control in (few, many)]  # type: ignore[misc]
    ratios = [_interleaved(many, few) for _ in range(3)]
    yield "GET executions, first page of 100,000", pages[1] * 1e3, 5, " ms", f"{pages[0] * 1e3:.2f} ms of 1,000"
    yield "the same, 100,000 stored to 1,000", min(ratios), 1.3, "", f"{min(ratios):.2f} to {max(ratios):.2f}"
    long = _long()
    yield "GET one execution of 1,000 events", _taken(lambda: long.show_execution("long", "e")) * 1e3, 20, " ms", ""
    for what, share, note in _counting():
        yield what, share * 100, 2, " %", note


def _filled(count: int) -> Control:
    service = make_service(echo_flow(), auth="off", keep_executions=2 * count, keep_bytes=1 << 40, journal_size=0)
    world = service.emulator.worlds.default()
    flow = find_flow(world, "echo")
    for number in range(count):
        place_execution(
            world, flow, name=f"e{number}", status="Failed" if number % 7 == 0 else "Succeeded", input="{}", output="{}",
            started=NOW + number, stopped=NOW + number + 1,
        )  # fmt: skip
    control = Control(service.emulator)
    control.list_executions()
    return control


def _long() -> Control:
    """A flow that goes round until it has told 1,000 events, with a mocked task in each round."""
    states = [
        {"Type": "Task", "Name": "T", "Action": "FC:InvokeFunction", "Parameters": {"resourceArn": "r"}, "Next": "P"},
        {"Type": "Pass", "Name": "P", "Next": "T"},
    ]
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "long", "StartAt": "T", "States": states}
    mocks = [{"when": {"input": {"never": 1}}, "returns": {}}, {"returns": {"n": 1}, "times": 90}, {"waits": True}]
    service = make_service({"flows": [{"name": "long", "definition": json.dumps(definition), "tasks": {"T": mocks}}]})
    service("StartExecution", FlowName="long", ExecutionName="e", Input={"order": 12, "customer": "Ann Lee"})
    control = Control(service.emulator)
    events = control.list_events("long", "e", limit=1000)["events"]
    assert len(events) > 900, len(events)
    return control


def _counting() -> Iterator[tuple[str, float, str]]:
    """The shares of a canned start, without its socket, that go into the figures for metrics and the feed of changes."""
    service = make_service(echo_flow({}), clock="real", now=None, max_running_executions=10)
    shared = service.emulator.shared
    requests = iter([service.request("StartExecution", FlowName="echo") for _ in range(6_000)])

    def call() -> None:
        service.emulator.handle(next(requests))

    call()
    (kept,) = service.emulator.journal.find()

    def count() -> None:
        shared.tally.add(kept)

    def mark() -> None:
        shared.feed.mark("call", (kept.account, kept.region), kept.request_id)
        shared.feed.mark("execution", (kept.account, kept.region), "echo", kept.request_id)

    for what, do in (("counting a call for metrics", count), ("marking a start as changed", mark)):
        shares = []
        for _ in range(ROUNDS // 2):
            whole, part = _loop(call, 500), _loop(do, 500)
            shares.append((part / whole, part, whole))
        share, part, whole = sorted(shares)[len(shares) // 2]
        yield what, share, f"{part * 1e6:.2f} of {whole * 1e6:.0f} us"


def _taken(ask: Callable[[], object]) -> float:
    return statistics.median(_loop(ask, 20) for _ in range(ROUNDS))


def _interleaved(many: Control, few: Control) -> float:
    return statistics.median(
        _loop(many.list_executions, 20) / _loop(few.list_executions, 20) for _ in range(4 * ROUNDS)
    )


def _loop(do: Callable[[], object], times: int) -> float:
    """Processor seconds of one."""
    gc.collect()
    gc.disable()
    try:
        begun = time.process_time()
        for _ in range(times):
            do()
        return (time.process_time() - begun) / times
    finally:
        gc.enable()


# -- readers of a stream -----------------------------------------------------------------------------------------------


def readers(server: Process) -> Row:
    """Processor time of the server at so many calls a second, with ten readers of `changes` to none."""
    _served(server, 200)
    used: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ROUNDS):
        for followed in (True, False) if number % 2 else (False, True):
            with _followed(server, READERS if followed else 0):
                used[followed].append(_served(server, PER_SECOND) / PER_SECOND)
    # Whatever else the machine does only adds: the least of the rounds is what it takes.
    least = {followed: min(found) for followed, found in used.items()}
    note = f"{least[True] * 1e6:.0f} to {least[False] * 1e6:.0f} us a call, the least of {ROUNDS} rounds"
    return f"{READERS} readers of changes at {PER_SECOND} calls/s", least[True] / least[False], 1.05, "", note


@contextmanager
def _followed(server: Process, count: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(b"GET /_cfmock/changes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            connection.recv(1000)
        time.sleep(0.1)
        yield


def _served(server: Process, calls: int) -> float:
    """Make so many calls in a second; the server's processor time meanwhile, in seconds."""
    requests = load.starts(calls)
    before, begun = _used(server), time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        for number, request in enumerate(requests):
            time.sleep(max(0.0, begun + number / calls - time.perf_counter()))
            load.exchange(connection, request)
    return _used(server) - before


def _used(server: Process) -> float:
    """Processor time of a process so far; finer than what `ps` tells."""
    return int(Path(f"/proc/{server.process.pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
