"""What has changed, for those who look: so that they read again what they show, and nothing else."""

from __future__ import annotations

from cfmock.base.json_text import Json
from cfmock.control.part import ControlPart
from cfmock.observe.change_feed import KINDS, coalesced


class ChangeControl(ControlPart):
    """What can be asked about changes."""

    def follow_changes(self, since: int = 0) -> list[dict[str, Json]]:
        """What has changed after a number, a few lines: the newest of each thing, or, where those are many, of each kind. A line
        of the kind `reset` alone says that it is not known any more, so that all has to be read again."""
        feed, default = self.emulator.shared.feed, self.emulator.worlds.default()
        found = feed.since(since)
        if found is None:
            return [{"number": feed.number, "kind": "reset", "id": ""}]
        return [
            {"number": each.number, "kind": each.kind, "id": each.id((default.account, default.region))}
            for each in coalesced(found, len(KINDS))
        ]

    def follow_progress(self, on: bool) -> None:
        """Whether somebody follows changes: then executions count as changed whenever they go on."""
        self.emulator.follow_progress(on)
