"""The vendor's SDKs over TLS, told to trust the CA that the server made."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import environments
from tests.e2e.sdks import KINDS, Refused, Sdk, driver
from tests.support.processes import serving

ACCOUNT = str(Path(__file__).parent / "account.yaml")
# The asynchronous half of tea-openapi 0.3 takes no notice of Config(ca=...).
TRUSTING = (
    "tea", "tea-async", "tea-0.3", "legacy", "pop-core", "node-client", "node-core", "acs3-sha256", "go", "go-legacy", "java",
    "java-legacy", "java-async",
)  # fmt: skip
TEA = ("tea", "tea-async", "tea-0.3", "tea-0.3-async")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Where the server is, and the file with its CA."""
    ca_file = str(tmp_path_factory.mktemp("tls") / "ca.pem")
    with serving(ACCOUNT, "--tls", "--tls-ca-out", ca_file) as server:
        yield server.url, ca_file


@contextlib.contextmanager
def sdk(name: str, url: str, ca_file: str | None = None, **variables: str) -> Iterator[Sdk]:
    """One SDK over HTTPS; `ca_file` is named to it as its users do."""
    kind = KINDS[name]
    try:
        with driver(kind, url, ca_file, **variables) as process:
            yield Sdk(kind, process, url, ca_file)
    except environments.Unavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", TRUSTING)
def test_an_sdk_that_trusts_the_ca_makes_its_calls(name: str, secure: tuple[str, str]) -> None:
    with sdk(name, *secure) as client:
        assert [each["Name"] for each in client.call("ListFlows")["Flows"]] == ["orders"]
        started = client.call("StartExecution", FlowName="orders", Input='{"text": "ä"}')
        done = client.call("DescribeExecution", FlowName="orders", ExecutionName=started["Name"])
        assert done["Status"] == "Succeeded"


@pytest.mark.parametrize("name", [*TEA, "go", "go-legacy"])
def test_tea_openapi_and_go_find_the_ca_by_ssl_cert_file(name: str, secure: tuple[str, str]) -> None:
    url, ca_file = secure
    with sdk(name, url, SSL_CERT_FILE=ca_file) as client:
        assert len(client.call("ListFlows")["Flows"]) == 1


@pytest.mark.parametrize("name", [*TEA, "legacy"])
def test_no_python_sdk_looks_at_requests_ca_bundle(name: str, secure: tuple[str, str]) -> None:
    url, ca_file = secure
    with (
        sdk(name, url, REQUESTS_CA_BUNDLE=ca_file) as client,
        pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.call("ListFlows")


def test_the_asynchronous_half_of_tea_openapi_0_3_takes_no_ca(secure: tuple[str, str]) -> None:
    with sdk("tea-0.3-async", *secure) as client, pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED"):
        client.call("ListFlows")
