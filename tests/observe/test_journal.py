"""What the journal keeps, for how long, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cfmock.api.client import signed_request
from cfmock.control import calls
from cfmock.control.control import Control
from cfmock.control.part import ControlError, NotFoundError, Work
from cfmock.emulator import records
from cfmock.emulator.worlds import pause
from cfmock.observe import call_ring, violation_kinds
from cfmock.observe.call_record import CallRecord, as_json, line, masked, whole
from cfmock.observe.journal import Journal, Warned
from cfmock.observe.violation_kinds import violation
from cfmock.protocol.wire.messages import Reply, Request
from cfmock.service import call_diagnostics
from tests.support.call_records import call_record
from tests.support.calls import echo_flow, make_service

DESCRIBE = {"FlowName": "f", "ExecutionName": "e"}


def record(**fields: Any) -> CallRecord:
    return call_record(**{"operation": "DescribeExecution", "parameters": DESCRIBE, **fields})


def ids(journal: Journal, **filters: Any) -> list[str]:
    return [each.request_id for each in journal.find(**filters)]


def test_the_oldest_calls_are_dropped_and_counted() -> None:
    journal = Journal(3)
    for number in range(5):
        journal.add(record(request_id=str(number)))
    assert ids(journal) == ["2", "3", "4"]
    assert journal.dropped() == 2


def test_its_bytes_are_bounded_too() -> None:
    journal = Journal(1000, max_bytes=100)
    for number in range(12):
        journal.add(record(request_id=str(number)))
    assert len(ids(journal)) == 10
    journal.add(record(request_id="long", size=95))
    assert ids(journal) == ["long"]
    journal.add(record(request_id="too long", size=101))
    assert ids(journal) == []
    assert journal.dropped() == 14


def test_all_worlds_have_one_bound_in_bytes() -> None:
    """There are as many worlds as keys and regions, and each could hold as much."""
    journal = Journal(1000, max_bytes=100)
    journal.add(record(request_id="other", account="2", size=30))
    for number in range(12):
        journal.add(record(request_id=str(number), began=float(number)))
    assert ids(journal, account="2") == ["other"]
    assert len(ids(journal)) == 8
    assert (journal.dropped(("2", None)), journal.dropped(("", None))) == (0, 5)
    journal.forget(("2", None))
    journal.add(record(request_id="12"))
    assert len(ids(journal)) == 8


def test_a_busy_world_does_not_push_out_the_calls_of_another() -> None:
    journal = Journal(2)
    journal.add(record(request_id="other", account="2"))
    for number in range(5):
        journal.add(record(request_id=str(number), began=float(number)))
    assert ids(journal, account="2") == ["other"]
    assert (journal.dropped(), journal.dropped(("2", None)), journal.dropped(("", None))) == (3, 0, 3)


def test_the_calls_of_all_worlds_are_told_in_the_order_of_their_answers() -> None:
    journal = Journal(10)
    journal.add(record(request_id="1", account="a", began=1.0, duration=1.0))
    journal.add(record(request_id="2", account="b", began=0.5, duration=2.0))
    journal.add(record(request_id="3", account="a", began=2.9, duration=0.1))
    assert ids(journal) == ["1", "2", "3"]


def test_forgetting_a_world_leaves_the_others() -> None:
    journal = Journal(1)
    for region in ("cn-hangzhou", "cn-beijing"):
        journal.add(record(request_id="dropped", region=region))
        journal.add(record(request_id=region, region=region))
        journal.warn(Warned(0.0, ("", region), region))
    journal.forget(scope=(None, "cn-beijing"))
    assert ids(journal) == ["cn-hangzhou"]
    assert journal.dropped() == 1
    assert [each.text for each in journal.warnings()] == ["cn-hangzhou"]
    journal.forget()
    assert (ids(journal), journal.dropped(), journal.warnings()) == ([], 0, [])


@pytest.mark.parametrize(
    "filters",
    [
        {"operation": "DescribeExecution"}, {"flow": "f"}, {"execution": "e"}, {"code": ""}, {"status": 200},
        {"status": "200"}, {"access_key_id": "ak"}, {"request_id": "r"}, {"fault": "slow"}, {"account": ""},
        {"region": "cn-hangzhou"}, {"ExecutionName": "e"}, {"flow": "f", "ExecutionName": "e", "code": None},
    ],
)  # fmt: skip
def test_calls_are_found_by_each_of_their_fields(filters: dict[str, Any]) -> None:
    journal = Journal(10)
    journal.add(record(faults=("slow", "x")))
    assert ids(journal, **filters) == ["r"]
    other = {name: "other" if name != "code" else "AccessDenied" for name in filters}
    assert ids(journal, **other) == []


def test_only_what_the_operation_does_not_know_is_masked_if_it_is_called_secret() -> None:
    given = {"TaskToken": "t", "AccessKeySecret": "s", "DbPassword": "p", "Other": "o"}
    assert masked(given, {"TaskToken"}) == {
        "TaskToken": "t", "AccessKeySecret": "***", "DbPassword": "***", "Other": "o",
    }  # fmt: skip
    assert masked(given, given.keys()) is given


def test_a_line_of_the_journal_file_is_the_call_as_the_admin_api_lists_it() -> None:
    one = record(parameters={"Input": '{"a":"你好\\n"}'})
    assert line(one).count("\n") == 1
    assert json.loads(line(one)) == as_json(one)
    assert as_json(one).items() <= whole(one).items()


def test_a_call_without_answer_has_no_status() -> None:
    service = make_service(echo_flow(), {"faults": [{"transport": "reset", "name": "cut"}]})
    service.send("ListFlows")
    (call,) = service.emulator.journal.find()
    assert (call.status, call.code, call.transport, call.faults) == (0, None, "reset", ("cut",))


def test_the_token_of_a_temporary_key_is_not_kept_though_the_gateway_repeats_it() -> None:
    key = {"access_key_id": "STS.a", "access_key_secret": "s", "security_token": "to+ken/1"}
    service = make_service({"credentials": [key]}, errors="gateway")
    signed = signed_request("ListFlows", {}, access_key_id="STS.a", access_key_secret="s", security_token="to+ken/1")
    reply = service.emulator.handle(Request("GET", signed.target.replace("Signature=", "Signature=x"), {"host": "h"}))
    assert isinstance(reply, Reply)
    assert b"SecurityToken%3Dto%252Bken%252F1" in reply.body
    (call,) = service.emulator.journal.find()
    assert str(call.message).endswith("server string to sign is:***")
    assert call.details.signature is not None
    assert "SecurityToken%3D***" in str(call.details.signature.to_mapping()["string_to_sign"])
    assert "ken%252F1" not in line(call)


def test_what_was_no_known_operation_is_kept_in_the_default_world() -> None:
    service = make_service()
    service.send("StratExecution")
    assert [call.operation for call in service.emulator.journal.find(("", "cn-hangzhou"))] == ["StratExecution"]


# -- asked through the control -----------------------------------------------------------------------------------------


def test_a_list_tells_what_is_missing_from_it() -> None:
    service = make_service(echo_flow(), journal_size=2)
    for _ in range(5):
        service("ListFlows")
    found = Control(service.emulator).list_calls(limit=1)
    assert (len(found["calls"]), found["dropped"], found["warnings"]) == (1, 3, [])


@pytest.mark.parametrize(("limit", "count"), [(0, 0), (2, 2), (3, 3), (9, 3), (None, 3)])
def test_a_limit_takes_the_newest(limit: int | None, count: int) -> None:
    service = make_service(echo_flow())
    for name in ("a", "b", "c"):
        service("StartExecution", FlowName="echo", ExecutionName=name)
    found = Control(service.emulator).list_calls(limit=limit)["calls"]
    assert [each["parameters"]["ExecutionName"] for each in found] == ["a", "b", "c"][3 - count :]


def test_an_answer_holds_so_much_and_says_where_older_calls_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MAX_SIZE", 10_000)
    service = make_service(echo_flow())
    for number in range(9):
        service("ListFlows", NextToken="t", Padding=str(number) * 3_000)
    control, found, after = Control(service.emulator), [], None
    for _ in range(9):
        page = control.list_calls(after=after)
        assert 1 <= len(page["calls"]) <= 3
        found = [each["parameters"]["Padding"][0] for each in page["calls"]] + found
        after = page.get("next")
        if after is None:
            break
    assert found == list("012345678")
    assert "next" not in control.list_calls(operation="StartExecution")
    assert control.list_calls(after="0F")["calls"] == [], "the journal has dropped it, and all before it"
    with pytest.raises(ControlError, match="after: 'x' is not the `next` of a page"):
        control.list_calls(after="x")


def test_a_call_that_is_larger_than_an_answer_is_shown_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MAX_SIZE", 10)
    service = make_service(echo_flow())
    for name in ("a", "b"):
        service("StartExecution", FlowName="echo", ExecutionName=name)
    page = Control(service.emulator).list_calls()
    assert [each["parameters"]["ExecutionName"] for each in page["calls"]] == ["b"]
    assert page["next"] == page["calls"][0]["request_id"]


def test_a_violation_and_a_warning_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    long = violation("success assumed", "x" * 5_000, operation="y" * 5_000, code="z" * 5_000, answer="a")
    assert all(len(text) <= violation_kinds.LONGEST for text in long)
    service = make_service(echo_flow())
    service.emulator.worlds.default().warn("w" * 5_000)
    (warned,) = service.emulator.journal.warnings()
    assert len(warned.text) == call_diagnostics.LONGEST


def test_retries_are_looked_for_in_so_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MAX_SORTED", 4)
    service = make_service(echo_flow())
    for _ in range(9):
        service.refusal("DescribeFlow", Name="none")
    (group,) = Control(service.emulator).find_retries()
    assert group.count == 4


def test_waiting_counts_calls_that_the_journal_does_not_keep() -> None:
    service = make_service(echo_flow(), journal_size=1)
    told: list[str] = []
    control = Control(service.emulator)
    control.when_called(4, lambda: told.append("four"), operation="ListFlows")
    for number in range(4):
        assert told == []
        service("ListFlows")
        service("DescribeRegions")
        assert bool(told) is (number == 3)
    control.when_called(1, lambda: told.append("at once"), operation="DescribeRegions")
    assert told == ["four", "at once"]
    assert service.emulator.journal.listeners == []


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls are a block, and others have their turn behind each of them."""
    monkeypatch.setattr(call_ring, "BLOCK", 2)
    monkeypatch.setattr(calls, "BLOCKS", 1)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("regions", [["cn-hangzhou"], ["cn-hangzhou", "cn-beijing"]], ids=len)
