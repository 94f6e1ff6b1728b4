"""Executions of all flows and worlds, newest first: pages that cost their length, however many are kept.

Those of one start that were started later come first. Children of a distributed map are not among them; who looks for one
names it.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from cfmock.base.globs import glob_matches, is_glob
from cfmock.service.live import live_runs
from cfmock.service.rows import ExecutionRow, FlowRow
from cfmock.service.world import FLOWS, World

MAX_MATCHES = 1_000
"""Executions of a prefix that are sorted; where there are more, they are looked for among all, newest first."""

MAX_LOOKED_AT = 10_000
"""Executions that are looked at for one page."""

PLACE = r"^([0-9]{1,15})\.([0-9]{1,15})\.([^.\n]{1,100})\.([^\n]{0,256})$"
"""The text of a `ListPlace`."""

_LAST_KEY = chr(0x10FFFF)
_END_OF_TIME = 1e12


class ListPlace(NamedTuple):
    """The place of an execution among all; the greatest come first. `started` is in seconds since 1970."""

    started: float
    serial: int
    region: str
    account: str

    @property
    def text(self) -> str:
        """Write the place as the `next` of a page."""
        return f"{round(self.started * 1000)}.{self.serial}.{self.region}.{self.account}"

    @classmethod
    def read(cls, text: str) -> ListPlace:
        """Raises ValueError for what `text` never gave."""
        found = re.fullmatch(PLACE, text)
        if found is None:
            raise ValueError(text)
        return cls(int(found[1]) / 1000, int(found[2]), found[3], found[4])


class Found(Struct, frozen=True):
    """An execution, its world, and where it stands."""

    place: ListPlace
    world: World
    row: ExecutionRow


def page(
    worlds: Iterable[World], flow: str | None, status: str | None, prefix: str, after: ListPlace | None, limit: int
) -> tuple[list[Found], ListPlace | None]:
    """The next `limit` executions behind a place, and the place to go on behind, None if that is all.

    `flow` is a name or a glob; it and `status` None, and an empty prefix, match all. A page by prefix may be shorter, and yet
    not the last.
    """
    pairs = [(world, row) for world in worlds for row in _flows(world, flow)]
    matching = _matching(pairs, prefix, after) if prefix else None
    found: list[Found] = []
    for looked_at, each in enumerate(_by_time(pairs, status, after) if matching is None else matching, 1):
        if status in (None, each.row.status) and each.row.name.startswith(prefix):
            if len(found) == limit:
                return found, found[-1].place
            found.append(each)
        if looked_at == MAX_LOOKED_AT:
            return found, each.place
    return found, None


def count_by_status(world: World, flow: FlowRow) -> dict[str, int]:
    """Count the executions of a flow by status; statuses without any are left out."""
    if not world.stores.executions.count(flow.id):  # most flows of many have none
        return {}
    counts = {status: world.stores.by_status.count(flow.id, ("", status)) for status in world.spec.execution_statuses}
    return {status: count for status, count in counts.items() if count}


def counts_of_all(worlds: Iterable[World], name: str | None) -> dict[str, int]:
    """Count the executions of all flows, or those of this name or glob, likewise."""
    counts: Counter[str] = Counter()
    for world in worlds:
        for flow in _flows(world, name):
            counts.update(count_by_status(world, flow))
    return counts


def count_waiting(worlds: Iterable[World], name: str | None) -> int:
    """Count the tasks of these executions that wait for a report."""
    return sum(
        len(run.waiting)
        for world in worlds
        for row, run in live_runs(world)
        if name is None or glob_matches(name, row.flow.name)
    )


def _flows(world: World, name: str | None) -> Iterator[FlowRow]:
    if name is None or is_glob(name):
        yield from (row for row in world.stores.flows.rows(FLOWS) if name is None or glob_matches(name, row.name))
    elif (row := world.stores.flows.get(FLOWS, name)) is not None:
        yield row


def _by_time(pairs: Sequence[tuple[World, FlowRow]], status: str | None, after: ListPlace | None) -> Iterator[Found]:
    runs = [
        _run(world, flow, each, after)
        for world, flow in pairs
        if world.stores.executions.count(flow.id)
        for each in ((status,) if status is not None else world.spec.execution_statuses)
    ]
    return heapq.merge(*runs, key=_place_of, reverse=True)


_place_of = attrgetter("place")


def _run(world: World, flow: FlowRow, status: str, after: ListPlace | None) -> Iterator[Found]:
    high: tuple[float, float] = (_END_OF_TIME, 0)
    if after is not None:
        # Of two worlds that have the same start and number, one may be done and the other not.
        behind = (world.region, world.account) < (after.region, after.account)
        high = (after.started, after.serial + behind)
    for row in world.stores.by_status.descend(flow.id, ("", status), 0.0, high):
        yield Found(ListPlace(row.started, row.serial, world.region, world.account), world, row)


def _matching(pairs: Sequence[tuple[World, FlowRow]], prefix: str, after: ListPlace | None) -> list[Found] | None:
    """All whose names begin so, newest first; None if they are too many to sort."""
    names = (
        (world, flow, name)
        for world, flow in pairs
        for name in world.stores.executions.keys(flow.id, prefix, prefix + _LAST_KEY)
    )
    some = list(itertools.islice(names, MAX_MATCHES + 1))
    if len(some) > MAX_MATCHES:
        return None
    found = []
    for world, flow, name in some:
        row = world.stores.executions.get(flow.id, name)
        if row is not None and not row.map_run:
            place = ListPlace(row.started, row.serial, world.region, world.account)
            if after is None or place < after:
                found.append(Found(place, world, row))
    return sorted(found, key=_place_of, reverse=True)
