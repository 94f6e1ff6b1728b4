"""`cfmock doctor`."""

from __future__ import annotations

import importlib.util
import json
import re
import socket
from pathlib import Path

import pytest

import cfmock as package
from cfmock import CloudFlow
from cfmock.cli import doctor

NAMES = [
    "cfmock",
    "python",
    "libraries",
    "fast",
    "tls",
    "metrics",
    "terraform",
    "postgres",
    "pytest",
    "port",
    "proxies",
    "server",
]


@pytest.fixture
def port(monkeypatch):
    """A port that is free, and that `serve` would take."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
    monkeypatch.setenv("CFMOCK_PORT", str(number))
    monkeypatch.delenv("CFMOCK_URL", raising=False)
    return number


def checks(cfmock):
    ran = cfmock("doctor", "--json")
    found = json.loads(ran.out)
    assert ran.code == (0 if found["ok"] else 1)
    assert [check["name"] for check in found["checks"]] == NAMES
    return {check["name"]: check for check in found["checks"]}


def test_it_says_all_in_ten_lines_at_most(cfmock, port):
    ran = cfmock("doctor")
    assert (ran.code, ran.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in ran.out.splitlines())
    assert list(lines) == ["cfmock", "python", "libraries", "extras", "pytest", "port", "proxies", "server"]
    assert lines["extras"] == "installed: fast, tls, metrics, terraform, postgres"
    assert package.__version__ in lines["cfmock"]
    assert lines["port"] == f"127.0.0.1:{port} is free"
    assert lines["proxies"] == "no proxy variables are set"
    assert lines["server"] == f"none at http://127.0.0.1:{port}; start one: cfmock serve fixtures/"


def test_the_libraries_are_named_with_their_versions(cfmock, port):
    found = checks(cfmock)["libraries"]["data"]
    if found:  # where cfmock is installed as a distribution
        declared = Path(package.__file__).parent.parent / "pyproject.toml"
        (listed,) = re.findall(r"^dependencies = \[(.*?)^\]", declared.read_text(encoding="utf-8"), re.M | re.S)
        assert {name.lower() for name in found} == {each.lower() for each in re.findall(r'"([\w-]+)>=', listed)}
        assert all(found.values())


def test_a_missing_library_is_a_problem(cfmock, port, monkeypatch):
    monkeypatch.setattr(doctor, "_required", lambda: ["no-such-library"])
    found = checks(cfmock)["libraries"]
    assert (found["state"], found["text"]) == ("problem", "missing: no-such-library; install cfmock again")


def test_the_extras_are_those_of_the_package():
    project = (Path(package.__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^\[project.optional-dependencies\]\n(.*?)^\[", project, re.M | re.S)
    extras = dict(re.findall(r"^(\w+) = (\[.*\])$", listed, re.M))
    assert list(doctor.EXTRAS) == [name for name in extras if name != "all"]
    for extra, (modules, _) in doctor.EXTRAS.items():
        modules = modules.replace("hcl2", "python-hcl2").replace("_", "-")
        assert re.findall(r'"([\w-]+)(?:\[\w+\])?>=', extras[extra]) == modules.split(", ")


def test_an_extra_that_is_not_there_says_how_to_get_it(cfmock, port, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trustme" else find(name))
    found = checks(cfmock)["tls"]
    assert found["state"] == "note"
    assert found["text"].endswith("(trustme missing; pip install 'cfmock[tls]')")
    assert found["data"] == {"installed": False, "missing": ["trustme"]}
    assert "extras     note: installed: fast, metrics, terraform, postgres; missing: tls\n" in cfmock("doctor").out


def test_ten_lines_of_eighty_columns_are_enough_for_all_that_can_be_said(cfmock, port, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(doctor.sys, "executable", "/a/long/path" * 9 + "/bin/python")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.example")
    with CloudFlow(tls=True) as cf:
        monkeypatch.setenv("CFMOCK_PORT", cf.url.rpartition(":")[2])
        monkeypatch.setenv("CFMOCK_URL", cf.url)
        ran = cfmock("doctor")
    assert ran.code == 1
    assert len(ran.out.splitlines()) <= 10, ran.out
    assert max(map(len, ran.out.splitlines())) <= 80, ran.out
    assert "missing: fast, tls, metrics, terraform, postgres" in ran.out
    assert "set CFMOCK_CA_FILE to its CA" in " ".join(ran.out.split())


def test_one_missing_extra_of_few_names_the_way_to_get_it():
    checks = {"fast": ("ok", "", {}), "tls": ("note", "", {})}
    assert doctor._extras_text(checks) == "note: installed: fast; missing: tls (pip install 'cfmock[tls]')"


def test_a_port_that_another_program_has_is_a_problem(cfmock, port, monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", port)):
        found = checks(cfmock)["port"]
    assert found["state"] == "problem"
    assert "address already in use" in found["text"]
    assert found["data"] == {"host": "127.0.0.1", "port": port, "free": False, "held_by_cfmock": False}


def test_a_server_that_answers_is_named(cfmock, port, monkeypatch):
    with CloudFlow() as cf:
        monkeypatch.setenv("CFMOCK_PORT", cf.url.rpartition(":")[2])
        found = checks(cfmock)
    assert found["port"]["data"]["held_by_cfmock"] is True
    assert found["port"]["state"] == "note"
    assert found["server"]["data"]["answers"] is True
    assert found["server"]["text"].startswith(f"{cf.url} answers: cfmock {package.__version__}")


@pytest.fixture
def secure(port, monkeypatch):
    """A server with TLS on the port that `serve` would take."""
    with CloudFlow(tls=True) as cf:
        monkeypatch.setenv("CFMOCK_PORT", cf.url.rpartition(":")[2])
        yield cf


def test_a_server_with_tls_that_is_named_and_trusted_is_no_problem(cfmock, secure, monkeypatch):
    monkeypatch.setenv("CFMOCK_URL", secure.url)
    monkeypatch.setenv("CFMOCK_CA_FILE", str(secure.ca_file))
    found = checks(cfmock)
    assert not [check for check in found.values() if check["state"] == "problem"]
    address = secure.url.removeprefix("https://")
    assert found["port"]["text"] == f"{address} is taken by cfmock {package.__version__}, with HTTPS"
    assert found["port"]["data"]["held_by_cfmock"] is True
    assert found["server"]["text"] == f"{secure.url} answers: cfmock {package.__version__}"
    assert found["server"]["data"]["trusted"] is True


def test_a_server_with_tls_is_found_on_the_port_without_a_name(cfmock, secure):
    found = checks(cfmock)
    assert not [check for check in found.values() if check["state"] == "problem"]
    remedy = "its certificate is not trusted: set CFMOCK_CA_FILE to its CA"
    assert (found["server"]["state"], found["server"]["text"]) == ("note", f"{secure.url} answers, but {remedy}")


@pytest.mark.parametrize("ca_file", [None, "other.pem"])
def test_a_named_server_whose_certificate_is_not_trusted_is_a_problem_that_names_the_variable(
    cfmock, secure, monkeypatch, ca_file
):
    monkeypatch.setenv("CFMOCK_URL", secure.url)
    if ca_file:
        monkeypatch.setenv("CFMOCK_CA_FILE", ca_file)
    found = checks(cfmock)["server"]
    remedy = "CFMOCK_CA_FILE is not its CA" if ca_file else "set CFMOCK_CA_FILE to its CA"
    assert found["state"] == "problem"
    assert found["text"] == f"{secure.url} answers, but its certificate is not trusted: {remedy}"
    assert (found["data"]["answers"], found["data"]["trusted"]) == (True, False)


def test_a_server_that_is_named_and_does_not_answer_is_a_problem(cfmock, port, monkeypatch):
    monkeypatch.setenv("CFMOCK_URL", f"http://127.0.0.1:{port}")
    found = checks(cfmock)["server"]
    assert found["state"] == "problem"
    assert found["text"] == f"http://127.0.0.1:{port} (CFMOCK_URL) does not answer as cfmock does"


def test_proxy_variables_are_named_without_their_values(cfmock, port, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example")
    ran = cfmock("doctor")
    assert "proxies    note: HTTPS_PROXY set: Python SDKs call the proxy even for 127.0.0.1" in ran.out
    assert "secret" not in ran.out
    assert checks(cfmock)["proxies"]["data"] == {"variables": ["HTTPS_PROXY"]}


def test_a_wrong_variable_is_told_as_everywhere(cfmock, monkeypatch):
    monkeypatch.setenv("CFMOCK_PORT", "many")
    ran = cfmock("doctor")
    assert ran.code == 2
    assert "CFMOCK_PORT" in ran.err