def test_others_have_their_turn_while_calls_are_searched(regions: list[str]) -> None:
    service = make_service(echo_flow())
    for number in range(10):
        service("ListFlows", RegionId=regions[number % len(regions)])
    control, turns = Control(service.emulator), 0
    wanted = control.list_calls()["calls"]
    steps, found = control.list_calls_in_steps(operation="List*"), list[Any]()

    def searched() -> Iterator[Work]:
        found.append((yield from steps))

    for work in searched():
        assert work is pause
        turns += 1
        service("ListFlows")  # comes too late for the answer
    assert found[0]["calls"] == wanted
    assert turns >= 5
    after = wanted[4]["request_id"]
    assert control.list_calls(after=after)["calls"] == wanted[:4]
    assert control.list_calls(after=after, operation="DescribeFlow")["calls"] == []


@pytest.mark.usefixtures("small_blocks")
def test_a_call_that_comes_while_others_are_counted_counts_once() -> None:
    service, told = make_service(echo_flow()), list[str]()
    control = Control(service.emulator)
    for _ in range(5):
        service("ListFlows")
    steps = control.when_called_in_steps(7, lambda: told.append("seven"), operation="ListFlows")
    assert next(steps) is pause
    service("ListFlows")
    assert list(steps) == [pause] * 2
    assert told == []
    service("ListFlows")
    assert told == ["seven"]
    left = control.when_called_in_steps(9, lambda: told.append("nine"), operation="ListFlows")
    next(left)
    left.close()  # the client has left
    assert service.emulator.journal.listeners == []


