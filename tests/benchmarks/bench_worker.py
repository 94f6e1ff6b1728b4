"""How long `cfmock contract --worker` takes for 40 cases of a Java client: the vendor's SDK at its own settings, the starts of
its JVMs included. Ten seconds are the SDK's time-out, five an answer that drips.
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

HERE = Path(__file__).parent
JARS = HERE.parents[1] / ".venvs" / "java" / "lib"
CASES = 40
LIMIT = 25.0
"""Seconds."""


def took(environment: Mapping[str, str], cores: Collection[int]) -> float | None:
    """Seconds from start to end, on all cores; None where there is no Java SDK. Raises ValueError if it did not run as meant."""
    if not JARS.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "f.yaml").write_text("cfmock: 1\nflows: [{name: f}]\n", encoding="utf-8")
        subprocess.run(["javac", "-cp", str(JARS / "*"), "-d", folder, str(HERE / "Worker.java")], check=True)
        client = ["java", "-cp", f"{folder}{os.pathsep}{JARS / '*'}", "Worker"]
        words = ["contract", "f.yaml", "--jobs", "2", "--format", "json", "--worker", "--", *client]
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "cfmock", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**environment, "PYTHONPATH": str(HERE.parents[1])},
        )  # fmt: skip
        if cores:
            os.sched_setaffinity(process.pid, cores)
        out, err = process.communicate()
        seconds = time.perf_counter() - began
    if process.returncode or sum(case["seen"] for case in json.loads(out)["cases"]) < CASES:
        raise ValueError(f"status {process.returncode}: {err}{out}")
    return seconds
