"""What the Makefile promises to whoever types `make` in a fresh clone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this machine")


def make(*arguments):
    # Not as a part of the make that may be running these tests: it would be told of that by variables.
    clean = {"PATH": str(Path(shutil.which("make")).parent) + ":/usr/bin:/bin"}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target_with_what_it_does():
    (targets,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    listed = dict(line.split(maxsplit=2)[1:] for line in make().splitlines())
    assert set(listed) == set(targets.split())
    assert {"serve", "test", "check", "bench", "binary"} <= set(listed)


@pytest.mark.parametrize("target", ["setup", "serve", "test", "check", "format", "docs", "bench"])
def test_a_target_sets_up_what_it_needs_from_nothing(target):
    planned = make("--dry-run", "--always-make", target)
    assert ".ci/environment .venv" in planned.splitlines()[0]
