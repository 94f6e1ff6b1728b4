"""The lines for nginx in docs/several-servers.md and docs/replicas.md, run by nginx in front of servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from cfmock import CloudFlow
from cfmock.api.client import send, signed_request
from cfmock.base import yaml_source
from cfmock.protocol.wire.messages import Request
from tests.e2e.environments import ROOT
from tests.support import pages
from tests.support.postgres import free_port
from tests.support.signing import acs3
from tests.support.waiting import until

MAIN = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{lines}
}}
"""


@contextmanager
def nginx(lines: str, folder: Path) -> Iterator[None]:
    """nginx with these lines, once it serves. Skips where there is none."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no nginx on this machine (Debian: apt-get install nginx-light)")
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(user=user, folder=folder, lines=lines), encoding="utf-8")
    words = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    tried = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    with subprocess.Popen(words) as process:
        try:
            # It has written its number once it listens; `-t` leaves the file empty.
            until(lambda: process.poll() is not None or (folder / "pid").stat().st_size)
            assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            yield
        finally:
            process.terminate()


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


def test_the_balancer_of_replicas_passes_signed_hosts_and_streams_on(tmp_path: Path) -> None:
    page = (ROOT / "docs/replicas.md").read_text(encoding="utf-8")
    (text,) = (block.text for block in pages.blocks(page) if block.name == "compose.yaml")
    document = yaml_source.parse(text).value
    assert document["services"]["balancer"]["ports"] == ["8790:80"]
    lines = document["configs"]["balancer"]["content"]
    assert "$" not in lines.replace("$$", ""), "compose takes a single one for its own"
    balancer = free_port()
    with CloudFlow(TEAM) as cf:
        # Looking up a service again and again is for newer servers, and for the name server of a container.
        for said, real in (
            (r"resolver 127\.0\.0\.11 valid=\w+;", ""),
            (r"server cfmock:8790 resolve;", f"server 127.0.0.1:{port_of(cf)};"),
            (r"server \{", f"server {{ listen {balancer};"),
            (r"\$\$", "$"),
        ):
            lines, changed = re.subn(said, real, lines)
            assert changed
        host = f"127.0.0.1:{balancer}"
        signed = acs3("ListFlows", {}, key="user-0", secret="secret", host=host)
        with nginx(lines, tmp_path):
            send_all(balancer, [signed])
            with urlopen(f"http://{host}/_cfmock/changes?since=0&wait=60s") as stream:
                assert json.loads(stream.readline())["kind"]
