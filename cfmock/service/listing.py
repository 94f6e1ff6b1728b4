"""ListExecutions: pages that cost their length, whatever they are filtered by; and DescribeRegions."""

from __future__ import annotations

import itertools
from operator import attrgetter

from msgspec import Struct

from cfmock.base.time_text import parse_time
from cfmock.protocol.wire.arguments import invalid
from cfmock.protocol.wire.messages import Fields, WrittenFields
from cfmock.service.executions import list_texts
from cfmock.service.flows import DEFAULT_LIMIT
from cfmock.service.lookup import find_flow, fitting, rows_from
from cfmock.service.rows import ExecutionRow, FlowRow, group_of_map_run, group_of_qualifier
from cfmock.service.world import World

_LAST_KEY = chr(0x10FFFF)
_END_OF_TIME = 1e12


def list_executions(
    world: World,
    *,
    flow_name: str,
    next_token: str = "",
    limit: int = DEFAULT_LIMIT,
    status: str | None = None,
    started_time_begin: str | None = None,
    started_time_end: str | None = None,
    execution_name_prefix: str = "",
    metadata_only: bool = False,
    qualifier: str | None = None,
    map_run_name: str | None = None,
) -> Fields:
    """Newest first; with a prefix, by name. Nothing more is documented, so these are our choices:

    All filters may be combined. Both bounds of the start time are included. A version is met by the executions that ran it,
    an alias by those that named it. Children of a map run are listed only by its name. Raises FlowNotExists.
    """
    wanted = _Wanted(
        flow=find_flow(world, flow_name),
        status=status,
        begin=parse_time(started_time_begin) if started_time_begin else 0.0,
        end=parse_time(started_time_end) if started_time_end else _END_OF_TIME,
        prefix=execution_name_prefix,
        qualifier=qualifier,
        map_run=map_run_name or "",
    )
    source, token_of = (_by_name, attrgetter("name")) if execution_name_prefix else (_by_time, _place)
    page = source(world, wanted, next_token, limit + 1)
    texts = fitting(list_texts(page[:limit], metadata_only))
    more = {"NextToken": token_of(page[len(texts)])} if len(page) > len(texts) else {}
    return WrittenFields("Executions", texts, more)


class _Wanted(Struct, frozen=True):
    flow: FlowRow
    status: str | None
    begin: float
    end: float
    prefix: str
    qualifier: str | None
    map_run: str

    def covers(self, row: ExecutionRow) -> bool:
        return (
            self.status in (None, row.status)
            and self.begin <= row.started <= self.end
            and self.qualifier in (None, *row.qualifiers)
            and self.map_run == row.map_run
        )

    @property
    def mixed(self) -> bool:
        """Return whether that part of the index holds others, too."""
        return bool(self.map_run) and self.qualifier is not None

    @property
    def group(self) -> str:
        """The part of the index to read."""
        if self.map_run:
            return group_of_map_run(self.map_run)
        return group_of_qualifier(self.qualifier) if self.qualifier is not None else ""


def _by_name(world: World, wanted: _Wanted, token: str, most: int) -> list[ExecutionRow]:
    prefix, executions = wanted.prefix, world.stores.executions
    rows = rows_from(executions, wanted.flow.id, max(prefix, token), prefix + _LAST_KEY)
    return list(itertools.islice((row for row in rows if wanted.covers(row)), most))


def _by_time(world: World, wanted: _Wanted, token: str, most: int) -> list[ExecutionRow]:
    high = _read_place(token, wanted.end)
    pages = []
    for status in (wanted.status,) if wanted.status is not None else world.spec.execution_statuses:
        rows = world.stores.by_status.descend(wanted.flow.id, (wanted.group, status), wanted.begin, high)
        if page := list(itertools.islice(filter(wanted.covers, rows) if wanted.mixed else rows, most)):
            pages.append(page)
    if len(pages) < 2:
        return pages[0] if pages else []
    return sorted(itertools.chain(*pages), key=_moment, reverse=True)[:most]


_moment = attrgetter("started", "serial")


def _place(row: ExecutionRow) -> str:
    return f"{round(row.started * 1000)}-{row.serial}"


def _read_place(token: str, end: float) -> tuple[float, float]:
    """Read the place where a listing by time goes on: below this start and serial."""
    if not token:
        return end, float("inf")
    milliseconds, _, serial = token.partition("-")
    if not (milliseconds.isdecimal() and serial.isdecimal()) or len(token) > 40:
        raise invalid("NextToken", "is not one that ListExecutions gave")
    return int(milliseconds) / 1000, int(serial) + 1


def describe_regions(world: World, *, accept_language: str = "zh-CN") -> Fields:
    """All regions with their public endpoints, named in the language asked for."""
    found = [
        {
            "RegionId": region.id,
            "RegionEndpoint": f"{region.id}.fnf.aliyuncs.com",
            "LocalName": region.en if accept_language == "en-US" else region.zh,
        }
        for region in world.spec.regions.values()
    ]
    return {"Regions": {"Region": found}}
