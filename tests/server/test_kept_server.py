"""A server with a state file: what was answered is in the file, also where the disk is full for a while."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow, ServiceError
from cfmock.api.client import signed_request
from cfmock.service.store.state_file import StateFile
from tests.support.calls import PASS, echo_flow

FIXTURE = {"cfmock": 1, **echo_flow()}


def test_what_was_answered_is_there_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with CloudFlow(FIXTURE, state=path) as cf:
        cf.call("StartExecution", FlowName="echo", ExecutionName="e", Input={"a": 1})
        ended = cf.call("DescribeExecution", FlowName="echo", ExecutionName="e")
    with CloudFlow(FIXTURE, state=path) as cf:
        found = cf.call("DescribeExecution", FlowName="echo", ExecutionName="e")
    assert found | {"RequestId": ""} == ended | {"RequestId": ""}


def test_a_mapping_that_was_loaded_is_there_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with CloudFlow(state=path) as cf:
        cf.load({"cfmock": 1, **echo_flow({"status": "Failed"})})
    with CloudFlow(state=path) as cf:
        assert cf.run("echo").status == "Failed"


def test_an_answer_waits_for_its_batch_and_one_batch_serves_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    write = StateFile.write

    def counted(self: StateFile, changes: list[Any]) -> None:
        batches.append(len(changes))
        write(self, changes)

    monkeypatch.setattr(StateFile, "write", counted)

    async def drive() -> None:
        async with CloudFlow(FIXTURE, state=tmp_path / "state.db") as cf:
            starts = [cf.call_async("StartExecution", FlowName="echo", ExecutionName=f"e{n}") for n in range(50)]
            await asyncio.gather(*starts)
            with sqlite3.connect(tmp_path / "state.db") as other:
                (number,) = other.execute("SELECT count(*) FROM executions").fetchone()
            other.close()
            assert number == 50

    asyncio.run(drive())
    assert len(batches) < 50


def test_calls_that_change_nothing_are_answered_where_faults_count_them(tmp_path: Path) -> None:
    with CloudFlow(FIXTURE, state=tmp_path / "state.db") as cf:
        cf.fail("StopExecution", "InternalServerError", times=1)
        for _ in range(3):
            cf.call("ListFlows")
        assert len(cf.calls("ListFlows")) == 3


def test_what_went_on_while_the_disk_was_full_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, full = StateFile.write, False

    def failing(self: StateFile, changes: Any) -> None:
        if full:
            raise sqlite3.OperationalError("database or disk is full")
        write(self, changes)

    monkeypatch.setattr(StateFile, "write", failing)
    monkeypatch.setattr("cfmock.server.state_writer.AGAIN", 0.5)
    late = {"cfmock": 1, **echo_flow({"after": "10s"})}
    with CloudFlow(late, state=tmp_path / "state.db", clock="virtual") as cf:
        cf.call("StartExecution", FlowName="echo", ExecutionName="e")
        full = True
        with pytest.raises(ServiceError, match="InternalServerError"):
            cf.call("StartExecution", FlowName="echo", ExecutionName="lost")
        full = False
        cf.clock.advance(20)  # of what is in memory, before the file is read again
        assert names_when_there_are_any(cf) == ["e"]
        assert cf.call("DescribeExecution", FlowName="echo", ExecutionName="e")["Status"] == "Running"
        cf.clock.advance(10)
        assert cf.call("DescribeExecution", FlowName="echo", ExecutionName="e")["Status"] == "Succeeded"


def test_a_call_that_waits_for_its_batch_is_answered_when_the_server_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, begun, go_on = StateFile.write, threading.Event(), threading.Event()

    def slow(self: StateFile, changes: list[Any]) -> None:
        if any("late" in str(value() if callable(value) else value) for change in changes for value in change):
            begun.set()
            assert go_on.wait(60)
        write(self, changes)

    monkeypatch.setattr(StateFile, "write", slow)
    with ThreadPoolExecutor(1) as pool:
        with CloudFlow(FIXTURE, state=tmp_path / "state.db") as cf:
            request = signed_request(
                "StartExecution", {"FlowName": "echo", "ExecutionName": "late"},
                access_key_id=cf.access_key_id, access_key_secret=cf.access_key_secret,
            )  # fmt: skip
            client = HTTPConnection(cf.endpoint)  # that stays
            client.request(request.method, request.target, request.body, dict(request.headers))
            answered = pool.submit(client.getresponse)
            assert begun.wait(60)
            threading.Timer(0.1, go_on.set).start()
        assert answered.result().status == 200
        client.close()


def names_when_there_are_any(cf: CloudFlow) -> list[str]:
    while True:
        with contextlib.suppress(ServiceError):
            return [each["Name"] for each in cf.call("ListExecutions", FlowName="echo")["Executions"]]


def test_a_full_disk_is_an_internal_error_and_nothing_that_was_not_kept_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = StateFile.write
    full = False

    def failing(self: StateFile, changes: Any) -> None:
        if full:
            raise sqlite3.OperationalError("database or disk is full")
        write(self, changes)

    monkeypatch.setattr(StateFile, "write", failing)
    monkeypatch.setattr("cfmock.server.state_writer.AGAIN", 0.01)
    with CloudFlow(FIXTURE, state=tmp_path / "state.db") as cf:
        cf.call("StartExecution", FlowName="echo", ExecutionName="kept")
        full = True
        for operation, given in (
            ("StartExecution", {"FlowName": "echo", "ExecutionName": "lost"}),
            ("ListFlows", {}),
        ):
            with pytest.raises(ServiceError, match="InternalServerError") as error:
                cf.call(operation, **given)
            assert error.value.request_id
        full = False
        assert names_when_there_are_any(cf) == ["kept"]
        cf.call("CreateFlow", Name="after", Definition=PASS, Description="", Type="FDL")
    with CloudFlow(FIXTURE, state=tmp_path / "state.db") as cf:
        assert {each["Name"] for each in cf.call("ListFlows")["Flows"]} == {"after", "echo"}
