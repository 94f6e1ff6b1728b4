"""An emulator with a state file, whose process can die at any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from cfmock.base.clocks import VirtualClock
from cfmock.base.json_text import Json
from cfmock.control.control import Control
from cfmock.emulator.kept_state import KeptState
from cfmock.fixtures.loader import load
from cfmock.fixtures.seeding import build
from cfmock.server.composition import bring_back
from cfmock.service.store.state_file import StateFile
from cfmock.settings import resolve
from tests.support.calls import NOW, Service


class KeptService(Service):
    """A service and its file. `restarted` is what a new process makes of what was committed; nothing else is left."""

    def __init__(self, path: Path, *fixtures: Mapping[str, Any] | str, functions: Any = None, **settings: Any) -> None:
        found = load([each if isinstance(each, str) else {"cfmock": 1, **each} for each in fixtures])
        flags = {"clock": "virtual", "now": NOW, "seed": 1, "state": str(path)} | settings
        kept = KeptState(StateFile(path))
        super().__init__(build(found, resolve(flags, {}, found.settings, keywords=True), kept))
        self.kept = kept
        self.control = Control(self.emulator)
        self.opened.append(self)
        self._given = path, fixtures, settings
        self.functions = self.emulator.shared.functions = functions
        bring_back(kept, self.emulator, self.control)
        self.emulator.worlds.default()
        for world in self.emulator.worlds:
            world.call_again()

    opened: ClassVar[list[KeptService]] = []
    """Those whose files are to be closed at the end of a test."""

    @classmethod
    def close_all(cls) -> None:
        """Let go of the files."""
        for service in cls.opened:
            service.kept.file.close()
        cls.opened.clear()

    def __call__(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            return super().__call__(operation, **parameters)
        finally:
            self.commit()

    def commit(self) -> None:
        """Write down what has come so far, as is done before an answer leaves."""
        self.kept.collect()
        self.kept.file.write(self.kept.changes.take())

    def restarted(self, *fixtures: Mapping[str, Any] | str, **settings: Any) -> KeptService:
        """The process has died, and another one is there; it may have been given other fixtures."""
        self.kept.file.close()
        path, given, before = self._given
        other = KeptService(path, *(fixtures or given), functions=self.functions, **(before | settings))
        other.rest()
        return other

    def rest(self) -> None:
        """Do what is due at this moment."""
        while (due := self.emulator.timers.next_due()) is not None and due <= self.emulator.clock.steady():
            self.emulator.time.tick()
        self.commit()

    def advance(self, seconds: float) -> None:
        """Move the virtual clock on."""
        self.emulator.time.advance_to(self.emulator.clock.now() + seconds)
        self.commit()

    @property
    def now(self) -> float:
        """Seconds since the virtual clock began."""
        assert isinstance(self.emulator.clock, VirtualClock)
        return self.emulator.clock.now() - NOW

    def history(self, flow: str, name: str) -> list[tuple[int, int, str, str, str, Json]]:
        """The events of an execution, as they are answered."""
        found = self("GetExecutionHistory", FlowName=flow, ExecutionName=name, Limit=999)["Events"]
        keys = ("EventId", "ScheduleEventId", "Type", "StepName", "Time")
        return [(*(event[key] for key in keys), json.loads(event["EventDetail"])) for event in found]
