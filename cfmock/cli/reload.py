"""`--reload`: when fixture files change, replace what they define; while they are wrong, keep serving what was there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cfmock.base.errors import FixtureError, SettingsError
from cfmock.fixtures.diff import changes
from cfmock.fixtures.loader import load
from cfmock.fixtures.seeding import credentials_of, preparing, take_over

if TYPE_CHECKING:
    from cfmock.cli.server_setup import Started

log = logging.getLogger("cfmock")

EVERY = 0.25
"""Seconds between looks at the files."""

Stamps = Mapping[str, tuple[int, int]]


class Reloader:
    """Watches the files of one server."""

    def __init__(self, started: Started, paths: Sequence[str]) -> None:
        self._started = started
        self._paths = list(paths)
        self._stamps = self._look()

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            stamps = self._look()
            if stamps != self._stamps:
                self._stamps = stamps
                self.reload()

    def reload(self) -> None:
        """Read the files again and take over what they say, or say what is wrong with them."""
        emulator = self._started.server.emulator
        try:
            fixtures = load(self._paths)
            emulator.replace_credentials(credentials_of(fixtures))
        except (FixtureError, SettingsError) as error:
            log.error("not reloaded, still serving what was there:\n%s", error)
            return
        before, self._started.fixtures = self._started.fixtures, fixtures
        emulator.start_from(preparing(fixtures))
        for world in emulator.known_worlds():
            take_over(before, fixtures, emulator, world)
        log.info("reloaded: %s", changes(before, fixtures))

    def _look(self) -> Stamps:
        found = {}
        for path in self._started.fixtures.watched(self._paths):
            try:
                status = Path(path).stat()
            except OSError:
                continue
            found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found
