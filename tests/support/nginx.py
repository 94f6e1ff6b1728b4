"""nginx with the lines of a page, in front of servers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.processes import system_program
from tests.support.waiting import until

MAIN = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{lines}
}}
"""


@contextmanager
def nginx(lines: str, folder: Path) -> Iterator[None]:
    """nginx with these lines, once it serves. Skips where there is none."""
    program = system_program("nginx")
    if program is None:
        pytest.skip("nginx is not on this machine (Debian: apt-get install nginx)")
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(user=user, folder=folder, lines=lines), encoding="utf-8")
    words = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    tried = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    with subprocess.Popen(words) as process:
        try:
            # It has written its number once it listens; `-t` leaves the file empty.
            until(lambda: process.poll() is not None or (folder / "pid").stat().st_size)
            assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            yield
        finally:
            process.terminate()
