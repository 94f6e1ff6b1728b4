"""`--watch` and `--reload`: look at files again and again, and act when one changes.

`--watch` runs a command once more. `--reload` replaces what the fixture files of a running server define; while they are
wrong, it keeps serving what was there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cfmock.base.errors import FixtureError, SettingsError
from cfmock.fixtures.diff import changes
from cfmock.fixtures.loader import load
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import credentials_of, preparing, take_over
from cfmock.fixtures.sources import Stamp, stamp_of

if TYPE_CHECKING:
    from cfmock.cli.server_setup import Started

log = logging.getLogger("cfmock")

EVERY = 0.25  # seconds between looks at the files
Stamps = Mapping[str, Stamp | None]


def stamps_of(files: Iterable[str]) -> Stamps:
    """Return the stamp of each file, None where it is not there."""
    return {file: stamp_of(file) for file in files}


def watch(act: Callable[[], tuple[int, FixtureSet]], paths: Sequence[str]) -> int:
    """Act, and again after every change of files in `paths`, or of others that its fixtures name; its last exit code once
    Ctrl-C is pressed."""
    code = 0
    try:
        while True:
            code, fixtures = act()
            before = stamps_of(fixtures.watched(paths))
            click.echo(f"watching {len(before)} file{'s' * (len(before) != 1)}; Ctrl-C ends it", err=True)
            while stamps_of(fixtures.watched(paths)) == before:
                time.sleep(EVERY)
            click.echo(f"\n--- {time.strftime('%H:%M:%S')}", err=True)
    except KeyboardInterrupt:
        return code


async def reload_changed(started: Started, paths: Sequence[str], variables: Mapping[str, str], stamps: Stamps) -> None:
    """Read the files of a server again whenever one changes; `stamps` are those it was made of."""
    while True:
        await asyncio.sleep(EVERY)
        before, stamps = stamps, stamps_of(started.fixtures.watched(paths))
        if stamps != before:
            reload(started, paths, variables)


def reload(started: Started, paths: Sequence[str], variables: Mapping[str, str]) -> None:
    """Read the files again and take over what they say, or say what is wrong with them."""
    emulator = started.server.emulator
    try:
        fixtures = load(paths, variables=variables)
        emulator.replace_credentials(credentials_of(fixtures))
    except (FixtureError, SettingsError) as error:
        log.error("not reloaded, still serving the previous version:\n%s", error)
        return
    before, started.fixtures = started.fixtures, fixtures
    emulator.worlds.prepare = preparing(fixtures, emulator.kept)
    for world in emulator.worlds.known():
        take_over(before, fixtures, world)
    started.control.check_fixtures(fixtures)
    log.info("reloaded: %s", changes(before, fixtures))
