"""The vendor's SDKs over TLS, told to trust the CA that the server made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import environments
from tests.e2e.sdks import KINDS, Sdk, driver
from tests.support.processes import serving

ACCOUNT = str(Path(__file__).parent / "account.yaml")
# tea-openapi 0.3 has no way to name a CA to its asynchronous half.
TRUSTING = ("tea", "tea-async", "tea-0.3", "legacy", "pop-core", "acs3-sha256")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where the server is, and the file with its CA."""
    ca_file = str(tmp_path_factory.mktemp("tls") / "ca.pem")
    with serving(ACCOUNT, "--tls", "--tls-ca-out", ca_file) as server:
        yield server.url, ca_file


@pytest.fixture(params=TRUSTING)
def sdk(request: pytest.FixtureRequest, secure: tuple[str, str]) -> Iterator[Sdk]:
    kind = KINDS[request.param]
    try:
        with driver(kind, *secure) as process:
            yield Sdk(kind, process, *secure)
    except environments.Unavailable as error:
        pytest.skip(str(error))


def test_an_sdk_that_trusts_the_ca_makes_its_calls(sdk: Sdk) -> None:
    assert [each["Name"] for each in sdk.call("ListFlows")["Flows"]] == ["orders"]
    started = sdk.call("StartExecution", FlowName="orders", Input='{"text": "ä"}')
    assert sdk.call("DescribeExecution", FlowName="orders", ExecutionName=started["Name"])["Status"] == "Succeeded"
