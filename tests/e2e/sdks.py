"""The clients, as one thing that makes calls: each runs in an interpreter of its own, where a driver does as told."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import environments

HERE = Path(__file__).parent

ACCESS_KEY = {"access_key_id": "e2e-ak", "access_key_secret": "e2e-secret", "security_token": None}
TEMPORARY_KEY = {"access_key_id": "STS.e2e", "access_key_secret": "sts-secret", "security_token": "sts-token"}
READER_KEY = {"access_key_id": "e2e-reader", "access_key_secret": "reader-secret", "security_token": None}


class Refused(Exception):
    """What an SDK raised: its exception's class, and the code, HTTP status, message and request id it tells of."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(json.dumps(error, ensure_ascii=False))
        self.class_name: str = error["class"]
        self.code: str | None = error["code"]
        self.status: int | None = error["status"]
        self.message: str = error["message"]
        self.request_id: str | None = error["request_id"]


@dataclass(frozen=True)
class Kind:
    """One way of calling: the environment with the SDK, its driver (None: the environment is one), which of the driver's ways,
    how it is pointed here.

    `endpoint` is filled with `url` and `authority`; None leaves the client at the real host name, with us as its proxy.
    `raises` are the classes of its exceptions below and from status 500 on; `{code}` in them is the error's. `has_status`:
    its exceptions tell the HTTP status. `lacks` are operations that it is too old for. `loses_empty`: it signs the empty
    parameters of a form without sending them.
    """

    environment: str
    driver: str | None
    raises: tuple[str, str]
    way: str = "sync"
    endpoint: str | None = "{authority}"
    has_status: bool = True
    lacks: frozenset[str] = frozenset()
    loses_empty: bool = False


TEA_RAISES = ("ClientException", "ServerException")
TEA_03_RAISES = ("TeaException", "TeaException")
CORE_RAISES = ("ClientError", "ServerError")
ASYNC_RAISES = ("PopClientException", "PopServerException")
GO_RAISES = ("SDKError", "SDKError")

KINDS = {
    "tea": Kind("tea", "drivers/tea.py", TEA_RAISES),
    "tea-async": Kind("tea", "drivers/tea.py", TEA_RAISES, way="async"),
    "tea-scheme": Kind("tea", "drivers/tea.py", TEA_RAISES, endpoint="{url}"),
    "tea-async-scheme": Kind("tea", "drivers/tea.py", TEA_RAISES, way="async", endpoint="{url}"),
    "tea-proxy": Kind("tea", "drivers/tea.py", TEA_RAISES, endpoint=None),
    "tea-0.3": Kind("tea-0.3", "drivers/tea.py", TEA_03_RAISES),
    "tea-0.3-async": Kind("tea-0.3", "drivers/tea.py", TEA_03_RAISES, way="async"),
    "tea-0.3-scheme": Kind("tea-0.3", "drivers/tea.py", TEA_03_RAISES, endpoint="{url}"),
    "legacy": Kind("legacy", "drivers/legacy.py", ("ServerException", "ServerException")),
    "pop-core": Kind(
        "node",
        "node/driver.js",
        ("{code}Error", "{code}Error"),
        endpoint="{url}",
        lacks=frozenset({"StartSyncExecution"}),
    ),
    "node-client": Kind("node", "node/core.js", ("Error", "Error"), way="client"),
    "node-core": Kind("node", "node/core.js", CORE_RAISES, way="core"),
    "node-core-acs3": Kind("node", "node/core.js", CORE_RAISES, way="core-acs3"),
    "go": Kind("go", None, GO_RAISES, way="tea"),
    "go-acs3": Kind("go", None, GO_RAISES, way="acs3"),
    "go-legacy": Kind("go", None, ("ServerError", "ServerError"), way="legacy"),
    "java": Kind("java", None, TEA_03_RAISES, way="tea"),
    "java-acs3": Kind("java", None, TEA_03_RAISES, way="acs3"),
    "java-legacy": Kind(
        "java", None, TEA_RAISES, way="legacy", has_status=False, lacks=frozenset({"StartSyncExecution"})
    ),
    "java-async": Kind("java", None, ASYNC_RAISES, way="async", loses_empty=True),
    "java-async-acs3": Kind("java", None, ASYNC_RAISES, way="async-acs3"),
    "acs3-sha256": Kind("tea", "drivers/tea.py", TEA_RAISES, way="acs3-sha256"),
    "acs3-sm3": Kind("tea", "drivers/tea.py", TEA_RAISES, way="acs3-sm3"),
}


class Sdk:
    """A client of one kind, pointed at a server."""

    def __init__(self, kind: Kind, driver: subprocess.Popen[str], url: str, ca_file: str | None = None) -> None:
        self.kind = kind
        self._driver = driver
        scheme, _, authority = url.partition("://")
        endpoint = kind.endpoint and kind.endpoint.format(url=url, authority=authority)
        self._job = {
            **ACCESS_KEY, "endpoint": endpoint, "protocol": scheme, "ca_file": ca_file, "way": kind.way, "clock_off": 0,
            "timeout": 60_000,
        }  # fmt: skip

    def call(self, operation: str, /, *, using: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
        """The answer's body. `using` are other keys, or a clock that is off. Raises `Refused`."""
        job = {**self._job, **(using or {}), "operation": operation, "parameters": parameters}
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(job) + "\n")
        self._driver.stdin.flush()
        line = self._driver.stdout.readline()
        assert line, "the driver ended; it says why on stderr"
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        body: dict[str, Any] = answer["body"]
        return body


@contextmanager
def driver(kind: Kind, url: str, ca_file: str | None = None, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A running driver, with these environment variables beside our own. Raises `environments.Unavailable`."""
    command = environments.command(kind.environment)
    if kind.driver is not None:
        command.append(str(HERE / kind.driver))
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")} | variables
    if kind.endpoint is None:
        clean |= {"HTTP_PROXY": url, "http_proxy": url}
    if ca_file is not None and kind.environment == "node":
        clean["NODE_EXTRA_CA_CERTS"] = ca_file
    process = subprocess.Popen(
        command, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
