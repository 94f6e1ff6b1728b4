"""What has changed, as numbers and names: for those who look at a server, so that they read again what they show.

Whoever changes something marks it, which costs next to nothing, and keeps no more than the newest marks. Whoever reads asks
for what came after a number, and is told to read everything again if that is not known any more.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import takewhile
from typing import Literal, NamedTuple
from urllib.parse import quote

from cfmock.observe.journal import WorldKey

Kind = Literal["call", "execution", "flow", "fault", "task", "clock"]
"""Of what something changed."""

KINDS: tuple[Kind, ...] = ("call", "execution", "flow", "fault", "task", "clock")

MAX_CHANGES = 1_000
"""Changes that are kept, the newest."""


class FeedEntry(NamedTuple):
    """One change. `names` lead to the thing: a request id; flow and execution; the name of a flow or fault."""

    number: int
    kind: Kind
    world: WorldKey
    names: tuple[str, ...]

    def id(self, default: WorldKey) -> str:
        """The path of the thing below its list, percent-encoded, with the world it is in if that is not the default one."""
        path = "/".join([quote(name, safe="") for name in self.names])
        if not path or self.kind in ("call", "fault") or self.world == default:
            return path
        account, region = (quote(name, safe="") for name in self.world)
        return f"{path}?account={account}&region={region}"


class ChangeFeed:
    """The newest changes, numbered from a moment on, so that no number of an earlier process is taken for one of this.

    `wake`, if there is one, is called at the next change.
    """

    def __init__(self) -> None:
        self.number = time.time_ns() // 1000
        self.wake: Callable[[], object] | None = None
        self._begun = self.number
        self._kept: deque[tuple[int, Kind, WorldKey, tuple[str, ...]]] = deque(maxlen=MAX_CHANGES)

    def mark(self, kind: Kind, world: WorldKey, *names: str) -> None:
        """Note a change of something."""
        self.number = number = self.number + 1
        self._kept.append((number, kind, world, names))
        if self.wake is not None:
            self.wake()

    def mark_once(self, kind: Kind, world: WorldKey, *names: str) -> None:
        """Note the same; of several in a row the last is kept."""
        if self._kept and self._kept[-1][1:] == (kind, world, names):
            self._kept.pop()
        self.mark(kind, world, *names)

    def forget(self) -> None:
        """Note that everything is new: whoever reads is to read all of it again."""
        self._kept.clear()
        self.number += 1
        self._begun = self.number
        if self.wake is not None:
            self.wake()

    def since(self, number: int) -> list[FeedEntry] | None:
        """Return those after a number, oldest first; 0 stands for all that are kept. None where that is not known any more."""
        kept = self._kept
        first = kept[0][0] - 1 if len(kept) == MAX_CHANGES else self._begun
        if number and not first <= number <= self.number:
            return None
        found = list(takewhile(lambda mark: mark[0] > number, reversed(kept)))
        return [FeedEntry(*mark) for mark in reversed(found)]


def coalesced(changes: list[FeedEntry], most: int) -> list[FeedEntry]:
    """The newest change of each thing, or, where those are more than `most`, of each kind; oldest first."""
    newest = {change[1:]: change for change in changes}
    if len(newest) > most:
        newest = {(change.kind, ("", ""), ()): change for change in changes}
    return sorted(newest.values())
