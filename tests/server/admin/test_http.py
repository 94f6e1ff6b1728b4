"""Who may use the admin API."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from cfmock import CloudFlow
from cfmock.control import flows
from cfmock.control.endpoints import ENDPOINTS
from cfmock.server.admin import http as admin_http
from cfmock.server.admin.guard import Guard
from cfmock.server.admin.openapi import openapi
from cfmock.server.turns import LARGE
from tests.support.calls import task_flow
from tests.support.raw import connect, exchange, parsed, read_answer
from tests.support.waiting import PATIENCE, until


def refused(guard: Guard, **headers: str) -> int:
    """The status of the refusal, 0 if there is none."""
    found = guard.refusal({name.replace("_", "-"): value for name, value in headers.items()})
    return found[0] if found else 0


LOCAL = Guard("127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8790",
        "localhost:1",
        "LOCALHOST",
        "[::1]:8790",
        "127.8.8.8:80",
        "x.localhost",
        "http://127.0.0.1:80",
    ],
)
def test_loopback_names_pass_whatever_the_port(host: str) -> None:
    assert refused(LOCAL, Host=host) == 0


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "",
        "[::2]",
        "0x7f.1",
        "a b",
        "[::1",
        "evil.example\\@127.0.0.1",
        "127.0.0.1\\",
        "user@127.0.0.1",
        "http://user:x@localhost",
    ],
)
def test_foreign_names_are_refused(host: str) -> None:
    assert refused(LOCAL, Host=host) == 403


def test_the_address_bound_is_a_name_of_its_own() -> None:
    assert refused(Guard("192.168.0.7", loopback=True), Host="192.168.0.7:80") == 0


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1:8790", "http://127.0.0.1:1", "null", "x"])
def test_other_origins_are_refused(origin: str) -> None:
    expected = 0 if origin == "https://127.0.0.1:8790" else 403
    assert refused(LOCAL, Host="127.0.0.1:8790", Origin=origin) == expected


def test_what_a_browser_calls_cross_site_is_refused() -> None:
    assert refused(LOCAL, Host="127.0.0.1", Sec_Fetch_Site="cross-site") == 403
    assert refused(LOCAL, Host="127.0.0.1", Sec_Fetch_Site="same-origin") == 0


@pytest.mark.parametrize(
    "lines",
    [
        "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nOrigin: http://evil.example",
        "Host: 127.0.0.1\r\nHost: evil.example",
    ],
)
def test_a_second_origin_or_host_is_refused(cf: CloudFlow, lines: str) -> None:
    for path in ("calls", "health"):
        data = f"GET /_cfmock/{path} HTTP/1.1\r\n{lines}\r\n\r\n".encode()
        assert parsed(exchange(cf.url, data))[0] in (400, 403)


def test_a_request_of_http_before_1_0_is_refused(cf: CloudFlow) -> None:
    answer = exchange(cf.url, b"GET /_cfmock/health\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_with_a_token_a_host_is_still_one() -> None:
    guard = Guard("0.0.0.0", token="secret", loopback=False)
    for host in ("evil.example\\@127.0.0.1", "user@cfmock.internal"):
        assert refused(guard, Host=host, Authorization="Bearer secret") == 403


def test_with_a_token_it_is_required_and_any_host_will_do() -> None:
    guard = Guard("0.0.0.0", token="secret", loopback=False)
    assert refused(guard, Host="cfmock.internal") == 401
    assert refused(guard, Host="cfmock.internal", Authorization="Bearer wrong") == 401
    assert refused(guard, Host="cfmock.internal", Authorization="Bearer secret") == 0
    assert (
        refused(guard, Host="cfmock.internal", Authorization="bearer secret") == 0
    )  # schemes have no case (RFC 9110, 11.1)
    assert refused(guard, Host="cfmock.internal", Authorization="Basic secret") == 401
    assert refused(guard, Host="x", Authorization="Bearer secret", Origin="http://evil.example") == 403


@pytest.mark.parametrize(
    "guard",
    [Guard("0.0.0.0", loopback=False), Guard("0.0.0.0", token="secret", loopback=False), Guard("::1", token="s")],
)
def test_what_is_public_is_there_under_any_name_but_not_for_web_pages(guard: Guard) -> None:
    assert guard.refusal({"Host": "cfmock.internal"}, public=True) is None
    assert guard.refusal({"Host": "127.0.0.1", "Origin": "http://evil.example"}, public=True) is not None


def test_what_is_public_is_not_there_for_foreign_names_of_this_machine() -> None:
    assert LOCAL.refusal({"Host": "localhost"}, public=True) is None
    assert LOCAL.refusal({"Host": "evil.example"}, public=True) is not None


def test_bound_elsewhere_without_a_token_there_is_no_admin_api() -> None:
    guard = Guard("0.0.0.0", loopback=False)
    assert not guard.open
    assert refused(guard, Host="127.0.0.1") == 403


# -- over HTTP ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def cf() -> Iterator[CloudFlow]:
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f"}]}) as server:
        yield server


def ask(cf: CloudFlow, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"{cf.url}/_cfmock/{path}", json.dumps(body).encode() if body is not None else None,
        {name.replace("_", "-"): value for name, value in headers.items()}, method=method,
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_every_route_refuses_a_foreign_host_and_a_foreign_origin(cf: CloudFlow, endpoint: Any) -> None:
    path = endpoint.path.replace("{", "").replace("}", "")
    assert ask(cf, endpoint.method, path, Host="evil.example")[0] == 403
    assert ask(cf, endpoint.method, path, Origin="http://evil.example")[0] == 403


def test_a_refused_call_changes_nothing(cf: CloudFlow) -> None:
    assert ask(cf, "POST", "faults", {"error": "AccessDenied"}, Origin="http://evil.example")[0] == 403
    assert ask(cf, "GET", "faults") == (200, {"faults": []})


def test_no_answer_lets_a_web_page_read_it(cf: CloudFlow) -> None:
    data = b"GET /_cfmock/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n\r\n"
    _, headers, _ = parsed(exchange(cf.url, data))
    assert not any(name.startswith("access-control") for name in headers)
    preflight = b"OPTIONS /_cfmock/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n\r\n"
    status, headers, _ = parsed(exchange(cf.url, preflight))
    assert status in (403, 405)
    assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize(
    "path", ["_cfmockfaults", "_cfmock../faults", "%5fcfmock/faults", "_CFMOCK/faults", "x/_cfmock/faults"]
)
def test_paths_that_only_look_like_the_admin_api_are_not(cf: CloudFlow, path: str) -> None:
    data = f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    assert parsed(exchange(cf.url, data))[2]["Code"] == "ActionNotSupported"


def test_what_is_not_there_is_404_and_a_wrong_method_405(cf: CloudFlow) -> None:
    assert ask(cf, "GET", "nothing")[0] == 404
    assert ask(cf, "PUT", "faults", {}) == (405, {"error": "faults takes GET, POST, DELETE"})
    assert ask(cf, "DELETE", "faults/nope")[0] == 404


@pytest.mark.parametrize(
    ("path", "allowed"), [("faults", "GET, POST, DELETE"), ("faults/x", "DELETE"), ("openapi.json", "GET")]
)
def test_a_wrong_method_is_told_the_right_ones(cf: CloudFlow, path: str, allowed: str) -> None:
    data = f"PATCH /_cfmock/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    status, headers, _ = parsed(exchange(cf.url, data))
    assert (status, headers["allow"]) == (405, allowed)


def test_an_id_that_is_empty_removes_nothing(cf: CloudFlow) -> None:
    cf.fault(delay="1ms")
    assert ask(cf, "DELETE", "faults/")[0] == 404
    assert ask(cf, "DELETE", "faults//")[0] == 404
    assert len(ask(cf, "GET", "faults")[1]["faults"]) == 1


def test_an_id_may_be_escaped(cf: CloudFlow) -> None:
    fault = cf.fault(delay="1ms")
    assert ask(cf, "DELETE", "faults/" + "".join(f"%{ord(letter):02x}" for letter in fault.id))[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "faults", {"error": "Nope"}), ("POST", "faults", []), ("POST", "faults", {"when": {}}),
        ("POST", "fixtures", {"cfmock": 1, "flows": [{"nme": "x"}]}), ("POST", "fixtures", 3),
        ("POST", "fixtures", {"cfmock": 1, "flows": [{"name": "x", "definition": {"file": "/etc/passwd"}}]}),
        ("POST", "fixtures", {"cfmock": 1, "settings": {"task_hosts": ["evil"]}}),
        ("POST", "outcomes", {"status": "Failed"}), ("POST", "outcomes", {"flow": "f", "status": "Nope"}),
        ("POST", "mocks", {"flow": "f"}), ("POST", "mocks", {"flow": "f", "task": "t", "mocks": [{"retruns": {}}]}),
        ("POST", "clock", {"advance": "soon"}), ("POST", "clock", {"advance": "1h"}), ("POST", "clock", {}),
        ("POST", "mocks?region=nowhere", {"flow": "f", "task": "t", "mocks": []}),
        ("GET", "calls?wait=5s&region=nowhere", None),
        ("POST", "executions", {}), ("POST", "executions", {"flow": "f", "nme": "x"}),
        ("POST", "executions", {"flow": "f", "name": 3}),
        ("POST", "executions", {"flow": "f", "input": 3}), ("POST", "executions", {"flow": "f", "name": "a b"}),
        ("POST", "tasks/x", {}), ("POST", "tasks/x", {"fail": {}}),
        ("GET", "executions?limit=0", None), ("GET", "executions?limit=1001", None), ("GET", "executions?after=x", None),
        ("GET", "executions?status=Suceeded", None), ("GET", "executions?events=true", None),
        ("GET", "calls?limit=x", None), ("GET", "calls?operaton=x", None), ("GET", "calls?wait=long", None),
    ],
)  # fmt: skip
def test_bad_input_is_400_with_a_reason(cf: CloudFlow, method: str, path: str, body: Any) -> None:
    status, answer = ask(cf, method, path, body)
    assert status == 400
    assert isinstance(answer["error"], str)
    for named in ("limit", "after", "status", "events"):
        assert named in answer["error"] or f"{named}=" not in path


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("executions", {"flwo": "f", "name": 3}, ("'flwo'", "did you mean 'flow'", "name: 3 is not text", "'flow' is missing")),
        ("executions", [], ("[] is not a mapping with flow, name, input",)),
        ("tasks/x", {"fail": {"code": "a", "detial": "b"}}, ("'detial'", "did you mean 'detail'")),
        ("tasks/x", {"fail": {"code": ""}}, ("code: '' is empty",)),
    ],
)  # fmt: skip
def test_all_mistakes_of_a_body_are_named_with_the_likely_word(
    cf: CloudFlow, path: str, body: Any, error: tuple[str, ...]
) -> None:
    status, answer = ask(cf, "POST", path, body)
    assert status == 400
    for words in error:
        assert words in answer["error"]


def test_a_query_parameter_is_given_once(cf: CloudFlow) -> None:
    answer = {"error": "query parameter 'limit' is given twice"}
    assert ask(cf, "GET", "flows?limit=1&limit=2") == (400, answer)


def test_a_body_that_is_no_json_is_400(cf: CloudFlow) -> None:
    data = b"POST /_cfmock/faults HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\n{a:"
    assert parsed(exchange(cf.url, data))[::2] == (400, {"error": "the body is not JSON"})


def test_faults_are_added_listed_counted_and_removed(cf: CloudFlow) -> None:
    status, added = ask(
        cf, "POST", "faults", {"name": "slow", "when": {"operation": "ListFlows"}, "error": "ResourceThrottled"}
    )
    assert status == 200
    with pytest.raises(Exception, match="ResourceThrottled"):
        cf.call("ListFlows")
    (rule,) = ask(cf, "GET", "faults")[1]["faults"]
    assert (rule["id"], rule["name"], rule["hits"], rule["error"]) == (added["id"], "slow", 1, "ResourceThrottled")
    assert ask(cf, "DELETE", f"faults/{added['id']}")[0] == 200
    assert cf.call("ListFlows")


def test_the_description_names_every_route(cf: CloudFlow) -> None:
    status, described = ask(cf, "GET", "openapi.json")
    assert status == 200
    assert {f"/_cfmock/{endpoint.path}" for endpoint in ENDPOINTS} <= described["paths"].keys()
    for endpoint in ENDPOINTS:
        assert described["paths"][f"/_cfmock/{endpoint.path}"][endpoint.method.lower()]["operationId"] == endpoint.name


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if "$ref" in value else []
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from references(part)


def test_the_description_refers_to_what_it_has_and_has_nothing_else(cf: CloudFlow) -> None:
    described = ask(cf, "GET", "openapi.json")[1]
    assert "security" not in described
    named = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert named == set(references(described))


def test_with_a_token_the_description_asks_for_it(cf: CloudFlow) -> None:
    described = openapi(["cn-hangzhou"], token=True)
    assert described["security"] == [{"token": []}]
    assert described["paths"]["/_cfmock/health"]["get"]["security"] == []


def test_a_key_whose_value_is_null_is_not_given(cf: CloudFlow) -> None:
    status, added = ask(cf, "POST", "faults", {"delay": 0, "times": None, "when": {"flow": None}, "name": None})
    assert status == 200
    assert cf.call("ListFlows")
    assert ask(cf, "GET", "faults")[1]["faults"][0]["hits"] == 1
    assert added["name"] == added["id"]


def test_one_execution_is_found_by_a_name_that_is_percent_encoded(cf: CloudFlow) -> None:
    cf.call("StartExecution", FlowName="f", ExecutionName="order-1")
    assert ask(cf, "GET", "executions/f/order%2d1")[1]["name"] == "order-1"
    assert ask(cf, "GET", "executions/f/order-1/history?limit=1")[1]["next"] == "1"
    status, answer = ask(cf, "GET", "executions/f/order-2")
    assert (status, answer["error"]) == (404, "there is no execution 'order-2' of flow 'f' (did you mean 'order-1'?)")
    assert ask(cf, "GET", "executions/f/a%2fb")[0] == 404


def test_an_execution_is_started_and_stopped(cf: CloudFlow) -> None:
    cf.outcome("f", when={"execution": "long"}, status="Running")
    status, started = ask(cf, "POST", "executions", {"flow": "f", "name": "long", "input": {"a": 1}})
    assert (status, started["name"], started["status"]) == (200, "long", "Running")
    assert ask(cf, "GET", "executions/f/long")[1]["input"] == {"a": 1}
    assert ask(cf, "POST", "executions", {"flow": "f", "name": "long"})[1]["started"] == started["started"]
    status, stopped = ask(cf, "POST", "executions/f/long/stop")
    assert (status, stopped["status"]) == (200, "Stopped")
    for path, body in (("executions/f/long/stop", None), ("executions", {"flow": "f", "name": "long"})):
        status, answer = ask(cf, "POST", path, body)
        assert (status, answer["error"].partition(":")[0][:16]) == (409, "ExecutionAlready")
    assert ask(cf, "POST", "executions", {"flow": "f"})[1]["status"] == "Succeeded"
    assert ask(cf, "POST", "executions/f/none/stop")[0] == 404
    status, answer = ask(cf, "POST", "executions", {"flow": "ff"})
    assert (status, answer["error"]) == (404, "there is no flow 'ff' (did you mean 'f'?)")


def test_a_task_is_reported_by_its_token(cf: CloudFlow) -> None:
    cf.load({"cfmock": 1, **task_flow("Charge", "Ship", tasks={"FC:InvokeFunction": [{"waits": True}]})})
    for name in ("a", "b", "c"):
        assert ask(cf, "POST", "executions", {"flow": "order", "name": name})[1]["status"] == "Running"
    (one, other, third) = ask(cf, "GET", "tasks")[1]["tasks"]
    token = quote(one["token"], safe="")
    assert ask(cf, "POST", f"tasks/{token}", {"succeed": 3})[0] == 400
    assert ask(cf, "POST", f"tasks/{token}", {"succeed": {"paid": True}}) == (200, {})
    told = ask(cf, "GET", "executions/order/a")[1]
    assert [each["state"] for each in told["waiting"]] == ["Ship"]
    assert told["tasks"][0]["tries"][0]["answered_by"] == "report"
    assert told["tasks"][0]["tries"][0]["result"] == {"paid": True}
    assert ask(cf, "POST", f"tasks/{token}", {"succeed": {}})[0] == 409
    assert ask(cf, "POST", f"tasks/{quote(other['token'], safe='')}", {"fail": {"code": "No", "detail": "x"}})[0] == 200
    assert ask(cf, "GET", "executions/order/b")[1]["error"] == {"code": "No", "detail": "x"}
    assert ask(cf, "POST", f"tasks/{quote(third['token'], safe='')}", {"fail": {"code": "No"}}) == (200, {})
    assert ask(cf, "GET", "executions/order/c")[1]["error"] == {"code": "No", "detail": ""}
    assert ask(cf, "POST", "tasks/nonsense", {"succeed": {}})[0] == 404


CHRAGE = {"flow": "order", "task": "Chrage", "mocks": [{"waits": True}]}
STRIKES_NOTHING = {"when": {"operation": "StartExecutoin"}, "error": "AccessDenied"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("mocks", CHRAGE, "flow 'order' has no task 'Chrage' (did you mean 'Charge'?)"),
        (
            "faults", STRIKES_NOTHING,
            "when.operation: 'StartExecutoin' is not an operation (did you mean 'StartExecution'?)",
        ),
    ],
)  # fmt: skip
def test_a_name_that_nothing_has_is_refused_with_the_one_meant(cf: CloudFlow, path: str, body: Any, words: str) -> None:
    cf.load({"cfmock": 1, **task_flow("Charge")})
    assert ask(cf, "POST", path, body) == (400, {"error": words})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("executions?flow=ordr", "there is no flow 'ordr' (did you mean 'order'?)"),
        ("tasks?flow=ordr", "there is no flow 'ordr' (did you mean 'order'?)"),
        ("calls?operation=StratExecution", "there is no operation 'StratExecution' (did you mean 'StartExecution'?)"),
        ("calls?operation=Foo*&wait=60s", "there is no operation 'Foo*'"),
        ("retries?operation=ListFlow", "there is no operation 'ListFlow' (did you mean 'ListFlows'?)"),
    ],
)
def test_a_filter_for_what_nothing_has_is_refused_with_the_one_meant(cf: CloudFlow, path: str, words: str) -> None:
    cf.load({"cfmock": 1, **task_flow("Charge")})
    assert ask(cf, "GET", path) == (400, {"error": words})


@pytest.mark.parametrize(
    "path", ["executions?flow=order", "tasks?flow=order", "calls?operation=Start*", "retries?operation=L*"]
)
def test_a_filter_that_nothing_passes_gives_an_empty_list(cf: CloudFlow, path: str) -> None:
    cf.load({"cfmock": 1, **task_flow("Charge")})
    status, found = ask(cf, "GET", path)
    assert (status, found[path.partition("?")[0]]) == (200, [])


@pytest.mark.parametrize(
    ("path", "body", "waiting"),
    [
        ("mocks", {"flow": "ordr", "task": "Charge", "mocks": [{"waits": True}]}, "the mock of its task 'Charge'"),
        ("outcomes", {"flow": "ordr"}, "this outcome"),
        ("faults", {"when": {"flow": "ordr"}, "name": "slow", "delay": 1}, "the fault 'slow'"),
    ],
)
def test_a_flow_that_may_still_come_is_a_warning(cf: CloudFlow, path: str, body: Any, waiting: str) -> None:
    cf.load({"cfmock": 1, **task_flow("Charge")})
    assert ask(cf, "POST", path, body)[0] == 200
    (warning,) = ask(cf, "GET", "calls")[1]["warnings"]
    told = f"there is no flow 'ordr' (did you mean 'order'?): {waiting} has no effect until it comes"
    assert warning["text"] == told


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_trace_that_a_call_belongs_to_is_kept_with_it(cf: CloudFlow, method: str) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    lines = (
        f"{method} /?Action=ListFlows HTTP/1.1\r\nHost: 127.0.0.1\r\nTraceparent: {trace}\r\nContent-Length: 0\r\n\r\n"
    )
    exchange(cf.url, lines.encode())
    cf.call("ListFlows")
    assert [call["traceparent"] for call in ask(cf, "GET", "calls")[1]["calls"]] == [trace, None]
    assert [call.traceparent for call in cf.calls()] == [trace, None]


def test_a_query_has_a_bound(cf: CloudFlow) -> None:
    status, answer = ask(cf, "GET", "calls?" + "&".join(["limit=1"] * 102))
    assert (status, answer) == (400, {"error": "a query has at most 100 parameters"})


def test_pages_of_the_default_world_go_on_where_they_ended(cf: CloudFlow) -> None:
    for name in "abc":
        cf.call("StartExecution", FlowName="f", ExecutionName=name)
    found, query = [], ""
    while query is not None:
        page = ask(cf, "GET", f"executions?limit=1{query}")[1]
        found += [each["name"] for each in page["executions"]]
        query = f"&after={quote(page['next'])}" if "next" in page else None
    assert found == ["c", "b", "a"]
    cf.load({"cfmock": 1, "flows": [{"name": "g"}]})
    after = ask(cf, "GET", "flows?limit=1")[1]["next"]
    assert [each["name"] for each in ask(cf, "GET", f"flows?after={quote(after)}")[1]["flows"]] == ["g"]


@pytest.mark.parametrize(
    "value", [{}, {"a": []}, {"a": [1, {"b": [{"c": [[2]]}, None]}], "d": {"é": "\ud800"}}, [], "x"]
)
def test_an_answer_in_slices_is_the_same_and_lets_others_have_their_turn(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_http, "SLICE", 0.0)
    monkeypatch.setattr(admin_http, "_WHOLE", 0)
    turns = 0

    async def answered() -> bytes:
        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.ensure_future(others())
        answer: Any = await admin_http._in_slices(value)
        beside.cancel()
        return answer.body  # type: ignore[no-any-return]

    assert asyncio.run(answered()) == json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    assert turns >= 1


def test_an_answer_is_written_in_as_many_parts_as_it_is_long() -> None:
    rows = [{"a": 1, "b": ["c"] * 20} for _ in range(100)]
    parts = [part for part in admin_http._pieces({"rows": rows}, 4) if len(part) > 2]
    assert len(parts) == len(rows) + 1
    assert len(list(admin_http._pieces({"rows": rows[:5]}, 4))) == 1


def test_a_body_has_a_bound_in_bytes_and_in_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_http, "MAX_SMALL_BODY", 3_000)
    monkeypatch.setattr(admin_http, "MAX_VALUE", 50_000)
    with CloudFlow() as cf:

        def posted(path: str, body: str) -> tuple[int, dict[str, Any]]:
            data = f"POST /_cfmock/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            status, _, answer = parsed(exchange(cf.url, data.encode()))
            return status, answer

        assert posted("outcomes", " " * 4_000)[1] == {"error": "the body is larger than 3000 bytes"}
        assert posted("fixtures", '{"cfmock": 1}' + " " * 20_000)[0] == 200
        many = "[" + "{}," * 800 + "1]"
        assert posted("outcomes", many) == (400, {"error": "the value of the body would take more than 50000 bytes"})


def test_one_body_is_at_work_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    at_work: list[int] = []
    ends = threading.Event()
    read = flows._read

    def slow(document: Any, existing: Any) -> Any:
        begun.append(document["flows"][0]["name"])
        assert ends.wait(PATIENCE)
        at_work.append(len(begun) - len(at_work))
        return read(document, existing)

    monkeypatch.setattr(flows, "_read", slow)
    with CloudFlow() as cf:
        connections = [connect(cf.url) for _ in "abc"]
        for connection, name, size in zip(connections, "abc", (LARGE, LARGE, 1), strict=True):
            body = json.dumps({"cfmock": 1, "flows": [{"name": name}]}) + " " * size
            head = f"POST /_cfmock/fixtures HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body.encode())
        until(lambda: len(begun) == 1)
        leaves = connections.pop("abc".index(begun[0]))
        leaves.close()
        cf.call("ListFlows")
        ends.set()
        for connection in connections:
            assert parsed(read_answer(connection))[0] == 200
            connection.close()
    assert (sorted(begun), at_work) == (["a", "b", "c"], [1, 1, 1])
