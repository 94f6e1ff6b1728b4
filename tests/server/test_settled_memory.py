"""A process that serves gives the memory of large requests back to the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SCRIPT = """
import re
from pathlib import Path
from cfmock.server.lifecycle import settle_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

if {settled}:
    settle_memory()
bytes(1) * 2**24  # of 16 MiB: whoever lets glibc learn from it has all smaller ones on the heap
requests = [bytes(range(256)) * 4096 for _ in range(100)]
kept, before = requests[-1], resident()  # the last one is at the top of the heap
requests.clear()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such threshold")
@pytest.mark.parametrize("settled", [True, False])
def test_what_large_requests_took_is_given_back_though_one_is_kept(settled: bool) -> None:
    script = SCRIPT.format(settled=settled)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (int(done.stdout) > 90) is settled
