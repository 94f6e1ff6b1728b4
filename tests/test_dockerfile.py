"""The Dockerfile fits the package: it copies and installs what is there, and starts a server that passes its health check."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import distribution
from pathlib import Path

import pytest

from cfmock import CloudFlow
from cfmock.settings import SETTINGS

ROOT = Path(__file__).parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def instructions():
    """(instruction, its text) in order."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def of(instructions, name):
    return [text for kind, text in instructions if kind == name]


def only(instructions, name):
    (text,) = of(instructions, name)
    return text


@pytest.fixture
def variables(instructions):
    return dict(word.split("=", 1) for word in only(instructions, "ENV").split())


def test_what_is_copied_is_in_the_tree_and_let_through_to_the_build(instructions):
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [name for text in of(instructions, "COPY") if "--from" not in text for name in text.split()[:-1]]
    assert {"cfmock", "fixtures"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert ignored[0] == "*"
    assert [name for name in copied if f"!{name}" not in ignored] == []


def test_what_the_wheel_is_built_from_is_copied(instructions):
    (readme,) = re.findall(r'^readme = "(.*)"$', PROJECT, re.MULTILINE)
    (licence,) = re.findall(r'^license-files = \["(.*)"\]$', PROJECT, re.MULTILINE)
    before = instructions[: [text for _, text in instructions].index(of(instructions, "RUN")[0])]
    copied = [name for text in of(before, "COPY") for name in text.split()[:-1]]
    for name in ("pyproject.toml", "cfmock", readme, licence):
        assert any(fnmatch(name, pattern) for pattern in copied), name


def test_every_stage_is_of_one_supported_python(instructions):
    (image,) = {text.split()[0] for text in of(instructions, "FROM")}
    version = re.fullmatch(r"python:(3\.\d+)-slim", image).group(1)
    assert f'"Programming Language :: Python :: {version}"' in PROJECT


def test_the_extras_are_those_of_the_package(instructions):
    (extras,) = re.findall(r"/src\[(.*?)\]", of(instructions, "RUN")[0])
    assert set(extras.split(",")) <= set(distribution("cfmock").metadata.get_all("Provides-Extra"))


def test_the_command_is_on_the_path_that_the_first_stage_installs_into(instructions, variables):
    (made,) = re.findall(r"python -m venv (\S+)", of(instructions, "RUN")[0])
    assert f"{made}/bin/pip install" in of(instructions, "RUN")[0]
    assert f"--from=build {made} {made}" in of(instructions, "COPY")
    assert variables["PATH"].split(":")[0] == f"{made}/bin"
    (program,) = json.loads(only(instructions, "ENTRYPOINT"))
    assert program in {point.name for point in distribution("cfmock").entry_points.select(group="console_scripts")}


def test_it_serves_the_copied_fixtures(instructions):
    words = json.loads(only(instructions, "CMD"))
    assert words == ["serve", "/fixtures"]
    assert f"{words[1].lstrip('/')} {words[1]}" in of(instructions, "COPY")


def test_it_runs_as_a_user_of_its_own_who_may_write_state(instructions):
    user, state = only(instructions, "USER"), only(instructions, "VOLUME")
    steps = [shlex.split(step) for step in of(instructions, "RUN")[1].split("&&")]
    made = [step[-1] for step in steps if step[0] == "useradd"]
    assert made == [user]
    assert ["mkdir", state] in steps
    assert ["chown", user, state] in steps
    order = [kind for kind, _ in instructions]
    assert "RUN" not in order[order.index("USER") :]


def test_it_listens_where_it_is_exposed_in_settings_that_exist(instructions, variables):
    settings = {row.variable: row for row in SETTINGS.values()}
    set_here = {name: text for name, text in variables.items() if name != "PATH"}
    assert set(set_here) <= set(settings)
    assert settings["CFMOCK_HOST"].read(set_here["CFMOCK_HOST"]) == "0.0.0.0"
    assert only(instructions, "EXPOSE") == set_here["CFMOCK_PORT"] == str(SETTINGS["port"].default)


PROXY = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
"""Docker may set the proxy variables of its own configuration in each container."""


@pytest.mark.parametrize(
    ("tls", "more"), [(False, {}), (False, PROXY), (False, {"CFMOCK_TLS": "false"}), (True, {"CFMOCK_TLS": "true"})]
)
def test_its_health_check_tells_a_server_from_none(instructions, tls, more):
    command = json.loads(only(instructions, "HEALTHCHECK").split(" CMD ")[1])
    assert command[:2] == ["python", "-c"]

    def status(port):
        environment = {"CFMOCK_PORT": str(port), **more}
        return subprocess.run([sys.executable, "-IS", *command[1:]], env=environment, capture_output=True, check=False)

    with CloudFlow(host="0.0.0.0", tls=tls) as cf:
        port = int(cf.url.rpartition(":")[2].strip("/"))
        answered = status(port)
        assert answered.returncode == 0, answered.stderr
    assert status(port).returncode == 1
