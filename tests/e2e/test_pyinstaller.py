"""Programs built by PyInstaller that have the package in them: it comes whole, since its hooks are found by an entry point."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "cfmock"
PROGRAM = """
import sys
from importlib import import_module

import cfmock

for name in cfmock.__all__:
    getattr(cfmock, name)

with cfmock.CloudFlow({"cfmock": 1, "flows": [{"name": "f", "outcomes": [{"output": {"ran": True}}]}]}) as cf:
    print(cf.run("f").output)

from cfmock.cli.main import main

main()
"""
"""What a tool of a user's own may do: serve in itself, and be the command line where it is given words."""


UNUSED = (
    "_pytest",
    "cryptography",
    "hypothesis",
    "pip",
    "pygments",
    "pytest",
    "setuptools",
    "tkinter",
    "trustme",
    "uvloop",
)
"""What the program can do without, and a build takes long to look through."""


def test_the_hooks_are_found_and_name_every_file_of_data() -> None:
    (found,) = (each for each in entry_points(group="pyinstaller40") if each.value.startswith("cfmock."))
    (folder,) = found.load()()
    hook = "import runpy, sys; print(*(file for file, _ in runpy.run_path(sys.argv[1])['datas']), sep='\\n')"
    listed = subprocess.run(
        [sys.executable, "-c", hook, f"{folder}/hook-cfmock.py"], capture_output=True, text=True, check=True
    )
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    named = {Path(each) for each in listed.stdout.splitlines()}
    ours = {path for path in named if path.is_relative_to(PACKAGE)}  # the others are of libraries that bring no hook
    assert ours == {path for path in files if path.suffix != ".py"}


@pytest.mark.skipif(
    os.name == "posix" and sys.platform != "darwin" and not sysconfig.get_config_var("Py_ENABLE_SHARED"),
    reason="PyInstaller needs a Python that is a shared library",
)
@pytest.mark.timeout(400)
def test_a_program_of_a_user_has_data_and_commands(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text(PROGRAM, encoding="utf-8")
    left_out = [word for name in UNUSED for word in ("--exclude-module", name)]
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *left_out, "tool.py"]
    built = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    for given, prints in ((["schema"], '"title": "cfmock fixture"'), (["errors", "--json"], "ResourceThrottled")):
        tool = str(tmp_path / "dist" / "tool" / "tool")
        ran = subprocess.run([tool, *given], cwd=tmp_path, capture_output=True, text=True, env={}, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith("{'ran': True}\n")
        assert prints in ran.stdout
