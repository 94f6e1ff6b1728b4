"""TLS, with a CA of our own and with a certificate of the user's; IPv6."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from cfmock import CloudFlow
from cfmock.base.errors import SettingsError
from cfmock.protocol.spec.model import load
from cfmock.server.tls import tls_of
from cfmock.settings import resolve
from tests.support.calls import echo_flow
from tests.support.processes import run, serving
from tests.support.raw import connect
from tests.support.waiting import PATIENCE


def get(url: str, ca_file: str | None, path: str = "/_cfmock/health") -> dict[str, Any]:
    context = ssl.create_default_context(cafile=ca_file) if url.startswith("https") else None
    handlers: list[Any] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    with urllib.request.build_opener(*handlers).open(url + path, timeout=PATIENCE) as answer:
        fields: dict[str, Any] = json.load(answer)
    return fields


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """A certificate of the user's, its key and the CA that signed it, as files."""
    issued = authority.issue_cert("127.0.0.1")
    for name, text in (
        ("cert", b"".join(blob.bytes() for blob in issued.cert_chain_pems)),
        ("key", issued.private_key_pem.bytes()),
        ("ca", authority.cert_pem.bytes()),
    ):
        (tmp_path / f"{name}.pem").write_bytes(text)
    return {name: str(tmp_path / f"{name}.pem") for name in ("cert", "key", "ca")}


def test_who_trusts_the_ca_of_our_own_is_served() -> None:
    with CloudFlow(tls=True) as cf:
        assert cf.url == f"https://{cf.endpoint}"
        assert cf.environ["CFMOCK_URL"] == cf.environ["FNF_ENDPOINT"] == cf.url
        assert cf.environ["CFMOCK_CA_FILE"] == cf.ca_file
        assert get(cf.url, cf.ca_file)["status"] == "ok"
        assert get(f"https://localhost:{cf.endpoint.rpartition(':')[2]}", cf.ca_file)["status"] == "ok"
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            get(cf.url, None)


def test_the_file_with_the_ca_is_gone_with_the_server_unless_it_was_asked_for(tmp_path: Path) -> None:
    with CloudFlow(tls=True) as cf:
        made = Path(cf.ca_file or "")
        assert made.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    assert not made.exists()
    wanted = tmp_path / "ca.pem"
    with CloudFlow(tls=True, tls_ca_out=wanted) as cf:
        assert cf.ca_file == str(wanted)
        assert get(cf.url, str(wanted))["status"] == "ok"
    assert wanted.exists()


def test_clients_in_another_folder_find_the_ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with CloudFlow(tls=True, tls_ca_out="ca.pem") as cf:
        assert cf.environ["CFMOCK_CA_FILE"] == str(tmp_path / "ca.pem")


def test_without_tls_there_is_no_ca() -> None:
    with CloudFlow() as cf:
        assert cf.ca_file is None
        assert "CFMOCK_CA_FILE" not in cf.environ


def test_a_certificate_of_the_users_is_served(files: dict[str, str]) -> None:
    with CloudFlow(tls_cert=files["cert"], tls_key=files["key"]) as cf:
        assert cf.url.startswith("https://")
        assert cf.ca_file is None
        assert get(cf.url, files["ca"])["status"] == "ok"


def test_the_certificate_is_for_the_services_own_host_names() -> None:
    regions = list(load().regions)
    names = [f"{above}{region}.fnf.aliyuncs.com" for region in regions for above in ("", "1234567890123456.")]
    assert len(names) > 12
    with CloudFlow(tls=True) as cf:
        for name in names:
            with handshake(cf, name) as secure:
                assert secure.version() in ("TLSv1.2", "TLSv1.3")
        for name in ("oss.aliyuncs.com", f"a.b.{regions[0]}.fnf.aliyuncs.com", "1234.nowhere.fnf.aliyuncs.com"):
            with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"), handshake(cf, name):
                pass


def test_a_call_under_account_and_region_reaches_that_region() -> None:
    with CloudFlow(tls=True, auth="off") as cf:
        host = "1234567890123456.cn-shanghai.fnf.aliyuncs.com"
        with handshake(cf, host) as secure:
            target = "/?Action=ListFlows&Version=2019-03-15"
            secure.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: secure.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert len(cf.calls(region="cn-shanghai")) == 1


@contextlib.contextmanager
def handshake(cf: CloudFlow, name: str) -> Iterator[ssl.SSLSocket]:
    """A connection by a client that knows the server under this name."""
    context = ssl.create_default_context(cafile=cf.ca_file)
    with connect(cf.url) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
        yield secure


