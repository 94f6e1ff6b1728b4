"""What a page of a list costs when much is stored, to when little is: in this process, without a socket.

The page asked for has as many items in both stores, so it may take no longer where more stands beside it.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable

from cfmock.api.client import signed_request
from cfmock.base.clocks import iso
from cfmock.service.lookup import find_flow
from cfmock.service.starting import place_execution
from tests.support.calls import NOW, PASS, Service, echo_flow, make_service

FEW, MANY = 1_000, 50_000
LIMIT = 1.5
ROUNDS = 41

Parameters = dict[str, object]


def costs() -> list[tuple[str, float, str]]:
    """Each kind of page: what it is, its time with many stored over that with few, and both times."""
    stores = _filled(FEW), _filled(MANY)
    found = []
    for what, ask in PAGES.items():
        took = _medians(stores, ask)
        note = f"{took[1] * 1e6:.0f} to {took[0] * 1e6:.0f} us"
        found.append((what, took[1] / took[0], note))
    return found


def _filled(count: int) -> Service:
    """Executions one second apart. Twenty of them, evenly spread, have failed; the first twenty are named otherwise; twenty
    more were started by a version. A twentieth as many flows stand beside them."""
    service = make_service(echo_flow(), auth="off", max_flows=count, journal_size=0)
    service("PublishFlowVersion", FlowName="echo")
    world = service.emulator.worlds.default()
    flow = find_flow(world, "echo")
    for number in range(count):
        begun = NOW + number
        place_execution(
            world, flow, name=f"{'rare' if number < 20 else 'usual'}-{number}",
            status="Succeeded" if number % (count // 20) else "Failed", input="{}", output="{}", started=begun, stopped=begun + 1,
        )  # fmt: skip
    for number in range(20):
        service("StartExecution", FlowName="echo", ExecutionName=f"versioned-{number}", Qualifier="1")
    for number in range(count // 20):
        service("CreateFlow", Name=f"flow-{number:05}", Definition=PASS, Description="", Type="FDL")
    return service


def _between(count: int) -> Parameters:
    """Twenty executions in the middle."""
    middle = NOW + count // 2
    return {"StartedTimeBegin": iso(middle), "StartedTimeEnd": iso(middle + 19)}


PAGES: dict[str, Callable[[int], tuple[str, Parameters]]] = {
    "ListExecutions": lambda count: ("ListExecutions", {}),
    "ListExecutions, a page in the middle": lambda count: (
        "ListExecutions", {"NextToken": f"{round((NOW + count // 2) * 1000)}-{count // 2}"},
    ),
    "ListExecutions by status": lambda count: ("ListExecutions", {"Status": "Failed"}),
    "ListExecutions by prefix": lambda count: ("ListExecutions", {"ExecutionNamePrefix": "rare-"}),
    "ListExecutions by time": lambda count: ("ListExecutions", _between(count)),
    "ListExecutions by version": lambda count: ("ListExecutions", {"Qualifier": "1"}),
    "ListFlows": lambda count: ("ListFlows", {}),
    "ListFlows, a page in the middle": lambda count: ("ListFlows", {"NextToken": f"flow-{count // 40:05}"}),
}  # fmt: skip


def _medians(stores: tuple[Service, Service], ask: Callable[[int], tuple[str, Parameters]]) -> tuple[float, float]:
    """Median times in both stores, measured in turns."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for store, count, times in zip(stores, (FEW, MANY), took, strict=True):
            operation, parameters = ask(count)
            about = {"FlowName": "echo"} if operation == "ListExecutions" else {}
            request = signed_request(
                operation, {"Limit": 20, **about, **parameters}, access_key_id="cfmock", access_key_secret="-"
            )
            gc.disable()
            began = time.perf_counter()
            reply = store.emulator.handle(request)
            times.append(time.perf_counter() - began)
            gc.enable()
            assert reply.status == 200, reply  # type: ignore[union-attr]
            assert reply.body.count(b'"Description"') + reply.body.count(b'"FlowName"') == 20  # type: ignore[union-attr]
    return statistics.median(took[0]), statistics.median(took[1])
