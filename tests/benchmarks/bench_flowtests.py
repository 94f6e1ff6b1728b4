"""What `cfmock test` takes for many tests, from the start of the process to its end."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.flowtests import document

COUNT = 200
LIMIT = 2.0
"""Tests, and the seconds they may take."""

TEST = """\
- name: order of %(n)d
  flow: order
  input: {amount: %(n)d}
  tasks: {Charge: [{fails: {code: Busy}, times: 1}, {returns: {Body: {receipt: r%(n)d}}}]}
  expect: {status: Succeeded, output: {receipt: r%(n)d}, visits: [Charge, Size, Ship]}
"""


def seconds(environment: Mapping[str, str], rounds: int = 5) -> float:
    """The median of some runs. Raises SystemExit with what it printed if one goes wrong."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        text = document("".join(TEST % {"n": number} for number in range(COUNT))).text
        Path(folder, "order.cfmock.yaml").write_text(text, encoding="utf-8")
        for _ in range(rounds + 1):  # the first one fills the caches
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "cfmock", "test", folder],
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            took.append(time.perf_counter() - began)
            if done.returncode or f"\n{COUNT} passed;" not in done.stdout:
                raise SystemExit(done.stdout + done.stderr)
    return statistics.median(took[1:])
