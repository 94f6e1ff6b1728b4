"""The examples in fixtures/: each file loads, and each flow and fault does what the comments in it say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow
from cfmock.api.client import signed_request
from cfmock.base import yaml_source
from cfmock.fixtures.loader import load
from cfmock.protocol.wire.messages import Reply
from tests.support.calls import Service, make_service

FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = Path(__file__).with_suffix(".yaml")
RUNS: list[dict[str, Any]] = yaml_source.parse(CASES.read_bytes(), CASES.name).value
EXERCISED_BELOW = {"credentials.yaml", "trouble.yaml"}


@pytest.fixture
def cf():
    with CloudFlow(FIXTURES, clock="virtual") as server:
        yield server


@pytest.fixture
def service() -> Service:
    return make_service(str(FIXTURES))


def said(run: dict[str, Any]) -> str:
    return f"{run['flow']}-{run.get('execution') or json.dumps(run.get('input'))}-{run.get('before', 0)}"


@pytest.mark.parametrize("run", RUNS, ids=said)
def test_an_execution_goes_as_its_fixture_says(cf, run):
    for _ in range(run.get("before", 0)):
        first = run.get("execution", "e")
        cf.run(run["flow"], run.get("input"), name=f"{first}-before")
    done = cf.run(run["flow"], run.get("input"), name=run.get("execution"))
    seen = {
        "status": done.status,
        "output": done.output,
        "error": done.error,
        "visits": list(done.visits),
        "duration": (done.stopped - done.started).total_seconds(),
    }
    wanted = {"status": "Succeeded", **{key: run[key] for key in seen if key in run}}
    assert {key: seen[key] for key in wanted} == wanted


def test_every_flow_has_a_case_here_and_every_file_a_flow_or_a_test_below():
    fixtures = load([FIXTURES])
    assert not fixtures.warnings
    assert {flow.name for flow in fixtures.flows} == {run["flow"] for run in RUNS}
    for path in FIXTURES.rglob("*.*"):
        if path.name not in EXERCISED_BELOW and not path.name.endswith(".fdl.yaml"):
            assert load([path]).flows, f"{path.name} has no flow: exercise it here and name it in EXERCISED_BELOW"


def test_every_file_says_what_it_is_for():
    for path in FIXTURES.rglob("*.yaml"):
        assert path.read_text(encoding="utf-8").startswith("# "), path.name


def test_past_executions_are_there_to_list(service):
    found = service("ListExecutions", FlowName="invoice_export")["Executions"]
    assert {each["Name"]: each["Status"] for each in found} == {
        "export-2023-12": "Succeeded",
        "export-2024-01": "Failed",
    }


def test_an_endless_execution_ends_by_being_stopped(service):
    service("StartExecution", FlowName="invoice_export", ExecutionName="endless-1")
    service.emulator.time.advance_to(service.emulator.clock.now() + 1e6)
    assert service("DescribeExecution", FlowName="invoice_export", ExecutionName="endless-1")["Status"] == "Running"
    service("StopExecution", FlowName="invoice_export", ExecutionName="endless-1")
    assert service("DescribeExecution", FlowName="invoice_export", ExecutionName="endless-1")["Status"] == "Stopped"


def test_the_third_poll_shows_the_end(service):
    service("StartExecution", FlowName="order_flow", ExecutionName="poll-1", Input='{"amount": 3}')
    polls = [service("DescribeExecution", FlowName="order_flow", ExecutionName="poll-1") for _ in range(3)]
    assert [poll["Status"] for poll in polls] == ["Running", "Running", "Succeeded"]
    assert json.loads(polls[2]["Output"]) == {"receipt": "r-3", "order": "poll-1"}


def test_a_large_order_waits_for_its_report(cf):
    cf.call("StartExecution", FlowName="order_flow", ExecutionName="large", Input={"amount": 2000})
    cf.clock.advance("1s")
    (task,) = cf.tasks("order_flow")
    assert (task["execution"], task["state"]) == ("large", "Approve")
    cf.call("ReportTaskSucceeded", TaskToken=task["token"], Output={})
    (done,) = cf.executions("order_flow")
    assert (done.status, done.output) == ("Succeeded", {"receipt": "r1", "parcel": "p1"})


def test_a_large_order_that_nobody_approves_is_refused_after_a_day(cf):
    cf.call("StartExecution", FlowName="order_flow", ExecutionName="large", Input={"amount": 2000})
    cf.clock.advance("1d")
    cf.clock.advance("1s")
    (done,) = cf.executions("order_flow")
    assert (done.status, done.error) == ("Failed", {"code": "OrderRefused", "detail": "the order was refused"})


def test_the_third_start_of_a_flaky_execution_comes_through(service):
    def start() -> Any:
        return service.send("StartExecution", FlowName="flaky_import", ExecutionName="import-1")

    first, second, third = start(), start(), start()
    assert (first.status, second.status, third.status) == (429, 500, 200)
    assert ("x-acs-retry-after", "200") in first.headers


def test_an_execution_whose_answer_is_lost_has_started_all_the_same(service):
    reply = service.send("StartExecution", FlowName="flaky_import", ExecutionName="lost-1")
    assert isinstance(reply, Reply)
    assert reply.transport.value == "reset"
    described = service("DescribeExecution", FlowName="flaky_import", ExecutionName="lost-1")
    assert described["Status"] == "Succeeded"
    reply = service.send("DescribeExecution", FlowName="flaky_import", ExecutionName="lost-1")
    assert isinstance(reply, Reply)
    assert 0.02 <= reply.delay <= 0.06


def test_the_third_list_in_a_second_is_throttled(service):
    for _ in range(2):
        service("ListExecutions", FlowName="flaky_import")
    assert service.refusal("ListExecutions", FlowName="flaky_import").code == "ResourceThrottled"
    service.emulator.time.advance_to(service.emulator.clock.now() + 1)
    service("ListExecutions", FlowName="flaky_import")


READER = {"access_key_id": "reader", "access_key_secret": "reader-secret"}
WORKER = {"access_key_id": "STS.worker", "access_key_secret": "worker-secret", "security_token": "worker-token"}
LATE = {"access_key_id": "STS.late", "access_key_secret": "late-secret", "security_token": "late-token"}


@pytest.mark.parametrize(
    ("key", "operation", "flow", "code"),
    [
        (READER, "ListExecutions", "order_flow", None),
        (READER, "StartExecution", "order_flow", "AccessDenied"),
        (READER, "ListExecutions", "flaky_import", "ServiceUnavailable"),
        (WORKER, "StartExecution", "order_flow", None),
        (WORKER | {"security_token": "another"}, "StartExecution", "order_flow", "AccessDenied"),
        (LATE, "StartExecution", "order_flow", "AccessDenied"),
        ({**READER, "access_key_id": "nobody"}, "StartExecution", "order_flow", "InvalidAccessKeyID"),
    ],
)
def test_each_key_may_do_what_its_entry_says(service, key, operation, flow, code):
    reply = service.emulator.handle(signed_request(operation, {"FlowName": flow}, **key))
    assert isinstance(reply, Reply)
    assert json.loads(reply.body).get("Code") == code
