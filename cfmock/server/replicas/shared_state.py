"""State that several replicas keep: each has the worlds it owns, which come and go, and all have what was added to all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cfmock.base.randomness import Ids
from cfmock.control.control import Control
from cfmock.control.faults import FAULT
from cfmock.emulator.kept_state import Added, KeptState
from cfmock.emulator.worlds import Worlds
from cfmock.observe.journal import Scope, WorldKey
from cfmock.server.replicas.session import DatabaseSession, WorldRows
from cfmock.service.shared import Shared
from cfmock.service.world import World


class SharedState(KeptState):
    """The state of one replica. What holds in all worlds is kept by the owner of the default one; the others follow."""

    file: DatabaseSession
    _registry: Worlds  # since the begin, like the worlds owned
    _owned: set[WorldKey]

    def __init__(self, session: DatabaseSession) -> None:
        super().__init__(session)
        self._following = False

    def begin(self, shared: Shared, worlds: Worlds) -> None:
        """Begin without a world."""
        self._registry = worlds
        if worlds.owned is None:
            worlds.owned = set()
        self._owned = worlds.owned
        super().begin(shared, worlds)

    def take(self, key: WorldKey, rows: WorldRows) -> World:
        """Bring back a world that this replica owns from here on, and let it go on. Raises SettingsError where a row cannot be
        read: the world is not here then, and its rows stay as they are."""
        shared, worlds = self._shared, self._registry
        assert shared is not None
        self._stored = rows
        self._ahead = shared.clock.now() - shared.clock.steady()
        self._holding.enter_context(shared.scheduler.held())
        self.changes.coming_back = True
        self._owned.add(key)
        try:
            world = worlds.of(*key)
        except BaseException:
            self._owned.discard(key)
            worlds.unmake(key)
            self._restorers.clear()
            raise
        finally:
            self.resume()
        return world

    def follow(self, rows: Iterable[tuple[str, str]], control: Control) -> None:
        """Add what another replica has added to all, and take out what it has taken out."""
        self._following = True
        try:
            there = {int(key): Added(*json.loads(text)) for key, text in rows}
            for number, added in [*self._additions.items()]:
                now = there.get(number)
                stays = now is not None and now._replace(spared=added.spared) == added
                gone = now.spared[len(added.spared) :] if now and stays else [added.scope]
                for scope in gone if added.what == FAULT else ():
                    control.remove_fault(added.id, scope)
            control.add_again(self.added(rows))
        finally:
            self._following = False

    def add(self, what: Added) -> None:
        """Keep what was added here."""
        if not self._following:
            super().add(what)

    def give_up(self) -> None:
        """Own nothing any more."""
        self._owned.clear()

    def forget(self, worlds: Sequence[World], scope: Scope) -> None:
        """Those that are here are as at the start; the other replicas do the same with theirs."""
        self.forget_worlds(worlds, scope)

    def _begin_file(self, shared: Shared, meta: Mapping[str, str]) -> None:
        """Each replica has chance of its own; seals are the same in all."""
        ids: Any = shared.ids
        ids.begin(Ids().uuid(), bytes.fromhex(meta["key"]), 0, 0)

    def _note_common(self, shared: Shared) -> None:
        """There is nothing in common that changes."""

    def _set_addition(self, number: int, added: Added | None) -> None:
        paused = self.changes.paused
        self.changes.paused = paused or self._registry.default_key not in self._owned
        try:
            super()._set_addition(number, added)
        finally:
            self.changes.paused = paused