def test_one_call_is_asked_for_by_its_request_id() -> None:
    service = make_service(echo_flow())
    request_id = service("ListFlows")["RequestId"]
    shown = Control(service.emulator).show_call(request_id)
    assert (shown["operation"], shown["request_id"], shown["near_misses"]) == ("ListFlows", request_id, [])
    with pytest.raises(NotFoundError, match="no call 'nope'"):
        Control(service.emulator).show_call("nope")


def test_a_call_has_the_beginning_of_its_answer_where_that_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    service = make_service(echo_flow(), {"faults": [{"when": {"call": 3}, "transport": "hang"}]})
    control = Control(service.emulator)
    right = service.send("DescribeFlow", Name="echo")
    assert isinstance(right, Reply)
    service.send("DescribeFlow", Name="x")
    service.send("ListFlows")
    shown = [control.show_call(each.request_id) for each in service.emulator.journal.find()]
    assert shown[0]["answer"] == right.body.decode()
    assert shown[0]["answer_bytes"] == len(right.body)
    assert [(each["answer"], each["answer_bytes"]) for each in shown[1:]] == [(None, 0), (None, 0)]
    monkeypatch.setattr(records, "MAX_ANSWER", 30)
    service.send("DescribeFlow", Name="echo")
    *_, last = service.emulator.journal.find()
    assert len(control.show_call(last.request_id)["answer"]) == 30


def test_a_call_is_kept_as_what_was_there_and_not_as_a_copy_of_it() -> None:
    service = make_service(echo_flow())
    reply = service.emulator.handle(service.request("StartExecution", FlowName="echo", Input="{}"))
    (record,) = service.emulator.journal.find()
    assert record.reply is reply
    assert record.call.operation is service.emulator.spec.operations["StartExecution"]
