"""Puts a server together: settings and fixtures to an emulator, its control, and what listens. The one place that does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cfmock.base.errors import SettingsError
from cfmock.emulator.emulator import Emulator
from cfmock.emulator.kept_state import KeptState
from cfmock.fixtures.model import FixtureSet
from cfmock.fixtures.seeding import build
from cfmock.server.admin.guard import Guard
from cfmock.server.lifecycle import Server, Steering, is_loopback
from cfmock.server.tls import Tls
from cfmock.settings import Settings

if TYPE_CHECKING:
    from cfmock.control.control import Control


def compose(fixtures: FixtureSet, settings: Settings, tls: Tls | None) -> Server:
    """A server in the state of the fixtures, or of its state file. Raises SettingsError for a file that cannot be used."""
    kept = _kept(settings)
    try:
        emulator = build(fixtures, settings, kept)
        steering = Steering(emulator, guard(settings))
        server = Server(emulator, steering, tls)
        if kept is not None:
            bring_back(kept, emulator, steering.control)
            server.restore = partial(_restore, kept, emulator, steering.control)
            if is_shared(settings):
                _join(server, kept, settings)
    except BaseException:
        if kept is not None:
            kept.file.close()
        raise
    return server


def is_shared(settings: Settings) -> bool:
    """Return whether state is kept in a database, so that the server is one of several replicas."""
    return settings.state is not None and settings.state.startswith(("postgresql://", "postgres://"))


def _kept(settings: Settings) -> KeptState | None:
    if settings.state is None:
        return None
    if not is_shared(settings):
        from cfmock.service.store.state_file import StateFile  # loads SQLite

        return KeptState(StateFile(settings.state))
    _check_shared(settings)
    try:
        from cfmock.server.replicas.session import DatabaseSession
    except ImportError:
        text = "a database takes the extra `postgres`: pip install 'cfmock[postgres]'"
        raise SettingsError(f"--state: {text}") from None
    from cfmock.server.replicas.shared_state import SharedState

    assert settings.replica_token is not None
    return SharedState(DatabaseSession(settings.state, settings.replica_token))


def _check_shared(settings: Settings) -> None:
    """Raises SettingsError for what does not go with several replicas."""
    wrong = []
    if settings.clock == "virtual":
        wrong.append("--clock virtual: replicas of one database have the real clock")
    if settings.tls or settings.tls_cert is not None:
        wrong.append("--tls: replicas forward calls over plain HTTP; let the balancer do HTTPS")
    if settings.replica_token is None:
        wrong.append("--replica-token: replicas of one database need one that they share")
    if wrong:
        raise SettingsError("\n".join(wrong))


def _join(server: Server, kept: KeptState, settings: Settings) -> None:
    from cfmock.server.replicas.joint_admin import JointAdmin
    from cfmock.server.replicas.replica import Replica
    from cfmock.server.replicas.shared_state import SharedState

    assert isinstance(kept, SharedState)
    assert settings.replica_token is not None
    server.replica = Replica(kept, server.steering.control, settings.replica_token)
    server.steering.joint = JointAdmin(server.replica, server.emulator.worlds.default_key)


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
