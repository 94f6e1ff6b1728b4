"""What clients did after a failure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from cfmock.control.control import Control
from cfmock.control.part import worked_out
from cfmock.observe.call_record import CallRecord, Details
from cfmock.observe.retries import Retries, groups, shape
from cfmock.protocol.wire.messages import Request
from tests.support.call_records import call_record
from tests.support.calls import echo_flow, make_service

START = {"FlowName": "f", "ExecutionName": "e", "Input": "{}"}


class Client:
    """Makes records of calls, one after the other."""

    def __init__(self) -> None:
        self.now = 100.0
        self.records: list[CallRecord] = []

    def call(self, code: str | None = None, *, pause: float = 0.0, took: float = 0.0, **fields: Any) -> None:
        self.now += pause
        number = len(self.records)
        given: dict[str, Any] = {
            "operation": "StartExecution", "parameters": START, "status": 429 if code else 200, "code": code,
            "request_id": f"r{number}", "duration": took, "region": "r", "began": self.now, "nonce": f"n{number}",
            "timestamp": f"t{number}",
        } | fields  # fmt: skip
        self.records.append(call_record(**given))
        self.now += took + given.get("delay", 0.0)

    def group(self) -> Retries:
        (found,) = groups(self.records)
        return found


@pytest.fixture
def client() -> Client:
    return Client()


def test_equal_calls_after_a_failure_are_one_group(client: Client) -> None:
    client.call("ResourceThrottled", took=0.1)
    client.call("InternalServerError", pause=0.2, took=0.1)
    client.call(pause=0.4)
    found = client.group()
    assert (found.operation, found.flow, found.count) == ("StartExecution", "f", 3)
    assert found.spacing == (0.3, 0.5)
    assert found.codes == ("ResourceThrottled", "InternalServerError", None)
    assert found.request_ids == ("r0", "r1", "r2")
    assert found.recovered
    assert (found.same_nonce, found.same_timestamp, found.same_name) == (False, False, True)
    assert found.backoff == "exponential"


def test_equal_calls_after_a_success_are_none(client: Client) -> None:
    for _ in range(3):
        client.call(operation="DescribeExecution")
    client.call("ResourceThrottled")
    assert groups(client.records) == []


def test_a_success_ends_a_group_and_another_failure_begins_one(client: Client) -> None:
    for code in ("ResourceThrottled", None, None, "ResourceThrottled", "ResourceThrottled"):
        client.call(code, pause=1)
    assert [each.codes for each in groups(client.records)] == [
        ("ResourceThrottled", None), ("ResourceThrottled", "ResourceThrottled"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"operation": "StopExecution"}, {"parameters": {**START, "Input": "1"}}, {"access_key_id": "bk"},
        {"account": "2"}, {"region": "s"}, {"parameters": {**START, "FlowName": "g"}}, {"pause": 601},
    ],
    ids=str,
)  # fmt: skip
def test_another_call_is_no_retry(client: Client, other: dict[str, Any]) -> None:
    client.call("ResourceThrottled")
    client.call(**other)
    assert groups(client.records) == []


def test_calls_at_the_same_time_are_no_retries_of_each_other(client: Client) -> None:
    client.call("ResourceThrottled", took=5)
    client.now -= 4
    client.call("ResourceThrottled", took=1)
    client.now += 10
    client.call()
    (found,) = groups(client.records)
    assert found.request_ids == ("r0", "r2")


@pytest.mark.parametrize(
    ("names", "same"), [(("a", "a"), True), (("a", "b"), False), ((None, None), False), ((None, "a"), False)]
)
def test_a_start_is_repeated_under_whatever_name(client: Client, names: Sequence[str | None], same: bool) -> None:
    for code, name in zip(("ResourceThrottled", None), names, strict=True):
        client.call(code, parameters={"FlowName": "f", **({"ExecutionName": name} if name else {})})
    assert client.group().same_name is same


def test_an_operation_without_executions_has_no_name_to_use_again(client: Client) -> None:
    for code in ("ResourceThrottled", None):
        client.call(code, operation="ListFlows", parameters={})
    assert client.group().same_name is None


def test_a_lost_answer_is_a_failure_told_by_what_happened(client: Client) -> None:
    client.call(status=0, transport="reset")
    client.call(status=0, transport="left", delay=3.0, pause=0.5)
    client.call(transport="truncate")
    client.call(transport="slow", pause=0.5)
    found = client.group()
    assert found.codes == ("reset", "left", "truncate", None)
    assert found.spacing == (0.5, 3.0, 0.5)


def test_what_is_sent_again_as_it_was_is_told(client: Client) -> None:
    client.call("ResourceThrottled", nonce="n", timestamp="t")
    client.call(nonce="n", timestamp="t")
    assert (client.group().same_nonce, client.group().same_timestamp) == (True, True)


@pytest.mark.parametrize(
    ("wish", "pause", "honoured"), [(0.5, 0.5, True), (0.5, 0.48, True), (0.5, 0.2, False), (None, 0.2, None)]
)
def test_whether_a_wish_to_wait_was_honoured_is_told(
    client: Client, wish: float | None, pause: float, honoured: bool | None
) -> None:
    client.call("ResourceThrottled", details=Details(retry_after=wish), took=0.3)
    client.call(pause=pause)
    assert (client.group().honoured, client.group().retry_after) == (honoured, (wish, None))


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ((), None), ((0.001, 0.002), "none"), ((0.001,), "none"), ((0.5,), None),
        ((0.2, 0.21, 0.2), "fixed"), ((1.0, 1.1, 0.95), "fixed"), ((0.05, 0.06, 0.07), "fixed"),
        ((0.1, 0.2, 0.4, 0.8), "exponential"), ((0.1, 0.21, 0.44, 0.45, 0.44), "exponential"),
        ((0.001, 0.5, 1.0, 2.0), "exponential"), ((1, 3, 9), "exponential"),
        ((0.3, 0.1, 0.6), "jittered"), ((0.1, 0.2, 0.1, 0.2), "jittered"), ((0.1, 0.5, 0.6, 1.4), "jittered"),
        ((0.001, 0.5), None),
    ],
)  # fmt: skip
def test_the_shape_of_pauses_is_named(pauses: Sequence[float], expected: str | None) -> None:
    assert shape(pauses) == expected


def test_the_same_is_listed_over_http_and_told_in_words() -> None:
    service = make_service(echo_flow({}))
    control = Control(service.emulator)
    control.add_fault(
        {"when": {"operation": "StartExecution"}, "error": "ResourceThrottled", "times": 2, "retry_after": 0}
    )
    requests = [service.request("StartExecution", FlowName="echo", ExecutionName="a")] * 2
    requests.append(service.request("StartExecution", FlowName="echo", ExecutionName="a"))
    for request in requests:
        service.emulator.handle(Request(request.method, request.target, request.headers, request.body))
    (row,) = json.loads(json.dumps(worked_out(control.list_retries("StartExecution"))))
    assert {name: row[name] for name in ("operation", "count", "codes", "same_nonce", "same_name", "backoff")} == {
        "operation": "StartExecution", "count": 3, "codes": ["ResourceThrottled", "ResourceThrottled", None],
        "same_nonce": True, "same_name": True, "backoff": "none",
    }  # fmt: skip
    assert (row["retry_after"], row["honoured"], row["recovered"]) == ([0, 0, None], True, True)
    assert worked_out(control.list_retries("ListFlows")) == []
    assert len(next(control.list_retries("StartExecution"))()) == 1  # in a thread
    told = str(control.find_retries()[0])
    assert told.startswith("StartExecution 3 times, ")
    assert told.endswith(" apart (none): ResourceThrottled, ResourceThrottled, success")


def test_order_of_the_records_does_not_matter(client: Client) -> None:
    for code in ("ResourceThrottled", "InternalServerError", None):
        client.call(code, pause=0.2, took=0.1)
    expected = groups(client.records)
    for order in itertools.permutations(client.records):
        assert groups(order) == expected
