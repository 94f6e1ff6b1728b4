"""docs/compose.md, docs/replicas.md and the head of the Dockerfile: what is given to Docker and compose fits the image.

There is no container engine here: the image's command runs as a process, with the variables and folders that a page gives it.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from cfmock.settings import SETTINGS
from tests.support import image
from tests.support.image import IMAGE, ROOT, compose_file
from tests.support.processes import environment

GUIDE = (ROOT / "docs/compose.md").read_text(encoding="utf-8")
HEAD = (ROOT / "Dockerfile").read_text(encoding="utf-8").partition("\n\nFROM")[0]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[image.Engine]:
    made = image.Engine(tmp_path)
    yield made
    made.stop()


def flows(url: str, **variables: str) -> set[str]:
    """The names of the flows that a server has."""
    words = [sys.executable, "-m", "cfmock", "call", "ListFlows"]
    done = subprocess.run(words, env=environment(**{**variables, "CFMOCK_URL": url}), capture_output=True, check=True)
    return {each["Name"] for each in json.loads(done.stdout)["Flows"]}


# -- docker ----------------------------------------------------------------------------------------------------------------

RUN = argparse.ArgumentParser(prog="docker run", exit_on_error=False)
RUN.add_argument("--rm", action="store_true")
RUN.add_argument("-p", action="append", default=[])
RUN.add_argument("-v", action="append", default=[])
RUN.add_argument("-e", action="append", default=[])
RUN.add_argument("image")
RUN.add_argument("words", nargs="*")


def typed(text: str, command: str) -> list[list[str]]:
    """The words behind a command, wherever it is shown."""
    return [shlex.split(line) for line in re.findall(rf"(?:^\$|^#  ) {command} (.*)$", text, re.MULTILINE)]


def test_the_image_is_built_and_used_by_one_name() -> None:
    for text in (GUIDE, HEAD):
        assert typed(text, "docker build") == [["-t", "cfmock", "."]]
        assert {RUN.parse_args(words).image for words in typed(text, "docker run")} == {"cfmock"}


def test_what_is_run_serves_the_folder_that_is_mounted_and_is_healthy(engine: image.Engine, tmp_path: Path) -> None:
    given = RUN.parse_args(*typed(GUIDE, "docker run"))
    assert typed(HEAD, "docker run") == typed(GUIDE, "docker run")
    (published,), (mounted,) = given.p, given.v
    assert published.rpartition(":")[2] == IMAGE.port
    outside, inside, mode = mounted.split(":")
    assert (outside, inside, mode) == ("$PWD/fixtures", IMAGE.words[-1], "ro")
    (tmp_path / "own.yaml").write_text("cfmock: 1\nflows: [{name: my_own}]\n", encoding="utf-8")
    container = engine.make({}, given.words, {inside: str(tmp_path / "own.yaml")})
    container.start()
    assert container.healthy()
    assert flows(f"http://127.0.0.1:{container.port}") == {"my_own"}
    assert b"the admin API is off" in container.log


def test_the_options_in_the_text_name_settings_and_folders_of_the_image() -> None:
    variables = {row.variable: row for row in SETTINGS.values()}
    for text in (GUIDE, HEAD):
        options = re.findall(r"(-[ev]) ([\w-]+)([=:])([^\s`,]+)", text)
        assert {name for name, *_ in options} == {"-e", "-v"}
        for option, name, _, value in options:
            if option == "-v":
                assert value in IMAGE.folders
            elif value != "...":
                variables[name].read(value)
                assert not value.startswith("/") or str(Path(value).parent) in IMAGE.folders


# -- compose ---------------------------------------------------------------------------------------------------------------

COMPOSE_KEYS = {"services", "volumes", "configs"}
SERVICE_KEYS = {"image", "build", "volumes", "environment", "depends_on", "deploy", "restart", "ports", "configs"}
"""Of compose's, those that the pages use."""


@pytest.mark.parametrize("page", ["compose.md", "replicas.md"])
def test_a_compose_file_names_only_what_it_defines(page: str) -> None:
    document = compose_file(page)
    services = document["services"]
    assert set(document) <= COMPOSE_KEYS
    for service in services.values():
        assert set(service) <= SERVICE_KEYS
        assert len({"image", "build"} & set(service)) == 1
        waits = service.get("depends_on", {})
        assert set(waits) <= set(services)
        healthy = [name for name in waits if isinstance(waits, dict) and waits[name]["condition"] == "service_healthy"]
        assert {services[name]["image"] for name in healthy} <= {"cfmock"}, "the one image that has a health check"
        sources = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        assert {source for source in sources if not source.startswith(".")} <= set(document.get("volumes", ()))
        assert {each["source"] for each in service.get("configs", ())} <= set(document.get("configs", ()))


@pytest.mark.parametrize("page", ["compose.md", "replicas.md"])
def test_a_service_of_the_image_gets_settings_and_folders_that_it_has(page: str) -> None:
    variables = {row.variable: row for row in SETTINGS.values()}
    ours = [each for each in compose_file(page)["services"].values() if each.get("image") == "cfmock"]
    assert ours
    for service in ours:
        for name, value in service["environment"].items():
            variables[name].read(value)
        assert {volume.split(":")[1] for volume in service["volumes"]} <= set(IMAGE.folders)


def test_tests_in_compose_find_the_server_that_they_waited_for(engine: image.Engine) -> None:
    services = compose_file("compose.md")["services"]
    ((wanted, condition),) = services["tests"]["depends_on"].items()
    assert condition == {"condition": "service_healthy"}
    assert typed(GUIDE, "docker compose") == [["up", "--build", "--exit-code-from", "tests"]]
    server = engine.make(services[wanted]["environment"], (), {})
    server.start()
    assert server.healthy()

    inside = f"{wanted}:{IMAGE.port}"
    given = {
        name: text.replace(inside, f"127.0.0.1:{server.port}")
        for name, text in services["tests"]["environment"].items()
    }
    assert given["CFMOCK_URL"] == f"http://{given['CFMOCK_ENDPOINT']}"
    assert {"order_flow", "invoice_export"} <= flows(given["CFMOCK_URL"], **given)
    (token,) = re.findall(r"`Authorization: Bearer (.*?)`", GUIDE)
    reset = Request(f"{given['CFMOCK_URL']}/_cfmock/reset", method="POST", headers={"Authorization": f"Bearer {token}"})
    with urlopen(reset) as answer:
        assert answer.status == 200
