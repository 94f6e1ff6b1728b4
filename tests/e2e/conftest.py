"""A server as users run it, and the vendor's SDKs pointed at it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import environments
from tests.e2e.sdks import KINDS, Sdk, driver
from tests.support.waiting import PATIENCE

HERE = Path(__file__).parent


class Server:
    """`cfmock serve` in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        # Not through a proxy that the machine may have set.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_cfmock/{path}", data, {"content-type": "application/json"})
        request.method = method
        with self._open(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CFMOCK_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "cfmock", "serve", str(HERE / "account.yaml"), "--port", "0"],
        env=environment, cwd=HERE.parent.parent, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("cfmock ready "), f"cfmock serve said {ready!r}"
        yield Server(ready.split()[-1])
        process.terminate()
        assert process.wait() == 0


@pytest.fixture
def server(running_server: Server) -> Server:
    running_server.admin("POST", "reset")
    return running_server


@pytest.fixture(scope="session")
def drivers(running_server: Server) -> Iterator[Any]:
    """Starts the driver of a kind when it is first asked for."""
    running: dict[str, subprocess.Popen[str]] = {}
    with contextlib.ExitStack() as stack:

        def get(name: str) -> subprocess.Popen[str]:
            if name not in running:
                running[name] = stack.enter_context(driver(KINDS[name], running_server.url))
            return running[name]

        yield get


@pytest.fixture(params=list(KINDS))
def sdk(request: pytest.FixtureRequest, server: Server, drivers: Any) -> Sdk:
    """Each client in turn."""
    try:
        return Sdk(KINDS[request.param], drivers(request.param), server.url)
    except environments.Unavailable as error:
        pytest.skip(str(error))
