"""Requests to the admin API from the names of its endpoints, and `cfmock call` with them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from cfmock import CloudFlow
from cfmock.api.client import admin_request, endpoint
from cfmock.base.errors import SettingsError
from cfmock.cli.main import main
from cfmock.protocol.wire.messages import Request


def request(name: str, /, **given: str) -> Request:
    found = endpoint(name)
    assert found is not None
    return admin_request(found, given)


def test_arguments_go_into_path_query_and_body() -> None:
    made = request("show_execution", flow="a b", name="x/y", region="cn-beijing")
    assert (made.method, made.target, made.body) == ("GET", "/_cfmock/executions/a%20b/x%2Fy?region=cn-beijing", b"")
    made = request("start_execution", flow="f", input='{"a": 1}', account="100")
    assert (made.method, made.target) == ("POST", "/_cfmock/executions?account=100")
    assert json.loads(made.body) == {"flow": "f", "input": {"a": 1}}
    assert admin_request(endpoint("reset"), {}, "secret").headers == {"authorization": "Bearer secret"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("show_flow", {}, "show_flow needs name=the_flow's_name"),
        ("list_executions", {"flwo": "x"}, r"takes no flwo \(did you mean 'flow'\?\); it takes flow, status"),
        ("health", {"region": "x"}, "it takes nothing"),
    ],
)
def test_what_an_endpoint_does_not_take_is_refused(name: str, given: Mapping[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        request(name, **given)


def test_call_reaches_the_admin_api(capsys: pytest.CaptureFixture[str]) -> None:
    with CloudFlow({"cfmock": 1, "flows": [{"name": "f"}]}) as cf:

        def call(*words: str) -> tuple[int, str]:
            status = main(["call", *words, "--url", cf.url])
            return status, capsys.readouterr().out

        status, said = call("start_execution", "flow=f", "name=e")
        assert (status, json.loads(said)["status"]) == (0, "Succeeded")
        assert json.loads(call("list_executions", "limit=1")[1])["executions"][0]["name"] == "e"
        assert call("draw_flow", "name=f")[1].startswith("<svg")
        assert '"kind": "execution"' in call("follow_changes", "since=0", "wait=0s")[1]
        status, said = call("show_flow", "name=g")
        assert (status, "there is no flow" in json.loads(said)["error"]) == (1, True)


def test_a_name_that_is_neither_is_refused_with_the_one_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "list_execution"]) == 2
    assert "did you mean 'list_executions'" in capsys.readouterr().err
