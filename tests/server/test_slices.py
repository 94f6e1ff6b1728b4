"""Flows that never come to an end: others are served meanwhile, and what one call, run or advance sets going has a bound."""

from __future__ import annotations

import asyncio
import gc
import json
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cfmock import CfmockError, ClockStopped, CloudFlow
from cfmock.base import clocks
from cfmock.control.control import Control
from tests.support.calls import NOW, echo_flow, make_service, task_flow

START = datetime.fromtimestamp(NOW, timezone.utc)
BOUND = 40
"""Executions that one call, run or advance may set going here."""


def starter(name: str, *others: str, wait: int = 0, **more: Any) -> dict[str, Any]:
    """A flow that starts executions of others one after the other, after so many seconds."""
    first = {"Type": "Wait", "Seconds": wait} if wait else {"Type": "Pass"}
    states = [
        {**first, "Name": "Wait", "Next": "Start0"},
        *(
            {
                "Type": "Task", "Name": f"Start{number}", "Action": "FNF:StartExecution",
                "Parameters": {"resourceArn": f"acs:fnf:::flow/{other}"}, "Next": f"Start{number + 1}", **more,
            }
            for number, other in enumerate(others)
        ),
        {"Type": "Wait", "Name": f"Start{len(others)}", "Seconds": 1, "End": True},
    ]  # fmt: skip
    return {
        "name": name,
        "definition": {"Type": "StateMachine", "SpecVersion": "v1", "Name": name, "StartAt": "Wait", "States": states},
    }


FLOWS: dict[str, Any] = {
    "cfmock": 1,
    "flows": [
        starter("endless", "endless"), starter("twice", "twice", "twice"), starter("later", "later", wait=60),
        starter("loops", "one"), *task_flow("Work", name="one")["flows"], *echo_flow()["flows"],
        starter("long", *["one"] * 10), {**starter("express", "endless"), "execution_mode": "Express"},
    ],
}  # fmt: skip


