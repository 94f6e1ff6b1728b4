"""Does what the endpoints say, in-process: what `CloudFlow`, the pytest plugin and the admin API all go through."""

from __future__ import annotations

from collections.abc import Iterable

from cfmock.base.clocks import iso
from cfmock.base.errors import ArgumentError
from cfmock.base.json_text import Json
from cfmock.base.version import __version__
from cfmock.control.calls import CallControl
from cfmock.control.clock import ClockControl
from cfmock.control.contract import ContractControl
from cfmock.control.execution_detail import ExecutionDetailControl
from cfmock.control.export import ExportControl
from cfmock.control.faults import FAULT, GONE, FaultControl
from cfmock.control.flow_detail import FlowDetailControl
from cfmock.control.flows import FIXTURES, MOCKS, OUTCOME, FlowControl
from cfmock.control.metrics import MetricsControl
from cfmock.emulator.kept_state import Added
from cfmock.observe.change_feed import KINDS, ChangeFeed, coalesced
from cfmock.observe.journal import ALL, Scope, WorldKey


class Control(
    FaultControl,
    CallControl,
    FlowControl,
    FlowDetailControl,
    ExecutionDetailControl,
    ClockControl,
    MetricsControl,
    ContractControl,
    ExportControl,
):
    """The endpoints of one emulator, as methods: those of its parts, and those about the server as a whole."""

    def health(self) -> Json:
        now, dropped = iso(self.emulator.clock.now()), self.emulator.memory.dropped
        return {"status": "ok", "version": __version__, "now": now, "dropped": dropped}

    def add_again(self, added: Iterable[Added]) -> None:
        """Add again what was added to the emulator of an earlier process."""
        do = {OUTCOME: self.add_outcome, MOCKS: self.add_mocks, FIXTURES: self.load}
        for each in added:
            try:
                with self.emulator.worlds.sparing((account, region) for account, region in each.spared):
                    if each.what == FAULT:
                        self.add_fault(each.document, each.scope, id=each.id)
                    elif each.what == GONE:
                        self.remove_given(each.document, each.scope, id=each.id)
                    else:
                        do[each.what](each.document, each.scope)
            except ArgumentError as error:
                self.warn(f"what was added is left out after the restart: {error}")

    def reset(self, scope: Scope = ALL) -> Json:
        """As right after the start; with an account or region, only those worlds."""
        self.check_world(scope)
        self.emulator.reset(scope)
        self.forget_runs()
        self.setups.reset()
        if scope == ALL:
            self._contract = None
        return {}

    def follow_changes(self, since: int = 0) -> list[dict[str, Json]]:
        """Return the changes after a number, a few entries: the newest of each thing, or, where those are many, of each kind.
        An entry of the kind `reset` alone means that the number is too old, so that all has to be read again."""
        return changes_since(self.emulator.shared.feed, self.emulator.worlds.default_key, since)

    def follow_progress(self, on: bool) -> None:
        """Switch the marking of progress on or off: while it is on, an execution counts as changed at each step."""
        self.emulator.follow_progress(on)


def changes_since(feed: ChangeFeed, default: WorldKey, since: int) -> list[dict[str, Json]]:
    """The changes after a number, as `follow_changes` has them."""
    found = feed.since(since)
    if found is None:
        return [{"number": feed.number, "kind": "reset", "id": ""}]
    return [{"number": each.number, "kind": each.kind, "id": each.id(default)} for each in coalesced(found, len(KINDS))]
