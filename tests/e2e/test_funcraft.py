"""Funcraft (`fun deploy`) makes and changes flows under the service's own host name, over TLS."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cfmock import CloudFlow
from tests.e2e import environments
from tests.support.processes import environment

DEFINITION = "version: v1\ntype: flow\nsteps:\n  - type: pass\n    name: p\n"


def deploy(cf: CloudFlow, home: Path, **flow: Any) -> subprocess.CompletedProcess[str]:
    """Deploy a flow as `fun deploy` does, with nothing but keys, account and region."""
    try:
        program = environments.command("fun")
    except environments.Unavailable as error:
        pytest.skip(str(error))
    assert cf.ca_file is not None
    variables = {
        "ACCESS_KEY_ID": cf.access_key_id,
        "ACCESS_KEY_SECRET": cf.access_key_secret,
        "ACCOUNT_ID": "100",
        "REGION": "cn-shanghai",
        "RETRIES": "1",
        "HOME": str(home),
        "NODE_EXTRA_CA_CERTS": str(cf.ca_file),
        "NODE_PATH": str(environments.VENVS / "fun" / "node_modules"),
    }
    words = [*program, str(environments.FUN / "make-flow.js"), cf.endpoint.rpartition(":")[2], json.dumps(flow)]
    return subprocess.run(words, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False)


def test_a_flow_is_made_then_changed(tmp_path: Path) -> None:
    with CloudFlow(tls=True) as cf:
        for description in ("first", "second"):
            done = deploy(cf, tmp_path, name="made", definition=DEFINITION, description=description)
            assert done.returncode == 0, done.stderr
        seen = [(call.operation, call.status, call.parameters.get("Description")) for call in cf.calls()]
    assert seen == [
        ("DescribeFlow", 404, None),
        ("CreateFlow", 200, "first"),
        ("DescribeFlow", 200, None),
        ("UpdateFlow", 200, "second"),
    ]


def test_what_is_refused_is_tried_again_whatever_it_is(tmp_path: Path) -> None:
    with CloudFlow(tls=True) as cf:
        done = deploy(cf, tmp_path, name="made", definition="nonsense", description="d")
        assert done.returncode == 1
        assert done.stderr.startswith("InvalidArgument: ")
        assert [call.operation for call in cf.calls()] == ["DescribeFlow", "CreateFlow", "CreateFlow"]
