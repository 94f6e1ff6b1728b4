"""The fast way in leans on aiohttp's inside: the oldest aiohttp that is allowed is as it takes it to be, like the newest here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import environments

WORK = """
import aiohttp
from cfmock.server import fast_way
from tests.server.test_fast_way import OTHERS, PLAIN, Pair

print(aiohttp.__version__)
assert fast_way.is_possible()
pair = Pair()
for parts in (*PLAIN.values(), *OTHERS.values()):
    pair(*parts)
"""


def test_the_fast_way_in_takes_the_oldest_aiohttp_that_is_allowed() -> None:
    try:
        home = Path(environments.command("aiohttp")[0]).parents[1]
    except environments.Unavailable as error:
        pytest.skip(str(error))
    packages = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    if not packages.exists():
        pytest.skip("that aiohttp is there for another Python, or system, only")
    oldest = re.search(r'"aiohttp>=([0-9.]+)"', (environments.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        cwd=environments.ROOT, env={**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{environments.ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert oldest is not None
    assert done.stdout.split() == [oldest[1]]
