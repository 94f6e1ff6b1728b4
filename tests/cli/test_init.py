"""`cfmock init`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cfmock.cli.init import NEEDS, RUN, SHARED, starter
from tests.support.processes import environment

OF_THE_FLOW = {"fixtures/order_flow.fdl.yaml", "fixtures/orders.cfmock.yaml"}
OF_A_LANGUAGE = {
    "go": {"go.mod", "go.sum", "orders_test.go"},
    "java": {"pom.xml", "src/test/java/OrdersTest.java"},
    "node": {"package.json", "test/orders.test.js"},
    "python": {"test_orders.py"},
}


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("language", RUN)
def test_it_writes_flow_fixture_and_a_test_in_the_language_into_a_folder(cfmock, here, language):
    ran = cfmock("init", "new/orders", "--language", language)
    assert (ran.code, ran.err) == (0, "")
    assert files(here / "new/orders") == OF_THE_FLOW | OF_A_LANGUAGE[language]
    *wrote, test_flow, test_client = ran.out.splitlines()
    assert [Path(line.removeprefix("wrote ")) for line in wrote] == [
        Path("new/orders", name) for name in starter(language)
    ]
    assert test_flow == "test the flow:   cfmock test new/orders/fixtures/"
    assert test_client == f"test a client:   cd new/orders && {RUN[language]}"


def test_what_it_wrote_passes_at_once(cfmock, here):
    assert cfmock("init").out.endswith("test a client:   pytest\n")
    assert cfmock("check", "fixtures").out == "ok: 1 flow, 3 tests\n"
    assert cfmock("test", "fixtures/").out.endswith("3 passed; coverage 100 % (4 of 4 points)\n")
    plugins = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:asyncio", "-p", "no:aiohttp")
    words = [sys.executable, "-m", "pytest", "-q", *plugins, "-W", "error"]
    ran = subprocess.run(words, cwd=here, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "21 passed" in ran.stdout


@pytest.mark.parametrize("link", [False, True], ids=["file", "link that leads nowhere"])
@pytest.mark.parametrize("name", ["test_orders.py", "fixtures/orders.cfmock.yaml"])
def test_it_overwrites_nothing_and_then_writes_nothing(cfmock, here, name, link):
    path = here / name
    path.parent.mkdir(exist_ok=True)
    path.symlink_to("nowhere") if link else path.write_text("mine")
    ran = cfmock("init")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"{name} already exists: rename it, or name another FOLDER\n"
    assert files(here) == (set() if link else {name})
    assert path.is_symlink() if link else path.read_text() == "mine"


def test_a_folder_with_a_space_is_quoted_in_what_to_type(cfmock, here):
    lines = cfmock("init", "my shop").out.splitlines()
    assert lines[-2:] == [
        "test the flow:   cfmock test 'my shop/fixtures/'",
        "test a client:   cd 'my shop' && pytest",
    ]


@pytest.mark.parametrize(("language", "name"), [("go", "go.mod"), ("java", "pom.xml"), ("node", "package.json")])
def test_a_project_s_own_file_is_kept_and_what_it_needs_is_named(cfmock, here, language, name):
    (here / name).write_text("mine")
    ran = cfmock("init", "--language", language)
    assert ran.code == 0
    assert f"kept {name}; it needs: {NEEDS[name]}\n" in ran.out
    assert (here / name).read_text() == "mine"
    assert files(here) == OF_THE_FLOW | OF_A_LANGUAGE[language] - {*SHARED} | {name}


def test_a_folder_that_cannot_be_made_is_one_line(cfmock, here):
    (here / "taken").write_text("")
    ran = cfmock("init", "taken")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("cannot write taken/fixtures/order_flow.fdl.yaml: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("name", NEEDS)
def test_what_is_named_for_kept_files_is_what_the_written_ones_hold(name):
    (language,) = (each for each, there in OF_A_LANGUAGE.items() if name in there)
    written = starter(language)[name]
    if name == "package.json":
        wanted = json.loads(written)["devDependencies"]
        assert NEEDS[name].split()[-1:] == [f"{package}@{version}" for package, version in wanted.items()]
    elif name == "go.mod":
        direct = re.findall(r"^\t(\S+) (\S+)$", written, re.M)
        assert NEEDS[name].split()[2:] == [f"{module}@{version}" for module, version in direct]
    else:
        found = re.findall(
            r"<groupId>(.*)</groupId>\s*<artifactId>(.*)</artifactId>\s*<version>(.*)</version>", written
        )
        assert all(":".join(each) in NEEDS[name] for each in found[1:])
        assert len(found) == 3


def test_the_packages_are_those_that_the_tests_drive():
    root = Path(__file__).parent.parent / "e2e"
    assert json.loads(starter("node")["package.json"])["devDependencies"].items() <= (
        json.loads((root / "node/package.json").read_text())["dependencies"].items()
    )
    modules = set((root / "go/go.mod").read_text().splitlines())
    assert {line for line in starter("go")["go.mod"].splitlines() if line.startswith("\t")} <= modules
    assert (
        "<artifactId>tea-openapi</artifactId>\n      <version>0.3.15</version>" in (root / "java/pom.xml").read_text()
    )


@pytest.mark.skipif(not shutil.which("gofmt"), reason="there is no gofmt on this machine")
def test_go_is_formatted_as_go_is(cfmock, here):
    cfmock("init", "--language", "go")
    assert subprocess.run(["gofmt", "-l", "."], capture_output=True, text=True, check=True).stdout == ""
