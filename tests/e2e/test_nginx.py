"""The lines for nginx in docs/several-servers.md, run by nginx in front of servers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cfmock import CloudFlow
from cfmock.api.client import send, signed_request
from cfmock.protocol.wire.messages import Request
from tests.e2e.environments import ROOT
from tests.support import pages
from tests.support.nginx import nginx
from tests.support.postgres import free_port


def port_of(cf: CloudFlow) -> str:
    return cf.endpoint.rpartition(":")[2]


TEAM = {
    "cfmock": 1,
    "credentials": [
        {"access_key_id": f"user-{number}", "access_key_secret": "secret", "account": str(1001 + number)}
        for number in range(12)
    ],
    "flows": [{"name": "order_flow"}],
}


def send_all(balancer: int, requests: Sequence[Request]) -> None:
    for request in requests:
        status, fields = send(f"http://127.0.0.1:{balancer}", request)
        assert status == 200, fields


def test_each_key_is_always_led_to_the_same_server(tmp_path: Path) -> None:
    page = (ROOT / "docs/several-servers.md").read_text(encoding="utf-8")
    (lines,) = (block.text for block in pages.blocks(page) if block.language == "nginx")
    balancer = free_port()
    with CloudFlow(TEAM) as one, CloudFlow(TEAM) as other:
        for said, real in (("8790", str(balancer)), ("8791", port_of(one)), ("8792", port_of(other))):
            assert said in lines
            lines = lines.replace(said, real)
        with nginx(lines, tmp_path):
            for user in range(12):
                keys = {"access_key_id": f"user-{user}", "access_key_secret": "secret"}
                started = {"FlowName": "order_flow", "ExecutionName": "e1"}
                operations = ("StartExecution", "DescribeExecution")  # on the other server there would be no e1
                send_all(balancer, [signed_request(each, started, **keys) for each in operations])
        served = [len(each.calls()) for each in (one, other)]
        assert sum(served) == 24
        assert min(served) > 0
