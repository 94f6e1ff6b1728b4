"""How long `cfmock contract --jobs 2` takes for a whole matrix of one operation: 14 codes and 6 connection faults, with a client
that needs 0.3 s, and waits for an answer for five seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path

CASES = 20
LIMIT = 8.0
"""Seconds."""

CLIENT = """
import http.client, os, sys, time
began = time.perf_counter() - 0.02  # the start of Python itself
connection = http.client.HTTPConnection(os.environ["CFMOCK_ENDPOINT"], timeout=5)
try:
    connection.request("GET", "/?Version=2019-03-15&Action=DescribeFlow&Name=f")
    answer = connection.getresponse()
    status = answer.status
    answer.read()
except (OSError, http.client.HTTPException):
    status = 0
time.sleep(max(0, 0.3 - (time.perf_counter() - began)))
sys.exit(status != 200)
"""


def took(environment: Mapping[str, str], cores: Collection[int]) -> float:
    """Seconds from start to end, on all cores. Raises ValueError if it did not run as meant."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "f.yaml").write_text("cfmock: 1\nsettings: {auth: off}\nflows: [{name: f}]\n", encoding="utf-8")
        words = [
            "contract",
            "f.yaml",
            "--jobs",
            "2",
            "--format",
            "json",
            "--",
            sys.executable,
            "-I",
            "-S",
            "-c",
            CLIENT,
        ]
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "cfmock", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        if cores:
            os.sched_setaffinity(process.pid, cores)
        out, err = process.communicate()
        seconds = time.perf_counter() - began
    if process.returncode or sum(case["seen"] for case in json.loads(out)["cases"]) != CASES:
        raise ValueError(f"status {process.returncode}: {err}{out}")
    return seconds
