"""Pages that somebody visits cannot call the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cfmock import CloudFlow
from cfmock.api.client import signed_request
from cfmock.server.web_pages import PageDoor
from tests.support.raw import exchange, parsed

FOREIGN = [
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-site",
    "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: new-word",
    "Origin: null",
    "Origin: http://evil.example",
    "Origin: http://127.0.0.1.evil.example",
    "Origin: http://localhost@evil.example",
    "Origin: http://evil.example\\@localhost",
    "Origin: file://",
    "Origin: http://localhost\r\nOrigin: http://evil.example",
    "Origin: http://localhost:3000\r\nSec-Fetch-Site: cross-site",
    "Origin: http://friend.example\r\nOrigin: http://evil.example",
    "origin: http://evil.example\r\nsec-fetch-site: same-origin",
]
OWN = [
    "Origin: http://localhost:3000",
    "Origin: https://127.0.0.1:8790",
    "Origin: http://[::1]",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
]
ALLOWED = ["Origin: http://friend.example\r\nSec-Fetch-Site: cross-site", "Origin: http://friend.example:80"]


@pytest.fixture(params=["documented", "gateway"])
def cf(request: pytest.FixtureRequest) -> Iterator[CloudFlow]:
    with CloudFlow(errors=request.param, allow_origin=["http://friend.example"]) as server:
        yield server


def called(cf: CloudFlow, lines: str, host: str = "127.0.0.1") -> tuple[int, str | None, dict[str, str]]:
    """A signed call with these headers: status, code and the headers of the answer."""
    keys = {"access_key_id": cf.access_key_id, "access_key_secret": cf.access_key_secret}
    target = signed_request("ListFlows", {}, **keys).target
    status, headers, body = parsed(
        exchange(cf.url, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n".encode())
    )
    assert not any(name.startswith("access-control") for name in headers)
    return status, body.get("Code"), headers


def test_what_comes_from_another_site_is_refused_and_written_down(cf: CloudFlow) -> None:
    for lines in FOREIGN:
        for host in ("127.0.0.1", "evil.example"):
            assert called(cf, lines, host)[:2] == (403, "AccessDenied"), lines
    calls = cf.calls()
    assert len(calls) == 2 * len(FOREIGN)
    assert {(call.operation, call.status, call.code) for call in calls} == {("ListFlows", 403, "AccessDenied")}
    assert "--allow-origin" in str(calls[0].message)


def test_what_comes_from_this_machine_or_an_allowed_origin_is_served(cf: CloudFlow) -> None:
    for lines in OWN + ALLOWED:
        assert called(cf, lines)[:2] == (200, None), lines


def test_a_refused_call_has_no_effect(cf: CloudFlow) -> None:
    keys = {"access_key_id": cf.access_key_id, "access_key_secret": cf.access_key_secret}
    request = signed_request("CreateFlow", {"Name": "f", "Type": "FDL", "Definition": "", "Description": ""}, **keys)
    head = f"POST {request.target} HTTP/1.1\r\nHost: h\r\nOrigin: null\r\nContent-Length: {len(request.body)}\r\n\r\n"
    status, _, body = parsed(exchange(cf.url, head.encode() + request.body))
    assert (status, body["Code"]) == (403, "AccessDenied")
    assert cf.call("ListFlows")["Flows"] == []


def test_an_allowed_origin_may_not_steer(cf: CloudFlow) -> None:
    data = b"GET /_cfmock/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://friend.example\r\n\r\n"
    assert parsed(exchange(cf.url, data))[0] == 403


def test_the_address_bound_is_a_name_of_its_own() -> None:
    door = PageDoor.of("192.168.0.7", ())
    assert door.refusal({"Origin": "http://192.168.0.7:8790"}) is None
    assert door.refusal({"Origin": "http://192.168.0.8:8790"}) is not None
