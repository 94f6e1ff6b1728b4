"""The compose file of docs/replicas.md: what it starts runs here as processes, with its settings, behind two of its balancers."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from cfmock.api.client import send, signed_request
from cfmock.base.errors import SettingsError
from cfmock.protocol.wire.messages import Request
from tests.support import signing
from tests.support.image import ROOT, Engine, compose_file
from tests.support.nginx import nginx
from tests.support.postgres import Cluster, free_port
from tests.support.waiting import until

REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing")


@contextmanager
def balancer(document: Any, replicas: Sequence[int], folder: Path) -> Iterator[str]:
    """One balancer; its URL."""
    port = free_port()
    folder.mkdir()
    with nginx(_servers(document, port, replicas), folder):
        yield f"http://127.0.0.1:{port}"


def test_the_compose_file_makes_replicas_that_survive_the_loss_of_one(postgres: Cluster, tmp_path: Path) -> None:
    document = compose_file("replicas.md")
    services = document["services"]
    assert services["balancer"]["ports"] == ["8790:80"]  # 80 is where nginx listens that is not told
    ours = services["cfmock"]
    with postgres.connect() as connection:
        connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")  # as the image of PostgreSQL has it
        connection.execute(f"CREATE DATABASE {services['database']['environment']['POSTGRES_DB']}")
    state, replaced = re.subn("@database/", f"@127.0.0.1:{postgres.port}/", ours["environment"]["CFMOCK_STATE"])
    assert replaced == 1
    ((_, inside),) = [volume.split(":") for volume in ours["volumes"]]
    engine = Engine(tmp_path)
    try:
        made = [
            engine.make({**ours["environment"], "CFMOCK_STATE": state}, (), {inside: str(ROOT / "fixtures")})
            for _ in range(ours["deploy"]["replicas"])
        ]
        for each in made:
            each.start()
        there = [each.port for each in made]
        with balancer(document, there, tmp_path / "b1") as one, balancer(document, there, tmp_path / "b2") as two:
            _try([one, two], ours["environment"]["CFMOCK_ADMIN_TOKEN"], made[0].process)
    finally:
        engine.stop()


def _servers(document: Any, port: int, replicas: Sequence[int]) -> str:
    """The balancer's file, on a port, and with the addresses that the engine's names stand for."""
    (config,) = document["services"]["balancer"]["configs"]
    text = document["configs"][config["source"]]["content"]
    assert "$" not in text.replace("$$", ""), "compose takes a single one for its own"
    text = text.replace("$$", "$")
    there = "".join(f"server 127.0.0.1:{each}; " for each in replicas)
    text, replaced = re.subn(r"server cfmock:8790 resolve; ", there, text)
    text, begun = re.subn(r"server \{", f"server {{ listen 127.0.0.1:{port};", text)
    assert (replaced, begun) == (1, 1)
    return str(text)


def _try(urls: Sequence[str], token: str, owner: subprocess.Popen[bytes] | None) -> None:
    url, ways = urls[0], cycle(urls)

    def admin(path: str, **headers: str) -> Any:
        return urllib.request.urlopen(urllib.request.Request(f"{url}/_cfmock/{path}", headers=headers), timeout=10)

    def sent(request: Request) -> dict[str, Any]:
        status, fields = send(next(ways), request, timeout=10)
        assert status == 200, fields
        return fields

    def called(operation: str, region: str) -> dict[str, Any]:
        given = {"RegionId": region, "FlowName": "order_flow", "ExecutionName": "e"}
        return sent(signed_request(operation, given, access_key_id="cfmock", access_key_secret="cfmock-secret"))

    def shown() -> list[str]:
        found = json.load(admin("executions", **bearer))["executions"]
        return sorted(each["region"] for each in found if each["name"] == "e")

    bearer = {"authorization": f"Bearer {token}"}
    host = url.removeprefix("http://")
    with admin("changes", **bearer) as changes:  # a line at a time: the balancer keeps none back
        started = {region: called("StartExecution", region)["StartedTime"] for region in REGIONS}
        assert json.loads(changes.readline())["kind"]
    signed = signing.acs3("ListFlows", {}, key="cfmock", secret="cfmock-secret", host=host)
    assert send(url, signed, timeout=10)[1]["Flows"]
    assert json.load(admin("health"))["status"] == "ok"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        admin("executions")
    assert shown() == sorted(REGIONS)
    assert owner is not None
    owner.kill()

    def all_there() -> bool:
        try:
            return {each: called("DescribeExecution", each)["StartedTime"] for each in REGIONS} == started
        except (AssertionError, SettingsError):
            return False

    until(all_there)
    assert shown() == sorted(REGIONS)
