"""`--watch`: do it again whenever the files change."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

EVERY = 0.25
"""Seconds between looks at the files."""

Stamps = Mapping[str, tuple[int, int]]


Files = Callable[[], Iterable[str]]
"""Which files matter, asked anew at every look: folders get new ones."""


def watch(act: Callable[[], tuple[int, Files]], sleep: Callable[[float], None] = time.sleep) -> int:
    """Act, and again after every change of the files that it says matter; its last exit code once Ctrl-C is pressed."""
    code = 0
    try:
        while True:
            code, files = act()
            before = _look(files())
            click.echo(f"watching {len(before)} file{'s' * (len(before) != 1)}; Ctrl-C ends it", err=True)
            while _look(files()) == before:
                sleep(EVERY)
            click.echo(f"\n--- {time.strftime('%H:%M:%S')}", err=True)
    except KeyboardInterrupt:
        return code


def _look(files: Iterable[str]) -> Stamps:
    found = {}
    for file in files:
        try:
            status = Path(file).stat()
        except OSError:
            continue
        found[file] = (status.st_mtime_ns, status.st_size)
    return found