@pytest.mark.parametrize("host", ["here.test", "my_host", "0.0.0.0", "::1"])
def test_a_certificate_is_made_whatever_the_host_is_called(host: str) -> None:
    made = tls_of(resolve({"tls": True, "host": host}, {}, {}))
    assert made is not None
    assert made.ca is not None


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"tls_cert": "{cert}"}, "--tls-cert and --tls-key go together"),
        ({"tls_key": "{key}"}, "--tls-cert and --tls-key go together"),
        ({"tls_ca_out": "x"}, "--tls-ca-out goes with --tls"),
        ({"tls_cert": "{cert}", "tls_key": "{key}", "tls_ca_out": "x"}, "--tls-ca-out cannot be used with --tls-cert"),
        ({"tls_cert": "{cert}", "tls_key": "nowhere.pem"}, "cannot read nowhere.pem"),
        ({"tls_cert": "{key}", "tls_key": "{cert}"}, "cannot be used"),
        ({"tls_cert": "{cert}", "tls_key": "{other}"}, "key values mismatch"),
        ({"tls": True, "tls_ca_out": "no/such/folder/ca.pem"}, "cannot write no/such/folder/ca.pem"),
    ],
)  # fmt: skip
def test_options_that_cannot_be_are_told(
    files: dict[str, str], tmp_path: Path, settings: dict[str, Any], says: str
) -> None:
    (tmp_path / "other.pem").write_bytes(trustme.CA().issue_cert("x.test").private_key_pem.bytes())
    names = {**files, "other": str(tmp_path / "other.pem")}
    given = {key: value.format(**names) if isinstance(value, str) else value for key, value in settings.items()}
    with pytest.raises(SettingsError, match=says), CloudFlow(**given):
        pass


def test_plain_http_to_a_tls_port_is_refused_and_leaves_the_server_well() -> None:
    with CloudFlow(tls=True) as cf:
        with connect(cf.url) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"HTTP/1.1" not in plain.recv(1024)
        assert get(cf.url, cf.ca_file)["status"] == "ok"


@pytest.mark.parametrize("transport", ["reset", "close", "truncate", "garbage"])
def test_a_broken_transport_breaks_under_tls_too(transport: str) -> None:
    with CloudFlow({"cfmock": 1, **echo_flow()}, tls=True, auth="off") as cf:
        cf.fault(when={"operation": "ListFlows"}, transport=transport, times=1)
        with pytest.raises((OSError, ValueError, http.client.HTTPException)):
            get(cf.url, cf.ca_file, "/?Action=ListFlows&Version=2019-03-15")
        assert get(cf.url, cf.ca_file, "/?Action=ListFlows&Version=2019-03-15")["Flows"]


def test_the_command_line_serves_and_calls_with_tls(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    with serving("--tls", "--tls-ca-out", str(authority)) as server:
        assert server.ready.startswith("cfmock ready https://127.0.0.1:")
        done = run("call", "ListFlows", "--url", server.url, "--ca-file", str(authority))
        assert json.loads(done.stdout)["Flows"] == []
        distrusting = run("call", "ListFlows", "--url", server.url)
        assert distrusting.returncode == 2
        assert "certificate" in distrusting.stderr.lower()
        assert server.stop()[0] == 0


def test_a_proxy_speaks_plain_http() -> None:
    done = run("run", "--tls", "--proxy", "--", "true")
    assert done.returncode == 2
    assert "--proxy cannot be used with TLS" in done.stderr


# -- IPv6 ----------------------------------------------------------------------------------------------------------------


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")


@needs_ipv6
@pytest.mark.parametrize("tls", [False, True])
def test_it_serves_on_ipv6_loopback(tls: bool) -> None:
    with CloudFlow({"cfmock": 1, **echo_flow()}, host="::1", tls=tls, auth="off") as cf:
        assert f"://[::1]:{cf.endpoint.rpartition(':')[2]}" in cf.url
        assert cf.endpoint.startswith("[::1]:")
        assert get(cf.url, cf.ca_file, "/?Action=ListFlows&Version=2019-03-15")["Flows"]
        assert get(cf.url, cf.ca_file, "/_cfmock/calls")["calls"]


@needs_ipv6
@pytest.mark.parametrize("tls", [False, True])
def test_a_name_of_two_addresses_has_one_port(tls: bool) -> None:
    with CloudFlow(host="localhost", tls=tls) as cf:
        port = cf.endpoint.rpartition(":")[2]
        addresses = {info[4][0] for info in socket.getaddrinfo("localhost", None)}
        for address in addresses:
            host = f"[{address}]" if ":" in str(address) else address
            assert get(f"{cf.url.partition(':')[0]}://{host}:{port}", cf.ca_file)["status"] == "ok"
