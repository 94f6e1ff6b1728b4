"""Puts a server together: settings and fixtures to an emulator, its control, and what listens. The one place that does."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from cfmock.control.control import Control
from cfmock.emulator.emulator import Emulator
from cfmock.emulator.kept_state import KeptState
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import build
from cfmock.server.admin.guard import Guard
from cfmock.server.admin.http import Admin
from cfmock.server.lifecycle import Server, is_loopback
from cfmock.server.tls import Tls
from cfmock.settings import Settings


class Composed(NamedTuple):
    """A server that is yet to be started, and what steers it."""

    server: Server
    control: Control


def compose(fixtures: FixtureSet, settings: Settings, tls: Tls | None) -> Composed:
    """A server in the state of the fixtures, or of its state file. Raises SettingsError for a file that cannot be used."""
    kept = None
    if settings.state is not None:
        from cfmock.service.store.state_file import StateFile  # loads SQLite

        kept = KeptState(StateFile(settings.state))
    try:
        emulator = build(fixtures, settings, kept)
        control = Control(emulator)
        handler = Admin(control, guard(settings)).handle
        server = Server(emulator, handler, settings.host, settings.port, tls)
        if kept is not None:
            bring_back(kept, emulator, control)
            server.restore = partial(_restore, kept, emulator, control)
    except BaseException:
        if kept is not None:
            kept.file.close()
        raise
    return Composed(server, control)


def bring_back(kept: KeptState, emulator: Emulator, control: Control) -> None:
    """Bring back what is kept, and let it go on."""
    kept.begin(emulator.shared, emulator.worlds)
    control.add_again(kept.added())
    kept.resume()


def _restore(kept: KeptState, emulator: Emulator, control: Control) -> None:
    """Throw away what is in memory, and read the file again."""
    with kept.unwritten():
        control.reset()
        emulator.worlds.end()
    bring_back(kept, emulator, control)


def guard(settings: Settings) -> Guard:
    """Build the guard of the admin API."""
    return Guard(settings.host, settings.admin_token, is_loopback(settings.host))
