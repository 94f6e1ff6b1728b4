"""The vendor's Python SDKs where the environment names a proxy."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.e2e import environments
from tests.e2e.conftest import Server
from tests.e2e.sdks import KINDS, Refused, Sdk, driver
from tests.support.processes import run

PYTHON = ("tea", "tea-async", "tea-0.3", "tea-0.3-async", "legacy")

CLIENT = """
import os
from alibabacloud_fnf20190315.client import Client
from alibabacloud_fnf20190315.models import ListFlowsRequest
from alibabacloud_tea_openapi.models import Config

keys = {name: os.environ["ALIBABA_CLOUD_" + name.upper()] for name in ("access_key_id", "access_key_secret")}
client = Client(Config(endpoint=os.environ["CFMOCK_ENDPOINT"], protocol="http", **keys))
print(client.list_flows(ListFlowsRequest()).body.flows)
"""


@pytest.fixture
def nobody() -> Iterator[str]:
    """A proxy that does not answer."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("no_proxy", ["*", "127.0.0.1"])
@pytest.mark.parametrize("name", PYTHON)
def test_no_python_sdk_looks_at_no_proxy(server: Server, nobody: str, name: str, no_proxy: str) -> None:
    proxied = {"HTTP_PROXY": nobody, "NO_PROXY": no_proxy, "no_proxy": no_proxy}
    try:
        with driver(KINDS[name], server.url, **proxied) as process, pytest.raises(Refused, match=r"(?i)proxy|connect"):
            Sdk(KINDS[name], process, server.url).call("ListFlows")
    except environments.Unavailable as error:
        pytest.skip(str(error))
    assert server.admin("GET", "calls")["calls"] == []


@pytest.mark.parametrize("environment", ["tea", "tea-0.3"])
def test_run_takes_the_proxy_away_so_that_an_sdk_comes_here(nobody: str, environment: str) -> None:
    try:
        python = environments.command(environment)
    except environments.Unavailable as error:
        pytest.skip(str(error))
    variables = {"HTTP_PROXY": nobody, "http_proxy": nobody, "NO_PROXY": "*"}
    done = run("run", "--", *python, "-c", CLIENT, env=variables)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert run("run", "--keep-proxy", "--", *python, "-c", CLIENT, env=variables).returncode == 1