def virtual(**settings: Any) -> CloudFlow:
    return CloudFlow(FLOWS, clock="virtual", now=START, max_starts_per_advance=BOUND, **settings)


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices that are over after each step."""
    monkeypatch.setattr(clocks, "SLICE", -1.0)
    monkeypatch.setattr("cfmock.engine.scheduler.AHEAD", 0)


# -- on a virtual clock ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_slices")
@pytest.mark.asyncio
async def test_an_answer_leaves_when_what_the_call_set_going_has_ended_and_others_are_served_meanwhile() -> None:
    async with virtual() as cf:
        order: list[str] = []

        async def call(operation: str, flow: str | None = None) -> None:
            await cf.call_async(operation, **({} if flow is None else {"FlowName": flow}))
            order.append(flow or operation)

        await asyncio.gather(call("StartExecution", "long"), call("ListFlows"), call("StartExecution", "echo"))
        assert order == ["ListFlows", "echo", "long"]
        assert [each.status for each in cf.executions("one")] == ["Succeeded"] * 10


@pytest.mark.usefixtures("short_slices")
@pytest.mark.parametrize("operation", ["call", "run"])
def test_so_from_another_thread(operation: str) -> None:
    with virtual() as cf:
        if operation == "call":
            assert cf.call("StartExecution", FlowName="long")["Status"] == "Running"
        else:
            assert cf.run("long").status == "Succeeded"
        assert [each.status for each in cf.executions("one")] == ["Succeeded"] * 10


@pytest.mark.usefixtures("short_slices")
@pytest.mark.asyncio
async def test_plain_methods_in_a_running_loop_go_on_to_the_end() -> None:
    async with virtual() as cf:
        cf.call("StartExecution", FlowName="long")
        assert cf.run("long").status == "Succeeded"
        assert [each.status for each in cf.executions("one")] == ["Succeeded"] * 20


@pytest.mark.usefixtures("short_slices")
def test_an_answer_over_http_waits_too() -> None:
    with virtual() as cf:

        def start(flow: str) -> int:
            url = f"{cf.url}/?Action=StartExecution&Version=2019-03-15&FlowName={flow}"
            with urllib.request.urlopen(url, timeout=60) as answer:
                return int(answer.status)

    with virtual(auth="off") as cf:
        assert start("long") == 200
        assert [each.status for each in cf.executions("one")] == ["Succeeded"] * 10


@pytest.mark.parametrize("flow", ["endless", "twice"])
def test_a_call_that_sets_too_much_going_is_answered_and_a_warning_says_so(flow: str) -> None:
    with virtual() as cf:
        assert cf.call("StartExecution", FlowName=flow)["Status"] == "Running"
        begun = len(cf.executions(flow))
        assert BOUND < begun <= BOUND + 2
        assert "more than 40 executions" in cf.warnings[-1]
        assert cf.run("echo").status == "Succeeded", "others are not touched"
        with pytest.raises(ClockStopped):
            cf.clock.advance(0)
        more = len(cf.executions(flow)) - begun
        assert BOUND < more <= BOUND + 2, "what is left goes on when the clock is moved"


@pytest.mark.parametrize("slices", [-1.0, 60.0])
def test_who_waits_for_the_end_of_what_was_stopped_is_answered_with_what_there_is(
    slices: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "SLICE", slices)
    with virtual() as cf:
        found = cf.call("StartSyncExecution", FlowName="express")
        assert found["Status"] == "Running"
        assert "more than 40 executions" in cf.warnings[-1]


@pytest.mark.parametrize("move", ["advance", "advance_to", "run"])
def test_a_run_or_an_advance_that_sets_too_much_going_says_where_the_clock_stands(move: str) -> None:
    with virtual() as cf:
        cf.call("StartExecution", FlowName="later")
        moves = {
            "advance": lambda: cf.clock.advance("365d"),
            "advance_to": lambda: cf.clock.advance_to(START + timedelta(days=365)),
            "run": lambda: cf.run("endless"),
        }
        with pytest.raises(ClockStopped, match="more than 40 executions were started") as caught:
            moves[move]()
        minutes = 0 if move == "run" else BOUND + 1
        assert caught.value.now == cf.clock.now == START + timedelta(minutes=minutes)
        assert "max_starts_per_advance" in caught.value.reason
        assert isinstance(caught.value, CfmockError)


def test_in_a_running_loop_too() -> None:
    async def main() -> None:
        async with virtual() as cf:
            for move in (lambda: cf.run("endless"), lambda: cf.clock.advance(1)):
                with pytest.raises(ClockStopped):
                    move()
            for awaited in (cf.run_async("endless"), cf.clock.advance_async(1)):
                with pytest.raises(ClockStopped):
                    await awaited

    asyncio.run(main())


def test_what_schedules_start_counts_too_if_its_outcome_is_canned() -> None:
    service = make_service(
        echo_flow({}, name="canned"),
        {**echo_flow(), "schedules": [{"name": "s", "flow": flow, "cron": "@every 1m"} for flow in ("canned", "echo")]},
        max_starts_per_advance=BOUND,
    )
    service.emulator.worlds.default()
    service.emulator.time.advance_to(NOW + BOUND / 2 * 60)
    with pytest.raises(ClockStopped):
        service.emulator.time.advance_to(NOW + 365 * 86_400)
    assert service.emulator.clock.now() == NOW + (BOUND + 1) * 60


def test_the_admin_api_says_whether_the_moment_was_reached() -> None:
    with virtual() as cf:

        def advance(span: str) -> dict[str, Any]:
            request = urllib.request.Request(f"{cf.url}/_cfmock/clock", json.dumps({"advance": span}).encode())
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: dict[str, Any] = json.load(answer)
                return found

        assert advance("1s") == {"now": "2024-06-01T00:00:01.000Z", "kind": "virtual", "reached": True, "reason": None}
        cf.call("StartExecution", FlowName="endless")
        moved = advance("1s")
        assert (moved["now"], moved["reached"]) == ("2024-06-01T00:00:01.000Z", False)
        assert moved["reason"] == "more than 40 executions were started (max_starts_per_advance)"


@pytest.mark.usefixtures("short_slices")
@pytest.mark.asyncio
async def test_awaited_moves_of_the_clock_let_others_go_on() -> None:
    async with virtual() as cf:
        cf.call("StartExecution", FlowName="later")
        seen: list[datetime] = []

        async def look() -> None:
            while not moved.done():
                seen.append(cf.clock.now)
                await asyncio.sleep(0)

        moved = asyncio.ensure_future(cf.clock.advance_async("10m"))
        await look()
        await moved
        assert len(set(seen)) >= 10, "each step of it could be seen"


@pytest.mark.usefixtures("short_slices")
@pytest.mark.asyncio
@pytest.mark.parametrize("clock", ["virtual", "real"])
async def test_garbage_is_looked_for_in_what_one_slice_has_made(clock: str) -> None:
    # Left alone, Python looks when much more is there than at the last look: never, while as many executions go as come.
    made: list[int] = []
    async with CloudFlow(
        FLOWS, clock=clock, now=START if clock == "virtual" else None, max_starts_per_advance=BOUND
    ) as cf:

        def look(phase: str, info: dict[str, int]) -> None:
            if phase == "start" and info["generation"] == 0:
                made.append(len(cf.executions("later" if clock == "virtual" else "endless")))

        gc.disable()
        gc.callbacks.append(look)
        try:
            if clock == "virtual":
                cf.call("StartExecution", FlowName="later")
                await cf.clock.advance_async("10m")
            else:
                await cf.call_async("StartExecution", FlowName="endless")
                while len(cf.executions("endless")) < 10:
                    await asyncio.sleep(0)
        finally:
            gc.callbacks.remove(look)
            gc.enable()
    assert len(set(made)) >= 9, "at each step of it"


@pytest.mark.usefixtures("short_slices")
@pytest.mark.asyncio
async def test_a_reset_ends_what_is_under_way() -> None:
    async with virtual() as cf:
        cf.call("StartExecution", FlowName="later")
        moved = asyncio.ensure_future(cf.clock.advance_async("10m"))
        called = asyncio.ensure_future(cf.call_async("StartExecution", FlowName="endless"))
        while cf.clock.now == START or not cf.executions("endless"):
            await asyncio.sleep(0)
        cf.reset()
        with pytest.raises(ClockStopped, match="reset"):
            await moved
        assert (await called)["Status"] == "Running"
        assert cf.clock.now == START


@pytest.mark.usefixtures("short_slices")
@pytest.mark.asyncio
async def test_the_end_of_the_server_ends_it_too() -> None:
    async with virtual() as cf:
        cf.call("StartExecution", FlowName="later")
        moved = asyncio.ensure_future(cf.clock.advance_async("10m"))
        while cf.clock.now == START:
            await asyncio.sleep(0)
    with pytest.raises(ClockStopped, match="the server ends"):
        await moved


# -- on a real clock ---------------------------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize("flow", ["endless", "twice"])
async def test_on_a_real_clock_a_flow_without_end_is_answered_and_others_are_served(
    flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "SLICE", -1.0)
    monkeypatch.setattr("cfmock.engine.scheduler.AHEAD", 0)
    async with CloudFlow(FLOWS, max_starts_per_advance=BOUND) as cf:
        assert (await cf.call_async("StartExecution", FlowName=flow))["Status"] == "Running"
        while len(cf.executions(flow)) < 3 * BOUND:
            for _ in range(200):
                await asyncio.sleep(0)
        assert (await cf.call_async("ListFlows"))["Flows"]
        assert cf.warnings == []


def test_a_tick_ends_with_its_slice_however_much_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = make_service(FLOWS, clock="real").emulator
    control = Control(emulator)
    for _ in range(10):
        control.start("later", None, None)
    monkeypatch.setattr(clocks, "SLICE", -1.0)
    monkeypatch.setattr("cfmock.engine.scheduler.AHEAD", 0)
    monkeypatch.setattr(emulator.clock, "steady", lambda: 1e12)
    emulator.time.tick()
    assert sum(len(row.events) > 3 for row in control.find_executions("later")) == 1  # one has left its wait
