"""The stream of changes."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from cfmock import CloudFlow
from cfmock.api import access
from cfmock.control.control import Control
from cfmock.observe.change_feed import MAX_CHANGES
from tests.support.calls import task_flow
from tests.support.waiting import PATIENCE


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    flows = [{"name": "f"}, *task_flow("Charge", tasks={"Charge": [{"waits": True}]})["flows"]]
    with CloudFlow({"cfmock": 1, "flows": flows}, clock="virtual") as server:
        yield server


def number(cf: CloudFlow) -> int:
    return access.ask(cf, lambda control: control.emulator.shared.feed.number)


def lines(cf: CloudFlow, query: str) -> list[dict[str, Any]]:
    """All lines of a stream that ends by itself."""
    with urllib.request.urlopen(f"{cf.url}/_cfmock/changes?{query}", timeout=PATIENCE) as answer:
        assert answer.headers.get_content_type() == "application/jsonl"
        return [json.loads(line) for line in answer]


def told(cf: CloudFlow, since: int) -> list[tuple[str, str]]:
    """What has changed since a number, kind and id."""
    return [(each["kind"], each["id"]) for each in lines(cf, f"since={since}&wait=0s")]


def test_what_changes_is_told_by_kind_and_id(cf: CloudFlow) -> None:
    before = number(cf)
    call = cf.call("StartExecution", FlowName="f", ExecutionName="e")
    assert told(cf, before) == [("execution", "f/e"), ("call", call["RequestId"])]
    before = number(cf)
    cf.call("UpdateFlow", Name="f", Description="x")
    cf.fault(name="slow", when={"operation": "ListFlows"}, delay="1ms")
    cf.clock.advance("1s")
    assert {kind: id for kind, id in told(cf, before) if kind != "call"} == {"flow": "f", "fault": "slow", "clock": ""}
    before = number(cf)
    cf.call("ListFlows")
    assert ("fault", "slow") in told(cf, before)


def test_a_task_that_waits_or_is_over_is_told(cf: CloudFlow) -> None:
    before = number(cf)
    cf.call("StartExecution", FlowName="order", ExecutionName="e")
    assert ("task", "order/e") in told(cf, before)
    before = number(cf)
    cf.call("ReportTaskSucceeded", TaskToken=cf.tasks()[0]["token"], Output={})
    assert {("task", "order/e"), ("execution", "order/e")} <= set(told(cf, before))


def test_an_id_names_its_world_where_that_is_not_the_default_one(cf: CloudFlow) -> None:
    cf.call("ListFlows", RegionId="cn-beijing")
    before = number(cf)
    cf.call("StartExecution", FlowName="f", ExecutionName="e", RegionId="cn-beijing")
    (found,) = (id for kind, id in told(cf, before) if kind == "execution")
    path, _, world = found.partition("?")
    assert (path, world.endswith("&region=cn-beijing")) == ("f/e", True)
    with urllib.request.urlopen(f"{cf.url}/_cfmock/executions/{found}", timeout=PATIENCE) as answer:
        assert json.load(answer)["region"] == "cn-beijing"


def mark(control: Control) -> None:
    """One change more."""
    control.emulator.worlds.default().changed("flow", "f")


def test_it_goes_on_after_any_number_and_knows_which_are_too_old(cf: CloudFlow) -> None:
    for name in ("a", "b"):
        cf.call("StartExecution", FlowName="f", ExecutionName=name)
    every = lines(cf, "since=0&wait=0s")
    assert [each["number"] for each in every] == sorted(each["number"] for each in every)
    for at, line in enumerate(every):
        assert lines(cf, f"since={line['number']}&wait=0s") == every[at + 1 :]
    assert lines(cf, "wait=0s") == []
    for too_old in (5, number(cf) + 1):
        (line,) = lines(cf, f"since={too_old}&wait=0s")
        assert (line["kind"], line["number"], line["id"]) == ("reset", number(cf), "")
    before = number(cf)
    access.ask(cf, lambda control: [mark(control) for _ in range(MAX_CHANGES + 1)])
    assert told(cf, before) == [("reset", "")]
    before = number(cf)
    cf.reset()
    assert told(cf, before)[0] == ("reset", "")


def test_many_changes_are_told_in_few_lines(cf: CloudFlow) -> None:
    before = number(cf)
    for at in range(20):
        cf.call("StartExecution", FlowName="f", ExecutionName=f"e{at}")
    last = cf.calls()[-1].request_id
    assert told(cf, before) == [("execution", "f/e19"), ("call", last)]


def test_who_reads_is_told_as_it_happens_and_at_most_ten_lines_a_second(cf: CloudFlow) -> None:
    found: list[dict[str, Any]] = []
    began = time.monotonic()
    reader = threading.Thread(target=lambda: found.extend(lines(cf, f"since={number(cf)}&wait=1500ms")))
    reader.start()
    while reader.is_alive():
        cf.call("StartExecution", FlowName="f")
        time.sleep(0.01)
    reader.join()
    took = time.monotonic() - began
    assert {"call", "execution"} <= {each["kind"] for each in found}
    assert len(found) <= 10 * took + 6
    assert len({each["number"] for each in found}) == len(found)


def test_who_does_not_read_holds_up_nobody_and_nobody_is_followed_afterwards(cf: CloudFlow) -> None:
    where = urlsplit(cf.url)
    with socket.create_connection((where.hostname or "", where.port or 0)) as connection:
        connection.sendall(b"GET /_cfmock/changes?since=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        for _ in range(50):
            cf.call("StartExecution", FlowName="f")
        assert access.ask(cf, lambda control: control.emulator.shared.scheduler.on_turn) is not None
    deadline = time.monotonic() + PATIENCE
    while access.ask(cf, lambda control: control.emulator.shared.scheduler.on_turn) is not None:
        assert time.monotonic() < deadline
        cf.call("ListFlows")
        time.sleep(0.02)
    assert access.ask(cf, lambda control: control.emulator.shared.feed.wake) is None


def test_who_reads_is_told_of_executions_that_just_go_on(cf: CloudFlow) -> None:
    waits = [{"Type": "Wait", "Name": name, "Seconds": 60, "Next": after} for name, after in ("ab", "bc")]
    states = [*waits, {"Type": "Wait", "Name": "c", "Seconds": 60, "End": True}]
    flow = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "waits", "StartAt": "a", "States": states}
    cf.load({"cfmock": 1, "flows": [{"name": "waits", "definition": flow}]})
    cf.call("StartExecution", FlowName="waits", ExecutionName="e")
    access.ask(cf, lambda control: control.follow_progress(True))
    before = number(cf)
    cf.clock.advance("61s")
    assert ("execution", "waits/e") in told(cf, before)
    access.ask(cf, lambda control: control.follow_progress(False))
    before = number(cf)
    cf.clock.advance("61s")
    assert [kind for kind, _ in told(cf, before)] == ["clock"]


def test_a_server_that_stops_ends_its_streams() -> None:
    with CloudFlow() as cf:
        answer = urllib.request.urlopen(f"{cf.url}/_cfmock/changes", timeout=PATIENCE)
        began = time.monotonic()
    with answer:
        assert answer.read() == b""
    assert time.monotonic() - began < PATIENCE
