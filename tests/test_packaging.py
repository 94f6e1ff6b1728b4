"""What users install: the wheel holds all that runs, and nothing else."""

from __future__ import annotations

import email
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import cfmock

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        yield archive


def sources():
    """Every file of the package that is not made by running it."""
    files = (path for path in (ROOT / "cfmock").rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_of_the_package_data_included(wheel):
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == sources()
    assert {"cfmock/py.typed", "cfmock/protocol/spec/operations.yaml", "cfmock/server/console/static/app.js"} <= packed


def test_the_sdist_holds_what_the_wheel_is_built_from_and_what_tests_it(tmp_path):
    (path,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(path) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert sources() <= packed
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", ".ci/run", "tests/test_packaging.py"} <= packed


def test_the_wheel_names_its_version_its_pythons_and_its_licence(wheel):
    metadata = email.message_from_bytes(wheel.read(_in_dist_info(wheel, "METADATA")))
    assert metadata["Name"] == "cfmock"
    assert metadata["Version"] == cfmock.__version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra")) == {"fast", "tls", "metrics", "terraform", "postgres", "all"}
    assert wheel.read(_in_dist_info(wheel, "licenses/LICENSE")).strip().startswith(b"Apache License")


def test_installing_brings_the_command_the_pytest_plugin_and_hooks_for_pyinstaller(wheel):
    lines = wheel.read(_in_dist_info(wheel, "entry_points.txt")).decode().splitlines()
    assert [line for line in lines if line] == [
        "[console_scripts]",
        "cfmock = cfmock.__main__:main",
        "[pyinstaller40]",
        "hook-dirs = cfmock.__pyinstaller:hook_folders",
        "[pytest11]",
        "cfmock = cfmock.pytest_plugin",
    ]


def _in_dist_info(wheel, name):
    (found,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
    return found
