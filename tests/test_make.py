"""What the Makefile and .ci/ promise to whoever types `make` in a fresh clone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this machine")


def make(*arguments):
    # Not as a part of the make that may be running these tests: it would be told of that by variables.
    clean = {"PATH": str(Path(shutil.which("make")).parent) + ":/usr/bin:/bin"}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=True).stdout


@needs_make
def test_make_alone_lists_every_target_with_what_it_does():
    (targets,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    listed = dict(line.split(maxsplit=2)[1:] for line in make().splitlines())
    assert set(listed) == set(targets.split())
    assert {"serve", "test", "check", "bench", "binary"} <= set(listed)


@needs_make
@pytest.mark.parametrize("target", ["setup", "serve", "test", "check", "format", "docs", "bench", "fuzz", "soak"])
def test_a_target_sets_up_what_it_needs_from_nothing(target):
    planned = make("--dry-run", "--always-make", target)
    assert ".ci/environment .venv" in planned.splitlines()[0]


@needs_make
def test_check_installs_typescript_once_and_checks_the_modules_of_the_console():
    planned = make("--dry-run", "--always-make", "check")
    installs, checks = planned.index("environments.py console"), planned.index("tsc -p tests/e2e/console")
    assert installs < checks
    options = json.loads((ROOT / "tests/e2e/console/tsconfig.json").read_text(encoding="utf-8"))
    assert options["include"] == ["*.d.ts", "../../../cfmock/server/console/static/*.js"]
    assert options["compilerOptions"]["strict"] is options["compilerOptions"]["checkJs"] is True


# -- environments ------------------------------------------------------------------------------------------------------


def test_the_pythons_are_the_same_everywhere():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    classified = re.findall(r"Python :: (3\.\d+)", project)
    first, last = classified[0], classified[-1]
    assert f'requires-python = ">={first}"' in project
    for name in ("pythons", "test-all"):
        (loop,) = re.findall(
            r"^for version in (.*); do$", (ROOT / ".ci" / name).read_text(encoding="utf-8"), re.MULTILINE
        )
        assert loop.split() == classified[::-1]
    for page in ("CONTRIBUTING.md", "README.md"):
        assert f"{first} to {last}" in (ROOT / page).read_text(encoding="utf-8")


def test_the_pythons_of_the_machine_are_listed_newest_first():
    lines = subprocess.run([ROOT / ".ci" / "pythons"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = [tuple(map(int, line.split()[0].split("."))) for line in lines]
    assert found == sorted(set(found), reverse=True)
    for line in lines:
        version, path = line.split(" ", 1)
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        assert said.startswith(f"Python {version}.")


@pytest.fixture
def clone(tmp_path):
    """A folder with .ci/ in it, where uv was had: a program that does what its test writes."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / ".venvs/uv/bin").mkdir(parents=True)
    wheel = tmp_path / "tried-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tried.py", "")
        archive.writestr("tried-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tried\nVersion: 1.0\n")
        archive.writestr(
            "tried-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tried-1.0.dist-info/RECORD", "")
    return tmp_path


def environment(clone, uv):
    program = clone / ".venvs/uv/bin/uv"
    program.write_text(f"#!/bin/sh\n{uv}\n")
    program.chmod(0o755)
    done = subprocess.run(
        [clone / ".ci/environment", "made", sys.executable, "--", "./tried-1.0-py3-none-any.whl"],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_environment_is_made_by_uv(clone):
    """Here uv only writes down what it is asked for."""
    said = environment(clone, 'echo "$@" >> asked')
    version = f"Python {sys.version.split()[0]}"
    assert said == [f"made: {version}, by uv"]
    assert (clone / "asked").read_text().splitlines() == [
        f"venv -q --no-python-downloads --python {sys.executable} made",
        "pip install -q --compile-bytecode --python made/bin/python ./tried-1.0-py3-none-any.whl",
    ]


def test_where_uv_fails_pip_makes_the_environment(clone):
    assert [line.rpartition(", ")[2] for line in environment(clone, "exit 1")] == ["by uv", "by pip"]
    subprocess.run([clone / "made/bin/python", "-c", "import tried"], check=True)
