"""What nobody may bring about from outside, whatever is sent; and docs/security.md, which says what holds each of it."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cfmock import CloudFlow
from cfmock.base.errors import FixtureError
from cfmock.base.randomness import Ids
from cfmock.control.control import Control
from cfmock.control.endpoints import ENDPOINTS, Endpoint
from cfmock.control.part import ControlError
from cfmock.engine.expr import Effort, ExpressionError, ExpressionSyntaxError, compile_expression
from cfmock.fixtures.loader import load
from cfmock.protocol.spec import model
from cfmock.settings import SETTINGS
from tests.support import docs
from tests.support.calls import make_service, task_flow
from tests.support.raw import exchange, parsed
from tests.support.waiting import PATIENCE
from tests.test_bad_input import good, prepared

ROOT = Path(__file__).parent.parent
ALL = [*(pytest.param(each, id=f"{each.method} {each.path}") for each in ENDPOINTS)]
HARMLESS = {"GET health"}

# -- files, programs, connections ------------------------------------------------------------------------------------------

MARK = "brought-from-outside"
"""Stands in every text that is sent here; what is done with a file, program or host of that name is seen."""

HOSTILE = [
    f"../../{MARK}", f"/{MARK}/passwd", f"..\\{MARK}", f"%2e%2e/{MARK}", f"file:///{MARK}", f"http://{MARK}.example/x",
    f"$(touch {MARK})", f"`touch {MARK}`", f"; touch {MARK}", f"| {MARK}", f"__import__('{MARK}')", f"${{jndi:ldap://{MARK}/}}",
    f"{{{{ {MARK} }}}}", f"!!python/object/apply:{MARK} []",
]  # fmt: skip

seen: list[str] = []
watching = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    # Python tells of every file opened, program started, name looked up, connection made, and of code compiled.
    if watching and MARK in repr(arguments):
        seen.append(f"{event}: {arguments!r:.200}")


sys.addaudithook(_audit)  # for good: there is no way to take one off


@contextlib.contextmanager
def nothing_reached() -> Iterator[None]:
    """What is done inside touches nothing outside this process that the client named."""
    global watching
    seen.clear()
    watching = True
    try:
        yield
    finally:
        watching = False
    assert seen == []


def test_what_reaches_out_is_seen() -> None:
    with pytest.raises(AssertionError, match=MARK), nothing_reached(), contextlib.suppress(OSError):
        Path(f"/{MARK}").read_text(encoding="utf-8")


@pytest.mark.parametrize("operation", model.load().operations)
def test_what_a_call_names_is_data(operation: str) -> None:
    service, names = prepared()
    call = good(operation, names)
    with nothing_reached():
        for parameter in call:
            for text in HOSTILE:
                service.send(operation, **{**call, parameter: text})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_definition_or_a_document_names_is_data(text: str) -> None:
    service = make_service(task_flow("Pay", name="order"))
    control = Control(service.emulator)
    state = {"Type": "Pass", "Name": "A", "End": True, "OutputConstructor": {"a": text, "b.$": text}}
    definition = {"Type": "StateMachine", "SpecVersion": "v1", "Name": "f", "StartAt": "A", "States": [state]}
    with nothing_reached():
        for each in (text, json.dumps(definition)):
            service.send("CreateFlow", Name="f", Type="FDL", Description="d", Definition=each)
        for document in (
            {"cfmock": 1, "flows": [{"name": "g", "definition": text}]},
            {"cfmock": 1, "flows": [{"name": "g", "definition": {"file": text}}]},
            {"cfmock": 1, "credentials": [{"access_key_id": "k", "public_key": {"file": text}}]},
            {"cfmock": 1, "flows": [{"name": "g", "outcomes": [{"output": {"file": text}}]}]},
            {"$ref": text, "include": [text]},
        ):
            with contextlib.suppress(ControlError):
                control.load(document)
        control.add_mocks({"flow": "order", "task": "Pay", "mocks": [{"returns": {"file": text, "a.$": "$Input.a"}}]})
        control.add_fault(
            {"when": {"operation": "ListFlows"}, "custom_error": {"status": 418, "code": "X", "message": text}}
        )
        service.send("StartExecution", FlowName="order", ExecutionName="e", Input=json.dumps({"a": text}))
        service.send("ListFlows")


@pytest.mark.parametrize("name", ["order.fdl.yaml", "../order.fdl.yaml", "/etc/passwd", "link.yaml"])
@pytest.mark.parametrize(
    "document",
    [
        {"flows": [{"name": "f", "definition": {"file": "FILE"}}]},
        {"credentials": [{"access_key_id": "k", "public_key": {"file": "FILE"}}]},
    ],
    ids=["definition", "public_key"],
)
def test_a_document_from_the_wire_names_no_file(
    name: str, document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "fixtures"
    inside.mkdir()
    monkeypatch.chdir(inside)
    for folder in (inside, tmp_path):
        (folder / "order.fdl.yaml").write_text("version: v1\ntype: flow\nsteps: []\n", encoding="utf-8")
    (inside / "link.yaml").symlink_to(tmp_path / "order.fdl.yaml")
    given = json.loads(json.dumps({"cfmock": 1, **document}).replace("FILE", name))
    with pytest.raises(FixtureError, match="file"):
        load([given], allow_files=False)


@pytest.mark.parametrize("name", [name for name, row in SETTINGS.items() if not row.fixture] + ["task_hosts"])
def test_no_setting_that_reaches_out_is_changed_over_the_wire(name: str) -> None:
    control = Control(make_service({}).emulator)
    with pytest.raises(ControlError, match=name):
        control.load({"cfmock": 1, "settings": {name: SETTINGS[name].default}})


@pytest.mark.parametrize(
    "text",
    [
        "$Input.__class__", "$Input['__class__']", "$Input.a.__init__.__globals__", "'x'.format", "__import__('os')",
        "eval('1')", "exec('1')", "open('/etc/passwd')", "getattr($Input, '__class__')", "$Environ", "java.lang.Runtime",
        "format('{0.__class__}', $Input.a)", "format('{a.__class__}', $Input.a)",
    ],
)  # fmt: skip
def test_an_expression_reaches_nothing_but_its_data(text: str) -> None:
    with pytest.raises((ExpressionSyntaxError, ExpressionError)):
        compile_expression(text, frozenset({"$Input"})).evaluate({"$Input": {"a": "x"}}, Effort(Ids()))


# -- functions that are called ---------------------------------------------------------------------------------------------


def ended(cf: CloudFlow, url: str) -> Any:
    """An execution whose one task is answered by a function there."""
    cf.load({"cfmock": 1, **task_flow("Pay", tasks={"Pay": [{"http": url}]})})
    return cf.run("order")


@pytest.mark.parametrize(
    "url", [f"http://{MARK}.example/", "http://169.254.169.254/latest/", "http://127.0.0.1.nip.io/"]
)
def test_a_function_on_another_machine_is_neither_looked_up_nor_called(url: str) -> None:
    with CloudFlow() as cf, nothing_reached():
        assert "neither on this machine nor among the task_hosts" in str(ended(cf, url).error)


class Redirecting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(307)
        self.send_header("location", f"http://{MARK}.example/")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing to tell."""


