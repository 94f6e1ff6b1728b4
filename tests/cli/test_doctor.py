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
    assert (
        "extras     note: installed: fast, metrics, terraform, postgres; not installed: tls: --tls, RSA key pairs (pip install "
        "'cfmock[tls]')"
    ) in cfmock("doctor").out


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
    assert found["server"]["text"].startswith(f"{cf.url} answers: cfmock {package.__version__}, at ")


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
