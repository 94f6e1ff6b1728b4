"""The Dockerfile fits the package: it copies and installs what is there, and starts a server that passes its health check."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from importlib.metadata import distribution

import pytest

from cfmock import CloudFlow
from cfmock.settings import SETTINGS
from tests.support.image import IMAGE, ROOT

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_what_is_copied_is_in_the_tree_and_let_through_to_the_build():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [name for text in IMAGE.of("COPY") if "--from" not in text for name in text.split()[:-1]]
    assert {"cfmock", "fixtures"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert ignored[0] == "*"
    assert [name for name in copied if f"!{name}" not in ignored] == []


def test_what_the_wheel_is_built_from_is_copied():
    (readme,) = re.findall(r'^readme = "(.*)"$', PROJECT, re.MULTILINE)
    (licence,) = re.findall(r'^license-files = \["(.*)"\]$', PROJECT, re.MULTILINE)
    before = IMAGE.instructions[: [text for _, text in IMAGE.instructions].index(IMAGE.of("RUN")[0])]
    copied = [name for text in [text for kind, text in before if kind == "COPY"] for name in text.split()[:-1]]
    for name in ("pyproject.toml", "cfmock", readme, licence):
        assert any(fnmatch(name, pattern) for pattern in copied), name


def test_every_stage_is_of_one_supported_python():
    (image,) = {text.split()[0] for text in IMAGE.of("FROM")}
    version = re.fullmatch(r"python:(3\.\d+)-slim", image).group(1)
    assert f'"Programming Language :: Python :: {version}"' in PROJECT


def test_the_extras_are_those_of_the_package():
    """All of them: the page on containers and the changelog promise it."""
    assert re.findall(r"\[(.*?)\]", IMAGE.of("RUN")[0]) == ["all"]
    assert "all" in distribution("cfmock").metadata.get_all("Provides-Extra")


def test_what_is_copied_lies_as_in_the_tree_in_the_folder_that_pip_installs():
    (source,) = re.findall(r"pip install .*'(/\w+)\[", IMAGE.of("RUN")[0])
    build = IMAGE.instructions[: IMAGE.instructions.index(("RUN", IMAGE.of("RUN")[0]))]
    copies = [text.split() for kind, text in build if kind == "COPY"]
    assert {name for *names, _ in copies for name in names} == {"pyproject.toml", "README.md", "LICENSE", "cfmock"}
    for *names, target in copies:
        for name in names:
            placed = f"{target}{name}" if target.endswith("/") else target
            assert placed == f"{source}/{name}"
            assert (ROOT / name).is_file() or not target.endswith("/"), (
                "COPY puts what is in a folder there, not the folder"
            )


def test_it_is_stopped_by_the_signal_at_which_a_server_shuts_down():
    """The signal is the one at which `serve` keeps its state and exits with 0 (tests/cli/test_serve.py)."""
    assert IMAGE.only("STOPSIGNAL") == "SIGTERM"


def test_the_command_is_on_the_path_that_the_first_stage_installs_into():
    (made,) = re.findall(r"python -m venv (\S+)", IMAGE.of("RUN")[0])
    assert f"{made}/bin/pip install" in IMAGE.of("RUN")[0]
    assert f"--from=build {made} {made}" in IMAGE.of("COPY")
    assert f"PATH={made}/bin:$PATH" in IMAGE.only("ENV").split()
    (program,) = IMAGE.program
    assert program in {point.name for point in distribution("cfmock").entry_points.select(group="console_scripts")}


def test_it_serves_the_copied_fixtures():
    words = IMAGE.words
    assert words == ["serve", "/fixtures"]
    assert f"{words[1].lstrip('/')} {words[1]}" in IMAGE.of("COPY")


def test_it_runs_as_a_user_of_its_own_who_may_write_state():
    user, state = IMAGE.only("USER"), IMAGE.only("VOLUME")
    steps = [shlex.split(step) for step in IMAGE.of("RUN")[1].split("&&")]
    made = [step[-1] for step in steps if step[0] == "useradd"]
    assert made == [user]
    assert ["mkdir", state] in steps
    assert ["chown", user, state] in steps
    order = [kind for kind, _ in IMAGE.instructions]
    assert "RUN" not in order[order.index("USER") :]


def test_it_listens_where_it_is_exposed_in_settings_that_exist():
    settings = {row.variable: row for row in SETTINGS.values()}
    set_here = IMAGE.variables
    assert set(set_here) <= set(settings)
    assert settings["CFMOCK_HOST"].read(set_here["CFMOCK_HOST"]) == "0.0.0.0"
    assert IMAGE.port == set_here["CFMOCK_PORT"] == str(SETTINGS["port"].default)


PROXY = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
"""Docker may set the proxy variables of its own configuration in each container."""


@pytest.mark.parametrize(
    ("tls", "more"), [(False, {}), (False, PROXY), (False, {"CFMOCK_TLS": "false"}), (True, {"CFMOCK_TLS": "true"})]
)
def test_its_health_check_tells_a_server_from_none(tls, more):
    command = IMAGE.health
    assert command[:2] == ["python", "-c"]

    def status(port):
        environment = {"CFMOCK_PORT": str(port), **more}
        return subprocess.run([sys.executable, "-IS", *command[1:]], env=environment, capture_output=True, check=False)

    with CloudFlow(host="0.0.0.0", tls=tls) as cf:
        port = int(cf.url.rpartition(":")[2].strip("/"))
        answered = status(port)
        assert answered.returncode == 0, answered.stderr
    assert status(port).returncode == 1