def test_a_redirection_of_a_function_is_not_followed() -> None:
    with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        Thread(target=server.handle_request, daemon=True).start()
        with CloudFlow() as cf, nothing_reached():
            assert "307" in str(ended(cf, f"http://127.0.0.1:{server.server_port}/").error)


# -- the doors -------------------------------------------------------------------------------------------------------------


def ask(url: str, method: str, path: str, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(f"{url}{path}", b"{}" if method == "POST" else None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers


@pytest.fixture(scope="module")
def guarded() -> Iterator[CloudFlow]:
    with CloudFlow(admin_token="right") as cf:
        yield cf


@pytest.fixture(scope="module")
def open_() -> Iterator[CloudFlow]:
    with CloudFlow() as cf:
        yield cf


def paths_of(endpoint: Endpoint) -> list[str]:
    """The endpoint's path, and others that a careless router would take for it."""
    path = f"/_cfmock/{endpoint.path}".replace("{", "").replace("}", "")
    return [path, f"{path}?x=1", f"{path}/", f"/_cfmock//{endpoint.path}", f"{path}foo", f"{path}/../{endpoint.path}"]


@pytest.mark.parametrize("endpoint", ALL)
def test_every_route_and_what_looks_like_it_asks_for_the_token(guarded: CloudFlow, endpoint: Endpoint) -> None:
    for path in paths_of(endpoint):
        public = endpoint.name == "health" and path.partition("?")[0] == "/_cfmock/health"
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Bearer "},
            {"Authorization": "right"},
        ):
            assert ask(guarded.url, endpoint.method, path, **headers)[0] == (
                401 if not public else 400 if "?" in path else 200
            )
    assert ask(guarded.url, endpoint.method, paths_of(endpoint)[0], Authorization="Bearer right")[0] != 401


@pytest.mark.parametrize(
    "path",
    ["/openapi.json", "/nothing", "/calls?wait=60s", "/..", "/health/x", "/healthx", "/app.js/x", "/static/app.js"],
)
def test_whatever_lies_below_the_admin_api_asks_for_the_token(guarded: CloudFlow, path: str) -> None:
    """Also what is not there, and what would wait; only the console's own files are for all (`server/console`)."""
    for method in ("GET", "POST", "OPTIONS", "HEAD"):
        assert ask(guarded.url, method, f"/_cfmock{path}")[0] == 401


@pytest.mark.parametrize("endpoint", ALL)
def test_every_answer_is_what_it_says_and_none_is_for_other_pages(open_: CloudFlow, endpoint: Endpoint) -> None:
    path = paths_of(endpoint)[0]
    for headers in ({"Accept": "text/html"}, {"Origin": "http://evil.example"}):
        for method in (endpoint.method, "OPTIONS"):
            _, got = ask(open_.url, method, path, **headers)
            assert got.get_content_type() in ("application/json", endpoint.media)
            if got.get_content_type() != "application/json":  # a picture is no page: nothing runs in it
                assert got["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
            assert not [name for name in got if name.lower().startswith("access-control")]


def test_no_answer_of_the_api_lets_a_web_page_read_it(open_: CloudFlow) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        _, got = ask(open_.url, method, "/?Action=ListFlows", Origin="http://evil.example", Accept="text/html")
        assert got.get_content_type() == "application/json"
        assert not [name for name in got if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    "target",
    [
        "/../../../../etc/passwd",
        "/_cfmock/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/etc/passwd",
    ],
)
def test_no_path_is_that_of_a_file(open_: CloudFlow, target: str) -> None:
    answer = exchange(open_.url, f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert parsed(answer)[0] in (400, 404)
    assert b"root:" not in answer


# -- the page --------------------------------------------------------------------------------------------------------------


def test_every_advisory_is_closed_by_a_test_that_is_there() -> None:
    rows = docs.data("advisories.yaml")
    assert len(rows) == 17
    for row in rows:
        assert row["tests"], row["id"]
        for test in row["tests"]:
            path, _, name = test.partition("::")
            found = re.findall(r"^(?:async )?def (\w+)\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
            assert name in found, f"{row['id']}: there is no {test}"


def test_every_bound_of_the_page_is_there_and_every_maximum_is_on_the_page() -> None:
    on_page = {row["constant"] for row in docs.data("bounds.yaml")}
    for constant in on_page:
        module, _, name = constant.partition(":")
        assert hasattr(importlib.import_module(module), name), constant
    there = {
        f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__')}:{name}"
        for path in (ROOT / "cfmock").rglob("*.py")
        for name in re.findall(r"^(MAX_\w+)(?:: [^=]+)? = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(there) > 20
    assert there - on_page == set()
