"""Changes since a number, so that a viewer reads again only the things that changed."""

from __future__ import annotations

from cfmock.base.json_text import Json
from cfmock.control.part import ControlPart
from cfmock.observe.change_feed import KINDS, coalesced


class ChangeControl(ControlPart):
    """Answers questions about changes."""

    def follow_changes(self, since: int = 0) -> list[dict[str, Json]]:
        """Return the changes after a number, a few entries: the newest of each thing, or, where those are many, of each kind.
        An entry of the kind `reset` alone means that the number is too old, so that all has to be read again."""
        feed, default = self.emulator.shared.feed, self.emulator.worlds.default()
        found = feed.since(since)
        if found is None:
            return [{"number": feed.number, "kind": "reset", "id": ""}]
        return [
            {"number": each.number, "kind": each.kind, "id": each.id((default.account, default.region))}
            for each in coalesced(found, len(KINDS))
        ]

    def follow_progress(self, on: bool) -> None:
        """Switch the marking of progress on or off: while it is on, an execution counts as changed at each step."""
        self.emulator.follow_progress(on)
