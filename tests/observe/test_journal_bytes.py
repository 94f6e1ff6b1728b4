"""What the journal says that its calls take is what they take, and nothing else is kept of a call for long."""

from __future__ import annotations

import gc
import itertools
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from cfmock.base.short_text import LONGEST
from cfmock.protocol.wire.messages import Reply, Request
from tests.support.calls import Service, echo_flow, make_service

Make = Callable[[int], Request]

LONG = "x" * 50_000
CALLS = 12
"""Calls of each kind that are measured."""


def form(fields: dict[str, str], number: int, **headers: str) -> Request:
    """An unsigned call; no two are alike."""
    given = {"Version": "2019-03-15", "SignatureNonce": f"nonce-{number}", **fields}
    body = "&".join(f"{name}={quote(value)}" for name, value in given.items()).encode()
    return Request("POST", "/", {"host": "127.0.0.1", **headers}, body)


def describe(number: int, **fields: str) -> Request:
    return form({"Action": "DescribeFlow", "Name": f"flow-{number}", **fields}, number)


def as_json(number: int, text: str) -> Request:
    fields = {"Action": "StartExecution", "Version": "2019-03-15", "FlowName": f"flow-{number}", "Input": text}
    headers = {"host": "h", "content-type": "application/json"}
    return Request("POST", "/", headers, json.dumps(fields, ensure_ascii=False).encode())


def with_headers(number: int) -> Request:
    return form(
        {"Action": "ListFlows", "SignatureNonce": ""}, number, **{
            "x-acs-signature-nonce": f"{number}{LONG}", "x-acs-date": f"{number}{LONG}", "x-acs-accesskey-id": f"{number}{LONG}",
            "host": f"{number}.{LONG}", "content-type": f"application/x-www-form-urlencoded; {number}={LONG}",
        },
    )  # fmt: skip


KINDS: dict[str, Make] = {
    "small": describe,
    "a long value": lambda number: describe(number, Name=f"{number}{LONG}"),
    "wide characters": lambda number: as_json(number, f"{number}\N{GRINNING FACE}{LONG}"),
    "many parameters": lambda number: describe(number, **{f"a{each}": "" for each in range(15)}),
    "a long name": lambda number: describe(number, **{f"{number}{LONG}": "v"}),
    "headers": with_headers,
    "no such action": lambda number: form({"Action": f"{number}{LONG}"}, number),
    "a start that is refused": lambda number: form({"Action": "StartExecution", "FlowName": f"{number}{LONG}"}, number),
    "near misses": lambda number: form(
        {"Action": "StartExecution", "FlowName": "echo", "Input": json.dumps({"kind": LONG, "n": number})}, number
    ),
}


def service_of(**settings: Any) -> Service:
    outcomes = [{"when": {"input": {"kind": "a"}}, "status": "Succeeded"}]
    return make_service(echo_flow(*outcomes), **{"auth": "off", "journal_size": 100_000, **settings})


def send(service: Service, make: Make, numbers: Iterator[int], count: int) -> None:
    for number in itertools.islice(numbers, count):
        assert isinstance(service.emulator.handle(make(number)), Reply)


def counted(service: Service) -> int:
    return sum(record.size for record in service.emulator.journal.find())


@pytest.mark.parametrize("kind", KINDS)
def test_its_count_of_bytes_is_near_to_what_its_calls_take(kind: str) -> None:
    service, make, numbers = service_of(), KINDS[kind], itertools.count()
    send(service, make, numbers, 1)
    gc.collect()
    before = counted(service)
    tracemalloc.start()
    try:
        send(service, make, numbers, CALLS)
        service("DeleteFlow", Name="echo")  # with its executions
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    said = counted(service) - before
    assert said / 4 < taken < said * 1.5 + 100_000, (said, taken)


@pytest.mark.parametrize("settings", [{"auth": "strict"}, {"auth": "off", "errors": "gateway"}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_is_not_kept_leaves_nothing_behind_it(kind: str, settings: dict[str, Any]) -> None:
    service, make, numbers = service_of(journal_size=0, **settings), KINDS[kind], itertools.count()
    send(service, make, numbers, 1)
    gc.collect()
    tracemalloc.start()
    try:
        send(service, make, numbers, CALLS)
        service("DeleteFlow", Name="echo")  # with its executions
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 400_000  # the newest violations are kept


def test_of_long_nonces_dates_key_ids_and_names_the_beginning_is_kept() -> None:
    service = service_of()
    service.emulator.handle(with_headers(1))
    service.emulator.handle(describe(2, **{f"other{LONG}": "value", "Name": LONG}))
    by_header, by_form = service.emulator.journal.find()
    assert {len(text) for text in (by_header.nonce, by_header.timestamp, by_header.access_key_id)} == {LONGEST}
    assert {name[:5]: len(name) for name in by_form.parameters} == {"Name": 4, "other": LONGEST}
    assert by_form.parameters["Name"] == LONG
