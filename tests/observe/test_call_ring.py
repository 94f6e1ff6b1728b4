"""Queries of the journal: what is found, and what is passed over."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from msgspec.structs import replace

from cfmock.observe import call_ring
from cfmock.observe.call_record import CallRecord
from cfmock.observe.call_ring import BLOCK, CallRing, matches
from cfmock.protocol.wire.encode import Rendered
from tests.support.call_records import call_record


def record(number: int, **given: Any) -> CallRecord:
    fields: dict[str, Any] = {
        "operation": ("ListFlows", "StartExecution", "DescribeExecution")[number % 3],
        "parameters": {
            "FlowName": f"f{number % 5}", **({"ExecutionName": f"e{number // 2}"} if number % 3 else {}),
        },
        "status": 200 + number % 2, "code": None if number % 4 else "InvalidArgument", "request_id": f"r{number}",
        "account": "a", "region": "r", "began": float(number), "faults": ("slow",) if number % 7 == 0 else (),
    }  # fmt: skip
    return call_record(**{**fields, **given})


def found_in(ring: CallRing, wanted: dict[str, Any]) -> Iterator[CallRecord]:
    return chain.from_iterable(ring.find_by_blocks(wanted))


QUERIES: list[dict[str, Any]] = [
    {}, {"operation": "StartExecution"}, {"operation": "*Execution", "flow": "f3"}, {"operation": "Delete*"},
    {"execution": "e400"}, {"execution": "*40?"}, {"flow": "[fg]3", "code": "Invalid*"},
    {"request_id": "r1000"}, {"code": ""}, {"code": "InvalidArgument", "status": "200"}, {"status": 201}, {"fault": "slow"},
    {"FlowName": "f2"}, {"Nothing": "x"}, {"access_key_id": "other"}, {"flow": "f1", "code": "", "fault": "slow"},
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_what_is_found_is_what_matches_whatever_has_come_and_gone(query: dict[str, Any]) -> None:
    chance, ring, kept = random.Random(3), CallRing(), list[CallRecord]()
    for number in range(6 * BLOCK):
        ring.add(record(number))
        kept.append(record(number))
        if chance.random() < 0.4:
            ring.drop()
            del kept[0]
        if number % 500 == 0:
            list(found_in(ring, query))
    assert list(found_in(ring, query)) == [each for each in kept if matches(each, query)]
    assert (len(ring), ring.bytes, ring.dropped) == (len(kept), 10 * len(kept), 6 * BLOCK - len(kept))


def test_blocks_without_such_a_call_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CallRing()
    for number in range(20 * BLOCK):
        ring.add(record(number))
    assert list(found_in(ring, {"execution": "e1000"}))  # what values there are is known from here on
    tested = []
    plain = call_ring._test

    def counting(name: str, value: Any) -> Any:
        test = plain(name, value)
        return lambda each: (tested.append(each), test(each))[1]  # type: ignore[func-returns-value]

    monkeypatch.setattr(call_ring, "_test", counting)
    assert list(found_in(ring, {"execution": "e1001"}))
    assert len(tested) <= 2 * BLOCK


def test_a_glob_of_a_code_or_name_covers_no_call_without_one() -> None:
    ring = CallRing()
    for number in range(2 * BLOCK):
        ring.add(record(number))
    assert [each.request_id for each in found_in(ring, {"execution": "*100", "flow": "f*"})] == ["r200"]
    assert all(each.code for each in found_in(ring, {"code": "*"}))
    assert len(list(found_in(ring, {"code": "*"}))) == BLOCK // 2


def test_a_call_that_is_replaced_is_found_as_what_it_became() -> None:
    ring = CallRing()
    for number in range(3 * BLOCK):
        ring.add(record(number))
    assert not list(found_in(ring, {"code": "Left"}))
    ring.replace("r7", lambda each: replace(each, said=Rendered("Left", 0, "")))
    assert [each.request_id for each in found_in(ring, {"code": "Left"})] == ["r7"]


def test_a_glob_is_held_against_each_operation_and_not_against_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, asked = CallRing(), []
    for number in range(6 * BLOCK):
        ring.add(record(number))
    monkeypatch.setattr(call_ring, "glob_matches", lambda *given: asked.append(given) or given[1].startswith("Start"))
    assert len(list(found_in(ring, {"operation": "Start*"}))) == 2 * BLOCK
    assert len(asked) <= 3 * 7
