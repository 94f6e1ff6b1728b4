"""schemathesis finds nothing: the admin API does what `openapi.json` says, and refuses what it does not say."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cfmock import CloudFlow
from tests.e2e import environments

HERE = Path(__file__).parent
TOKEN = "only-for-this-test"
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "5")
"""For each operation; thousands may be asked for by hand."""

ACCOUNT = {
    "cfmock": 1,
    "credentials": [
        {"access_key_id": "cfmock", "access_key_secret": "cfmock-secret"},
        {"access_key_id": "other", "access_key_secret": "other-secret", "account": "100"},
    ],
    "flows": [{"name": "order_flow"}],
    "faults": [{"name": "slow", "when": {"operation": "ListFlows"}, "delay": "1ms"}],
}


@pytest.mark.timeout(0)  # as many requests as examples make, and each has its own limit
def test_the_admin_api_is_as_it_is_described(tmp_path: Path) -> None:
    try:
        interpreter = Path(environments.command("schemathesis")[0])
    except environments.Unavailable as error:
        pytest.skip(str(error))
    with CloudFlow(ACCOUNT, clock="virtual", now="2024-06-01T00:00:00Z", seed=7, admin_token=TOKEN) as cf:
        cf.call("StartExecution", FlowName="order_flow", ExecutionName="e")
        done = subprocess.run(
            [
                interpreter.with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml",
                "run", f"{cf.url}/_cfmock/openapi.json", "--url", cf.url, "--header", f"Authorization: Bearer {TOKEN}",
                "--generation-deterministic",
                "--max-examples", EXAMPLES, "--request-timeout", "60", "--suppress-health-check", "too_slow",
                "--no-color", "--warnings", "off",
            ],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
